//! The rows of one set at one moment: which there are, in which order, and what came and changed while they were read.

use super::quirks::{Order, Quirks};
use super::rows;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// What came to a set, and was changed in it, while its pages were read.
#[derive(Debug, Default)]
pub struct Moves {
    /// When each new row came.
    pub arrived: Vec<String>,
    /// Version and time of the last change of each row that was changed.
    pub edited: BTreeMap<usize, (u64, String)>,
    /// The greatest version of each row that was sent.
    pub sent: BTreeMap<usize, u64>,
    /// Where the farthest page begins that was given since the first one was.
    pub frontier: usize,
}

impl Moves {
    /// Lets a row come.
    pub fn arrive(&mut self) {
        self.arrived.push(now());
    }

    /// Changes a row.
    pub fn edit(&mut self, idx: usize) {
        let version = self.edited.get(&idx).map_or(1, |(version, _)| *version);
        self.edited.insert(idx, (version + 1, now()));
    }

    /// Returns a row's version, which counts from 1.
    pub fn version(&self, idx: usize) -> u64 {
        self.edited.get(&idx).map_or(1, |(version, _)| *version)
    }
}

/// A row of a list.
#[derive(Debug, Clone)]
pub struct Entry {
    pub idx: usize,
    pub revision: usize,
    pub version: u64,
    /// When it came or was changed, where that was while pages were read.
    moved: Option<String>,
}

/// A set's rows in their order.
pub struct List {
    pub set: String,
    pub quirks: Quirks,
    pub entries: Vec<Entry>,
}

impl List {
    /// Returns the rows `0..n_rows` and those that came, with the revision of each.
    pub fn new(set: &str, quirks: &Quirks, n_rows: usize, moves: Option<&Moves>, revision_of: impl Fn(usize) -> usize) -> List {
        let arrived = moves.map_or(&[][..], |moves| &moves.arrived);
        let moved = |idx: usize| match moves.and_then(|moves| moves.edited.get(&idx)) {
            Some((_, at)) => Some(at.clone()),
            None => idx.checked_sub(n_rows).map(|idx| arrived[idx].clone()),
        };
        let entry =
            |idx| Entry { idx, revision: revision_of(idx), version: moves.map_or(1, |moves| moves.version(idx)), moved: moved(idx) };
        List { set: set.to_string(), quirks: quirks.clone(), entries: (0..n_rows + arrived.len()).map(entry).collect() }
    }

    /// Puts the rows into the order of the book. `by_changes`: the newest are those that were changed last.
    pub fn ordered(mut self, by_changes: bool) -> List {
        match self.quirks.order {
            Order::Old => {}
            Order::New if by_changes => self.entries.sort_by_key(|entry| std::cmp::Reverse(entry.rank())),
            Order::New => self.entries.reverse(),
            Order::Changed => self.entries.sort_by_key(Entry::rank),
        }
        self
    }

    /// Leaves the rows that changed at a time or later.
    pub fn since(mut self, since: &str) -> List {
        let since = since.trim_end_matches('Z');
        self.entries.retain(|entry| entry.changed().trim_end_matches('Z') >= since);
        self
    }

    /// Returns the position after the row that a token names.
    pub fn after(&self, rank: &str) -> usize {
        self.entries.partition_point(|entry| entry.rank().as_str() <= rank)
    }

    /// Returns a row as it is sent.
    pub fn row(&self, entry: &Entry, by_changes: bool) -> Map<String, Value> {
        let mut row = rows::row(&self.set, entry.idx, entry.revision, self.quirks.keys, self.quirks.drift);
        if by_changes || self.quirks.order == Order::Changed {
            row.insert("changed".into(), json!(entry.changed()));
        }
        if self.quirks.edit {
            row.insert("version".into(), json!(entry.version));
        }
        row
    }
}

impl Entry {
    /// Returns when the row was changed, as text: each revision has its year, in which each row has its second. All these years are over, so
    /// that what is changed while rows are read comes after them.
    pub fn changed(&self) -> String {
        self.moved.clone().unwrap_or_else(|| format!("{:04}-05-01T{}Z", 1000 + self.revision, rows::time(self.idx)))
    }

    /// Returns a text of digits that orders rows by the time they were changed.
    pub fn rank(&self) -> String {
        let digits: String = self.changed().chars().filter(char::is_ascii_digit).collect();
        format!("{digits:0<20}{:08}", self.idx)
    }
}

/// Returns the present moment with its microseconds.
fn now() -> String {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since_1970.as_secs() / 86_400, since_1970.as_secs() as usize % 86_400);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{}.{:06}Z", rows::time(seconds), since_1970.subsec_micros())
}

/// Returns year, month and day of a day counted from 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_are_dates() {
        assert_eq!((date(0), date(59), date(19_782)), ((1970, 1, 1), (1970, 3, 1), (2024, 2, 29)));
    }
}
