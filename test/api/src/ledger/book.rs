//! A book: how many rows its sets have, what goes wrong, which request is held, and what was asked.
//!
//! `__book?` takes `rows=3,20,0` (rows of each set), `base=3,10,0` (those of revision 0), `revision=N`, `delay=MS` for each answer, `fault=500,429,half,drop` with `percent=N`
//! (how many requests in a hundred go wrong; 0 ends it), `hold=N` (request N waits), `hold_from=N` (request N and all later ones wait;
//! 0 releases), `insert=N` (N rows come to each set), `recount=1`, and those of [`super::quirks`]. Requests count from 1. `__state` is what was asked.
//! `__wait?` answers once `answered=N` requests were answered well, `held=N` wait, or with `open=0` none is under way. `__truth` has all rows
//! as texts, those that may be there besides (`arrive=N` of each set may have come), and of each row that was changed the version that is the newest
//! and the newest that was sent.

use super::list::{List, Moves};
use super::pages::Page;
use super::quirks::{scattered, Quirks};
use super::rows;
use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The longest `__wait` waits before it answers 504.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// One book.
pub struct Book {
    state: Mutex<State>,
    /// Grows with each change, so that waiters look again.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    n_rows_of_sets: Vec<usize>,
    base: Vec<usize>,
    revision: usize,
    delay: Duration,
    faults: Vec<Fault>,
    percent: u64,
    hold: u64,
    hold_from: u64,
    /// Numbers of the requests that were held and not yet taken up again.
    held: BTreeSet<u64>,
    counts: Counts,
    quirks: Quirks,
    /// What came to each set and was changed in it since its rows were set.
    moves: BTreeMap<String, Moves>,
}

#[derive(Default)]
struct Counts {
    asked: u64,
    /// Answered well.
    answered: u64,
    /// Pages after the last one that has rows.
    beyond: u64,
    /// Under way, the held ones included.
    open: u64,
    /// Requests for each set.
    by_set: BTreeMap<String, u64>,
}

/// What can go wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Status(u16),
    /// The connection is closed without an answer.
    Drop,
    /// The connection is closed after half of the body.
    Half,
}

/// What happens to one request.
pub struct Rules {
    pub delay: Duration,
    pub fault: Option<Fault>,
}

/// A request under way: it stops being one when dropped, as when the client is gone.
pub struct Arrival {
    book: Arc<Book>,
    number: u64,
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.book.update(|state| state.counts.open = state.counts.open.saturating_sub(1));
    }
}

/// A request that is held.
struct Held<'a>(&'a Arrival);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.book.update(|state| {
            state.held.remove(&self.0.number);
        });
    }
}

impl Default for Book {
    fn default() -> Book {
        Book { state: Mutex::default(), changes: watch::channel(0).0 }
    }
}

impl Book {
    /// Changes the rules.
    pub fn change(&self, asked: &Asked) -> Result<(), String> {
        let mut outcome = Ok(());
        self.update(|state| outcome = asked.query.iter().try_for_each(|(key, value)| state.change(key, value)));
        outcome
    }

    /// Counts a request for a set.
    pub fn arrived(self: &Arc<Book>, set: &str) -> Arrival {
        let mut number = 0;
        self.update(|state| {
            state.counts.asked += 1;
            state.counts.open += 1;
            *state.counts.by_set.entry(set.to_string()).or_default() += 1;
            number = state.counts.asked;
        });
        Arrival { book: self.clone(), number }
    }

    /// Holds the request if the rules say so, and returns what else happens to it.
    pub async fn pass(&self, arrival: &Arrival) -> Rules {
        if self.state().holds(arrival.number) {
            self.update(|state| {
                state.held.insert(arrival.number);
            });
            let _held = Held(arrival);
            let _ = self.changes.subscribe().wait_for(|_| !self.state().holds(arrival.number)).await;
        }
        let state = self.state();
        Rules { delay: state.delay, fault: state.fault_of(arrival.number) }
    }

