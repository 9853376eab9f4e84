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

    /// Returns the narrowest type that holds the values of both without losing one.
    #[must_use]
    pub fn widened(self, other: ColumnType) -> ColumnType {
        match (self, other) {
            (ColumnType::Undecided, known) | (known, ColumnType::Undecided) => known,
            (ColumnType::Scalar(a), ColumnType::Scalar(b)) => ColumnType::Scalar(a.widened(b)),
            (ColumnType::List(None), list @ ColumnType::List(_)) | (list @ ColumnType::List(_), ColumnType::List(None)) => list,
            (ColumnType::List(Some(a)), ColumnType::List(Some(b))) => {
                a.widened_element(b).map_or(ColumnType::Json, |scalar| ColumnType::List(Some(scalar)))
            }
            _ => ColumnType::Json,
        }
    }
}

impl ScalarType {
    /// Returns the narrowest type that holds the values of both; only int with double may round, beyond 2^53.
    #[must_use]
    pub fn widened(self, other: ScalarType) -> ScalarType {
        use ScalarType::{BigInt, Date, Double, HugeInt, Timestamp, Varchar};
        match (self, other) {
            (a, b) if a == b => a,
            (BigInt, HugeInt) | (HugeInt, BigInt) => HugeInt,
            (BigInt, Double) | (Double, BigInt) => Double,
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            _ => Varchar,
        }
    }

    /// Returns the type of a list's elements of both types; `None` when they are of different kinds in JSON, or when only
    /// text would keep all digits.
    pub(super) fn widened_element(self, other: ScalarType) -> Option<ScalarType> {
        use ScalarType::{Date, Timestamp, Varchar};
        let is_text = |scalar| matches!(scalar, Date | Timestamp | Varchar);
        let widened = self.widened(other);
        (widened != Varchar || (is_text(self) && is_text(other))).then_some(widened)
    }

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

impl From<ScalarType> for ColumnType {
    fn from(scalar: ScalarType) -> ColumnType {
        ColumnType::Scalar(scalar)
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

impl TableSchema {
    /// Returns a schema of undeclared columns with these names and types.
    pub fn of(columns: &[(String, ColumnType)]) -> TableSchema {
        let column = |(name, column_type): &(String, ColumnType)| Column {
            name: name.clone(),
            source: vec![name.clone()],
            column_type: *column_type,
            declared: false,
        };
        TableSchema { columns: columns.iter().map(column).collect() }
    }
}
