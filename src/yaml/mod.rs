//! YAML as a tree that knows where each node stands, and a collector that reports all mistakes of a file together.

mod fields;
mod mistakes;
mod nearest;
mod parse;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub mod trace;
mod write;

pub use fields::Fields;
pub use mistakes::{Mistake, Mistakes};
pub use nearest::{edits, nearest, slips, Suggestions};
pub use parse::{parse, parse_into, parse_within, Limits};
pub use write::scalar_of;

/// A node of a YAML file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// First line is 1.
    pub line: usize,
    /// First column is 1.
    pub column: usize,
    pub kind: NodeKind,
    /// A scalar as the file has it, quotes and escapes resolved: `1.10` stays `1.10`. Empty for lists and mappings.
    pub written: String,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    Null,
    Boolean(bool),
    Integer(i128),
    Double(f64),
    Text(String),
    List(Vec<Node>),
    /// In the file's order; no key twice.
    Mapping(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub line: usize,
    pub column: usize,
    pub name: String,
}

impl Node {
    /// Returns whether the node is null, or nothing is written where it would be.
    pub fn is_null(&self) -> bool {
        self.kind == NodeKind::Null
    }

    /// Returns a scalar as it is written; `None` for null, lists and mappings.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Null | NodeKind::List(_) | NodeKind::Mapping(_) => None,
            NodeKind::Text(text) => Some(text),
            NodeKind::Boolean(_) | NodeKind::Integer(_) | NodeKind::Double(_) => Some(&self.written),
        }
    }

    /// Returns the elements of a list.
    pub fn list(&self) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::List(nodes) => Some(nodes),
            _ => None,
        }
    }

    /// Returns the entries of a mapping.
    pub fn mapping(&self) -> Option<&[(Key, Node)]> {
        match &self.kind {
            NodeKind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the value of a mapping's key.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.mapping()?.iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    /// Returns the scalars at or below the node, null left out, in the file's order.
    pub fn scalars(&self) -> Vec<&Node> {
        match &self.kind {
            NodeKind::Null => Vec::new(),
            NodeKind::List(nodes) => nodes.iter().flat_map(Node::scalars).collect(),
            NodeKind::Mapping(entries) => entries.iter().flat_map(|(_, node)| node.scalars()).collect(),
            NodeKind::Boolean(_) | NodeKind::Integer(_) | NodeKind::Double(_) | NodeKind::Text(_) => vec![self],
        }
    }

    /// Returns the scalar at or below the node that is a text, or has it between commas; the node itself where none is.
    pub fn naming(&self, text: &str) -> &Node {
        let names = |node: &&Node| node.written == text || node.written.split(',').any(|part| part.trim() == text);
        self.scalars().into_iter().find(names).unwrap_or(self)
    }

    /// Returns the first list or mapping among a list's elements or a mapping's values; the node itself where there is none.
    pub fn first_nested(&self) -> &Node {
        let is_nested = |node: &&Node| node.list().is_some() || node.mapping().is_some();
        let in_mapping = self.mapping().unwrap_or_default().iter().map(|(_, node)| node);
        self.list().unwrap_or_default().iter().chain(in_mapping).find(is_nested).unwrap_or(self)
    }

    /// Returns the mapping with the entries of another laid over it: a key that `replaces` says so of is left out.
    #[must_use]
    pub fn overlaid(&self, other: &Node, replaces: impl Fn(&str, &str) -> bool) -> Node {
        let laid = other.mapping().unwrap_or_default();
        let is_kept = |(key, _): &&(Key, Node)| !laid.iter().any(|(other, _)| other.name == key.name || replaces(&other.name, &key.name));
        let kept = self.mapping().unwrap_or_default().iter().filter(is_kept);
        Node { kind: NodeKind::Mapping(kept.chain(laid).cloned().collect()), ..self.clone() }
    }

    /// Returns whether both hold the same, wherever it stands and however it is written.
    pub fn means_the_same(&self, other: &Node) -> bool {
        match (&self.kind, &other.kind) {
            (NodeKind::List(own), NodeKind::List(others)) => {
                own.len() == others.len() && own.iter().zip(others).all(|(own, other)| own.means_the_same(other))
            }
            (NodeKind::Mapping(own), NodeKind::Mapping(others)) => {
                let same = |((key, node), (other_key, other)): (&(Key, Node), &(Key, Node))| {
                    key.name == other_key.name && node.means_the_same(other)
                };
                own.len() == others.len() && own.iter().zip(others).all(same)
            }
            (own, others) => own == others && self.written == other.written,
        }
    }

    /// Returns what the node is, for messages: `a list`, `the number 3`, `the text 'x'`. Use it only where no secret can stand.
    pub fn describe(&self) -> String {
        let short = || self.written.chars().take(40).collect::<String>();
        match &self.kind {
            NodeKind::Null => "empty".to_string(),
            NodeKind::Boolean(value) => format!("the boolean {value}"),
            NodeKind::Integer(_) | NodeKind::Double(_) => format!("the number {}", short()),
            NodeKind::Text(_) => format!("the text '{}'", short()),
            NodeKind::List(_) => "a list".to_string(),
            NodeKind::Mapping(_) => "a mapping".to_string(),
        }
    }
}
