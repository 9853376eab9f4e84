//! Statements that write rows to an API.

pub(super) mod record;
pub(super) mod statement;
