//! Paths into a body: dotted keys, and JSONPath (RFC 9535) where keys are not enough.

use super::node::{Node, View};
use super::path_limits::check;
use super::JsonValue;
use crate::{Error, Result};

/// A JSONPath (RFC 9535). `data[-1:].id` and `$.data[-1:].id` are the same path.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    /// As it was given.
    text: String,
    /// The steps, when the path is nothing but keys and positions: the common case, walked without building a tree.
    steps: Option<Vec<Step>>,
    path: serde_json_path::JsonPath,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    /// From the start, the first being 0.
    Position(usize),
    /// From the end, the last being 1.
    FromEnd(usize),
}

impl JsonPath {
    /// Parses a path. Fails, saying where, when it is not a JSONPath.
    pub fn parse(text: &str) -> Result<JsonPath> {
        let full = if text.starts_with('$') {
            text.to_string()
        } else if text.starts_with('[') {
            format!("${text}")
        } else {
            format!("$.{text}")
        };
        check(&full)?;
        match serde_json_path::JsonPath::parse(&full) {
            Ok(path) => Ok(JsonPath { text: text.to_string(), steps: steps_of(&full[1..]), path }),
            // OData's keys begin so, and have a dot.
            Err(_) if text.starts_with('@') && !text.contains(['[', '\'', '"', '\\']) => JsonPath::of_key(text),
            Err(err) => {
                let quoted = "a key that holds other characters than letters, digits and '_' is written as [\"the key\"]";
                Err(Error::config(format!("'{text}' is not a JSONPath: {err}; {quoted}")))
            }
        }
    }

    fn of_key(key: &str) -> Result<JsonPath> {
        let path = serde_json_path::JsonPath::parse(&format!("$[\"{key}\"]"));
        let path = path.map_err(|err| Error::config(format!("'{key}' is not a JSONPath: {err}")))?;
        Ok(JsonPath { text: key.to_string(), steps: Some(vec![Step::Key(key.to_string())]), path })
    }

    /// Returns the path as it was given.
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// Returns whether it leads to an element that the list at the path `list`, which has so many, does not have.
    pub fn leads_past(&self, list: &[String], n_elements: u64) -> bool {
        let text = self.text.strip_prefix('$').unwrap_or(&self.text);
        let Some(position) = text.trim_start_matches('.').strip_prefix(&list.join(".")).and_then(|rest| rest.strip_prefix('[')) else {
            return false;
        };
        let digits: String = position.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().map_or(n_elements == 0, |position| position >= n_elements)
    }

    /// Returns what `convert` makes of the first match; `None` when there is none.
    pub fn find<T>(&self, root: Node<'_>, convert: impl FnOnce(Node<'_>) -> T) -> Option<T> {
        self.first(root, |node| Some(convert(node)))
    }

    /// Returns the first match as an integer; texts of digits count.
    pub fn find_integer(&self, root: Node<'_>) -> Option<i64> {
        self.first(root, |node| match node.view() {
            View::Integer(value) => i64::try_from(value).ok(),
            View::Double(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(value as i64),
            View::Text(text) => text.trim().parse().ok(),
            _ => None,
        })
    }

    /// Returns the first match as a boolean; 0 and 1 and the texts `true` and `false` count.
    pub fn find_bool(&self, root: Node<'_>) -> Option<bool> {
        self.first(root, |node| match node.view() {
            View::Boolean(value) => Some(value),
            View::Integer(value @ (0 | 1)) => Some(value == 1),
            View::Text(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        })
    }

    /// Returns every match that is a number; texts of one count.
    pub fn find_numbers(&self, root: Node<'_>) -> Vec<f64> {
        let number = |node: Node<'_>| match node.view() {
            View::Integer(value) => Some(value as f64),
            View::Double(value) => Some(value),
            View::BigNumber(number) => number.as_double(),
            View::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        match &self.steps {
            Some(_) => self.first(root, number).into_iter().collect(),
            None => self.path.query(&root.to_value()).all().into_iter().filter_map(|value| number(Node::from_tree(value))).collect(),
        }
    }

    /// Returns every match that is a text or a number, as text.
    pub fn find_texts(&self, root: Node<'_>) -> Vec<String> {
        let text = |node: Node<'_>| match node.view() {
            View::Text(text) => Some(text.to_string()),
            View::Integer(_) | View::Double(_) | View::BigNumber(_) => Some(node.to_json()),
            _ => None,
        };
        match &self.steps {
            Some(_) => self.first(root, text).into_iter().collect(),
            None => self.path.query(&root.to_value()).all().into_iter().filter_map(|value| text(Node::from_tree(value))).collect(),
        }
    }

    /// Returns what matches: the value, or the list of all matches of a path that may have several.
    pub fn find_value(&self, root: Node<'_>) -> Option<JsonValue> {
        match &self.steps {
            Some(_) => self.first(root, |node| Some(node.to_value())),
            None if self.has_several() => Some(JsonValue::Array(self.path.query(&root.to_value()).all().into_iter().cloned().collect())),
            None => self.first(root, |node| Some(node.to_value())),
        }
    }

    /// Returns whether the path has a step that can lead to several values.
    fn has_several(&self) -> bool {
        let mut quote = None;
        let is_outside = |letter: &char| match quote {
            Some(open) => {
                quote = Some(open).filter(|open| open != letter);
                false
            }
            None => {
                quote = Some(*letter).filter(|letter| matches!(letter, '\'' | '"'));
                true
            }
        };
        let plain: String = self.text.chars().filter(is_outside).collect();
        plain.contains(['*', '?', ':', ',']) || plain.contains("..")
    }

    /// Returns whether something other than null matches.
    pub fn is_present(&self, root: Node<'_>) -> bool {
        self.first(root, |node| (!node.is_null()).then_some(())).is_some()
    }

    fn first<T>(&self, root: Node<'_>, convert: impl FnOnce(Node<'_>) -> Option<T>) -> Option<T> {
        let Some(steps) = &self.steps else {
            let value = root.to_value();
            let found = self.path.query(&value).first()?;
            return convert(Node::from_tree(found));
        };
        let mut node = root;
        for step in steps {
            node = match (step, node.view()) {
                (Step::Key(key), View::Object(_)) => node.get(key)?,
                (Step::Position(position), View::Array(mut elements)) => elements.nth(*position)?,
                (Step::FromEnd(back), View::Array(mut elements)) => elements.len().checked_sub(*back).and_then(|idx| elements.nth(idx))?,
                _ => return None,
            };
        }
        convert(node)
    }
}

/// Returns the steps of a path after its `$`, when it has nothing but names, positions and `[-1:]`.
fn steps_of(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let len = after.find(['.', '[']).unwrap_or(after.len());
            let key = &after[..len];
            if key.is_empty() || !key.chars().all(|c| c.is_alphanumeric() || c == '_') {
                return None;
            }
            steps.push(Step::Key(key.to_string()));
            rest = &after[len..];
        } else {
            let (position, after) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(match position.strip_suffix(':').unwrap_or(position).strip_prefix('-') {
                Some("1") => Step::FromEnd(1),
                Some(back) => Step::FromEnd(back.parse().ok().filter(|&back| back > 0 && !position.ends_with(':'))?),
                None => Step::Position(position.parse().ok()?),
            });
            rest = after;
        }
    }
    Some(steps)
}
