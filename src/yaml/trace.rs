//! Notes which keys are read of mappings, and as what: the schema of specs is made of what the parser reads.

use super::Node;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What a value is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    Text,
    /// A text that must be there.
    Required,
    Path,
    Boolean,
    /// A whole number of at least so much.
    Count(u64),
    Number,
    /// A text, or a list of texts.
    Texts,
}

/// What was read of one mapping.
#[derive(Debug, Clone, Default)]
pub struct MappingRead {
    /// The keys it may have.
    pub valid: Vec<String>,
    pub keys: BTreeMap<String, BTreeSet<Read>>,
}

/// What was read of the mappings of one file, by their places: a mapping that was made of others is where the first of them is.
pub type Reads = BTreeMap<(usize, usize), MappingRead>;

thread_local! {
    static READS: RefCell<Option<Reads>> = const { RefCell::new(None) };
}

/// Returns what `work` reads.
pub fn reads_of(work: impl FnOnce()) -> Reads {
    READS.set(Some(Reads::new()));
    work();
    READS.take().unwrap_or_default()
}

/// Notes the keys that a mapping may have. Where it is read in several ways, it may have those that all of them know.
pub fn note_mapping(node: &Node, valid: &[&str]) {
    READS.with_borrow_mut(|reads| {
        let Some(reads) = reads else { return };
        let mapping = reads.entry((node.line, node.column)).or_default();
        match mapping.valid.is_empty() {
            true => mapping.valid = valid.iter().map(|key| key.to_string()).collect(),
            false => mapping.valid.retain(|key| valid.contains(&key.as_str())),
        }
    });
}

/// Notes what the value of a key is read as.
pub fn note_key(node: &Node, key: &str, read: Read) {
    READS.with_borrow_mut(|reads| {
        let Some(reads) = reads else { return };
        reads.entry((node.line, node.column)).or_default().keys.entry(key.to_string()).or_default().insert(read);
    });
}
