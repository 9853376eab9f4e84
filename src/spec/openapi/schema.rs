//! What a schema of a description says about a value: its shape, its properties, the elements of a list.

use super::document::Description;
use crate::document::JsonValue;

/// How many schemas are put together into one at most.
const MOST_PARTS: usize = 64;
/// How deep they may stand in one another.
const MOST_LEVELS: usize = 8;
/// As much for a list of values, each part of which is looked through for itself.
const MOST_ALTERNATIVES: usize = 16;
const MOST_LEVELS_OF_VALUES: usize = 3;

/// A schema, its reference resolved.
#[derive(Clone, Copy)]
pub struct Schema<'a> {
    description: &'a Description,
    node: &'a JsonValue,
}

/// What kind of value a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    List,
    Object,
    Scalar,
    /// It does not say.
    Open,
}

impl<'a> Schema<'a> {
    /// Returns the schema at a node.
    pub fn of(description: &'a Description, node: &'a JsonValue) -> Schema<'a> {
        Schema { description, node: description.resolved(node) }
    }

    /// Returns the schema itself, those it is made of, and its alternatives.
    fn parts(self) -> Vec<&'a JsonValue> {
        let mut parts = vec![self.node];
        let (mut idx, mut end_of_level, mut n_levels) = (0, 1, 0);
        while idx < parts.len() && parts.len() < MOST_PARTS && n_levels < MOST_LEVELS {
            for key in ["allOf", "oneOf", "anyOf"] {
                let within = parts[idx].get(key).and_then(JsonValue::as_array).map(Vec::as_slice).unwrap_or_default();
                let n_free = MOST_PARTS.saturating_sub(parts.len());
                parts.extend(within.iter().take(n_free).map(|part| self.description.resolved(part)));
            }
            idx += 1;
            if idx == end_of_level {
                (end_of_level, n_levels) = (parts.len(), n_levels + 1);
            }
        }
        parts
    }

    /// Returns what kind of value it is, by the first part that says so.
    pub fn shape(self) -> Shape {
        self.parts().into_iter().map(shape_of).find(|shape| *shape != Shape::Open).unwrap_or(Shape::Open)
    }

    /// Returns the schema of a list's elements.
    pub fn items(self) -> Option<Schema<'a>> {
        let items = self.parts().into_iter().find_map(|part| part.get("items").filter(|items| items.is_object()))?;
        Some(Schema::of(self.description, items))
    }

    /// Returns the properties of an object, of all its parts and alternatives, each once.
    pub fn properties(self) -> Vec<(&'a str, Schema<'a>)> {
        let mut found: Vec<(&str, Schema<'_>)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        for part in self.parts() {
            for (name, node) in part.get("properties").and_then(JsonValue::as_object).into_iter().flatten() {
                if names.insert(name.as_str()) {
                    found.push((name, Schema::of(self.description, node)));
                }
            }
        }
        found
    }

    /// Returns the property of that name.
    pub fn property(self, name: &str) -> Option<Schema<'a>> {
        let node = self.parts().into_iter().find_map(|part| part.get("properties").and_then(|properties| properties.get(name)))?;
        Some(Schema::of(self.description, node))
    }

    /// Returns whether an object may have properties that are not named: it names none, or says that there are others.
    pub fn is_open(self) -> bool {
        let parts = self.parts();
        let names_some =
            parts.iter().any(|part| part.get("properties").and_then(JsonValue::as_object).is_some_and(|names| !names.is_empty()));
        let has_others = parts.iter().any(|part| part.get("additionalProperties").is_some_and(|others| *others != JsonValue::Bool(false)));
        !names_some || has_others
    }

    /// Returns whether the value may have this type.
    pub fn has_type(self, name: &str) -> bool {
        self.parts().into_iter().any(|part| types_of(part).any(|found| found == name))
    }

    /// Returns a text of the schema: `format`, `description`.
    pub fn text(self, key: &str) -> Option<&'a str> {
        self.parts().into_iter().find_map(|part| part.get(key).and_then(JsonValue::as_str))
    }

    /// Returns a number of the schema: `maximum`, `default`.
    pub fn number(self, key: &str) -> Option<i64> {
        self.parts().into_iter().find_map(|part| whole(part.get(key)?))
    }

    /// Returns whether the description says that the value should not be used any more, as OpenAPI does or in a key of its own.
    pub fn is_deprecated(self) -> bool {
        let says = |key: &str, value: &JsonValue| match value {
            JsonValue::Bool(is_so) => *is_so && key.contains("deprecated"),
            JsonValue::String(text) => key.starts_with("x-") && (key.contains("deprecated") || text.eq_ignore_ascii_case("deprecated")),
            _ => false,
        };
        self.parts().into_iter().filter_map(JsonValue::as_object).flatten().any(|(key, value)| says(key, value))
    }

    /// Returns the values that it, or each element of a list, may have, where the description lists them all and they are several.
    pub fn choices(self) -> Vec<&'a JsonValue> {
        let values = self.listed(0).or_else(|| self.items()?.listed(0)).unwrap_or_default();
        if values.len() > 1 {
            values
        } else {
            Vec::new()
        }
    }

    /// Returns the values that an `enum` lists: where there are alternatives, each needs one.
    fn listed(self, depth: usize) -> Option<Vec<&'a JsonValue>> {
        let is_scalar = |value: &&JsonValue| value.is_string() || value.is_number() || value.is_boolean();
        let below = |key: &str| {
            let parts = self.node.get(key).and_then(JsonValue::as_array)?;
            let is_read = depth < MOST_LEVELS_OF_VALUES && parts.len() <= MOST_ALTERNATIVES;
            is_read.then(|| parts.iter().map(|part| Schema::of(self.description, part)).collect::<Vec<_>>())
        };
        if let Some(values) = self.node.get("enum").and_then(JsonValue::as_array) {
            return Some(values.iter().filter(is_scalar).collect());
        }
        if let Some(parts) = below("allOf") {
            return parts.into_iter().find_map(|part| part.listed(depth + 1));
        }
        let alternatives = below("oneOf").or_else(|| below("anyOf"))?;
        let alternatives = alternatives.into_iter().filter(|part| !part.node.get("type").is_some_and(|name| name == "null"));
        let listed: Vec<Vec<&JsonValue>> = alternatives.map(|part| part.listed(depth + 1)).collect::<Option<_>>()?;
        Some(listed.into_iter().flatten().collect())
    }

    /// Returns the value of a key of the schema.
    pub fn value(self, key: &str) -> Option<&'a JsonValue> {
        self.parts().into_iter().find_map(|part| part.get(key))
    }
}

