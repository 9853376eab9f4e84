//! How the values of a vector are stored.

use super::types::OwnedType;
use libduckdb_sys::*;

/// How a flat vector stores its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    Boolean,
    /// Whole numbers of so many bytes.
    Signed(usize),
    Unsigned(usize),
    Float,
    Double,
    /// UTF-8.
    Text,
    /// Places in the vector of the elements. A map is a list of its entries.
    List,
    /// Always so many elements of the vector of the elements.
    Array(usize),
    /// A vector for each field.
    Struct,
    /// Nothing that is read or written here.
    Other,
}

impl Storage {
    /// Returns how values of a type are stored.
    pub fn of(logical_type: &OwnedType) -> Storage {
        match logical_type.stored_as() {
            DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => Storage::Boolean,
            DUCKDB_TYPE_DUCKDB_TYPE_TINYINT => Storage::Signed(1),
            DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT => Storage::Signed(2),
            DUCKDB_TYPE_DUCKDB_TYPE_INTEGER | DUCKDB_TYPE_DUCKDB_TYPE_DATE => Storage::Signed(4),
            DUCKDB_TYPE_DUCKDB_TYPE_BIGINT
            | DUCKDB_TYPE_DUCKDB_TYPE_TIME
            | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP
            | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S
            | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_MS
            | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS
            | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ
            | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ_NS => Storage::Signed(8),
            DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT | DUCKDB_TYPE_DUCKDB_TYPE_UUID => Storage::Signed(16),
            DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => Storage::Unsigned(1),
            DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => Storage::Unsigned(2),
            DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => Storage::Unsigned(4),
            DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT => Storage::Unsigned(8),
            DUCKDB_TYPE_DUCKDB_TYPE_UHUGEINT => Storage::Unsigned(16),
            DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => Storage::Float,
            DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => Storage::Double,
            DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => Storage::Text,
            DUCKDB_TYPE_DUCKDB_TYPE_LIST | DUCKDB_TYPE_DUCKDB_TYPE_MAP => Storage::List,
            DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => Storage::Array(logical_type.array_len()),
            DUCKDB_TYPE_DUCKDB_TYPE_STRUCT => Storage::Struct,
            _ => Storage::Other,
        }
    }

    /// Returns how many bytes a value takes in the vector itself; 0 where that has no data of its own.
    pub fn width(self) -> usize {
        match self {
            Storage::Boolean => 1,
            Storage::Signed(bytes) | Storage::Unsigned(bytes) => bytes,
            Storage::Float => 4,
            Storage::Double => 8,
            Storage::Text => size_of::<duckdb_string_t>(),
            Storage::List => size_of::<duckdb_list_entry>(),
            Storage::Array(_) | Storage::Struct | Storage::Other => 0,
        }
    }
}
