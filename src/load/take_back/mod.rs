//! Statements that take back what loads made.

pub(super) mod clear;
pub(super) mod connection_schema;
mod removal_ids;
