//! Where the records of a body are, and what stands above them.

use crate::document::{ArrayIter, Node, View};
use crate::spec::{Missing, RecordForm, TableDef};
use crate::{Error, Result};

/// The most keys an error lists.
const LISTED_KEYS: usize = 20;

/// Where the records of a table are.
#[derive(Debug, Clone)]
pub(super) struct RecordPath {
    /// The keys from the body to the records.
    pub(super) keys: Vec<String>,
    missing: Missing,
    /// Whether there is one record, which is an object.
    pub(super) is_object: bool,
    /// Whether an object there holds lists side by side: it stands above the records that they make.
    has_lists: bool,
    /// Whether the records are what stands there, and nothing is made of them.
    is_plain: bool,
}

impl RecordPath {
    pub(super) fn new(table_def: &TableDef) -> RecordPath {
        let mut keys = table_def.result_body_path.clone();
        keys.extend(table_def.result_object_path.iter().flat_map(|path| path.split('.')).map(str::to_string));
        let has_lists = matches!(table_def.answer.records, RecordForm::Zip(_));
        let is_object = table_def.result_object_path.is_some();
        let is_plain = table_def.answer.records == RecordForm::Plain && table_def.answer.tree.is_none() && !is_object;
        RecordPath { keys, missing: table_def.missing, is_object, has_lists, is_plain }
    }
}

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

/// Finds the records at `path`, going through every element of the lists on the way. Null on the way, and an empty object where a list may
/// be, mean no records. Fails, listing the keys that are there, when a key is missing wherever it is looked for.
pub(super) fn record_groups<'d>(root: Node<'d>, path: &RecordPath) -> Result<Vec<RecordGroup<'d>>> {
    let mut search = Search {
        of: path,
        path: &path.keys,
        ancestors: Vec::new(),
        groups: Vec::new(),
        n_found: 0,
        in_list: false,
        is_xml: false,
        missing: None,
    };
    search.descend(root, 0);
    match search.missing {
        Some(err) if search.n_found == 0 => Err(err),
        _ => Ok(search.groups),
    }
}

struct Search<'p, 'd> {
    of: &'p RecordPath,
    path: &'p [String],
    ancestors: Vec<Node<'d>>,
    groups: Vec<RecordGroup<'d>>,
    n_found: usize,
    /// Whether the path went through a list, whose elements may be scalars.
    in_list: bool,
    is_xml: bool,
    missing: Option<Error>,
}

impl<'d> Search<'_, 'd> {
    fn descend(&mut self, node: Node<'d>, depth: usize) {
        self.is_xml |= node.is_xml();
        if depth == self.path.len() {
            let node = self.in_its_list(node);
            let is_scalar = !matches!(node.view(), View::Null | View::Array(_) | View::Object(_));
            if is_scalar && depth > 0 && !self.in_list {
                let (path, kind) = (self.path.join("."), node.view().kind());
                let err = || Error::data(format!("result path '{path}' is {kind}; expected a list or an object; check 'result_body_path'"));
                self.missing.get_or_insert_with(err);
                return;
            }
            self.n_found += 1;
            // Some APIs write an empty list so.
            if matches!(node.view(), View::Object(entries) if entries.is_empty()) && !self.of.is_object {
                return;
            }
            self.push(node);
            return;
        }
        match node.view() {
            View::Null => self.n_found += 1,
            View::Array(mut elements) => {
                if let Some(position) = position_in(elements.clone(), &self.path[depth]) {
                    return match elements.nth(position) {
                        Some(child) => self.descend_from(node, child, depth),
                        None if self.of.missing == Missing::Empty => self.n_found += 1,
                        None => self.note_missing(node, depth),
                    };
                }
                let outer = std::mem::replace(&mut self.in_list, true);
                elements.for_each(|element| self.descend(element, depth));
                self.in_list = outer;
            }
            View::Object(_) => match node.get(&self.path[depth]) {
                Some(child) => self.descend_from(node, child, depth),
                None if self.of.missing == Missing::Empty => self.n_found += 1,
                None => self.note_missing(node, depth),
            },
            _ => self.note_missing(node, depth),
        }
    }

    /// Returns an only element of XML without attributes and elements as the list that it is of. There is one outermost element.
    fn in_its_list(&self, node: Node<'d>) -> Node<'d> {
        let may_be_one = self.is_xml && self.of.is_plain && self.path.len() > 1;
        match node.view() {
            View::Array(_) | View::Object(_) => node,
            _ if may_be_one => node.as_only(),
            _ => node,
        }
    }

    fn push(&mut self, node: Node<'d>) {
        let mut ancestors = self.ancestors.clone();
        match node.view() {
            View::Array(elements) if self.of.has_lists && elements.clone().all(|element| matches!(element.view(), View::Object(_))) => {
                elements.for_each(|element| self.descend(element, self.path.len()));
                return;
            }
            View::Object(_) if self.of.has_lists => ancestors.push(node),
            _ => {}
        }
        self.groups.push(RecordGroup { records: node, ancestors });
    }

    fn descend_from(&mut self, node: Node<'d>, child: Node<'d>, depth: usize) {
        self.ancestors.push(node);
        self.descend(child, depth + 1);
        self.ancestors.pop();
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
            View::Array(elements) => format!("is a list of {} elements", elements.len()),
            view => format!("is {}", view.kind()),
        };
        let remedy = match node.view() {
            View::Object(_) => ", or write 'missing: empty' where that means that there are no rows",
            _ => "",
        };
        let err = || Error::data(format!("no key '{key}' of result path '{path}': {place} {found}; check 'result_body_path'{remedy}"));
        self.missing.get_or_insert_with(err);
    }
}

/// Returns the position that a key of a path means in a list; `None` where the elements are objects with such a key.
pub(super) fn position_in(mut elements: ArrayIter<'_>, key: &str) -> Option<usize> {
    key.parse().ok().filter(|_| !elements.any(|element| element.get(key).is_some()))
}

/// Where a meta path starts: in an ancestor of the records, or in each record.
pub(super) fn meta_start<'d>(meta_path: &[String], path: &[String], group: &RecordGroup<'d>) -> Option<(Node<'d>, usize)> {
    let n_common = meta_path.iter().zip(path).take_while(|(a, b)| a == b).count();
    group.ancestors.get(n_common).map(|&node| (node, n_common))
}
