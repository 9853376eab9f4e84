//! Endpoints with rate limits, each told in another way.

use crate::control::Control;
use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Value};

/// Answers a request below `/limits`.
pub fn answer(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    let is_first = control.n_requests(&asked.path) == 1;
    match parts {
        ["bucket", used] => answer::with_header(answer::json(&rows()), "x-call-limit", &format!("{used}/40")),
        ["usage", percent] => {
            let usage = json!({ "7": [{ "calls": 12, "time": percent.parse::<u32>().unwrap_or(0), "regain": 30 }] });
            answer::with_header(answer::json(&rows()), "x-usage", &usage.to_string())
        }
        ["cost", left] => answer::json(&json!({ "data": rows(), "cost": cost(left.parse().unwrap_or(0)) })),
        ["search"] => answer::with_header(answer::json(&rows()), "x-left", "0"),
        ["minute"] => answer::with_header(answer::json(&rows()), "x-left", "17"),
        ["throttled"] if is_first => {
            answer::json(&json!({ "errors": [{ "message": "slow down", "code": "THROTTLED" }], "cost": cost(99) }))
        }
        ["throttled"] => answer::json(&json!({ "data": rows(), "cost": cost(900) })),
        ["told", "in_body"] if is_first => answer::body(429, "application/json", json!({ "retry_after": 0.02 }).to_string()),
        ["told", "by_status"] if is_first => {
            answer::with_header(answer::body(400, "application/json", json!({ "code": "RATELIMITED" }).to_string()), "x-wait-ms", "20")
        }
        ["told", "later"] if is_first => answer::body(202, "application/json", "{}"),
        ["told", _] => answer::json(&rows()),
        ["tokens", key] => of_token(asked, key, control),
        _ => answer::error(404, "no such limit"),
    }
}

/// Pages of one row each, for tokens with limits of their own: `secret-token-N` is good for N requests in an hour, and one that ends otherwise for
/// none. What each was used for is counted as `token N`, and what was refused as `refused N`. The token is in the header `Authorization`, or,
/// below `key`, in the parameter `key`.
fn of_token(asked: &Asked, key: &str, control: &Control) -> Response {
    let number = |name: &str, default: u64| asked.value(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let token = match key {
        "key" => asked.value("key"),
        _ => asked.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer ")),
    };
    let named = token.and_then(|token| token.strip_prefix("secret-token-")).unwrap_or("none");
    let used = control.noted(&format!("token {named}"));
    let Ok(limit) = named.parse::<u64>() else { return answer::error(401, "the token is not known") };
    if used > limit {
        control.noted(&format!("refused {named}"));
        return answer::with_header(answer::error(429, "too many requests"), "retry-after", "3600");
    }
    let page = number("page", 1);
    if page == number("broken", 0) && control.noted("broken") == 1 {
        return answer::error(400, "out of order");
    }
    let next = Some((page + 1).to_string()).filter(|_| page < 14);
    let told = [
        ("x-ratelimit-remaining", (limit - used).to_string()),
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-reset", "3600".to_string()),
    ];
    let page = answer::json(&json!({ "rows": [{ "id": page }], "next": next }));
    told.iter().fold(page, |answer, (name, value)| answer::with_header(answer, name, value))
}

fn rows() -> Value {
    json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }])
}

fn cost(left: u32) -> Value {
    json!({ "left": left, "max": 1000, "asked": 100, "rate": 100 })
}
