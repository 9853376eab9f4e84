//! What an API says about the requests it still takes.

use super::verdict::{remaining, reset_seconds};
use super::{Headers, Moment};
use crate::lock::lock;
use crate::spec::Throttle;
use std::sync::Mutex;

/// Headers that say how many requests a window has in all.
const LIMIT_HEADERS: [&str; 2] = ["x-ratelimit-limit", "ratelimit-limit"];

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
    /// Takes note of an answer's headers.
    pub(super) fn note(&self, headers: &Headers, throttle: &Throttle, moment: Moment) {
        let Some(requests) = remaining(headers, throttle) else { return };
        let micros = |seconds: f64| (seconds * 1e6) as i64;
        let left = BudgetLeft {
            requests,
            limit: LIMIT_HEADERS.iter().find_map(|name| headers.get(name)?.trim().parse().ok()),
            resets_at: reset_seconds(headers, throttle, moment).map(|seconds| micros(moment.now + seconds)),
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
    use super::*;

    #[test]
    fn the_last_answer_that_says_something_counts() {
        let limits = Limits::default();
        let note = |pairs: &[(&str, &str)], now: f64| {
            let pairs = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            limits.note(&Headers::new(pairs), &Throttle::default(), Moment { now, random: 0.5 });
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
