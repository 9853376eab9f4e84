//! Answers: JSON, errors, and lists cut into pages.

use crate::Asked;
use axum::body::Body;
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{json, Value};

/// Returns a body of JSON.
pub fn json(value: &Value) -> Response {
    body(200, "application/json", value.to_string())
}

/// Returns an error as GitHub writes them.
pub fn error(status: u16, message: &str) -> Response {
    body(status, "application/json", json!({ "message": message }).to_string())
}

/// Returns a body of any kind.
pub fn body(status: u16, content_type: &'static str, content: impl Into<Body>) -> Response {
    let mut response = Response::new(content.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Adds a header.
pub fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Returns rows `start..start + count` of a list of `n_rows`.
pub fn rows(n_rows: usize, start: usize, count: usize, row_of: impl Fn(usize) -> Value) -> Vec<Value> {
    (start.min(n_rows)..start.saturating_add(count).min(n_rows)).map(row_of).collect()
}

/// Returns a page of a list, with a Link header as GitHub writes it: `page`, and `per_page` of at most 100.
pub fn linked_page(asked: &Asked, n_rows: usize, row_of: impl Fn(usize) -> Value) -> Response {
    let per_page = asked.number("per_page", 30).clamp(1, 100);
    let page = asked.number("page", 1).max(1);
    let last = n_rows.div_ceil(per_page).max(1);
    let link = |page: usize, rel: &str| {
        let others = asked.query.iter().filter(|(key, _)| key != "page" && key != "per_page" && key != "api_key");
        let others: String = others.map(|(key, value)| format!("{key}={value}&")).collect();
        format!("<{}{}?{others}per_page={per_page}&page={page}>; rel=\"{rel}\"", asked.origin, asked.path)
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(link(page - 1, "prev"));
        links.push(link(1, "first"));
    }
    if page < last {
        links.push(link(page + 1, "next"));
        links.push(link(last, "last"));
    }
    let response = json(&Value::Array(rows(n_rows, (page - 1) * per_page, per_page, row_of)));
    if links.is_empty() {
        response
    } else {
        with_header(response, "link", &links.join(", "))
    }
}
