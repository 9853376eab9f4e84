//! Rows as typed columns: from a page of JSON to batches DuckDB can take as they are.

mod batch;
mod bound;
mod builder;
mod conform;
mod declared;
mod field_tree;
mod flatten;
mod left_out;
mod lists;
mod names;
mod plan;
mod records;
mod schema;
mod stored;
mod temporal;
mod text;
mod types;

#[cfg(test)]
mod tests;

pub use batch::{Batch, ColumnData, ColumnVector, TextColumn, Validity};
pub use bound::BoundColumns;
pub use flatten::FlatPage;
pub use plan::RowPlan;
pub use schema::SchemaChange;
pub use temporal::{date_of, date_text, iso_date, iso_time, iso_timestamp, timestamp_of, timestamp_text};
pub use types::{Column, ColumnType, TableSchema};
