//! The boundary to DuckDB: the only place with `unsafe`, the C API and the C++ bridge.
//!
//! Every function DuckDB calls does three things: borrow the arguments, call safe code inside `guard`, hand the result back.
//!
//! `ffi/bridge` is C++. It is compiled once per DuckDB line against the headers of that line, and does not link DuckDB. It translates
//! types and decides nothing. Where the C API lacks something, the bridge writes it into DuckDB's own objects: descriptions of
//! functions, checks of settings, the words of an interrupt. DuckDB 1.5 does not name the positional parameters of a table function,
//! and shows `col0`.
//!
//! `extension_config/releases.json` names the releases, the line of each, and where the headers of a line come from: `libduckdb-sys`,
//! or the source package of DuckDB's Python package, which `extension_config/headers.py` fetches. The build, the check of LOAD, the
//! packages' requirements and the tests read this file. Releases share a line when the bridge compiles to the same code against their
//! headers. `make releases` compares that.

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
mod written;
