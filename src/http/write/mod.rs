//! Requests that write: what a row's columns become, and the request for some rows.

mod body;
#[cfg(test)]
mod tests;

use super::request::{url_of, Values};
use super::{ApiRequest, ParamSet};
use crate::json::JsonValue;
use crate::spec::yaml::nearest;
use crate::spec::{Connection, ParamValue, TableDef, Template, WriteBody, WriteDef, WriteMethod};
use crate::{Error, Result};
use ring::digest::{digest, SHA256};
use std::collections::HashSet;
use std::sync::Arc;

/// The values of a row that is written, one for each column.
pub type WriteRow = Vec<JsonValue>;

/// How rows with certain columns become requests to a table's API.
pub struct WritePlan {
    pub(super) connection: Arc<Connection>,
    /// The spec's headers for the table.
    headers: Vec<(String, Template)>,
    pub(super) write_def: WriteDef,
    pub(super) columns: Vec<String>,
    /// Columns that a hole takes: rows of one request have the same values there.
    taken: Vec<usize>,
    /// Columns that name a row.
    key: Vec<usize>,
}

/// A request that writes, without credentials. Its URL and body may hold secret option values.
pub struct WriteRequest {
    pub method: WriteMethod,
    pub request: ApiRequest,
    /// JSON.
    pub body: Option<String>,
    /// Whether the API takes it twice as if it came once.
    pub may_repeat: bool,
    /// The header that tells the API a second try from another request, and its value.
    pub idempotency: Option<(String, String)>,
}

impl WritePlan {
    /// Decides what the columns become. Fails when a hole has no column and no option, when a column would go nowhere, and when a
    /// key column is missing.
    pub fn new(connection: Arc<Connection>, table_def: &TableDef, columns: &[String]) -> Result<WritePlan> {
        let write_def = table_def.write.clone().ok_or_else(|| Error::internal("a table without 'write' is written to"))?;
        let idx_of = |name: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(name));
        let is_option = |name: &str| connection.adapter.all_options().iter().any(|option| option.name == name);
        let holes = holes_of(&write_def);
        let mut missing: Vec<&str> = holes.iter().copied().filter(|hole| idx_of(hole).is_none() && !is_option(hole)).collect();
        missing.extend(write_def.key.iter().map(String::as_str).filter(|name| idx_of(name).is_none()));
        let mut seen = HashSet::new();
        missing.retain(|name| seen.insert(name.to_lowercase()));
        if !missing.is_empty() {
            return Err(missing_columns(&missing, columns));
        }
        let mut taken: Vec<usize> = holes.iter().filter_map(|hole| idx_of(hole)).collect();
        taken.sort_unstable();
        taken.dedup();
        let key: Vec<usize> = write_def.key.iter().filter_map(|name| idx_of(name)).collect();
        let has_rows = match &write_def.body {
            WriteBody::None => false,
            WriteBody::Rows => true,
            WriteBody::Template(template) => template.has_rows(),
        };
        let unused = (0..columns.len()).find(|idx| !has_rows && !taken.contains(idx) && !key.contains(idx));
        if let Some(idx) = unused {
            return Err(Error::config(format!(
                "column '{}' goes nowhere: no hole of the spec's 'write' takes it; leave it out of the SELECT",
                columns[idx]
            )));
        }
        let headers = table_def.headers.clone();
        Ok(WritePlan { connection, headers, write_def, columns: columns.to_vec(), taken, key })
    }

    /// Returns the most rows of one request.
    pub fn most_rows(&self) -> usize {
        self.write_def.most_rows()
    }

    /// Returns whether a row can go into one request with those of `rows`, which are not empty.
    pub fn fits(&self, rows: &[WriteRow], row: &WriteRow) -> bool {
        let is_same = |idx: &usize| rows.first().is_some_and(|first| first.get(*idx) == row.get(*idx));
        rows.len() < self.most_rows() && self.taken.iter().all(is_same)
    }

    /// Returns the request that writes the rows, of which there is at least one. `repeat` says how many requests of the same
    /// content the statement has made before. Fails when a value cannot stand where it goes.
    pub fn request(&self, rows: &[WriteRow], repeat: impl FnOnce(&str) -> u64) -> Result<WriteRequest> {
        let first = rows.first().ok_or_else(|| Error::internal("a request without rows"))?;
        let none = ParamSet::default();
        let options = Values { connection: &self.connection, param_set: &none };
        let base_text = options.base_text(&self.connection.adapter.base_url)?;
        let base = url_of(&base_text, "")?;
        let holes = self.path_values(first)?;
        // The base URL sees no row: where credentials go is nothing that data decides.
        let mut url = url_of(&base_text, &Values { connection: &self.connection, param_set: &holes }.path_text(&self.write_def.path)?)?;
        let pairs = self.params(first)?;
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let mut headers = options.headers(&self.connection.adapter.headers, &self.headers)?;
        let body = self.body(rows)?;
        if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("Content-Type".to_string(), "application/json".to_string()));
        }
        let method = self.write_def.method;
        let idempotency = self.write_def.idempotency_header.as_ref().map(|name| {
            let content = self.content_hash(&format!("{method} {url}"), body.as_deref(), rows);
            let n_before = repeat(&content);
            let value = if n_before == 0 { content } else { hash_of(&[content.as_bytes(), &n_before.to_be_bytes()]) };
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.clone()));
            (name.clone(), value)
        });
        let may_repeat = self.write_def.may_repeat();
        Ok(WriteRequest { method, request: ApiRequest { url, base, headers }, body, may_repeat, idempotency })
    }

    /// Returns what names the rows: `id 5, 6`, `owner 'a', repo 'b'`; empty without key columns.
    pub fn names_of(&self, rows: &[WriteRow]) -> String {
        /// Names in one message.
        const MOST_NAMES: usize = 5;
        let mut names: Vec<String> = Vec::new();
        for row in rows.iter().take(MOST_NAMES) {
            let name = |idx: &usize| row.get(*idx).map(|value| format!("{} {value}", self.columns[*idx])).unwrap_or_default();
            names.push(self.key.iter().map(name).collect::<Vec<_>>().join(", "));
        }
        names.retain(|name| !name.is_empty());
        let more = if names.is_empty() || rows.len() <= MOST_NAMES { "" } else { "; ..." };
        format!("{}{more}", names.join("; "))
    }

    fn path_values(&self, row: &WriteRow) -> Result<ParamSet> {
        let mut param_set = ParamSet::default();
        for hole in self.write_def.path.holes() {
            let Some((column, value)) = self.value(row, hole) else { continue };
            let text = text_of(column, value)?
                .ok_or_else(|| Error::data(format!("column '{column}' is NULL, and the request's path cannot be without it")))?;
            param_set.values.push((hole.to_string(), ParamValue::Text(text)));
        }
        Ok(param_set)
    }

    /// Returns the query parameters; one that is nothing but a value that is null is left out.
    fn params(&self, row: &WriteRow) -> Result<Vec<(String, String)>> {
        let mut pairs = Vec::new();
        for (name, value) in &self.write_def.params {
            let text = match value {
                ParamValue::Template(template) => self.filled(template, row)?,
                other => other.to_text(),
            };
            pairs.extend(text.map(|text| (name.clone(), text)));
        }
        Ok(pairs)
    }

    /// Fills a text's holes from the row, then from the options. `None` when it is nothing but a hole whose value is null.
    pub(super) fn filled(&self, template: &Template, row: &WriteRow) -> Result<Option<String>> {
        let mut values: Vec<(&str, Option<String>)> = Vec::new();
        for hole in template.holes() {
            values.push((
                hole,
                match self.value(row, hole) {
                    Some((column, value)) => text_of(column, value)?,
                    None => self.option(hole),
                },
            ));
        }
        if template.parts().len() == 1 && values.iter().any(|(_, value)| value.is_none()) {
            return Ok(None);
        }
        let value_of = |name: &str| values.iter().find(|(hole, _)| *hole == name).and_then(|(_, value)| value.clone());
        let text = template.render(value_of).map_err(|err| Error::data(format!("{err}, which is part of a text")))?;
        Ok(Some(text))
    }

    /// Returns the column of that name and its value in the row.
    pub(super) fn value<'r>(&'r self, row: &'r WriteRow, name: &str) -> Option<(&'r str, &'r JsonValue)> {
        let idx = self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))?;
        Some((&self.columns[idx], row.get(idx)?))
    }

    pub(super) fn option(&self, name: &str) -> Option<String> {
        self.connection.options.values.get(name).map(|value| value.expose().to_string())
    }

    /// Returns whether a hole takes the column.
    pub(super) fn is_taken(&self, idx: usize) -> bool {
        self.taken.contains(&idx)
    }

    /// Returns a hash of what a request does to the API: equal for the same content in any process and statement.
    fn content_hash(&self, target: &str, body: Option<&str>, rows: &[WriteRow]) -> String {
        let keys: Vec<JsonValue> =
            rows.iter().map(|row| self.key.iter().map(|idx| row.get(*idx).cloned().unwrap_or(JsonValue::Null)).collect()).collect();
        hash_of(&[target.as_bytes(), body.unwrap_or("").as_bytes(), JsonValue::Array(keys).to_string().as_bytes()])
    }
}

