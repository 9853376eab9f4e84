//! What values of DuckDB's types become in JSON, decided while a statement is bound.

use super::result::text_of;
use crate::{Error, Result};
use libduckdb_sys::*;

/// How a column's values become JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonType {
    Null,
    Boolean,
    /// A whole number; the type it is stored as.
    Integer(duckdb_type),
    Float,
    Double,
    Decimal {
        stored_as: duckdb_type,
        scale: usize,
    },
    Text,
    /// A text that is JSON.
    Json,
    Uuid,
    /// The type the positions are stored as, and the texts.
    Enum(duckdb_type, Vec<String>),
    Date,
    Time,
    Timestamp {
        units_per_second: i64,
    },
    List(Box<JsonType>),
    /// A list of always so many elements.
    Array(Box<JsonType>, usize),
    Struct(Vec<(String, JsonType)>),
    /// A map from texts.
    Map(Box<JsonType>),
}

/// A type that is ours to free.
struct OwnedType(duckdb_logical_type);

impl Drop for OwnedType {
    fn drop(&mut self) {
        // SAFETY: the type came from a call that gives it away, and is freed once.
        unsafe { duckdb_destroy_logical_type(&mut self.0) };
    }
}

impl JsonType {
    /// Decides for a type, which this frees. Fails, naming the type, where JSON has nothing that says the same.
    pub fn of(logical_type: duckdb_logical_type) -> Result<JsonType> {
        let owned = OwnedType(logical_type);
        // SAFETY: the type is valid.
        let type_id = unsafe { duckdb_get_type_id(owned.0) };
        Ok(match type_id {
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
            | DUCKDB_TYPE_DUCKDB_TYPE_UHUGEINT => JsonType::Integer(type_id),
            DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => JsonType::Float,
            DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => JsonType::Double,
            DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => decimal(&owned),
            DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR if is_json(&owned) => JsonType::Json,
            DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => JsonType::Text,
            DUCKDB_TYPE_DUCKDB_TYPE_UUID => JsonType::Uuid,
            DUCKDB_TYPE_DUCKDB_TYPE_ENUM => texts_of(&owned),
            DUCKDB_TYPE_DUCKDB_TYPE_DATE => JsonType::Date,
            DUCKDB_TYPE_DUCKDB_TYPE_TIME => JsonType::Time,
            DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S => JsonType::Timestamp { units_per_second: 1 },
            DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_MS => JsonType::Timestamp { units_per_second: 1000 },
            DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ => JsonType::Timestamp { units_per_second: 1_000_000 },
            DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS | DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ_NS => {
                JsonType::Timestamp { units_per_second: 1_000_000_000 }
            }
            DUCKDB_TYPE_DUCKDB_TYPE_LIST => {
                // SAFETY: the type is a list; the child's type is given away.
                JsonType::List(Box::new(JsonType::of(unsafe { duckdb_list_type_child_type(owned.0) })?))
            }
            DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => {
                // SAFETY: the type is an array; the child's type is given away.
                let child = unsafe { duckdb_array_type_child_type(owned.0) };
                // SAFETY: the type is an array.
                let len = unsafe { duckdb_array_type_array_size(owned.0) } as usize;
                JsonType::Array(Box::new(JsonType::of(child)?), len)
            }
            DUCKDB_TYPE_DUCKDB_TYPE_STRUCT => fields_of(&owned)?,
            DUCKDB_TYPE_DUCKDB_TYPE_MAP => map(&owned)?,
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
    // SAFETY: the type is valid; null when it has no alias.
    let alias = unsafe { duckdb_logical_type_get_alias(owned.0) };
    let text = text_of(alias);
    // SAFETY: the text is ours, freed once; freeing null does nothing.
    unsafe { duckdb_free(alias.cast()) };
    text.is_some_and(|text| text.eq_ignore_ascii_case("JSON"))
}

fn decimal(owned: &OwnedType) -> JsonType {
    // SAFETY: the type is a decimal.
    let stored_as = unsafe { duckdb_decimal_internal_type(owned.0) };
    // SAFETY: the type is a decimal.
    let scale = unsafe { duckdb_decimal_scale(owned.0) };
    JsonType::Decimal { stored_as, scale: scale.into() }
}

fn texts_of(owned: &OwnedType) -> JsonType {
    // SAFETY: the type is an enum.
    let stored_as = unsafe { duckdb_enum_internal_type(owned.0) };
    // SAFETY: the type is an enum.
    let n_texts = unsafe { duckdb_enum_dictionary_size(owned.0) };
    let mut texts = Vec::with_capacity(n_texts as usize);
    for idx in 0..n_texts {
        // SAFETY: the text is there and given away.
        let text = unsafe { duckdb_enum_dictionary_value(owned.0, idx.into()) };
        texts.push(text_of(text).unwrap_or_default());
        // SAFETY: the text is ours, freed once.
        unsafe { duckdb_free(text.cast()) };
    }
    JsonType::Enum(stored_as, texts)
}

fn fields_of(owned: &OwnedType) -> Result<JsonType> {
    // SAFETY: the type is a struct.
    let n_fields = unsafe { duckdb_struct_type_child_count(owned.0) };
    let mut fields = Vec::new();
    for idx in 0..n_fields {
        // SAFETY: the field is there; its name is given away.
        let name = unsafe { duckdb_struct_type_child_name(owned.0, idx) };
        let text = text_of(name).unwrap_or_default();
        // SAFETY: the name is ours, freed once.
        unsafe { duckdb_free(name.cast()) };
        if text.is_empty() {
            return Err(unsupported("a STRUCT whose fields have no names"));
        }
        // SAFETY: the field is there; its type is given away.
        let field_type = JsonType::of(unsafe { duckdb_struct_type_child_type(owned.0, idx) })?;
        fields.push((text, field_type));
    }
    Ok(JsonType::Struct(fields))
}

fn map(owned: &OwnedType) -> Result<JsonType> {
    // SAFETY: the type is a map; the key's type is given away.
    let key = JsonType::of(unsafe { duckdb_map_type_key_type(owned.0) })?;
    if key != JsonType::Text {
        return Err(unsupported("a MAP whose keys are not VARCHAR"));
    }
    // SAFETY: the type is a map; the value's type is given away.
    let value = JsonType::of(unsafe { duckdb_map_type_value_type(owned.0) })?;
    Ok(JsonType::Map(Box::new(value)))
}
