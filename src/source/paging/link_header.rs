//! `linkHeader`: the `Link` header has the addresses of other pages (RFC 8288).

use super::ends::Ends;
use super::link_facts::add_links;
use super::next_at::shown;
use super::planned::PlannedLinks;
use super::size::Size;
use super::strategy::Strategy;
use crate::document::quoted;
use crate::source::{PageFacts, PagePart, Seen, Source};
use crate::yaml::{Fields, Key, Node};
use crate::{Error, Result};

/// The `Link` header has the addresses of other pages.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkHeader {
    pub size: Size,
    /// Attributes of a link to a next page that has nothing.
    pub ending: Vec<(String, String)>,
    pub ends: Ends,
    /// Whether links lead below the base URL, whatever host they name.
    pub rebase: bool,
}

impl LinkHeader {
    /// The keys of a spec besides those of [`Size`] and [`Ends`].
    pub const KEYS: [&'static str; 2] = ["link_attribute", "rebase"];

    /// Reads the strategy.
    pub fn parse(fields: &Fields<'_>) -> LinkHeader {
        LinkHeader {
            size: Size::parse(fields),
            ending: attributes_of(fields),
            ends: Ends::parse(fields),
            rebase: fields.boolean("rebase").unwrap_or(false),
        }
    }
}

/// Reads the attributes of a link that leads nowhere.
fn attributes_of(fields: &Fields<'_>) -> Vec<(String, String)> {
    let Some(node) = fields.get("link_attribute") else { return Vec::new() };
    let entries = node.mapping().unwrap_or_default();
    let read = |(key, node): &(Key, Node)| Some((key.name.clone(), node.text()?.to_string()));
    let attributes: Vec<(String, String)> = entries.iter().filter_map(read).collect();
    if attributes.is_empty() || attributes.len() < entries.len() {
        let node = if node.mapping().is_some() { node.first_nested() } else { node };
        fields.wrong("link_attribute", node, "a mapping of attributes to texts, such as {results: \"false\"}");
    }
    attributes
}

impl Strategy for LinkHeader {
    fn parts(&self) -> &'static [PagePart] {
        &[PagePart::Size]
    }

    fn size(&self) -> Option<&Size> {
        Some(&self.size)
    }

    fn size_mut(&mut self) -> Option<&mut Size> {
        Some(&mut self.size)
    }

    fn read(&self, seen: &Seen<'_>, facts: &mut PageFacts) -> Result<()> {
        if let Some(target) = add_links(seen, facts, &self.ending) {
            return Err(Error::api(format!("the 'Link' header names a next page that is not a URL{}", shown(&target))));
        }
        let names_no_next = facts.has_more.take() == Some(false);
        self.ends.read(seen, facts);
        if facts.has_more == Some(false) {
            (facts.next, facts.last_link) = (None, None);
        }
        self.ends.check_next(facts, "rel=\"next\"", "strategy")?;
        facts.has_more = facts.has_more.or(names_no_next.then_some(false));
        Ok(())
    }

    fn source(&self, max_pages: u64) -> Box<dyn Source> {
        Box::new(PlannedLinks::new(max_pages))
    }

    fn identity(&self) -> String {
        let ending: String = self.ending.iter().map(|(name, value)| format!(" ending {} {}", quoted(name), quoted(value))).collect();
        let rebase = if self.rebase { " rebase" } else { "" };
        format!("link header{}{}{ending}{rebase}", self.size.identity(), self.ends.identity())
    }

    fn ends_unsaid(&self, facts: &PageFacts, _: &[String]) -> bool {
        facts.next.is_none() && facts.has_more != Some(false)
    }

    fn rebases(&self) -> bool {
        self.rebase
    }

    fn is_side_by_side(&self) -> bool {
        true
    }
}
