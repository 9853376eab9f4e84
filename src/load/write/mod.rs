//! From pages to the rows of a staging table.

mod apart;
mod insert;
pub(super) mod transaction;
pub(super) mod watched;
pub(super) mod writer;
