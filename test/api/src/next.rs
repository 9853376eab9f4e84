//! Every way to tell the next page, where it goes, and what ends it: 25 rows in pages of 10.

use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Map, Value};

const N_ROWS: usize = 25;
const PAGE_SIZE: usize = 10;

/// Answers a request below `/next`.
pub fn answer(asked: &Asked, parts: &[&str]) -> Response {
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let token = |name: &str| start_of(asked.value(name));
    match parts {
        ["header"] => match token("after") {
            Some(start) => answer::with_header(page(start, |_| {}), "x-next", next_of(start).as_deref().unwrap_or("null")),
            None => refused(),
        },
        // The next page has what comes after the last id.
        ["keyset"] => {
            let start = asked.number("after_id", 0);
            answer::json(&json!(rows(start)))
        }
        ["tokens"] => match (token("a"), asked.value("b")) {
            (Some(0), None) => tokens(0),
            (Some(start), Some(b)) if b == format!("{start}") => tokens(start),
            _ => refused(),
        },
        ["continue"] => match (token("rowcontinue"), asked.value("continue")) {
            (Some(0), None) => carried(0),
            (Some(start), Some("-||")) if start > 0 => carried(start),
            _ => refused(),
        },
        ["attribute"] => match token("after") {
            Some(start) => {
                let next = next_of(start);
                let link = format!(
                    "<{}{}?after={}>; rel=\"next\"; results=\"{}\"",
                    asked.origin,
                    asked.path,
                    next.as_deref().unwrap_or("row-99"),
                    next.is_some()
                );
                answer::with_header(answer::json(&json!(rows(start))), "link", &link)
            }
            None => refused(),
        },
        // Each page names a new next one, the empty one after the last, too.
        ["feed"] => match token("after") {
            Some(start) => page(start, |body| body["next"] = json!(format!("row-{}", start + PAGE_SIZE))),
            None => refused(),
        },
        ["alone"] => match (asked.value("after"), asked.value("kind"), asked.value("count")) {
            (None, Some("all"), Some("10")) => page(0, |_| {}),
            (Some(after), None, None) => page(start_of(Some(after)).unwrap_or(N_ROWS), |_| {}),
            _ => refused(),
        },
        ["inside"] => match token("after") {
            Some(start) => page(start, |body| {
                body["link"] = json!(next_of(start).map(|next| format!("https://inside.test/inside?after={next}")));
            }),
            None => refused(),
        },
        // The first part says which parts there are.
        ["parts"] => match asked.value("part").map(str::parse::<usize>) {
            Some(Ok(part)) if part * PAGE_SIZE < N_ROWS => page(part * PAGE_SIZE, |body| {
                if part == 0 {
                    body["meta"] = json!({ "parts": [{ "rows": 10 }, { "rows": 10 }, { "rows": 5 }] });
                }
            }),
            _ => refused(),
        },
        // The link of the last page is one that the API refuses.
        ["last_link"] => match token("after") {
            Some(start) => page(start, |body| {
                body["more"] = json!(start + PAGE_SIZE < N_ROWS);
                body["link"] = json!(format!("last_link?after={}", next_of(start).as_deref().unwrap_or("none")));
            }),
            None => refused(),
        },
        ["last"] => match token("after") {
            // The token of the last page is one that the API refuses.
            Some(start) => page(start, |body| {
                body["last"] = json!(start + PAGE_SIZE >= N_ROWS);
                body["next"] = json!(next_of(start).unwrap_or_else(|| "none".to_string()));
            }),
            None => refused(),
        },
        ["gaps"] => match token("after") {
            // A page without rows in the middle.
            Some(start) if asked.value("gap").is_none() => {
                answer::json(&json!({ "rows": [], "continue": { "after": format!("row-{start}"), "gap": "passed" } }))
            }
            Some(start) => {
                let next = next_of(start).map(|next| json!({ "after": next }));
                answer::json(&json!({ "rows": rows(start), "continue": next }))
            }
            None => refused(),
        },
        ["search"] if asked.method == "POST" => match start_of(body["after"].as_str()) {
            Some(start) => page(start, |_| {}),
            None => refused(),
        },
        ["sorted"] if asked.method == "POST" => {
            // The values that the last row was sorted by, as a list.
            let start = body["search_after"][0].as_u64().map_or(0, |id| id as usize);
            let row = |idx: usize| json!({ "id": idx + 1, "sort": [idx + 1, "x"] });
            answer::json(&json!({ "hits": answer::rows(N_ROWS, start, PAGE_SIZE, row) }))
        }
        // Two tokens in a body, of which one is an object.
        ["placed"] if asked.method == "POST" => match (start_of(body["a"].as_str()), &body["at"]["row"]) {
            (Some(start), row) if row.as_u64().unwrap_or(0) == start as u64 && asked.query.is_empty() => {
                let next = next_of(start).map(|next| json!({ "a": next, "at": { "row": start + PAGE_SIZE } }));
                page(start, |body| body["next"] = json!(next))
            }
            _ => refused(),
        },
        // A number and a token, which have to be those of the same page.
        ["both", number] => match (token("after"), number.parse::<usize>()) {
            (Some(start), Ok(number)) if start == number * PAGE_SIZE => page(start, |_| {}),
            _ => refused(),
        },
        // Rows are counted from 1, and 0 is not a row.
        ["from_one"] => match (asked.number("start", 0), asked.number("count", PAGE_SIZE)) {
            (0, _) => refused(),
            (start, count) => page_from_one(start, count),
        },
        ["from_one_in_text"] if asked.method == "POST" => {
            let words: Vec<&str> = body["query"].as_str().unwrap_or_default().split(' ').collect();
            match words.as_slice() {
                [.., "STARTPOSITION", start, "MAXRESULTS", count] => match (start.parse(), count.parse()) {
                    (Ok(start), Ok(count)) if start > 0 => page_from_one(start, count),
                    _ => refused(),
                },
                _ => refused(),
            }
        }
        ["path", "begin"] => page(0, |_| {}),
        ["path", row] => start_of(Some(row)).map_or_else(refused, |start| page(start, |_| {})),
        ["scroll", "begin"] if asked.method == "POST" && body["size"] == json!(10) => scrolled(0),
        ["scroll"] if asked.method == "POST" && body["size"].is_null() => match start_of(body["scroll_id"].as_str()) {
            Some(start) => scrolled(start),
            None => refused(),
        },
        ["notes"] if asked.method == "POST" => more_notes(&body),
        ["graphql", case] if asked.method == "POST" => graphql(case, &body),
        _ => answer::error(404, "no such page"),
    }
}

