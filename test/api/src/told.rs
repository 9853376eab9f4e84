//! Answers that say more than a spec may look at: signs of further pages, totals of the page, maps keyed by ids, and what is public.

use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Map, Value};

const N_ROWS: usize = 120;
const PAGE_SIZE: usize = 25;

/// Answers a request below `/told`.
pub fn answer(asked: &Asked, parts: &[&str]) -> Response {
    let start = (asked.number("page", 1).max(1) - 1) * PAGE_SIZE;
    let rows = answer::rows(N_ROWS, start, PAGE_SIZE, row);
    match parts {
        ["linked"] => answer::linked_page(asked, N_ROWS, row),
        // One page of many, and what stands beside it.
        ["next"] => answer::json(&json!({ "rows": rows, "next": "/told/next?page=2" })),
        ["cursor"] => answer::json(&json!({ "rows": rows, "meta": { "next_cursor": "abc" } })),
        ["total"] => answer::json(&json!({ "rows": rows, "total_count": N_ROWS })),
        ["odata"] => odata(asked),
        // All there is.
        ["all"] => answer::json(&json!({ "rows": rows, "total": rows.len(), "next": null, "has_more": false })),
        ["page_total"] => answer::json(&json!({ "total": rows.len(), "rows": rows })),
        ["feed"] => feed(asked),
        ["map"] => answer::json(&json!({ "things": map(300) })),
        ["nothing"] => answer::json(&json!({})),
        ["no_things"] => answer::json(&json!({ "things": {}, "page": 1 })),
        ["left_out"] => answer::json(&json!({ "page": 1 })),
        ["public"] => answer::json(&json!([row(0), row(1)])),
        ["mine"] if !asked.is_authorized() => answer::error(401, "who are you?"),
        ["mine"] => answer::json(&json!([row(0)])),
        ["me"] => answer::json(&json!({ "login": if asked.is_authorized() { Value::from("me") } else { Value::Null } })),
        _ => answer::error(404, "nothing is told here"),
    }
}

fn row(idx: usize) -> Value {
    json!({ "id": idx + 1, "name": format!("row {}", idx + 1) })
}

/// Answers the rows after `since` and always gives a token: the last id, or the one that was sent.
fn feed(asked: &Asked) -> Response {
    let since = asked.number("since", 0);
    let rows = answer::rows(N_ROWS, since, PAGE_SIZE, row);
    answer::json(&json!({ "next": (since + rows.len()).to_string(), "rows": rows }))
}

fn odata(asked: &Asked) -> Response {
    let page = asked.number("page", 1).max(1);
    let rows = answer::rows(N_ROWS, (page - 1) * PAGE_SIZE, PAGE_SIZE, row);
    let mut body = json!({ "value": rows });
    if page * PAGE_SIZE < N_ROWS {
        body["@odata.nextLink"] = json!(format!("{}{}?page={}", asked.origin, asked.path, page + 1));
    }
    answer::json(&body)
}

fn map(n_entries: usize) -> Map<String, Value> {
    (0..n_entries).map(|idx| ((1000 + idx).to_string(), json!(idx))).collect()
}
