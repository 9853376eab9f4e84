//! What an answer says about paging: totals, tokens and links, from body and headers.

use super::auth::without_params;
use super::{links_of, Link, PageBody, PageFacts};
use crate::json::{JsonPath, Node, View};
use crate::spec::{Paging, Total};
use crate::{Error, Result};
use url::Url;

/// What the rows of a page add to its facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageRows {
    /// Records of the page, before any is left out.
    pub n_rows: u64,
    /// Hash of the records: equal for equal pages.
    pub fingerprint: u64,
    /// Hash of the body's bytes.
    pub body: u64,
}

/// Collects what an answer says about paging. `root` is the body's outermost value. Links are absolute and without credentials. Fails
/// when the answer names a next page in a way that cannot be read: it is not the last one.
pub fn facts_of(paging: &Paging, page: &PageBody, root: Node<'_>, rows: PageRows) -> Result<PageFacts> {
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
            facts.has_more = has_more_path.as_ref().and_then(|path| path.find_bool(root));
            if facts.has_more != Some(false) {
                facts.token = token_at(token_path, root)?;
            }
        }
        Paging::NextLink { link_path } => facts.next_link = link_at(link_path, page, root)?,
        Paging::LinkHeader { .. } => {
            if let Some(target) = add_links(&mut facts, page) {
                return Err(Error::api(format!("the 'Link' header names a next page that is no URL{}", shown(&target))));
            }
            facts.has_more = None;
        }
    }
    Ok(facts)
}

/// What stands where an answer names the next page.
enum Next {
    /// Nothing, null, an empty text or false: there is none.
    End,
    Text(String),
    Number(String),
    /// Something of this kind, which names no page.
    Other(&'static str),
}

fn next_at(path: &JsonPath, root: Node<'_>) -> Next {
    let next = path.find(root, |node| match node.view() {
        View::Null | View::Boolean(false) => Next::End,
        View::Text("") => Next::End,
        View::Text(text) => Next::Text(text.to_string()),
        View::Integer(_) | View::BigNumber(_) | View::Double(_) => Next::Number(node.to_json()),
        view => Next::Other(view.kind()),
    });
    next.unwrap_or(Next::End)
}

fn token_at(path: &JsonPath, root: Node<'_>) -> Result<Option<String>> {
    match next_at(path, root) {
        Next::End => Ok(None),
        Next::Text(token) | Next::Number(token) => Ok(Some(token)),
        Next::Other(kind) => {
            let path = path.as_text();
            Err(Error::api(format!("the next page's token at '{path}' is {kind}; expected a text or a number; check 'pager_token_path'")))
        }
    }
}

fn link_at(path: &JsonPath, page: &PageBody, root: Node<'_>) -> Result<Option<String>> {
    let kind = match next_at(path, root) {
        Next::End => return Ok(None),
        Next::Text(link) if link.trim().is_empty() => return Ok(None),
        Next::Text(link) => match page.url.join(link.trim()) {
            Ok(url) => return Ok(Some(clean(page, &url))),
            Err(err) => {
                let (path, shown) = (path.as_text(), shown(&link));
                return Err(Error::api(format!("the next page's link at '{path}' is no URL{shown}: {err}; check 'pager_link_path'")));
            }
        },
        Next::Number(_) => "a number",
        Next::Other(kind) => kind,
    };
    let path = path.as_text();
    Err(Error::api(format!("the next page's link at '{path}' is {kind}; expected a text; check 'pager_link_path'")))
}

/// Returns a link for a message that is redacted later: whole, since a part of a secret would not be found, or not at all.
fn shown(link: &str) -> String {
    /// Most bytes of a link in a message.
    const MOST: usize = 300;
    if link.len() > MOST {
        String::new()
    } else {
        format!(" ('{link}')")
    }
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

/// Adds the `Link` headers' next and last page. Where they name other pages but no next one, this is the last. Returns the target of a
/// next page that is no URL.
fn add_links(facts: &mut PageFacts, page: &PageBody) -> Option<String> {
    let links = links_of(&page.headers, &page.url);
    let link_to = |rel: &str| links.iter().find(|link: &&Link| link.has_rel(rel));
    let url_of = |link: &Link| link.url.as_ref().map(|url| clean(page, url));
    let next = link_to("next");
    facts.next_link = next.and_then(url_of);
    facts.last_link = link_to("last").and_then(url_of);
    let names_pages = links.iter().any(|link| ["next", "prev", "previous", "first", "last"].iter().any(|rel| link.has_rel(rel)));
    facts.has_more = names_pages.then_some(next.is_some());
    next.filter(|link| link.url.is_none()).map(|link| link.target.clone())
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
