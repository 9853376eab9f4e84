//! Builds the located tree from the YAML crate's events, within limits.

use super::{Key, Mistakes, Node, NodeKind};
use crate::Result;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// What a file may have at most: it can come from anybody.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub bytes: usize,
    /// Nesting of lists and mappings.
    pub depth: usize,
    /// Values, those that aliases repeat included.
    pub nodes: usize,
    /// Length of a key or text, in bytes.
    pub text: usize,
    /// Keys of one mapping.
    pub keys: usize,
}

/// What a spec or the connections file may have.
const SPEC_LIMITS: Limits = Limits { bytes: 4 << 20, depth: 64, nodes: 200_000, text: 64 << 10, keys: 5000 };

/// Parses a file that holds one YAML document. Fails with all its mistakes: syntax, repeated keys, too deep or too large.
/// An empty file is a null node.
pub fn parse(file: &str, text: &str) -> Result<Node> {
    let mistakes = Mistakes::new(file);
    let node = parse_into(text, &mistakes);
    mistakes.into_result()?;
    node.ok_or_else(|| crate::Error::internal(format!("{file} has no mistake and no content")))
}

/// Parses as [`parse`] does, adding mistakes to `mistakes`. `None` when the syntax is wrong; repeated keys still give a tree,
/// with the first of each.
pub fn parse_into(text: &str, mistakes: &Mistakes) -> Option<Node> {
    parse_within(text, &SPEC_LIMITS, mistakes)
}

