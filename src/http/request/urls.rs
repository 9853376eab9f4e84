//! URLs of a base and a path.

use crate::{Error, Result};
use percent_encoding::percent_decode_str;
use url::Url;

/// Fails when a segment of the path is a dot or two.
pub fn check_path(text: &str) -> Result<()> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let is_dots = |segment: &str| {
        let segment = percent_decode_str(segment).decode_utf8_lossy();
        // Some servers take a backslash for a slash, encoded or not.
        segment.split('\\').any(|part| part == "." || part == "..")
    };
    match path.split('/').any(is_dots) {
        true => Err(Error::config("the params make '.' or '..' a segment of the path, which a URL cannot hold")),
        false => Ok(()),
    }
}

/// Returns the URL of a path below a base URL.
pub fn url_of(base: &str, path: &str) -> Result<Url> {
    let (base, base_query) = base.split_once('?').unwrap_or((base, ""));
    let (path, path_query) = path.split_once('?').unwrap_or((path, ""));
    let mut text = base.trim_end_matches('/').to_string();
    if !path.is_empty() {
        text.push('/');
        text.push_str(path.trim_start_matches('/'));
    }
    let queries: Vec<&str> = [base_query, path_query].into_iter().filter(|query| !query.is_empty()).collect();
    if !queries.is_empty() {
        text.push('?');
        text.push_str(&queries.join("&"));
    }
    let url = Url::parse(&text).map_err(|err| Error::config(format!("'base_url' does not make a URL: {err}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Error::config(format!("'base_url' has the scheme '{}'; expected https", url.scheme())));
    }
    Ok(url)
}
