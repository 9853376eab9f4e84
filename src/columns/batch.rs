//! Rows stored column by column, in the layouts DuckDB's vectors have.

use super::{ColumnType, TableSchema};
use crate::spec::ScalarType;
use std::hash::{BuildHasher, Hash, Hasher};

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
        self.ends.push(position(self.bytes.len()));
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
    /// Whole numbers of the last of `scale` digits behind the point.
    Decimal {
        values: Vec<i128>,
        width: u8,
        scale: u8,
    },
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    Timestamp(Vec<i64>),
    /// Nanoseconds since 1970-01-01 00:00:00 UTC.
    TimestampNs(Vec<i64>),
    Varchar(TextColumn),
    /// JSON text.
    Json(TextColumn),
    /// `ends[i]` is where row i's elements end in `child`.
    List {
        ends: Vec<u32>,
        child: Box<ColumnVector>,
    },
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

impl Batch {
    /// Returns no rows of a schema.
    pub fn empty(schema: TableSchema) -> Batch {
        let columns = schema.columns.iter().map(|column| ColumnVector::nulls(column.column_type, 0)).collect();
        Batch { schema, columns, n_rows: 0 }
    }

    /// Returns rows of texts in columns with these names and types, which are VARCHAR.
    pub fn of_texts(columns: &[(&str, ColumnType)], rows: &[Vec<Option<&str>>]) -> Batch {
        let columns: Vec<(String, ColumnType)> = columns.iter().map(|(name, column_type)| (name.to_string(), *column_type)).collect();
        let texts = |idx: usize| {
            let (mut texts, mut validity) = (TextColumn::with_capacity(rows.len()), Validity::default());
            for text in rows.iter().map(|row| row.get(idx).copied().flatten()) {
                texts.push(text.unwrap_or_default());
                validity.push(text.is_some());
            }
            ColumnVector { data: ColumnData::Varchar(texts), validity }
        };
        Batch { columns: (0..columns.len()).map(texts).collect(), n_rows: rows.len(), schema: TableSchema::of(&columns) }
    }

    /// Returns the first `n_rows` rows, or all if there are fewer.
    #[must_use]
    pub fn truncated(mut self, n_rows: usize) -> Batch {
        if n_rows < self.n_rows {
            self.columns.iter_mut().for_each(|column| column.resize(n_rows));
            self.n_rows = n_rows;
        }
        self
    }

    /// Leaves the first `n_rows` rows and returns the others.
    #[must_use]
    pub fn split_off(&mut self, n_rows: usize) -> Batch {
        let n_rows = n_rows.min(self.n_rows);
        let columns = self.columns.iter_mut().map(|column| column.split_off(n_rows)).collect();
        let rest = Batch { schema: self.schema.clone(), columns, n_rows: self.n_rows - n_rows };
        self.n_rows = n_rows;
        rest
    }

    /// Returns a hash of the rows: equal for equal rows of equal columns, whatever the columns' order and those without a value.
    pub(super) fn fingerprint(&self) -> u64 {
        let state = foldhash::fast::FixedState::default();
        let with_values = self.schema.columns.iter().zip(&self.columns).filter(|(_, vector)| vector.validity.bytes.contains(&1));
        with_values.fold(state.hash_one(self.n_rows), |sum, (column, vector)| {
            let mut hasher = state.build_hasher();
            // The stored form: hashes of pages are kept in databases.
            column.source.stored().hash(&mut hasher);
            vector.hash_into(&mut hasher);
            sum.wrapping_add(hasher.finish())
        })
    }
}

/// Returns a position in a buffer; one past 4 GiB stays there, and the batch is refused when it is complete.
fn position(n_bytes: usize) -> u32 {
    u32::try_from(n_bytes).unwrap_or(u32::MAX)
}

impl Validity {
    fn split_off(&mut self, n_rows: usize) -> Validity {
        let bytes = self.bytes.split_off(n_rows);
        self.has_nulls = self.bytes.contains(&0);
        Validity { has_nulls: bytes.contains(&0), bytes }
    }

    /// Returns `n_rows` rows without a value.
    pub(super) fn nulls(n_rows: usize) -> Validity {
        Validity { bytes: vec![0; n_rows], has_nulls: n_rows > 0 }
    }
}

impl TextColumn {
    /// Appends a text that `write` puts at the end of the buffer.
    pub(super) fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(position(self.bytes.len()));
    }

    fn split_off(&mut self, n_rows: usize) -> TextColumn {
        let start = end_of(&self.ends, n_rows);
        TextColumn { bytes: self.bytes.split_off(start), ends: split_ends(&mut self.ends, n_rows) }
    }

    pub(super) fn with_capacity(n_rows: usize) -> TextColumn {
        TextColumn { bytes: Vec::new(), ends: Vec::with_capacity(n_rows) }
    }
}