/// Parses as [`parse_into`] does, within limits.
pub fn parse_within(text: &str, limits: &Limits, mistakes: &Mistakes) -> Option<Node> {
    if text.len() > limits.bytes {
        mistakes.push(1, 1, format!("the file has {} bytes; expected at most {}", text.len(), limits.bytes));
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder { parser: Parser::new_from_str(text), limits, mistakes, anchors: HashMap::new(), n_nodes: 0 };
    match builder.document() {
        Ok(node) => Some(node),
        Err(problem) => {
            let (line, column) = (problem.line.max(1), problem.column);
            mistakes.push(line, column, explain(problem.message, text.lines().nth(line - 1).unwrap_or("")));
            None
        }
    }
}

/// Says what to do about the commonest cause of a syntax error.
fn explain(message: String, line: &str) -> String {
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    if indent.contains('\t') {
        return "a tab indents this line; YAML is indented with spaces".to_string();
    }
    message
}

/// Why and where the file cannot be read.
struct Problem {
    line: usize,
    column: usize,
    message: String,
}

impl From<ScanError> for Problem {
    fn from(err: ScanError) -> Problem {
        Problem { line: err.marker().line(), column: err.marker().col() + 1, message: format!("invalid YAML: {}", err.info()) }
    }
}

struct Anchor {
    node: Node,
    n_nodes: usize,
    depth: usize,
}

struct Builder<'input, 'm> {
    parser: Parser<'input, StrInput<'input>>,
    limits: &'m Limits,
    mistakes: &'m Mistakes,
    anchors: HashMap<usize, Anchor>,
    n_nodes: usize,
}

impl<'input> Builder<'input, '_> {
    fn next(&mut self) -> std::result::Result<(Event<'input>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(err)) => Err(err.into()),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn document(&mut self) -> std::result::Result<Node, Problem> {
        let mut root: Option<Node> = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root.unwrap_or_else(|| node_at(1, 1, NodeKind::Null))),
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(problem(span, "a second YAML document starts here; expected one".to_string()))
                }
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'input>, span: Span, depth: usize) -> std::result::Result<Node, Problem> {
        if depth > self.limits.depth {
            return Err(self.too_deep(span));
        }
        let first_node = self.n_nodes;
        self.count(1, span)?;
        let (line, column) = (span.start.line(), span.start.col() + 1);
        let (node, anchor) = match event {
            Event::Scalar(text, ..) if text.len() > self.limits.text => {
                return Err(problem(span, format!("a text has {} bytes; expected at most {}", text.len(), self.limits.text)));
            }
            Event::Scalar(text, style, anchor, tag) => (scalar(text, style, tag.as_deref(), line, column), anchor),
            Event::SequenceStart(anchor, _) => (node_at(line, column, NodeKind::List(self.list(depth)?)), anchor),
            Event::MappingStart(anchor, _) => (node_at(line, column, NodeKind::Mapping(self.mapping(depth)?)), anchor),
            Event::Alias(id) => return self.alias(id, span, depth),
            _ => return Err(problem(span, "invalid YAML: expected a value".to_string())),
        };
        if anchor > 0 {
            let anchored = Anchor { node: node.clone(), n_nodes: self.n_nodes - first_node, depth: depth_of(&node) };
            self.anchors.insert(anchor, anchored);
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> std::result::Result<Vec<Node>, Problem> {
        let mut nodes = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(nodes);
            }
            nodes.push(self.node(event, span, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> std::result::Result<Vec<(Key, Node)>, Problem> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut merged: Vec<Node> = Vec::new();
        let mut names = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            if entries.len() >= self.limits.keys {
                return Err(problem(span, format!("a mapping has more than {} keys", self.limits.keys)));
            }
            // In quotes it is a key like any other.
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key_node = self.node(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if key_node.list().is_some() || key_node.mapping().is_some() {
                self.mistakes.at(&key_node, format!("a key is {}; expected a text", key_node.describe()));
                continue;
            }
            let key = Key { line: key_node.line, column: key_node.column, name: key_node.written };
            if is_merge && matches!(value.kind, NodeKind::Mapping(_)) {
                merged.push(value);
            } else if names.insert(key.name.clone()) {
                entries.push((key, value));
            } else {
                self.mistakes.at_key(&key, format!("key '{}' is there twice in this mapping; remove one", key.name));
            }
        }
        for (key, value) in
            merged.into_iter().filter_map(|node| if let NodeKind::Mapping(entries) = node.kind { Some(entries) } else { None }).flatten()
        {
            if names.insert(key.name.clone()) {
                entries.push((key, value));
            }
        }
        Ok(entries)
    }

    fn alias(&mut self, id: usize, span: Span, depth: usize) -> std::result::Result<Node, Problem> {
        let Some(anchor) = self.anchors.get(&id) else {
            return Err(problem(span, "an alias stands inside the value it repeats".to_string()));
        };
        if depth + anchor.depth > self.limits.depth {
            return Err(self.too_deep(span));
        }
        let n_nodes = anchor.n_nodes;
        // Counted before the copy is made: a few lines of aliases of aliases can mean billions of nodes.
        self.count(n_nodes, span)?;
        let mut node = self.anchors[&id].node.clone();
        (node.line, node.column) = (span.start.line(), span.start.col() + 1);
        Ok(node)
    }

    fn too_deep(&self, span: Span) -> Problem {
        problem(span, format!("nested more than {} levels deep", self.limits.depth))
    }

    fn count(&mut self, n_nodes: usize, span: Span) -> std::result::Result<(), Problem> {
        self.n_nodes = self.n_nodes.saturating_add(n_nodes);
        if self.n_nodes > self.limits.nodes {
            return Err(problem(span, format!("the file has more than {} values, aliases included", self.limits.nodes)));
        }
        Ok(())
    }
}

fn problem(span: Span, message: String) -> Problem {
    Problem { line: span.start.line(), column: span.start.col() + 1, message }
}

fn node_at(line: usize, column: usize, kind: NodeKind) -> Node {
    Node { line, column, kind, written: String::new() }
}

fn depth_of(node: &Node) -> usize {
    match &node.kind {
        NodeKind::List(nodes) => 1 + nodes.iter().map(depth_of).max().unwrap_or(0),
        NodeKind::Mapping(entries) => 1 + entries.iter().map(|(_, node)| depth_of(node)).max().unwrap_or(0),
        _ => 0,
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, line: usize, column: usize) -> Node {
    let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    let kind = if is_text { NodeKind::Text(text.to_string()) } else { plain(&text) };
    Node { line, column, kind, written: text.into_owned() }
}

/// Returns what an unquoted scalar means by YAML 1.2's core schema.
fn plain(text: &str) -> NodeKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NodeKind::Null,
        "true" | "True" | "TRUE" => return NodeKind::Boolean(true),
        "false" | "False" | "FALSE" => return NodeKind::Boolean(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits.chars().any(|c| c.is_ascii_digit());
    if !is_number {
        return NodeKind::Text(text.to_string());
    }
    let hex = digits.strip_prefix("0x").and_then(|hex| i128::from_str_radix(hex, 16).ok()).filter(|_| digits == text);
    if let Some(value) = hex.or_else(|| text.parse().ok()) {
        return NodeKind::Integer(value);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => NodeKind::Double(value),
        _ => NodeKind::Text(text.to_string()),
    }
}
