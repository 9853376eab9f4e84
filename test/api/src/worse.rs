//! Endpoints that misbehave as [`bad`] does, but over several requests, or in how their bodies are packed.

use crate::control::Control;
use crate::{answer, bad, Asked};
use axum::body::{Body, Bytes};
use axum::http::{header, HeaderValue};
use axum::response::Response;
use futures_util::{stream, StreamExt as _};
use serde_json::{json, Value};
use std::io;
use std::sync::Arc;
use std::time::Duration;

const PAGE_SIZE: usize = 10;

/// How long the limit of an account lasts: a little less than the second that it asks for.
const LIMIT: Duration = Duration::from_millis(900);

/// Three rows as brotli packs them, in hexadecimal digits.
const BROTLI_ROWS: &str = "\
    1b4800f82d8b77c07b51ed880c2fc78b7b587cd9b7b7d52231323333cd4d2e75c2de92a58b2c45daee1244a4ac1f4842148ac409bf39518d5ff098df09";

/// 300 MiB of blanks as brotli packs them.
const BROTLI_BOMB: &str = "\
    cfffff7ff82540e2b14020f7fe9ffffffff04b00c4610180eefd3fffffffe1970088c32200ddfb7ffeffffc32f0110870500baf7fffcffff875f0220\
    0e0b0074effff9ffff0fbf04401c1600e8defff3ffff1f7e0980382c00d0bdffe7ffff3ffc1200715800a07bffcfffff7ff82500e2b00040f7fe9fff\
    fffff04b00c4610180eefd3fffffffe1970088c30200ddfb7ffeffffc32f0110870500baf7fffcffff875f02200e0b0074effff9ffff0fbf04401c16\
    00e8defff3ffff1f7e0980382c00d0bdffe7ffff3ffc1200715800a07bffcfffff7ff82500e2b00040f7fe9ffffffff04b00c4610180eefd7ffeffff\
    e2970088c30200ddfb5f";

/// Answers a request below `/worse`.
pub async fn answer(asked: &Asked, parts: &[&str], control: &Arc<Control>) -> Response {
    match parts {
        ["seventh"] => seventh_page(asked, &control.mode()),
        ["insert", way] => growing(asked, way, control),
        ["tokens", kind] => tokens(asked, kind),
        ["clamped", way] => clamped(asked, way),
        ["alike", way] => alike(asked, way),
        ["next", kind] => next(asked, kind),
        ["total", told] => total(asked, told.parse().unwrap_or(0)),
        ["late"] => late(asked),
        ["body", kind] => body(kind),
        ["limit", _] => limit(control),
        ["retry_after", kind] => first_time(asked, retry_after(kind), control).unwrap_or_else(three_rows),
        ["parents"] => passing_failure(asked, 503, control).unwrap_or_else(three_rows),
        ["parents", id, "children"] => {
            let child = json!([{ "name": format!("child of {id}") }]);
            passing_failure(asked, 429, control).unwrap_or_else(|| answer::json(&child))
        }
        ["error_inside"] => {
            let error = answer::json(&json!({ "ok": false, "error": "slow down", "rows": [] }));
            first_time(asked, error, control).unwrap_or_else(|| answer::json(&json!({ "ok": true, "rows": [row(0), row(1)] })))
        }
        _ => answer::error(404, "no such mistake"),
    }
}

fn row(idx: usize) -> Value {
    json!({ "id": idx + 1, "name": format!("row {}", idx + 1) })
}

fn three_rows() -> Response {
    answer::json(&Value::Array((0..3).map(row).collect()))
}

/// Returns the answer to the first request for a path only.
fn first_time(asked: &Asked, answer: Response, control: &Control) -> Option<Response> {
    (control.n_requests(&asked.path) == 1).then_some(answer)
}

fn passing_failure(asked: &Asked, status: u16, control: &Control) -> Option<Response> {
    first_time(asked, answer::error(status, "not this time"), control)
}

/// Answers 120 rows in twelve pages; the seventh is what `/__control?mode=` says.
fn seventh_page(asked: &Asked, mode: &str) -> Response {
    let page = asked.number("page", 1).max(1);
    match (page, mode) {
        (7, "half") => bad::half_body(Duration::from_millis(50)),
        (7, "bad_json") => answer::body(200, "application/json", "[{\"id\": 61}, {\"id\": 62"),
        (7, "html") => answer::body(200, "text/html", "<html><body>Please log in</body></html>"),
        (7, status) if status.parse::<u16>().is_ok() => answer::error(status.parse().unwrap_or(500), "the seventh page is missing"),
        _ => answer::json(&Value::Array(answer::rows(120, (page - 1) * PAGE_SIZE, PAGE_SIZE, row))),
    }
}

