//! `serve --port 0 --rows 100000 --latency-ms 0`: a paged API on loopback whose answers all exist before the first request.
//!
//! Prints `ready http://127.0.0.1:PORT` when it listens. `/__stats` tells what was asked of it.

use axum::extract::{Path, Query, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::Router;
use bytes::Bytes;
use serde::Deserialize;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Duration;
use unify_benchmark::{flags, pages};

struct Api {
    pages: Vec<Bytes>,
    latency: Duration,
    n_requests: AtomicU64,
    n_in_flight: AtomicU64,
    most_in_flight: AtomicU64,
    n_bytes: AtomicU64,
}

#[derive(Deserialize)]
struct PageQuery {
    #[serde(default = "first_page")]
    page: usize,
    #[serde(default = "page_size")]
    per_page: usize,
}

fn first_page() -> usize {
    1
}

fn page_size() -> usize {
    pages::PAGE_SIZE
}

async fn repos(State(api): State<Arc<Api>>, Query(query): Query<PageQuery>, headers: HeaderMap) -> Response {
    api.n_requests.fetch_add(1, Relaxed);
    let n_in_flight = api.n_in_flight.fetch_add(1, Relaxed) + 1;
    api.most_in_flight.fetch_max(n_in_flight, Relaxed);
    if !api.latency.is_zero() {
        tokio::time::sleep(api.latency).await;
    }
    let response = page_response(&api, &query, &headers);
    api.n_in_flight.fetch_sub(1, Relaxed);
    response
}

fn page_response(api: &Api, query: &PageQuery, headers: &HeaderMap) -> Response {
    if query.per_page != pages::PAGE_SIZE || query.page == 0 {
        let message = format!("{{\"message\":\"pages are numbered from 1 and have {} rows\"}}", pages::PAGE_SIZE);
        return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], message).into_response();
    }
    let body = api.pages.get(query.page - 1).cloned().unwrap_or_else(|| Bytes::from_static(b"[]"));
    api.n_bytes.fetch_add(body.len() as u64, Relaxed);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let mut response = ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response();
    let link = pages::link_header(&format!("http://{host}/repos"), query.page, api.pages.len());
    if let Some(link) = link.and_then(|link| link.parse().ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// Answers with one small record, for a load that asks for many parameter sets.
async fn item(State(api): State<Arc<Api>>, Path(id): Path<u64>) -> Response {
    api.n_requests.fetch_add(1, Relaxed);
    let body = format!(
        "{{\"id\":{id},\"name\":\"item {id}\",\"state\":\"open\",\"price\":{}.25,\"created\":\"2026-01-01T00:00:00Z\",\"tags\":[\"a\",\"b\"],\"owner\":{{\"id\":{},\"login\":\"example\"}}}}",
        id % 1000,
        id % 97
    );
    api.n_bytes.fetch_add(body.len() as u64, Relaxed);
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn stats(State(api): State<Arc<Api>>) -> Response {
    let text = format!(
        "{{\"requests\":{},\"most_in_flight\":{},\"bytes\":{}}}",
        api.n_requests.load(Relaxed),
        api.most_in_flight.load(Relaxed),
        api.n_bytes.load(Relaxed)
    );
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

#[tokio::main(worker_threads = 2)]
async fn main() -> std::io::Result<()> {
    let port: u16 = flags::value_of("--port", 0);
    let pages = pages::serialised(flags::value_of("--rows", 100_000));
    let latency = Duration::from_millis(flags::value_of("--latency-ms", 0));
    let counts = || AtomicU64::new(0);
    let api = Api { pages, latency, n_requests: counts(), n_in_flight: counts(), most_in_flight: counts(), n_bytes: counts() };
    let router =
        Router::new().route("/repos", get(repos)).route("/items/{id}", get(item)).route("/__stats", get(stats)).with_state(Arc::new(api));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("ready http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // Without it small answers wait for the client's acknowledgement; a socket that refuses is only slower.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await
}