/// Returns the names of all holes, in order.
fn holes_of(write_def: &WriteDef) -> Vec<&str> {
    let mut holes: Vec<&str> = write_def.path.holes().collect();
    for (_, value) in &write_def.params {
        if let ParamValue::Template(template) = value {
            holes.extend(template.holes());
        }
    }
    if let WriteBody::Template(template) = &write_def.body {
        holes.extend(template.holes());
    }
    holes
}

fn missing_columns(missing: &[&str], columns: &[String]) -> Error {
    let quoted: Vec<String> = missing.iter().map(|name| format!("'{name}'")).collect();
    let hint = nearest(missing[0], columns.iter().map(String::as_str)).map_or(String::new(), |near| format!("; is it '{near}'?"));
    let noun = if missing.len() == 1 { "column" } else { "columns" };
    Error::config(format!("the spec's 'write' needs {noun} {}, which the query does not have{hint}", quoted.join(", ")))
}

/// Returns a value as text for a URL or a text; `None` for null. Fails for lists and objects, which have no such form.
fn text_of(column: &str, value: &JsonValue) -> Result<Option<String>> {
    match value {
        JsonValue::Null => Ok(None),
        JsonValue::String(text) => Ok(Some(text.clone())),
        JsonValue::Bool(_) | JsonValue::Number(_) => Ok(Some(value.to_string())),
        JsonValue::Array(_) | JsonValue::Object(_) => {
            Err(Error::data(format!("column '{column}' is a list or an object, which cannot be part of a text")))
        }
    }
}

/// Returns 32 hexadecimal digits for the parts. Of two requests with equal digits an API does only one, so the hash is one that
/// nothing collides under.
fn hash_of(parts: &[&[u8]]) -> String {
    let mut content = b"unify write 1".to_vec();
    for part in parts {
        content.extend_from_slice(&(part.len() as u64).to_be_bytes());
        content.extend_from_slice(part);
    }
    digest(&SHA256, &content).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
