//! How far each parameter set of a load is: what is stored with the rows, and what a later load finds.

use crate::http::Redactor;
use crate::load::records::store::{StagedStatus, Store};
use crate::session::Session;
use crate::source::ResumePoint;
use crate::Result;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What stands for the checkpoint of a set that may lack rows.
const LACKING: &str = "rows may be missing";
/// What stands before the token of a set that is done.
const TOKEN: &str = "token ";
/// What stands between the name of a set and the number of its half.
const HALF: &str = " /";
/// Names in the text of one statement: many more take DuckDB much longer.
const NAMES_A_STATEMENT: usize = 500;

/// How far a parameter set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkpoint {
    /// Pages are stored; the text of a [`ResumePoint`] says where to go on.
    At(String),
    /// Rows are stored, but where to go on cannot be: the checkpoint holds a secret.
    Unspoken,
    /// All its rows are stored.
    Done,
    /// All its rows are stored, and this token asks for later changes.
    Synced(String),
    /// All its rows are stored that could be read: others may have moved away meanwhile.
    Lacking,
    /// The API does not know it: it has no rows so far.
    Skipped,
    /// Its window is asked for in halves, which are sets of their own ([`half_key`]): it has no rows.
    Split,
}

/// Returns the name in `load_state` of a half of the set that has this name: the first (0) or the second (1).
pub fn half_key(key: &str, idx: usize) -> String {
    format!("{key}{HALF}{}", idx + 1)
}

impl Checkpoint {
    /// Returns the checkpoint after a page: where to go on, or the end.
    pub fn after(point: Option<&ResumePoint>, redactor: &Redactor) -> Checkpoint {
        let Some(point) = point else { return Checkpoint::Done };
        let text = point.to_text();
        if redactor.is_in(&text) || point.holds_credential() || text.contains('\0') {
            Checkpoint::Unspoken
        } else {
            Checkpoint::At(text)
        }
    }

    /// Returns the checkpoint that `status` and `place` of a row of `load_state` stand for.
    pub fn of(status: &str, checkpoint: Option<&str>) -> Checkpoint {
        match (status, checkpoint) {
            ("done", Some(LACKING)) => Checkpoint::Lacking,
            ("done", Some(checkpoint)) if checkpoint.starts_with(TOKEN) => Checkpoint::Synced(checkpoint[TOKEN.len()..].to_string()),
            ("done", _) => Checkpoint::Done,
            ("skipped", _) => Checkpoint::Skipped,
            ("split", _) => Checkpoint::Split,
            (_, Some(checkpoint)) => Checkpoint::At(checkpoint.to_string()),
            (_, None) => Checkpoint::Unspoken,
        }
    }

    /// Returns the farther of two checkpoints of a set.
    #[must_use]
    pub fn farther(self, other: Checkpoint) -> Checkpoint {
        let ordinal = |text: &str| ResumePoint::from_text(text).map_or(0, |point| point.ordinal);
        match (self, other) {
            (Checkpoint::Split, _) | (_, Checkpoint::Split) => Checkpoint::Split,
            (Checkpoint::Lacking, _) | (_, Checkpoint::Lacking) => Checkpoint::Lacking,
            (Checkpoint::Synced(token), _) | (_, Checkpoint::Synced(token)) => Checkpoint::Synced(token),
            (Checkpoint::Done, _) | (_, Checkpoint::Done) => Checkpoint::Done,
            (Checkpoint::Skipped, _) | (_, Checkpoint::Skipped) => Checkpoint::Skipped,
            (Checkpoint::Unspoken, _) | (_, Checkpoint::Unspoken) => Checkpoint::Unspoken,
            (Checkpoint::At(a), Checkpoint::At(b)) => Checkpoint::At(if ordinal(&a) < ordinal(&b) { b } else { a }),
        }
    }

    /// Returns whether nothing is left to fetch.
    pub fn is_over(&self) -> bool {
        matches!(self, Checkpoint::Done | Checkpoint::Synced(_) | Checkpoint::Lacking | Checkpoint::Skipped)
    }

    fn status(&self) -> &'static str {
        match self {
            Checkpoint::Done | Checkpoint::Synced(_) | Checkpoint::Lacking => "done",
            Checkpoint::Skipped => "skipped",
            Checkpoint::Split => "split",
            Checkpoint::At(_) | Checkpoint::Unspoken => "loading",
        }
    }

    fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Checkpoint::At(checkpoint) => Some(Cow::from(checkpoint)),
            Checkpoint::Synced(token) => Some(Cow::from(format!("{TOKEN}{token}"))),
            Checkpoint::Lacking => Some(Cow::from(LACKING)),
            Checkpoint::Unspoken | Checkpoint::Done | Checkpoint::Skipped | Checkpoint::Split => None,
        }
    }
}

/// The checkpoints of a load's parameter sets that are new since the last commit.
pub struct Checkpoints {
    /// The names of the sets in `load_state`, by number.
    keys: Vec<String>,
    changed: BTreeMap<usize, Checkpoint>,
    /// Sets that are left out.
    skipped: HashSet<usize>,
    /// Whether some set may lack rows.
    is_lacking: bool,
    /// The tokens of sets that are done.
    tokens: BTreeMap<usize, String>,
    /// Sets that have a row in `load_state`.
    stored: HashSet<usize>,
    /// Whether `load_state` says that the API failed at these checkpoints, which is over with the first one that is new.
    after_failure: bool,
}

