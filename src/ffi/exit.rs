//! Stops every database's threads when the process exits, before DuckDB's own statics go away.
//!
//! The list of live databases is the one piece of process-wide state: the operating system tells only the process that it ends.

use super::guard::guard_or;
use super::state::State;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

static LIVE: Mutex<Vec<Weak<State>>> = Mutex::new(Vec::new());
static AT_EXIT: Once = Once::new();
/// The process that loaded the extension.
static STARTED_IN: AtomicU32 = AtomicU32::new(0);

/// Remembers a database, and arranges for its threads to be stopped at exit.
pub fn stop_at_exit(state: &Arc<State>) {
    let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    live.retain(|state| state.strong_count() > 0);
    live.push(Arc::downgrade(state));
    AT_EXIT.call_once(|| {
        STARTED_IN.store(std::process::id(), Ordering::Relaxed);
        // SAFETY: the function never unwinds and stays loaded: DuckDB does not unload extensions.
        unsafe { libc::atexit(stop_all) };
    });
}

extern "C" fn stop_all() {
    guard_or((), || {
        // A fork has none of the threads, and must not end what belongs to its parent.
        if STARTED_IN.load(Ordering::Relaxed) != std::process::id() {
            return;
        }
        let live = std::mem::take(&mut *LIVE.lock().unwrap_or_else(PoisonError::into_inner));
        for state in live.iter().filter_map(Weak::upgrade) {
            state.close();
        }
    });
}
