//! The columns that a spec selects and declares.

use super::ColumnReading;

/// One entry of `select`.
#[derive(Debug, Clone)]
pub enum ColumnPattern {
    /// The name itself, or the name followed by `_` and anything.
    Name(String),
    /// Anchored at both ends.
    Regex(regex::Regex),
}

impl ColumnPattern {
    /// Returns whether the flattened name is selected.
    pub fn matches(&self, flattened: &str) -> bool {
        match self {
            ColumnPattern::Name(name) => flattened.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')),
            ColumnPattern::Regex(regex) => regex.is_match(flattened),
        }
    }
}

/// A column the spec declares.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSpec {
    pub name: String,
    pub data_type: Option<DeclaredType>,
    /// Keys from the record down to the value; default: the flattened field of this name.
    pub source: Option<Vec<String>>,
    /// Whether those keys lead from the body down.
    pub is_meta: bool,
    /// What is done with the values before they are converted.
    pub reading: Option<ColumnReading>,
    pub key: bool,
    pub description: Option<String>,
}

/// The types a spec may declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarType {
    Boolean,
    BigInt,
    HugeInt,
    Double,
    /// So many digits in all, and so many of them behind the point.
    Decimal {
        width: u8,
        scale: u8,
    },
    Date,
    Timestamp,
    TimestampNs,
    Varchar,
}

/// A declared type: a scalar, a list of one, or JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclaredType {
    Scalar(ScalarType),
    List(ScalarType),
    Json,
}

/// How nested objects become columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nested {
    #[default]
    Flatten,
    Json,
    /// Flatten this many levels, JSON below.
    Depth(usize),
}
