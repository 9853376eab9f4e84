//! From a complete staging table to the table that users see.

mod chunks;
pub(super) mod comments;
mod compared;
pub(super) mod constraint;
pub(super) mod dedup;
pub(super) mod fallback;
mod gone;
pub(super) mod guards;
pub(super) mod kept;
mod mark_sql;
mod merge;
pub(super) mod merge_sql;
pub(super) mod misspelt;
pub(super) mod publication;
pub(super) mod refill;
mod span_sql;
pub(super) mod table;
pub(super) mod views;
