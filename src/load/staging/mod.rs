//! Staging tables: the columns they get while rows come, and how they become ready to be tables.

pub(super) mod change_sql;
pub(super) mod changes;
pub(super) mod converted_sql;
pub(super) mod written;
