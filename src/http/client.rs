//! Sends requests of one connection: within its budget, with its credentials, again where that helps.

mod write;

use super::auth::{auth_of, is_readable_by_others, may_have_credentials, secret_params, without_params, Credentials};
use super::limits::{BudgetLeft, Limits};
use super::transport::{Exchange, RawAnswer, Transport};
use super::verdict::{wait_after_answer, Attempt, Judged};
use super::{ApiRequest, Budget, Headers, Judge, Moment, Redactor, Verdict};
use crate::json::JsonFault;
use crate::spec::{AuthSpec, Connection};
use crate::{Error, Result};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use url::Url;

pub use write::{Stop, WriteFailure};

const MAX_REDIRECTS: usize = 5;

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

/// Is told what happens to requests. Texts are redacted.
pub trait RequestObserver: Send + Sync {
    /// A request starts; each try counts.
    fn started(&self, url: &str);
    /// An answer came.
    fn answered(&self, status: u16, n_bytes: u64);
    /// A request will be tried again after `wait`.
    fn retried(&self, reason: &str, wait: Duration);
    /// The connection's budget makes a request wait.
    fn waiting(&self, wait: Duration);
}

/// The body of an answer and what came with it.
#[derive(Debug, Clone)]
pub struct PageBody {
    pub status: u16,
    pub body: Vec<u8>,
    pub headers: Headers,
    /// Where the answer came from, without credentials: what relative links refer to.
    pub url: Url,
    /// Query parameters that carry credentials; links of the answer lose them.
    pub(super) secret_params: Arc<[String]>,
    pub(super) redactor: Arc<Redactor>,
}

impl PageBody {
    /// Returns the error of a body that is no JSON, which shows the place without secrets. `body` has its bytes.
    pub fn not_json(&self, fault: &JsonFault, body: &[u8]) -> Error {
        /// Most characters of a body that an error shows.
        const MOST: usize = 60;
        match fault.offset() {
            None => Error::data(fault.to_string()),
            Some(offset) => Error::data(format!("{fault}, near '{}'", self.redactor.around(body, offset, MOST))),
        }
    }
}

/// What the answer to a request means.
#[derive(Debug, Clone)]
pub enum Answer {
    Page(PageBody),
    /// No rows, which is no error; the reason.
    Empty(String),
    /// The parameter set is left out; the warning.
    Skipped(String),
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

/// Where redirects may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Redirects {
    /// Anywhere; other origins get no credentials.
    Anywhere,
    /// To the origin of the base URL. One that leads elsewhere is the answer.
    AtHome,
}

/// What became of a request in the end.
struct Settled {
    /// The verdict on the last try; the error when the API asks for too long a wait before another one.
    verdict: Result<Verdict>,
    exchange: Exchange,
    /// Where the last answer came from.
    url: Url,
}

/// Talks to one connection's API. All tables of a connection share one client, and with it the budget.
pub struct ApiClient {
    connection: Arc<Connection>,
    settings: HttpSettings,
    auth: AuthSpec,
    credentials: Credentials,
    secret_params: Arc<[String]>,
    redactor: Arc<Redactor>,
    transport: Transport,
    budget: Budget,
    limits: Arc<Limits>,
}

impl ApiClient {
    /// Prepares a client; sends nothing. Fails when an option that authenticates is missing, empty or malformed.
    pub fn new(connection: Arc<Connection>, settings: HttpSettings) -> Result<ApiClient> {
        Ok(ApiClient {
            auth: auth_of(&connection)?.clone(),
            credentials: Credentials::of(&connection)?,
            secret_params: secret_params(&connection).into(),
            redactor: Arc::new(Redactor::new(&connection)),
            transport: Transport::new(settings.timeout, settings.max_body_len)?,
            budget: Budget::new(&connection.adapter.throttle, settings.max_in_flight, connection.adapter.retry.park),
            limits: Arc::default(),
            connection,
            settings,
        })
    }

    /// Takes over what the API said about its limits to the client that this one replaces, which loads may still use: one pauses the
    /// other. A client of another account or API has nothing to tell.
    #[must_use]
    pub fn after(mut self, replaced: &ApiClient) -> ApiClient {
        let (mine, other) = (&self.connection, &replaced.connection);
        if mine.options == other.options && mine.adapter.base_url == other.adapter.base_url {
            self.budget.share_pauses(&replaced.budget);
            self.limits = Arc::clone(&replaced.limits);
        }
        self
    }

    /// Returns the connection it talks for.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns what takes this connection's secrets out of texts.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Returns the request as text, redacted.
    pub fn text_of(&self, request: &ApiRequest) -> String {
        format!("GET {}", self.redactor.url(&request.url))
    }

