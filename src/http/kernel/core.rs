//! What all requests of a connection share, and what tells one from another.

use crate::http::authorizer::Authorizer;
use crate::http::budgets::Budgets;
use crate::http::message::{Method, Request};
use crate::http::notes::Notes;
use crate::http::redact::Redactor;
use crate::http::sink::BodySink;
use crate::http::stop::Stop;
use crate::http::transport::Transport;
use crate::spec::{AuthSpec, Connection};
use crate::{Error, ErrorKind, Result};
use std::fmt::{self, Display};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;

/// Is told what happens to requests. Texts are redacted.
pub trait RequestObserver: Send + Sync {
    /// A request starts; each try counts, and each redirect that is followed. The address is redacted when it is shown.
    fn started(&self, method: Method, url: &dyn Display);
    /// An answer came.
    fn answered(&self, status: u16, n_bytes: u64);
    /// A request will be tried again after `wait`.
    fn retried(&self, reason: &str, wait: Duration);
    /// The connection's budget makes a request wait.
    fn waiting(&self, wait: Duration);
    /// A request for a token was sent for this one.
    fn noted(&self, _line: &str) {}
    /// An answer is used, and its data may not be complete.
    fn warned(&self, _warning: &str) {}
}

/// What has to agree to each request.
pub trait MaySend: Send + Sync {
    /// Fails when nothing may be sent now. May wait.
    fn check(&self) -> Result<()>;

    /// Returns what [`MaySend::check`] does, or `None` where that takes waiting.
    fn check_at_once(&self) -> Option<Result<()>>;
}

/// When a request may be sent once more, and where its redirects may lead: all that tells one that reads from one that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It reads: as often as it helps. Redirects lead to the origin of the base URL and to those that the spec allows; elsewhere is an error.
    Freely {
        /// Whether its parameter set came from a parent query.
        from_parent: bool,
    },
    /// It reads, but not for nothing: it is sent once more only when the API cannot have done it.
    Once {
        /// Whether its parameter set came from a parent query.
        from_parent: bool,
    },
    /// It reads, and whatever comes is the answer: also a redirect to another origin than that of the base URL.
    AtHome,
    /// It writes, and the API takes it twice as if it came once.
    Idempotent,
    /// It writes: only when the API cannot have done it.
    IfRefused,
}

impl Repeat {
    /// Returns whether the parameter set came from a parent query.
    pub fn is_from_parent(self) -> bool {
        matches!(self, Repeat::Freely { from_parent: true } | Repeat::Once { from_parent: true })
    }

    /// Returns whether the request changes nothing.
    pub fn reads(self) -> bool {
        matches!(self, Repeat::Freely { .. } | Repeat::Once { .. } | Repeat::AtHome)
    }
}

/// How a request is sent.
pub struct Sending<'a> {
    pub repeat: Repeat,
    pub authorizer: &'a dyn Authorizer,
    pub observer: &'a dyn RequestObserver,
    /// Takes the body of a good answer while it arrives.
    pub sink: Option<&'a dyn BodySink>,
    /// What ends its waits. A request without one stops when its future is dropped.
    pub stop: Option<&'a Stop>,
}

impl Sending<'_> {
    /// Does `work` unless the request is to stop first.
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self.stop {
            Some(stop) => stop.or(work).await?,
            None => work.await,
        }
    }
}

/// A request as messages show it, without secrets. To redact takes longer than a small request, so that is done only for what is shown.
#[derive(Clone, Copy)]
pub struct ShownRequest<'a> {
    method: Method,
    url: ShownUrl<'a>,
}

impl Display for ShownRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// An address as messages show it, without secrets.
#[derive(Clone, Copy)]
pub struct ShownUrl<'a> {
    redactor: &'a Redactor,
    url: &'a Url,
    /// Whether it needs no credentials: its path and its query are its credentials.
    is_anonymous: bool,
}

impl Display for ShownUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_anonymous {
            true => write!(f, "{}/***", self.redactor.text(&self.url.origin().ascii_serialization())),
            false => f.write_str(&self.redactor.url(self.url)),
        }
    }
}

/// What all requests of one connection share.
pub struct Kernel {
    pub connection: Arc<Connection>,
    pub auth: AuthSpec,
    pub redactor: Arc<Redactor>,
    pub transport: Transport,
    pub budgets: Budgets,
    /// Query parameters that carry credentials; URLs lose them before they are sent.
    pub secret_params: Arc<[String]>,
    /// Whether credentials may go over plain http to other machines.
    pub allow_http: bool,
    /// Set once: what has to agree to each request.
    pub may_send: Arc<OnceLock<Arc<dyn MaySend>>>,
    /// What is told of requests for tokens.
    pub token_notes: Arc<Notes>,
}

impl Kernel {
    /// Returns the request as a text that is redacted when it is shown.
    pub fn shown<'a>(&'a self, request: &'a Request) -> ShownRequest<'a> {
        ShownRequest { method: request.method, url: self.shown_url(&request.url, request.is_anonymous) }
    }

    /// Returns an address as a text that is redacted when it is shown.
    pub fn shown_url<'a>(&'a self, url: &'a Url, is_anonymous: bool) -> ShownUrl<'a> {
        ShownUrl { redactor: &self.redactor, url, is_anonymous }
    }

    /// Returns what to say of a place that no file with results may be at.
    pub fn unknown_host(&self, url: &Url) -> String {
        let (origin, host) = (url.origin().ascii_serialization(), url.host_str().unwrap_or_default());
        let remedy = format!("add '{host}' to 'result_hosts' in the spec if the API's files are there, by https");
        self.redactor.text(&format!("'{origin}', which is not a host of its results; {remedy}"))
    }

    /// Tells an observer of the requests for tokens.
    pub fn tell_notes(&self, observer: &dyn RequestObserver) {
        for line in self.token_notes.take() {
            observer.noted(&line);
        }
    }

    /// Fails when nothing may be sent now.
    pub async fn check_allowed(&self) -> Result<()> {
        let Some(may_send) = self.may_send.get().cloned() else { return Ok(()) };
        if let Some(answer) = may_send.check_at_once() {
            return answer;
        }
        let asked = tokio::task::spawn_blocking(move || may_send.check()).await;
        asked.unwrap_or_else(|_| Err(Error::new(ErrorKind::Cancelled, "the request was stopped because the database or the process ends")))
    }

    /// Returns whether a request carries credentials, or what may be some.
    pub fn sends_secrets(&self, request: &Request, authorizer: &dyn Authorizer) -> bool {
        let spec = &self.connection.adapter;
        let is_secret = |hole: &str| spec.is_secret_option(hole) && self.connection.option(hole).is_some();
        request.has_secrets || authorizer.has_secrets() || spec.headers.iter().flat_map(|(_, value)| value.names()).any(is_secret)
    }

    /// Returns what to say of a place that is not the API's: neither may it have the credentials, nor are its rows the API's.
    pub fn stranger(&self, url: &Url) -> String {
        let origin = self.redactor.text(&url.origin().ascii_serialization());
        format!("'{origin}', which is not the adapter's host; add it to 'allowed_hosts' in the spec if it may send rows and get the credentials")
    }
}
