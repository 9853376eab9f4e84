//! Tells Unify's own statements from the user's, while DuckDB binds them.

use std::cell::Cell;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Marks the statements this thread runs as Unify's own until it is dropped. DuckDB binds a statement on the thread that runs it.
///
/// A name that such a statement does not find stays unfound: loading it would be a job that waits for itself.
pub struct OwnStatement {
    _private: (),
}

impl OwnStatement {
    /// Marks what this thread runs from now on.
    pub fn begin() -> OwnStatement {
        DEPTH.with(|depth| depth.set(depth.get() + 1));
        OwnStatement { _private: () }
    }

    /// Returns whether this thread runs one.
    pub fn is_running() -> bool {
        DEPTH.with(|depth| depth.get() > 0)
    }
}

impl Drop for OwnStatement {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}
