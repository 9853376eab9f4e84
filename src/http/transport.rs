//! One HTTP exchange on the network: the only place that names reqwest.

use super::auth::is_loopback;
use super::encoding::{self, Misfit};
use super::network::{Network, Proxy};
use super::tls_text::tls_text;
use super::BodySink;
use crate::source::Headers;
use crate::{Error, Result};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, ACCEPT_ENCODING};
use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// Most time for connecting, within the time for the whole request.
const MAX_CONNECT: Duration = Duration::from_secs(10);
/// Most time for an answer that arrives in pieces.
const MOST_IN_PIECES: Duration = Duration::from_secs(24 * 60 * 60);
/// Most headers of an answer by HTTP/1.
const MAX_HEADERS: usize = 1000;

/// The connections to one API's hosts.
pub(super) struct Transport {
    client: reqwest::Client,
    /// For this machine, which no proxy of the environment is asked for.
    local_client: reqwest::Client,
    max_body_len: usize,
    timeout: Duration,
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
    pub body: Option<String>,
    /// Takes the body of a good answer while it arrives.
    pub sink: Option<&'a dyn BodySink>,
}

/// An answer, its body decompressed.
pub(super) struct RawAnswer {
    pub status: u16,
    pub headers: Headers,
    /// Empty where a sink took it.
    pub body: Vec<u8>,
    /// Bytes that a sink took.
    pub n_taken: u64,
}

/// What takes a body in pieces.
struct Taking<'a> {
    sink: &'a dyn BodySink,
    unpacker: encoding::Unpacker,
    /// When the request began.
    began: Instant,
}

impl Transport {
    /// Prepares connections; sends nothing.
    pub(super) fn new(timeout: Duration, max_body_len: usize, network: &Network) -> Result<Transport> {
        let (tls_config, unverifiable) = tls_config(network)?;
        let build =
            |builder: reqwest::ClientBuilder| builder.build().map_err(|err| Error::api(format!("cannot prepare HTTP: {}", chain_of(&err))));
        let builder = || client_builder(tls_config.clone(), timeout);
        let (client, local_client) = match &network.proxy {
            Proxy::OfEnvironment => (build(builder())?, build(builder().no_proxy())?),
            Proxy::None => (build(builder().no_proxy())?, build(builder().no_proxy())?),
            Proxy::At(url) => {
                let wrong = |_| Error::config("option 'proxy' is not a proxy; expected http://host:port");
                let proxy = reqwest::Proxy::all(url.clone()).map_err(wrong)?;
                (build(builder().proxy(proxy.clone()))?, build(builder().proxy(proxy))?)
            }
        };
        Ok(Transport { client, local_client, max_body_len, timeout, unverifiable })
    }

    /// Sends a request and reads the whole answer. Dropping the future closes the connection.
    pub(super) async fn send(&self, mut outgoing: Outgoing<'_>) -> Exchange {
        let request = match request_of(&mut outgoing) {
            Ok(request) => request,
            Err(err) => return Exchange::Unsendable(err.to_string()),
        };
        if let Some(reason) = self.unverifiable.as_ref().filter(|_| outgoing.url.scheme() == "https") {
            return Exchange::Unsendable(reason.clone());
        }
        let began = Instant::now();
        let client = if is_loopback(outgoing.url) { &self.local_client } else { &self.client };
        let executed = match outgoing.sink {
            None => client.execute(request).await,
            // The time of the whole request is long then.
            Some(_) => match tokio::time::timeout(self.timeout, client.execute(request)).await {
                Ok(executed) => executed,
                Err(_) => return Exchange::Lost(self.too_late("no answer")),
            },
        };
        let mut response = match executed {
            Ok(response) => response,
            Err(err) => return failure(&err, began),
        };
        let status = response.status().as_u16();
        let pairs =
            response.headers().iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let headers = Headers::new(pairs.collect());
        if let Some(sink) = outgoing.sink.filter(|_| (200..300).contains(&status)) {
            let unpacker = encoding::Unpacker::of(headers.all("content-encoding"));
            if let (Some(unpacker), true) = (unpacker, sink.begin(&headers)) {
                return self
                    .taken(response, RawAnswer { status, headers, body: Vec::new(), n_taken: 0 }, Taking { sink, unpacker, began })
                    .await;
            }
        }
        let expected_len = response.content_length().and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
        let mut body = Vec::with_capacity(expected_len.min(self.max_body_len).min(1 << 20));
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.max_body_len => return self.too_large(),
                Ok(Some(chunk)) if body.try_reserve(chunk.len()).is_err() => return short_of_memory(body.len()),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return self.unpacked(status, headers, body).await,
                Err(err) => return failure(&err, began),
            }
        }
    }

    /// Hands the body to a sink. The time for a request is that of each piece here.
    async fn taken(&self, mut response: reqwest::Response, answer: RawAnswer, taking: Taking<'_>) -> Exchange {
        let Taking { sink, mut unpacker, began } = taking;
        let mut n_taken = 0;
        let mut is_over = false;
        while !is_over {
            let chunk = match tokio::time::timeout(self.timeout, response.chunk()).await {
                Ok(Ok(chunk)) => chunk,
                Ok(Err(err)) => return failure(&err, began),
                Err(_) => return Exchange::Lost(self.too_late("nothing more of the answer")),
            };
            is_over = chunk.is_none();
            let unpacked = match &chunk {
                Some(chunk) => unpacker.unpacked(chunk),
                None => unpacker.rest(),
            };
            let piece = match unpacked {
                Ok(piece) => piece,
                Err(text) => return Exchange::Lost(text),
            };
            n_taken += piece.len() as u64;
            if let Err(err) = sink.take(&piece).await {
                return Exchange::Broken(err.message().to_string());
            }
        }
        Exchange::Answer(RawAnswer { n_taken, ..answer })
    }

    async fn unpacked(&self, status: u16, headers: Headers, body: Vec<u8>) -> Exchange {
        let encodings = || headers.all("content-encoding");
        if !encoding::is_packed(encodings()) {
            return Exchange::Answer(RawAnswer { status, headers, body, n_taken: 0 });
        }
        match encoding::unpacked(encodings(), body, self.max_body_len).await {
            // What these say is true of the packed body.
            Ok(body) => {
                Exchange::Answer(RawAnswer { status, headers: headers.without(&["content-encoding", "content-length"]), body, n_taken: 0 })
            }
            Err(Misfit::TooLarge) => self.too_large(),
            Err(Misfit::NoMemory(n_bytes)) => short_of_memory(n_bytes),
            Err(Misfit::NotPackedSo(text)) => Exchange::Lost(text),
        }
    }

    fn too_late(&self, what: &str) -> String {
        format!("{what} within {}; the setting 'unify_http_timeout' allows more", waited_text(self.timeout))
    }

    fn too_large(&self) -> Exchange {
        Exchange::Broken(format!(
            "the answer is larger than {} MiB; ask for smaller pages, or raise 'unify_memory_limit'",
            self.max_body_len >> 20
        ))
    }
}

