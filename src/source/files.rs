//! The files with rows that an API made, each of them a page.

use super::page::not_in_flight;
use super::{Next, PageFacts, PageKey, PagePosition, PageVerdict, ResumePoint, Source};
use crate::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, HashSet};

/// The files that a job made: each is one page. Their addresses may be others when they are asked for again.
#[derive(Debug)]
pub struct Files {
    urls: Vec<String>,
    /// The next one to give out.
    next: usize,
    in_flight: HashSet<u64>,
    /// Rows of the files that were answered, by ordinal.
    n_rows: BTreeMap<u64, u64>,
}

impl Files {
    /// Returns a source of the files at these addresses.
    pub fn new(urls: Vec<String>) -> Files {
        Files { urls, next: 0, in_flight: HashSet::new(), n_rows: BTreeMap::new() }
    }

    fn position(&self, idx: usize) -> Option<PagePosition> {
        Some(PagePosition { ordinal: idx as u64, key: PageKey::Link(self.urls.get(idx)?.clone()) })
    }
}

impl Source for Files {
    fn next(&mut self) -> Next {
        let position = self.position(self.next);
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
        self.n_rows.insert(position.ordinal, facts.n_rows);
        Ok(PageVerdict::Keep)
    }

    fn is_done(&self) -> bool {
        self.next >= self.urls.len() && self.in_flight.is_empty()
    }

    /// Continues with the file after those that are stored, which are not asked for again.
    fn resume(&mut self, point: &ResumePoint) -> Result<()> {
        if point.page_size != Some(self.urls.len() as u64) {
            return Err(Error::new(ErrorKind::CannotResume, "the API has another number of files by now"));
        }
        self.next = usize::try_from(point.ordinal).unwrap_or(usize::MAX);
        Ok(())
    }

    fn resume_point(&mut self, ordinal: u64) -> Option<ResumePoint> {
        let n_stored = ordinal + 1;
        let n_files = self.urls.len() as u64;
        let n_rows = self.n_rows.get(&ordinal).copied()?;
        let point = ResumePoint::after(n_stored, PageKey::Page(n_stored), n_rows, None);
        (n_stored < n_files).then_some(ResumePoint { page_size: Some(n_files), ..point })
    }

    fn total_pages(&self) -> Option<u64> {
        Some(self.urls.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::json;
    use crate::source::{Captured, CreatedJob};

    fn position(since: i64) -> CreatedJob {
        CreatedJob { created: Captured::from([("id".to_string(), json!("a\nb;c"))]), since }
    }

    #[test]
    fn a_place_has_its_job() {
        let check = |point: ResumePoint| assert_eq!(ResumePoint::from_text(&point.to_text()).unwrap(), point, "{}", point.to_text());
        check(ResumePoint::of_job(position(7)));
        check(ResumePoint { job: Some(position(0)), ..ResumePoint::after(3, PageKey::Token(Some("x".into())), 20, None) });
        check(ResumePoint::after(3, PageKey::Token(Some("{\"a\"".into())), 20, None));
        assert!(ResumePoint::from_text("{\"job\": 1}\n0;0;;;;only").is_err());
        assert!(ResumePoint::from_text("{\"job\"").is_err());
    }

    #[test]
    fn files_are_given_side_by_side_and_gone_on_with() {
        let urls = || vec!["https://a/1".to_string(), "https://a/2".to_string(), "https://a/3".to_string()];
        let mut files = Files::new(urls());
        let positions: Vec<PagePosition> = std::iter::from_fn(|| files.next_position()).collect();
        assert_eq!(positions.len(), 3);
        assert_eq!(files.next(), Next::Await);
        let facts = PageFacts { n_rows: 2, ..PageFacts::default() };
        for position in positions.iter().rev() {
            files.answered(position, &facts).unwrap();
        }
        assert!(files.answered(&positions[0], &facts).is_err());
        assert_eq!(files.next(), Next::Done);
        let point = files.resume_point(0).unwrap();
        assert_eq!((files.resume_point(2), files.total_pages()), (None, Some(3)));
        let mut again = Files::new(urls());
        again.resume(&ResumePoint::from_text(&point.to_text()).unwrap()).unwrap();
        assert_eq!(again.next_position().unwrap().key, PageKey::Link("https://a/2".to_string()));
        assert!(Files::new(urls()[..2].to_vec()).resume(&point).is_err());
        assert_eq!(Files::new(Vec::new()).next(), Next::Done);
    }
}
