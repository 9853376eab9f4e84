//! Lists with a feed of changes: rows are put and dropped by `/__feed`, and served at `/feed/NAME`.
//!
//! `/__feed?feed=F` with, in order: `put=id=1;name=x` puts a row in the place of the one with its id, `drop=1` takes it away, `forget=1` lets
//! the API forget all tokens it gave.
//!
//! `/feed/NAME` is the rows there are, three on a page (`page`); the last page gives a token in `sync`. `/feed/NAME?sync=T` is what changed
//! since: rows as they are now, and `{"id": 1, "deleted": true}` for those that are gone. A token that is forgotten is answered by 410.
//!
//! Below `/feed/NAME`, rows have in `changed` the number of their last change: `list` gives them all, by GET; `search` those that changed from
//! `filter.from` on, by POST, with another way of paging; `whole` all of them with an ETag, and `timed` with the moment of HTTP that it was asked with; `delta` the rows, three on a page, with links to the next page and, on
//! the last one, to what changes later.

use crate::source::row_of;
use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

const PAGE_SIZE: usize = 3;

/// The change that made a row what it is, and the row, if it is there.
type Entry = (usize, Option<Map<String, Value>>);

#[derive(Default)]
struct Feed {
    /// By id.
    rows: BTreeMap<String, Entry>,
    n_changes: usize,
    /// Tokens of earlier changes are forgotten.
    forgotten: usize,
    /// The last change that `timed` told of.
    told: usize,
}

/// The feeds by name.
#[derive(Default)]
pub struct Feeds {
    feeds: Mutex<BTreeMap<String, Feed>>,
}

impl Feeds {
    /// Takes all feeds away.
    pub fn clear(&self) {
        self.feeds().clear();
    }

    /// Answers `/__feed`.
    pub fn change(&self, asked: &Asked) -> Response {
        let mut feeds = self.feeds();
        let feed = feeds.entry(asked.value("feed").unwrap_or_default().to_string()).or_default();
        for (key, value) in &asked.query {
            match key.as_str() {
                "feed" => {}
                "put" => {
                    let row = row_of(value);
                    let id = row.get("id").map(Value::to_string).unwrap_or_default();
                    feed.note(id, Some(row));
                }
                "drop" => feed.note(value.clone(), None),
                "forget" => feed.forget(),
                other => return answer::error(400, &format!("unknown key '{other}'")),
            }
        }
        answer::body(200, "text/plain", "ok\n")
    }

    /// Answers a request below `/feed`.
    pub fn answer(&self, asked: &Asked, parts: &[&str]) -> Response {
        let (name, how) = match parts {
            [name] => (name, ""),
            [name, how] => (name, *how),
            _ => return answer::error(404, "no such feed"),
        };
        let mut feeds = self.feeds();
        let feed = feeds.entry((*name).to_string()).or_default();
        if !how.is_empty() {
            return feed.asked(asked, how);
        }
        let since = asked.value("sync").map(|token| token.parse::<usize>().unwrap_or(0));
        if since.is_some_and(|since| since < feed.forgotten) {
            return answer::error(410, "the token expired");
        }
        let records = feed.records(since);
        let page = asked.number("page", 1).max(1);
        let data = answer::rows(records.len(), (page - 1) * PAGE_SIZE, PAGE_SIZE, |idx| records[idx].clone());
        let has_more = page * PAGE_SIZE < records.len();
        match has_more {
            true => answer::json(&json!({ "data": data, "next": page + 1 })),
            false => answer::json(&json!({ "data": data, "sync": feed.n_changes.to_string() })),
        }
    }

    fn feeds(&self) -> MutexGuard<'_, BTreeMap<String, Feed>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feed {
    fn note(&mut self, id: String, row: Option<Map<String, Value>>) {
        self.n_changes += 1;
        self.rows.insert(id, (self.n_changes, row));
    }

    /// Counts as a change: a token that is given from now on differs from those that are forgotten.
    fn forget(&mut self) {
        self.n_changes += 1;
        self.forgotten = self.n_changes;
    }

