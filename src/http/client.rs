//! One connection's API: what is asked of it, and what its answers mean.

use super::auth::{auth_of, authorizer_of, secret_params, Consent, TokenPost};
use super::authorizer::{Authorizer, Ending};
use super::budgets::Budgets;
use super::kernel::{Kernel, MaySend, Outcome, Repeat, RequestObserver, SendFailure, Sending};
use super::limits::BudgetLeft;
use super::message::Request;
use super::network::Network;
use super::stop::Stop;
use super::transport::{Exchange, RawAnswer, Transport};
use super::verdict::{matches, Judged};
use super::write::WriteRequest;
use super::{BodySink, Redactor};
use crate::document::Fault;
use crate::source::Headers;
use crate::spec::{Connection, ErrorCondition};
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What the user may set about HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpSettings {
    /// Most requests in flight for one connection, unless its adapter allows fewer.
    pub max_in_flight: usize,
    /// Most time for one request, connecting and reading included.
    pub timeout: Duration,
    /// Whether credentials may go over plain http to other machines.
    pub allow_http: bool,
    /// Most bytes of one answer, decompressed.
    pub max_body_len: usize,
}

impl Default for HttpSettings {
    fn default() -> HttpSettings {
        HttpSettings { max_in_flight: 8, timeout: Duration::from_secs(30), allow_http: false, max_body_len: 256 << 20 }
    }
}

/// The body of an answer and what came with it.
#[derive(Debug, Clone)]
pub struct PageBody {
    pub status: u16,
    pub body: Vec<u8>,
    pub headers: Headers,
    /// Where the answer came from, without credentials: what relative links refer to.
    pub url: Url,
    /// Lines of the answer before the body, where that is a part of it.
    pub line_base: usize,
    /// Query parameters that carry credentials; links of the answer lose them.
    pub(super) secret_params: Arc<[String]>,
    pub(super) redactor: Arc<Redactor>,
}

impl PageBody {
    /// Returns the error of a body that cannot be read, which shows the place without secrets. `body` has its bytes.
    pub fn unreadable(&self, fault: &Fault, body: &[u8]) -> Error {
        /// Most characters of a body that an error shows.
        const MOST: usize = 60;
        match fault.offset() {
            None => Error::data(fault.to_string()),
            Some(_) if body.is_empty() => Error::data(fault.to_string()),
            Some(offset) => Error::data(format!("{fault}, near '{}'", self.redactor.around(body, offset, MOST))),
        }
    }
}

/// What the answer to a request means.
#[derive(Debug, Clone)]
pub enum Answer {
    Page(PageBody),
    /// No rows, which is not an error; the reason.
    Empty(String),
    /// The parameter set is left out; the warning.
    Skipped(String),
    /// Nothing changed since what a header of the request says: an ETag, or a moment. What was answered, for the log.
    Unchanged(String),
    /// There is more than the API gives: less is to be asked for at once; the reason.
    TooMuch(String),
    /// The API does not take this request (400, 404, 410, 416, 422). An error, unless the page lies after the end.
    Refused(Error),
}

/// The answer to a request as it came, whatever its status, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    /// Returns whether the reply is what is expected: by default any that is not an error.
    pub fn is_as(&self, expected: &ErrorCondition) -> bool {
        let is_status = !expected.statuses.is_empty() || (200..300).contains(&self.status);
        let headers = Headers::new(self.headers.clone());
        is_status && matches(expected, Judged { status: self.status, headers: &headers, body: self.body.as_bytes() })
    }
}

/// Talks to one connection's API. All tables of a connection share one client, and with it the budget.
pub struct ApiClient {
    kernel: Kernel,
    authorizer: Box<dyn Authorizer>,
    post: TokenPost,
    /// Held by the one that looks up what requests need: the others wait for it.
    pub(super) setup_turn: tokio::sync::Mutex<()>,
}

