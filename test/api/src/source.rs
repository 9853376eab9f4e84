//! Lists that tests change: rows are put, dropped and asked for by `/__source`, and served at `/source/NAME`.
//!
//! `/__source?source=S` with, in order: `put=id=1;at=2024-05-01;x=null` puts a row in the place of the one with its id, or at the end;
//! `add=...` adds one whatever its id; `drop=1` takes the row of that id away, `cut=shop=s;id=1` those with these values; `clear=1` all of
//! them. Values are JSON, or else text.
//! `/__source?source=S&asked=1` is the query of the last request for the list, without paging; `asked=shape` has a 9 for every digit.
//!
//! `/source/NAME` is a page of ten rows (`page`), in the order they were put. `FIELD[gte]=X`, `FIELD[gt]=X` keep rows from X on, or after
//! it; rows where the field is null come always, as with an API that cannot tell. `/source/NAME/GROUP` has the rows of that `group`.

use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

const PAGE_SIZE: usize = 10;

type Row = Map<String, Value>;

/// The lists by name.
#[derive(Default)]
pub struct Sources {
    lists: Mutex<BTreeMap<String, List>>,
}

#[derive(Default)]
struct List {
    rows: Vec<Row>,
    asked: String,
}

impl Sources {
    /// Takes all lists away.
    pub fn clear(&self) {
        self.lists().clear();
    }

    /// Answers `/__source`.
    pub fn change(&self, asked: &Asked) -> Response {
        let mut lists = self.lists();
        let list = lists.entry(asked.value("source").unwrap_or_default().to_string()).or_default();
        for (key, value) in &asked.query {
            match key.as_str() {
                "source" => {}
                "put" => list.put(row_of(value)),
                "add" => list.rows.push(row_of(value)),
                "drop" => list.rows.retain(|row| row.get("id") != Some(&value_of(value))),
                "cut" => {
                    let values = row_of(value);
                    list.rows.retain(|row| values.iter().any(|(name, value)| row.get(name) != Some(value)));
                }
                "clear" => list.rows.clear(),
                "asked" if list.asked.is_empty() => return answer::body(200, "text/plain", "nothing\n"),
                "asked" if value == "shape" => return answer::body(200, "text/plain", format!("{}\n", shape_of(&list.asked))),
                "asked" => return answer::body(200, "text/plain", format!("{}\n", list.asked)),
                other => return answer::error(400, &format!("unknown key '{other}'")),
            }
        }
        answer::body(200, "text/plain", "ok\n")
    }

    /// Answers a request below `/source`.
    pub fn answer(&self, asked: &Asked, parts: &[&str]) -> Response {
        if !asked.is_authorized() {
            return answer::error(401, "who are you?");
        }
        let (name, group) = match parts {
            [name] => (*name, None),
            [name, group] => (*name, Some(*group)),
            _ => return answer::error(404, "no such list"),
        };
        let mut lists = self.lists();
        let list = lists.entry(name.to_string()).or_default();
        list.asked = query_without_paging(asked);
        let is_in_group = |row: &&Row| group.is_none_or(|group| row.get("group").is_some_and(|value| text_of(value) == group));
        let rows: Vec<&Row> =
            list.rows.iter().filter(is_in_group).filter(|row| asked.query.iter().all(|(key, bound)| passes(row, key, bound))).collect();
        let start = asked.number("page", 1).max(1).saturating_sub(1) * PAGE_SIZE;
        answer::json(&Value::Array(answer::rows(rows.len(), start, PAGE_SIZE, |idx| Value::Object(rows[idx].clone()))))
    }

    fn lists(&self) -> MutexGuard<'_, BTreeMap<String, List>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn put(&mut self, row: Row) {
        match self.rows.iter_mut().find(|known| known.get("id") == row.get("id")) {
            Some(known) => *known = row,
            None => self.rows.push(row),
        }
    }
}

fn query_without_paging(asked: &Asked) -> String {
    let pairs = asked.query.iter().filter(|(key, _)| key != "page" && key != "api_key");
    pairs.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

fn shape_of(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect()
}

/// Reads `name=value;name=value`.
pub fn row_of(text: &str) -> Row {
    let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_string(), value_of(value))).collect()
}

fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_string()))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// Returns whether the row passes a filter; a param that is not a filter lets all rows pass.
fn passes(row: &Row, key: &str, bound: &str) -> bool {
    let (field, includes) = match (key.strip_suffix("[gte]"), key.strip_suffix("[gt]")) {
        (Some(field), _) => (field, true),
        (None, Some(field)) => (field, false),
        (None, None) => return true,
    };
    let Some(value) = row.get(field).filter(|value| !value.is_null()) else { return true };
    match (value.as_f64(), bound.parse::<f64>()) {
        (Some(number), Ok(bound)) => number > bound || (includes && number == bound),
        _ => text_of(value).as_str() > bound || (includes && text_of(value) == bound),
    }
}
