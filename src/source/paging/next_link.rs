//! `nextLink`: each answer has the address of the next page, in its body or in a header.

use super::chain::Chain;
use super::ends::Ends;
use super::next_at::{shown, NextAt};
use super::size::Size;
use super::strategy::Strategy;
use crate::document::{quoted, JsonPath};
use crate::source::{PageFacts, PageKey, PagePart, Seen, Source};
use crate::yaml::Fields;
use crate::{Error, Result};

/// Each answer has the address of the next page.
#[derive(Debug, Clone, PartialEq)]
pub struct NextLink {
    pub link: LinkAt,
    /// What the first page is asked for with; links have it in them.
    pub size: Size,
    pub ends: Ends,
    /// Whether links lead below the base URL, whatever host they name.
    pub rebase: bool,
}

/// Where an answer has the address.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkAt {
    Path(JsonPath),
    /// In this header, and nothing beside it.
    Header(String),
}

impl LinkAt {
    fn parse(fields: &Fields<'_>) -> Option<LinkAt> {
        if fields.get("pager_link_header").is_none() {
            return fields.required_json_path("pager_link_path").map(LinkAt::Path);
        }
        if let Some(node) = fields.get("pager_link_path") {
            let message = format!("{} has 'pager_link_path' and 'pager_link_header'; keep one", fields.place());
            fields.mistakes().at(node, message);
        }
        fields.text("pager_link_header").map(LinkAt::Header)
    }

    fn read(&self, seen: &Seen<'_>) -> NextAt {
        match self {
            LinkAt::Path(path) => path.find(seen.root, NextAt::of).unwrap_or(NextAt::End),
            LinkAt::Header(name) => seen.headers.get(name).map_or(NextAt::End, |text| NextAt::Text(text.to_string())),
        }
    }

    fn key(&self) -> &'static str {
        match self {
            LinkAt::Path(_) => "pager_link_path",
            LinkAt::Header(_) => "pager_link_header",
        }
    }

    fn place(&self) -> &str {
        match self {
            LinkAt::Path(path) => path.as_text(),
            LinkAt::Header(name) => name,
        }
    }

    fn identity(&self) -> String {
        match self {
            LinkAt::Path(path) => format!("link at {}", quoted(path.as_text())),
            LinkAt::Header(name) => format!("link in header {}", quoted(&name.to_lowercase())),
        }
    }
}

impl NextLink {
    /// The keys of a spec besides those of [`Size`] and [`Ends`].
    pub const KEYS: [&'static str; 3] = ["pager_link_path", "pager_link_header", "rebase"];

    /// Reads the strategy.
    pub fn parse(fields: &Fields<'_>) -> Option<NextLink> {
        Some(NextLink {
            link: LinkAt::parse(fields)?,
            size: Size::parse(fields),
            ends: Ends::parse(fields),
            rebase: fields.boolean("rebase").unwrap_or(false),
        })
    }

    fn link_of(&self, seen: &Seen<'_>) -> Result<Option<String>> {
        let (place, key) = (self.link.place(), self.link.key());
        let kind = match self.link.read(seen) {
            NextAt::End => return Ok(None),
            NextAt::Text(link) if link.trim().is_empty() => return Ok(None),
            NextAt::Text(link) => match seen.url.join(link.trim()) {
                Ok(url) => return Ok(Some(url.to_string())),
                Err(err) => {
                    let shown = shown(&link);
                    return Err(Error::api(format!("the next page's link at '{place}' is not a URL{shown}: {err}; check '{key}'")));
                }
            },
            NextAt::Number(_) => "a number",
            NextAt::Structure(_, kind) | NextAt::Other(kind) => kind,
        };
        Err(Error::api(format!("the next page's link at '{place}' is {kind}; expected a text; check '{key}'")))
    }
}

impl Strategy for NextLink {
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
        self.ends.read(seen, facts);
        if facts.has_more == Some(false) {
            return Ok(());
        }
        facts.next = self.link_of(seen)?.map(PageKey::Link);
        self.ends.check_next(facts, "link", self.link.key())
    }

    fn source(&self, max_pages: u64) -> Box<dyn Source> {
        Box::new(Chain::new(PageKey::Only, max_pages))
    }

    fn ends_unsaid(&self, facts: &PageFacts, _: &[String]) -> bool {
        facts.next.is_none() && facts.has_more != Some(false)
    }

    fn rebases(&self) -> bool {
        self.rebase
    }

    fn identity(&self) -> String {
        let size = if self.size.is_asked_for() { self.size.identity() } else { String::new() };
        let rebase = if self.rebase { " rebase" } else { "" };
        format!("{}{size}{}{rebase}", self.link.identity(), self.ends.identity())
    }
}