    /// Returns what the API last said about how many requests are left.
    pub fn budget_left(&self) -> Option<BudgetLeft> {
        self.limits.last()
    }

    /// Returns how many requests of the connection may be in flight at once, and the least time between the starts of two.
    pub fn pace(&self) -> (usize, Duration) {
        self.budget.pace()
    }

    /// Returns how long the API takes no request from now on.
    pub fn paused_for(&self) -> Duration {
        self.budget.paused_for()
    }

    /// Sends a request until there is a verdict: waits for the budget, follows redirects, tries again. Dropping the
    /// future stops it.
    pub async fn send(&self, request: &ApiRequest, from_parent: bool, observer: &dyn RequestObserver) -> Result<Answer> {
        let target = self.text_of(request);
        let settled = self.settle(request, (from_parent, Redirects::Anywhere), observer).await?;
        match (settled.verdict?, settled.exchange) {
            (Verdict::Rows, Exchange::Answer(answer)) => Ok(Answer::Page(self.page_body(answer, &settled.url))),
            (Verdict::Fail { message, refused: true }, _) => Ok(Answer::Refused(Error::api(format!("{target} {message}")))),
            (Verdict::Fail { message, refused: false }, Exchange::Answer(_)) => Err(Error::api(format!("{target} {message}"))),
            (Verdict::Fail { message, .. }, _) => Err(Error::api(format!("{target}: {message}"))),
            (Verdict::Skip(message), _) => Ok(Answer::Skipped(format!("{target} {message}"))),
            (Verdict::Empty(message), _) => Ok(Answer::Empty(format!("{target} {message}"))),
            (Verdict::Rows | Verdict::Retry { .. }, _) => Err(Error::internal("a request ended without an answer or a verdict")),
        }
    }

    /// Sends a request as [`ApiClient::send`] does, but whatever status it ends with is the reply, and a redirect to another origin is not
    /// followed. Fails when no answer comes, or one that is no UTF-8.
    pub async fn ask(&self, request: &ApiRequest, observer: &dyn RequestObserver) -> Result<Reply> {
        let target = self.text_of(request);
        let settled = self.settle(request, (false, Redirects::AtHome), observer).await?;
        let answer = match (settled.exchange, settled.verdict) {
            (Exchange::Answer(answer), _) => answer,
            (_, Ok(Verdict::Fail { message, .. })) => return Err(Error::api(format!("{target}: {message}"))),
            (_, Err(err)) => return Err(err),
            _ => return Err(Error::internal("a request ended without an answer or a verdict")),
        };
        let content_type = answer.headers.get("content-type").unwrap_or("unknown").to_string();
        let n_bytes = answer.body.len();
        let body = String::from_utf8(answer.body).map_err(|_| {
            let content_type = self.redactor.text(&content_type);
            Error::data(format!("{target} returned {n_bytes} bytes that are no UTF-8 text, content type '{content_type}'"))
        })?;
        Ok(Reply { status: answer.status, headers: self.redactor.headers(&answer.headers), body: self.redactor.body(body) })
    }

    /// Sends a request until no other try follows. Fails when it must not be sent.
    async fn settle(
        &self,
        request: &ApiRequest,
        (from_parent, redirects): (bool, Redirects),
        observer: &dyn RequestObserver,
    ) -> Result<Settled> {
        let target = self.text_of(request);
        let within = |err: Error| err.within(&target);
        self.check_target(request).map_err(within)?;
        let mut number = 0;
        loop {
            number += 1;
            let permit = self.budget.permit(|wait| observer.waiting(wait)).await.map_err(within)?;
            let (exchange, url) = self.exchange(request, redirects, observer).await.map_err(within)?;
            drop(permit);
            let attempt = Attempt { number, from_parent, moment: moment() };
            let verdict = self.verdict_on(&exchange, attempt, observer);
            if let (Verdict::Rows, Exchange::Answer(answer)) = (&verdict, &exchange) {
                if let Some(wait) = wait_after_answer(&answer.headers, &self.connection.adapter.throttle, attempt.moment) {
                    // Too long a wait is the next request's error: this answer is good.
                    let _ = self.budget.pause(wait);
                }
            }
            let Verdict::Retry { after, reason, for_all } = verdict else { return Ok(Settled { verdict: Ok(verdict), exchange, url }) };
            observer.retried(&format!("{target} {reason}"), after);
            if let Err(err) = self.wait(after, for_all).await {
                return Ok(Settled { verdict: Err(Error::new(err.kind(), format!("{target} {reason}; {err}"))), exchange, url });
            }
        }
    }

