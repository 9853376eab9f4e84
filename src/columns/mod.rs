//! Rows as typed columns: from a page of JSON to batches DuckDB can take as they are.

mod batch;
mod binding;
mod bound;
mod bounds;
mod builder;
mod children;
mod conform;
mod decimal;
mod declared;
mod fate;
mod field_tree;
mod fields;
mod flatten;
mod form;
mod kept;
mod left_out;
mod lists;
mod map_like;
mod moments;
mod named;
mod names;
mod native;
mod passes;
mod plan;
mod reading;
mod records;
mod rows;
mod scalars;
mod schema;
mod shape;
mod source;
mod stored;
mod temporal;
mod text;
mod tree;
mod types;

#[cfg(test)]
mod tests;

pub use batch::{Batch, ColumnData, ColumnVector, TextColumn, Validity};
pub use bound::BoundColumns;
pub use children::{first_number, pages_numbered, Lists};
pub use flatten::FlatPage;
pub use form::Form;
pub use map_like::data_in_names;
pub use moments::{FractionStyle, MomentStyle, SecondsStyle};
pub use native::NativeType;
pub use plan::RowPlan;
pub use schema::SchemaChange;
pub use source::ColumnSource;
pub use temporal::{date_of, date_text, iso_date, iso_time, iso_timestamp, timestamp_of, timestamp_text};
pub use types::{Column, ColumnType, TableSchema};
