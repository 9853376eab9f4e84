//! Loads: what fills a table from its TableDef, on the loader's own threads.

mod job;
mod loader;

pub use job::{Job, LoadAction, LoadReport};
pub use loader::{Loader, TableTarget};
