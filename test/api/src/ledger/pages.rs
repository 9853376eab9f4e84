//! Pages of a set, by every way of paging, and what tokens and links are answered with once they have expired.

use super::list::{Entry, List};
use super::quirks::{Expire, Order, Quirks};
use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Value};

/// A way of paging: what a page is asked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Pages,
    Offsets,
    /// Offsets with a total.
    Totals,
    Tokens,
    Links,
    Nexts,
}

impl Way {
    /// Returns the way of that name.
    pub fn named(name: &str) -> Option<Way> {
        Some(match name {
            "pages" => Way::Pages,
            "offsets" => Way::Offsets,
            "totals" => Way::Totals,
            "tokens" => Way::Tokens,
            "links" => Way::Links,
            "nexts" => Way::Nexts,
            _ => return None,
        })
    }
}

/// A page that is asked for.
pub struct Request<'a> {
    pub asked: &'a Asked,
    pub way: Way,
    /// Whether only changed rows are wanted, and their times with them.
    pub by_changes: bool,
}

/// A page: its rows, and where it lies.
pub struct Page {
    pub start: usize,
    /// Rows up to its end, the hidden ones included.
    pub end: usize,
    pub n_all: usize,
    pub entries: Vec<Entry>,
}

impl Request<'_> {
    fn count(&self) -> usize {
        self.asked.number("count", self.asked.number("per_page", 10)).clamp(1, 10_000)
    }

    /// Returns the token that the request carries, without its epoch.
    fn token(&self) -> Option<&str> {
        let token = self.asked.value("after")?;
        Some(token.split_once(".e").map_or(token, |(token, _)| token))
    }

    /// Returns whether the request carries a token or link of an older epoch.
    pub fn is_stale(&self, quirks: &Quirks) -> bool {
        let of_token = self.asked.value("after").and_then(|token| token.split_once(".e")).map(|(_, epoch)| epoch);
        let epoch = of_token.or_else(|| self.asked.value("epoch")).and_then(|epoch| epoch.parse().ok());
        quirks.expire.is_some() && epoch.is_some_and(|epoch: u64| epoch < quirks.epoch)
    }

    /// Returns where the page starts in a list.
    fn start(&self, list: &List) -> usize {
        match (self.way, self.token().map(|token| token.split_once('-').unwrap_or(("", token)))) {
            (_, Some(("key", rank))) => list.after(rank),
            (Way::Tokens, Some((_, position))) => position.parse().unwrap_or(0),
            (Way::Tokens, None) => 0,
            (Way::Pages | Way::Links, _) => (self.asked.number("page", 1).max(1) - 1) * self.count(),
            (Way::Offsets | Way::Totals, _) => self.asked.number("offset", 0),
            (Way::Nexts, _) => self.asked.number("start", 0),
        }
    }

    /// Cuts the page out of a list. `from_start`: it is the first one, whatever is asked for.
    pub fn page(&self, list: &List, from_start: bool) -> Page {
        let n_all = list.entries.len();
        let start = if from_start { 0 } else { self.start(list) };
        let end = start.saturating_add(self.count()).min(n_all);
        let shown = list.entries[start.min(n_all)..end.max(start.min(n_all))].iter().filter(|entry| !list.quirks.hides(entry.idx));
        Page { start, end, n_all, entries: shown.cloned().collect() }
    }

    /// Answers with a page.
    pub fn answer(&self, list: &List, page: &Page) -> Response {
        let rows: Vec<Value> = page.entries.iter().map(|entry| Value::Object(list.row(entry, self.by_changes))).collect();
        match self.way {
            Way::Pages | Way::Totals => answer::json(&json!({ "total": page.n_all, "rows": rows })),
            Way::Offsets => answer::json(&Value::Array(rows)),
            Way::Tokens => answer::json(&json!({ "rows": rows, "next": self.next_token(list, page) })),
            Way::Nexts => {
                let start = ("start", page.end.to_string());
                answer::json(&json!({ "rows": rows, "next": self.has_next(page).then(|| self.link(list, page, start)) }))
            }
            Way::Links => self.with_links(list, page, rows),
        }
    }

    fn has_next(&self, page: &Page) -> bool {
        page.end < page.n_all
    }

    fn next_token(&self, list: &List, page: &Page) -> Option<String> {
        let epoch = list.quirks.expire.map_or(String::new(), |_| format!(".e{}", list.quirks.epoch));
        let token = key_after(list, page).unwrap_or_else(|| format!("after-{}", page.end));
        self.has_next(page).then(|| token + &epoch)
    }

    /// Returns a link to a page: `by` is how it is named where its position does.
    fn link(&self, list: &List, page: &Page, by: (&str, String)) -> String {
        let Asked { origin, path, .. } = self.asked;
        let size = if self.way == Way::Links { "per_page" } else { "count" };
        let mut query = vec![(size, self.count().to_string())];
        query.extend(self.asked.value("since").map(|since| ("since", since.to_string())));
        query.extend(list.quirks.expire.map(|_| ("epoch", list.quirks.epoch.to_string())));
        query.push(key_after(list, page).map_or(by, |key| ("after", key)));
        let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{origin}{path}?{}", query.join("&"))
    }

    /// Answers with a Link header: where pages have numbers, it names the last one, too.
    fn with_links(&self, list: &List, page: &Page, rows: Vec<Value>) -> Response {
        let response = answer::json(&Value::Array(rows));
        if !self.has_next(page) {
            return response;
        }
        let number = page.start / self.count() + 1;
        let mut links = vec![format!("<{}>; rel=\"next\"", self.link(list, page, ("page", (number + 1).to_string())))];
        if list.quirks.order != Order::Changed {
            let last = page.n_all.div_ceil(self.count());
            links.push(format!("<{}>; rel=\"last\"", self.link(list, page, ("page", last.to_string()))));
        }
        answer::with_header(response, "link", &links.join(", "))
    }

    /// Answers a token or link that has expired; `None`: with the first page.
    pub fn expired(&self, expire: Expire) -> Option<Response> {
        Some(match expire {
            Expire::First => return None,
            Expire::Empty if self.way == Way::Links => answer::json(&json!([])),
            Expire::Empty => answer::json(&json!({ "rows": [], "next": null })),
            Expire::Error => answer::json(&json!({ "ok": false, "error": "invalid_cursor" })),
            Expire::Html => answer::body(200, "text/html", "<html><body>This page is gone</body></html>"),
            Expire::Status(status) => answer::error(status, "this cursor has expired"),
        })
    }
}

/// Returns the token of the row after which the next page begins, where rows move; `None` where positions name pages.
fn key_after(list: &List, page: &Page) -> Option<String> {
    let last = page.end.checked_sub(1).and_then(|idx| list.entries.get(idx));
    last.filter(|_| list.quirks.order == Order::Changed).map(|entry| format!("key-{}", entry.rank()))
}
