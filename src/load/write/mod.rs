//! From pages to the rows of a staging table.

mod apart;
mod insert;
mod ongoing;
mod sizing;
mod transaction;
pub(super) mod watched;
pub(super) mod writer;
