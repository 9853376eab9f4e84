//! What the values of specs are like: collected from specs that parse, with what the parser reads of them.

use crate::yaml::trace::{Read, Reads};
use crate::yaml::{Node, NodeKind};
use std::collections::{BTreeMap, BTreeSet};

/// The keys whose values tell kinds of mappings apart.
pub const SELECTORS: [&str; 2] = ["strategy", "type"];

/// The keys a mapping may have, which are its name here.
pub type Keys = Vec<String>;

/// What stands at one place of specs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    pub has_scalars: bool,
    pub items: Option<Box<Shape>>,
    /// Mappings with these keys.
    pub mappings: BTreeSet<Keys>,
    /// The values of mappings with any keys.
    pub values: Option<Box<Shape>>,
}

/// A kind of mapping.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// The key that the first one was found at.
    pub found_at: String,
    pub keys: BTreeMap<String, (Shape, BTreeSet<Read>)>,
    /// Keys that each one found has to have.
    pub required: Option<BTreeSet<String>>,
    /// The values of [`SELECTORS`].
    pub selectors: BTreeMap<String, BTreeSet<String>>,
}

/// All kinds of mappings in specs.
#[derive(Debug, Default)]
pub struct Shapes {
    pub spec: Shape,
    pub mappings: BTreeMap<Keys, Mapping>,
}

impl Shape {
    /// Returns the mappings in it, at any depth.
    pub fn all_mappings(&self) -> BTreeSet<Keys> {
        let below = self.items.iter().chain(&self.values).flat_map(|shape| shape.all_mappings());
        self.mappings.iter().cloned().chain(below).collect()
    }

    fn add(&mut self, other: &Shape) {
        self.has_scalars |= other.has_scalars;
        self.mappings.extend(other.mappings.iter().cloned());
        for (own, other) in [(&mut self.items, &other.items), (&mut self.values, &other.values)] {
            if let Some(other) = other {
                own.get_or_insert_default().add(other);
            }
        }
    }
}

impl Shapes {
    /// Adds what a spec has.
    pub fn add(&mut self, spec: &Node, reads: &Reads) {
        let mut shape = std::mem::take(&mut self.spec);
        self.add_node(&mut shape, spec, reads, "spec");
        self.spec = shape;
    }

    fn add_node(&mut self, shape: &mut Shape, node: &Node, reads: &Reads, key: &str) {
        match &node.kind {
            NodeKind::Null => {}
            NodeKind::List(nodes) => {
                let items = shape.items.get_or_insert_default();
                for node in nodes {
                    self.add_node(items, node, reads, key);
                }
            }
            NodeKind::Mapping(entries) => match reads.get(&(node.line, node.column)) {
                Some(read) => {
                    shape.mappings.insert(read.valid.clone());
                    let mut mapping = self.mappings.remove(&read.valid).unwrap_or_default();
                    if mapping.keys.is_empty() {
                        mapping.found_at = key.to_string();
                        mapping.keys = read.valid.iter().map(|key| (key.clone(), Default::default())).collect();
                    }
                    for (key, read) in &read.keys {
                        mapping.keys.entry(key.clone()).or_default().1.extend(read);
                    }
                    let needs = read.keys.iter().filter(|(key, reads)| reads.contains(&Read::Required) && read.valid.contains(key));
                    let needs: BTreeSet<String> = needs.map(|(key, _)| key.clone()).collect();
                    let required =
                        mapping.required.take().map_or(needs.clone(), |required| required.intersection(&needs).cloned().collect());
                    mapping.required = Some(required);
                    // Mappings of this kind may be in it, too.
                    self.mappings.entry(read.valid.clone()).or_insert(mapping);
                    for (key, node) in entries {
                        self.add_entry(&read.valid, &key.name, node, reads);
                    }
                }
                None => {
                    let values = shape.values.get_or_insert_default();
                    for (_, node) in entries {
                        self.add_node(values, node, reads, key);
                    }
                }
            },
            _ => shape.has_scalars = true,
        }
    }

    fn add_entry(&mut self, keys: &Keys, key: &str, node: &Node, reads: &Reads) {
        let mapping = self.mappings.entry(keys.clone()).or_default();
        if let (true, Some(text)) = (SELECTORS.contains(&key), node.text()) {
            mapping.selectors.entry(key.to_string()).or_default().insert(text.to_string());
        }
        let mut shape = std::mem::take(&mut mapping.keys.entry(key.to_string()).or_default().0);
        self.add_node(&mut shape, node, reads, key);
        self.mappings.entry(keys.clone()).or_default().keys.entry(key.to_string()).or_default().0.add(&shape);
    }

    /// Completes what samples alone do not tell: a mapping that nothing is read of is a selection of another's keys, and what stands at a key is
    /// of the same kinds wherever one of these kinds stands at that key.
    pub fn complete(&mut self) {
        let is_read = |mapping: &Mapping| mapping.keys.values().any(|(_, reads)| !reads.is_empty());
        let selections: Vec<Keys> = self.mappings.iter().filter(|(_, mapping)| !is_read(mapping)).map(|(keys, _)| keys.clone()).collect();
        for keys in selections {
            let has_all = |(_, other): &(&Keys, &Mapping)| is_read(other) && keys.iter().all(|key| other.keys.contains_key(key));
            let Some(whole) = self.mappings.iter().filter(has_all).min_by_key(|(other, _)| other.len()).map(|(_, whole)| whole.clone())
            else {
                continue;
            };
            let Some(mapping) = self.mappings.get_mut(&keys) else { continue };
            for (key, (shape, reads)) in &mut mapping.keys {
                if let Some((whole_shape, whole_reads)) = whole.keys.get(key) {
                    shape.add(whole_shape);
                    reads.extend(whole_reads);
                }
            }
        }
        while self.share() {}
    }

    /// Adds to each shape those of the same key that have a mapping in common with it. Returns whether something changed.
    fn share(&mut self) -> bool {
        let all: Vec<(String, Shape)> =
            self.mappings.values().flat_map(|mapping| mapping.keys.iter().map(|(key, (shape, _))| (key.clone(), shape.clone()))).collect();
        let mut has_changed = false;
        for (key, (shape, _)) in self.mappings.values_mut().flat_map(|mapping| &mut mapping.keys) {
            let before = shape.clone();
            for (_, other) in all.iter().filter(|(other, _)| other == key) {
                if !shape.all_mappings().is_disjoint(&other.all_mappings()) {
                    shape.add(other);
                }
            }
            has_changed |= *shape != before;
        }
        has_changed
    }
}
