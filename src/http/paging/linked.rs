//! Pages named by `Link` headers: one after the other, or side by side when the header names the last page's number.

use super::{not_in_flight, same_page_twice, too_many_pages, PageFacts, PageKey, PagePlace, PageVerdict, ResumePoint};
use crate::Result;
use std::collections::{BTreeMap, HashMap, VecDeque};
use url::Url;

/// Follows `rel="next"`; plans all pages at once when `rel="last"` tells how many there are.
#[derive(Debug)]
pub(super) struct LinkedPager {
    max_pages: u64,
    /// Places not given out yet.
    planned: VecDeque<PagePlace>,
    in_flight: HashMap<u64, PageKey>,
    /// The ordinal after the last planned place.
    n_planned: u64,
    /// Whether the last planned place is the API's last page as far as it said.
    knows_end: bool,
    /// Every link planned, and its ordinal.
    seen: HashMap<String, u64>,
    /// The place and fingerprint of the last page that had rows and a link to the next. Some APIs make a new link to the page they have
    /// just given.
    last: Option<(PagePlace, u64)>,
    /// The key of each ordinal planned after the first.
    keys: BTreeMap<u64, PageKey>,
    /// Rows of each page answered, until they are counted.
    n_rows: BTreeMap<u64, u64>,
    /// Rows of the pages before the last point.
    n_rows_before: u64,
}

impl LinkedPager {
    pub(super) fn new(first: PageKey, max_pages: u64) -> LinkedPager {
        LinkedPager {
            max_pages,
            planned: VecDeque::from([PagePlace { ordinal: 0, key: first }]),
            in_flight: HashMap::new(),
            n_planned: 1,
            knows_end: false,
            seen: HashMap::new(),
            last: None,
            keys: BTreeMap::new(),
            n_rows: BTreeMap::new(),
            n_rows_before: 0,
        }
    }

    pub(super) fn resume(&mut self, point: &ResumePoint) {
        self.planned = VecDeque::from([PagePlace { ordinal: point.ordinal, key: point.key.clone() }]);
        self.n_planned = point.ordinal + 1;
        self.n_rows_before = point.n_rows;
        if let PageKey::Link(link) = &point.key {
            self.seen.insert(link.clone(), point.ordinal);
        }
    }

    pub(super) fn next_place(&mut self) -> Option<PagePlace> {
        let place = self.planned.pop_front()?;
        self.in_flight.insert(place.ordinal, place.key.clone());
        Some(place)
    }

    pub(super) fn answered(&mut self, place: &PagePlace, facts: &PageFacts) -> Result<PageVerdict> {
        if self.in_flight.remove(&place.ordinal).as_ref() != Some(&place.key) {
            return Err(not_in_flight(place));
        }
        self.n_rows.insert(place.ordinal, facts.n_rows);
        if place.ordinal + 1 == self.n_planned {
            self.plan_after(place, facts)?;
        }
        Ok(PageVerdict::Keep)
    }

    pub(super) fn is_done(&self) -> bool {
        self.planned.is_empty() && self.in_flight.is_empty()
    }

    pub(super) fn total_pages(&self) -> Option<u64> {
        (self.knows_end || self.is_done()).then_some(self.n_planned)
    }

    pub(super) fn resume_point(&mut self, ordinal: u64) -> Option<ResumePoint> {
        let key = self.keys.get(&(ordinal + 1))?.clone();
        let later = self.n_rows.split_off(&(ordinal + 1));
        self.n_rows_before += std::mem::replace(&mut self.n_rows, later).into_values().sum::<u64>();
        Some(ResumePoint { ordinal: ordinal + 1, key, n_rows: self.n_rows_before, page_size: None, holes: Vec::new(), stored: None })
    }

    /// Plans what follows the last planned place, now answered.
    fn plan_after(&mut self, place: &PagePlace, facts: &PageFacts) -> Result<()> {
        self.knows_end = false;
        let Some(next) = &facts.next_link else {
            return Ok(());
        };
        let is_repeat = |(last, fingerprint): &&(PagePlace, u64)| last.ordinal + 1 == place.ordinal && *fingerprint == facts.fingerprint;
        if let Some((last, _)) = self.last.as_ref().filter(is_repeat).filter(|_| facts.n_rows > 0) {
            return Err(same_page_twice(&last.key, &place.key));
        }
        self.last = Some((place.clone(), facts.fingerprint)).filter(|_| facts.n_rows > 0);
        let numbered = facts.last_link.as_deref().and_then(|last| NumberedLinks::of(&place.key, next, last));
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
                return Err(same_page_twice(&place.key, &key));
            }
            self.keys.insert(self.n_planned, key.clone());
            self.planned.push_back(PagePlace { ordinal: self.n_planned, key });
            self.n_planned += 1;
        }
        Ok(())
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
            PageKey::Link(link) => number_of(link, param).is_some_and(|present| present + 1 == next_number),
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

fn number_of(link: &str, param: &str) -> Option<u64> {
    let url = Url::parse(link).ok()?;
    let (_, value) = url.query_pairs().find(|(name, _)| name == param)?;
    value.parse().ok()
}
