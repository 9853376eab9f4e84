//! Contains panics: none crosses into DuckDB.

use crate::{Error, Result};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Runs `work`; a panic becomes an [`crate::ErrorKind::Internal`] error.
pub fn guard<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
        let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::internal(message.unwrap_or_else(|| "a panic without a message".to_string())))
    })
}

/// Runs `work`; a panic becomes `fallback`.
pub fn guard_or<T>(fallback: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(fallback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let err = guard(|| -> Result<()> { std::panic::panic_any("boom") }).unwrap_err();
        assert_eq!(err.to_string(), "boom; this is a mistake in Unify, please report it");
        assert_eq!(guard_or(7, || std::panic::panic_any(1)), 7);
    }
}
