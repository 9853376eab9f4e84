//! What an answer means: rows, another try, nothing, or the end of the parameter set.

mod attempt;
#[cfg(test)]
mod tests;
mod told;
#[cfg(test)]
mod told_tests;
mod wait;
mod write;

use super::Redactor;
use crate::document::{value_at, JsonValue};
use crate::spec::{AdapterSpec, AuthSpec, ErrorCondition, ErrorRule, RuleVerdict};
pub use attempt::{Attempt, Judged, Moment};
use std::time::Duration;
pub(super) use told::{pause_after, BudgetTold, BudgetsTold, Throttles};
use wait::Waiting;
pub(super) use write::WriteVerdict;

/// Most characters of a body's first line in a message.
const MAX_LINE_LEN: usize = 200;
/// A request that the API told when to come back is tried this many times more often than one that just failed: with many in
/// flight, others may take the budget first.
const PATIENCE: u32 = 10;

/// What the log says of data that is used with a warning, where the rule does not say it.
const INCOMPLETE: &str = "the answer may not be complete, and its data is used";

/// Who has to wait before a request is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// The request alone.
    One,
    /// All requests under the same limits.
    All,
    /// All that are under the same limits and have the same credentials: a limit is reached.
    Limited,
}

/// What to do with an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The body has the rows.
    Rows,
    /// The body has rows, and they may not be all: this warning.
    SomeRows(String),
    Retry {
        after: Duration,
        reason: String,
        /// Who has to wait.
        waits: Waits,
    },
    /// `refused`: the API does not take this request (400, 404, 410, 416, 422).
    Fail { message: String, refused: bool },
    /// The parameter set is left out, with this warning.
    Skip(String),
    /// No rows, and no error.
    Empty(String),
    /// The API does not take the credentials; the request is sent once more with others.
    Login(String),
    /// There is more than the API gives: less is to be asked for at once.
    Split(String),
}

/// Judges the answers to one connection's requests.
pub struct Judge<'a> {
    pub spec: &'a AdapterSpec,
    /// The way to authenticate in use.
    pub auth: &'a AuthSpec,
    pub redactor: &'a Redactor,
    /// The limits that the request is under.
    pub throttles: Throttles<'a>,
}