/// Returns where the first `n_rows` texts or lists end.
fn end_of(ends: &[u32], n_rows: usize) -> usize {
    n_rows.checked_sub(1).map_or(0, |idx| ends[idx] as usize)
}

/// Leaves the ends of the first `n_rows` rows and returns the others, as they are when the first of them starts at 0.
fn split_ends(ends: &mut Vec<u32>, n_rows: usize) -> Vec<u32> {
    let start = end_of(ends, n_rows) as u32;
    let mut rest = ends.split_off(n_rows);
    rest.iter_mut().for_each(|end| *end -= start);
    rest
}

impl ColumnData {
    fn split_off(&mut self, n_rows: usize) -> ColumnData {
        match self {
            ColumnData::Undecided => ColumnData::Undecided,
            ColumnData::Boolean(values) => ColumnData::Boolean(values.split_off(n_rows)),
            ColumnData::BigInt(values) => ColumnData::BigInt(values.split_off(n_rows)),
            ColumnData::HugeInt(values) => ColumnData::HugeInt(values.split_off(n_rows)),
            ColumnData::Double(values) => ColumnData::Double(values.split_off(n_rows)),
            ColumnData::Decimal { values, width, scale } => {
                ColumnData::Decimal { values: values.split_off(n_rows), width: *width, scale: *scale }
            }
            ColumnData::Date(values) => ColumnData::Date(values.split_off(n_rows)),
            ColumnData::Timestamp(values) => ColumnData::Timestamp(values.split_off(n_rows)),
            ColumnData::TimestampNs(values) => ColumnData::TimestampNs(values.split_off(n_rows)),
            ColumnData::Varchar(texts) => ColumnData::Varchar(texts.split_off(n_rows)),
            ColumnData::Json(texts) => ColumnData::Json(texts.split_off(n_rows)),
            ColumnData::List { ends, child } => {
                let child = Box::new(child.split_off(end_of(ends, n_rows)));
                ColumnData::List { ends: split_ends(ends, n_rows), child }
            }
        }
    }

    /// Returns no rows of a type, with capacity for `n_rows`.
    pub(super) fn empty(column_type: ColumnType, n_rows: usize) -> ColumnData {
        match column_type {
            ColumnType::Undecided => ColumnData::Undecided,
            ColumnType::Scalar(scalar) => match scalar {
                ScalarType::Boolean => ColumnData::Boolean(Vec::with_capacity(n_rows)),
                ScalarType::BigInt => ColumnData::BigInt(Vec::with_capacity(n_rows)),
                ScalarType::HugeInt => ColumnData::HugeInt(Vec::with_capacity(n_rows)),
                ScalarType::Double => ColumnData::Double(Vec::with_capacity(n_rows)),
                ScalarType::Decimal { width, scale } => ColumnData::Decimal { values: Vec::with_capacity(n_rows), width, scale },
                ScalarType::Date => ColumnData::Date(Vec::with_capacity(n_rows)),
                ScalarType::Timestamp => ColumnData::Timestamp(Vec::with_capacity(n_rows)),
                ScalarType::TimestampNs => ColumnData::TimestampNs(Vec::with_capacity(n_rows)),
                ScalarType::Varchar => ColumnData::Varchar(TextColumn::with_capacity(n_rows)),
            },
            ColumnType::List(element) => {
                let data = ColumnData::empty(element.map_or(ColumnType::Undecided, ColumnType::Scalar), 0);
                let child = Box::new(ColumnVector { data, validity: Validity::default() });
                ColumnData::List { ends: Vec::with_capacity(n_rows), child }
            }
            ColumnType::Json => ColumnData::Json(TextColumn::with_capacity(n_rows)),
            ColumnType::Native(native) => {
                let texts = ColumnType::Scalar(ScalarType::Varchar);
                ColumnData::empty(if native.is_list() { ColumnType::List(Some(ScalarType::Varchar)) } else { texts }, n_rows)
            }
        }
    }

    /// Appends or removes rows until there are `n_rows`; new ones hold the type's default.
    pub(super) fn resize(&mut self, n_rows: usize) {
        match self {
            ColumnData::Undecided => {}
            ColumnData::Boolean(values) => values.resize(n_rows, false),
            ColumnData::BigInt(values) | ColumnData::Timestamp(values) | ColumnData::TimestampNs(values) => values.resize(n_rows, 0),
            ColumnData::HugeInt(values) | ColumnData::Decimal { values, .. } => values.resize(n_rows, 0),
            ColumnData::Double(values) => values.resize(n_rows, 0.0),
            ColumnData::Date(values) => values.resize(n_rows, 0),
            ColumnData::Varchar(texts) | ColumnData::Json(texts) => {
                let end = if n_rows <= texts.ends.len() {
                    n_rows.checked_sub(1).map_or(0, |idx| texts.ends[idx])
                } else {
                    position(texts.bytes.len())
                };
                texts.bytes.truncate(end as usize);
                texts.ends.resize(n_rows, end);
            }
            ColumnData::List { ends, child } => {
                let n_elements = child.validity.bytes.len() as u32;
                let end = if n_rows <= ends.len() { n_rows.checked_sub(1).map_or(0, |idx| ends[idx]) } else { n_elements };
                child.resize(end as usize);
                ends.resize(n_rows, end);
            }
        }
    }

