//! Stops every database's threads when the process exits, before DuckDB's own statics go away.
//!
//! Handlers of `atexit` and destructors of statics run in the reverse order of their registration, and DuckDB makes some statics only when
//! they are first used. So the handler is registered again after more of DuckDB was used; and on the main thread, a destructor of a
//! thread-local value comes before all of them.
//!
//! The list of live databases is the one piece of process-wide state: the operating system tells only the process that it ends.

use super::guard::guard_or;
use crate::lock::lock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, Weak};

static LIVE: Mutex<Vec<Weak<dyn Closes>>> = Mutex::new(Vec::new());
static AT_EXIT: Once = Once::new();
/// The process that loaded the extension.
static STARTED_IN: AtomicU32 = AtomicU32::new(0);
/// How many sessions on any database have ended.
static ENDED_SESSIONS: AtomicU64 = AtomicU64::new(0);

/// What is to be closed before the process ends.
pub trait Closes: Send + Sync {
    /// Stops all threads but the calling one. What is closed stays closed.
    fn close(&self);
}

/// A value of the main thread that is destroyed when it calls `exit`.
struct MainThread;

impl Drop for MainThread {
    fn drop(&mut self) {
        stop_all();
    }
}

thread_local! {
    static MAIN_THREAD: MainThread = const { MainThread };
}

/// Remembers a database, and arranges for its threads to be stopped at exit.
pub fn stop_at_exit(state: &Arc<dyn Closes>) {
    let mut live = lock(&LIVE);
    live.retain(|state| state.strong_count() > 0);
    live.push(Arc::downgrade(state));
    AT_EXIT.call_once(|| {
        STARTED_IN.store(std::process::id(), Ordering::Relaxed);
        register();
    });
    if is_main_thread() {
        // The first use arranges for the destructor. A thread that ends has none to arrange.
        let _ = MAIN_THREAD.try_with(|_| ());
    }
}

/// Notes that a session ended, which may have been the first to use some static of DuckDB. Registers the handler again after the first,
/// the second, the fourth and so on: the statics in use are soon all known.
pub fn session_ended() {
    if (ENDED_SESSIONS.fetch_add(1, Ordering::Relaxed) + 1).is_power_of_two() {
        register();
    }
}

fn register() {
    // SAFETY: the function never unwinds and stays loaded: DuckDB does not unload extensions.
    unsafe { libc::atexit(stop_all) };
}

/// Returns whether this is the process's main thread.
#[cfg(target_os = "linux")]
pub fn is_main_thread() -> bool {
    // SAFETY: it takes nothing and cannot fail.
    let thread = unsafe { libc::gettid() };
    u32::try_from(thread) == Ok(std::process::id())
}

/// Returns whether this is the process's main thread.
#[cfg(not(target_os = "linux"))]
pub fn is_main_thread() -> bool {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::pthread_main_np() != 0 }
}

extern "C" fn stop_all() {
    guard_or((), || {
        // A fork has none of the threads, and must not end what belongs to its parent.
        if STARTED_IN.load(Ordering::Relaxed) != std::process::id() {
            return;
        }
        let live = std::mem::take(&mut *lock(&LIVE));
        for state in live.iter().filter_map(Weak::upgrade) {
            state.close();
        }
    });
}
