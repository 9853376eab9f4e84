//! Writes the shapes of specs as JSON Schema (draft 7, which editors know best).

use super::shapes::{Keys, Mapping, Shape, Shapes, SELECTORS};
use crate::document::{json, JsonMap, JsonValue};
use crate::spec::Class;
use crate::yaml::trace::Read;
use std::collections::{BTreeMap, BTreeSet};

/// The key that says of which class a spec is.
const CLASS: &str = "class";

/// The types of scalars in YAML: a text may be written without quotes.
const SCALARS: [&str; 3] = ["string", "number", "boolean"];

/// Writes a schema.
pub struct Render<'a> {
    shapes: &'a Shapes,
    /// The name of each kind of mapping.
    names: BTreeMap<Keys, String>,
    /// The kinds of mappings that a selector tells from others, and the selector.
    selected: BTreeMap<Keys, String>,
    /// Tables of the reference: what each key means.
    meanings: Vec<BTreeMap<String, String>>,
}

impl<'a> Render<'a> {
    /// Prepares to write; descriptions are from the tables of the `reference`.
    pub fn new(shapes: &'a Shapes, reference: &str) -> Render<'a> {
        let mut render = Render { shapes, names: BTreeMap::new(), selected: BTreeMap::new(), meanings: tables_of(reference) };
        let all = shapes.mappings.values().flat_map(|mapping| mapping.keys.values().map(|(shape, _)| shape));
        for shape in all.chain([&shapes.spec]) {
            render.select(shape);
        }
        let mut taken = BTreeSet::new();
        for (keys, mapping) in &shapes.mappings {
            let kind = render.selected.get(keys).and_then(|selector| mapping.selectors.get(selector)?.iter().next());
            let name = kind.map_or(mapping.found_at.clone(), |kind| format!("{}_{kind}", mapping.found_at));
            let free = (1..).map(|nr| if nr == 1 { name.clone() } else { format!("{name}_{nr}") }).find(|name| taken.insert(name.clone()));
            render.names.insert(keys.clone(), free.unwrap_or_default());
        }
        render
    }

    /// Notes the selector of mappings that stand at the same place.
    fn select(&mut self, shape: &Shape) {
        for below in shape.items.iter().chain(&shape.values) {
            self.select(below);
        }
        let selector = SELECTORS.into_iter().find(|key| shape.mappings.iter().all(|keys| keys.iter().any(|own| own == key)));
        if let (Some(selector), true) = (selector, shape.mappings.len() > 1) {
            self.selected.extend(shape.mappings.iter().map(|keys| (keys.clone(), selector.to_string())));
        }
    }

    /// Returns the schema.
    pub fn schema(&self) -> JsonValue {
        let mut definitions: Vec<(&String, JsonValue)> =
            self.shapes.mappings.iter().map(|(keys, mapping)| (&self.names[keys], self.mapping(keys, mapping))).collect();
        definitions.sort_by(|a, b| a.0.cmp(b.0));
        let definitions: JsonMap<String, JsonValue> = definitions.into_iter().map(|(name, schema)| (name.clone(), schema)).collect();
        json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Adapter spec of Unify",
            "allOf": [self.shape(&self.shapes.spec, &BTreeSet::new()), self.of_classes()],
            "definitions": definitions,
        })
    }

    /// Returns what a spec of a class that makes its tables itself may not have, and what others must have.
    fn of_classes(&self) -> JsonValue {
        let own = words_of(|class| !class.has_requests());
        let decided: JsonMap<String, JsonValue> = Class::DECIDED.iter().map(|key| (key.to_string(), JsonValue::Bool(false))).collect();
        let needed = self.shapes.spec.mappings.iter().filter_map(|keys| self.shapes.mappings.get(keys)?.required.as_ref()).flatten();
        let needed: BTreeSet<&String> = needed.filter(|key| Class::DECIDED.contains(&key.as_str())).collect();
        json!({
            "if": { "type": "object", "required": [CLASS], "properties": { CLASS: one_of_words(&own) } },
            "then": { "properties": decided },
            "else": { "required": needed },
        })
    }

    fn mapping(&self, keys: &Keys, mapping: &Mapping) -> JsonValue {
        let mut properties = JsonMap::new();
        let is_spec = self.shapes.spec.mappings.contains(keys);
        for key in keys {
            let Some((shape, reads)) = mapping.keys.get(key) else { continue };
            let is_selector = self.selected.get(keys) == Some(key);
            let mut schema = match mapping.selectors.get(key).filter(|_| is_selector) {
                Some(values) => one_of_words(values),
                None if is_spec && key == CLASS => one_of_words(&words_of(|_| true)),
                None => self.value(shape, reads),
            };
            if let (Some(meaning), Some(object)) = (self.meaning(keys, key), schema.as_object_mut()) {
                object.insert("description".to_string(), meaning.into());
            }
            properties.insert(key.clone(), schema);
        }
        // What a class may decide is said of all specs at once.
        let is_decided = |key: &str| is_spec && Class::DECIDED.contains(&key);
        let required: Vec<&String> = mapping.required.iter().flatten().filter(|key| !is_decided(key)).collect();
        let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if let (false, Some(object)) = (required.is_empty(), schema.as_object_mut()) {
            object.insert("required".to_string(), json!(required));
        }
        schema
    }

    /// Returns the schema of a key's value. Null counts as absent.
    fn value(&self, shape: &Shape, reads: &BTreeSet<Read>) -> JsonValue {
        if reads.is_empty() && *shape == Shape::default() {
            return json!({});
        }
        self.shape(shape, reads)
    }

    fn shape(&self, shape: &Shape, reads: &BTreeSet<Read>) -> JsonValue {
        let mut types: Vec<&str> = vec!["null"];
        let mut others = Vec::new();
        let is_path = reads.contains(&Read::Path);
        for read in reads {
            match read {
                Read::Text | Read::Required if is_path => {}
                Read::Text | Read::Required | Read::Texts => types.extend(SCALARS),
                Read::Path => types.extend(["string", "number"]),
                Read::Boolean => {
                    types.push("boolean");
                    others.push(json!({ "enum": ["true", "false", "yes", "no", "on", "off"] }));
                }
                Read::Count(least) => {
                    others.push(json!({ "type": "integer", "minimum": least }));
                    others.push(json!({ "type": "string", "pattern": "^ *[0-9]+ *$" }));
                }
                Read::Number => {
                    others.push(json!({ "type": "number", "minimum": 0 }));
                    others.push(json!({ "type": "string", "pattern": "^ *[0-9.eE+-]+ *$" }));
                }
            }
        }
        if shape.has_scalars && reads.is_empty() {
            types.extend(SCALARS);
        }
        types.sort_unstable();
        types.dedup();
        if let Some(items) = &shape.items {
            others.push(match items.all_mappings().is_empty() {
                true => json!({ "type": "array" }),
                false => json!({ "type": "array", "items": self.shape(items, &BTreeSet::new()) }),
            });
        } else if reads.contains(&Read::Texts) {
            others.push(json!({ "type": "array", "items": { "type": SCALARS } }));
        }
        others.extend(shape.mappings.iter().map(|keys| json!({ "$ref": format!("#/definitions/{}", self.names[keys]) })));
        if let Some(values) = &shape.values {
            others.push(match values.all_mappings().is_empty() {
                true => json!({ "type": "object" }),
                false => json!({ "type": "object", "additionalProperties": self.shape(values, &BTreeSet::new()) }),
            });
        }
        match others.is_empty() {
            true => json!({ "type": types }),
            false => json!({ "anyOf": std::iter::once(json!({ "type": types })).chain(others).collect::<Vec<_>>() }),
        }
    }

    /// Returns what a key means, by the table of the reference that has most of the mapping's keys.
    fn meaning(&self, keys: &Keys, key: &str) -> Option<String> {
        let n_common = |table: &&BTreeMap<String, String>| keys.iter().filter(|key| table.contains_key(*key)).count();
        self.meanings.iter().filter(|table| table.contains_key(key)).max_by_key(n_common)?.get(key).cloned()
    }
}

