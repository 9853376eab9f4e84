//! The types a column can have, how they widen, and the schema of a table while it loads.

use super::decimal::MOST_DIGITS;
use super::form::{self, Form};
use super::native::NativeType;
use super::source::ColumnSource;
use crate::spec::{DeclaredType, ScalarType};
use std::borrow::Cow;
use std::sync::OnceLock;

/// The type of a column. `Undecided` has seen no value but null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    Undecided,
    Scalar(ScalarType),
    /// A list of one scalar type; `None` while only empty lists or nulls were seen.
    List(Option<ScalarType>),
    Json,
    /// One of DuckDB's own, which comes out of files or of another database.
    Native(NativeType),
}

impl ColumnType {
    /// Returns the type as DuckDB writes it. `Undecided` is VARCHAR, an undecided list VARCHAR[].
    pub fn sql_name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            ColumnType::Native(native) => return Cow::Owned(native.to_string()),
            ColumnType::Undecided => "VARCHAR",
            ColumnType::Scalar(scalar) => scalar.sql_name(),
            ColumnType::List(None) => "VARCHAR[]",
            ColumnType::List(Some(scalar)) => match scalar {
                ScalarType::Boolean => "BOOLEAN[]",
                ScalarType::BigInt => "BIGINT[]",
                ScalarType::HugeInt => "HUGEINT[]",
                ScalarType::Double => "DOUBLE[]",
                ScalarType::Decimal { width, scale } => decimal_names(width, scale)[1],
                ScalarType::Date => "DATE[]",
                ScalarType::Timestamp => "TIMESTAMP[]",
                ScalarType::TimestampNs => "TIMESTAMP_NS[]",
                ScalarType::Varchar => "VARCHAR[]",
            },
            ColumnType::Json => "JSON",
        })
    }

    /// Returns the type for a database that does not have TIMESTAMP_NS.
    #[must_use]
    pub(super) fn without_nanoseconds(self) -> ColumnType {
        match self {
            ColumnType::Scalar(ScalarType::TimestampNs) => ColumnType::Scalar(ScalarType::Varchar),
            ColumnType::List(Some(ScalarType::TimestampNs)) => ColumnType::List(Some(ScalarType::Varchar)),
            other => other,
        }
    }

    /// Returns the narrowest type that holds the values of both, but for what only their form tells.
    #[must_use]
    pub fn widened(self, other: ColumnType) -> ColumnType {
        self.widened_as(other, Form::default())
    }

    /// Returns the narrowest type that holds the values of both, whose form is `form`, without losing one or a digit of one.
    #[must_use]
    pub fn widened_as(self, other: ColumnType, form: Form) -> ColumnType {
        match (self, other) {
            (ColumnType::Native(own), ColumnType::Native(others)) if own == others => self,
            (ColumnType::Undecided, known) | (known, ColumnType::Undecided) => known,
            (ColumnType::Scalar(a), ColumnType::Scalar(b)) => ColumnType::Scalar(a.widened(b, form)),
            (ColumnType::List(None), list @ ColumnType::List(_)) | (list @ ColumnType::List(_), ColumnType::List(None)) => list,
            (ColumnType::List(Some(a)), ColumnType::List(Some(b))) => {
                a.widened_element(b, form).map_or(ColumnType::Json, |scalar| ColumnType::List(Some(scalar)))
            }
            _ => ColumnType::Json,
        }
    }
}

impl ScalarType {
    fn widened(self, other: ScalarType, form: Form) -> ScalarType {
        use ScalarType::{BigInt, Date, Double, HugeInt, Timestamp, TimestampNs, Varchar};
        match (self, other) {
            (a, b) if a == b => a,
            (BigInt, HugeInt) | (HugeInt, BigInt) => HugeInt,
            (BigInt, Double) | (Double, BigInt) if !form.has(form::WIDE) => Double,
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            (Date | Timestamp, TimestampNs) | (TimestampNs, Date | Timestamp) if !form.has(form::FAR) => TimestampNs,
            _ => Varchar,
        }
    }

    /// Returns the type of a list's elements of both types; `None` when they are of different kinds in JSON, or when only
    /// text would keep all digits.
    fn widened_element(self, other: ScalarType, form: Form) -> Option<ScalarType> {
        use ScalarType::{Date, Timestamp, TimestampNs, Varchar};
        let is_text = |scalar| matches!(scalar, Date | Timestamp | TimestampNs | Varchar);
        let widened = self.widened(other, form);
        (widened != Varchar || (is_text(self) && is_text(other))).then_some(widened)
    }

    /// Returns the type as DuckDB writes it.
    pub fn sql_name(self) -> &'static str {
        match self {
            ScalarType::Boolean => "BOOLEAN",
            ScalarType::BigInt => "BIGINT",
            ScalarType::HugeInt => "HUGEINT",
            ScalarType::Double => "DOUBLE",
            ScalarType::Decimal { width, scale } => decimal_names(width, scale)[0],
            ScalarType::Date => "DATE",
            ScalarType::Timestamp => "TIMESTAMP",
            ScalarType::TimestampNs => "TIMESTAMP_NS",
            ScalarType::Varchar => "VARCHAR",
        }
    }
}

/// Returns the names of a DECIMAL and of a list of such.
fn decimal_names(width: u8, scale: u8) -> [&'static str; 2] {
    static NAMES: OnceLock<Vec<[String; 2]>> = OnceLock::new();
    const N_SCALES: usize = MOST_DIGITS as usize + 1;
    let all = || {
        let numbers = (0..N_SCALES * N_SCALES).map(|place| format!("DECIMAL({},{})", place / N_SCALES, place % N_SCALES));
        numbers.map(|name| [name.clone(), format!("{name}[]")]).collect()
    };
    match NAMES.get_or_init(all).get(usize::from(width) * N_SCALES + usize::from(scale)) {
        Some([name, of_list]) => [name, of_list],
        None => ["DECIMAL", "DECIMAL[]"],
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
    /// What identifies the column from page to page.
    pub source: ColumnSource,
    pub column_type: ColumnType,
    /// Whether the spec declares the type, which is then kept.
    pub declared: bool,
    /// What its values looked like.
    pub form: Form,
}

impl Column {
    /// Returns where the values come from, for people: keys joined with dots.
    pub fn source_path(&self) -> String {
        self.source.path()
    }
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
            source: ColumnSource::Record(vec![name.clone()]),
            column_type: *column_type,
            declared: false,
            form: Form::default(),
        };
        TableSchema { columns: columns.iter().map(column).collect() }
    }
}
