//! Reads the keys of one mapping as the types they must have.

use super::{Key, Mistakes, Node};
use crate::document::JsonPath;

/// A mapping whose keys are all known; each accessor adds a mistake when its value has the wrong type.
///
/// A key whose value is null counts as absent, except for [`Fields::node`].
#[derive(Clone)]
pub struct Fields<'a> {
    node: &'a Node,
    entries: &'a [(Key, Node)],
    place: String,
    mistakes: &'a Mistakes,
}

impl<'a> Fields<'a> {
    /// Reads `node` as a mapping with the `valid` keys. `place` says whose it is, such as `table 'repos'`. Unknown keys are
    /// mistakes; `None`, and a mistake, when the node is not a mapping.
    pub fn of(node: &'a Node, place: impl Into<String>, valid: &[&str], mistakes: &'a Mistakes) -> Option<Fields<'a>> {
        let place = place.into();
        let Some(entries) = node.mapping() else {
            mistakes.at(node, format!("{place} is {}; expected a mapping", node.describe()));
            return None;
        };
        #[cfg(test)]
        super::trace::note_mapping(node, valid);
        for (key, _) in entries {
            if !valid.contains(&key.name.as_str()) {
                mistakes.unknown_key(key, &place, valid);
            }
        }
        Some(Fields { node, entries, place, mistakes })
    }

    /// Returns the mapping itself.
    pub fn mapping_node(&self) -> &'a Node {
        self.node
    }

    /// Returns whose mapping this is.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns the collector.
    pub fn mistakes(&self) -> &'a Mistakes {
        self.mistakes
    }

    /// Returns the value of a key, null included.
    pub fn node(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(entry, _)| entry.name == key).map(|(_, node)| node)
    }

    /// Returns the value of a key that is there and not null.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.node(key).filter(|node| !node.is_null())
    }

    /// Returns a scalar as it is written.
    pub fn text(&self, key: &str) -> Option<String> {
        #[cfg(test)]
        super::trace::note_key(self.node, key, super::trace::Read::Text);
        let node = self.get(key)?;
        let text = node.text();
        if text.is_none() {
            self.wrong(key, node, "a text");
        }
        text.map(str::to_string)
    }

    /// Returns a text that must be there and not be empty.
    pub fn required_text(&self, key: &str) -> Option<String> {
        #[cfg(test)]
        super::trace::note_key(self.node, key, super::trace::Read::Required);
        if self.get(key).is_none() {
            self.mistakes.at(self.node, format!("{} has no '{key}'", self.place));
            return None;
        }
        let text = self.text(key)?;
        if text.trim().is_empty() {
            self.mistakes.at(self.node(key)?, format!("'{key}' of {} is empty", self.place));
            return None;
        }
        Some(text)
    }

    /// Returns a JSONPath.
    pub fn json_path(&self, key: &str) -> Option<JsonPath> {
        #[cfg(test)]
        super::trace::note_key(self.node, key, super::trace::Read::Path);
        let text = self.text(key)?;
        match JsonPath::parse(&text) {
            Ok(path) => Some(path),
            Err(err) => {
                self.mistakes.at(self.get(key)?, format!("'{key}' of {}: {err}", self.place));
                None
            }
        }
    }

    /// Returns a JSONPath that must be there.
    pub fn required_json_path(&self, key: &str) -> Option<JsonPath> {
        self.required_text(key)?;
        self.json_path(key)
    }

    /// Returns a boolean; `yes`, `no`, `on` and `off` are taken too.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        #[cfg(test)]
        super::trace::note_key(self.node, key, super::trace::Read::Boolean);
        let node = self.get(key)?;
        match node.text().unwrap_or("").to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => {
                self.wrong(key, node, "true or false");
                None
            }
        }
    }

    /// Returns a whole number of at least `least`, also when it is quoted.
    pub fn count(&self, key: &str, least: u64) -> Option<u64> {
        #[cfg(test)]
        super::trace::note_key(self.node, key, super::trace::Read::Count(least));
        let node = self.get(key)?;
        let count = node.text().and_then(|text| text.trim().parse().ok()).filter(|count| *count >= least);
        if count.is_none() {
            self.wrong(key, node, &format!("a whole number of {least} or more"));
        }
        count
    }

    /// Returns a number of at least 0, also when it is quoted.
    pub fn number(&self, key: &str) -> Option<f64> {
        #[cfg(test)]
        super::trace::note_key(self.node, key, super::trace::Read::Number);
        let node = self.get(key)?;
        let number = node.text().and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| number.is_finite() && *number >= 0.0);
        if number.is_none() {
            self.wrong(key, node, "a number of 0 or more");
        }
        number
    }

    /// Returns a list of texts; a single text counts as a list of one. Empty when the key is absent.
    pub fn texts(&self, key: &str) -> Vec<String> {
        #[cfg(test)]
        super::trace::note_key(self.node, key, super::trace::Read::Texts);
        let Some(node) = self.get(key) else { return Vec::new() };
        let nodes = node.list().unwrap_or(std::slice::from_ref(node));
        let mut texts = Vec::new();
        for element in nodes {
            match element.text() {
                Some(text) => texts.push(text.to_string()),
                None => self.wrong(key, element, "a text or a list of texts"),
            }
        }
        texts
    }

    /// Returns the parts of a comma-separated text, or the elements of a list; blanks around them and empty ones are dropped.
    pub fn comma_texts(&self, key: &str) -> Vec<String> {
        let texts = self.texts(key);
        texts.iter().flat_map(|text| text.split(',')).map(|part| part.trim().to_string()).filter(|part| !part.is_empty()).collect()
    }

    /// Adds a mistake about the value of a key: what it is and what was expected.
    pub fn wrong(&self, key: &str, node: &Node, expected: &str) {
        self.mistakes.at(node, format!("'{key}' of {} is {}; expected {expected}", self.place, node.describe()));
    }
}
