//! A job that an API was asked to do: what is known of it, and when it is asked for next.

use super::key::PageKey;
use crate::document::{JsonMap, JsonValue};
use std::collections::BTreeMap;
use std::time::Duration;

/// Values that steps captured, by name.
pub type Captured = BTreeMap<String, JsonValue>;

/// The longest time between two questions for a job's state, unless the spec or the API asks for a longer one.
const MOST_EVERY: Duration = Duration::from_secs(60);
/// A job is asked for its state after this part of the time it has taken.
const PART: u32 = 10;

/// A job that was created.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreatedJob {
    /// What its creation captured.
    pub created: Captured,
    /// When it was created, in microseconds since 1970.
    pub since: i64,
}

impl CreatedJob {
    /// Returns the line that [`CreatedJob::from_text`] reads.
    pub fn to_text(&self) -> String {
        let created: JsonMap<String, JsonValue> = self.created.clone().into_iter().collect();
        let entries = [("since".to_string(), JsonValue::from(self.since)), ("job".to_string(), JsonValue::Object(created))];
        JsonValue::Object(entries.into_iter().collect()).to_string()
    }

    /// Reads what [`CreatedJob::to_text`] wrote; `None`: it is something else.
    pub fn from_text(text: &str) -> Option<CreatedJob> {
        let value: JsonValue = text.parse().ok()?;
        let created = value.get("job")?.as_object()?.clone();
        Some(CreatedJob { created: created.into_iter().collect(), since: value.get("since")?.as_i64()? })
    }

    /// Returns whether it holds an address with what looks like a credential that the API gave.
    pub fn holds_credential(&self) -> bool {
        let is_address = |text: &&str| text.starts_with("https://") || text.starts_with("http://");
        let mut texts = self.created.values().filter_map(JsonValue::as_str).filter(is_address);
        texts.any(|text| PageKey::Link(text.to_string()).holds_credential())
    }

    /// Returns when the job is asked for its state after `now`, both in microseconds since 1970. `told`: how long the API says to wait.
    pub fn asked_at(&self, now: i64, every: Duration, told: Option<Duration>) -> i64 {
        let age = Duration::from_micros(u64::try_from(now.saturating_sub(self.since)).unwrap_or_default());
        let wait = every.max((age / PART).min(MOST_EVERY)).max(told.unwrap_or_default());
        now.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
    }

    /// Returns whether the job has had its time.
    pub fn is_over_time(&self, now: i64, timeout: Duration) -> bool {
        u128::try_from(now.saturating_sub(self.since)).is_ok_and(|age| age >= timeout.as_micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::json;

    fn place(since: i64) -> CreatedJob {
        CreatedJob { created: Captured::from([("id".to_string(), json!("a\nb;c"))]), since }
    }

    #[test]
    fn the_older_a_job_is_the_rarer_it_is_asked_for() {
        let check = |age: u64, every: u64, told: Option<u64>, expected: u64| {
            let now = 1_000_000_000_000;
            let since = now - age as i64 * 1_000_000;
            let at = place(since).asked_at(now, Duration::from_secs(every), told.map(Duration::from_secs));
            assert_eq!((at - now) / 1_000_000, expected as i64, "{age} {every} {told:?}");
        };
        check(0, 5, None, 5);
        check(100, 5, None, 10);
        check(86_400, 5, None, 60);
        check(86_400, 300, None, 300);
        check(0, 5, Some(120), 120);
        check(100, 5, Some(1), 10);
        assert!(place(0).is_over_time(5_000_000, Duration::from_secs(5)));
        assert!(!place(0).is_over_time(4_999_999, Duration::from_secs(5)));
    }

    #[test]
    fn credentials_in_addresses_are_seen() {
        let holds = |text: &str| CreatedJob { created: Captured::from([("x".to_string(), json!(text))]), since: 0 }.holds_credential();
        assert!(holds("https://a.test/x?X-Amz-Signature=1"));
        assert!(!holds("https://a.test/x?page=1"));
        assert!(!holds("/jobs/1"));
    }
}
