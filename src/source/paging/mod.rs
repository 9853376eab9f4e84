//! How a resource is cut into pages. Each strategy has a file, which holds all there is to say about it; this is the list of them.

mod chain;
mod counted;
#[cfg(test)]
mod end_tests;
mod ends;
mod link_facts;
mod link_header;
mod next_at;
mod next_link;
mod numbered;
mod one_page;
mod parts;
mod planned;
mod relay;
#[cfg(test)]
mod rule_tests;
mod size;
mod strategy;
#[cfg(test)]
mod tests;
mod token;
mod told;
mod total;
mod url_number;

pub use counted::{Counted, CountedBy};
pub use ends::Ends;
pub use link_header::LinkHeader;
pub use next_link::{LinkAt, NextLink};
pub use parts::Parts;
pub use relay::Relay;
pub use size::Size;
pub use strategy::Strategy;
pub use token::{PagerToken, Tells};
pub use told::Told;
pub use total::Total;

use super::{PageFacts, PageKey, PagePart, PageRows, PageValues, ResumePoint, Seen, Source};
use crate::yaml::{Fields, Mistakes, Node};
use crate::Result;
use chain::Chain;
use one_page::OnePage;

/// How a resource is cut into pages.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Paging {
    #[default]
    None,
    Counted(Counted),
    PagerToken(PagerToken),
    NextLink(NextLink),
    LinkHeader(LinkHeader),
    Relay(Relay),
    Parts(Parts),
}