/// Returns what becomes of an answer of which so many bytes came when there was no memory for more.
fn short_of_memory(n_bytes: usize) -> Exchange {
    Exchange::Broken(crate::document::short_of_memory(2 * n_bytes as u64))
}

/// Returns what an error makes of a request that began at that moment.
fn failure(err: &reqwest::Error, began: Instant) -> Exchange {
    let text = chain_of(err);
    if err.is_timeout() {
        let waited = waited_text(began.elapsed());
        return match err.is_connect() {
            true => Exchange::Unreached(format!("no connection within {waited}")),
            false => Exchange::Lost(format!("no complete answer within {waited}; the setting 'unify_http_timeout' allows more")),
        };
    }
    let is_final = err.is_builder() || text.contains("certificate") || text.contains("head is too large");
    let (text, remedy) = match tls_text(&text) {
        Some(words) => (format!("{words} ({text})"), ""),
        None => (text, "; check the address and the network; option 'proxy' or HTTPS_PROXY in the environment names a proxy"),
    };
    match (is_final, err.is_connect()) {
        (true, true) => Exchange::Unsendable(text),
        (true, false) if err.is_builder() => Exchange::Unsendable(text),
        (true, false) => Exchange::Broken(text),
        (false, true) => Exchange::Unreached(format!("could not connect: {text}{remedy}")),
        (false, false) => Exchange::Lost(format!("the connection was lost: {text}")),
    }
}

/// Returns a time as a message has it.
fn waited_text(waited: Duration) -> String {
    if waited < Duration::from_secs(1) {
        return format!("{} ms", waited.as_millis());
    }
    format!("{:.1} s", waited.as_secs_f64())
}

fn request_of(outgoing: &mut Outgoing<'_>) -> Result<reqwest::Request> {
    let wrong = || Error::internal(format!("'{}' is not an HTTP method", outgoing.method));
    let method = reqwest::Method::from_bytes(outgoing.method.as_bytes()).map_err(|_| wrong())?;
    let mut request = reqwest::Request::new(method, outgoing.url.clone());
    let mut headers = header_map(outgoing.headers)?;
    let accepted = if outgoing.sink.is_some() { encoding::ACCEPTED_IN_PIECES } else { encoding::ACCEPTED };
    headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static(accepted));
    *request.headers_mut() = headers;
    if outgoing.sink.is_some() {
        // Waiting for memory is no fault of the server.
        *request.timeout_mut() = Some(MOST_IN_PIECES);
    }
    *request.body_mut() = outgoing.body.take().map(reqwest::Body::from);
    Ok(request)
}

fn client_builder(tls_config: rustls::ClientConfig, timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls_config)
        .user_agent(concat!("unify/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .http1_max_headers(MAX_HEADERS)
        .timeout(timeout)
        .connect_timeout(timeout.min(MAX_CONNECT))
}

/// Returns how servers are verified, and how the connection shows itself: by the system's certificates and the connection's own, with the ring
/// provider, without touching process-wide state. Where the system has none, returns why, too: nobody is trusted then but whom the
/// connection's own authorities vouch for.
pub(super) fn tls_config(network: &Network) -> Result<(rustls::ClientConfig, Option<String>)> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|err| Error::internal(format!("cannot prepare TLS: {err}")))?;
    let own = network.authorities.iter().cloned();
    let (builder, unverifiable) = match rustls_platform_verifier::Verifier::new_with_extra_roots(own, provider) {
        Ok(verifier) => (builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)), None),
        Err(err) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(network.authorities.iter().cloned());
            let reason = format!("no server can be verified: {err}; install the system's CA certificates");
            let unverifiable = roots.is_empty().then_some(reason);
            (builder.with_root_certificates(roots), unverifiable)
        }
    };
    let mut config = match &network.identity {
        None => builder.with_no_client_auth(),
        Some((certificates, key)) => builder
            .with_client_auth_cert(certificates.clone(), key.clone_key())
            .map_err(|err| Error::config(format!("options 'client_certificate' and 'client_key' do not fit each other: {err}")))?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_that_passed() {
        assert_eq!(waited_text(Duration::from_millis(57)), "57 ms");
        assert_eq!(waited_text(Duration::from_millis(10_040)), "10.0 s");
    }
}