    fn verdict_on(&self, exchange: &Exchange, attempt: Attempt, observer: &dyn RequestObserver) -> Verdict {
        match exchange {
            Exchange::Broken(text) | Exchange::Unsendable(text) => Verdict::Fail { message: self.redactor.text(text), refused: false },
            Exchange::Lost(text) | Exchange::Unreached(text) => self.judge().verdict_on_loss(text, attempt),
            Exchange::Answer(answer) => {
                observer.answered(answer.status, answer.body.len() as u64);
                self.limits.note(&answer.headers, &self.connection.adapter.throttle, attempt.moment);
                self.judge().verdict(judged(answer), attempt)
            }
        }
    }

    fn judge(&self) -> Judge<'_> {
        Judge { spec: &self.connection.adapter, auth: &self.auth, redactor: &self.redactor }
    }

    async fn wait(&self, wait: Duration, for_all: bool) -> Result<()> {
        if for_all {
            return self.budget.pause(wait);
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Refuses to send to a place that must not have the credentials.
    fn check_target(&self, request: &ApiRequest) -> Result<()> {
        let url = &request.url;
        if !may_have_credentials(&self.connection.adapter, &request.base, url) {
            let origin = url.origin().ascii_serialization();
            return Err(Error::api(format!(
                "the API's next page is at '{origin}', which is not the adapter's host; add it to 'allowed_hosts' in the spec if it may have the credentials"
            )));
        }
        if !self.credentials.is_none() && is_readable_by_others(url) && !self.settings.allow_http {
            return Err(Error::config("credentials are not sent over plain http; use https, or set 'unify_allow_http' to true"));
        }
        Ok(())
    }

    /// Sends once and follows redirects. Returns the URL the answer came from, too.
    async fn exchange(&self, request: &ApiRequest, redirects: Redirects, observer: &dyn RequestObserver) -> Result<(Exchange, Url)> {
        let mut url = without_params(&request.url, &self.secret_param_names());
        let mut is_trusted = true;
        for _ in 0..=MAX_REDIRECTS {
            observer.started(&self.redactor.url(&url));
            let exchange = self.exchange_once(&url, request, is_trusted).await;
            let Exchange::Answer(answer) = &exchange else {
                return Ok((exchange, url));
            };
            let location = answer.headers.get("location").filter(|_| matches!(answer.status, 301 | 302 | 303 | 307 | 308));
            let Some(location) = location else {
                return Ok((exchange, url));
            };
            let next = match (url.join(location), redirects) {
                (Ok(next), Redirects::AtHome) if next.origin() != request.base.origin() => return Ok((exchange, url)),
                (Ok(next), _) => next,
                (Err(_), _) => return Err(Error::api("redirects to what is no URL")),
            };
            if !matches!(next.scheme(), "http" | "https") || (url.scheme() == "https" && next.scheme() == "http") {
                let next = self.redactor.url(&next);
                return Err(Error::api(format!("redirects to '{next}'; expected an https URL")));
            }
            // Trust, once lost, does not come back: the host in between chose where to go.
            is_trusted = is_trusted && may_have_credentials(&self.connection.adapter, &request.base, &next);
            is_trusted = is_trusted && (!is_readable_by_others(&next) || self.settings.allow_http);
            url = without_params(&next, &self.secret_param_names());
        }
        Err(Error::api(format!("redirects more than {MAX_REDIRECTS} times")))
    }

    /// Sends once. Only a trusted place gets the credentials and the spec's headers, which may hold options.
    async fn exchange_once(&self, url: &Url, request: &ApiRequest, is_trusted: bool) -> Exchange {
        let mut url = url.clone();
        if !is_trusted {
            let accept: Vec<(String, String)> =
                request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("accept")).cloned().collect();
            return self.transport.get(&url, &accept).await;
        }
        let mut headers = request.headers.clone();
        self.credentials.add_to(&mut url, &mut headers);
        self.transport.get(&url, &headers).await
    }

    fn secret_param_names(&self) -> Vec<&str> {
        self.secret_params.iter().map(String::as_str).collect()
    }

    fn page_body(&self, answer: RawAnswer, url: &Url) -> PageBody {
        PageBody {
            status: answer.status,
            body: answer.body,
            headers: answer.headers,
            url: url.clone(),
            secret_params: Arc::clone(&self.secret_params),
            redactor: Arc::clone(&self.redactor),
        }
    }
}

fn judged(answer: &RawAnswer) -> Judged<'_> {
    Judged { status: answer.status, headers: &answer.headers, body: &answer.body }
}

fn moment() -> Moment {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    // The standard library's hash keys are random for each state: enough to spread retries.
    let random = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
    Moment { now, random }
}
