//! Endpoints that misbehave, each in one way.

use crate::control::Control;
use crate::{answer, Asked, TOKEN};
use axum::body::{Body, Bytes};
use axum::http::{header, HeaderValue};
use axum::response::Response;
use futures_util::{stream, StreamExt as _};
use serde_json::{json, Value};
use std::io;
use std::io::Write as _;
use std::time::Duration;

const N_PAGED: usize = 120;
const PAGE_SIZE: usize = 10;

/// Answers a request below `/bad`.
pub async fn answer(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    match parts {
        ["switch"] => switch(asked, &control.mode(), control).await,
        ["status", status] => answer::error(status.parse().unwrap_or(500), &format!("this is {status}")),
        ["pages", "held"] => {
            if asked.number("page", 1) >= 7 {
                control.pass_gate().await;
            }
            failing_page(asked, "held", control)
        }
        ["pages", kind] => failing_page(asked, kind, control),
        ["retry_after", kind] => retry_after(asked, kind, control),
        ["paging", kind] => paging(asked, kind, control),
        ["redirect", kind] => redirect(asked, kind, control),
        ["parents"] => answer::json(&json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }, { "id": null }])),
        ["parents", "2", "children"] => answer::error(404, "no such parent"),
        ["parents", id, "children"] => answer::json(&json!([{ "name": format!("child of {id}") }])),
        ["limited"] if control.n_requests(&asked.path) == 1 => {
            answer::with_header(answer::error(403, "rate limit exceeded"), "x-remaining", "0")
        }
        ["limited"] => answer::json(&rows(0, 3)),
        [kind] => broken(asked, kind).await,
        _ => answer::error(404, "no such mistake"),
    }
}

fn rows(start: usize, count: usize) -> Value {
    Value::Array((start..start + count).map(|idx| json!({ "id": idx + 1, "name": format!("row {}", idx + 1) })).collect())
}

/// Answers with what `/__control?mode=` says; `fine` is 25 rows in pages.
async fn switch(asked: &Asked, mode: &str, control: &Control) -> Response {
    let page = asked.number("page", 1).max(1);
    match mode {
        "" | "fine" => answer::json(&Value::Array(answer::rows(25, (page - 1) * PAGE_SIZE, PAGE_SIZE, |idx| json!({ "id": idx + 1 })))),
        "empty" => answer::json(&json!([])),
        "gated" => {
            control.pass_gate().await;
            answer::json(&rows(0, 3))
        }
        "texts" => answer::json(&json!([{ "id": "007" }, { "id": "8" }, { "id": "9" }])),
        "page2" if page == 1 => answer::json(&rows(0, PAGE_SIZE)),
        "page2" => answer::error(500, "page 2 is broken"),
        status if status.parse::<u16>().is_ok() => answer::error(status.parse().unwrap_or(500), "switched"),
        kind => broken(asked, kind).await,
    }
}

/// Answers 120 rows in twelve pages, of which one fails: `first` and `seventh` always, `flaky` page 7 twice, `lost` page 7 with 401,
/// `once` page 7 with 401 the first time, and `lists` as well, whose rows
/// have lists. Those of `held` have some, too, and no page fails.
fn failing_page(asked: &Asked, kind: &str, control: &Control) -> Response {
    let page = asked.number("page", 1).max(1);
    let n_failed = control.n_requests(&format!("{} failed", asked.path));
    match (kind, page) {
        ("first", 1) | ("seventh", 7) => answer::error(500, "this page is broken"),
        ("lost", 7) => answer::error(401, "token expired"),
        ("once" | "lists", 7) if n_failed == 0 => {
            control.note(&format!("{} failed", asked.path));
            answer::error(401, "token expired")
        }
        ("flaky", 7) if n_failed < 2 => {
            control.note(&format!("{} failed", asked.path));
            answer::error(503, "try again")
        }
        ("lists" | "held", _) => answer::json(&Value::Array(answer::rows(N_PAGED, (page - 1) * PAGE_SIZE, PAGE_SIZE, with_list))),
        _ => answer::json(&Value::Array(answer::rows(N_PAGED, (page - 1) * PAGE_SIZE, PAGE_SIZE, |idx| json!({ "id": idx + 1 })))),
    }
}

/// Returns a row with a list of none, one or two elements, whose texts are numbers at first.
fn with_list(idx: usize) -> Value {
    let text = |no: usize| if idx < 100 { json!(idx * 10 + no) } else { json!(format!("line {no}")) };
    json!({ "id": idx + 1, "lines": (0..idx % 3).map(|no| json!({ "no": no, "text": text(no) })).collect::<Vec<_>>() })
}