impl ApiClient {
    /// Prepares a client; sends nothing. Fails when an option that authenticates is missing, empty or malformed.
    pub fn new(connection: Arc<Connection>, settings: HttpSettings) -> Result<ApiClient> {
        let network = Arc::new(Network::of(&connection)?);
        let kernel = Kernel {
            auth: auth_of(&connection)?.clone(),
            redactor: Arc::new(Redactor::new(&connection)),
            transport: Transport::new(settings.timeout, settings.max_body_len, &network)?,
            budgets: Budgets::new(&connection.adapter, settings.max_in_flight),
            secret_params: secret_params(&connection).into(),
            allow_http: settings.allow_http,
            may_send: Arc::default(),
            token_notes: Arc::default(),
            connection: connection.clone(),
        };
        let post = TokenPost {
            redactor: Arc::clone(&kernel.redactor),
            may_send: Arc::clone(&kernel.may_send),
            timeout: settings.timeout,
            attempts: connection.adapter.retry.attempts,
            network,
            notes: Arc::clone(&kernel.token_notes),
        };
        Ok(ApiClient { authorizer: authorizer_of(&connection, post.clone())?, post, setup_turn: tokio::sync::Mutex::default(), kernel })
    }

    /// Makes the client ask before each request, and before each redirect it follows.
    #[must_use]
    pub fn asking(self, may_send: Arc<dyn MaySend>) -> ApiClient {
        // Nobody else has this client yet.
        let _ = self.kernel.may_send.set(may_send);
        self
    }

    /// Takes over what the API said about its limits to the client that this one replaces, which loads may still use: one pauses the
    /// other. A client of another account or API has nothing to tell.
    #[must_use]
    pub fn after(mut self, replaced: &ApiClient) -> ApiClient {
        let (mine, other) = (&self.kernel.connection, &replaced.kernel.connection);
        if mine.options == other.options && mine.adapter.base_url == other.adapter.base_url {
            self.kernel.budgets.share(&replaced.kernel.budgets);
        }
        self
    }

    /// Returns what to do when the connection is not needed any more.
    pub fn endings(&self) -> Vec<Ending> {
        self.authorizer.endings()
    }

    /// Makes the client use one of the connection's credentials alone, where it has several.
    #[must_use]
    pub fn with_only(self, credential: Option<usize>) -> ApiClient {
        if let (Some(pool), Some(idx)) = (self.authorizer.pool(), credential) {
            pool.leave_out_others(idx);
        }
        self
    }

    /// Returns the connection it talks for.
    pub fn connection(&self) -> &Connection {
        &self.kernel.connection
    }

    /// Returns what takes this connection's secrets out of texts.
    pub fn redactor(&self) -> &Redactor {
        &self.kernel.redactor
    }

    /// Returns the request as text, redacted.
    pub fn text_of(&self, request: &Request) -> String {
        self.kernel.shown(request).to_string()
    }

    /// Returns the request as text, redacted, with the beginning of its body.
    pub fn text_with_body(&self, request: &Request) -> String {
        const MOST: usize = 500;
        let target = self.text_of(request);
        let Some(body) = &request.body else { return target };
        let body = self.redactor().text(body);
        match body.char_indices().nth(MOST) {
            Some((at, _)) => format!("{target} {}...", &body[..at]),
            None => format!("{target} {body}"),
        }
    }

    /// Returns what the API last said about how many requests are left: for tables with these limits, or for the connection.
    pub fn budget_left(&self, own: Option<&str>) -> Option<BudgetLeft> {
        self.kernel.budgets.left(own)
    }

    /// Returns what is known of each credential, for requests of tables with these limits; nothing where there is only one.
    pub fn credentials(&self, own: Option<&str>) -> Vec<String> {
        self.authorizer.pool().map_or(Vec::new(), |pool| pool.states(own, tokio::time::Instant::now()))
    }

    /// Returns how many requests may be in flight at once, and the least time between the starts of two: for tables with these limits, or for
    /// the connection.
    pub fn pace(&self, own: Option<&str>) -> (usize, Duration) {
        self.kernel.budgets.pace(own)
    }

    /// Returns how long the API takes no request from now on: for tables with these limits, or for the connection.
    pub fn paused_for(&self, own: Option<&str>) -> Duration {
        self.kernel.budgets.paused_for(own)
    }

