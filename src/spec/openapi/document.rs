//! An API description as a tree: OpenAPI 3.0 and 3.1 or Swagger 2.0, in JSON or YAML, read within limits.

use crate::document::{read_json, JsonNumber, JsonValue};
use crate::yaml::{parse_within, Key, Limits, Mistakes, Node, NodeKind};
use crate::{Error, Result};
use percent_encoding::percent_decode_str;
use std::cell::Cell;

/// What a description may have: the largest known ones are a fifth of it.
const LIMITS: Limits = Limits { bytes: MAX_BYTES, depth: 120, nodes: MAX_VALUES, text: 4 << 20, keys: 100_000 };
/// Largest description, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
const MAX_VALUES: usize = 2_000_000;
/// How many references lead to one another at most.
const MAX_HOPS: usize = 16;
/// How many nodes are looked at in all: what refers to itself in many ways has no end.
const MOST_STEPS: usize = 20_000_000;

static NOTHING: JsonValue = JsonValue::Null;

/// A description that was read.
pub struct Description {
    root: JsonValue,
    /// The file's name, for messages and comments.
    file: String,
    /// `OpenAPI 3.0.3` or `Swagger 2.0`.
    version: String,
    n_steps_left: Cell<usize>,
}

impl Description {
    /// Reads a description. Fails when it is neither JSON nor YAML, too large, too deep, or of another kind.
    pub fn parse(file: &str, text: &str) -> Result<Description> {
        let within = |err: Error| err.within(format_args!("file '{file}'"));
        let root = tree_of(file, text).map_err(within)?;
        let version = version_of(&root).map_err(within)?;
        if !root["paths"].is_object() {
            return Err(within(Error::config("it has no 'paths', so it describes no requests")));
        }
        Ok(Description { root, file: file.to_string(), version, n_steps_left: Cell::new(MOST_STEPS) })
    }

    /// Returns the whole document.
    pub fn root(&self) -> &JsonValue {
        &self.root
    }

    /// Returns the name of the file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the format and its version: `OpenAPI 3.0.3`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns what a node refers to, or the node itself. Null when a reference leads to nothing, to another file, or in a circle.
    pub fn resolved<'a>(&'a self, node: &'a JsonValue) -> &'a JsonValue {
        let mut node = node;
        for _ in 0..MAX_HOPS {
            if !self.step() {
                return &NOTHING;
            }
            let Some(reference) = node.get("$ref").and_then(JsonValue::as_str) else { return node };
            let Some(target) = reference.strip_prefix('#').and_then(|pointer| self.at(pointer)) else { return &NOTHING };
            node = target;
        }
        &NOTHING
    }

    /// Fails when the description refers to itself in so many ways that it was not looked through.
    pub fn check_steps(&self) -> Result<()> {
        match self.n_steps_left.get() {
            0 => Err(Error::config(format!("file '{}': its schemas refer to one another too often to be looked through", self.file))),
            _ => Ok(()),
        }
    }

    /// Counts one node that is looked at; false once there were too many.
    fn step(&self) -> bool {
        let n_left = self.n_steps_left.get().saturating_sub(1);
        self.n_steps_left.set(n_left);
        n_left > 0
    }

    fn at(&self, pointer: &str) -> Option<&JsonValue> {
        let pointer = percent_decode_str(pointer).decode_utf8().ok()?;
        self.root.pointer(&pointer)
    }
}

fn tree_of(file: &str, text: &str) -> Result<JsonValue> {
    if text.len() > MAX_BYTES {
        return Err(Error::config(format!("it has {} bytes; expected at most {MAX_BYTES}", text.len())));
    }
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if let Some(inside) = text.strip_prefix('{') {
        // Each value but the first follows one of these.
        let n_values = text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
        if n_values > MAX_VALUES {
            return Err(Error::config(format!("it has more than {MAX_VALUES} values")));
        }
        let read = read_json(text);
        // A mapping in YAML's flow style begins with a brace, too.
        let is_json = inside.trim_start().starts_with('"');
        if read.is_ok() || is_json {
            return read;
        }
    }
    let mistakes = Mistakes::new(file);
    let node = parse_within(text, &LIMITS, &mistakes);
    if node.is_none() && ["\ntype ", "schema {", "\nscalar "].iter().any(|sign| text.contains(sign)) {
        return Err(Error::config("it is a GraphQL schema; expected OpenAPI 3.0 or 3.1, or Swagger 2.0"));
    }
    mistakes.into_result()?;
    Ok(node.map_or(JsonValue::Null, value_of))
}

/// Turns YAML into JSON, taking the nodes apart, so that the tree is not there twice.
fn value_of(node: Node) -> JsonValue {
    match node.kind {
        NodeKind::Null => JsonValue::Null,
        NodeKind::Boolean(value) => JsonValue::Bool(value),
        NodeKind::Integer(value) => JsonNumber::from_i128(value).map_or(JsonValue::Null, JsonValue::Number),
        NodeKind::Double(value) => JsonNumber::from_f64(value).map_or(JsonValue::Null, JsonValue::Number),
        NodeKind::Text(text) => JsonValue::String(text),
        NodeKind::List(nodes) => JsonValue::Array(nodes.into_iter().map(value_of).collect()),
        NodeKind::Mapping(entries) => {
            JsonValue::Object(entries.into_iter().map(|(key, node): (Key, Node)| (key.name, value_of(node))).collect())
        }
    }
}

