//! Unify turns any REST API into SQL tables inside DuckDB.
//!
//! The modules are layers; each may use only those above it in this list. `ARCHITECTURE.md` shows how they work together.

pub mod error;

mod lock;

mod files;

pub mod document;

pub mod yaml;

pub mod source;

pub mod spec;

pub mod columns;

pub mod http;

pub mod session;

pub mod load;

pub mod catalog;

pub mod sql;

#[cfg(feature = "extension")]
pub mod ffi;

pub use error::{DatabaseErrorType, Error, ErrorKind, Place, Result};
