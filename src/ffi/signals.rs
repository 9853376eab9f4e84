//! Keeps SIGPIPE from Unify's own threads.
//!
//! A write to a socket whose peer hung up raises SIGPIPE in the thread that writes, unless every write says otherwise; the ones of the
//! HTTP client do not. What the signal does is the host's to say, and DuckDB's shell leaves it at ending the process. A thread
//! that blocks it gets the write's error instead.

/// Blocks SIGPIPE in the calling thread and in those that it starts.
pub fn block_sigpipe() {
    // SAFETY: a signal set is plain data; the next call fills it.
    let mut signals: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is the function's own.
    unsafe { libc::sigemptyset(&mut signals) };
    // SAFETY: as above; the signal exists.
    unsafe { libc::sigaddset(&mut signals, libc::SIGPIPE) };
    // SAFETY: the set is valid; the old one is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &signals, std::ptr::null_mut()) };
}
