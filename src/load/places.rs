//! How far each parameter set of a load is: what is stored with the rows, and what a later load finds.

use super::store::Store;
use crate::http::{Redactor, ResumePoint};
use crate::session::quote_literal;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Rows of `load_state` in one statement: many more take DuckDB much longer.
const ROWS_A_STATEMENT: usize = 500;

/// How far a parameter set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetPlace {
    /// Pages are stored; the text of a [`ResumePoint`] says where to go on.
    At(String),
    /// Rows are stored, but where to go on cannot be: the place holds a secret.
    Unspoken,
    /// All its rows are stored.
    Done,
    /// The API does not know it: it has no rows so far.
    Skipped,
}

impl SetPlace {
    /// Returns the place after a page: where to go on, or the end.
    pub fn after(point: Option<&ResumePoint>, redactor: &Redactor) -> SetPlace {
        let Some(point) = point else { return SetPlace::Done };
        let text = point.to_text();
        if redactor.is_in(&text) || point.key.holds_credential() || text.contains('\0') {
            SetPlace::Unspoken
        } else {
            SetPlace::At(text)
        }
    }

    /// Returns the place that `status` and `place` of a row of `load_state` stand for.
    pub fn of(status: &str, place: Option<&str>) -> SetPlace {
        match (status, place) {
            ("done", _) => SetPlace::Done,
            ("skipped", _) => SetPlace::Skipped,
            (_, Some(place)) => SetPlace::At(place.to_string()),
            (_, None) => SetPlace::Unspoken,
        }
    }

    /// Returns the farther of two places of a set.
    #[must_use]
    pub fn farther(self, other: SetPlace) -> SetPlace {
        let ordinal = |text: &str| ResumePoint::from_text(text).map_or(0, |point| point.ordinal);
        match (self, other) {
            (SetPlace::Done, _) | (_, SetPlace::Done) => SetPlace::Done,
            (SetPlace::Skipped, _) | (_, SetPlace::Skipped) => SetPlace::Skipped,
            (SetPlace::Unspoken, _) | (_, SetPlace::Unspoken) => SetPlace::Unspoken,
            (SetPlace::At(a), SetPlace::At(b)) => SetPlace::At(if ordinal(&a) < ordinal(&b) { b } else { a }),
        }
    }

    fn status(&self) -> &'static str {
        match self {
            SetPlace::Done => "done",
            SetPlace::Skipped => "skipped",
            SetPlace::At(_) | SetPlace::Unspoken => "loading",
        }
    }

    fn place_sql(&self) -> String {
        match self {
            SetPlace::At(place) => quote_literal(place),
            SetPlace::Unspoken | SetPlace::Done | SetPlace::Skipped => "NULL".to_string(),
        }
    }
}

/// The places of a load's parameter sets that are new since the last commit.
pub struct Places {
    /// The names of the sets in `load_state`, by number.
    keys: Vec<String>,
    changed: BTreeMap<usize, SetPlace>,
    /// Sets that are left out.
    skipped: HashSet<usize>,
    /// Sets that have a row in `load_state`.
    stored: HashSet<usize>,
}

impl Places {
    /// Returns the places of sets with these names, of which some have a row already.
    pub fn new(keys: Vec<String>, known: &HashMap<String, SetPlace>) -> Places {
        let with = |is_meant: &dyn Fn(&SetPlace) -> bool| {
            (0..keys.len()).filter(|&idx| known.get(&keys[idx]).is_some_and(is_meant)).collect::<HashSet<usize>>()
        };
        let (stored, skipped) = (with(&|_| true), with(&|place| *place == SetPlace::Skipped));
        Places { keys, changed: BTreeMap::new(), skipped, stored }
    }

    /// Notes how far a set is once the rows appended so far are committed.
    pub fn reached(&mut self, set: usize, place: SetPlace) {
        if place == SetPlace::Skipped {
            self.skipped.insert(set);
        }
        self.changed.insert(set, place);
    }

    /// Returns whether a set is left out.
    pub fn is_skipped(&self, set: usize) -> bool {
        self.skipped.contains(&set)
    }

    /// Returns whether there is something to store.
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Returns the statements that store what is new, for the transaction that stores the rows.
    pub fn commit_sql(&self, store: &Store) -> String {
        let name = |set: usize| self.keys.get(set).map(String::as_str).unwrap_or_default();
        let replaced: Vec<&str> = self.changed.keys().filter(|set| self.stored.contains(set)).map(|&set| name(set)).collect();
        let rows: Vec<String> =
            self.changed.iter().map(|(&set, place)| store.set_row(name(set), place.status(), &place.place_sql())).collect();
        let mut sql = String::new();
        // A DELETE would be in the way of every other process that adds rows; who reads them takes the farthest.
        let replaced = if store.kind.is_shared() { Vec::new() } else { replaced };
        for names in replaced.chunks(ROWS_A_STATEMENT) {
            sql.push_str(&store.forget_sets_sql(names));
        }
        for rows in rows.chunks(ROWS_A_STATEMENT) {
            sql.push_str(&store.insert_sql(rows));
        }
        sql
    }

    /// Notes that what was new is committed.
    pub fn committed(&mut self) {
        self.stored.extend(std::mem::take(&mut self.changed).into_keys());
    }
}
