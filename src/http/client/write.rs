//! Sends requests that write: one at a time, and never twice what may be done already, unless that does no harm.

use super::{is_readable_by_others, judged, may_have_credentials, moment, without_params, ApiClient, RequestObserver, MAX_REDIRECTS};
use crate::http::transport::{Exchange, Outgoing};
use crate::http::verdict::{wait_after_answer, Attempt, WriteVerdict};
use crate::http::WriteRequest;
use crate::spec::WriteMethod;
use crate::{Error, ErrorKind, Result};
use std::future::Future;
use tokio::sync::watch;
use url::Url;

/// Why a write failed.
#[derive(Debug, Clone)]
pub struct WriteFailure {
    pub error: Error,
    /// Nobody knows whether the API did it.
    pub may_be_done: bool,
}

/// Asks a write to stop: waits end at once, a request under way is brought to its end.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Returns a stop and what sets it off.
    pub fn new() -> (watch::Sender<bool>, Stop) {
        let (sender, receiver) = watch::channel(false);
        (sender, Stop(receiver))
    }

    /// Does `work` unless the stop comes first.
    async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let mut receiver = self.0.clone();
        tokio::select! {
            biased;
            Ok(_) = receiver.wait_for(|stops| *stops) => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
            done = work => Ok(done),
        }
    }
}

impl ApiClient {
    /// Returns a request that writes as text, redacted.
    pub fn write_text(&self, write: &WriteRequest) -> String {
        format!("{} {}", write.method, self.redactor.url(&write.request.url))
    }

    /// Sends a request that writes, until there is a verdict. Returns the status of the answer.
    pub async fn write(&self, write: &WriteRequest, observer: &dyn RequestObserver, stop: &Stop) -> std::result::Result<u16, WriteFailure> {
        let target = self.write_text(write);
        // Whether an earlier try may have done it.
        let mut may_be_done = false;
        let failure = |error: Error, may_be_done: bool| WriteFailure { error, may_be_done };
        self.check_target(&write.request).map_err(|err| failure(err.within(&target), false))?;
        let mut number = 0;
        loop {
            number += 1;
            let permit = stop.or(self.budget.permit(|wait| observer.waiting(wait))).await.and_then(|permit| permit);
            let permit = permit.map_err(|err| failure(err.within(&target), may_be_done))?;
            let (exchange, is_told_to_go) = self.write_exchange(write, observer).await;
            drop(permit);
            let attempt = Attempt { number, from_parent: false, moment: moment() };
            let verdict = match &exchange {
                Exchange::Unsendable(text) => WriteVerdict::Fail { message: self.redactor.text(text), may_be_done: false },
                Exchange::Broken(text) => WriteVerdict::Fail { message: self.redactor.text(text), may_be_done: true },
                Exchange::Unreached(text) => self.judge().write_verdict_on_loss(text, attempt, false, write.may_repeat),
                Exchange::Lost(text) => {
                    let verdict = self.judge().write_verdict_on_loss(text, attempt, true, write.may_repeat);
                    may_be_done = true;
                    verdict
                }
                Exchange::Answer(answer) => {
                    observer.answered(answer.status, answer.body.len() as u64);
                    self.limits.note(&answer.headers, &self.connection.adapter.throttle, attempt.moment);
                    let is_gone = matches!(answer.status, 404 | 410) && write.method == WriteMethod::Delete && may_be_done;
                    may_be_done |= matches!(answer.status, 500..=599);
                    match is_gone {
                        // An earlier try took it away, and its answer was lost.
                        true => WriteVerdict::Done,
                        false => self.judge().write_verdict(judged(answer), attempt, write.may_repeat),
                    }
                }
            };
            match verdict {
                WriteVerdict::Done => {
                    let Exchange::Answer(answer) = exchange else {
                        return Err(failure(Error::internal("a success without an answer"), true));
                    };
                    if let Some(wait) = wait_after_answer(&answer.headers, &self.connection.adapter.throttle, attempt.moment) {
                        // Too long a wait is the next request's error: this one is done.
                        let _ = self.budget.pause(wait);
                    }
                    return Ok(answer.status);
                }
                WriteVerdict::Retry { after, reason, for_all } => {
                    observer.retried(&format!("{target} {reason}"), after);
                    let waited = stop.or(self.wait(after, for_all)).await.and_then(|waited| waited);
                    waited.map_err(|err| failure(Error::new(err.kind(), format!("{target} {reason}; {err}")), may_be_done))?;
                }
                WriteVerdict::Fail { message, may_be_done: this_one } => {
                    let message = is_told_to_go.map_or(message, |place| format!("redirects to '{place}', where nothing is written"));
                    let separator = if matches!(exchange, Exchange::Answer(_)) { "" } else { ":" };
                    return Err(failure(Error::api(format!("{target}{separator} {message}")), may_be_done || this_one));
                }
            }
        }
    }

    /// Sends once. Follows only redirects that keep method and body, to where credentials may go: rows go nowhere else. Returns where
    /// another redirect leads, redacted, too.
    async fn write_exchange(&self, write: &WriteRequest, observer: &dyn RequestObserver) -> (Exchange, Option<String>) {
        let secret_params = self.secret_param_names();
        let mut url = without_params(&write.request.url, &secret_params);
        for _ in 0..=MAX_REDIRECTS {
            observer.started(&self.redactor.url(&url));
            let (mut sent_url, mut headers) = (url.clone(), write.request.headers.clone());
            self.credentials.add_to(&mut sent_url, &mut headers);
            let outgoing = Outgoing { method: write.method.name(), url: &sent_url, headers: &headers, body: write.body.as_deref() };
            let exchange = self.transport.send(outgoing).await;
            let Exchange::Answer(answer) = &exchange else { return (exchange, None) };
            let location = answer.headers.get("location").filter(|_| matches!(answer.status, 301 | 302 | 303 | 307 | 308));
            let Some(location) = location else { return (exchange, None) };
            let keeps_method = matches!(answer.status, 307 | 308);
            let next = url.join(location).ok().filter(|next| keeps_method && self.may_write_to(next, &write.request.base));
            match next {
                Some(next) => url = without_params(&next, &secret_params),
                None => {
                    let place = url.join(location).map_or_else(|_| self.redactor.text(location), |next| self.redactor.url(&next));
                    return (exchange, Some(place));
                }
            }
        }
        (Exchange::Unsendable(format!("redirects more than {MAX_REDIRECTS} times")), None)
    }

    fn may_write_to(&self, url: &Url, base: &Url) -> bool {
        let is_private = !is_readable_by_others(url) || self.settings.allow_http || self.credentials.is_none();
        matches!(url.scheme(), "http" | "https") && is_private && may_have_credentials(&self.connection.adapter, base, url)
    }
}
