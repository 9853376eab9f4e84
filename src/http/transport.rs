//! One HTTP exchange on the network: the only place that names reqwest.

use super::auth::is_loopback;
use super::Headers;
use crate::{Error, Result};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Most time for connecting, within the time for the whole request.
const MAX_CONNECT: Duration = Duration::from_secs(10);

/// The connections to one API's hosts.
pub(super) struct Transport {
    client: reqwest::Client,
    /// For this machine, which no proxy of the environment is asked for.
    local_client: reqwest::Client,
    timeout: Duration,
    max_body_len: usize,
    /// Why servers cannot be verified, so that nothing goes over https.
    unverifiable: Option<String>,
}

/// What became of a request.
pub(super) enum Exchange {
    Answer(RawAnswer),
    /// Sent, and no whole answer; another try may succeed.
    Lost(String),
    /// Not sent, since there is no connection; another try may succeed.
    Unreached(String),
    /// Not sent; another try would end the same.
    Unsendable(String),
    /// No answer that can be used; another try would end the same.
    Broken(String),
}

/// What is sent, credentials included.
pub(super) struct Outgoing<'a> {
    pub method: &'static str,
    pub url: &'a Url,
    pub headers: &'a [(String, String)],
    pub body: Option<&'a str>,
}

/// An answer, its body decompressed.
pub(super) struct RawAnswer {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Transport {
    /// Prepares connections; sends nothing.
    pub(super) fn new(timeout: Duration, max_body_len: usize) -> Result<Transport> {
        let (tls_config, unverifiable) = tls_config()?;
        let build =
            |builder: reqwest::ClientBuilder| builder.build().map_err(|err| Error::api(format!("cannot prepare HTTP: {}", chain_of(&err))));
        let client = build(client_builder(tls_config.clone(), timeout))?;
        let local_client = build(client_builder(tls_config, timeout).no_proxy())?;
        Ok(Transport { client, local_client, timeout, max_body_len, unverifiable })
    }

    /// Sends a GET request and reads the whole answer. Dropping the future closes the connection.
    pub(super) async fn get(&self, url: &Url, headers: &[(String, String)]) -> Exchange {
        self.send(Outgoing { method: "GET", url, headers, body: None }).await
    }

    /// Sends a request and reads the whole answer. Dropping the future closes the connection.
    pub(super) async fn send(&self, outgoing: Outgoing<'_>) -> Exchange {
        let request = match request_of(&outgoing) {
            Ok(request) => request,
            Err(err) => return Exchange::Unsendable(err.to_string()),
        };
        if let Some(reason) = self.unverifiable.as_ref().filter(|_| outgoing.url.scheme() == "https") {
            return Exchange::Unsendable(reason.clone());
        }
        let client = if is_loopback(outgoing.url) { &self.local_client } else { &self.client };
        let mut response = match client.execute(request).await {
            Ok(response) => response,
            Err(err) => return self.failure(&err),
        };
        let status = response.status().as_u16();
        let pairs =
            response.headers().iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let headers = Headers::new(pairs.collect());
        let expected_len = response.content_length().and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
        let mut body = Vec::with_capacity(expected_len.min(self.max_body_len).min(1 << 20));
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.max_body_len => {
                    return Exchange::Broken(format!("the answer is larger than {} MiB; ask for smaller pages", self.max_body_len >> 20));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Exchange::Answer(RawAnswer { status, headers, body }),
                Err(err) => return self.failure(&err),
            }
        }
    }

    fn failure(&self, err: &reqwest::Error) -> Exchange {
        let text = chain_of(err);
        if err.is_timeout() {
            let text = format!("no complete answer within {:?}; the setting 'unify_http_timeout' allows more", self.timeout);
            return if err.is_connect() { Exchange::Unreached(text) } else { Exchange::Lost(text) };
        }
        let is_final = err.is_builder() || text.contains("certificate") || text.contains("head is too large");
        match (is_final, err.is_connect()) {
            (true, true) => Exchange::Unsendable(text),
            (true, false) if err.is_builder() => Exchange::Unsendable(text),
            (true, false) => Exchange::Broken(text),
            (false, true) => Exchange::Unreached(format!("could not connect: {text}")),
            (false, false) => Exchange::Lost(format!("the connection was lost: {text}")),
        }
    }
}

fn request_of(outgoing: &Outgoing<'_>) -> Result<reqwest::Request> {
    let wrong = || Error::internal(format!("'{}' is no HTTP method", outgoing.method));
    let method = reqwest::Method::from_bytes(outgoing.method.as_bytes()).map_err(|_| wrong())?;
    let mut request = reqwest::Request::new(method, outgoing.url.clone());
    *request.headers_mut() = header_map(outgoing.headers)?;
    *request.body_mut() = outgoing.body.map(|body| reqwest::Body::from(body.to_string()));
    Ok(request)
}

fn client_builder(tls_config: rustls::ClientConfig, timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls_config)
        .user_agent(concat!("unify/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout)
        .connect_timeout(timeout.min(MAX_CONNECT))
}

/// Returns how servers are verified: by the system's certificates, with the ring provider, without touching process-wide state. Where the system
/// has none, returns why, too: nobody is trusted then.
fn tls_config() -> Result<(rustls::ClientConfig, Option<String>)> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|err| Error::internal(format!("cannot prepare TLS: {err}")))?;
    let (mut config, unverifiable) = match rustls_platform_verifier::Verifier::new(provider) {
        Ok(verifier) => (builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth(), None),
        Err(err) => {
            let reason = format!("no server can be verified: {err}; install the system's CA certificates");
            (builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(), Some(reason))
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, unverifiable))
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let wrong = || Error::config(format!("header '{name}' or its value holds a character that HTTP does not allow"));
        let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        map.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
    }
    Ok(map)
}

/// Returns the innermost causes of an error, without the URL, which may hold secrets.
fn chain_of(err: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut source = err.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts.dedup();
    match texts.len() {
        0 => "the request failed".to_string(),
        len => texts.split_off(len.saturating_sub(2)).join(": "),
    }
}
