//! Collects the mistakes of one file, so that its author sees them all at once.

use super::{Key, Node};
use crate::{Error, Result};
use std::cell::RefCell;

/// The mistakes found in one file so far.
#[derive(Debug)]
pub struct Mistakes {
    file: String,
    found: RefCell<Vec<Mistake>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Mistake {
    line: usize,
    column: usize,
    message: String,
}

impl Mistakes {
    /// Starts with no mistake.
    pub fn new(file: &str) -> Mistakes {
        Mistakes { file: file.to_string(), found: RefCell::new(Vec::new()) }
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
        self.found.borrow_mut().push(Mistake { line, column, message: message.into() });
    }

    /// Adds an unknown key of `place` (such as `table 'repos'`), with the nearest of the valid ones.
    pub fn unknown_key(&self, key: &Key, place: &str, valid: &[&str]) {
        self.at_key(key, format!("unknown key '{}' in {place}; {}", key.name, suggestion(&key.name, valid)));
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
        let mut found = self.found.into_inner();
        if found.is_empty() {
            return Ok(());
        }
        found.sort();
        found.dedup();
        let lines: Vec<String> =
            found.iter().map(|mistake| format!("{}:{}:{}: {}", self.file, mistake.line, mistake.column, mistake.message)).collect();
        Err(Error::config(lines.join("\n")))
    }
}

/// Returns what to write instead of `name`: `did you mean 'x'?`, or all that is valid.
pub fn suggestion(name: &str, valid: &[&str]) -> String {
    match nearest(name, valid.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("expected one of: {}", valid.join(", ")),
    }
}

/// Returns the one of `valid` that is most like `name`, if any is like it at all.
pub fn nearest<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in valid {
        let likeness = strsim::jaro_winkler(&name, &candidate.to_lowercase());
        if likeness > 0.8 && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}
