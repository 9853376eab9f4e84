//! When a request is tried again, and the rules for answers of APIs that do not keep to the standard statuses.

use super::WaitSign;
use std::time::Duration;

/// How often and how patiently a request is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrySpec {
    /// Tries in all, the first included. At least 1.
    pub attempts: u32,
    /// First backoff, in seconds.
    pub base: f64,
    /// Longest backoff, in seconds.
    pub max: f64,
    /// The longest wait an API can ask for, in seconds, that a load sits through: for a longer one it gives its thread back.
    pub park: f64,
    /// Statuses that are retried besides the standard ones.
    pub statuses: Vec<u16>,
    /// Where refusals tell how long to wait, besides the standard header.
    pub wait: Option<WaitSign>,
}

impl Default for RetrySpec {
    fn default() -> RetrySpec {
        RetrySpec { attempts: 5, base: 1.0, max: 60.0, park: 300.0, statuses: Vec::new(), wait: None }
    }
}

/// What an answer that matches `when` means, for APIs that do not keep to the standard statuses.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorRule {
    pub when: ErrorCondition,
    pub verdict: RuleVerdict,
    pub message: Option<String>,
    /// How long to wait before another try.
    pub wait: Option<RuleWait>,
}

impl ErrorRule {
    /// Returns whether an answer's body decides about the rule, or tells its wait.
    pub fn reads_body(&self) -> bool {
        let waits_by_body = matches!(&self.wait, Some(RuleWait::Told(sign)) if sign.told.is_in_body());
        self.when.body.is_some() || waits_by_body
    }
}

/// How long to wait before another try of a request that a rule names.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleWait {
    Fixed(Duration),
    Told(WaitSign),
}

/// What an answer is like. All parts that are given must match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorCondition {
    pub statuses: Vec<u16>,
    /// Dotted path in the body and the value expected there; no value: the path only has to exist and not be null.
    pub body: Option<(Vec<String>, Option<String>)>,
    /// Header name and the value expected (case-insensitive); no value: the header only has to be there.
    pub header: Option<(String, Option<String>)>,
}

/// What to do with an answer an [`ErrorRule`] matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleVerdict {
    Retry,
    /// A limit is reached: as `Retry`, and other requests wait, too.
    Limit,
    Fail,
    /// The answer has no rows, and that is not an error.
    Empty,
    /// The answer has rows, and they may not be all: they are used, with a warning.
    Warn,
    /// The parameter set is left out, with a warning.
    Skip,
    /// The API does not take the credentials that a server gave: others are asked for once.
    Login,
    /// The page lies after the last one. Says nothing of a first page, nor of one that the answer before it named.
    End,
    /// There is more than the API gives: the window is asked for in halves.
    Split,
}