/// Answers 30 rows, newest first, of which one more comes after the first request: by page, by offset, or after a token.
fn growing(asked: &Asked, way: &str, control: &Control) -> Response {
    let n_rows = if control.n_requests(&asked.path) > 1 { 31 } else { 30 };
    let newest = |start: usize| answer::rows(n_rows, start, PAGE_SIZE, |idx| row(n_rows - 1 - idx));
    match way {
        "pages" => answer::json(&Value::Array(newest((asked.number("page", 1).max(1) - 1) * PAGE_SIZE))),
        "offsets" => answer::json(&Value::Array(newest(asked.number("offset", 0)))),
        "tokens" => {
            let data = newest(n_rows.saturating_sub(asked.number("after", n_rows + 1) - 1));
            let next = data.last().filter(|_| data.len() == PAGE_SIZE).map(|row| row["id"].clone());
            answer::json(&json!({ "data": data, "next": next }))
        }
        _ => answer::error(404, "no such way"),
    }
}

/// Answers pages whose tokens never end: `stuck` has the same rows, `cycle` the tokens of two pages in turn, `endless` new ones.
fn tokens(asked: &Asked, kind: &str) -> Response {
    let number = asked.number("after", 0);
    let (first, next) = match kind {
        "stuck" => (0, number + 1),
        "cycle" => (number, (number + 1) % 2),
        _ => (number, number + 1),
    };
    let data: Vec<Value> = (first * PAGE_SIZE..(first + 1) * PAGE_SIZE).map(row).collect();
    answer::json(&json!({ "data": data, "next": next }))
}

/// Answers at most 50 of 120 rows, whatever was asked for, and does not say how many there are.
fn clamped(asked: &Asked, way: &str) -> Response {
    let start = if way == "offsets" { asked.number("offset", 0) } else { (asked.number("page", 1).max(1) - 1) * 50 };
    answer::json(&Value::Array(answer::rows(120, start, asked.number("count", 50).min(50), row)))
}

/// Answers 200 rows that differ in their id and their day only: pages of 10 by number, token or link, and of 50 whatever was asked for.
fn alike(asked: &Asked, way: &str) -> Response {
    let size = if way == "clamped" { 50 } else { 10 };
    let number = asked.number("page", 1).max(1);
    let row = |idx: usize| json!({ "id": idx + 1, "state": "open", "at": format!("2024-01-01T{:02}:{:02}:00Z", idx / 60, idx % 60) });
    let data = answer::rows(200, (number - 1) * size, size, row);
    let next = (number < 200 / size).then(|| (number + 1).to_string());
    match (way, &next) {
        ("tokens", _) => answer::json(&json!({ "data": data, "next": next })),
        ("links", Some(next)) => {
            let link = format!("<{}?page={next}>; rel=\"next\"", asked.path);
            answer::with_header(answer::json(&Value::Array(data)), "link", &link)
        }
        _ => answer::json(&Value::Array(data)),
    }
}

/// Answers two pages of which the first names the second in an odd way, in its body or its header.
fn next(asked: &Asked, kind: &str) -> Response {
    let is_first = asked.value("page").is_none();
    let next = match kind {
        "object" => json!({ "href": format!("{}?page=2", asked.path) }),
        "port" => json!("http://127.0.0.1:99999/worse/next/port"),
        "false" => json!(false),
        "number" => json!(2),
        _ => Value::Null,
    };
    let first = if is_first { 0 } else { PAGE_SIZE };
    let rows: Vec<Value> = (first..first + PAGE_SIZE).map(row).collect();
    let response = answer::json(&json!({ "rows": rows, "next": if is_first { next } else { Value::Null } }));
    match kind {
        "header" if is_first => answer::with_header(response, "link", "<http://127.0.0.1:99999/worse/next/header>; rel=\"next\""),
        _ => response,
    }
}

/// Answers 30 rows in pages, each of which tells that there are as many rows as it is told to say, and pages to match.
fn total(asked: &Asked, told: usize) -> Response {
    let rows = answer::rows(30, (asked.number("page", 1).max(1) - 1) * PAGE_SIZE, PAGE_SIZE, row);
    answer::json(&json!({ "total": told, "pages": told.div_ceil(PAGE_SIZE), "rows": rows }))
}

