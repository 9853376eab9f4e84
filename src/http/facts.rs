//! What an answer says about paging, from body and headers, without credentials.

use super::auth::without_params;
use super::PageBody;
use crate::document::Node;
use crate::source::{PageFacts, PageRows, Paging, Seen};
use crate::Result;

impl PageBody {
    /// Returns what a source sees of the answer. `root` is the body's outermost value.
    pub fn seen<'a>(&'a self, root: Node<'a>) -> Seen<'a> {
        Seen { headers: &self.headers, url: &self.url, root, last_row: None }
    }
}

/// Collects what an answer, of which a source sees `seen`, says about paging. Links are absolute and without credentials that the API repeated in them. Fails when the
/// answer names a next page in a way that cannot be read: it is not the last one.
pub fn facts_of(paging: &Paging, page: &PageBody, seen: &Seen<'_>, rows: PageRows) -> Result<PageFacts> {
    let mut facts = paging.facts_of(seen, rows)?;
    let names: Vec<&str> = page.secret_params.iter().map(String::as_str).collect();
    facts.change_links(|url| without_params(url, &names));
    Ok(facts)
}
