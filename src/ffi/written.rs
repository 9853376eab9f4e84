//! The text of the statement of ours whose function this thread binds next, where DuckDB may have cut its end.

use std::cell::Cell;

thread_local! {
    static WRITTEN: Cell<Option<String>> = const { Cell::new(None) };
}

/// Leaves the text for the function that DuckDB binds next on this thread.
pub fn leave(text: &str) {
    WRITTEN.set((!text.is_empty()).then(|| text.to_string()));
}

/// Takes the text that was left.
pub fn take() -> Option<String> {
    WRITTEN.take()
}
