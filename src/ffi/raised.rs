//! Errors that become another exception than the one the C API has for its callbacks: left here, and thrown by the bridge as soon as the
//! host's code around the callback has returned.

use super::text::{exception_of, message_of};
use crate::{Error, ErrorKind};
use std::cell::Cell;
use std::ffi::c_char;

thread_local! {
    /// What the callback that this thread ran last leaves to be thrown.
    static RAISED: Cell<Option<String>> = const { Cell::new(None) };
}

/// Fails a callback of a table function. An interrupt is left for the bridge, so that hosts know it for one; any other error is told to
/// DuckDB through `set_error`, which copies the message.
pub fn fail(err: &Error, set_error: impl FnOnce(*const c_char)) {
    match err.kind() {
        ErrorKind::Interrupted => RAISED.set(Some(exception_of(err))),
        _ => set_error(message_of(err).as_ptr()),
    }
}

/// Takes what this thread's last callback left.
pub fn take() -> Option<String> {
    RAISED.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_interrupt_is_left_to_be_thrown() {
        let mut n_told = 0;
        fail(&Error::config("wrong"), |_| n_told += 1);
        assert!(n_told == 1 && take().is_none());
        fail(&Error::new(ErrorKind::Interrupted, "interrupted"), |_| n_told += 1);
        assert!(n_told == 1 && take().is_some_and(|text| text.contains("INTERRUPT")) && take().is_none());
    }
}
