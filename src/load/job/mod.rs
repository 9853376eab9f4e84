//! A job: its handle, its progress, and the words of both.

pub(super) mod activity;
pub(super) mod awaited;
pub(super) mod handle;
pub(super) mod log;
pub(super) mod progress;
pub(super) mod progress_line;
pub(super) mod report;
pub(super) mod started;
