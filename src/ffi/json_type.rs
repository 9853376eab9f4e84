//! What values of DuckDB's types become in JSON, decided while a statement is bound.

use super::types::OwnedType;
use crate::{Error, Result};
use libduckdb_sys::*;

/// How a column's values become JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonType {
    Null,
    Boolean,
    /// A whole number, however it is stored.
    Integer,
    Float,
    Double,
    Decimal {
        scale: usize,
    },
    Text,
    /// A text that is JSON.
    Json,
    Uuid,
    /// The texts, which are stored as positions.
    Enum(Vec<String>),
    Date,
    Time,
    Timestamp {
        units_per_second: i64,
    },
    /// A list or an array.
    List(Box<JsonType>),
    Struct(Vec<(String, JsonType)>),
    /// A map from texts.
    Map(Box<JsonType>),
}

impl JsonType {
    /// Decides for a type. Fails, naming the type, where JSON has nothing that says the same.
    pub fn of(owned: &OwnedType) -> Result<JsonType> {
        Ok(match owned.id() {
            DUCKDB_TYPE_DUCKDB_TYPE_SQLNULL => JsonType::Null,
            DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => JsonType::Boolean,
            DUCKDB_TYPE_DUCKDB_TYPE_TINYINT
            | DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT
            | DUCKDB_TYPE_DUCKDB_TYPE_INTEGER
            | DUCKDB_TYPE_DUCKDB_TYPE_BIGINT
            | DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT
            | DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT
            | DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER
            | DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT
            | DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT
            | DUCKDB_TYPE_DUCKDB_TYPE_UHUGEINT => JsonType::Integer,
            DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => JsonType::Float,
            DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => JsonType::Double,
            DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => JsonType::Decimal { scale: owned.scale() },
            DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR if is_json(owned) => JsonType::Json,
            DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => JsonType::Text,
            DUCKDB_TYPE_DUCKDB_TYPE_UUID => JsonType::Uuid,
            DUCKDB_TYPE_DUCKDB_TYPE_ENUM => JsonType::Enum(owned.enum_texts()),
            DUCKDB_TYPE_DUCKDB_TYPE_DATE => JsonType::Date,
            DUCKDB_TYPE_DUCKDB_TYPE_TIME => JsonType::Time,
            DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S => JsonType::Timestamp { units_per_second: 1 },
            DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_MS => JsonType::Timestamp { units_per_second: 1000 },
            DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ => JsonType::Timestamp { units_per_second: 1_000_000 },
            DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ_NS => {
                JsonType::Timestamp { units_per_second: 1_000_000_000 }
            }
            DUCKDB_TYPE_DUCKDB_TYPE_LIST | DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => list(owned)?,
            DUCKDB_TYPE_DUCKDB_TYPE_STRUCT => fields_of(owned)?,
            DUCKDB_TYPE_DUCKDB_TYPE_MAP => map(owned)?,
            other => return Err(unsupported(name_of(other))),
        })
    }
}

fn unsupported(name: &str) -> Error {
    Error::config(format!("{name} has no equal in JSON; cast it in the SELECT, such as to VARCHAR"))
}

fn name_of(type_id: duckdb_type) -> &'static str {
    match type_id {
        DUCKDB_TYPE_DUCKDB_TYPE_INTERVAL => "an INTERVAL",
        DUCKDB_TYPE_DUCKDB_TYPE_BLOB => "a BLOB",
        DUCKDB_TYPE_DUCKDB_TYPE_UNION => "a UNION",
        DUCKDB_TYPE_DUCKDB_TYPE_BIT => "a BIT",
        DUCKDB_TYPE_DUCKDB_TYPE_TIME_TZ => "a TIME WITH TIME ZONE",
        DUCKDB_TYPE_DUCKDB_TYPE_TIME_NS => "a TIME_NS",
        DUCKDB_TYPE_DUCKDB_TYPE_BIGNUM => "a BIGNUM",
        DUCKDB_TYPE_DUCKDB_TYPE_GEOMETRY => "a GEOMETRY",
        DUCKDB_TYPE_DUCKDB_TYPE_VARIANT => "a VARIANT",
        _ => "its type",
    }
}

fn is_json(owned: &OwnedType) -> bool {
    owned.alias().is_some_and(|text| text.eq_ignore_ascii_case("JSON"))
}

fn list(owned: &OwnedType) -> Result<JsonType> {
    let element = owned.element().ok_or_else(|| unsupported("a list without a type"))?;
    Ok(JsonType::List(Box::new(JsonType::of(&element)?)))
}

fn fields_of(owned: &OwnedType) -> Result<JsonType> {
    let mut fields = Vec::new();
    for (name, field_type) in owned.fields() {
        if name.is_empty() {
            return Err(unsupported("a STRUCT whose fields have no names"));
        }
        fields.push((name, JsonType::of(&field_type)?));
    }
    Ok(JsonType::Struct(fields))
}

fn map(owned: &OwnedType) -> Result<JsonType> {
    let (key, value) = owned.map_parts().ok_or_else(|| unsupported("a MAP without types"))?;
    if JsonType::of(&key)? != JsonType::Text {
        return Err(unsupported("a MAP whose keys are not VARCHAR"));
    }
    Ok(JsonType::Map(Box::new(JsonType::of(&value)?)))
}