fn refused() -> Response {
    answer::error(400, "unknown token")
}

/// Returns the row that a token names, from 0; the first one without a token.
fn start_of(token: Option<&str>) -> Option<usize> {
    match token {
        None => Some(0),
        Some(token) => token.strip_prefix("row-")?.parse().ok(),
    }
}

fn next_of(start: usize) -> Option<String> {
    (start + PAGE_SIZE < N_ROWS).then(|| format!("row-{}", start + PAGE_SIZE))
}

fn rows(start: usize) -> Vec<Value> {
    answer::rows(N_ROWS, start, PAGE_SIZE, |idx| json!({ "id": idx + 1 }))
}

fn page(start: usize, change: impl FnOnce(&mut Value)) -> Response {
    let mut body = json!({ "rows": rows(start), "next": next_of(start) });
    change(&mut body);
    answer::json(&body)
}

fn page_from_one(start: usize, count: usize) -> Response {
    answer::json(&json!({ "rows": answer::rows(N_ROWS, start - 1, count, |idx| json!({ "id": idx + 1 })) }))
}

fn tokens(start: usize) -> Response {
    let next = next_of(start);
    let b = next.as_ref().map(|_| (start + PAGE_SIZE).to_string());
    let response = answer::json(&json!({ "rows": rows(start), "next": { "a": next } }));
    b.into_iter().fold(response, |response, b| answer::with_header(response, "x-next-row", &b))
}

fn carried(start: usize) -> Response {
    let mut body = Map::new();
    if let Some(next) = next_of(start) {
        body.insert("continue".to_string(), json!({ "rowcontinue": next, "continue": "-||" }));
    }
    body.insert("query".to_string(), json!({ "rows": rows(start) }));
    answer::json(&Value::Object(body))
}

fn scrolled(start: usize) -> Response {
    answer::json(&json!({ "hits": rows(start), "scroll_id": format!("row-{}", start + PAGE_SIZE) }))
}

/// Returns things with the first of their notes: thing N has N of them, in pages of 4.
fn noted(start: usize) -> Vec<Value> {
    answer::rows(N_ROWS, start, PAGE_SIZE, |idx| json!({ "id": idx + 1, "notes": notes_of(idx + 1, 0) }))
}

fn notes_of(thing: usize, start: usize) -> Value {
    let nodes = answer::rows(thing, start, 4, |idx| json!({ "id": thing * 100 + idx }));
    let page_info = json!({ "hasNextPage": start + 4 < thing, "endCursor": format!("row-{}", (start + 4).min(thing)) });
    json!({ "nodes": nodes, "pageInfo": page_info })
}

/// The notes of a thing behind a cursor, without which nothing is given.
fn more_notes(body: &Value) -> Response {
    let variables = &body["variables"];
    match (variables["thing"].as_u64(), start_of(variables["after"].as_str())) {
        (Some(thing), Some(start)) if start > 0 => {
            answer::json(&json!({ "data": { "thing": { "notes": notes_of(thing as usize, start) } } }))
        }
        _ => refused(),
    }
}

/// Answers as GraphQL servers do: 200 also for what failed.
fn graphql(case: &str, body: &Value) -> Response {
    let first = body["variables"]["first"].as_u64().unwrap_or(0) as usize;
    let Some(start) = start_of(body["variables"]["cursor"].as_str()).filter(|_| first == PAGE_SIZE) else {
        return answer::json(&json!({ "errors": [{ "message": "no such cursor", "path": ["things"] }] }));
    };
    let next = next_of(start);
    let page_info = json!({ "hasNextPage": next.is_some(), "endCursor": next.unwrap_or_else(|| "row-25".to_string()) });
    let nodes = if case == "noted" { noted(start) } else { rows(start) };
    let data = json!({ "things": { "nodes": nodes, "pageInfo": page_info } });
    let errors =
        json!([{ "message": "the price is not known", "path": ["things", "nodes", 3, "price"] }, { "message": "nor is this one" }]);
    answer::json(&match case {
        "partial" if start > 0 => json!({ "data": data, "errors": errors }),
        "refused" => json!({ "data": null, "errors": errors }),
        _ => json!({ "data": data }),
    })
}
