//! How long to wait before another try: what the API tells, or exponential backoff with full jitter.

use super::attempt::{Attempt, Judged, Moment};
use super::told::{seconds_until, wait_told, Throttles};
use crate::spec::{RetrySpec, RuleWait, WaitUnit};
use std::time::Duration;

/// A wait, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wait {
    pub duration: Duration,
    /// Whether the API or a rule of the spec told it.
    pub is_told: bool,
}

/// What decides how long a request waits.
pub struct Waiting<'a> {
    pub retry: &'a RetrySpec,
    pub throttles: Throttles<'a>,
    /// What the rule that matched says.
    pub rule: Option<&'a RuleWait>,
    /// Whether the answer says that a limit is reached.
    pub is_limit: bool,
}

impl Waiting<'_> {
    /// Returns how long to wait before the next try of a request.
    pub fn before(&self, answer: Option<Judged<'_>>, attempt: Attempt) -> Wait {
        match answer.and_then(|answer| self.told(answer, attempt.moment)) {
            Some(duration) => Wait { duration, is_told: true },
            None => Wait { duration: backoff(self.retry, attempt), is_told: false },
        }
    }

    /// Returns the wait that the rule or the answer asks for, if it makes sense.
    fn told(&self, answer: Judged<'_>, moment: Moment) -> Option<Duration> {
        let by_rule = match self.rule {
            Some(RuleWait::Fixed(wait)) => return Some(*wait),
            Some(RuleWait::Told(sign)) => wait_told(answer, sign, moment),
            None => None,
        };
        let standard = || answer.headers.get("retry-after").and_then(|text| seconds_until(text, WaitUnit::BySize, moment));
        let by_retry = || self.retry.wait.as_ref().and_then(|sign| wait_told(answer, sign, moment));
        let seconds = by_rule.or_else(standard).or_else(by_retry).or_else(|| self.by_budgets(answer, moment));
        seconds.map(Duration::from_secs_f64)
    }

    /// Returns when the budget that is used up takes requests again. A limit without such a budget is taken for the one that ends first.
    fn by_budgets(&self, answer: Judged<'_>, moment: Moment) -> Option<f64> {
        let told = self.throttles.told(answer, moment);
        let used_up = told.all().filter(|budget| budget.is_used_up).filter_map(|budget| budget.wait).max_by(f64::total_cmp);
        let soonest = || told.all().filter_map(|budget| budget.resets_in).min_by(f64::total_cmp);
        used_up.or_else(|| self.is_limit.then(soonest).flatten())
    }
}

/// Returns an even random part of `base * 2^(attempt - 1)`, at most `max`.
fn backoff(retry: &RetrySpec, attempt: Attempt) -> Duration {
    let exponent = attempt.number.saturating_sub(1).min(30);
    let longest = (retry.base * f64::from(1_u32 << exponent)).min(retry.max);
    let seconds = longest * attempt.moment.random.clamp(0.0, 1.0);
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
