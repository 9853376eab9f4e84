//! The request for a path below the base URL that a user names: never for another origin.

use super::{url_of, ParamSet, Values};
use crate::document::Format;
use crate::http::message::Request;
use crate::source::PageValues;
use crate::spec::{Connection, Template};
use crate::{Error, Result};
use percent_encoding::percent_decode_str;

/// Builds the request for `path`, below the base URL of the connection, with or without a query; `params` are added to it, nulls left out.
/// Fails when the path is a URL, or could lead out of the base URL.
pub fn request_of_path(connection: &Connection, path: &str, params: &[(String, Option<String>)]) -> Result<Request> {
    let (param_set, page) = (ParamSet::default(), PageValues::default());
    let values = Values { connection, param_set: &param_set, page: &page };
    let base = values.url(&connection.adapter.base_url, &Template::default())?;
    let headers = values.headers(Format::Json.accept(), &connection.adapter.headers, &[], &values)?;
    check(path).map_err(|reason| {
        let expected = "expected a path below the connection's base URL, such as '/items?id=1'";
        Error::config(format!("the path {reason}; {expected}"))
    })?;
    let mut url = url_of(&values.base_text(&connection.adapter.base_url)?, path)?;
    let is_below = url.path().starts_with(base.path().trim_end_matches('/'));
    if url.origin() != base.origin() || !is_below || !url.username().is_empty() || url.password().is_some() {
        return Err(Error::config("the path leads out of the connection's base URL, where its credentials must not go"));
    }
    let given: Vec<(&String, &String)> = params.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).collect();
    if !given.is_empty() {
        url.query_pairs_mut().extend_pairs(given);
    }
    Ok(Request::get(url, base, headers))
}

/// Returns what is wrong with a path. A URL parser drops some characters and takes others for a slash: none of them may be there.
fn check(path: &str) -> std::result::Result<(), &'static str> {
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Err("holds a control character or a backslash");
    }
    if path.contains('#') {
        return Err("holds a '#', which is never sent; write %23");
    }
    let path = path.split('?').next().unwrap_or_default();
    if path.starts_with("//") {
        return Err("begins with '//', which names a host");
    }
    if path.split('/').next().unwrap_or_default().contains(':') {
        return Err("is a URL");
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    if decoded.split(['/', '\\']).any(|segment| segment == "." || segment == "..") {
        return Err("has '.' or '..' as a segment");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::sample::{adapter, basic, connection};
    use proptest::prelude::*;

    fn url(path: &str, params: &[(&str, Option<&str>)]) -> Result<String> {
        let connection = connection(adapter(basic()), &[("site", "x"), ("password", "s3cr3t")]);
        let params: Vec<(String, Option<String>)> =
            params.iter().map(|(name, value)| (name.to_string(), value.map(str::to_string))).collect();
        request_of_path(&connection, path, &params).map(|request| request.url.to_string())
    }

    #[test]
    fn a_path_is_below_the_base_url() {
        let check = |path: &str, expected: &str| assert_eq!(url(path, &[]).unwrap(), expected);
        check("/items", "https://api.test/v1/items");
        check("items/a:b/c@d", "https://api.test/v1/items/a:b/c@d");
        check("", "https://api.test/v1");
        check("/", "https://api.test/v1/");
        check("/a b/\u{e9}?q=1&r=//x:y", "https://api.test/v1/a%20b/%C3%A9?q=1&r=//x:y");
        check("@evil.test/x", "https://api.test/v1/@evil.test/x");
        check(".evil.test", "https://api.test/v1/.evil.test");
        check("/groups/a%2Fb/...", "https://api.test/v1/groups/a%2Fb/...");
        check("/x//evil.test", "https://api.test/v1/x//evil.test");
        let query = [("a", Some("1 & 2")), ("b", None), ("c", Some(""))];
        assert_eq!(url("/items?id=1", &query).unwrap(), "https://api.test/v1/items?id=1&a=1+%26+2&c=");
        assert_eq!(url("/items", &[("b", None)]).unwrap(), "https://api.test/v1/items");
    }

    #[test]
    fn what_could_lead_elsewhere_is_refused() {
        for path in [
            "https://evil.test/x",
            "HTTPS:evil.test",
            "https://api.test/v1/items",
            "javascript:alert(1)",
            "//evil.test/x",
            "\\\\evil.test",
            "/\\evil.test",
            "/\t/evil.test",
            "/\n/evil.test",
            " \u{1}//evil.test",
            "/../admin",
            "/..",
            "a/../../admin",
            "/./x",
            "/%2e%2e/admin",
            "/%2E./admin",
            "/..%2fadmin",
            "/x%5c..%5cadmin",
            "/x#y",
            ":8080/x",
            "user:pass@evil.test/",
        ] {
            let err = url(path, &[]).unwrap_err();
            assert!(err.message().contains("expected a path below"), "{path:?}: {err}");
        }
    }

    proptest! {
        #[test]
        fn no_path_leaves_the_base_url(path in "[a-z:/\\\\.?#@%25ef\t \u{e9}\u{ff0f}]{0,20}") {
            if let Ok(url) = url(&path, &[]) {
                prop_assert!(url.starts_with("https://api.test/v1"), "{}", url);
                let rest = &url["https://api.test/v1".len()..];
                prop_assert!(rest.is_empty() || rest.starts_with(['/', '?']), "{}", url);
            }
        }
    }
}
