//! What an answer says about paging: totals, tokens and links, from body and headers.

use super::auth::without_params;
use super::{links_of, Link, PageBody, PageFacts};
use crate::json::Node;
use crate::spec::{Paging, Total};
use url::Url;

/// What the rows of a page add to its facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageRows {
    /// Records of the page, before any is left out.
    pub n_rows: u64,
    /// Hash of the records, equal for equal pages.
    pub fingerprint: u64,
    /// Hash of the body's bytes.
    pub body: u64,
}

/// Collects what an answer says about paging. `root` is the body's outermost value. Links are absolute and without credentials.
pub fn facts_of(paging: &Paging, page: &PageBody, root: Node<'_>, rows: PageRows) -> PageFacts {
    let mut facts = PageFacts { n_rows: rows.n_rows, fingerprint: rows.fingerprint, body: rows.body, ..PageFacts::default() };
    match paging {
        Paging::None => {}
        Paging::PageAndCount { page_param, first_page, total, .. } => {
            add_total(&mut facts, total.as_ref(), page, root);
            add_links(&mut facts, page);
            let last_page = facts.last_link.as_deref().and_then(|link| number_in(link, page_param));
            if facts.total_rows.is_none() && facts.total_pages.is_none() {
                facts.total_pages = last_page.and_then(|last| (last + 1).checked_sub(*first_page));
            }
        }
        Paging::OffsetAndCount { total, .. } => {
            add_total(&mut facts, total.as_ref(), page, root);
            add_links(&mut facts, page);
        }
        Paging::PagerToken { token_path, has_more_path, .. } => {
            facts.token = token_path.find_text(root).filter(|token| !token.is_empty());
            facts.has_more = has_more_path.as_ref().and_then(|path| path.find_bool(root));
        }
        Paging::NextLink { link_path } => {
            let link = link_path.find_text(root).filter(|link| !link.trim().is_empty());
            facts.next_link = link.and_then(|link| page.url.join(link.trim()).ok()).map(|url| clean(page, &url));
        }
        Paging::LinkHeader { .. } => {
            add_links(&mut facts, page);
            facts.has_more = None;
        }
    }
    facts
}

fn add_total(facts: &mut PageFacts, total: Option<&Total>, page: &PageBody, root: Node<'_>) {
    let natural = |number| u64::try_from(number).ok();
    match total {
        Some(Total::RowsPath(path)) => facts.total_rows = path.find_integer(root).and_then(natural),
        Some(Total::PagesPath(path)) => facts.total_pages = path.find_integer(root).and_then(natural),
        Some(Total::RowsHeader(name)) => facts.total_rows = page.headers.get(name).and_then(|value| value.trim().parse().ok()),
        None => {}
    }
}

/// Adds the `Link` headers' next and last page. Where they name other pages but no next one, this is the last.
fn add_links(facts: &mut PageFacts, page: &PageBody) {
    let links = links_of(&page.headers, &page.url);
    let link_to = |rel: &str| links.iter().find(|link: &&Link| link.has_rel(rel)).map(|link| clean(page, &link.url));
    facts.next_link = link_to("next");
    facts.last_link = link_to("last");
    let names_pages = links.iter().any(|link| ["next", "prev", "previous", "first", "last"].iter().any(|rel| link.has_rel(rel)));
    facts.has_more = names_pages.then_some(facts.next_link.is_some());
}

/// Returns the link without credentials that the API repeated in it.
fn clean(page: &PageBody, url: &Url) -> String {
    let names: Vec<&str> = page.secret_params.iter().map(String::as_str).collect();
    without_params(url, &names).to_string()
}

fn number_in(link: &str, param: &str) -> Option<u64> {
    let url = Url::parse(link).ok()?;
    let (_, value) = url.query_pairs().find(|(name, _)| name == param)?;
    value.parse().ok()
}
