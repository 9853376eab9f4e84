//! Rows as typed columns: from a page of JSON to batches DuckDB can take as they are.

mod batch;
mod types;

pub use batch::{Batch, ColumnData, ColumnVector, TextColumn, Validity};
pub use types::{Column, ColumnType, TableSchema};