    fn asked(&mut self, asked: &Asked, how: &str) -> Response {
        let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        match (how, asked.method.as_str()) {
            ("list", "GET") => {
                let rows = self.changed(0);
                let start = asked.number("after", 0);
                let next = (start + PAGE_SIZE < rows.len()).then(|| json!({ "next": { "after": start + PAGE_SIZE } }));
                let page = answer::rows(rows.len(), start, PAGE_SIZE, |idx| rows[idx].clone());
                answer::json(&json!({ "results": page, "paging": next }))
            }
            ("search", "POST") => {
                let (Some(from), Some(count)) = (body["filter"]["from"].as_u64(), body["count"].as_u64()) else {
                    return answer::error(400, "a search needs a filter and a count");
                };
                let rows = self.changed(from as usize);
                let (start, count) = (body["cursor"]["at"].as_u64().unwrap_or(0) as usize, count as usize);
                let next = (start + count < rows.len()).then(|| json!({ "at": start + count }));
                answer::json(&json!({ "hits": answer::rows(rows.len(), start, count, |idx| rows[idx].clone()), "next": next }))
            }
            ("whole", "GET") => {
                let etag = format!("W/\"{}\"", self.n_changes);
                match asked.if_none_match.as_ref() == Some(&etag) {
                    true => answer::body(304, "application/json", ""),
                    false => answer::with_header(answer::json(&json!(self.changed(0))), "etag", &etag),
                }
            }
            ("timed", "GET") => {
                let is_moment = |text: &String| text.len() == 29 && text.ends_with(" GMT") && text.as_bytes()[3] == b',';
                if asked.if_modified_since.as_ref().is_some_and(|text| !is_moment(text)) {
                    return answer::error(400, "not a moment of HTTP");
                }
                let since = asked.if_modified_since.as_ref().map_or(0, |_| self.told);
                self.told = self.n_changes;
                match since > 0 && since == self.n_changes {
                    true => answer::body(304, "application/json", ""),
                    false => answer::json(&json!(self.changed(since + 1))),
                }
            }
            ("delta", "GET") => {
                let since = asked.value("deltatoken").map(|token| token.parse::<usize>().unwrap_or(0));
                if since.is_some_and(|since| since < self.forgotten) {
                    return answer::error(410, "the token expired");
                }
                let (records, start) = (self.records(since), asked.number("skip", 0));
                let page = answer::rows(records.len(), start, PAGE_SIZE, |idx| records[idx].clone());
                let token = since.map_or(String::new(), |since| format!("&deltatoken={since}"));
                match start + PAGE_SIZE < records.len() {
                    true => answer::json(&json!({ "value": page, "@odata.nextLink": format!("delta?skip={}{token}", start + PAGE_SIZE) })),
                    false => answer::json(&json!({ "value": page, "@odata.deltaLink": format!("delta?deltatoken={}", self.n_changes) })),
                }
            }
            _ => answer::error(404, "no such way to ask"),
        }
    }

    /// Returns the rows that changed from that change on, with the number of their last one.
    fn changed(&self, from: usize) -> Vec<Value> {
        let is_meant = |(change, _): &&Entry| *change >= from;
        let with_change = |(change, row): &Entry| {
            let mut row = row.clone()?;
            row.insert("changed".to_string(), json!(change));
            Some(Value::Object(row))
        };
        self.rows.values().filter(is_meant).filter_map(with_change).collect()
    }

    fn records(&self, since: Option<usize>) -> Vec<Value> {
        let record = |(id, (change, row)): (&String, &Entry)| match (row, since) {
            (_, Some(since)) if *change <= since => None,
            (Some(row), _) => Some(Value::Object(row.clone())),
            (None, Some(_)) => Some(json!({ "id": id.parse::<i64>().unwrap_or_default(), "deleted": true })),
            (None, None) => None,
        };
        self.rows.iter().filter_map(record).collect()
    }
}
