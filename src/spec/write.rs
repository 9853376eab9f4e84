//! How the rows of a query are written back to a table's API.

use super::{Body, Method, ParamValue, Template};
use std::num::NonZeroUsize;

/// The ways to write a table's rows: one without a name, or several with one each.
#[derive(Debug, Clone, PartialEq)]
pub struct Writes {
    /// Each with the action's name; empty where there is only one way. Never empty.
    pub actions: Vec<(String, WriteDef)>,
}

impl Writes {
    /// All names that an action may have.
    pub const ACTIONS: [&'static str; 4] = ["insert", "update", "delete", "upsert"];

    /// Returns the names of the actions; none where there is only one way.
    pub fn names(&self) -> Vec<&str> {
        self.actions.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty()).collect()
    }

    /// Returns what an action does; without one, the only way there is.
    pub fn action(&self, name: Option<&str>) -> Option<&WriteDef> {
        match (name, self.actions.as_slice()) {
            (None, [(_, only)]) => Some(only),
            (None, _) => None,
            (Some(name), actions) => actions.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, write_def)| write_def),
        }
    }
}

/// How a table's rows are written: one request for each row, or for so many of them.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteDef {
    pub method: Method,
    /// Path below `base_url`; its holes are columns of the row, or options.
    pub path: Template,
    /// Besides those of the table.
    pub headers: Vec<(String, Template)>,
    /// Query parameters; their holes are columns of the row, or options.
    pub params: Vec<(String, ParamValue)>,
    pub body: Body,
    /// Most rows of one request; `None`: one, and the body is not a list.
    pub batch: Option<NonZeroUsize>,
    /// Columns that name a row.
    pub key: Vec<String>,
    /// Header whose value stays the same when a request is sent again.
    pub idempotency_header: Option<String>,
    /// Most requests under way at once: beyond one, their order does not matter.
    pub concurrency: NonZeroUsize,
    /// Whether the API takes the same request twice as if it came once, where the spec says so.
    pub is_safe: Option<bool>,
}

impl WriteDef {
    /// Returns whether the API takes the same request twice as if it came once.
    pub fn may_repeat(&self) -> bool {
        let is_idempotent = self.idempotency_header.is_some() || matches!(self.method, Method::Put | Method::Delete);
        self.is_safe.unwrap_or(is_idempotent)
    }

    /// Returns the most rows of one request.
    pub fn most_rows(&self) -> usize {
        self.batch.map_or(1, NonZeroUsize::get)
    }

    /// Returns all texts with holes, in order.
    pub fn templates(&self) -> Vec<&Template> {
        let params = self.params.iter().flat_map(|(_, value)| value.templates());
        let headers = self.headers.iter().map(|(_, value)| value);
        std::iter::once(&self.path).chain(headers).chain(params).chain(self.body.templates()).collect()
    }
}