/// Answers 60 pages of 20 rows: `thing` is null in a thousand rows and then an object, `fresh` is there from page 50 on.
fn late(asked: &Asked) -> Response {
    let row = |idx: usize| {
        let mut row = row(idx);
        row["thing"] = if idx < 1000 { Value::Null } else { json!({ "size": idx }) };
        if idx >= 49 * 20 {
            row["fresh"] = json!(true);
        }
        row
    };
    answer::json(&Value::Array(answer::rows(1200, (asked.number("page", 1).max(1) - 1) * 20, 20, row)))
}

/// Answers three rows, packed in some way, or what claims to be.
fn body(kind: &str) -> Response {
    let json = Value::Array((0..3).map(row).collect()).to_string();
    match kind {
        "brotli" => packed("br", unpacked_hex(BROTLI_ROWS)),
        "brotli_bomb" => packed("br", unpacked_hex(BROTLI_BOMB)),
        "zstd" => packed("zstd", zstd(&[(json.as_bytes(), 0)])),
        "zstd_bomb" => packed("zstd", zstd(&vec![(b" ".as_slice(), 128 << 10); 65_536])),
        "not_gzip" => packed("gzip", json.into_bytes()),
        "byte_by_byte" => {
            let bytes = json.into_bytes().into_iter().map(|byte| Ok::<_, io::Error>(Bytes::from(vec![byte])));
            answer::body(200, "application/json", Body::from_stream(stream::iter(bytes.collect::<Vec<_>>())))
        }
        // What came is JSON from end to end; that there should be more shows in the length only.
        "too_short" => answer::with_header(answer::body(200, "application/json", cut_off(json)), "content-length", "1000"),
        // Nothing says how long it is; that there should be more shows in the missing end only.
        "no_end" => answer::body(200, "application/json", cut_off(json)),
        _ => answer::error(404, "no such body"),
    }
}

/// A body after which the connection is lost.
fn cut_off(content: String) -> Body {
    let lost = stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::Error::other("the connection is lost"))
    });
    Body::from_stream(stream::iter([Ok(Bytes::from(content))]).chain(lost))
}

fn packed(encoding: &'static str, content: Vec<u8>) -> Response {
    let mut response = answer::body(200, "application/json", content);
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    response
}

/// Returns a zstd frame of blocks: bytes as they are, or, with a count, one byte so many times.
fn zstd(blocks: &[(&[u8], usize)]) -> Vec<u8> {
    // The magic number, no flags, and a window of 128 KiB.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3];
    for (idx, (bytes, n_times)) in blocks.iter().enumerate() {
        let is_last = usize::from(idx + 1 == blocks.len());
        let (kind, len) = if *n_times > 0 { (1, *n_times) } else { (0, bytes.len()) };
        frame.extend_from_slice(&(is_last | kind << 1 | len << 3).to_le_bytes()[..3]);
        frame.extend_from_slice(bytes);
    }
    frame
}

fn unpacked_hex(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2).filter_map(|idx| u8::from_str_radix(&digits[idx * 2..idx * 2 + 2], 16).ok()).collect()
}

/// Answers as an API whose limit is the account's: after the first request, whoever asks within a second counts as `/worse/limit/early`.
fn limit(control: &Arc<Control>) -> Response {
    let limited = || answer::with_header(answer::error(429, "the account's limit is reached"), "retry-after", "1");
    if control.n_requests("/worse/limit/over") > 0 {
        return three_rows();
    }
    if control.n_requests("/worse/limit/begun") > 0 {
        control.note("/worse/limit/early");
        return limited();
    }
    control.note("/worse/limit/begun");
    let control = Arc::clone(control);
    tokio::spawn(async move {
        tokio::time::sleep(LIMIT).await;
        control.note("/worse/limit/over");
    });
    limited()
}

fn retry_after(kind: &str) -> Response {
    let (status, value) = match kind {
        "far_date" => (429, "Fri, 01 Jan 2100 00:00:00 GMT"),
        "fraction" => (429, "0.02"),
        "empty" => (429, ""),
        "of_403" => (403, "0"),
        _ => (503, "0"),
    };
    answer::with_header(answer::error(status, "secondary rate limit"), "retry-after", value)
}
