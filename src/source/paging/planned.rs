//! Pages named by `Link` headers: one after the other, or side by side when the header names the last page's number.

use super::url_number::number_in;
use crate::source::page::{not_in_flight, same_page_twice, too_many_pages, FirstPage};
use crate::source::{Next, PageFacts, PageKey, PagePosition, PagePrint, PageVerdict, ResumePoint, Source};
use crate::Result;
use std::collections::{BTreeMap, HashMap, VecDeque};
use url::Url;

/// Follows `rel="next"`; plans all pages at once when `rel="last"` tells how many there are.
#[derive(Debug)]
pub struct PlannedLinks {
    max_pages: u64,
    /// Positions not given out yet.
    planned: VecDeque<PagePosition>,
    in_flight: HashMap<u64, PageKey>,
    /// The ordinal after the last planned position.
    n_planned: u64,
    /// Whether the last planned position is the API's last page as far as it said.
    knows_end: bool,
    /// Every link planned, and its ordinal.
    seen: HashMap<String, u64>,
    /// The position and fingerprint of the last page that had rows and a link to the next. Some APIs make a new link to the page they have
    /// just given.
    last: Option<(PagePosition, u64)>,
    first: FirstPage,
    /// The key of each ordinal planned.
    keys: BTreeMap<u64, PageKey>,
    /// Rows of each page answered, until they are counted, and what the page is known again by.
    answers: BTreeMap<u64, (u64, PagePrint)>,
    /// Rows of the pages before the last point.
    n_rows_before: u64,
}

impl PlannedLinks {
    /// Starts at the first page.
    pub fn new(max_pages: u64) -> PlannedLinks {
        let first = PageKey::Only;
        PlannedLinks {
            max_pages,
            planned: VecDeque::from([PagePosition { ordinal: 0, key: first.clone() }]),
            in_flight: HashMap::new(),
            n_planned: 1,
            knows_end: false,
            seen: HashMap::new(),
            last: None,
            first: FirstPage::default(),
            keys: BTreeMap::from([(0, first)]),
            answers: BTreeMap::new(),
            n_rows_before: 0,
        }
    }

    /// Plans what follows the last planned position, now answered.
    fn plan_after(&mut self, position: &PagePosition, facts: &PageFacts) -> Result<()> {
        self.knows_end = false;
        let Some(PageKey::Link(next)) = &facts.next else {
            return Ok(());
        };
        // Some APIs always give a link: a page without rows that leads to itself has nothing new.
        if facts.n_rows == 0 && facts.next.as_ref() == Some(&position.key) {
            return Ok(());
        }
        let is_repeat =
            |(last, fingerprint): &&(PagePosition, u64)| last.ordinal + 1 == position.ordinal && *fingerprint == facts.fingerprint;
        if let Some((last, _)) = self.last.as_ref().filter(is_repeat).filter(|_| facts.n_rows > 0) {
            return Err(same_page_twice(&last.key, &position.key));
        }
        self.last = Some((position.clone(), facts.fingerprint)).filter(|_| facts.n_rows > 0);
        self.first.check(&position.key, facts)?;
        let numbered = facts.last_link.as_deref().and_then(|last| NumberedLinks::of(&position.key, next, last));
        let links = match numbered {
            Some(numbered) if self.n_planned.saturating_add(numbered.n_links()) > self.max_pages => {
                return Err(too_many_pages(self.max_pages))
            }
            Some(numbered) => {
                self.knows_end = true;
                numbered.links(next)
            }
            None => vec![next.clone()],
        };
        for link in links {
            if self.n_planned >= self.max_pages {
                return Err(too_many_pages(self.max_pages));
            }
            let key = PageKey::Link(link.clone());
            if self.seen.insert(link, self.n_planned).is_some() {
                return Err(same_page_twice(&position.key, &key));
            }
            self.keys.insert(self.n_planned, key.clone());
            self.planned.push_back(PagePosition { ordinal: self.n_planned, key });
            self.n_planned += 1;
        }
        Ok(())
    }
}

