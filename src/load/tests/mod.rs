//! Tests of loads on a database in memory, from an API on this machine: no DuckDB, and nothing that waits.

mod bench;
mod children;
mod deleted;
mod gone;
mod keys;
mod left_out;
mod memory;
mod order;
mod overwrite;
mod publication;
mod refresh;
mod resumption;
mod scheduling;
mod together;
mod widening;
mod windows;
mod writer;

#[path = "../../../test/rust/support/mod.rs"]
#[allow(dead_code, reason = "other tests let it misbehave")]
mod support;
