//! Integration tests: the rules of the project, its documents, and what a machine can check without DuckDB.

mod community;
mod docs;
mod http;
mod mistakes;
mod tidy;

#[path = "../support/mod.rs"]
mod support;
