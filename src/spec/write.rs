//! How the rows of a query are written back to a table's API.

use super::{ParamValue, Template};
use crate::json::JsonValue;
use std::fmt;
use std::num::NonZeroUsize;

/// How a table's rows are written: one request for each row, or for so many of them.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteDef {
    pub method: WriteMethod,
    /// Path below `base_url`; its `{holes}` are columns of the row, or options.
    pub path: Template,
    /// Query parameters; their `${holes}` are columns of the row, or options.
    pub params: Vec<(String, ParamValue)>,
    pub body: WriteBody,
    /// Most rows of one request; `None`: one, and the body is no list.
    pub batch: Option<NonZeroUsize>,
    /// Columns that name a row.
    pub key: Vec<String>,
    /// Header whose value stays the same when a request is sent again.
    pub idempotency_header: Option<String>,
}

impl WriteDef {
    /// Returns whether the API takes the same request twice as if it came once.
    pub fn may_repeat(&self) -> bool {
        self.idempotency_header.is_some() || matches!(self.method, WriteMethod::Put | WriteMethod::Delete)
    }

    /// Returns the most rows of one request.
    pub fn most_rows(&self) -> usize {
        self.batch.map_or(1, NonZeroUsize::get)
    }
}

/// The method of a request that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMethod {
    Post,
    Put,
    Patch,
    Delete,
}

impl WriteMethod {
    /// All there are, as specs write them.
    pub const NAMES: [&'static str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

    /// Returns the method of that name, in any case.
    pub fn named(name: &str) -> Option<WriteMethod> {
        let methods = [WriteMethod::Post, WriteMethod::Put, WriteMethod::Patch, WriteMethod::Delete];
        methods.into_iter().find(|method| method.name().eq_ignore_ascii_case(name))
    }

    /// Returns the name as HTTP has it.
    pub fn name(self) -> &'static str {
        match self {
            WriteMethod::Post => "POST",
            WriteMethod::Put => "PUT",
            WriteMethod::Patch => "PATCH",
            WriteMethod::Delete => "DELETE",
        }
    }
}

impl fmt::Display for WriteMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The body of a request that writes.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteBody {
    /// Nothing is sent.
    None,
    /// The columns that no hole takes: an object, or a list of one for each row of a batch.
    Rows,
    Template(BodyTemplate),
}

/// JSON with holes. A value never becomes anything else than a value: there is no text to break out of.
#[derive(Debug, Clone, PartialEq)]
pub enum BodyTemplate {
    /// A value without holes.
    Value(JsonValue),
    /// The value of the column or option itself, with its type.
    Hole(String),
    /// A text with holes in it.
    Text(Template),
    /// The rows of the batch, each an object of the columns that no hole takes.
    Rows,
    List(Vec<BodyTemplate>),
    Object(Vec<(String, BodyTemplate)>),
}

impl BodyTemplate {
    /// Returns the names of the holes, in order, repeats included; the rows are none.
    pub fn holes(&self) -> Vec<&str> {
        match self {
            BodyTemplate::Value(_) | BodyTemplate::Rows => Vec::new(),
            BodyTemplate::Hole(name) => vec![name],
            BodyTemplate::Text(template) => template.holes().collect(),
            BodyTemplate::List(elements) => elements.iter().flat_map(BodyTemplate::holes).collect(),
            BodyTemplate::Object(entries) => entries.iter().flat_map(|(_, value)| value.holes()).collect(),
        }
    }

    /// Returns whether the rows of the batch stand in it.
    pub fn has_rows(&self) -> bool {
        match self {
            BodyTemplate::Rows => true,
            BodyTemplate::Value(_) | BodyTemplate::Hole(_) | BodyTemplate::Text(_) => false,
            BodyTemplate::List(elements) => elements.iter().any(BodyTemplate::has_rows),
            BodyTemplate::Object(entries) => entries.iter().any(|(_, value)| value.has_rows()),
        }
    }
}
