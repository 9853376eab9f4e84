//! Statements that write rows to an API.
//!
//! # Life of a COPY to an API
//!
//! `COPY ... (FORMAT unify)` is a copy function of DuckDB. `sql` finds the table and decides what each column becomes. `ffi` turns rows
//! into JSON, and `http/write` turns them into requests. `load/write_back` sends the requests one at a time, on DuckDB's own thread,
//! and asks for the user's interrupt meanwhile. Each batch is recorded on a session of Unify's own, because a rollback does not undo a
//! request.

pub(super) mod record;
pub(super) mod statement;
