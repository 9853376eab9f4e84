//! The loop that ends with a verdict.

use super::choice::Choice;
use super::core::{Kernel, Sending};
use super::step::{Judgement, Outcome, Step, Tried};
use crate::http::auth::{is_readable_by_others, may_have_credentials};
use crate::http::authorizer::Authorizer;
use crate::http::budgets::Permits;
use crate::http::message::{Method, Request};
use crate::http::pool::Turn;
use crate::http::transport::Exchange;
use crate::http::verdict::{Attempt, Moment, Waits};
use crate::{Error, Place, Result};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use url::Url;

/// Why a request failed.
#[derive(Debug, Clone)]
pub struct SendFailure {
    pub error: Error,
    /// Nobody knows whether the API did what the request asks for.
    pub may_be_done: bool,
}

/// What became of a request in the end.
pub struct Settled {
    /// What the last try means; the error when the API asks for too long a wait before another one.
    pub outcome: Result<Outcome>,
    pub exchange: Exchange,
    /// Where the last answer came from.
    pub url: Url,
    /// Where a redirect led that was not followed, redacted.
    pub led_to: Option<String>,
    /// Whether the API may have done what a request that writes asks for.
    pub may_be_done: bool,
}

impl Kernel {
    /// Sends a request until no other try follows. Fails when it must not be sent.
    pub async fn send(&self, request: &Request, how: &Sending<'_>) -> std::result::Result<Settled, SendFailure> {
        let target = self.shown(request);
        let mut may_be_done = false;
        let failed = |err: Error, may_be_done: bool| SendFailure { error: err.at(Place::request(target.to_string())), may_be_done };
        self.check_target(request, how.authorizer).map_err(|err| failed(err, false))?;
        let mut choice = Choice::of(request, target, how);
        // A try with other credentials is the same try.
        let mut number = 1;
        loop {
            let (permit, turn) = self.admitted(request, how, &choice).await.map_err(|err| failed(err, may_be_done))?;
            let idx = turn.as_ref().map_or(0, Turn::idx);
            let hop = match self.exchange(request, how, idx).await {
                Ok(hop) => hop,
                Err(unsent) if unsent.lacks_credentials && choice.sets_aside(turn.as_ref(), unsent.error.message()) => continue,
                Err(unsent) => return Err(failed(unsent.error, may_be_done)),
            };
            drop(permit);
            let replaces = choice.replaces(turn.as_ref(), hop.rejected(), "returned 401 (Unauthorized)").await;
            if replaces.map_err(|err| failed(err, may_be_done))? {
                continue;
            }
            let (from_parent, may_be_past_end) = (how.repeat.is_from_parent(), request.may_be_past_end);
            let attempt = Attempt { number, from_parent, may_be_past_end, moment: moment() };
            let may_be_gone = request.method == Method::Delete && may_be_done;
            let tried = Tried { request, attempt, may_be_gone };
            let Judgement { step, exchange, told } = self.step(hop.exchange, how, tried).await;
            self.budgets.note(request.throttle.as_deref(), &told, attempt.moment);
            choice.note(turn.as_ref(), &told);
            may_be_done |= !how.repeat.reads() && exchange.may_have_been_done();
            let sent_with = hop.sent_with;
            let ends = |outcome, exchange| Settled { outcome, exchange, url: hop.url, led_to: hop.led_to, may_be_done };
            match step {
                Step::Ends(outcome) => {
                    // A budget that is used up is that of the credential alone, where there are several.
                    if outcome.is_accepted() && turn.is_none() {
                        self.budgets.heed(request.throttle.as_deref(), &told);
                    }
                    return Ok(ends(Ok(outcome), exchange));
                }
                Step::Login(reason) => {
                    let replaces = choice.replaces(turn.as_ref(), sent_with, &reason).await;
                    if replaces.map_err(|err| failed(err, may_be_done))? {
                        continue;
                    }
                    return Ok(ends(Ok(login_failed(&reason, choice.has_renewed())), exchange));
                }
                Step::Again { after, reason, waits } => {
                    let again = choice.spent(turn, after, waits);
                    number += u32::from(!again.has_other);
                    how.observer.retried(&format!("{target} {reason}{}", again.told), again.after);
                    if let Err(err) = how.unless_stopped(self.wait(request, again.after, waits)).await {
                        let err = err.in_words(|words| format!("{target} {reason}; {words}"));
                        return Ok(ends(Err(err), exchange));
                    }
                }
            }
        }
    }

    /// Waits until a request may be sent: under its limits, and with credentials that are not spent.
    async fn admitted<'a>(&self, request: &Request, how: &Sending<'_>, choice: &Choice<'a>) -> Result<(Permits, Option<Turn<'a>>)> {
        let own = request.throttle.as_deref();
        loop {
            let permit = how.unless_stopped(self.budgets.permit(own, |wait| how.observer.waiting(wait))).await?;
            match how.unless_stopped(async { Ok(choice.turn().await) }).await? {
                Ok(turn) => return Ok((permit, turn)),
                Err(wait) => self.budgets.pause(own, wait)?,
            }
        }
    }

    async fn wait(&self, request: &Request, wait: Duration, waits: Waits) -> Result<()> {
        if waits != Waits::One {
            return self.budgets.pause(request.throttle.as_deref(), wait);
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Refuses to send to a place that must not have the credentials.
    fn check_target(&self, request: &Request, authorizer: &dyn Authorizer) -> Result<()> {
        let url = &request.url;
        if request.is_anonymous {
            return match self.connection.adapter.result_hosts.have(url) {
                true => Ok(()),
                false => Err(Error::api(format!("the file with the results is at {}", self.unknown_host(url)))),
            };
        }
        if !may_have_credentials(&self.connection.adapter, &request.base, url) {
            return Err(Error::api(format!("the request would go to {}", self.stranger(url))));
        }
        if self.sends_secrets(request, authorizer) && is_readable_by_others(url) && !self.allow_http {
            return Err(Error::config("credentials are not sent over plain http; use https, or set 'unify_allow_http' to true"));
        }
        Ok(())
    }
}

/// Returns what it comes to when a rule of the spec asks for other credentials, and those help nothing.
fn login_failed(reason: &str, has_new_credentials: bool) -> Outcome {
    let remedy = match has_new_credentials {
        true => "the API says so right after a login, too: check that the account may use it, and the rule with 'do: login' in the spec",
        false => "there are no other credentials to be had: check the rule with 'do: login' in the spec",
    };
    Outcome::Failed { message: format!("{reason}; {remedy}"), is_refused: false, may_be_done: false }
}

fn moment() -> Moment {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    // The standard library's hash keys are random for each state: enough to spread retries.
    let random = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
    Moment { now, random }
}
