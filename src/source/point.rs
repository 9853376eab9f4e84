//! Positions in a resource from which a load goes on, with a text form.

use super::job::CreatedJob;
use super::key::PageKey;
use crate::{Error, ErrorKind, Result};

/// Marks a page size whose rows are counted and not all given.
const HIDES: char = 'h';
/// Begins a [`Shrink`] among the parts of a set.
const SHRINK: char = 's';
/// Begins the number of rows that vanished among the parts of a set.
const LACKING: char = 'l';
/// Begins the number of pages that repeat others among the parts of a set.
const REPEATED: char = 'r';
/// Begins the number of rows that the API told among the parts of a set.
const TOTAL_ROWS: char = 't';
/// Begins the number of rows of the longest page among the parts of a set.
const MOST_ROWS: char = 'm';
/// Begins the number of pages that the API told among the parts of a set.
const TOTAL_PAGES: char = 'p';

/// Where to continue after the pages before were stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumePoint {
    /// How many pages are stored.
    pub ordinal: u64,
    /// What is asked for first: the last page that is stored, for what it says about those after it. A token or link to the next page may
    /// be stale by then, and a stale one may be answered with anything.
    pub key: PageKey,
    /// Rows of the pages before `key`.
    pub n_rows: u64,
    /// Rows a page of this API really has, where that was learned.
    pub page_size: Option<u64>,
    /// Whether offsets count rows that the API hides.
    pub hides: bool,
    /// Parts before `key` that are still missing.
    pub holes: Vec<Hole>,
    /// What the page `key` was. Without it nobody can tell whether the API still gives that page.
    pub stored: Option<PagePrint>,
    /// Positions before `key` past which rows may have moved back, and the pages before them are still to be read again.
    pub shrinks: Vec<Shrink>,
    /// Rows that vanished at the source where it is given up to find those that moved; `None`: none are missing.
    pub lacking: Option<u64>,
    /// Stored pages that repeat others since rows moved: their rows are told and not among `n_rows`.
    pub n_repeated: u64,
    /// What the API told of how much there is: it may tell that with the first page only.
    pub told: Amount,
    /// Rows of the longest counted page; 0 where nobody counts them.
    pub most_rows: u64,
    /// The job that the API does for the rows.
    pub job: Option<CreatedJob>,
}

/// How much there is, as far as the API tells that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    pub rows: Option<u64>,
    pub pages: Option<u64>,
}

/// A position between two neighbouring pages of which the later one told a smaller total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shrink {
    /// Where the later page starts: its number, counted from 0, or its offset.
    pub start: u64,
    /// Rows told with the page before the position.
    pub before: u64,
    /// Rows told with the page after it.
    pub after: u64,
}

/// What the parts of a set that are still to be read are written as, one after the other.
#[derive(Debug, Default)]
struct Parts {
    holes: Vec<Hole>,
    shrinks: Vec<Shrink>,
    lacking: Option<u64>,
    n_repeated: u64,
    told: Amount,
    most_rows: u64,
}

impl Parts {
    fn from_text(text: &str) -> Option<Parts> {
        let mut parts = Parts::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            match part.chars().next() {
                Some(SHRINK) => parts.shrinks.push(Shrink::from_text(&part[1..])?),
                Some(LACKING) => parts.lacking = Some(part[1..].parse().ok()?),
                Some(REPEATED) => parts.n_repeated = part[1..].parse().ok()?,
                Some(TOTAL_ROWS) => parts.told.rows = Some(part[1..].parse().ok()?),
                Some(MOST_ROWS) => parts.most_rows = part[1..].parse().ok()?,
                Some(TOTAL_PAGES) => parts.told.pages = Some(part[1..].parse().ok()?),
                _ => parts.holes.push(Hole::from_text(part)?),
            }
        }
        Some(parts)
    }
}

impl Shrink {
    fn to_text(self) -> String {
        format!("{SHRINK}{}+{}+{}", self.start, self.before, self.after)
    }

    fn from_text(text: &str) -> Option<Shrink> {
        let numbers: Option<Vec<u64>> = text.split('+').map(|digits| digits.parse().ok()).collect();
        match numbers?.as_slice() {
            [start, before, after] => Some(Shrink { start: *start, before: *before, after: *after }),
            _ => None,
        }
    }
}

/// Rows that a short page by offset seems to have left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    pub start: u64,
    pub n_rows: u64,
    /// Hashes of the last records of the short page: where the API hides rows, the hole has some of them again.
    pub tail: Vec<u64>,
}

impl Hole {
    fn to_text(&self) -> String {
        let tail: Vec<String> = self.tail.iter().map(|record| format!("+{record}")).collect();
        format!("{}+{}{}", self.start, self.n_rows, tail.concat())
    }

    fn from_text(text: &str) -> Option<Hole> {
        let numbers: Option<Vec<u64>> = text.split('+').map(|digits| digits.parse().ok()).collect();
        match numbers?.as_slice() {
            [start, n_rows, tail @ ..] => Some(Hole { start: *start, n_rows: *n_rows, tail: tail.to_vec() }),
            _ => None,
        }
    }
}

