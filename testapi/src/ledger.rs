//! Ledgers: tables whose rows carry a revision, behind every way of paging, in books that tests rule one by one.
//!
//! A book is a name below `/ledger`; each has its own rows, faults and counts, so that tests side by side do not see each other.
//! `/ledger/BOOK/sets` lists its sets, `/ledger/BOOK/WAY/SET` has the rows of one set in pages, where WAY is `pages`, `offsets`, `tokens`,
//! `links` or `nexts`, or `changes`: pages of the rows that changed at `since` or later, of which a new revision has a third, and those
//! beyond `base`. Rules and counts of a book are in [`book`], which says how to change them.

mod book;

use crate::{answer, bad, Asked};
use axum::response::Response;
use book::{Book, Fault};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// From this row on, `code` is a text: the column widens.
const FIRST_TEXT_CODE: usize = 25;

/// From this row on, there is a field `late`.
const FIRST_LATE: usize = 35;

/// All books of a running API. A book is made when it is first named.
#[derive(Default)]
pub struct Ledger {
    books: Mutex<BTreeMap<String, Arc<Book>>>,
}

impl Ledger {
    /// Answers a request below `/ledger`.
    pub async fn answer(&self, asked: &Asked, parts: &[&str]) -> Response {
        let Some((name, rest)) = parts.split_first() else { return answer::error(404, "name a book") };
        let book = self.books.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_string()).or_default().clone();
        match rest {
            ["__book"] => {
                book.change(asked).map_or_else(|message| answer::error(400, &message), |()| answer::body(200, "text/plain", "ok\n"))
            }
            ["__state"] => answer::json(&book.counts()),
            ["__wait"] => book.wait(asked).await,
            ["__truth"] => answer::json(&truth(&book, asked.value("way") == Some("changes"))),
            _ if !asked.is_authorized() => answer::error(401, "who are you?"),
            ["sets"] => ruled(&book, "sets", || sets(&book)).await,
            [way, set] => {
                let start = start_of(asked, way);
                if *way != "changes" && book.n_rows_of(set).is_some_and(|n_rows| start > 0 && start >= n_rows) {
                    book.beyond();
                }
                ruled(&book, set, || page(asked, &book, way, set)).await
            }
            _ => answer::error(404, "no such ledger"),
        }
    }
}

/// Counts the request, holds it and spoils it as the book's rules say, and answers.
async fn ruled(book: &Arc<Book>, set: &str, answer: impl FnOnce() -> Response) -> Response {
    let arrival = book.arrived(set);
    let rules = book.pass(&arrival).await;
    tokio::time::sleep(rules.delay).await;
    match rules.fault {
        None => {
            let answer = answer();
            book.answered(&arrival);
            answer
        }
        Some(Fault::Status(status)) => answer::with_header(answer::error(status, "told to fail"), "retry-after", "0"),
        Some(Fault::Drop) => bad::half_body(Duration::ZERO),
        Some(Fault::Half) => bad::half_body(Duration::from_millis(20)),
    }
}

fn sets(book: &Book) -> Response {
    answer::json(&Value::Array((0..book.n_rows_of_sets().len()).map(|idx| json!({ "id": set_name(idx) })).collect()))
}

fn set_name(idx: usize) -> String {
    format!("s{idx}")
}

/// Returns where the page that is asked for starts, in rows.
fn start_of(asked: &Asked, way: &str) -> usize {
    match way {
        "pages" | "links" | "changes" => (asked.number("page", 1).max(1) - 1) * count_of(asked),
        "offsets" => asked.number("offset", 0),
        "tokens" => asked.value("after").and_then(|token| token.strip_prefix("after-")?.parse().ok()).unwrap_or(0),
        _ => asked.number("start", 0),
    }
}

fn count_of(asked: &Asked) -> usize {
    asked.number("count", asked.number("per_page", 10)).clamp(1, 10_000)
}

fn page(asked: &Asked, book: &Book, way: &str, set: &str) -> Response {
    let Some(n_rows) = book.n_rows_of(set) else { return answer::error(404, "no such set") };
    let revision = book.revision();
    let row_of = |idx: usize| row(set, revision, idx);
    let (start, count) = (start_of(asked, way), count_of(asked));
    match way {
        "changes" => changes(book, set, asked.value("since").unwrap_or_default(), (start, count)),
        "pages" => answer::json(&json!({ "total": n_rows, "rows": answer::rows(n_rows, start, count, row_of) })),
        "offsets" => answer::json(&Value::Array(answer::rows(n_rows, start, count, row_of))),
        "tokens" => {
            let token = (start + count < n_rows).then(|| format!("after-{}", start + count));
            answer::json(&json!({ "rows": answer::rows(n_rows, start, count, row_of), "next": token }))
        }
        "links" => answer::linked_page(asked, n_rows, row_of),
        "nexts" => {
            let next = (start + count < n_rows).then(|| format!("{}{}?count={count}&start={}", asked.origin, asked.path, start + count));
            answer::json(&json!({ "rows": answer::rows(n_rows, start, count, row_of), "next": next }))
        }
        _ => answer::error(404, "no such way of paging"),
    }
}

/// Answers with a page of the rows that changed at a time or later, as texts that can be compared.
fn changes(book: &Book, set: &str, since: &str, (start, count): (usize, usize)) -> Response {
    let n_rows = book.n_rows_of(set).unwrap_or(0);
    let changed: Vec<Value> =
        (0..n_rows).map(|idx| changing_row(book, set, idx)).filter(|row| row["changed"].as_str() >= Some(since)).collect();
    answer::json(&json!({ "total": changed.len(), "rows": answer::rows(changed.len(), start, count, |idx| changed[idx].clone()) }))
}

/// Returns a row as of the last revision that changed it: each has its year, in which each row has its second.
fn changing_row(book: &Book, set: &str, idx: usize) -> Value {
    let revision = book.revision_of(set, idx);
    let mut row = row(set, revision, idx);
    let (hour, minute, second) = (idx / 3600, idx / 60 % 60, idx % 60);
    row["changed"] = json!(format!("{:04}-05-01T{hour:02}:{minute:02}:{second:02}Z", 2000 + revision));
    row
}

fn row(set: &str, revision: usize, idx: usize) -> Value {
    let mut row = json!({ "owner": set, "id": idx + 1, "revision": revision, "name": name(set, idx) });
    row["code"] = if idx < FIRST_TEXT_CODE { json!(idx) } else { json!(code(idx)) };
    if idx >= FIRST_LATE {
        row["late"] = json!({ "size": idx });
    }
    row
}

fn name(set: &str, idx: usize) -> String {
    format!("row {} of {set}", idx + 1)
}

fn code(idx: usize) -> String {
    if idx < FIRST_TEXT_CODE {
        idx.to_string()
    } else {
        format!("code {idx}")
    }
}

/// Returns all rows as an undisturbed load has them: `[owner, id, revision, name, code, late_size]`, each as text or null.
fn truth(book: &Book, by_changes: bool) -> Value {
    let mut rows = Vec::new();
    for (set_idx, n_rows) in book.n_rows_of_sets().into_iter().enumerate() {
        let set = set_name(set_idx);
        for idx in 0..n_rows {
            let revision = if by_changes { book.revision_of(&set, idx) } else { book.revision() };
            let late = (idx >= FIRST_LATE).then(|| idx.to_string());
            rows.push(json!([set, (idx + 1).to_string(), revision.to_string(), name(&set, idx), code(idx), late]));
        }
    }
    Value::Array(rows)
}
