//! Requests that write: what a row's columns become, and the request for some rows.

mod body;
#[cfg(test)]
mod tests;

use super::body::body_of;
use super::message::Request;
use super::request::{url_of, Values};
use super::ParamSet;
use crate::document::{Format, JsonValue};
use crate::source::PageValues;
use crate::spec::{Builtin, Connection, Filled, JsonTemplate, LoadValues, ParamValue, Sources, TableDef, Template, WriteDef};
use crate::yaml::nearest;
use crate::{Error, Result};
use ring::digest::{digest, SHA256};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The values of a row that is written, one for each column.
pub type WriteRow = Vec<JsonValue>;

/// How rows with certain columns become requests to a table's API.
pub struct WritePlan {
    pub(super) connection: Arc<Connection>,
    base_url: Template,
    /// The spec's headers for the table, and the action's own.
    headers: Vec<(String, Template)>,
    /// The name of the table's own limits.
    throttle: Option<String>,
    pub(super) write_def: WriteDef,
    pub(super) columns: Vec<String>,
    /// Columns that a hole of the action takes. They are not in a body that has the whole row.
    taken: Vec<usize>,
    /// Columns that a hole takes, also one of the headers that all requests have: rows of one request have the same values there.
    shared: Vec<usize>,
    /// Columns that name a row.
    key: Vec<usize>,
}

/// A request that writes, without credentials. Its URL and body may hold secret option values.
pub struct WriteRequest {
    /// Its body is JSON.
    pub request: Request,
    /// Whether the API takes it twice as if it came once.
    pub may_repeat: bool,
    /// The header that tells the API a second try from another request, and its value.
    pub idempotency: Option<(String, String)>,
}

