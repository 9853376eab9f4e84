//! `parts`: the first answer says which parts there are, and each is asked for by its number.

use super::strategy::Strategy;
use crate::document::{quoted, JsonPath, Node, View};
use crate::source::page::{not_in_flight, too_many_pages};
use crate::source::{Next, PageFacts, PageKey, PagePart, PagePosition, PageVerdict, ResumePoint, Seen, Source};
use crate::yaml::Fields;
use crate::{Error, Result};
use std::collections::{BTreeMap, HashSet};

/// The first answer says which parts there are, of which it is the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// Where it has a list with an element for each part, or their number.
    pub path: JsonPath,
    /// The param that takes a part's number; `None`: a hole of the request does.
    pub page_param: Option<String>,
    /// The number of the first part.
    pub first_page: u64,
}

impl Parts {
    /// The keys of a spec.
    pub const KEYS: [&'static str; 3] = ["parts_path", "page_param", "first_page"];

    /// Reads the strategy.
    pub fn parse(fields: &Fields<'_>) -> Option<Parts> {
        Some(Parts {
            path: fields.required_json_path("parts_path")?,
            page_param: fields.text("page_param"),
            first_page: fields.count("first_page", 0).unwrap_or(0),
        })
    }

    /// Returns how many parts there are, where the answer says that.
    fn n_parts(&self, root: Node<'_>) -> Result<Option<u64>> {
        let found = self.path.find(root, |node| match node.view() {
            View::Null => Ok(None),
            View::Array(elements) => Ok(Some(elements.count() as u64)),
            View::Integer(number) => u64::try_from(number).map(Some).map_err(|_| "a negative number"),
            view => Err(view.kind()),
        });
        found.unwrap_or(Ok(None)).map_err(|kind| {
            let path = self.path.as_text();
            Error::api(format!("the parts at '{path}' are {kind}; expected a list or a number; check 'parts_path'"))
        })
    }
}

impl Strategy for Parts {
    fn parts(&self) -> &'static [PagePart] {
        &[PagePart::Number]
    }

    fn params(&self) -> Vec<(&str, PagePart)> {
        self.page_param.as_deref().map(|name| (name, PagePart::Number)).into_iter().collect()
    }

    fn read(&self, seen: &Seen<'_>, facts: &mut PageFacts) -> Result<()> {
        facts.total_pages = self.n_parts(seen.root)?;
        Ok(())
    }

    fn source(&self, max_pages: u64) -> Box<dyn Source> {
        Box::new(PartSource::new(self.first_page, max_pages))
    }

    fn identity(&self) -> String {
        let param = self.page_param.as_ref().map_or(String::new(), |param| format!(" {}", quoted(param)));
        format!("parts{param} from {} at {}", self.first_page, quoted(self.path.as_text()))
    }

    fn unplaced(&self) -> Option<(&'static str, PagePart)> {
        self.page_param.is_none().then_some(("page_param", PagePart::Number))
    }
}

/// The first part, and then all others side by side.
#[derive(Debug)]
struct PartSource {
    /// The number of the first part.
    first: u64,
    max_pages: u64,
    n_parts: Option<u64>,
    /// Ordinal of the next one to give out.
    next: u64,
    in_flight: HashSet<u64>,
    /// Rows of the parts before the one with which it began.
    n_rows_before: u64,
    /// What the parts were, by ordinal.
    answered: BTreeMap<u64, PageFacts>,
}

impl PartSource {
    fn new(first: u64, max_pages: u64) -> PartSource {
        PartSource { first, max_pages, n_parts: None, next: 0, in_flight: HashSet::new(), n_rows_before: 0, answered: BTreeMap::new() }
    }

    fn key(&self, ordinal: u64) -> PageKey {
        PageKey::Page(self.first.saturating_add(ordinal))
    }
}

impl Source for PartSource {
    fn next(&mut self) -> Next {
        let may_ask = match self.n_parts {
            Some(n_parts) => self.next < n_parts,
            None => self.next == 0,
        };
        let position = may_ask.then(|| PagePosition { ordinal: self.next, key: self.key(self.next) });
        if let Some(position) = &position {
            self.next += 1;
            self.in_flight.insert(position.ordinal);
        }
        Next::of(position, self.is_done())
    }

