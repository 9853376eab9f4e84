//! The requests a description has that read: their parameters and their answers.

use super::document::Description;
use super::schema::{Schema, Shape};
use super::text::{one_line, text_of_value};
use crate::document::JsonValue;

/// How many parameters of a path or an operation are read at most.
const MOST_PARAMETERS: usize = 300;

/// How many of the values that a parameter may have are told.
const MOST_CHOICES: usize = 30;

/// Where a parameter is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Header,
    /// In a cookie, a body or a form.
    Elsewhere,
}

/// A parameter of an operation.
#[derive(Clone, Copy)]
pub struct Parameter<'a> {
    pub name: &'a str,
    pub place: Place,
    pub is_required: bool,
    pub node: &'a JsonValue,
    pub schema: Schema<'a>,
}

/// A GET request and what it answers.
pub struct Operation<'a> {
    pub path: &'a str,
    pub node: &'a JsonValue,
    pub parameters: Vec<Parameter<'a>>,
    /// The schema of the answer, where it is JSON.
    pub answer: Option<Schema<'a>>,
    /// Whether the answer has a header `Link`.
    pub has_link_header: bool,
    /// The address that the request goes to, where it is its own.
    pub server: Option<&'a str>,
}

impl<'a> Parameter<'a> {
    /// Returns what the description says about the parameter.
    pub fn whole_text(&self) -> &'a str {
        self.node.get("description").and_then(JsonValue::as_str).or_else(|| self.schema.text("description")).unwrap_or("")
    }

    /// Returns a value that the description gives for it: its default, or the only one it may have.
    pub fn given_value(&self) -> Option<&'a JsonValue> {
        let only = || {
            let values = self.schema.value("enum").and_then(JsonValue::as_array)?;
            if let [only] = values.as_slice() {
                Some(only)
            } else {
                None
            }
        };
        self.schema.value("default").or_else(only).filter(|value| is_scalar(value))
    }

    /// Returns what the description says about it in one line.
    pub fn about(&self) -> String {
        Some(one_line(self.whole_text())).filter(|text| !text.is_empty()).unwrap_or_else(|| format!("Value of '{}'", self.name))
    }

    /// Returns what the parameter is for in one line, with the values that it may have or an example, where the description has them.
    pub fn told(&self) -> String {
        let text = self.about();
        let choices = self.schema.choices();
        if !choices.is_empty() {
            let named: Vec<String> = choices.iter().take(MOST_CHOICES).map(|value| text_of_value(value)).collect();
            let more = if choices.len() > MOST_CHOICES { ", ..." } else { "" };
            let how_many = if self.schema.shape() == Shape::List { "some" } else { "one" };
            return format!("{text}: {how_many} of {}{more}", named.join(", "));
        }
        let example = self.node.get("example").or_else(|| self.schema.value("example")).filter(|value| is_scalar(value));
        example.map_or(text.clone(), |example| format!("{text}, such as {}", text_of_value(example)))
    }
}

fn is_scalar(value: &JsonValue) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}

impl Description {
    /// Returns the GET operations, in the order of the document.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.root()["paths"].as_object();
        paths.into_iter().flatten().filter_map(|(path, item)| self.operation(path, item)).collect()
    }

    fn operation<'a>(&'a self, path: &'a str, item: &'a JsonValue) -> Option<Operation<'a>> {
        let item = self.resolved(item);
        let node = item.get("get").filter(|node| node.is_object())?;
        let mut parameters: Vec<Parameter<'_>> = Vec::new();
        for level in [node, item] {
            for parameter in level.get("parameters").and_then(JsonValue::as_array).into_iter().flatten().take(MOST_PARAMETERS) {
                let Some(parameter) = self.parameter(parameter) else { continue };
                // What the operation says wins over what the path says.
                if !parameters.iter().any(|other| (other.name, other.place) == (parameter.name, parameter.place)) {
                    parameters.push(parameter);
                }
            }
        }
        let response = self.good_response(node);
        let headers = response.and_then(|response| response.get("headers")).and_then(JsonValue::as_object);
        Some(Operation {
            path,
            node,
            parameters,
            answer: response.and_then(|response| self.json_schema(response)),
            has_link_header: headers.is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("link"))),
            server: [node, item].iter().find_map(|level| level.get("servers")?.get(0)?.get("url")?.as_str()),
        })
    }

    fn parameter<'a>(&'a self, node: &'a JsonValue) -> Option<Parameter<'a>> {
        let node = self.resolved(node);
        let name = node.get("name").and_then(JsonValue::as_str)?;
        let place = match node.get("in").and_then(JsonValue::as_str)? {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            _ => Place::Elsewhere,
        };
        let media = || node.get("content").and_then(JsonValue::as_object).and_then(|content| content.values().next()?.get("schema"));
        // Swagger 2.0 writes the type beside the name.
        let schema = node.get("schema").or_else(media).unwrap_or(node);
        let is_required = place == Place::Path || node.get("required") == Some(&JsonValue::Bool(true));
        Some(Parameter { name, place, is_required, node, schema: Schema::of(self, schema) })
    }

    /// Returns the answer of a request that succeeded.
    fn good_response<'a>(&'a self, operation: &'a JsonValue) -> Option<&'a JsonValue> {
        let responses = operation.get("responses").and_then(JsonValue::as_object)?;
        let named = ["200", "201", "2XX", "2xx", "206", "default"].iter().find_map(|status| responses.get(*status));
        named.map(|response| self.resolved(response))
    }

    fn json_schema<'a>(&'a self, response: &'a JsonValue) -> Option<Schema<'a>> {
        if let Some(content) = response.get("content").and_then(JsonValue::as_object) {
            let is_json = |media: &str| media.contains("json") || media == "*/*";
            let media = content.iter().find(|(media, _)| is_json(media)).map(|(_, media)| media)?;
            return Some(Schema::of(self, media.get("schema")?));
        }
        Some(Schema::of(self, response.get("schema")?))
    }
}

impl Operation<'_> {
    /// Returns the query parameter for which a test of its name holds.
    pub fn query_parameter(&self, is_it: impl Fn(&Parameter<'_>) -> bool) -> Option<&Parameter<'_>> {
        self.parameters.iter().find(|parameter| parameter.place == Place::Query && is_it(parameter))
    }
}
