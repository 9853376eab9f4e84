//! The types a column can have, how they widen, and the schema of a table while it loads.

use crate::spec::{DeclaredType, ScalarType};

/// The type of a column. `Undecided` has seen no value but null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    Undecided,
    Scalar(ScalarType),
    /// A list of one scalar type; `None` while only empty lists or nulls were seen.
    List(Option<ScalarType>),
    Json,
}

impl ColumnType {
    /// Returns the type as DuckDB writes it. `Undecided` is VARCHAR, an undecided list VARCHAR[].
    pub fn sql_name(self) -> &'static str {
        match self {
            ColumnType::Undecided => "VARCHAR",
            ColumnType::Scalar(scalar) => scalar.sql_name(),
            ColumnType::List(None) => "VARCHAR[]",
            ColumnType::List(Some(scalar)) => match scalar {
                ScalarType::Boolean => "BOOLEAN[]",
                ScalarType::BigInt => "BIGINT[]",
                ScalarType::HugeInt => "HUGEINT[]",
                ScalarType::Double => "DOUBLE[]",
                ScalarType::Date => "DATE[]",
                ScalarType::Timestamp => "TIMESTAMP[]",
                ScalarType::Varchar => "VARCHAR[]",
            },
            ColumnType::Json => "JSON",
        }
    }
}

impl ScalarType {
    /// Returns the type as DuckDB writes it.
    pub fn sql_name(self) -> &'static str {
        match self {
            ScalarType::Boolean => "BOOLEAN",
            ScalarType::BigInt => "BIGINT",
            ScalarType::HugeInt => "HUGEINT",
            ScalarType::Double => "DOUBLE",
            ScalarType::Date => "DATE",
            ScalarType::Timestamp => "TIMESTAMP",
            ScalarType::Varchar => "VARCHAR",
        }
    }
}

impl From<DeclaredType> for ColumnType {
    fn from(declared: DeclaredType) -> ColumnType {
        match declared {
            DeclaredType::Scalar(scalar) => ColumnType::Scalar(scalar),
            DeclaredType::List(scalar) => ColumnType::List(Some(scalar)),
            DeclaredType::Json => ColumnType::Json,
        }
    }
}

/// A column of a table being loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the table, unique without regard to case.
    pub name: String,
    /// The keys from the record down to the value: what identifies the column from page to page.
    pub source: Vec<String>,
    pub column_type: ColumnType,
    /// Whether the spec declares the type, which is then kept.
    pub declared: bool,
}

/// The columns of a table, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableSchema {
    pub columns: Vec<Column>,
}
