//! Numbers in the query of a URL.

use url::Url;

/// Returns the number that a parameter of a URL's query has.
pub fn number_in(link: &str, param: &str) -> Option<u64> {
    let url = Url::parse(link).ok()?;
    let (_, value) = url.query_pairs().find(|(name, _)| name == param)?;
    value.parse().ok()
}
