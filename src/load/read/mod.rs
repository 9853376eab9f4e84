//! Statements that read from an API and store nothing.

pub(super) mod ask;
pub(super) mod authorize;
pub(super) mod changes;
pub(super) mod estimate;
pub(super) mod explain;
pub(super) mod first_request;
pub(super) mod look;
pub(super) mod peek;
pub(super) mod probe;
pub(super) mod reader;
mod scope_text;
pub(super) mod stream;
pub(super) mod task_receiver;
