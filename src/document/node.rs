//! The values of a document, whichever parser made it.

use super::json::{gives_back, has_digits};
use serde_json::Value;
use simd_json::{Node as TapeNode, StaticNode};
use std::fmt;

/// A value in a document; as cheap to copy as a reference.
#[derive(Debug, Clone, Copy)]
pub struct Node<'d>(Repr<'d>);

#[derive(Debug, Clone, Copy)]
enum Repr<'d> {
    /// The value's own nodes, its header first.
    Tape(&'d [TapeNode<'d>]),
    /// The outermost value of XML.
    Xml(&'d [TapeNode<'d>]),
    /// A list of this value only.
    Only(&'d [TapeNode<'d>]),
    Tree(&'d Value),
    /// Put together from values of other documents.
    Elements(&'d [Node<'d>]),
    Entries(&'d [(&'d str, Node<'d>)]),
    Text(&'d str),
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum View<'d> {
    Null,
    Boolean(bool),
    Integer(i128),
    /// A number that neither `i128` nor `f64` gives back with all its digits.
    BigNumber(BigNumber<'d>),
    Double(f64),
    Text(&'d str),
    Array(ArrayIter<'d>),
    Object(ObjectIter<'d>),
}

impl View<'_> {
    /// Returns what the value is called in errors: "an object", "a text", "null".
    pub fn kind(&self) -> &'static str {
        match self {
            View::Null => "null",
            View::Boolean(_) => "a boolean",
            View::Integer(_) => "an integer",
            View::BigNumber(_) | View::Double(_) => "a number",
            View::Text(_) => "a text",
            View::Array(_) => "a list",
            View::Object(_) => "an object",
        }
    }
}

/// A number beyond `i128`, or one that the shortest text of its `f64` does not say; `Display` gives its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BigNumber<'d> {
    Unsigned(u128),
    Digits(&'d str),
}

impl BigNumber<'_> {
    /// Returns the DOUBLE that has all digits of the number, when written with as many. Whole numbers without a point have none.
    pub fn as_double(&self) -> Option<f64> {
        match self {
            BigNumber::Unsigned(_) => None,
            BigNumber::Digits(digits) if !is_fractional(digits) => None,
            BigNumber::Digits(digits) => digits.parse().ok().filter(|value: &f64| value.is_finite() && has_digits(*value, digits)),
        }
    }
}

impl fmt::Display for BigNumber<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BigNumber::Unsigned(value) => write!(f, "{value}"),
            BigNumber::Digits(digits) => f.write_str(digits),
        }
    }
}

/// The elements of a list.
#[derive(Debug, Clone)]
pub struct ArrayIter<'d>(ArrayRepr<'d>);

#[derive(Debug, Clone)]
enum ArrayRepr<'d> {
    Tape { rest: &'d [TapeNode<'d>], len: usize },
    Tree(std::slice::Iter<'d, Value>),
    Elements(std::slice::Iter<'d, Node<'d>>),
}

/// The keys and values of an object, in the body's order, equal keys included.
#[derive(Debug, Clone)]
pub struct ObjectIter<'d>(ObjectRepr<'d>);