/// Hashes of a page, to know it again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PagePrint {
    /// Of its records: equal however the rest of the body changes, but not once a column has another type.
    pub rows: u64,
    /// Of the bytes of its body.
    pub body: u64,
}

impl PagePrint {
    /// Returns whether the other is the same page, read again.
    pub fn is_same(self, other: PagePrint) -> bool {
        self.rows == other.rows || self.body == other.body
    }
}

impl ResumePoint {
    /// Returns the position after `ordinal` pages, of which the last one is `key` and was `stored`, with `n_rows` rows on those before it.
    pub fn after(ordinal: u64, key: PageKey, n_rows: u64, stored: Option<PagePrint>) -> ResumePoint {
        ResumePoint {
            ordinal,
            key,
            n_rows,
            page_size: None,
            hides: false,
            holes: Vec::new(),
            stored,
            shrinks: Vec::new(),
            lacking: None,
            n_repeated: 0,
            told: Amount::default(),
            most_rows: 0,
            job: None,
        }
    }

    /// Returns the position before the first page of what a job makes.
    pub fn of_job(job: CreatedJob) -> ResumePoint {
        ResumePoint { job: Some(job), ..ResumePoint::after(0, PageKey::Only, 0, None) }
    }

    /// Returns whether the position holds what looks like a credential that the API gave.
    pub fn holds_credential(&self) -> bool {
        self.key.holds_credential() || self.job.as_ref().is_some_and(CreatedJob::holds_credential)
    }

    /// Fails where the position does not tell what the last page that is stored was: then nobody can tell whether the API still gives it.
    pub fn check_is_known(&self) -> Result<()> {
        match self.stored {
            Some(_) if self.ordinal > 0 => Ok(()),
            _ => Err(Error::new(ErrorKind::CannotResume, "its position does not tell which page it had read last")),
        }
    }

    /// Returns the error of a position that another strategy wrote, as after a change of the spec.
    pub fn not_of_strategy(&self) -> Error {
        Error::config(format!("'{}' is not a position of this paging strategy; reload the table", self.key.to_text()))
    }

    /// Returns the text that [`ResumePoint::from_text`] reads.
    pub fn to_text(&self) -> String {
        let page_size = self.page_size.map(|size| size.to_string()).unwrap_or_default();
        let page_size = if self.hides { format!("{page_size}{HIDES}") } else { page_size };
        let (holes, shrinks) = (self.holes.iter().map(Hole::to_text), self.shrinks.iter().map(|shrink| shrink.to_text()));
        let lacking = self.lacking.map(|n_rows| format!("{LACKING}{n_rows}"));
        let repeated = (self.n_repeated > 0).then(|| format!("{REPEATED}{}", self.n_repeated));
        let (rows, pages) = (self.told.rows.map(|n| format!("{TOTAL_ROWS}{n}")), self.told.pages.map(|n| format!("{TOTAL_PAGES}{n}")));
        let most_rows = (self.most_rows > 0).then(|| format!("{MOST_ROWS}{}", self.most_rows));
        let parts: Vec<String> = holes.chain(shrinks).chain(lacking).chain(repeated).chain(rows).chain(pages).chain(most_rows).collect();
        let stored = self.stored.map(|print| format!("{}+{}", print.rows, print.body)).unwrap_or_default();
        let job = self.job.as_ref().map(|job| format!("{}\n", job.to_text())).unwrap_or_default();
        format!("{job}{};{};{};{};{};{}", self.ordinal, self.n_rows, page_size, parts.join(","), stored, self.key.to_text())
    }

    /// Reads what [`ResumePoint::to_text`] wrote. Fails on anything else.
    pub fn from_text(text: &str) -> Result<ResumePoint> {
        let wrong = || Error::data(format!("'{text}' is not a position to resume from; reload the table"));
        let (job, text) = match text.split_once('\n').filter(|_| text.starts_with('{')) {
            Some((job, rest)) => (Some(CreatedJob::from_text(job).ok_or_else(wrong)?), rest),
            None => (None, text),
        };
        let parts: Vec<&str> = text.splitn(6, ';').collect();
        let [ordinal, n_rows, page_size, missing, stored, key] = parts.as_slice() else {
            return Err(wrong());
        };
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| wrong());
        let Parts { holes, shrinks, lacking, n_repeated, told, most_rows } = Parts::from_text(missing).ok_or_else(wrong)?;
        let (size, hides) = page_size.strip_suffix(HIDES).map_or((*page_size, false), |size| (size, true));
        Ok(ResumePoint {
            ordinal: number(ordinal)?,
            n_rows: number(n_rows)?,
            page_size: if size.is_empty() { None } else { Some(number(size)?) },
            hides,
            stored: match stored.split_once('+') {
                Some((rows, body)) => Some(PagePrint { rows: number(rows)?, body: number(body)? }),
                None if stored.is_empty() => None,
                None => return Err(wrong()),
            },
            holes,
            shrinks,
            lacking,
            n_repeated,
            told,
            most_rows,
            job,
            key: PageKey::from_text(key)?,
        })
    }
}
