//! What adapters of a class of their own read: which tables there are, and how their rows come.

pub(super) mod file_rows;
pub(super) mod files;
pub(super) mod postgres;