    /// Gets what a server has to give before requests can be made: a token whose values stand in their URL, headers or params, and what
    /// `setup` looks up.
    pub async fn ready(&self) -> Result<()> {
        if self.needs_token_first() {
            self.authorizer.ready().await?;
        }
        self.set_up().await
    }

    /// Returns what asks a person for consent. Fails where nobody has to give one.
    pub fn consent(&self) -> Result<Consent> {
        Consent::new(Arc::clone(&self.kernel.connection), self.post.clone())
    }

    /// Returns whether requests cannot be made before [`ApiClient::ready`].
    pub fn needs_to_be_ready(&self) -> bool {
        self.needs_token_first() || !self.kernel.connection.adapter.setup.is_empty()
    }

    fn needs_token_first(&self) -> bool {
        self.kernel.connection.auth().has_tokens() && self.kernel.connection.adapter.needs_token_first()
    }

    /// Sends a request that reads until there is a verdict: waits for the budget, follows redirects, tries again. Dropping the future stops it.
    pub async fn send(&self, request: &Request, from_parent: bool, observer: &dyn RequestObserver) -> Result<Answer> {
        self.send_into(request, from_parent, observer, None).await
    }

    /// Sends a request as [`ApiClient::send`] does. The body of a good answer goes to the sink, if that takes it; the page's body is empty then.
    pub async fn send_into(
        &self,
        request: &Request,
        from_parent: bool,
        observer: &dyn RequestObserver,
        sink: Option<&dyn BodySink>,
    ) -> Result<Answer> {
        let target = self.kernel.shown(request);
        let repeat = if request.is_safe { Repeat::Freely { from_parent } } else { Repeat::Once { from_parent } };
        let how = Sending { repeat, authorizer: self.authorizer.as_ref(), observer, sink, stop: None };
        let settled = self.kernel.send(request, &how).await.map_err(|failure| failure.error)?;
        if let (Some(expired), Exchange::Answer(answer)) = (&request.expired_when, &settled.exchange) {
            if matches(expired, Judged { status: answer.status, headers: &answer.headers, body: &answer.body }) {
                let message = format!("{target} returned {}: the API does not know the token of the last load any more", answer.status);
                return Err(Error::new(ErrorKind::TokenExpired, message));
            }
        }
        match (settled.outcome?, settled.exchange) {
            (Outcome::AcceptedInPart(warning), Exchange::Answer(answer)) => {
                observer.warned(&format!("{target} {warning}"));
                Ok(Answer::Page(self.page_body(answer, &settled.url)))
            }
            (Outcome::Accepted, Exchange::Answer(answer)) => Ok(Answer::Page(self.page_body(answer, &settled.url))),
            (Outcome::Failed { message, .. }, Exchange::Answer(answer)) if answer.status == 304 && request.is_conditional() => {
                Ok(Answer::Unchanged(format!("{target} {message}")))
            }
            (Outcome::Failed { message, is_refused: true, .. }, _) => Ok(Answer::Refused(Error::api(format!("{target} {message}")))),
            (Outcome::Failed { message, .. }, Exchange::Answer(_)) => Err(Error::api(format!("{target} {message}"))),
            (Outcome::Failed { message, .. }, _) => Err(Error::api(format!("{target}: {message}"))),
            (Outcome::Skipped(message), _) => Ok(Answer::Skipped(format!("{target} {message}"))),
            (Outcome::Split(message), _) => Ok(Answer::TooMuch(format!("{target} {message}"))),
            (Outcome::Empty(message), _) => Ok(Answer::Empty(format!("{target} {message}"))),
            (Outcome::Accepted | Outcome::AcceptedInPart(_), _) => Err(Error::internal("a request ended without an answer")),
        }
    }