/// Returns what specs write for some of the classes.
fn words_of(is_meant: impl Fn(Class) -> bool) -> BTreeSet<String> {
    let classes = Class::ALL.iter().filter(|class| is_meant(**class));
    classes.flat_map(|class| [class.key(), class.name()]).map(str::to_string).collect()
}

/// Returns the schema of one of several words, whatever their case.
fn one_of_words(words: &BTreeSet<String>) -> JsonValue {
    let any_case = |c: char| match c.is_ascii_alphabetic() {
        true => format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase()),
        false => c.to_string(),
    };
    let patterns: Vec<String> = words.iter().map(|word| word.chars().map(any_case).collect()).collect();
    json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": format!("^({})$", patterns.join("|")) }] })
}

/// Returns the tables of a page whose rows begin with keys: the last cell says what they mean.
fn tables_of(page: &str) -> Vec<BTreeMap<String, String>> {
    let mut tables = vec![BTreeMap::new()];
    for line in page.lines() {
        let Some(row) = line.strip_prefix("| `") else {
            if !line.starts_with('|') {
                tables.push(BTreeMap::new());
            }
            continue;
        };
        let row = row.replace("\\|", "\u{1}");
        let cells: Vec<&str> = row.trim_end().trim_end_matches('|').split('|').map(str::trim).collect();
        let (Some(keys), Some(meaning), Some(table)) = (cells.first(), cells.last(), tables.last_mut()) else { continue };
        if meaning.is_empty() {
            continue;
        }
        for key in keys.split(',').map(|key| key.trim().trim_matches('`')) {
            table.insert(key.to_string(), plain(&meaning.replace('\u{1}', "|")));
        }
    }
    tables
}

/// Returns a text without the links of Markdown.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        let Some((words, after)) = link.split_once("](") else { break };
        let Some((_, after)) = after.split_once(')') else { break };
        out.push_str(before);
        out.push_str(words);
        rest = after;
    }
    out + rest
}
