//! Collects the mistakes of one file, so that its author sees them all at once.

use super::{Key, Node, Suggestions};
use crate::{Error, Result};
use std::cell::{Cell, RefCell};

/// Most mistakes that are told.
const MOST_TOLD: usize = 50;
/// Most mistakes that are kept, to tell those first that come first in the file.
const MOST_KEPT: usize = 1000;
/// Longest message of one mistake, in characters: a file can hold a key or a query of any length.
const LONGEST: usize = 600;

/// The mistakes found in one file so far.
#[derive(Debug)]
pub struct Mistakes {
    file: String,
    found: RefCell<Vec<Mistake>>,
    n_found: Cell<usize>,
    /// What is likely to be a mistake: the table it is about, and the rest.
    warnings: RefCell<Vec<(String, Mistake)>>,
    suggestions: Suggestions,
}

/// What is wrong at a place of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl Mistakes {
    /// Starts with no mistake.
    pub fn new(file: &str) -> Mistakes {
        Mistakes {
            file: file.to_string(),
            found: RefCell::default(),
            n_found: Cell::new(0),
            warnings: RefCell::default(),
            suggestions: Suggestions::default(),
        }
    }

    /// Returns what finds the names that were meant, for all mistakes of the file.
    pub fn suggestions(&self) -> &Suggestions {
        &self.suggestions
    }

    /// Adds a mistake at a node.
    pub fn at(&self, node: &Node, message: impl Into<String>) {
        self.push(node.line, node.column, message);
    }

    /// Adds a mistake at a key.
    pub fn at_key(&self, key: &Key, message: impl Into<String>) {
        self.push(key.line, key.column, message);
    }

    /// Adds a mistake at a line and column.
    pub fn push(&self, line: usize, column: usize, message: impl Into<String>) {
        self.n_found.set(self.n_found.get() + 1);
        let mut found = self.found.borrow_mut();
        if found.len() < MOST_KEPT {
            found.push(Mistake { line, column, message: shortened(message.into()) });
        }
    }

    /// Adds an unknown key of `place` (such as `table 'repos'`), with the nearest of the valid ones.
    pub fn unknown_key(&self, key: &Key, place: &str, valid: &[&str]) {
        self.at_key(key, format!("unknown key '{}' in {place}; {}", key.name, self.suggestions.suggestion(&key.name, valid)));
    }

    /// Adds what is likely to be a mistake in a table, at a node.
    pub fn warn(&self, table: &str, node: &Node, message: impl Into<String>) {
        let mistake = Mistake { line: node.line, column: node.column, message: shortened(message.into()) };
        self.warnings.borrow_mut().push((table.to_string(), mistake));
    }

    /// Returns whether all mistakes are at places that satisfy a condition: their line and column.
    pub fn are_all_at(&self, is_there: impl Fn((usize, usize)) -> bool) -> bool {
        self.found.borrow().iter().all(|mistake| is_there((mistake.line, mistake.column)))
    }

    /// Takes the mistakes at places that satisfy a condition, as text, a line each; `None` when there are none.
    pub fn take_at(&self, is_there: impl Fn((usize, usize)) -> bool) -> Option<String> {
        let is_there = |mistake: &Mistake| is_there((mistake.line, mistake.column));
        let (mut taken, rest): (Vec<Mistake>, Vec<Mistake>) = self.found.take().into_iter().partition(is_there);
        self.found.replace(rest);
        self.n_found.set(self.n_found.get().saturating_sub(taken.len()));
        taken.sort();
        taken.dedup();
        let lines: Vec<String> = taken.iter().map(|mistake| self.text_of(mistake)).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Makes mistakes of all warnings so far.
    pub fn take_warnings_as_mistakes(&self) {
        let warnings = self.warnings.take();
        self.n_found.set(self.n_found.get() + warnings.len());
        self.found.borrow_mut().extend(warnings.into_iter().map(|(_, mistake)| mistake));
    }

    /// Takes the warnings so far: the table each is about, and its text.
    pub fn take_warnings(&self) -> Vec<(String, String)> {
        self.warnings.take().into_iter().map(|(table, mistake)| (table, self.text_of(&mistake))).collect()
    }

    /// Returns the mistakes that were kept, and the warnings, each once, in the order of the file.
    pub fn into_lists(self) -> (Vec<Mistake>, Vec<Mistake>) {
        let in_order = |mut list: Vec<Mistake>| {
            list.sort();
            list.dedup();
            list
        };
        (in_order(self.found.take()), in_order(self.warnings.take().into_iter().map(|(_, mistake)| mistake).collect()))
    }

    fn text_of(&self, mistake: &Mistake) -> String {
        format!("{}:{}:{}: {}", self.file, mistake.line, mistake.column, mistake.message)
    }

    /// Returns how many mistakes there are.
    pub fn len(&self) -> usize {
        self.found.borrow().len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns one error with all mistakes, a line each, in the order of the file; `Ok` when there is none.
    pub fn into_result(self) -> Result<()> {
        let mut found = self.found.take();
        if found.is_empty() {
            return Ok(());
        }
        found.sort();
        let n_kept = found.len();
        found.dedup();
        let n_more = self.n_found.get().saturating_sub(n_kept) + found.len().saturating_sub(MOST_TOLD);
        let mut lines: Vec<String> = found.iter().take(MOST_TOLD).map(|mistake| self.text_of(mistake)).collect();
        if n_more > 0 {
            lines.push(format!("{}: {n_more} more mistakes; correct these first", self.file));
        }
        Err(Error::config(lines.join("\n")))
    }
}

/// Returns a message as one line, and of one that is too long the beginning and the end.
fn shortened(message: String) -> String {
    let message = message.replace(['\r', '\n'], " ");
    let n_chars = message.chars().count();
    if n_chars <= LONGEST {
        return message;
    }
    let start: String = message.chars().take(LONGEST / 2).collect();
    let end: String = message.chars().skip(n_chars - LONGEST / 2).collect();
    format!("{start} ... {end}")
}