impl Checkpoints {
    /// Returns the checkpoints of sets with these names, of which some have a row already.
    pub fn new(keys: Vec<String>, known: &HashMap<String, Checkpoint>) -> Checkpoints {
        let with = |is_meant: &dyn Fn(&Checkpoint) -> bool| {
            (0..keys.len()).filter(|&idx| known.get(&keys[idx]).is_some_and(is_meant)).collect::<HashSet<usize>>()
        };
        let (stored, skipped) = (with(&|_| true), with(&|checkpoint| *checkpoint == Checkpoint::Skipped));
        let is_lacking = known.values().any(|checkpoint| *checkpoint == Checkpoint::Lacking);
        let token = |(set, key): (usize, &String)| match known.get(key) {
            Some(Checkpoint::Synced(token)) => Some((set, token.clone())),
            _ => None,
        };
        let tokens = keys.iter().enumerate().filter_map(token).collect();
        Checkpoints { keys, changed: BTreeMap::new(), skipped, is_lacking, tokens, stored, after_failure: false }
    }

    /// Says whether the API failed when an earlier load was to go on from these checkpoints.
    #[must_use]
    pub fn after_failure(self, after_failure: bool) -> Checkpoints {
        Checkpoints { after_failure, ..self }
    }

    /// Takes more sets behind those that there are, of which some have a row already.
    pub fn add(&mut self, keys: Vec<String>, known: &HashMap<String, Checkpoint>) {
        for (set, key) in (self.keys.len()..).zip(&keys) {
            let Some(checkpoint) = known.get(key) else { continue };
            self.stored.insert(set);
            if *checkpoint == Checkpoint::Skipped {
                self.skipped.insert(set);
            }
        }
        self.keys.extend(keys);
    }

    /// Takes the halves of a set's window as the next sets. Returns the name of the set.
    pub fn split(&mut self, set: usize) -> String {
        let key = self.keys.get(set).cloned().unwrap_or_default();
        self.keys.extend([half_key(&key, 0), half_key(&key, 1)]);
        self.reached(set, Checkpoint::Split);
        key
    }

    /// Notes how far a set is once the rows appended so far are committed.
    pub fn reached(&mut self, set: usize, checkpoint: Checkpoint) {
        if checkpoint == Checkpoint::Skipped {
            self.skipped.insert(set);
        }
        if let Checkpoint::Synced(token) = &checkpoint {
            self.tokens.insert(set, token.clone());
        }
        self.is_lacking |= checkpoint == Checkpoint::Lacking;
        self.changed.insert(set, checkpoint);
    }

    /// Returns whether a set is left out.
    pub fn is_skipped(&self, set: usize) -> bool {
        self.skipped.contains(&set)
    }

    /// Returns those of the first `n_sets` sets of which not all rows were asked for: they are left out, or a part of their window is.
    pub fn left_out(&self, n_sets: usize) -> HashSet<usize> {
        let key = |set: &usize| self.keys.get(*set).map(String::as_str);
        let parts: Vec<&str> = self.skipped.iter().filter(|set| **set >= n_sets).filter_map(key).collect();
        let is_of = |part: &&str, key: &str| part.strip_prefix(key).is_some_and(|rest| rest.starts_with(HALF));
        let lacks_part = |set: &usize| key(set).is_some_and(|key| parts.iter().any(|part| is_of(part, key)));
        (0..n_sets.min(self.keys.len())).filter(|set| self.skipped.contains(set) || lacks_part(set)).collect()
    }

    /// Returns whether some set may lack rows.
    pub fn is_lacking(&self) -> bool {
        self.is_lacking
    }

    /// Returns the tokens that ask for later changes, by the numbers of their sets.
    pub fn tokens(&self) -> &BTreeMap<usize, String> {
        &self.tokens
    }

    /// Returns whether there is something to store.
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Stores what is new, in the transaction that stores the rows.
    pub fn store(&self, session: &mut dyn Session, store: &Store) -> Result<()> {
        let name = |set: usize| self.keys.get(set).map(String::as_str).unwrap_or_default();
        if self.after_failure {
            session.execute(&store.staged_status_sql(StagedStatus::Loading))?;
        }
        let replaced: Vec<&str> = self.changed.keys().filter(|set| self.stored.contains(set)).map(|&set| name(set)).collect();
        // A DELETE would be in the way of every other process that adds rows; who reads them takes the farthest.
        let replaced = if store.kind.is_shared() { Vec::new() } else { replaced };
        for names in replaced.chunks(NAMES_A_STATEMENT) {
            session.execute(&store.forget_sets_sql(names))?;
        }
        let texts: Vec<_> = self.changed.iter().map(|(&set, checkpoint)| (name(set), checkpoint.status(), checkpoint.as_text())).collect();
        let rows: Vec<_> = texts.iter().map(|(name, status, checkpoint)| vec![Some(*name), Some(*status), checkpoint.as_deref()]).collect();
        store.add_sets(session, &rows)
    }

    /// Notes that what was new is committed.
    pub fn committed(&mut self) {
        self.after_failure = false;
        self.stored.extend(std::mem::take(&mut self.changed).into_keys());
    }
}