    /// Sends a request as [`ApiClient::send`] does, but whatever status it ends with is the reply, and a redirect to another origin is not
    /// followed. Fails when no answer comes, or one that is not UTF-8.
    pub async fn ask(&self, request: &Request, observer: &dyn RequestObserver) -> Result<Reply> {
        let target = self.kernel.shown(request);
        let redactor = self.redactor();
        let how = Sending { repeat: Repeat::AtHome, authorizer: self.authorizer.as_ref(), observer, sink: None, stop: None };
        let settled = self.kernel.send(request, &how).await.map_err(|failure| failure.error)?;
        let answer = match (settled.exchange, settled.outcome) {
            (Exchange::Answer(answer), _) => answer,
            (_, Ok(Outcome::Failed { message, .. })) => return Err(Error::api(format!("{target}: {message}"))),
            (_, Err(err)) => return Err(err),
            _ => return Err(Error::internal("a request ended without an answer or a verdict")),
        };
        let content_type = answer.headers.get("content-type").unwrap_or("unknown").to_string();
        let n_bytes = answer.body.len();
        let body = String::from_utf8(answer.body).map_err(|_| {
            let content_type = redactor.text(&content_type);
            Error::data(format!("{target} returned {n_bytes} bytes that are not UTF-8 text, content type '{content_type}'"))
        })?;
        Ok(Reply { status: answer.status, headers: redactor.headers(&answer.headers), body: redactor.body(body) })
    }

    /// Makes a request when it can be made, and sends it as [`ApiClient::ask`] does.
    pub async fn ask_for(&self, request: impl FnOnce(&Connection) -> Result<Request>, observer: &dyn RequestObserver) -> Result<Reply> {
        self.ready().await?;
        self.ask(&request(self.connection())?, observer).await
    }

    /// Sends a request that writes, until there is a verdict. Returns the status of the answer. `stop` ends its waits; a request under way is
    /// brought to its end.
    pub async fn write(&self, write: &WriteRequest, observer: &dyn RequestObserver, stop: &Stop) -> std::result::Result<u16, SendFailure> {
        let target = self.kernel.shown(&write.request);
        let repeat = if write.may_repeat { Repeat::Idempotent } else { Repeat::IfRefused };
        let how = Sending { repeat, authorizer: self.authorizer.as_ref(), observer, sink: None, stop: Some(stop) };
        let settled = self.kernel.send(&write.request, &how).await?;
        let failed = |error: Error, may_be_done: bool| SendFailure { error, may_be_done: settled.may_be_done || may_be_done };
        match (settled.outcome, &settled.exchange) {
            (Err(err), _) => Err(failed(err, false)),
            (Ok(Outcome::Accepted), Exchange::Answer(answer)) => Ok(answer.status),
            (Ok(Outcome::Failed { message, may_be_done, .. }), exchange) => {
                let message = settled.led_to.map_or(message, |place| format!("redirects to '{place}', where nothing is written"));
                let separator = if matches!(exchange, Exchange::Answer(_)) { "" } else { ":" };
                Err(failed(Error::api(format!("{target}{separator} {message}")), may_be_done))
            }
            (Ok(_), _) => Err(failed(Error::internal("a write ended without an answer or a verdict"), true)),
        }
    }

    /// Returns whether a rule of the spec may mean good answers, which must be whole before they are rows.
    pub fn judges_good_answers(&self) -> bool {
        let is_good = |status: &u16| (200..300).contains(status);
        let may_mean = |condition: &ErrorCondition| condition.statuses.is_empty() || condition.statuses.iter().any(is_good);
        self.connection().adapter.errors.iter().any(|rule| may_mean(&rule.when))
    }

    /// Returns a part of the body of an answer to a request.
    pub fn part_of(&self, request: &Request, headers: Headers, body: Vec<u8>) -> PageBody {
        let answer = RawAnswer { status: 200, headers, body, n_taken: 0 };
        self.page_body(answer, &request.url)
    }

    fn page_body(&self, answer: RawAnswer, url: &Url) -> PageBody {
        PageBody {
            status: answer.status,
            body: answer.body,
            headers: answer.headers,
            url: url.clone(),
            line_base: 0,
            secret_params: Arc::clone(&self.kernel.secret_params),
            redactor: Arc::clone(&self.kernel.redactor),
        }
    }
}
