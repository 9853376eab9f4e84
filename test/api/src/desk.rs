//! The desk: takes what clients write, well or badly, and remembers it for the tests at `/__written`.
//!
//! `/desk/KIND` lists what was written there. `plain` takes everything; the others misbehave at the first request for a path, or in
//! the way their name says. Of requests with the same Idempotency-Key only the first is taken.

use crate::control::Control;
use crate::{answer, bad, Asked};
use axum::response::Response;
use serde_json::{json, Value};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A request that was taken.
#[derive(Clone)]
struct Written {
    method: String,
    path: String,
    query: String,
    key: Option<String>,
    body: String,
}

/// Everything that was written.
#[derive(Default)]
pub struct Desk {
    written: Mutex<Vec<Written>>,
}

impl Desk {
    /// Remembers a request, unless one with its key was taken before.
    pub fn take(&self, asked: &Asked) {
        let mut written = self.written();
        let is_known = asked.idempotency_key.is_some() && written.iter().any(|other| other.key == asked.idempotency_key);
        if !is_known {
            written.push(Written {
                method: asked.method.clone(),
                path: asked.path.clone(),
                query: asked.query.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&"),
                key: asked.idempotency_key.clone(),
                body: asked.body.clone(),
            });
        }
    }

    /// Answers `/__written?path=P` with a line for each request to a path that begins so: method, path, query and body.
    pub fn lines(&self, asked: &Asked) -> Response {
        let prefix = asked.value("path").unwrap_or("/");
        let line = |written: &Written| {
            let query = if written.query.is_empty() { String::new() } else { format!("?{}", written.query) };
            format!("{} {}{query} {}", written.method, written.path, written.body).trim_end().to_string() + "\n"
        };
        let lines: String = self.written().iter().filter(|written| written.path.starts_with(prefix)).map(line).collect();
        answer::body(200, "text/plain", lines)
    }

    /// Forgets everything.
    pub fn reset(&self) {
        self.written().clear();
    }

    fn list(&self, path: &str) -> Response {
        let row = |(idx, written): (usize, &Written)| json!({ "id": idx + 1, "method": written.method, "body": serde_json::from_str::<Value>(&written.body).unwrap_or(Value::Null) });
        let written = self.written();
        answer::json(&Value::Array(written.iter().filter(|written| written.path == path).enumerate().map(row).collect()))
    }

    fn written(&self) -> MutexGuard<'_, Vec<Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a request below `/desk`.
pub async fn answer(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    if !asked.is_authorized() {
        return answer::error(401, "who are you?");
    }
    let desk = &control.desk;
    if asked.method == "GET" {
        return desk.list(&asked.path);
    }
    let is_first = control.n_requests(&asked.path) == 1;
    match parts.first().copied().unwrap_or_default() {
        "broken" if is_first => return answer::error(500, "not now"),
        "broken_late" if is_first => {
            desk.take(asked);
            return answer::error(500, "taken, and then something broke");
        }
        "limited" if is_first => return answer::with_header(answer::error(429, "slow down"), "retry-after", "0"),
        "busy" if is_first => return answer::with_header(answer::error(503, "busy"), "retry-after", "0"),
        "asleep" => return answer::with_header(answer::error(429, "come back in an hour"), "retry-after", "3600"),
        "dropped" if is_first => {
            desk.take(asked);
            return bad::half_body(Duration::ZERO);
        }
        "dropped" if asked.method == "DELETE" => return answer::error(404, "no such thing"),
        "strict" if asked.body.contains("bad") => {
            return answer::error(422, &format!("Validation Failed: {}", asked.body.replace('"', "'")));
        }
        "moved" => return moved(307, &format!("{}/desk/plain/moved", asked.origin)),
        "see_other" => return moved(303, &format!("{}/desk/plain/seen", asked.origin)),
        "away" => return moved(307, &format!("{}/stolen", control.elsewhere)),
        "gated" => control.pass_gate().await,
        _ => {}
    }
    desk.take(asked);
    match asked.method.as_str() {
        "DELETE" => answer::body(204, "application/json", ""),
        _ => answer::body(201, "application/json", json!({ "ok": true }).to_string()),
    }
}

fn moved(status: u16, to: &str) -> Response {
    answer::with_header(answer::body(status, "text/plain", "moved"), "location", to)
}
