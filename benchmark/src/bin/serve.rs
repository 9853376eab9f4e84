//! `serve --port 0 --rows 100000 --latency-ms 0 --small-rows 0 --format ndjson`: an API on loopback. Answers that are large exist before
//! the first request.
//!
//! Prints `ready http://127.0.0.1:PORT` when it listens. With `--certificate FILE --key FILE` (PEM) it is `https` and speaks the protocol that
//! `--protocol` names as TLS does: `http/1.1` or `h2`. `/__stats` tells what was asked of it.

use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::uri::Authority;
use axum::http::{header, HeaderMap, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::Router;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use bytes::Bytes;
use serde::Deserialize;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use unify_benchmark::pages::{self, Pages};
use unify_benchmark::{bodies, flags, small};

struct Api {
    pages: Pages,
    /// All rows as one body, in the format of flag `--format`.
    body: Bytes,
    /// Rows of the table that changes.
    n_small_rows: u64,
    /// Of these, how many changed since they were last asked for.
    n_changed: AtomicU64,
    latency: Duration,
    n_requests: AtomicU64,
    n_in_flight: AtomicU64,
    most_in_flight: AtomicU64,
    n_bytes: AtomicU64,
    /// Where requests came from: an address for each connection.
    peers: Mutex<HashSet<SocketAddr>>,
    is_tls: bool,
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

/// What every answer takes: it is counted and comes late.
async fn as_by_an_api(State(api): State<Arc<Api>>, ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request, next: Next) -> Response {
    api.peers.lock().unwrap_or_else(PoisonError::into_inner).insert(peer);
    api.n_requests.fetch_add(1, Relaxed);
    let n_in_flight = api.n_in_flight.fetch_add(1, Relaxed) + 1;
    api.most_in_flight.fetch_max(n_in_flight, Relaxed);
    if !api.latency.is_zero() {
        tokio::time::sleep(api.latency).await;
    }
    let response = next.run(request).await;
    api.n_in_flight.fetch_sub(1, Relaxed);
    response
}

async fn repos(State(api): State<Arc<Api>>, Query(query): Query<PageQuery>, uri: Uri, headers: HeaderMap) -> Response {
    if query.per_page != pages::PAGE_SIZE || query.page == 0 {
        let message = format!("{{\"message\":\"pages are numbered from 1 and have {} rows\"}}", pages::PAGE_SIZE);
        return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], message).into_response();
    }
    let body = api.pages.get(query.page - 1).unwrap_or_else(|| Bytes::from_static(b"[]"));
    api.n_bytes.fetch_add(body.len() as u64, Relaxed);
    // HTTP/2 has no Host header.
    let named = || headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(Authority::as_str).or_else(named).unwrap_or("127.0.0.1");
    let scheme = if api.is_tls { "https" } else { "http" };
    let mut response = ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response();
    let link = pages::link_header(&format!("{scheme}://{host}/repos"), query.page, api.pages.len());
    if let Some(link) = link.and_then(|link| link.parse().ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// Answers with one small record, for a load that asks for many parameter sets.
async fn item(State(api): State<Arc<Api>>, Path(id): Path<u64>) -> Response {
    api.answer(small::row(id).into())
}

/// Answers with all rows at once.
async fn export(State(api): State<Arc<Api>>) -> Response {
    api.n_bytes.fetch_add(api.body.len() as u64, Relaxed);
    api.body.clone().into_response()
}

/// Answers with the parents.
async fn owners(State(api): State<Arc<Api>>) -> Response {
    api.answer(small::owners(api.pages.len()).into())
}

/// Answers with a parent's rows.
async fn repos_of_owner(State(api): State<Arc<Api>>, Path(id): Path<usize>) -> Response {
    match api.pages.get(id) {
        Some(page) => api.answer(page),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
struct ChangeQuery {
    #[serde(default = "first_page")]
    page: usize,
    /// Only what changed since then is asked for.
    since: Option<String>,
}

/// Answers with a page of the table that changes.
async fn changing(State(api): State<Arc<Api>>, Query(query): Query<ChangeQuery>) -> Response {
    let n_rows = if query.since.is_some() { api.n_changed.load(Relaxed) } else { api.n_small_rows };
    api.answer(small::page(query.page as u64, n_rows).into())
}

#[derive(Deserialize)]
struct Change {
    rows: u64,
}

/// From now on so many rows changed.
async fn change(State(api): State<Arc<Api>>, Query(change): Query<Change>) -> StatusCode {
    api.n_changed.store(change.rows, Relaxed);
    StatusCode::NO_CONTENT
}

impl Api {
    fn answer(&self, body: Bytes) -> Response {
        self.n_bytes.fetch_add(body.len() as u64, Relaxed);
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

async fn stats(State(api): State<Arc<Api>>) -> Response {
    let text = format!(
        "{{\"requests\":{},\"connections\":{},\"most_in_flight\":{},\"bytes\":{}}}",
        api.n_requests.load(Relaxed),
        api.peers.lock().unwrap_or_else(PoisonError::into_inner).len(),
        api.most_in_flight.load(Relaxed),
        api.n_bytes.load(Relaxed)
    );
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

#[tokio::main(worker_threads = 2)]
async fn main() -> std::io::Result<()> {
    let port: u16 = flags::value_of("--port", 0);
    let n_rows = flags::value_of("--rows", 100_000);
    let body = match flags::value_of("--format", String::new()).as_str() {
        "ndjson" => bodies::ndjson(n_rows).into(),
        "csv" => bodies::csv(n_rows).into(),
        _ => Bytes::new(),
    };
    let certificate = flags::value_of("--certificate", String::new());
    let counts = || AtomicU64::new(0);
    let api = Arc::new(Api {
        pages: Pages::new(n_rows),
        body,
        n_small_rows: flags::value_of("--small-rows", 0),
        n_changed: counts(),
        latency: Duration::from_millis(flags::value_of("--latency-ms", 0)),
        n_requests: counts(),
        n_in_flight: counts(),
        most_in_flight: counts(),
        n_bytes: counts(),
        peers: Mutex::default(),
        is_tls: !certificate.is_empty(),
    });
    let router = Router::new()
        .route("/repos", get(repos))
        .route("/items/{id}", get(item))
        .route("/export", get(export))
        .route("/owners", get(owners))
        .route("/owners/{id}/repos", get(repos_of_owner))
        .route("/changing", get(changing))
        .route_layer(middleware::from_fn_with_state(api.clone(), as_by_an_api))
        .route("/__change", get(change))
        .route("/__stats", get(stats))
        .with_state(api);
    let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    // Without NoDelayAcceptor small answers wait for the client's acknowledgement.
    let server = axum_server::from_tcp(listener)?.acceptor(NoDelayAcceptor::new());
    if certificate.is_empty() {
        println!("ready http://{address}");
        return server.serve(router).await;
    }
    let tls = RustlsConfig::from_pem_file(&certificate, flags::value_of("--key", certificate.clone())).await?;
    let mut config = tls.get_inner().as_ref().clone();
    config.alpn_protocols = vec![flags::value_of("--protocol", "http/1.1".to_string()).into_bytes()];
    tls.reload_from_config(Arc::new(config));
    println!("ready https://{address}");
    server.map(|acceptor| RustlsAcceptor::new(tls).acceptor(acceptor)).serve(router).await
}
