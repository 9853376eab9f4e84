//! The boundary to DuckDB: the only place with `unsafe`, the C API and the C++ bridge.
//!
//! Every function DuckDB calls does three things: borrow the arguments, call safe code inside `guard`, hand the result back.

mod appender;
mod callbacks;
mod calls;
mod comments;
mod copy;
mod database;
mod exit;
mod functions;
mod guard;
mod host;
mod init;
mod json_type;
mod json_value;
mod own;
mod raised;
mod result;
mod scan;
mod settings;
mod state;
mod types;
mod user;
mod vector;
mod wait;
