//! A small REST API for Unify's demo and tests: a GitHub-shaped part, recorded answers of public APIs, a shop, ledgers with a revision,
//! an authorization server, and endpoints that misbehave in one way each.
//!
//! All data is a function of the request, so that every run sees the same. What may change between requests (failures, row
//! counts, the gate) is set at `/__control`, and rows that come and go at `/__source`; `/__stats` and `/__wait` say what was asked.

mod answer;
mod bad;
mod control;
mod crm;
mod desk;
mod echo;
mod export;
mod feed;
mod formats;
mod github;
mod ledger;
mod limits;
mod next;
mod oauth;
mod ranges;
mod recorded;
mod shop;
mod signed;
mod source;
mod told;
mod tree;
mod worse;

use axum::extract::Request;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::any;
use axum::Router;
use control::Control;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

/// The user name that BASIC authentication expects.
pub const USERNAME: &str = "me";

/// The password, token and key that every part of the API expects.
pub const TOKEN: &str = "secret-token";

/// Most bytes of a request's body.
const MOST_BODY: usize = 16 << 20;

/// A running API. It stops when dropped.
pub struct Server {
    address: String,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    /// Starts the API on a port of 127.0.0.1; 0 takes a free one. Fails when the port is taken.
    pub fn start(port: u16) -> io::Result<Server> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let elsewhere = TcpListener::bind(("127.0.0.1", 0))?;
        let address = address_of(&listener)?;
        let control = Arc::new(Control::new(address_of(&elsewhere)?));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        for (listener, place) in [(listener, Place::Home), (elsewhere, Place::Elsewhere)] {
            listener.set_nonblocking(true)?;
            let control = control.clone();
            runtime.spawn(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let service = Router::new().fallback(any(move |request: Request| answer_to(request, control.clone(), place)));
                let _ = axum::serve(listener, service).await;
            });
        }
        Ok(Server { address, runtime: Some(runtime) })
    }

    /// Returns the address: `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Which of the two listeners was asked: the second stands for another origin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Home,
    Elsewhere,
}

fn address_of(listener: &TcpListener) -> io::Result<String> {
    Ok(format!("http://127.0.0.1:{}", listener.local_addr()?.port()))
}

async fn answer_to(request: Request, control: Arc<Control>, place: Place) -> Response {
    let mut asked = Asked::new(&request);
    if let Ok(body) = axum::body::to_bytes(request.into_body(), MOST_BODY).await {
        asked.body = String::from_utf8_lossy(&body).into_owned();
    }
    if let Some(answer) = control.answer(&asked).await {
        return answer;
    }
    control.count(&asked, place);
    if let Some(answer) = export::file(&asked, place, &control) {
        return answer;
    }
    if place == Place::Elsewhere {
        return answer::json(&serde_json::json!([{ "id": 1, "elsewhere": true }]));
    }
    if control.fails_now() {
        return answer::error(500, "told to fail");
    }
    let parts: Vec<String> = asked.path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.split_first() {
        Some((&"bad", rest)) => bad::answer(&asked, rest, &control).await,
        Some((&"crm", rest)) => crm::answer(&asked, rest, &control).await,
        Some((&"desk", rest)) => desk::answer(&asked, rest, &control).await,
        Some((&"export", rest)) => control.exports.answer(&asked, rest, &control),
        Some((&"formats", rest)) => formats::answer(&asked, rest, &control),
        Some((&"echo", rest)) => echo::answer(&asked, rest),
        Some((&"feed", rest)) => control.feeds.answer(&asked, rest),
        Some((&"hackernews", rest)) => recorded::hackernews(rest),
        Some((&"ledger", rest)) => control.ledger.answer(&asked, rest).await,
        Some((&"next", rest)) => next::answer(&asked, rest),
        Some((&"oauth", rest)) => oauth::answer(&asked, rest, &control).await,
        Some((&"ranges", rest)) => ranges::answer(&asked, rest, &control),
        Some((&"replayed", rest)) => recorded::replayed(&asked, &control, rest),
        Some((&"limits", rest)) => limits::answer(&asked, rest, &control),
        Some((&"shop", rest)) => shop::answer(&asked, rest, &control).await,
        Some((&"signed", rest)) => signed::answer(&asked, rest, &control),
        Some((&"source", rest)) => control.sources.answer(&asked, rest),
        Some((&"tree", rest)) => tree::answer(&asked, rest, &control).await,
        Some((&"told", rest)) => told::answer(&asked, rest),
        Some((&"wikimedia", rest)) => recorded::wikimedia(&asked, rest),
        Some((&"worse", rest)) => worse::answer(&asked, rest, &control).await,
        _ if asked.method == "POST" => github::written(&asked, &parts, &control),
        _ => github::answer(&asked, &parts),
    }
}

/// What the API looks at in a request.
struct Asked {
    /// As it was sent, percent-encoding included.
    path: String,
    query: Vec<(String, String)>,
    /// `http://` and the host the client used.
    origin: String,
    authorization: Option<String>,
    api_key: Option<String>,
    accept: Option<String>,
    user_agent: Option<String>,
    idempotency_key: Option<String>,
    content_type: Option<String>,
    trace: Option<String>,
    if_none_match: Option<String>,
    if_modified_since: Option<String>,
    headers: Vec<(String, String)>,
    method: String,
    body: String,
}

impl Asked {
    fn new(request: &Request) -> Asked {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_string);
        Asked {
            path: request.uri().path().to_string(),
            query: query_of(request.uri()),
            origin: format!("http://{}", header("host").unwrap_or_default()),
            authorization: header("authorization"),
            api_key: header("x-api-key"),
            accept: header("accept"),
            user_agent: header("user-agent"),
            idempotency_key: header("idempotency-key"),
            content_type: header("content-type"),
            trace: header("x-trace"),
            if_none_match: header("if-none-match"),
            if_modified_since: header("if-modified-since"),
            headers: request
                .headers()
                .iter()
                .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_string())))
                .collect(),
            method: request.method().to_string(),
            body: String::new(),
        }
    }

    /// Returns a query parameter.
    fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns a query parameter that is a number, or `default`.
    fn number(&self, name: &str, default: usize) -> usize {
        self.value(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    /// Returns whether any credential came along, right or wrong.
    fn has_credentials(&self) -> bool {
        self.authorization.is_some() || self.api_key.is_some() || self.value("api_key").is_some()
    }

    /// Returns whether the request may see data.
    fn is_authorized(&self) -> bool {
        // "bWU6c2VjcmV0LXRva2Vu" is "me:secret-token".
        let accepted = [format!("Bearer {TOKEN}"), format!("token {TOKEN}"), "Basic bWU6c2VjcmV0LXRva2Vu".to_string()];
        let by_header = self.authorization.as_ref().is_some_and(|value| accepted.contains(value));
        by_header || self.api_key.as_deref() == Some(TOKEN) || self.value("api_key") == Some(TOKEN)
    }
}

fn query_of(uri: &Uri) -> Vec<(String, String)> {
    pairs_of(uri.query().unwrap_or(""))
}

/// Returns the names and values of a query string or a form.
fn pairs_of(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&key.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
        .collect()
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut idx = 0;
    while idx < bytes.len() {
        let code = (bytes[idx] == b'%').then(|| text.get(idx + 1..idx + 3)).flatten().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) => {
                plain.push(code);
                idx += 3;
            }
            None => {
                plain.push(bytes[idx]);
                idx += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}
