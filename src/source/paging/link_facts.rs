//! What `Link` headers say about the pages.

use crate::source::{links_of, Link, PageFacts, PageKey, Seen};

/// Adds the `Link` headers' next and last page. Where they name other pages but no next one, this is the last. Returns the target of a
/// next page that is not a URL. A link with all attributes `ending` leads nowhere.
pub fn add_links(seen: &Seen<'_>, facts: &mut PageFacts, ending: &[(String, String)]) -> Option<String> {
    let links = links_of(seen.headers, seen.url);
    let link_to = |rel: &str| links.iter().find(|link: &&Link| link.has_rel(rel));
    let url_of = |link: &Link| link.url.as_ref().map(ToString::to_string);
    let leads_on = |link: &&Link| ending.is_empty() || !ending.iter().all(|(name, value)| link.has_attribute(name, value));
    let next = link_to("next").filter(leads_on);
    facts.next = next.and_then(url_of).map(PageKey::Link);
    facts.last_link = link_to("last").and_then(url_of);
    let names_pages = links.iter().any(|link| ["next", "prev", "previous", "first", "last"].iter().any(|rel| link.has_rel(rel)));
    facts.has_more = names_pages.then_some(next.is_some());
    next.filter(|link| link.url.is_none()).map(|link| link.target.clone())
}
