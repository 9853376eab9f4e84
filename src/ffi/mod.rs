//! The boundary to DuckDB: the only place with `unsafe`, the C API and the C++ bridge.
//!
//! Every function DuckDB calls does three things: borrow the arguments, call safe code inside `guard`, hand the result back.

mod answer;
mod callbacks;
mod calls;
mod chunk;
mod comments;
mod connection;
mod context;
mod copy;
mod database;
mod entry;
mod exit;
mod feed;
mod functions;
mod guard;
mod host;
mod init;
mod json_type;
mod json_value;
mod lent;
mod own;
mod python;
mod raised;
mod result;
mod row_groups;
mod scan;
mod settings;
mod signals;
mod slots;
mod state;
mod statement;
mod storage;
mod text;
mod types;
mod user;
mod value;
mod vector;
mod wait;