#[derive(Debug, Clone)]
enum ObjectRepr<'d> {
    Tape { rest: &'d [TapeNode<'d>], len: usize },
    Tree(serde_json::map::Iter<'d>),
    Entries(std::slice::Iter<'d, (&'d str, Node<'d>)>),
}

impl<'d> Node<'d> {
    pub(in crate::document) fn from_tape(nodes: &'d [TapeNode<'d>]) -> Node<'d> {
        Node(Repr::Tape(nodes))
    }

    pub(in crate::document) fn from_xml(nodes: &'d [TapeNode<'d>]) -> Node<'d> {
        Node(Repr::Xml(nodes))
    }

    pub(in crate::document) fn from_tree(value: &'d Value) -> Node<'d> {
        Node(Repr::Tree(value))
    }

    /// Returns a value of a tree.
    pub fn of_tree(value: &'d Value) -> Node<'d> {
        Node::from_tree(value)
    }

    /// Returns a list of these values.
    pub fn of_elements(elements: &'d [Node<'d>]) -> Node<'d> {
        Node(Repr::Elements(elements))
    }

    /// Returns an object of these keys and values.
    pub fn of_entries(entries: &'d [(&'d str, Node<'d>)]) -> Node<'d> {
        Node(Repr::Entries(entries))
    }

    /// Returns null.
    pub fn null() -> Node<'static> {
        static NULL: Value = Value::Null;
        Node(Repr::Tree(&NULL))
    }

    /// Returns a text.
    pub fn of_text(text: &'d str) -> Node<'d> {
        Node(Repr::Text(text))
    }

    /// Returns what the value is.
    #[inline]
    pub fn view(self) -> View<'d> {
        match self.0 {
            Repr::Tape(nodes) | Repr::Xml(nodes) => tape_view(nodes),
            Repr::Only(nodes) => View::Array(ArrayIter(ArrayRepr::Tape { rest: nodes, len: 1 })),
            Repr::Tree(value) => tree_view(value),
            Repr::Elements(elements) => View::Array(ArrayIter(ArrayRepr::Elements(elements.iter()))),
            Repr::Entries(entries) => View::Object(ObjectIter(ObjectRepr::Entries(entries.iter()))),
            Repr::Text(text) => View::Text(text),
        }
    }

    /// Returns whether the value is the outermost one of XML, where a list of one is written as that one.
    pub fn is_xml(self) -> bool {
        matches!(self.0, Repr::Xml(_))
    }

    /// Returns a value of XML as a list of it.
    pub fn as_only(self) -> Node<'d> {
        match self.0 {
            Repr::Tape(nodes) => Node(Repr::Only(nodes)),
            _ => self,
        }
    }

    /// Returns whether the value is null.
    pub fn is_null(self) -> bool {
        matches!(self.view(), View::Null)
    }

    /// Returns the value under `key`, when this is an object that has it.
    pub fn get(self, key: &str) -> Option<Node<'d>> {
        match self.view() {
            View::Object(entries) => entries.filter(|(name, _)| *name == key).last().map(|(_, node)| node),
            _ => None,
        }
    }

    /// Follows keys from object to object; in a list a key that is a number is a position.
    pub fn at(self, keys: &[String]) -> Option<Node<'d>> {
        let mut node = self;
        for key in keys {
            node = match node.view() {
                View::Array(mut elements) => elements.nth(key.parse().ok()?)?,
                _ => node.get(key)?,
            };
        }
        Some(node)
    }

    /// Builds a tree of the value, for libraries that want one. Costs an allocation for each value.
    pub fn to_value(self) -> Value {
        match self.view() {
            View::Null => Value::Null,
            View::Boolean(value) => Value::Bool(value),
            View::Integer(value) => serde_json::Number::from_i128(value).map_or(Value::Null, Value::Number),
            View::BigNumber(number) => number.to_string().parse().map_or(Value::Null, Value::Number),
            View::Double(value) => serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number),
            View::Text(text) => Value::String(text.to_string()),
            View::Array(elements) => Value::Array(elements.map(Node::to_value).collect()),
            View::Object(entries) => Value::Object(entries.map(|(key, node)| (key.to_string(), node.to_value())).collect()),
        }
    }
}