/// Returns a whole number, also when it is written with a point.
fn whole(value: &JsonValue) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15).map(|number| number as i64))
}

fn types_of(part: &JsonValue) -> impl Iterator<Item = &str> {
    let types = part.get("type");
    let listed = types.and_then(JsonValue::as_array).into_iter().flatten();
    types.into_iter().chain(listed).filter_map(JsonValue::as_str)
}

fn shape_of(part: &JsonValue) -> Shape {
    for name in types_of(part) {
        match name {
            "array" => return Shape::List,
            "object" => return Shape::Object,
            "string" | "number" | "integer" | "boolean" => return Shape::Scalar,
            _ => {}
        }
    }
    if part.get("properties").is_some() || part.get("additionalProperties").is_some() {
        return Shape::Object;
    }
    match (part.get("items").is_some(), part.get("enum").is_some()) {
        (true, _) => Shape::List,
        (_, true) => Shape::Scalar,
        _ => Shape::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(schemas: &str) -> Description {
        Description::parse("a.yaml", &format!("openapi: 3.1.0\npaths: {{}}\ncomponents:\n  schemas:\n{schemas}")).unwrap()
    }

    fn schema<'a>(description: &'a Description, name: &str) -> Schema<'a> {
        Schema::of(description, &description.root()["components"]["schemas"][name])
    }

    #[test]
    fn parts_and_alternatives_are_one_schema() {
        let description = description(
            "    a: {allOf: [{$ref: '#/components/schemas/b'}, {properties: {y: {type: [integer, 'null']}}}]}\n    \
             b: {type: object, properties: {x: {oneOf: [{type: 'null'}, {type: array, items: {type: string}}]}}}\n",
        );
        let found = schema(&description, "a");
        assert_eq!(found.shape(), Shape::Object);
        assert_eq!(found.properties().iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["x", "y"]);
        let listed = found.property("x").unwrap();
        assert_eq!((listed.shape(), listed.items().unwrap().shape()), (Shape::List, Shape::Scalar));
        assert!(found.property("y").unwrap().has_type("integer") && !found.is_open() && listed.is_open());
    }

    #[test]
    fn values_are_all_listed_or_none() {
        let description = description(
            "    a: {enum: [x, y, null]}\n    b: {allOf: [{type: string}, {$ref: '#/components/schemas/a'}]}\n    \
             c: {oneOf: [{$ref: '#/components/schemas/a'}, {type: 'null'}, {enum: [z]}]}\n    d: {anyOf: [{enum: [x, y]}, {type: string}]}\n    \
             e: {type: array, items: {enum: [1, 2]}}\n    f: {enum: [x]}\n    g: {oneOf: [{$ref: '#/components/schemas/g'}]}\n",
        );
        let check = |name: &str, expected: &str| {
            let found: Vec<String> = schema(&description, name).choices().into_iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), expected, "{name}");
        };
        check("a", "\"x\" \"y\"");
        check("b", "\"x\" \"y\"");
        check("c", "\"x\" \"y\" \"z\"");
        check("d", "");
        check("e", "1 2");
        check("f", "");
        check("g", "");
    }

    #[test]
    fn a_schema_made_of_itself_ends() {
        let refs = ", {$ref: '#/components/schemas/a'}".repeat(100);
        let description = description(&format!("    a: {{allOf: [{{properties: {{x: {{}}}}}}{refs}]}}\n"));
        let found = schema(&description, "a");
        assert_eq!(found.properties().len(), 1);
        assert_eq!(found.shape(), Shape::Object);
    }
}