    /// Counts a good answer.
    pub fn answered(&self, _to: &Arrival) {
        self.update(|state| state.counts.answered += 1);
    }

    /// Counts a page that was asked for beyond the last one.
    pub fn beyond(&self) {
        self.update(|state| state.counts.beyond += 1);
    }

    pub fn n_sets(&self) -> usize {
        self.state().n_rows_of_sets.len()
    }

    /// Returns the rows of a set as they are now, such as `s3`; `None` where the book does not have the set. `since`: those that changed then or later.
    pub fn list(&self, set: &str, by_changes: bool, since: Option<&str>) -> Option<List> {
        let state = self.state();
        let idx: usize = set.strip_prefix('s')?.parse().ok()?;
        let n_rows = state.n_rows_of_sets.get(idx).copied()?;
        let list = state.list(idx, n_rows, state.moves.get(set), by_changes);
        Some(match since {
            Some(since) => list.since(since),
            None => list,
        })
    }

    /// Notes what a page gave, and lets rows come and change after it if the rules say so.
    pub fn gave(&self, arrival: &Arrival, set: &str, page: &Page) {
        self.update(|state| {
            let quirks = &state.quirks;
            let moves = state.moves.entry(set.to_string()).or_default();
            if quirks.edit {
                for entry in &page.entries {
                    let sent = moves.sent.entry(entry.idx).or_default();
                    *sent = entry.version.max(*sent);
                }
            }
            moves.frontier = if page.start == 0 { 0 } else { moves.frontier.max(page.start) };
            let is_quiet = state.counts.open == 1 && page.start == moves.frontier;
            let comes = moves.arrived.len() < quirks.arrive && scattered(arrival.number).is_multiple_of(2);
            if comes && (is_quiet || quirks.rush) {
                moves.arrive();
                if let Some(last) = page.entries.last().filter(|_| quirks.edit) {
                    moves.edit(last.idx);
                }
            }
        });
    }

    /// Returns the rows as texts: those that a table must have, and those it may have.
    pub fn truth(&self, by_changes: bool, n_may: usize) -> Value {
        let state = self.state();
        let columns = rows::COLUMNS.into_iter().chain(rows::DRIFTING.into_iter().filter(|_| state.quirks.drift.is_some()));
        let (mut must, mut may, mut versions) = (Vec::new(), Vec::new(), Vec::new());
        for (set_idx, &n_rows) in state.n_rows_of_sets.iter().enumerate() {
            let moves = state.moves.get(&format!("s{set_idx}"));
            let n_arrived = moves.map_or(0, |moves| moves.arrived.len());
            // Rows that have not come yet look as they will.
            let list = state.list(set_idx, n_rows + n_may.max(n_arrived), None, by_changes);
            for entry in list.entries.iter().filter(|entry| !state.quirks.hides(entry.idx)) {
                let texts = rows::texts(&list.row(entry, by_changes));
                if let Some(moves) = moves.filter(|moves| moves.edited.contains_key(&entry.idx)) {
                    versions.push(json!([texts[0], texts[1], moves.version(entry.idx), moves.sent.get(&entry.idx).unwrap_or(&1)]));
                }
                if entry.idx < n_rows { &mut must } else { &mut may }.push(texts);
            }
        }
        json!({ "columns": columns.collect::<Vec<_>>(), "rows": must, "may": may, "versions": versions })
    }

    /// Returns what was asked.
    pub fn counts(&self) -> Value {
        let state = self.state();
        let counts = &state.counts;
        json!({ "asked": counts.asked, "answered": counts.answered, "beyond": counts.beyond, "open": counts.open, "held": state.n_held(), "by_set": counts.by_set })
    }

