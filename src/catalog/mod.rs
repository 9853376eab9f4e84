//! Which adapters and connections there are, read from the binary and from the user's files, and read again when those change.

mod adapters;
mod config;
mod connections;
mod hint;
mod option_text;
mod snapshot;
#[cfg(test)]
mod tests;

pub use adapters::AdapterEntry;
pub use config::Environment;
pub use connections::ConnectionEntry;
pub use hint::hint;
pub use snapshot::{Catalog, CatalogSnapshot};
