//! Which adapters and connections there are, read from the binary and from the user's files, and read again when those change.
//!
//! # Connections
//!
//! A bundled spec is parsed when something asks for it: a name that is not known parses none.
//!
//! A connection is an entry of the connections file, or `CREATE CONNECTION` made it and the catalog of the database instance keeps it.
//! The file is changed as text: the lines of the entry change, and every other byte stays. The result is parsed again and compared with
//! what was wanted before it takes the file's place. `CREATE CONNECTION` makes the schema and notes it in `unify.load_state` as
//! Unify's.
//!
//! Each connection takes headers and a page size besides its adapter's options. They are laid over a copy of the adapter's spec. So
//! requests, paging, redaction and the identity of a load know them as the spec's own.
//!
//! Tables that are discovered join a spec when its connection is opened: `spec/discover` makes them of the stored answers, a function
//! of both. What an API said is a value in their requests and a name of columns; it is never parsed as a part of a spec.
//!
//! `unify_tables()` lists a table that is not loaded, and DuckDB does not. Each way to let DuckDB list it has a defect:
//!
//! - A view over `unify_scan`: `CREATE VIEW` binds it. Only answers tell most columns, so this needs the load that it should spare.
//!   Later `PRAGMA table_info` loads it under a lock of the view, and every reader of `duckdb_columns()` waits for that lock. The
//!   loaded table finds its name taken. Without the extension the view cannot be read, and a database that was exported with it cannot
//!   be imported.
//! - An empty table looks like a loaded one, to every reader of the file.
//! - Entries that the schema's catalog makes on demand are objects of DuckDB's own classes, which the bridge does not link. DuckDB
//!   would find them before the replacement scan, and they would be in the loaded table's way. A storage extension makes databases, not
//!   schemas in the user's.

mod adapters;
mod config;
mod connections;
mod discoveries;
mod file_change;
mod file_text;
mod hint;
mod option_text;
mod program;
mod snapshot;
#[cfg(test)]
mod tests;

pub use adapters::AdapterEntry;
pub use config::Environment;
pub use connections::{is_reserved, ConnectionEntry, Definition, Origin};
pub use discoveries::Discoveries;
pub use file_change::FileChange;
pub use hint::hint;
pub use option_text::is_variable_name;
pub use snapshot::{Catalog, CatalogSnapshot};
