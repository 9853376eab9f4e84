//! What an API says about the requests it still takes.

use super::verdict::{BudgetTold, Moment};
use crate::lock::lock;
use std::sync::Mutex;

/// What an answer said about how many requests are left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetLeft {
    pub requests: f64,
    /// How many there are in all.
    pub limit: Option<f64>,
    /// When all of them are there again, in microseconds since 1970-01-01 00:00:00 UTC.
    pub resets_at: Option<i64>,
    /// When the answer came, in the same.
    pub told_at: i64,
}

/// Remembers the last word of an API about its limits.
#[derive(Debug, Default)]
pub(super) struct Limits {
    last: Mutex<Option<BudgetLeft>>,
}

impl Limits {
    /// Takes note of what an answer tells about budgets: of the one with the least left, in proportion.
    pub(super) fn note(&self, told: &[BudgetTold], moment: Moment) {
        let part = |budget: &BudgetTold| match (budget.left, budget.limit) {
            (Some(left), Some(limit)) if limit > 0.0 => left / limit,
            (Some(left), _) => left,
            (None, _) => f64::INFINITY,
        };
        let tightest = told.iter().filter(|budget| budget.left.is_some()).min_by(|a, b| part(a).total_cmp(&part(b)));
        let Some((budget, requests)) = tightest.and_then(|budget| Some((budget, budget.left?))) else { return };
        let micros = |seconds: f64| (seconds * 1e6) as i64;
        let left = BudgetLeft {
            requests,
            limit: budget.limit,
            resets_at: budget.resets_in.map(|seconds| micros(moment.now + seconds)),
            told_at: micros(moment.now),
        };
        *lock(&self.last) = Some(left);
    }

    pub(super) fn last(&self) -> Option<BudgetLeft> {
        *lock(&self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::{Judged, Throttles};
    use super::*;
    use crate::source::Headers;
    use crate::spec::Throttle;

    #[test]
    fn the_last_answer_that_says_something_counts() {
        let limits = Limits::default();
        let throttle = Throttle::default();
        let throttles = Throttles { connection: &throttle, own: None };
        let note = |pairs: &[(&str, &str)], now: f64| {
            let headers = Headers::new(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect());
            let (answer, moment) = (Judged { status: 200, headers: &headers, body: b"" }, Moment { now, random: 0.5 });
            limits.note(&throttles.told(answer, moment).connection, moment);
        };
        note(&[("content-type", "x")], 5.0);
        assert_eq!(limits.last(), None);
        note(&[("X-RateLimit-Remaining", "7"), ("x-ratelimit-limit", "10"), ("x-ratelimit-reset", "60")], 5.0);
        note(&[], 6.0);
        let left = BudgetLeft { requests: 7.0, limit: Some(10.0), resets_at: Some(65_000_000), told_at: 5_000_000 };
        assert_eq!(limits.last(), Some(left));
        note(&[("ratelimit-remaining", "6")], 7.0);
        assert_eq!(limits.last().map(|left| (left.requests, left.limit)), Some((6.0, None)));
    }
}
