//! Which adapters and connections there are, read from the binary and from the user's files, and read again when those change.

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