    /// Answers when what is waited for is so.
    pub async fn wait(&self, asked: &Asked) -> Response {
        let is_so = || {
            let state = self.state();
            asked.query.iter().all(|(key, value)| match (key.as_str(), value.parse::<u64>()) {
                ("answered", Ok(n_requests)) => state.counts.answered >= n_requests,
                ("held", Ok(n_requests)) => state.n_held() >= n_requests,
                ("open", Ok(n_requests)) => state.counts.open <= n_requests,
                _ => false,
            })
        };
        match tokio::time::timeout(LONGEST_WAIT, self.changes.subscribe().wait_for(|_| is_so())).await {
            Ok(_) => answer::body(200, "text/plain", "ok\n"),
            Err(_) => answer::error(504, &format!("waited in vain; so far {}", self.counts())),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changes.send_modify(|n_changes| *n_changes += 1);
    }
}

impl State {
    /// Returns the rows of a set in their order.
    fn list(&self, set_idx: usize, n_rows: usize, moves: Option<&Moves>, by_changes: bool) -> List {
        let revision_of = |idx| if by_changes { self.revision_of(set_idx, idx) } else { self.revision };
        List::new(&format!("s{set_idx}"), &self.quirks, n_rows, moves, revision_of).ordered(by_changes)
    }

    /// Returns the last revision that changed a row, where not each one changes all: a new row is of the newest, of the others a third is.
    fn revision_of(&self, set_idx: usize, idx: usize) -> usize {
        let is_old = self.base.get(set_idx).is_none_or(|base| idx < *base);
        if is_old && !idx.is_multiple_of(3) {
            0
        } else {
            self.revision
        }
    }

    fn change(&mut self, key: &str, value: &str) -> Result<(), String> {
        let number = || value.parse::<u64>().map_err(|_| format!("'{key}' needs a number, not '{value}'"));
        match key {
            "rows" => {
                self.n_rows_of_sets = numbers(key, value)?;
                self.moves.clear();
            }
            "insert" => {
                let n_rows = number()?;
                for idx in 0..self.n_rows_of_sets.len() {
                    let moves = self.moves.entry(format!("s{idx}")).or_default();
                    (0..n_rows).for_each(|_| moves.arrive());
                }
            }
            "base" => self.base = numbers(key, value)?,
            "revision" => self.revision = number()? as usize,
            "delay" => self.delay = Duration::from_millis(number()?),
            "percent" => self.percent = number()?,
            "hold" => self.hold = number()?,
            "hold_from" => self.hold_from = number()?,
            "fault" => self.faults = value.split(',').map(fault_named).collect::<Result<_, _>>()?,
            "recount" => {
                self.counts = Counts { open: self.counts.open, ..Counts::default() };
                self.moves.values_mut().for_each(|moves| moves.sent.clear());
            }
            other => return self.quirks.change(key, value).unwrap_or_else(|| Err(format!("unknown rule '{other}'"))),
        }
        Ok(())
    }

    fn holds(&self, number: u64) -> bool {
        number == self.hold || (self.hold_from > 0 && number >= self.hold_from)
    }

    /// Returns how many requests wait: one that may go on does not count, even before it goes on.
    fn n_held(&self) -> u64 {
        self.held.iter().filter(|number| self.holds(**number)).count() as u64
    }

    /// Which requests go wrong depends on their number alone, scattered by a multiplication.
    fn fault_of(&self, number: u64) -> Option<Fault> {
        let scattered = scattered(number);
        if self.faults.is_empty() || scattered % 100 >= self.percent {
            return None;
        }
        Some(self.faults[(scattered / 100) as usize % self.faults.len()])
    }
}

fn numbers(key: &str, value: &str) -> Result<Vec<usize>, String> {
    let parsed: Result<Vec<usize>, _> = value.split(',').map(str::parse).collect();
    parsed.map_err(|_| format!("'{key}' needs numbers, not '{value}'"))
}

fn fault_named(name: &str) -> Result<Fault, String> {
    match name {
        "drop" => Ok(Fault::Drop),
        "half" => Ok(Fault::Half),
        status => status.parse().map(Fault::Status).map_err(|_| format!("unknown fault '{status}'")),
    }
}
