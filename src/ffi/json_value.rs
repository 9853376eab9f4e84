//! Values of DuckDB's vectors as JSON, with their types.

use super::json_type::JsonType;
use crate::columns::{iso_date, iso_time, iso_timestamp};
use crate::json::{JsonMap, JsonNumber, JsonValue};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ops::Range;

/// The bit by which a UUID is stored otherwise than it is written, so that it sorts as it is written.
const UUID_SIGN: u128 = 1 << 127;

/// Returns the value of row `idx` of a flat vector of that type. Fails for what JSON does not have, such as NaN and infinity.
pub fn json_at(vector: duckdb_vector, json_type: &JsonType, idx: usize) -> Result<JsonValue> {
    let cell = Cell { vector, idx };
    if cell.is_null() {
        return Ok(JsonValue::Null);
    }
    Ok(match json_type {
        JsonType::Null => JsonValue::Null,
        JsonType::Boolean => JsonValue::Bool(cell.read::<u8>() != 0),
        JsonType::Integer(stored_as) => number(&cell.whole(*stored_as)?)?,
        JsonType::Float => number(&format!("{:?}", finite(cell.read::<f32>())?))?,
        JsonType::Double => number(&format!("{:?}", finite(cell.read::<f64>())?))?,
        JsonType::Decimal { stored_as, scale } => number(&decimal_text(&cell.whole(*stored_as)?, *scale))?,
        JsonType::Text => JsonValue::String(cell.text()),
        JsonType::Json => cell.text().parse().map_err(|err| Error::data(format!("a value of type JSON is none: {err}")))?,
        JsonType::Uuid => JsonValue::String(uuid_text(signed(cell.read::<duckdb_hugeint>()) as u128 ^ UUID_SIGN)),
        JsonType::Enum(stored_as, texts) => {
            let position = cell.whole(*stored_as)?.parse::<usize>().ok();
            position.and_then(|position| texts.get(position)).map_or(JsonValue::Null, |text| JsonValue::String(text.clone()))
        }
        JsonType::Date => JsonValue::String(iso_date(cell.read::<i32>()).ok_or_else(|| no_moment("date"))?),
        JsonType::Time => JsonValue::String(iso_time(cell.read::<i64>())),
        JsonType::Timestamp { units_per_second } => {
            let units = cell.read::<i64>();
            let nanos = units.rem_euclid(*units_per_second) * (1_000_000_000 / units_per_second);
            JsonValue::String(iso_timestamp(units.div_euclid(*units_per_second), nanos).ok_or_else(|| no_moment("timestamp"))?)
        }
        JsonType::List(child) => {
            // SAFETY: the vector is a list.
            let elements = unsafe { duckdb_list_vector_get_child(vector) };
            list_of(elements, child, cell.entries())?
        }
        JsonType::Array(child, len) => {
            // SAFETY: the vector is an array.
            let elements = unsafe { duckdb_array_vector_get_child(vector) };
            list_of(elements, child, idx * len..(idx + 1) * len)?
        }
        JsonType::Struct(fields) => struct_at(cell, fields)?,
        JsonType::Map(value_type) => map_at(cell, value_type)?,
    })
}

/// A row of a flat vector.
#[derive(Clone, Copy)]
struct Cell {
    vector: duckdb_vector,
    idx: usize,
}

impl Cell {
    fn is_null(self) -> bool {
        // SAFETY: the vector belongs to a live chunk; a null mask means all rows are valid.
        let validity = unsafe { duckdb_vector_get_validity(self.vector) };
        // SAFETY: the mask covers every row of the vector.
        !validity.is_null() && !unsafe { duckdb_validity_row_is_valid(validity, self.idx as idx_t) }
    }

    /// Returns the value, which is of the type that the vector holds.
    fn read<T: Copy>(self) -> T {
        // SAFETY: the vector is flat and has data.
        let data = unsafe { duckdb_vector_get_data(self.vector) }.cast::<T>();
        // SAFETY: the vector holds values of this type, and the cell is one of its rows.
        let place = unsafe { data.add(self.idx) };
        // SAFETY: as above.
        unsafe { place.read() }
    }