/// A strategy as specs name it.
struct Entry {
    name: &'static str,
    /// Its keys, in the order of the reference.
    keys: &'static [&'static [&'static str]],
    parse: fn(&Fields<'_>) -> Option<Paging>,
}

/// The key of the first page's own request, which is read with the requests of tables.
const FIRST: [&str; 1] = ["first"];

const STRATEGIES: &[Entry] = &[
    Entry { name: "none", keys: &[], parse: |_| Some(Paging::None) },
    Entry {
        name: "pageAndCount",
        keys: &[&Counted::PAGE_KEYS, &Size::KEYS, &Total::KEYS, &Ends::FLAGS],
        parse: |fields| Counted::by_page(fields).map(Paging::Counted),
    },
    Entry {
        name: "offsetAndCount",
        keys: &[&Counted::OFFSET_KEYS, &Size::KEYS, &Total::KEYS, &Ends::FLAGS],
        parse: |fields| Counted::by_offset(fields).map(Paging::Counted),
    },
    Entry {
        name: "pagerToken",
        keys: &[&PagerToken::KEYS, &Told::KEYS, &Size::KEYS, &Ends::KEYS, &FIRST],
        parse: |fields| PagerToken::parse(fields).map(Paging::PagerToken),
    },
    Entry {
        name: "nextLink",
        keys: &[&NextLink::KEYS, &Size::KEYS, &Ends::KEYS, &FIRST],
        parse: |fields| NextLink::parse(fields).map(Paging::NextLink),
    },
    Entry {
        name: "linkHeader",
        keys: &[&LinkHeader::KEYS, &Size::KEYS, &Ends::KEYS, &FIRST],
        parse: |fields| Some(Paging::LinkHeader(LinkHeader::parse(fields))),
    },
    Entry { name: "parts", keys: &[&Parts::KEYS], parse: |fields| Parts::parse(fields).map(Paging::Parts) },
    Entry { name: "relay", keys: &[&Relay::KEYS], parse: |fields| Relay::parse(fields).map(Paging::Relay) },
];

impl Paging {
    /// Returns the strategy.
    fn strategy(&self) -> &dyn Strategy {
        match self {
            Paging::None => &OnePage,
            Paging::Counted(strategy) => strategy,
            Paging::PagerToken(strategy) => strategy,
            Paging::NextLink(strategy) => strategy,
            Paging::LinkHeader(strategy) => strategy,
            Paging::Relay(strategy) => strategy,
            Paging::Parts(strategy) => strategy,
        }
    }

    fn strategy_mut(&mut self) -> Option<&mut dyn Strategy> {
        match self {
            Paging::None => None,
            Paging::Counted(strategy) => Some(strategy),
            Paging::PagerToken(strategy) => Some(strategy),
            Paging::NextLink(strategy) => Some(strategy),
            Paging::LinkHeader(strategy) => Some(strategy),
            Paging::Relay(strategy) => Some(strategy),
            Paging::Parts(strategy) => Some(strategy),
        }
    }

    /// Reads a `paging` mapping; `None`, and mistakes, when it is wrong.
    pub fn parse(node: &Node, place: &str, mistakes: &Mistakes) -> Option<Paging> {
        let written = node.get("strategy").and_then(Node::text).unwrap_or("");
        let Some(entry) = STRATEGIES.iter().find(|entry| entry.name.eq_ignore_ascii_case(written)) else {
            // Reports a node that is not a mapping, and a strategy that is absent, in their own words.
            let any_key: Vec<&str> = node.mapping().unwrap_or_default().iter().map(|(key, _)| key.name.as_str()).collect();
            Fields::of(node, place, &any_key, mistakes)?.required_text("strategy")?;
            let names: Vec<&str> = STRATEGIES.iter().map(|entry| entry.name).collect();
            mistakes.at(
                node.get("strategy").unwrap_or(node),
                format!("paging strategy '{written}' is unknown; {}", mistakes.suggestions().suggestion(written, &names)),
            );
            return None;
        };
        let keys: Vec<&str> = std::iter::once("strategy").chain(entry.keys.concat()).collect();
        (entry.parse)(&Fields::of(node, place, &keys, mistakes)?)
    }

    /// Returns the keys of all strategies.
    pub fn keys() -> Vec<&'static str> {
        let mut keys: Vec<&str> = STRATEGIES.iter().flat_map(|entry| entry.keys.concat()).chain(["strategy"]).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Returns a source of all pages. More than `max_pages` pages are an error.
    pub fn source(&self, max_pages: u64) -> Box<dyn Source> {
        self.strategy().source(max_pages)
    }

    /// Returns a source of the pages that begin at a link, where there is one, and of all pages otherwise.
    pub fn source_from(&self, max_pages: u64, link: Option<&str>) -> Box<dyn Source> {
        match link {
            Some(link) => Box::new(Chain::new(PageKey::Link(link.to_string()), max_pages)),
            None => self.source(max_pages),
        }
    }

    /// Returns a source that goes on where an earlier one was. Fails where the place does not tell that.
    pub fn source_at(&self, max_pages: u64, point: &ResumePoint) -> Result<Box<dyn Source>> {
        point.check_is_known()?;
        let mut source = self.source(max_pages);
        source.resume(point)?;
        Ok(source)
    }

    /// Returns what a request says to get the page `key`.
    pub fn values_of(&self, key: &PageKey) -> PageValues {
        let params = self.strategy().params().into_iter().map(|(name, part)| (name.to_string(), part)).collect();
        let values = PageValues::new(key, self.strategy().size().map(|size| size.page_size), params);
        PageValues { is_alone: self.strategy().only_token() && key.is_announced(), ..values }
    }

    /// Returns the variables of a GraphQL query that it fills, and the hole that takes each.
    pub fn variables(&self) -> Vec<(&str, &'static str)> {
        self.strategy().variables().into_iter().map(|(name, part)| (name, part.hole())).collect()
    }

    /// Returns whether it gives what a hole `page.NAME` takes.
    pub fn gives(&self, hole: &str) -> bool {
        let is_part = PagePart::of_hole(hole).is_some_and(|part| self.strategy().parts().contains(&part));
        is_part || hole.split_once('.').is_some_and(|(_, name)| self.strategy().gives_named(name))
    }

    /// Returns whether the paging gives a param its value, whatever the table says.
    pub fn sets(&self, param: &str) -> bool {
        self.strategy().params().iter().any(|(name, _)| *name == param)
    }

    /// Returns whether the paging gives a param its value in every request, the first one included.
    pub fn always_sets(&self, param: &str) -> bool {
        self.strategy().params().iter().any(|(name, part)| *name == param && !part.comes_with_answers())
    }

    /// Makes the requests ask for pages of that many rows, and returns whether they can.
    pub fn set_page_size(&mut self, size: u64) -> bool {
        let Some(own) = self.size_mut().filter(|own| own.is_asked_for()) else { return false };
        own.page_size = size;
        true
    }

    /// Says which holes the table's requests have.
    pub fn set_holes(&mut self, names: &[&str]) {
        if let Some(size) = self.size_mut() {
            size.is_in_hole = names.contains(&PagePart::Size.hole());
        }
        if let Some(strategy) = self.strategy_mut() {
            strategy.set_holes(names);
        }
    }

    fn size_mut(&mut self) -> Option<&mut Size> {
        self.strategy_mut()?.size_mut()
    }

    /// Returns what is wrong where neither a param nor one of these holes takes what names a page; `None` when one does.
    pub fn unplaced(&self, holes: &[&str]) -> Option<String> {
        let (key, part) = self.strategy().unplaced()?;
        let hole = part.hole();
        (!holes.contains(&hole)).then(|| format!("has no '{key}', and no '${{{hole}}}' stands in its requests"))
    }

    /// Returns whether it looks at the last record of a page.
    pub fn needs_last_row(&self) -> bool {
        self.strategy().needs_last_row()
    }

    /// Returns whether the last record of a page is left to the next one, which begins with it.
    pub fn leaves_last_row(&self, facts: &PageFacts) -> bool {
        self.strategy().repeats_last_row() && facts.next.is_some()
    }

    /// Returns whether links lead below the base URL, whatever host they name.
    pub fn rebases(&self) -> bool {
        self.strategy().rebases()
    }

    /// Collects what an answer says about paging. Links are absolute.
    pub fn facts_of(&self, seen: &Seen<'_>, rows: PageRows) -> Result<PageFacts> {
        let mut facts = PageFacts::of_rows(rows);
        self.strategy().read(seen, &mut facts)?;
        Ok(facts)
    }

    /// Returns whether a page of so many rows is told from others record by record.
    pub fn needs_records(&self, n_rows: u64) -> bool {
        self.strategy().needs_records(n_rows)
    }

    /// Returns where a page with rows should tell how much there is and does not; `None` when it does, or the spec names no place.
    pub fn missing_total(&self, facts: &PageFacts) -> Option<String> {
        self.strategy().missing_total(facts)
    }

    /// Returns whether the pages may end with this one though the API does not say so where the spec looks. `records` is the path of
    /// the list of records.
    pub fn ends_unsaid(&self, facts: &PageFacts, records: &[String]) -> bool {
        self.strategy().ends_unsaid(facts, records)
    }

    /// Returns whether pages may be asked for side by side.
    pub fn is_side_by_side(&self) -> bool {
        self.strategy().is_side_by_side()
    }

    /// Returns how many pages `n_rows` are cut into, when they are spread evenly over the sets; `None` when the API decides.
    pub fn n_pages(&self, n_rows: u64, n_sets: u64) -> Option<u64> {
        Some(self.strategy().n_pages(n_rows.div_ceil(n_sets.max(1)))? * n_sets)
    }

    /// Returns the text that says which pages there are: equal for equal ones. `None`: there is one. Stored identities of tables hold it.
    pub fn identity(&self) -> Option<String> {
        Some(self.strategy().identity()).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
impl Paging {
    /// Returns the names of all strategies.
    pub(crate) fn strategies() -> impl Iterator<Item = &'static str> {
        STRATEGIES.iter().map(|entry| entry.name)
    }

    /// Returns what a text of YAML says.
    pub(crate) fn of(text: &str) -> Paging {
        let mistakes = Mistakes::new("paging.yaml");
        let paging = Paging::parse(&crate::yaml::parse("paging.yaml", text).unwrap(), "'paging'", &mistakes);
        mistakes.into_result().unwrap();
        paging.unwrap()
    }
}
