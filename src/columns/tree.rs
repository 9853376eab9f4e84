//! Records that have records of the same form below them: all of them become rows, each before those below it.

use super::records::RecordGroup;
use super::shape::ENTRY;
use crate::document::{too_much, Node, View};
use crate::spec::TreeDef;
use crate::{Error, Result};

/// A record as an object.
pub(super) type Entries<'d> = Vec<(&'d str, Node<'d>)>;

/// All records of a group, in the order in which they are rows.
#[derive(Debug)]
pub(super) struct Unfolded<'d> {
    /// Each record, and the position of what is above it.
    records: Vec<(Node<'d>, usize)>,
    paths: Vec<Path<'d>>,
}

/// What is above records.
#[derive(Debug, Default)]
struct Path<'d> {
    /// The labels, from the outermost on.
    labels: Vec<Node<'d>>,
    /// What they take in a row.
    n_bytes: u64,
}

/// Returns all records of a group, to the depth that the document has. Fails when a label is not a scalar, and when the records take more than
/// `most` bytes with what is above each of them.
pub(super) fn unfolded<'d>(tree: &TreeDef, group: &RecordGroup<'d>, most: u64) -> Result<Unfolded<'d>> {
    let mut all = Unfolded { records: Vec::new(), paths: vec![Path::default()] };
    let mut n_bytes: u64 = 0;
    // What is left to take, the next one last.
    let mut open: Vec<(Node<'d>, usize)> = elements_of(group.records).into_iter().rev().map(|record| (record, 0)).collect();
    while let Some((record, path_idx)) = open.pop() {
        all.records.push((record, path_idx));
        n_bytes = n_bytes.saturating_add(ENTRY + all.paths[path_idx].n_bytes);
        if n_bytes > most {
            let n_records = all.records.len();
            return Err(Error::data(too_much(&format!("{n_records} of its records, with what is above each"), n_bytes, most)));
        }
        let also = tree.also.iter().filter_map(|key| record.get(key)).filter(|node| !node.is_null());
        let below: Vec<Node<'d>> = record.at(&tree.below).map_or(Vec::new(), elements_of).into_iter().chain(also).collect();
        if below.is_empty() {
            continue;
        }
        let path = all.paths[path_idx].with(tree, record)?;
        n_bytes = n_bytes.saturating_add(path.n_bytes);
        all.paths.push(path);
        let path_idx = all.paths.len() - 1;
        open.extend(below.into_iter().rev().map(|record| (record, path_idx)));
    }
    Ok(all)
}

/// Returns the elements of a list, or the one that stands in its place.
fn elements_of(node: Node<'_>) -> Vec<Node<'_>> {
    match node.view() {
        View::Null => Vec::new(),
        View::Array(elements) => elements.collect(),
        _ => vec![node],
    }
}

impl<'d> Path<'d> {
    /// Returns the path below a record.
    fn with(&self, tree: &TreeDef, record: Node<'d>) -> Result<Path<'d>> {
        let mut path = Path { labels: self.labels.clone(), n_bytes: self.n_bytes };
        let Some(place) = &tree.label else { return Ok(path) };
        let label = record.at(place).unwrap_or(Node::null());
        let len = match label.view() {
            View::Text(text) => text.len() as u64,
            view @ (View::Array(_) | View::Object(_)) => {
                let (place, kind) = (place.join("."), view.kind());
                return Err(Error::data(format!("the label at '{place}' of a record is {kind}; expected a text; check 'label' of 'tree'")));
            }
            _ => 0,
        };
        path.labels.push(label);
        path.n_bytes += len + ENTRY;
        Ok(path)
    }
}

impl<'d> Unfolded<'d> {
    /// Returns the records as objects: without what is below them, and with the labels of what is above. Fails when a record is not an object,
    /// or has a field of that column's name.
    pub(super) fn entries(&'d self, tree: &'d TreeDef) -> Result<Vec<Entries<'d>>> {
        let is_below = |key: &str| tree.below.first().is_some_and(|first| first == key) || tree.also.iter().any(|also| also == key);
        let mut all = Vec::with_capacity(self.records.len());
        for (record, path_idx) in &self.records {
            let View::Object(own) = record.view() else {
                let kind = record.view().kind();
                return Err(Error::data(format!("a record is {kind}; expected an object, since the table has 'tree'")));
            };
            let mut entries: Entries<'d> = own.filter(|(key, _)| !is_below(key)).collect();
            if tree.label.is_some() {
                if entries.iter().any(|(key, _)| *key == tree.column) {
                    return Err(Error::data(format!(
                        "a record has a field '{0}', and so is the column called that says what is above it; give it another name with 'column' \
                         of 'tree'",
                        tree.column
                    )));
                }
                entries.insert(0, (&tree.column, Node::of_elements(&self.paths[*path_idx].labels)));
            }
            all.push(entries);
        }
        Ok(all)
    }
}
