//! A stack for what goes as deep as a query is nested.

use crate::{Error, Result};
use std::cell::Cell;

/// Many times what a query takes that has as many words as one may have.
const STACK_BYTES: usize = 64 << 20;

thread_local! {
    /// Whether the thread was made by [`on_large_stack`].
    static IS_LARGE: Cell<bool> = const { Cell::new(false) };
}

/// Calls `work` on a thread whose stack is large enough for a query that is not too large: a new one, unless the caller's is such a thread.
pub(super) fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    if IS_LARGE.get() {
        return Ok(work());
    }
    let marked = || {
        IS_LARGE.set(true);
        work()
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("unify-parse".to_string()).stack_size(STACK_BYTES).spawn_scoped(scope, marked);
        let thread = thread.map_err(|err| Error::config(format!("the spec cannot be parsed: no thread can be started: {err}")))?;
        thread.join().map_err(|_| Error::internal("parsing panicked"))
    })
}