/// Answers 429 with a Retry-After of some kind to the first request, then rows.
fn retry_after(asked: &Asked, kind: &str, control: &Control) -> Response {
    if kind != "always" && control.n_requests(&asked.path) > 1 {
        return answer::json(&rows(0, 3));
    }
    let value = match kind {
        "zero" | "always" => "0",
        "one" => "1",
        "hour" => "3600",
        "minute" => "60",
        "negative" => "-5",
        "past" => "Wed, 21 Oct 2015 07:28:00 GMT",
        "absurd" => "99999999999999999999",
        "garbage" => "soon\u{e4}",
        _ => return answer::error(429, "slow down"),
    };
    answer::with_header(answer::error(429, "slow down"), "retry-after", value)
}

/// Answers pages that are cut in an awkward way.
fn paging(asked: &Asked, kind: &str, control: &Control) -> Response {
    let page = asked.number("page", 1);
    let from_one = page.max(1) - 1;
    match kind {
        "full" => answer::json(&Value::Array(answer::rows(30, from_one * 10, 10, |idx| json!({ "id": idx + 1 })))),
        "from_zero" => answer::json(&Value::Array(answer::rows(25, page * 10, 10, |idx| json!({ "id": idx + 1 })))),
        "clamped" => {
            let data = answer::rows(N_PAGED, asked.number("offset", from_one * 50), 50, |idx| json!({ "id": idx + 1 }));
            answer::json(&json!({ "total": N_PAGED, "rows": data }))
        }
        "hole" => {
            let data = if page == 2 { json!([]) } else { rows(from_one * 10, 10) };
            answer::json(&json!({ "total_pages": 3, "rows": if page > 3 { json!([]) } else { data } }))
        }
        "same_page" => answer::json(&rows(0, 10)),
        "same_token" => answer::json(&json!({ "data": rows(0, 10), "next": "again", "has_more": true })),
        "invalid_at_once" => answer::error(404, "Invalid page."),
        "invalid_past_end" if page > 6 => answer::error(404, "Invalid page."),
        "past_end" if page > 6 => answer::error(404, "no such page"),
        "gone_past_end" if page > 6 => answer::error(410, "no such page"),
        "past_end" | "gone_past_end" | "invalid_past_end" => answer::json(&rows(from_one * 10, 10)),
        "token_gap" if asked.value("after").is_some() => answer::body(204, "application/json", ""),
        "token_gap" => answer::json(&json!({ "data": rows(0, 10), "next": "b", "has_more": true })),
        "same_link" => {
            answer::with_header(answer::json(&rows(0, 10)), "link", &format!("<{}{}?page=2>; rel=\"next\"", asked.origin, asked.path))
        }
        "relative_link" if page < 3 => answer::with_header(
            answer::json(&rows(from_one * 10, 10)),
            "link",
            &format!("<{}?page={}>; rel=\"next\"", asked.path, page.max(1) + 1),
        ),
        "relative_link" => answer::json(&rows(from_one * 10, 5)),
        "no_link" => {
            answer::with_header(answer::json(&rows(0, 10)), "link", &format!("<{}{}?page=1>; rel=\"first\"", asked.origin, asked.path))
        }
        "foreign_link" => {
            answer::with_header(answer::json(&rows(0, 10)), "link", &format!("<{}/stolen?page=2>; rel=\"next\"", control.elsewhere))
        }
        _ => answer::error(404, "no such paging"),
    }
}

fn redirect(asked: &Asked, kind: &str, control: &Control) -> Response {
    let target = match kind {
        "same" => format!("{}/bad/ok", asked.origin),
        "away" => format!("{}/stolen", control.elsewhere),
        "circle" => format!("{}{}", asked.origin, asked.path),
        _ => return answer::error(404, "no such redirect"),
    };
    answer::with_header(answer::body(302, "text/plain", "moved"), "location", &target)
}

