//! Integration tests: the rules of the project, its documents, and what a machine can check without DuckDB.

mod community;
mod docs;
mod framing;
mod http;
mod mistakes;
mod redirects;
mod tidy;

#[path = "../support/mod.rs"]
mod support;
