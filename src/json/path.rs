//! Paths into a body: dotted keys, and JSONPath (RFC 9535) where keys are not enough.

use crate::{Error, Result};

/// A JSONPath (RFC 9535). `data[-1:].id` and `$.data[-1:].id` are the same path.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    /// The keys, when the path is nothing but keys: the common case, walked without building a tree.
    keys: Option<Vec<String>>,
    path: serde_json_path::JsonPath,
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
        let path = serde_json_path::JsonPath::parse(&full).map_err(|err| Error::config(format!("'{text}' is not a JSONPath: {err}")))?;
        let plain = full.trim_start_matches("$.");
        let is_plain = full.starts_with("$.") && plain.split('.').all(|key| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_'));
        let keys = is_plain.then(|| plain.split('.').map(str::to_string).collect());
        Ok(JsonPath { keys, path })
    }
}
