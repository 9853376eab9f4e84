//! Where the records of a body are, and what stands above them.

use crate::json::{Node, View};
use crate::{Error, Result};

/// The most keys an error lists.
const LISTED_KEYS: usize = 20;

/// Records that have the same objects above them.
#[derive(Debug, Clone)]
pub(super) struct RecordGroup<'d> {
    /// A list of records, one record, or null.
    pub(super) records: Node<'d>,
    /// The objects the path went through: `ancestors[i]` is the one its key `i` was looked up in.
    pub(super) ancestors: Vec<Node<'d>>,
}

impl RecordGroup<'_> {
    pub(super) fn n_records(&self) -> usize {
        match self.records.view() {
            View::Null => 0,
            View::Array(records) => records.len(),
            _ => 1,
        }
    }
}

/// Finds the records at `path`, going through every element of the lists on the way. Null on the way means no records. Fails,
/// listing the keys that are there, when a key is missing wherever it is looked for.
pub(super) fn record_groups<'d>(root: Node<'d>, path: &[String]) -> Result<Vec<RecordGroup<'d>>> {
    let mut search = Search { path, ancestors: Vec::new(), groups: Vec::new(), n_found: 0, in_list: false, missing: None };
    search.descend(root, 0);
    match search.missing {
        Some(err) if search.n_found == 0 => Err(err),
        _ => Ok(search.groups),
    }
}

struct Search<'p, 'd> {
    path: &'p [String],
    ancestors: Vec<Node<'d>>,
    groups: Vec<RecordGroup<'d>>,
    n_found: usize,
    /// Whether the path went through a list, whose elements may be scalars.
    in_list: bool,
    missing: Option<Error>,
}

impl<'d> Search<'_, 'd> {
    fn descend(&mut self, node: Node<'d>, depth: usize) {
        if depth == self.path.len() {
            let is_scalar = !matches!(node.view(), View::Null | View::Array(_) | View::Object(_));
            if is_scalar && depth > 0 && !self.in_list {
                let (path, kind) = (self.path.join("."), node.view().kind());
                let err = || Error::data(format!("result path '{path}' is {kind}; expected a list or an object; check 'result_body_path'"));
                self.missing.get_or_insert_with(err);
                return;
            }
            self.n_found += 1;
            self.groups.push(RecordGroup { records: node, ancestors: self.ancestors.clone() });
            return;
        }
        match node.view() {
            View::Null => self.n_found += 1,
            View::Array(elements) => {
                let outer = std::mem::replace(&mut self.in_list, true);
                elements.for_each(|element| self.descend(element, depth));
                self.in_list = outer;
            }
            View::Object(_) => match node.get(&self.path[depth]) {
                Some(child) => {
                    self.ancestors.push(node);
                    self.descend(child, depth + 1);
                    self.ancestors.pop();
                }
                None => self.note_missing(node, depth),
            },
            _ => self.note_missing(node, depth),
        }
    }

    fn note_missing(&mut self, node: Node<'_>, depth: usize) {
        let (path, key) = (self.path.join("."), &self.path[depth]);
        let place = if depth == 0 { "the body".to_string() } else { format!("'{}'", self.path[..depth].join(".")) };
        let found = match node.view() {
            View::Object(entries) => {
                let n_keys = entries.len();
                let keys: Vec<String> = entries.take(LISTED_KEYS).map(|(key, _)| format!("'{key}'")).collect();
                let more = if n_keys > LISTED_KEYS { ", ..." } else { "" };
                if n_keys == 0 {
                    "is an empty object".to_string()
                } else {
                    format!("has {}{more}", keys.join(", "))
                }
            }
            view => format!("is {}", view.kind()),
        };
        let err = || Error::data(format!("no key '{key}' of result path '{path}': {place} {found}; check 'result_body_path'"));
        self.missing.get_or_insert_with(err);
    }
}

/// Where a meta path starts: in an ancestor of the records, or in each record.
pub(super) fn meta_start<'d>(meta_path: &[String], path: &[String], group: &RecordGroup<'d>) -> Option<(Node<'d>, usize)> {
    let n_common = meta_path.iter().zip(path).take_while(|(a, b)| a == b).count();
    group.ancestors.get(n_common).map(|&node| (node, n_common))
}
