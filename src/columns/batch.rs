//! Rows stored column by column, in the layouts DuckDB's vectors have.

use super::TableSchema;

/// Which rows of a column hold a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validity {
    /// One byte a row: 1 where there is a value, 0 for null.
    pub bytes: Vec<u8>,
    /// Whether any row is null.
    pub has_nulls: bool,
}

impl Validity {
    /// Appends a row.
    pub fn push(&mut self, valid: bool) {
        self.bytes.push(u8::from(valid));
        self.has_nulls |= !valid;
    }

    /// Returns whether row `idx` holds a value.
    pub fn is_valid(&self, idx: usize) -> bool {
        self.bytes[idx] != 0
    }
}

/// Texts one after another in one buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextColumn {
    pub bytes: Vec<u8>,
    /// Where each text ends in `bytes`; it starts where the one before ends. Nulls are empty texts.
    pub ends: Vec<u32>,
}

impl TextColumn {
    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len() as u32);
    }

    /// Returns the text of row `idx`.
    pub fn get(&self, idx: usize) -> &str {
        let start = if idx == 0 { 0 } else { self.ends[idx - 1] as usize };
        std::str::from_utf8(&self.bytes[start..self.ends[idx] as usize]).unwrap_or("")
    }
}

/// The values of a column; nulls hold the type's default.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    /// Only nulls: the count is in the validity.
    Undecided,
    Boolean(Vec<bool>),
    BigInt(Vec<i64>),
    HugeInt(Vec<i128>),
    Double(Vec<f64>),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    Timestamp(Vec<i64>),
    Varchar(TextColumn),
    /// JSON text.
    Json(TextColumn),
    /// `ends[i]` is where row i's elements end in `child`.
    List { ends: Vec<u32>, child: Box<ColumnVector> },
}

/// One column of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnVector {
    pub data: ColumnData,
    pub validity: Validity,
}

/// Rows in columns. `schema.columns[i]` describes `columns[i]`; all columns have `n_rows` rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub schema: TableSchema,
    pub columns: Vec<ColumnVector>,
    pub n_rows: usize,
}
