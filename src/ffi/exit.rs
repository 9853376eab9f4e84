//! Stops every database's threads when the process exits, before DuckDB's own statics go away.
//!
//! The list of live databases is the one piece of process-wide state: the operating system tells only the process that it ends.

use super::guard::guard_or;
use super::state::State;
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

static LIVE: Mutex<Vec<Weak<State>>> = Mutex::new(Vec::new());
static AT_EXIT: Once = Once::new();

/// Remembers a database, and arranges for its threads to be stopped at exit.
pub fn stop_at_exit(state: &Arc<State>) {
    let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    live.retain(|state| state.strong_count() > 0);
    live.push(Arc::downgrade(state));
    AT_EXIT.call_once(|| {
        // SAFETY: the function never unwinds and stays loaded: DuckDB does not unload extensions.
        unsafe { libc::atexit(stop_all) };
    });
}

extern "C" fn stop_all() {
    guard_or((), || {
        let live = std::mem::take(&mut *LIVE.lock().unwrap_or_else(PoisonError::into_inner));
        for state in live.iter().filter_map(Weak::upgrade) {
            state.close();
        }
    });
}
