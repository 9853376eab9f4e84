//! The threads of one database, and whose turn it is.

pub(super) mod cancellable_mutex;
pub(super) mod pool;