#[inline]
fn tape_view<'d>(nodes: &'d [TapeNode<'d>]) -> View<'d> {
    let Some((head, rest)) = nodes.split_first() else {
        return View::Null;
    };
    match head {
        TapeNode::String(text) => View::Text(text),
        TapeNode::Static(value) => static_view(value),
        TapeNode::Array { len, count } => View::Array(ArrayIter(ArrayRepr::Tape { rest: &rest[..*count], len: *len })),
        TapeNode::Object { len, count } => View::Object(ObjectIter(ObjectRepr::Tape { rest: &rest[..*count], len: *len })),
    }
}

#[inline]
fn static_view<'d>(value: &StaticNode) -> View<'d> {
    match *value {
        StaticNode::Null => View::Null,
        StaticNode::Bool(value) => View::Boolean(value),
        StaticNode::I64(value) => View::Integer(i128::from(value)),
        StaticNode::U64(value) => View::Integer(i128::from(value)),
        StaticNode::I128(value) => View::Integer(value),
        StaticNode::U128(value) => i128::try_from(value).map_or(View::BigNumber(BigNumber::Unsigned(value)), View::Integer),
        StaticNode::F64(value) => View::Double(value),
    }
}

fn tree_view(value: &Value) -> View<'_> {
    match value {
        Value::Null => View::Null,
        Value::Bool(value) => View::Boolean(*value),
        Value::Number(number) => number_view(number.as_str()),
        Value::String(text) => View::Text(text),
        Value::Array(elements) => View::Array(ArrayIter(ArrayRepr::Tree(elements.iter()))),
        Value::Object(entries) => View::Object(ObjectIter(ObjectRepr::Tree(entries.iter()))),
    }
}

fn number_view(digits: &str) -> View<'_> {
    let big = View::BigNumber(BigNumber::Digits(digits));
    if !is_fractional(digits) {
        return digits.parse().map_or(big, View::Integer);
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() && gives_back(value, digits) => View::Double(value),
        _ => big,
    }
}

/// Returns whether a number is written as one that may have a fraction.
fn is_fractional(digits: &str) -> bool {
    digits.contains(['.', 'e', 'E'])
}

impl ArrayIter<'_> {
    /// Returns how many elements are left.
    pub fn len(&self) -> usize {
        match &self.0 {
            ArrayRepr::Tape { len, .. } => *len,
            ArrayRepr::Tree(values) => values.len(),
            ArrayRepr::Elements(elements) => elements.len(),
        }
    }

    /// Returns whether no element is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ObjectIter<'_> {
    /// Returns how many entries are left, equal keys included.
    pub fn len(&self) -> usize {
        match &self.0 {
            ObjectRepr::Tape { len, .. } => *len,
            ObjectRepr::Tree(entries) => entries.len(),
            ObjectRepr::Entries(entries) => entries.len(),
        }
    }

    /// Returns whether no entry is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Splits the first value off the nodes.
#[inline]
fn split_value<'d>(nodes: &'d [TapeNode<'d>]) -> Option<(&'d [TapeNode<'d>], &'d [TapeNode<'d>])> {
    let len = match nodes.first()? {
        TapeNode::Array { count, .. } | TapeNode::Object { count, .. } => count + 1,
        _ => 1,
    };
    nodes.split_at_checked(len)
}

impl<'d> Iterator for ArrayIter<'d> {
    type Item = Node<'d>;

    #[inline]
    fn next(&mut self) -> Option<Node<'d>> {
        match &mut self.0 {
            ArrayRepr::Tape { rest, len } => {
                let (value, tail) = split_value(rest)?;
                *rest = tail;
                *len -= 1;
                Some(Node(Repr::Tape(value)))
            }
            ArrayRepr::Tree(values) => values.next().map(Node::from_tree),
            ArrayRepr::Elements(elements) => elements.next().copied(),
        }
    }
}

impl<'d> Iterator for ObjectIter<'d> {
    type Item = (&'d str, Node<'d>);

    #[inline]
    fn next(&mut self) -> Option<(&'d str, Node<'d>)> {
        match &mut self.0 {
            ObjectRepr::Tape { rest, len } => {
                let (TapeNode::String(key), tail) = rest.split_first()? else {
                    return None;
                };
                let (value, tail) = split_value(tail)?;
                *rest = tail;
                *len -= 1;
                Some((key, Node(Repr::Tape(value))))
            }
            ObjectRepr::Tree(entries) => entries.next().map(|(key, value)| (key.as_str(), Node::from_tree(value))),
            ObjectRepr::Entries(entries) => entries.next().copied(),
        }
    }
}