/// Answers whose body or headers are wrong.
async fn broken(asked: &Asked, kind: &str) -> Response {
    match kind {
        "ok" => answer::json(&rows(0, 3)),
        "guarded" if asked.is_authorized() => answer::json(&rows(0, 3)),
        "guarded" => answer::error(401, "who are you?"),
        "empty" => answer::json(&json!([])),
        "no_body" => answer::body(200, "application/json", ""),
        "no_content" => answer::body(204, "application/json", ""),
        "bad_json" => answer::body(200, "application/json", "[{\"id\": 1}, {\"id\": 2"),
        "trailing" => answer::body(200, "application/json", "[{\"id\": 1}] and more"),
        "two_roots" => answer::body(200, "application/json", "[{\"id\": 1}] [{\"id\": 2}]"),
        "not_a_number" => answer::body(200, "application/json", "[{\"id\": NaN}]"),
        "not_utf8" => answer::body(200, "application/json", b"[{\"name\": \"\xff\xfe\"}]".to_vec()),
        "with_bom" => answer::body(200, "application/json", "\u{feff}[{\"id\": 1}]"),
        "twice" => answer::body(200, "application/json", "[{\"id\": 1, \"id\": 2}]"),
        "html" => answer::body(200, "text/html", "<html><body>Please log in</body></html>"),
        "text" => answer::body(200, "text/plain", "[{\"id\": 1}]"),
        "scalar" => answer::json(&json!(42)),
        "scalars" => answer::json(&json!([1, 2, 3])),
        "missing_path" => answer::json(&json!({ "other": [] })),
        "wrong_path" => answer::json(&json!({ "rows": "none" })),
        "error_inside" => answer::json(&json!({ "ok": false, "error": "quota used up", "rows": [] })),
        // The second of three pages says that it does not have all it should.
        "in_part" => {
            let page = asked.number("page", 1);
            let rows = answer::rows(25, (page - 1) * 10, 10, |idx| json!({ "id": idx + 1 }));
            answer::json(&json!({ "partial": page == 2, "rows": rows }))
        }
        "deep" => answer::body(200, "application/json", format!("[{{\"deep\": {}{}}}]", "[".repeat(100_000), "]".repeat(100_000))),
        "echo" => answer::error(400, &format!("you sent {:?} {:?} {:?}", asked.authorization, asked.api_key, asked.query)),
        // The credential stands where a message of ours ends.
        "echo_late" => answer::body(400, "text/plain", format!("{} {TOKEN} is no good", "x".repeat(193))),
        "echo_no_json" => {
            answer::body(200, "text/plain", format!("This came along with the request as its password: {TOKEN}, and it is no good"))
        }
        "login" => {
            let session = json!({ "access_token": "0123456789", "password": asked.authorization, "user": { "id": 1.50, "secret": 7 } });
            let response = answer::with_header(answer::json(&session), "set-cookie", "session=0123456789; Path=/");
            answer::with_header(response, "x-auth-token", "0123456789")
        }
        "quota" => {
            let response = answer::with_header(answer::json(&rows(0, 3)), "x-ratelimit-remaining", "41");
            answer::with_header(answer::with_header(response, "x-ratelimit-limit", "50"), "x-ratelimit-reset", "3600")
        }
        "no_answer" => half_body(Duration::ZERO),
        "half" => half_body(Duration::from_millis(50)),
        "drip" => drip(),
        "bomb" => bomb(),
        _ => answer::error(404, "no such mistake"),
    }
}

/// A body that breaks off `patience` after its first bytes; with none, not even the head of the answer is sent.
pub fn half_body(patience: Duration) -> Response {
    let first = stream::iter([Ok(Bytes::from_static(b"[{\"id\": 1}, {\"id\""))]);
    let broken = stream::once(async move {
        tokio::time::sleep(patience).await;
        Err(io::Error::other("the connection is lost"))
    });
    answer::with_header(answer::body(200, "application/json", Body::from_stream(first.chain(broken))), "content-length", "1000")
}

/// A body of which one byte comes a second.
fn drip() -> Response {
    let bytes = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, io::Error>(Bytes::from_static(b" ")), ()))
    });
    answer::body(200, "application/json", Body::from_stream(bytes))
}

/// A small body that unpacks to 8 GiB of blanks: one compressed block, which a full flush makes repeatable, sent 512 times.
fn bomb() -> Response {
    let mut encoder = flate2::Compress::new(flate2::Compression::best(), false);
    let mut block = Vec::with_capacity(1 << 20);
    let blanks = vec![b' '; 16 << 20];
    let _ = encoder.compress_vec(&blanks, &mut block, flate2::FlushCompress::Full);
    let mut content = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    for _ in 0..512 {
        let _ = content.write_all(&block);
    }
    let mut response = answer::body(200, "application/json", content);
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}
