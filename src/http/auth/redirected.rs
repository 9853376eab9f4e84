//! The address that a browser is led to after a consent: listened for on this machine, or copied by a person.

use crate::spec::{PendingConsent, Secret};
use crate::{Error, Result};
use std::io::{ErrorKind as IoKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use url::Url;

/// Most bytes of a browser's request that are read, and how long it may take to send them.
const MOST_READ: usize = 16 << 10;
const READ_TIMEOUT: Duration = Duration::from_secs(2);
const DONE: &str = "<!doctype html><meta charset=utf-8><title>Unify</title><p>Done. You can close this window and go back to DuckDB.";
const REFUSED: &str = "<!doctype html><meta charset=utf-8><title>Unify</title><p>The consent was refused. DuckDB says more.";

/// Listens for a browser.
pub struct Listening {
    listener: TcpListener,
    path: String,
}

impl Listening {
    /// Listens at an address of this machine, on a free port when it names none. Returns the address with the port, too.
    pub fn at(redirect_uri: &Url) -> Result<(Listening, String)> {
        let port = redirect_uri.port().unwrap_or(0);
        let wrong = |err: std::io::Error| {
            Error::config(format!("port {port} of this machine, where the browser is led, cannot be listened at: {err}"))
        };
        let host = if redirect_uri.host_str() == Some("[::1]") { "::1" } else { "127.0.0.1" };
        let listener = TcpListener::bind((host, port)).map_err(wrong)?;
        listener.set_nonblocking(true).map_err(wrong)?;
        let port = listener.local_addr().map_err(wrong)?.port();
        let mut uri = redirect_uri.clone();
        uri.set_port(Some(port)).map_err(|()| Error::internal("an address without a port"))?;
        Ok((Listening { listener, path: redirect_uri.path().to_string() }, uri.to_string()))
    }

    /// Answers the browsers that came. Returns the code that one brought. Fails when the consent was refused.
    pub fn code(&self, pending: &PendingConsent) -> Result<Option<Secret>> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(err) if matches!(err.kind(), IoKind::WouldBlock | IoKind::Interrupted | IoKind::ConnectionAborted) => return Ok(None),
                Err(err) => return Err(Error::config(format!("no browser can be listened to: {err}"))),
            };
            let Some(target) = target_of(&stream) else { continue };
            let address = format!("http://127.0.0.1{target}");
            let is_it = Url::parse(&address).is_ok_and(|url| url.path() == self.path);
            let outcome = if is_it { redirected(&address, pending) } else { Ok(None) };
            match &outcome {
                Ok(Some(_)) => answer(stream, "200 OK", DONE),
                Ok(None) => {
                    answer(stream, "404 Not Found", "");
                    continue;
                }
                Err(_) => answer(stream, "200 OK", REFUSED),
            }
            return outcome;
        }
    }
}

/// Returns the code in the address that a browser was led to; `None` when it answers another question. Fails when the consent was refused.
pub fn redirected(address: &str, pending: &PendingConsent) -> Result<Option<Secret>> {
    let Ok(url) = Url::parse(address.trim()) else { return Ok(None) };
    let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if value("state").as_deref() != Some(pending.state.expose()) {
        return Ok(None);
    }
    match (value("code"), value("error")) {
        (Some(code), _) if !code.is_empty() => Ok(Some(Secret::new(code))),
        (_, Some(error)) => {
            let description = value("error_description").map_or(String::new(), |description| format!(": {description}"));
            Err(Error::api(format!("the consent was refused: {error}{description}")))
        }
        _ => Ok(None),
    }
}

/// Returns what a browser asks for: path and query.
fn target_of(mut stream: &TcpStream) -> Option<String> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(READ_TIMEOUT)).ok()?;
    let mut request = Vec::new();
    let mut chunk = [0; 2048];
    while request.len() < MOST_READ && !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut chunk).ok()? {
            0 => break,
            n_read => request.extend_from_slice(&chunk[..n_read]),
        }
    }
    let text = String::from_utf8_lossy(&request);
    let mut words = text.lines().next()?.split(' ');
    match (words.next(), words.next()) {
        (Some("GET"), Some(target)) if target.starts_with('/') => Some(target.to_string()),
        _ => None,
    }
}

/// Answers a browser; that it went away does not matter.
fn answer(mut stream: TcpStream, status: &str, body: &str) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.set_write_timeout(Some(READ_TIMEOUT));
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> PendingConsent {
        PendingConsent { state: Secret::new("s1"), verifier: Secret::new("v"), redirect_uri: "http://127.0.0.1:1/".to_string() }
    }

    fn code(address: &str) -> Option<String> {
        redirected(address, &pending()).unwrap().map(|code| code.expose().to_string())
    }

    #[test]
    fn only_the_answer_to_the_same_question_counts() {
        assert_eq!(code("http://127.0.0.1:1/?code=c%2F1&state=s1").as_deref(), Some("c/1"));
        assert_eq!(code(" https://a.example/x?state=s1&code=c ").as_deref(), Some("c"));
        for address in ["http://127.0.0.1:1/?code=c&state=s2", "http://127.0.0.1:1/?code=c", "http://127.0.0.1:1/?state=s1&code=", "c", ""]
        {
            assert_eq!(code(address), None, "{address}");
        }
        let err = redirected("http://a/?state=s1&error=access_denied&error_description=No+way", &pending()).unwrap_err();
        assert_eq!(err.to_string(), "the consent was refused: access_denied: No way");
    }

    #[test]
    fn a_browser_that_asks_for_something_else_does_not_end_the_wait() {
        let (listening, uri) = Listening::at(&Url::parse("http://127.0.0.1/back").unwrap()).unwrap();
        let host = Url::parse(&uri).unwrap();
        let ask = |target: &str| {
            let mut stream = TcpStream::connect(("127.0.0.1", host.port().unwrap())).unwrap();
            stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
            stream
        };
        let answered = |mut stream: TcpStream| {
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text.lines().next().unwrap_or_default().to_string()
        };
        let wait = || loop {
            if let Some(code) = listening.code(&pending()).unwrap() {
                return code.expose().to_string();
            }
        };
        let others = [ask("/favicon.ico"), ask("/?code=c&state=s1"), ask("/back?code=c&state=other"), ask("nonsense")];
        let right = ask("/back?code=c9&state=s1");
        assert_eq!(wait(), "c9");
        assert_eq!(answered(right), "HTTP/1.1 200 OK");
        let statuses: Vec<String> = others.into_iter().map(answered).collect();
        assert_eq!(statuses, ["HTTP/1.1 404 Not Found", "HTTP/1.1 404 Not Found", "HTTP/1.1 404 Not Found", ""]);
    }
}