impl Judge<'_> {
    /// Returns what an answer means.
    pub fn verdict(&self, answer: Judged<'_>, attempt: Attempt) -> Verdict {
        if let Some(rule) = self.spec.errors.iter().find(|rule| may_mean(rule, answer.status, attempt) && matches(&rule.when, answer)) {
            return self.verdict_of_rule(rule, answer, attempt);
        }
        match answer.status {
            204 | 205 => Verdict::Empty(self.reason(None, answer)),
            200..=299 => Verdict::Rows,
            status if self.is_retried(status) => self.retry(self.reason(None, answer), Some(answer), attempt, None),
            404 if attempt.from_parent => Verdict::Skip(self.reason(None, answer)),
            status => self.fail(self.reason(None, answer), status, attempt.may_be_past_end),
        }
    }

    /// Returns what a request without an answer means: a lost connection or a timeout.
    pub fn verdict_on_loss(&self, reason: &str, attempt: Attempt) -> Verdict {
        self.retry(self.redactor.text(reason), None, attempt, None)
    }

    fn is_retried(&self, status: u16) -> bool {
        matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504) || self.spec.retry.statuses.contains(&status)
    }

    fn verdict_of_rule(&self, rule: &ErrorRule, answer: Judged<'_>, attempt: Attempt) -> Verdict {
        let reason = self.reason(rule.message.as_deref(), answer);
        match rule.verdict {
            RuleVerdict::Retry | RuleVerdict::Limit => self.retry(reason, Some(answer), attempt, Some(rule)),
            RuleVerdict::Fail => self.fail(reason, answer.status, false),
            RuleVerdict::Warn => Verdict::SomeRows(self.reason(Some(rule.message.as_deref().unwrap_or(INCOMPLETE)), answer)),
            RuleVerdict::Empty | RuleVerdict::End => Verdict::Empty(reason),
            RuleVerdict::Skip => Verdict::Skip(reason),
            RuleVerdict::Login => Verdict::Login(reason),
            RuleVerdict::Split => Verdict::Split(reason),
        }
    }

    fn retry(&self, reason: String, answer: Option<Judged<'_>>, attempt: Attempt, rule: Option<&ErrorRule>) -> Verdict {
        let is_limit = match rule {
            Some(rule) if rule.verdict == RuleVerdict::Limit => true,
            _ => answer.is_some_and(|answer| matches!(answer.status, 403 | 429)),
        };
        let rule_wait = rule.and_then(|rule| rule.wait.as_ref());
        let waiting = Waiting { retry: &self.spec.retry, throttles: self.throttles, rule: rule_wait, is_limit };
        let wait = waiting.before(answer, attempt);
        let max_attempts = self.spec.retry.attempts.max(1);
        let max_attempts = if wait.is_told { max_attempts.saturating_mul(PATIENCE) } else { max_attempts };
        if attempt.number >= max_attempts {
            let message = match attempt.number {
                1 => reason,
                n_attempts => format!("{reason}; tried {n_attempts} times"),
            };
            return Verdict::Fail { message, refused: false };
        }
        // A rule that only says to come back later speaks of this request.
        let waits = match is_limit {
            true => Waits::Limited,
            false if wait.is_told && rule_wait.is_none() => Waits::All,
            false => Waits::One,
        };
        Verdict::Retry { after: wait.duration, reason, waits }
    }

    fn fail(&self, reason: String, status: u16, may_be_past_end: bool) -> Verdict {
        // What is needed may be wrong, whether it is secret or not, such as the key of a client.
        let shown = self.auth.options().into_iter().filter(|option| option.secret || option.required);
        let names: Vec<String> = shown.map(|option| format!("'{}'", option.name)).collect();
        let message = match (status, names.as_slice()) {
            (401, _) if self.auth.has_tokens() => format!("{reason}; {}", self.not_taken()),
            // So do services of Amazon whose answers are JSON.
            (400, _) if matches!(self.auth, AuthSpec::Aws(_)) && is_about_credentials(&reason) => {
                format!("{reason}; check the options {}", names.join(" and "))
            }
            (403, _) if self.auth.has_tokens() => format!("{reason}; check that the token's scopes and the account allow it"),
            (401 | 403, []) => format!("{reason}; the adapter sends no credentials here"),
            (401 | 403, [name]) => format!("{reason}; check the {name} option"),
            (401 | 403, _) => format!("{reason}; check the options {}", names.join(" and ")),
            _ if may_be_past_end && is_refusal(status) => format!(
                "{reason}; where the API answers so after its last page, say it in the spec: errors: [{{when: {{status: {status}}}, do: end}}]"
            ),
            (404, _) => format!("{reason}; check the path in the adapter spec, and the options and params in it"),
            _ => reason,
        };
        Verdict::Fail { message, refused: is_refusal(status) }
    }

    /// Returns what to say of a token or session that the API does not take though it is new.
    fn not_taken(&self) -> String {
        match self.auth {
            AuthSpec::Jwt(signed) => format!(
                "the API does not take the signed token: check the option '{}', the 'claims' and 'life' in the adapter spec, and that the clock is right",
                signed.jwt.key.name
            ),
            AuthSpec::Session(_) => "the API does not take the session that a login just began: check that the account may use the API, and 'headers' of \
                                     'auth' in the adapter spec"
                .to_string(),
            _ => "the API does not take the token that it was just given: check its scopes and audience, and that the account may use the API"
                .to_string(),
        }
    }

    /// Returns `returned 403 (Forbidden): what the body says`, redacted.
    fn reason(&self, message: Option<&str>, answer: Judged<'_>) -> String {
        let status = match status_name(answer.status) {
            "" => format!("returned {}", answer.status),
            name => format!("returned {} ({name})", answer.status),
        };
        let line = self.redactor.told(answer.body, MAX_LINE_LEN);
        match (message, line.is_empty()) {
            (Some(message), _) => format!("{status}: {message}"),
            (None, true) => status,
            (None, false) => format!("{status}: {line}"),
        }
    }
}

/// Returns whether an answer with that status says that the API does not take the request.
fn is_refusal(status: u16) -> bool {
    matches!(status, 400 | 404 | 410 | 416 | 422)
}

/// Returns whether a rule can speak of this answer. `warn` needs an answer with data, `end` a page that may lie after the last one.
fn may_mean(rule: &ErrorRule, status: u16, attempt: Attempt) -> bool {
    match rule.verdict {
        RuleVerdict::Warn => matches!(status, 200..=299) && !matches!(status, 204 | 205),
        RuleVerdict::End => attempt.may_be_past_end,
        _ => true,
    }
}

/// Returns whether an answer is as the condition says.
pub(super) fn matches(condition: &ErrorCondition, answer: Judged<'_>) -> bool {
    let is_status = condition.statuses.is_empty() || condition.statuses.contains(&answer.status);
    let is_header = condition.header.as_ref().is_none_or(|(name, expected)| match (answer.headers.get(name), expected) {
        (Some(value), Some(expected)) => value.trim().eq_ignore_ascii_case(expected.trim()),
        (value, None) => value.is_some(),
        (None, Some(_)) => false,
    });
    is_status && is_header && condition.body.as_ref().is_none_or(|(path, expected)| body_matches(answer.body, path, expected.as_deref()))
}

fn body_matches(body: &[u8], path: &[String], expected: Option<&str>) -> bool {
    match (value_at(body, path), expected) {
        (None | Some(JsonValue::Null), _) => false,
        (Some(_), None) => true,
        (Some(JsonValue::String(text)), Some(expected)) => text == expected,
        (Some(other), Some(expected)) => expected == other.to_string().as_str(),
    }
}

fn status_name(status: u16) -> &'static str {
    match status {
        204 => "No Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Entity",
        425 => "Too Early",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

/// Returns whether words of a service speak of a token that ended or a signature that is wrong.
fn is_about_credentials(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["security token", "provided token", "signature", "access key"].iter().any(|word| reason.contains(word))
}