impl WritePlan {
    /// Decides what the columns become. Fails when a hole has no column and no option, when a column would go nowhere, and when a
    /// key column is missing.
    pub fn new(connection: Arc<Connection>, table_def: &TableDef, write_def: &WriteDef, columns: &[String]) -> Result<WritePlan> {
        let write_def = write_def.clone();
        let idx_of = |name: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(name));
        let is_option = |name: &str| connection.adapter.all_options().iter().any(|option| option.name == name);
        let holes: Vec<&str> = write_def.templates().into_iter().flat_map(Template::names).collect();
        let is_known = |name: &str| is_option(name) || Builtin::named(name).is_some();
        let mut missing: Vec<&str> = holes.iter().copied().filter(|hole| idx_of(hole).is_none() && !is_known(hole)).collect();
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
        let has_rows = write_def.body.has(&JsonTemplate::Rows) || write_def.body.has(&JsonTemplate::Row);
        let unused = (0..columns.len()).find(|idx| !has_rows && !taken.contains(idx) && !key.contains(idx));
        if let Some(idx) = unused {
            return Err(Error::config(format!(
                "column '{}' goes nowhere: no hole of the spec's 'write' takes it; leave it out of the SELECT",
                columns[idx]
            )));
        }
        let is_own = |name: &str| write_def.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let mut headers = table_def.headers.clone();
        headers.retain(|(name, _)| !is_own(name));
        headers.extend(write_def.headers.clone());
        let base_url = table_def.base_url(&connection.adapter).clone();
        let throttle = table_def.throttle.clone();
        let of_headers = connection.adapter.headers.iter().chain(&headers).flat_map(|(_, value)| value.names()).filter_map(idx_of);
        let shared = of_headers.chain(taken.iter().copied()).collect();
        Ok(WritePlan { connection, base_url, headers, throttle, write_def, columns: columns.to_vec(), taken, shared, key })
    }

    /// Returns the most rows of one request.
    pub fn most_rows(&self) -> usize {
        self.write_def.most_rows()
    }

    /// Returns how many requests may be under way at once.
    pub fn concurrency(&self) -> usize {
        self.write_def.concurrency.get()
    }

    /// Returns whether a row can go into one request with those of `rows`, which are not empty.
    pub fn fits(&self, rows: &[WriteRow], row: &WriteRow) -> bool {
        let is_same = |idx: &usize| rows.first().is_some_and(|first| first.get(*idx) == row.get(*idx));
        rows.len() < self.most_rows() && self.shared.iter().all(is_same)
    }

    /// Returns the request that writes the rows, of which there is at least one. `repeat` says how many requests of the same
    /// content the statement has made before. Fails when a value cannot stand where it goes.
    pub fn request(&self, rows: &[WriteRow], repeat: impl FnOnce(&str) -> u64) -> Result<WriteRequest> {
        let first = rows.first().ok_or_else(|| Error::internal("a request without rows"))?;
        let param_set = ParamSet { load: Arc::new(LoadValues { now: Some(now_micros()), ..LoadValues::default() }), ..ParamSet::default() };
        let page = PageValues::default();
        let options = Values { connection: &self.connection, param_set: &param_set, page: &page };
        let sources = RowSources { plan: self, row: first, options: &options };
        // The base URL sees no row: where credentials go is nothing that data decides.
        let base = url_of(&options.base_text(&self.connection.adapter.base_url)?, "")?;
        let base_text = options.base_text(&self.base_url)?;
        self.check_path_values(first)?;
        let mut url = url_of(&base_text, &options.path_text(&self.write_def.path, &sources)?)?;
        let pairs = self.params(&sources)?;
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let mut headers = options.headers(Format::Json.accept(), &self.connection.adapter.headers, &self.headers, &sources)?;
        let body = body_of(&self.write_def.body, &sources, &self.written(rows))?;
        let body = body.map(|body| body.told_in(&mut headers));
        let method = self.write_def.method;
        let idempotency = self.write_def.idempotency_header.as_ref().map(|name| {
            let content = self.content_hash(&format!("{method} {url}"), &self.telling(&headers), body.as_deref(), rows);
            let n_before = repeat(&content);
            let value = if n_before == 0 { content } else { hash_of(&[content.as_bytes(), &n_before.to_be_bytes()]) };
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.clone()));
            (name.clone(), value)
        });
        let may_repeat = self.write_def.may_repeat();
        let request = Request {
            method,
            url,
            headers,
            body,
            base,
            has_secrets: self.has_secrets(),
            is_safe: true,
            expired_when: None,
            may_be_past_end: false,
            is_anonymous: false,
            credential: 0,
            throttle: self.throttle.clone(),
        };
        Ok(WriteRequest { request, may_repeat, idempotency })
    }

    /// Returns whether a secret option stands in the requests.
    fn has_secrets(&self) -> bool {
        let spec = &self.connection.adapter;
        let headers = self.headers.iter().map(|(_, value)| value);
        let names = self.write_def.templates().into_iter().chain(headers).flat_map(Template::names);
        names.into_iter().any(|name| spec.option(name).is_some_and(|option| option.secret) && self.connection.option(name).is_some())
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

    /// Fails where a column cannot stand in the path.
    fn check_path_values(&self, row: &WriteRow) -> Result<()> {
        for hole in self.write_def.path.holes().filter(|hole| !hole.has_default()) {
            let Some((column, value)) = self.value(row, &hole.name) else { continue };
            if value.is_null() {
                return Err(Error::data(format!("column '{column}' is NULL, and the request's path cannot be without it")));
            }
        }
        Ok(())
    }

    /// Returns the query parameters; one that is nothing but a value that is null is left out.
    fn params(&self, sources: &RowSources<'_>) -> Result<Vec<(String, String)>> {
        let mut pairs = Vec::new();
        for (name, value) in &self.write_def.params {
            let text = match value {
                ParamValue::Template(template) => template.text(sources)?,
                other => other.to_text(),
            };
            pairs.extend(text.map(|text| (name.clone(), text)));
        }
        Ok(pairs)
    }

    /// Returns the column of that name and its value in the row.
    pub(super) fn value<'r>(&'r self, row: &'r WriteRow, name: &str) -> Option<(&'r str, &'r JsonValue)> {
        let idx = self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))?;
        Some((&self.columns[idx], row.get(idx)?))
    }

    /// Returns whether a hole takes the column.
    pub(super) fn is_taken(&self, idx: usize) -> bool {
        self.taken.contains(&idx)
    }

    /// Returns the headers that tell a request from others: what columns fill, and options that are not secret. A secret may be a new one when
    /// the request is sent again.
    fn telling<'h>(&self, headers: &'h [(String, String)]) -> Vec<&'h (String, String)> {
        let spec = &self.connection.adapter;
        let is_column = |name: &str| self.columns.iter().any(|column| column.eq_ignore_ascii_case(name));
        let is_open = |name: &str| spec.option(name).is_some_and(|option| !option.secret);
        let tells = |template: &Template| template.names().any(|name| is_column(name) || is_open(name));
        let of_spec = |name: &str| spec.headers.iter().chain(&self.headers).rfind(|(other, _)| other.eq_ignore_ascii_case(name));
        headers.iter().filter(|(name, _)| of_spec(name).is_some_and(|(_, template)| tells(template))).collect()
    }

    /// Returns a hash of what a request does to the API: equal for the same content in any process and statement.
    fn content_hash(&self, target: &str, headers: &[&(String, String)], body: Option<&str>, rows: &[WriteRow]) -> String {
        let keys: Vec<JsonValue> =
            rows.iter().map(|row| self.key.iter().map(|idx| row.get(*idx).cloned().unwrap_or(JsonValue::Null)).collect()).collect();
        let keys = JsonValue::Array(keys).to_string();
        let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase())).collect();
        let parts = [target, body.unwrap_or(""), keys.as_str()].into_iter().chain(lines.iter().map(String::as_str));
        hash_of(&parts.map(str::as_bytes).collect::<Vec<_>>())
    }
}

/// What fills the holes of a request that writes: columns of the row, then moments and options.
struct RowSources<'a> {
    plan: &'a WritePlan,
    row: &'a WriteRow,
    options: &'a Values<'a>,
}

impl Sources for RowSources<'_> {
    fn value_of(&self, name: &str) -> Option<Filled> {
        match self.plan.value(self.row, name) {
            Some((_, value)) => Some(Filled::Json(value.clone())),
            None => self.options.value_of(name),
        }
    }
}

fn now_micros() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

fn missing_columns(missing: &[&str], columns: &[String]) -> Error {
    let quoted: Vec<String> = missing.iter().map(|name| format!("'{name}'")).collect();
    let hint = nearest(missing[0], columns.iter().map(String::as_str)).map_or(String::new(), |near| format!("; is it '{near}'?"));
    let noun = if missing.len() == 1 { "column" } else { "columns" };
    Error::config(format!("the spec's 'write' needs {noun} {}, which the query does not have{hint}", quoted.join(", ")))
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
