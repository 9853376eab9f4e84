//! API descriptions (OpenAPI 3, Swagger 2): written as adapter specs, and compared with them.

mod alternative;
mod auth;
mod check;
mod document;
mod each;
mod import;
mod names;
mod oauth;
mod operation;
mod paging;
mod params;
mod records;
mod schema;
mod server;
mod spec_text;
mod tables;
#[cfg(test)]
mod tests;
mod text;

pub use check::compare;
pub use document::{Description, MAX_BYTES};
pub use import::{import, Imported};
