//! The time of day.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the time now, in microseconds since 1970-01-01 00:00:00 UTC.
pub fn now_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}
