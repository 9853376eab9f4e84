//! What an answer means: rows, another try, nothing, or the end of the parameter set.

#[cfg(test)]
mod tests;
mod wait;
mod write;

use super::{Headers, Redactor};
use crate::spec::{AdapterSpec, AuthSpec, ErrorCondition, ErrorRule, RuleVerdict};
use std::time::Duration;
use wait::Wait;
pub(super) use wait::{remaining, reset_seconds, wait_after_answer};
pub(super) use write::WriteVerdict;

/// Most characters of a body's first line in a message.
const MAX_LINE_LEN: usize = 200;
/// A request that the API told when to come back is tried this many times more often than one that just failed: with many in
/// flight, others may take the budget first.
const PATIENCE: u32 = 10;

/// What to do with an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The body has the rows.
    Rows,
    Retry {
        after: Duration,
        reason: String,
        /// Whether the whole connection has to wait, not this request alone.
        for_all: bool,
    },
    /// `refused`: the API does not take this request (400, 404, 410, 416, 422).
    Fail { message: String, refused: bool },
    /// The parameter set is left out, with this warning.
    Skip(String),
    /// No rows, and no error.
    Empty(String),
}

/// The circumstances that pure code is given: how late it is, and a roll of the dice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub now: f64,
    /// From 0 up to 1, evenly distributed.
    pub random: f64,
}

/// One try of a request: what verdicts depend on besides the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attempt {
    /// Tries so far, this one included.
    pub number: u32,
    /// Whether the parameter set came from a parent query.
    pub from_parent: bool,
    pub moment: Moment,
}

/// An answer as it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    pub status: u16,
    pub headers: &'a Headers,
    pub body: &'a [u8],
}

/// Judges the answers to one connection's requests.
pub struct Judge<'a> {
    pub spec: &'a AdapterSpec,
    /// The way to authenticate in use.
    pub auth: &'a AuthSpec,
    pub redactor: &'a Redactor,
}

impl Judge<'_> {
    /// Returns what an answer means.
    pub fn verdict(&self, answer: Judged<'_>, attempt: Attempt) -> Verdict {
        if let Some(rule) = self.spec.errors.iter().find(|rule| matches(&rule.when, answer)) {
            return self.verdict_of_rule(rule, answer, attempt);
        }
        match answer.status {
            204 | 205 => Verdict::Empty(self.reason(None, answer)),
            200..=299 => Verdict::Rows,
            status if self.is_retried(status) => self.retry(self.reason(None, answer), Some(answer), attempt),
            404 if attempt.from_parent => Verdict::Skip(self.reason(None, answer)),
            _ => self.fail(self.reason(None, answer), answer.status),
        }
    }

    /// Returns what a request without an answer means: a lost connection or a timeout.
    pub fn verdict_on_loss(&self, reason: &str, attempt: Attempt) -> Verdict {
        self.retry(self.redactor.text(reason), None, attempt)
    }

    fn is_retried(&self, status: u16) -> bool {
        matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504) || self.spec.retry.statuses.contains(&status)
    }

    fn verdict_of_rule(&self, rule: &ErrorRule, answer: Judged<'_>, attempt: Attempt) -> Verdict {
        let reason = self.reason(rule.message.as_deref(), answer);
        match rule.verdict {
            RuleVerdict::Retry => self.retry(reason, Some(answer), attempt),
            RuleVerdict::Fail => self.fail(reason, answer.status),
            RuleVerdict::Empty => Verdict::Empty(reason),
            RuleVerdict::Skip => Verdict::Skip(reason),
        }
    }

    fn retry(&self, reason: String, answer: Option<Judged<'_>>, attempt: Attempt) -> Verdict {
        let wait = Wait::of(self.spec, answer, attempt);
        let max_attempts = self.spec.retry.attempts.max(1);
        let max_attempts = if wait.is_told { max_attempts.saturating_mul(PATIENCE) } else { max_attempts };
        if attempt.number >= max_attempts {
            let message = match attempt.number {
                1 => reason,
                n_attempts => format!("{reason}; tried {n_attempts} times"),
            };
            return Verdict::Fail { message, refused: false };
        }
        let is_limit = answer.is_some_and(|answer| matches!(answer.status, 403 | 429));
        Verdict::Retry { after: wait.duration, reason, for_all: wait.is_told || is_limit }
    }

    fn fail(&self, reason: String, status: u16) -> Verdict {
        let secrets: Vec<String> =
            self.auth.options().into_iter().filter(|option| option.secret).map(|option| format!("'{}'", option.name)).collect();
        let message = match (status, secrets.as_slice()) {
            (401 | 403, []) => format!("{reason}; the adapter sends no credentials here"),
            (401 | 403, [secret]) => format!("{reason}; check the {secret} option"),
            (401 | 403, _) => format!("{reason}; check the options {}", secrets.join(" and ")),
            _ => reason,
        };
        Verdict::Fail { message, refused: matches!(status, 400 | 404 | 410 | 416 | 422) }
    }

    /// Returns `returned 403 (Forbidden): first line of the body`, redacted.
    fn reason(&self, message: Option<&str>, answer: Judged<'_>) -> String {
        let status = match status_name(answer.status) {
            "" => format!("returned {}", answer.status),
            name => format!("returned {} ({name})", answer.status),
        };
        let line = self.redactor.first_line(answer.body, MAX_LINE_LEN);
        match (message, line.is_empty()) {
            (Some(message), _) => format!("{status}: {message}"),
            (None, true) => status,
            (None, false) => format!("{status}: {line}"),
        }
    }
}

fn matches(condition: &ErrorCondition, answer: Judged<'_>) -> bool {
    let is_status = condition.statuses.is_empty() || condition.statuses.contains(&answer.status);
    let is_header = condition.header.as_ref().is_none_or(|(name, expected)| match (answer.headers.get(name), expected) {
        (Some(value), Some(expected)) => value.trim().eq_ignore_ascii_case(expected.trim()),
        (value, None) => value.is_some(),
        (None, Some(_)) => false,
    });
    is_status && is_header && condition.body.as_ref().is_none_or(|(path, expected)| body_matches(answer.body, path, expected.as_deref()))
}

fn body_matches(body: &[u8], path: &[String], expected: Option<&str>) -> bool {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) else {
        return false;
    };
    let mut value = &body;
    for key in path {
        let below = value.get(key).or_else(|| key.parse::<usize>().ok().and_then(|idx| value.get(idx)));
        let Some(below) = below else {
            return false;
        };
        value = below;
    }
    match (value, expected) {
        (serde_json::Value::Null, _) => false,
        (_, None) => true,
        (serde_json::Value::String(text), Some(expected)) => text == expected,
        (other, Some(expected)) => expected == other.to_string().as_str(),
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