    /// Returns the digits of a whole number that is stored so.
    fn whole(self, stored_as: duckdb_type) -> Result<String> {
        Ok(match stored_as {
            DUCKDB_TYPE_DUCKDB_TYPE_TINYINT => self.read::<i8>().to_string(),
            DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT => self.read::<i16>().to_string(),
            DUCKDB_TYPE_DUCKDB_TYPE_INTEGER => self.read::<i32>().to_string(),
            DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => self.read::<i64>().to_string(),
            DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => self.read::<u8>().to_string(),
            DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => self.read::<u16>().to_string(),
            DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => self.read::<u32>().to_string(),
            DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT => self.read::<u64>().to_string(),
            DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT => signed(self.read::<duckdb_hugeint>()).to_string(),
            DUCKDB_TYPE_DUCKDB_TYPE_UHUGEINT => {
                let huge = self.read::<duckdb_uhugeint>();
                ((u128::from(huge.upper) << 64) | u128::from(huge.lower)).to_string()
            }
            other => return Err(Error::internal(format!("type {other} holds no whole numbers"))),
        })
    }

    fn text(self) -> String {
        let mut string = self.read::<duckdb_string_t>();
        // SAFETY: the string is a valid one of the vector.
        let len = unsafe { duckdb_string_t_length(string) } as usize;
        // SAFETY: the data is inside `string` or in the vector's heap; both outlive the copy below.
        let start = unsafe { duckdb_string_t_data(&mut string) };
        // SAFETY: `len` bytes are readable there.
        let bytes = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), len) };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Returns where the entries of a list or map are.
    fn entries(self) -> Range<usize> {
        let entry = self.read::<duckdb_list_entry>();
        entry.offset as usize..(entry.offset + entry.length) as usize
    }
}

fn list_of(elements: duckdb_vector, child: &JsonType, rows: Range<usize>) -> Result<JsonValue> {
    Ok(JsonValue::Array(rows.map(|idx| json_at(elements, child, idx)).collect::<Result<_>>()?))
}

fn struct_at(cell: Cell, fields: &[(String, JsonType)]) -> Result<JsonValue> {
    let mut object = JsonMap::new();
    for (position, (name, field_type)) in fields.iter().enumerate() {
        // SAFETY: the vector is a struct with that many fields.
        let field = unsafe { duckdb_struct_vector_get_child(cell.vector, position as idx_t) };
        object.insert(name.clone(), json_at(field, field_type, cell.idx)?);
    }
    Ok(JsonValue::Object(object))
}

/// Returns a map, which is stored as a list of structs of key and value.
fn map_at(cell: Cell, value_type: &JsonType) -> Result<JsonValue> {
    // SAFETY: the vector is a map.
    let entries = unsafe { duckdb_list_vector_get_child(cell.vector) };
    // SAFETY: a map's entries are structs of key and value.
    let keys = unsafe { duckdb_struct_vector_get_child(entries, 0) };
    // SAFETY: as above.
    let values = unsafe { duckdb_struct_vector_get_child(entries, 1) };
    let mut object = JsonMap::new();
    for idx in cell.entries() {
        if let JsonValue::String(key) = json_at(keys, &JsonType::Text, idx)? {
            object.insert(key, json_at(values, value_type, idx)?);
        }
    }
    Ok(JsonValue::Object(object))
}

fn signed(huge: duckdb_hugeint) -> i128 {
    (i128::from(huge.upper) << 64) | i128::from(huge.lower)
}

fn number(digits: &str) -> Result<JsonValue> {
    let number = digits.parse::<JsonNumber>().map_err(|_| Error::internal(format!("'{digits}' is no JSON number")))?;
    Ok(JsonValue::Number(number))
}

fn finite<T: Into<f64> + Copy>(value: T) -> Result<T> {
    let double: f64 = value.into();
    match double.is_finite() {
        true => Ok(value),
        false => Err(Error::data(format!("the value is {double}, which JSON does not have"))),
    }
}

fn no_moment(what: &str) -> Error {
    Error::data(format!("the {what} is infinite or beyond the years 1 to 9999, which ISO 8601 does not write"))
}

/// Puts the point into the digits of a decimal.
fn decimal_text(digits: &str, scale: usize) -> String {
    if scale == 0 {
        return digits.to_string();
    }
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

fn uuid_text(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
