//! From pages to the rows of a staging table.

mod apart;
mod insert;
mod sizing;
mod transaction;
pub(super) mod watched;
pub(super) mod writer;