    fn answered(&mut self, position: &PagePosition, facts: &PageFacts) -> Result<PageVerdict> {
        if !self.in_flight.remove(&position.ordinal) {
            return Err(not_in_flight(position));
        }
        if position.ordinal == 0 {
            let n_parts = facts.total_pages.unwrap_or(1).max(1);
            if n_parts > self.max_pages {
                return Err(too_many_pages(self.max_pages));
            }
            self.n_parts = Some(n_parts);
        }
        self.answered.insert(position.ordinal, facts.clone());
        Ok(PageVerdict::Keep)
    }

    fn is_done(&self) -> bool {
        self.in_flight.is_empty() && self.n_parts.is_some_and(|n_parts| self.next >= n_parts)
    }

    fn resume(&mut self, point: &ResumePoint) -> Result<()> {
        let ordinal = point.ordinal.saturating_sub(1);
        let Some(n_parts) = point.page_size.filter(|n_parts| point.key == self.key(ordinal) && *n_parts > ordinal) else {
            return Err(point.not_of_strategy());
        };
        // The first part says anew how many there are.
        self.n_parts = (ordinal > 0).then_some(n_parts);
        self.next = ordinal;
        self.n_rows_before = point.n_rows;
        Ok(())
    }

    fn resume_point(&mut self, ordinal: u64) -> Option<ResumePoint> {
        let n_parts = self.n_parts.filter(|n_parts| ordinal + 1 < *n_parts)?;
        let later = self.answered.split_off(&ordinal);
        self.n_rows_before += self.answered.values().map(|facts| facts.n_rows).sum::<u64>();
        self.answered = later;
        let print = self.answered.get(&ordinal)?.print();
        let point = ResumePoint::after(ordinal + 1, self.key(ordinal), self.n_rows_before, Some(print));
        Some(ResumePoint { page_size: Some(n_parts), ..point })
    }

    fn total_pages(&self) -> Option<u64> {
        self.n_parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Paging;

    fn facts(n_rows: u64, total_pages: Option<u64>) -> PageFacts {
        PageFacts { n_rows, total_pages, fingerprint: n_rows, ..PageFacts::default() }
    }

    fn paging() -> Paging {
        Paging::of("{strategy: parts, parts_path: parts, page_param: part, first_page: 5}")
    }

    #[test]
    fn all_parts_are_asked_for_once_the_first_is_there() {
        let mut source = paging().source(10);
        let first = source.next_position().unwrap();
        assert_eq!((first.key.clone(), source.next()), (PageKey::Page(5), Next::Await));
        source.answered(&first, &facts(3, Some(4))).unwrap();
        let others: Vec<PagePosition> = std::iter::from_fn(|| source.next_position()).collect();
        assert_eq!(others.iter().map(|position| position.key.clone()).collect::<Vec<_>>(), [6, 7, 8].map(PageKey::Page));
        assert_eq!(source.next(), Next::Await);
        for position in others.iter().rev() {
            source.answered(position, &facts(position.ordinal, None)).unwrap();
        }
        assert_eq!((source.next(), source.total_pages()), (Next::Done, Some(4)));
        assert!(source.answered(&first, &facts(3, None)).is_err());
    }

    #[test]
    fn a_load_goes_on_with_the_part_that_it_stored_last() {
        let mut source = paging().source(10);
        let first = source.next_position().unwrap();
        source.answered(&first, &facts(3, Some(3))).unwrap();
        let second = source.next_position().unwrap();
        source.answered(&second, &facts(4, None)).unwrap();
        let point = source.resume_point(1).unwrap();
        assert_eq!((point.ordinal, point.n_rows, point.key.clone()), (2, 3, PageKey::Page(6)));
        let point = ResumePoint::from_text(&point.to_text()).unwrap();
        let mut again = paging().source_at(10, &point).unwrap();
        let keys: Vec<PagePosition> = std::iter::from_fn(|| again.next_position()).collect();
        assert_eq!(
            keys.iter().map(|position| (position.ordinal, position.key.clone())).collect::<Vec<_>>(),
            [(1, PageKey::Page(6)), (2, PageKey::Page(7))]
        );
        assert!(Paging::of("{strategy: parts, parts_path: parts, page_param: part}").source_at(10, &point).is_err());
    }

    #[test]
    fn one_part_is_all_where_none_are_told_and_too_many_are_an_error() {
        let mut source = paging().source(2);
        let first = source.next_position().unwrap();
        assert!(source.answered(&first, &facts(3, Some(3))).is_err());
        let mut source = paging().source(2);
        let first = source.next_position().unwrap();
        source.answered(&first, &facts(3, None)).unwrap();
        assert_eq!((source.next(), source.resume_point(0)), (Next::Done, None));
    }
}
