//! The echo: tables whose rows say what was asked, and lists that are asked for by POST.
//!
//! `/echo/sent/...` is one row about the request itself. `/echo/search` and `/echo/tokens` are lists whose page stands in a JSON body,
//! `/echo/graphql` one that is asked for by GraphQL, `/echo/pages/N` one whose page stands in the path.

use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Value};

/// Rows of the lists.
const N_ROWS: usize = 7;

/// Answers a request below `/echo`.
pub fn answer(asked: &Asked, parts: &[&str]) -> Response {
    let body: Value = serde_json::from_str(&asked.body).unwrap_or(Value::Null);
    let number = |value: &Value, default: usize| value.as_u64().map_or(default, |number| number as usize);
    match parts {
        ["ids"] => answer::json(&Value::Array((1..=5).map(|id| json!({ "id": id, "name": format!("it's {id}") })).collect())),
        ["sent", ..] => answer::json(&json!([sent(asked)])),
        ["search"] if asked.method != "POST" => answer::error(405, "search by POST"),
        ["search"] => {
            let (page, size) = (number(&body["page"], 1), number(&body["size"], 100));
            answer::json(&json!({ "items": answer::rows(N_ROWS, (page.max(1) - 1) * size, size, |idx| row(idx, &body)) }))
        }
        ["tokens"] => {
            let start = body["cursor"].as_str().and_then(|token| token.strip_prefix("after:")?.parse().ok()).unwrap_or(0);
            if body.as_object().is_some_and(|body| body.get("cursor") == Some(&Value::Null)) {
                return answer::error(400, "cursor should be a text or not be there");
            }
            let next = (start + 3 < N_ROWS).then(|| format!("after:{}", start + 3));
            answer::json(&json!({ "items": answer::rows(N_ROWS, start, 3, |idx| row(idx, &body)), "next": next }))
        }
        ["pages", page] => {
            let page = page.parse::<usize>().unwrap_or(1).max(1);
            answer::json(&Value::Array(answer::rows(N_ROWS, (page - 1) * 3, 3, |idx| row(idx, &Value::Null))))
        }
        ["graphql"] => {
            let variables = &body["variables"];
            let start = number(&variables["offset"], 0);
            let nodes = answer::rows(N_ROWS, start, number(&variables["first"], 3), |idx| row(idx, variables));
            let name = body["operationName"].clone();
            match body["query"].as_str() {
                Some(query) if query.contains("orders(") => {
                    answer::json(&json!({ "data": { "orders": { "nodes": nodes } }, "name": name }))
                }
                _ => answer::json(&json!({ "errors": [{ "message": "no query" }] })),
            }
        }
        _ => answer::error(404, "no such echo"),
    }
}

fn row(idx: usize, asked: &Value) -> Value {
    json!({ "id": idx + 1, "status": asked["status"], "ids": asked["ids"] })
}

fn sent(asked: &Asked) -> Value {
    let query: Vec<String> = asked.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    json!({
        "id": 1,
        "method": asked.method,
        "path": asked.path,
        "query": query.join("&"),
        "trace": asked.trace,
        "content_type": asked.content_type,
        "body": asked.body,
    })
}