    /// Returns about how much memory `n_rows` values take.
    pub(super) fn approximate_bytes(&self, n_rows: usize) -> usize {
        match self {
            ColumnData::Undecided => 0,
            ColumnData::Boolean(_) => n_rows,
            ColumnData::Date(_) => n_rows * 4,
            ColumnData::BigInt(_) | ColumnData::Double(_) | ColumnData::Timestamp(_) | ColumnData::TimestampNs(_) => n_rows * 8,
            ColumnData::HugeInt(_) | ColumnData::Decimal { .. } => n_rows * 16,
            ColumnData::Varchar(texts) | ColumnData::Json(texts) => n_rows * 4 + texts.bytes.len(),
            ColumnData::List { child, .. } => n_rows * 4 + child.approximate_bytes(),
        }
    }

    /// Returns the type the values have.
    pub fn column_type(&self) -> ColumnType {
        let scalar = match self {
            ColumnData::Undecided => return ColumnType::Undecided,
            ColumnData::Json(_) => return ColumnType::Json,
            ColumnData::List { child, .. } => {
                return ColumnType::List(match child.data.column_type() {
                    ColumnType::Scalar(scalar) => Some(scalar),
                    _ => None,
                })
            }
            ColumnData::Boolean(_) => ScalarType::Boolean,
            ColumnData::BigInt(_) => ScalarType::BigInt,
            ColumnData::HugeInt(_) => ScalarType::HugeInt,
            ColumnData::Double(_) => ScalarType::Double,
            ColumnData::Decimal { width, scale, .. } => ScalarType::Decimal { width: *width, scale: *scale },
            ColumnData::Date(_) => ScalarType::Date,
            ColumnData::Timestamp(_) => ScalarType::Timestamp,
            ColumnData::TimestampNs(_) => ScalarType::TimestampNs,
            ColumnData::Varchar(_) => ScalarType::Varchar,
        };
        ColumnType::Scalar(scalar)
    }
}

impl ColumnVector {
    /// Returns `n_rows` nulls of a type.
    pub fn nulls(column_type: ColumnType, n_rows: usize) -> ColumnVector {
        let mut data = ColumnData::empty(column_type, n_rows);
        data.resize(n_rows);
        ColumnVector { data, validity: Validity::nulls(n_rows) }
    }

    fn split_off(&mut self, n_rows: usize) -> ColumnVector {
        ColumnVector { data: self.data.split_off(n_rows), validity: self.validity.split_off(n_rows) }
    }

    pub(super) fn resize(&mut self, n_rows: usize) {
        self.data.resize(n_rows);
        self.validity.has_nulls |= n_rows > self.validity.bytes.len();
        self.validity.bytes.resize(n_rows, 0);
    }

    fn hash_into(&self, hasher: &mut impl Hasher) {
        hasher.write(&self.validity.bytes);
        match &self.data {
            ColumnData::Undecided => {}
            ColumnData::Boolean(values) => values.hash(hasher),
            ColumnData::BigInt(values) | ColumnData::Timestamp(values) | ColumnData::TimestampNs(values) => values.hash(hasher),
            ColumnData::HugeInt(values) | ColumnData::Decimal { values, .. } => values.hash(hasher),
            ColumnData::Double(values) => values.iter().for_each(|value| hasher.write_u64(value.to_bits())),
            ColumnData::Date(values) => values.hash(hasher),
            ColumnData::Varchar(texts) | ColumnData::Json(texts) => {
                hasher.write(&texts.bytes);
                texts.ends.hash(hasher);
            }
            ColumnData::List { ends, child } => {
                ends.hash(hasher);
                child.hash_into(hasher);
            }
        }
    }

    /// Returns how many bytes of text the column holds, its elements' included.
    pub fn text_bytes(&self) -> usize {
        match &self.data {
            ColumnData::Varchar(texts) | ColumnData::Json(texts) => texts.bytes.len(),
            ColumnData::List { child, .. } => child.text_bytes(),
            _ => 0,
        }
    }

    /// Returns about how much memory the column takes.
    pub fn approximate_bytes(&self) -> usize {
        let n_rows = self.validity.bytes.len();
        n_rows + self.data.approximate_bytes(n_rows)
    }
}

impl Batch {
    /// Returns how many bytes of text the batch holds.
    pub fn text_bytes(&self) -> usize {
        self.columns.iter().map(ColumnVector::text_bytes).sum()
    }

    /// Returns about how much memory the batch takes: what back-pressure counts.
    pub fn approximate_bytes(&self) -> usize {
        self.columns.iter().map(ColumnVector::approximate_bytes).sum()
    }
}
