//! The types of columns as DuckDB's.

use crate::columns::ColumnType;
use crate::spec::ScalarType;
use libduckdb_sys::*;

/// Makes the type of a column; the caller frees it.
pub fn logical_type_of(column_type: ColumnType) -> duckdb_logical_type {
    let scalar = |scalar: ScalarType| {
        let type_id = match scalar {
            ScalarType::Boolean => DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN,
            ScalarType::BigInt => DUCKDB_TYPE_DUCKDB_TYPE_BIGINT,
            ScalarType::HugeInt => DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT,
            ScalarType::Double => DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE,
            ScalarType::Date => DUCKDB_TYPE_DUCKDB_TYPE_DATE,
            ScalarType::Timestamp => DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP,
            ScalarType::Varchar => DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR,
        };
        // SAFETY: takes a valid type id.
        unsafe { duckdb_create_logical_type(type_id) }
    };
    match column_type {
        ColumnType::Undecided => scalar(ScalarType::Varchar),
        ColumnType::Scalar(scalar_type) => scalar(scalar_type),
        ColumnType::List(child) => {
            let mut child = scalar(child.unwrap_or(ScalarType::Varchar));
            // SAFETY: the child type is valid and copied.
            let list = unsafe { duckdb_create_list_type(child) };
            // SAFETY: made above, freed once.
            unsafe { duckdb_destroy_logical_type(&mut child) };
            list
        }
        ColumnType::Json => {
            let json = scalar(ScalarType::Varchar);
            // SAFETY: the type is valid; the alias is a static text and copied.
            unsafe { duckdb_logical_type_set_alias(json, c"JSON".as_ptr()) };
            json
        }
    }
}
