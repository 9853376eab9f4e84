//! How long to wait before another try: what the API tells, or exponential backoff with full jitter.

use super::{Attempt, Headers, Judged, Moment};
use crate::spec::{AdapterSpec, RetrySpec, Throttle};
use std::time::Duration;
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::OffsetDateTime;

/// Longer waits are taken for mistakes of the API, in seconds.
const ABSURD: f64 = 86_400.0;
/// Numbers above this are seconds since 1970, below it seconds from now.
const EPOCH_FROM: f64 = 1e9;

/// A wait, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wait {
    pub duration: Duration,
    /// Whether the API told it.
    pub is_told: bool,
}

impl Wait {
    pub(super) fn of(spec: &AdapterSpec, answer: Option<Judged<'_>>, attempt: Attempt) -> Wait {
        match answer.and_then(|answer| told_seconds(answer, &spec.throttle, attempt.moment)) {
            Some(seconds) => Wait { duration: Duration::from_secs_f64(seconds), is_told: true },
            None => Wait { duration: backoff(&spec.retry, attempt), is_told: false },
        }
    }
}

/// Returns the wait that the headers ask for, if it makes sense.
fn told_seconds(answer: Judged<'_>, throttle: &Throttle, moment: Moment) -> Option<f64> {
    let retry_after = answer.headers.get("retry-after").and_then(|text| seconds_until(text, moment));
    if retry_after.is_some() {
        return retry_after;
    }
    let is_limit = matches!(answer.status, 403 | 429) || remaining(answer.headers, throttle) == Some(0.0);
    is_limit.then(|| reset_seconds(answer.headers, throttle, moment)).flatten()
}

/// Returns how many requests are left, where the API tells.
pub(in crate::http) fn remaining(headers: &Headers, throttle: &Throttle) -> Option<f64> {
    let number = |name: &str| headers.get(name)?.trim().parse().ok();
    match &throttle.remaining_header {
        Some(name) => number(name),
        None => ["x-ratelimit-remaining", "ratelimit-remaining"].into_iter().find_map(number),
    }
}

/// Returns the seconds until the budget is full again, where the API tells.
pub(in crate::http) fn reset_seconds(headers: &Headers, throttle: &Throttle, moment: Moment) -> Option<f64> {
    match &throttle.reset_header {
        Some(name) => seconds_until(headers.get(name)?, moment),
        None => ["x-ratelimit-reset", "ratelimit-reset"].iter().find_map(|name| seconds_until(headers.get(name)?, moment)),
    }
}

/// Returns how long the connection has to wait before its next request, after an answer that used up the budget.
pub(in crate::http) fn wait_after_answer(headers: &Headers, throttle: &Throttle, moment: Moment) -> Option<Duration> {
    throttle.remaining_header.as_ref()?;
    let is_used_up = remaining(headers, throttle).is_some_and(|left| left < 1.0);
    is_used_up.then(|| reset_seconds(headers, throttle, moment)).flatten().map(Duration::from_secs_f64)
}

/// Reads seconds from now, seconds (or milliseconds) since 1970, or a date; `None` when that is not in the next 24 hours.
fn seconds_until(text: &str, moment: Moment) -> Option<f64> {
    let text = text.trim();
    let seconds = match text.parse::<f64>() {
        Ok(number) if number >= EPOCH_FROM * 1000.0 => number / 1000.0 - moment.now,
        Ok(number) if number >= EPOCH_FROM => number - moment.now,
        Ok(number) => number,
        Err(_) => {
            let date = OffsetDateTime::parse(text, &Rfc2822).or_else(|_| OffsetDateTime::parse(text, &Rfc3339)).ok()?;
            date.unix_timestamp() as f64 - moment.now
        }
    };
    (seconds > 0.0 && seconds <= ABSURD).then_some(seconds)
}

/// Returns an even random part of `base * 2^(attempt - 1)`, at most `max`.
fn backoff(retry: &RetrySpec, attempt: Attempt) -> Duration {
    let exponent = attempt.number.saturating_sub(1).min(30);
    let longest = (retry.base * f64::from(1_u32 << exponent)).min(retry.max);
    let seconds = longest * attempt.moment.random.clamp(0.0, 1.0);
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
