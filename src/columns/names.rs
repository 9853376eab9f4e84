//! Names of columns: flattened with `_`, and unique without regard to case.

use std::collections::HashSet;

/// What a column of empty keys is called.
const UNNAMED: &str = "column";

/// Returns the keys joined with `_`, without the NUL bytes that no identifier may hold.
pub(super) fn flattened(keys: &[String]) -> String {
    let name = keys.join("_").replace('\0', "_");
    if name.is_empty() {
        UNNAMED.to_string()
    } else {
        name
    }
}

/// The names taken so far.
#[derive(Debug, Clone, Default)]
pub(super) struct NameSet {
    folded: HashSet<String>,
}

impl NameSet {
    /// Returns a set that has these names.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> NameSet {
        NameSet { folded: names.map(str::to_lowercase).collect() }
    }

    /// Takes the name, or the first of `name_1`, `name_2`, ... that is free, and returns it.
    pub(super) fn take(&mut self, name: &str) -> String {
        if self.folded.insert(name.to_lowercase()) {
            return name.to_string();
        }
        let mut number = 1_u32;
        loop {
            let candidate = format!("{name}_{number}");
            if self.folded.insert(candidate.to_lowercase()) {
                return candidate;
            }
            number += 1;
        }
    }
}