fn version_of(root: &JsonValue) -> Result<String> {
    let expected = "expected OpenAPI 3.0 or 3.1, or Swagger 2.0";
    if !root.is_object() {
        return Err(Error::config(format!("it does not hold a mapping, so it is not an API description; {expected}")));
    }
    let text_of = |key: &str| root.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_string));
    if root.get("discoveryVersion").is_some() {
        return Err(Error::config(format!("it is a description in Google's Discovery format; {expected}")));
    }
    match (text_of("openapi"), text_of("swagger")) {
        (Some(version), _) if version.starts_with("3.") => Ok(format!("OpenAPI {}", short(&version))),
        (None, Some(version)) if version.starts_with('2') => Ok(format!("Swagger {}", short(&version))),
        (Some(version), _) => Err(Error::config(format!("its 'openapi' is '{}'; {expected}", short(&version)))),
        (None, Some(version)) => Err(Error::config(format!("its 'swagger' is '{}'; {expected}", short(&version)))),
        (None, None) if root.get("asyncapi").is_some() => Err(Error::config(format!("it is an AsyncAPI description; {expected}"))),
        (None, None) => Err(Error::config(format!("it has neither 'openapi' nor 'swagger'; {expected}"))),
    }
}

fn short(version: &str) -> String {
    version.chars().filter(|c| !c.is_control()).take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{expect, Expect};

    fn check_error(text: &str, expected: Expect) {
        let message = Description::parse("api.yaml", text).err().map_or("no error".to_string(), |err| err.to_string());
        expected.assert_eq(&message);
    }

    #[test]
    fn both_formats_and_all_versions_are_read() {
        let check = |text: &str, version: &str| assert_eq!(Description::parse("api.yaml", text).unwrap().version(), version);
        check("{\"openapi\": \"3.0.3\", \"paths\": {}}", "OpenAPI 3.0.3");
        check("openapi: 3.1.0\npaths: {}", "OpenAPI 3.1.0");
        check("swagger: 2.0\npaths: {}", "Swagger 2.0");
        check("{swagger: '2.0', paths: {}}", "Swagger 2.0");
    }

    #[test]
    fn another_document_is_an_error_that_says_what_it_is() {
        check_error(
            "",
            expect![
                "file 'api.yaml': it does not hold a mapping, so it is not an API description; expected OpenAPI 3.0 or 3.1, or Swagger 2.0"
            ],
        );
        check_error(
            "[1]",
            expect![
                "file 'api.yaml': it does not hold a mapping, so it is not an API description; expected OpenAPI 3.0 or 3.1, or Swagger 2.0"
            ],
        );
        check_error("{\"a\": }", expect!["file 'api.yaml': it is not valid JSON: expected value at line 1 column 7"]);
        check_error(
            "openapi: 4.0.0\npaths: {}",
            expect!["file 'api.yaml': its 'openapi' is '4.0.0'; expected OpenAPI 3.0 or 3.1, or Swagger 2.0"],
        );
        check_error("openapi: 3.0.0", expect!["file 'api.yaml': it has no 'paths', so it describes no requests"]);
        check_error(
            "a: b",
            expect!["file 'api.yaml': it has neither 'openapi' nor 'swagger'; expected OpenAPI 3.0 or 3.1, or Swagger 2.0"],
        );
        check_error(
            "{\"discoveryVersion\": \"v1\"}",
            expect!["file 'api.yaml': it is a description in Google's Discovery format; expected OpenAPI 3.0 or 3.1, or Swagger 2.0"],
        );
        check_error(
            "scalar Date\ntype Query {\n  a: Int\n}\n",
            expect!["file 'api.yaml': it is a GraphQL schema; expected OpenAPI 3.0 or 3.1, or Swagger 2.0"],
        );
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_an_error() {
        let deep = |open: &str, close: &str| format!("{{\"openapi\": \"3.0.0\", \"paths\": {}{}}}", open.repeat(5000), close.repeat(5000));
        assert!(Description::parse("a", &deep("{\"a\":", "}")).is_err());
        assert!(Description::parse("a", &format!("a: {}", "[".repeat(5000))).is_err());
        assert!(Description::parse("a", &format!("{{\"a\": [{}0]}}", "0,".repeat(MAX_VALUES))).is_err());
        let bomb: String = (0..40).map(|idx| format!("a{}: &a{} [*a{idx}, *a{idx}]\n", idx + 1, idx + 1)).collect();
        assert!(Description::parse("a", &format!("a0: &a0 x\n{bomb}")).is_err());
    }

    #[test]
    fn references_lead_to_their_target_or_to_nothing() {
        let text = "{\"openapi\": \"3.0.0\", \"paths\": {\"/a/{b}\": 1}, \"x\": {\"$ref\": \"#/paths/~1a~1%7Bb%7D\"}, \"y\": {\"$ref\": \"#/y\"}, \
                    \"z\": {\"$ref\": \"other.json#/x\"}}";
        let description = Description::parse("a", text).unwrap();
        assert_eq!(description.resolved(&description.root()["x"]), &JsonValue::from(1));
        assert!(description.resolved(&description.root()["y"]).is_null() && description.resolved(&description.root()["z"]).is_null());
    }
}