impl Source for PlannedLinks {
    fn resume(&mut self, point: &ResumePoint) -> Result<()> {
        if !matches!(point.key, PageKey::Only | PageKey::Link(_)) {
            return Err(point.not_of_strategy());
        }
        let ordinal = point.ordinal.saturating_sub(1);
        self.planned = VecDeque::from([PagePosition { ordinal, key: point.key.clone() }]);
        self.keys = BTreeMap::from([(ordinal, point.key.clone())]);
        self.n_planned = ordinal + 1;
        self.n_rows_before = point.n_rows;
        if let PageKey::Link(link) = &point.key {
            self.seen.insert(link.clone(), ordinal);
        }
        Ok(())
    }

    fn next(&mut self) -> Next {
        let position = self.planned.pop_front();
        if let Some(position) = &position {
            self.in_flight.insert(position.ordinal, position.key.clone());
        }
        Next::of(position, self.is_done())
    }

    fn answered(&mut self, position: &PagePosition, facts: &PageFacts) -> Result<PageVerdict> {
        if self.in_flight.remove(&position.ordinal).as_ref() != Some(&position.key) {
            return Err(not_in_flight(position));
        }
        self.answers.insert(position.ordinal, (facts.n_rows, facts.print()));
        if position.ordinal + 1 == self.n_planned {
            self.plan_after(position, facts)?;
        }
        Ok(PageVerdict::Keep)
    }

    fn is_done(&self) -> bool {
        self.planned.is_empty() && self.in_flight.is_empty()
    }

    fn total_pages(&self) -> Option<u64> {
        (self.knows_end || self.is_done()).then_some(self.n_planned)
    }

    fn resume_point(&mut self, ordinal: u64) -> Option<ResumePoint> {
        self.keys.get(&(ordinal + 1))?;
        let key = self.keys.get(&ordinal)?.clone();
        let later = self.answers.split_off(&ordinal);
        self.n_rows_before += std::mem::replace(&mut self.answers, later).into_values().map(|(n_rows, _)| n_rows).sum::<u64>();
        let stored = self.answers.get(&ordinal).map(|(_, print)| *print);
        Some(ResumePoint::after(ordinal + 1, key, self.n_rows_before, stored))
    }
}

/// A query parameter that counts the pages from the next to the last.
struct NumberedLinks {
    param: String,
    next: u64,
    last: u64,
}

impl NumberedLinks {
    /// Returns the parameter when next and last link differ in nothing but it, and it counts pages, not rows: the next page has
    /// the number after the present one's.
    fn of(present: &PageKey, next: &str, last: &str) -> Option<NumberedLinks> {
        let (next_url, last_url) = (Url::parse(next).ok()?, Url::parse(last).ok()?);
        if next_url.origin() != last_url.origin() || next_url.path() != last_url.path() {
            return None;
        }
        let mut next_pairs: Vec<(String, String)> = next_url.query_pairs().into_owned().collect();
        let mut last_pairs: Vec<(String, String)> = last_url.query_pairs().into_owned().collect();
        next_pairs.sort();
        last_pairs.sort();
        if next_pairs.len() != last_pairs.len() {
            return None;
        }
        let differing: Vec<_> = next_pairs.iter().zip(&last_pairs).filter(|(a, b)| a != b).collect();
        let [((param, next_number), (last_param, last_number))] = differing.as_slice() else {
            return None;
        };
        if param != last_param || next_pairs.iter().filter(|(name, _)| name == param).count() != 1 {
            return None;
        }
        let (next_number, last_number) = (next_number.parse::<u64>().ok()?, last_number.parse::<u64>().ok()?);
        let follows = match present {
            PageKey::Link(link) => number_in(link, param).is_some_and(|present| present + 1 == next_number),
            _ => next_number == 2,
        };
        (follows && next_number < last_number).then(|| NumberedLinks { param: param.clone(), next: next_number, last: last_number })
    }

    fn n_links(&self) -> u64 {
        self.last - self.next + 1
    }

    fn links(&self, next: &str) -> Vec<String> {
        let Ok(url) = Url::parse(next) else {
            return vec![next.to_string()];
        };
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let mut links = vec![next.to_string()];
        for number in self.next + 1..=self.last {
            let mut link = url.clone();
            link.query_pairs_mut().clear().extend_pairs(pairs.iter().map(|(name, value)| {
                let value = if *name == self.param { number.to_string() } else { value.clone() };
                (name.clone(), value)
            }));
            links.push(link.to_string());
        }
        links
    }
}
