//! Values of DuckDB's vectors as JSON, with their types.

use super::json_type::JsonType;
use super::vector::Vector;
use crate::columns::{iso_date, iso_time, iso_timestamp};
use crate::document::{JsonMap, JsonNumber, JsonValue};
use crate::{Error, Result};

/// The bit by which a UUID is stored otherwise than it is written, so that it sorts as it is written.
const UUID_SIGN: u128 = 1 << 127;

/// Returns the value of row `idx` of a vector of that type. Fails for what JSON does not have, such as NaN and infinity.
pub fn json_at(vector: &Vector<'_>, json_type: &JsonType, idx: usize) -> Result<JsonValue> {
    if vector.is_null(idx) {
        return Ok(JsonValue::Null);
    }
    Ok(match json_type {
        JsonType::Null => JsonValue::Null,
        JsonType::Boolean => JsonValue::Bool(stored(vector.boolean(idx))?),
        JsonType::Integer => number(&stored(vector.digits(idx))?)?,
        JsonType::Float => number(&format!("{:?}", finite(stored(vector.float(idx))?)?))?,
        JsonType::Double => number(&format!("{:?}", finite(stored(vector.double(idx))?)?))?,
        JsonType::Decimal { scale } => number(&decimal_text(&stored(vector.digits(idx))?, *scale))?,
        JsonType::Text => JsonValue::String(stored(vector.text(idx))?),
        JsonType::Json => {
            stored(vector.text(idx))?.parse().map_err(|err| Error::data(format!("a value of type JSON is not JSON: {err}")))?
        }
        JsonType::Uuid => JsonValue::String(uuid_text(stored(vector.signed(idx))? as u128 ^ UUID_SIGN)),
        JsonType::Enum(texts) => {
            let position = stored(vector.unsigned(idx))?;
            let text = usize::try_from(position).ok().and_then(|position| texts.get(position));
            text.map_or(JsonValue::Null, |text| JsonValue::String(text.clone()))
        }
        JsonType::Date => {
            let days = stored(vector.signed(idx).and_then(|days| i32::try_from(days).ok()))?;
            JsonValue::String(iso_date(days).ok_or_else(|| no_moment("date"))?)
        }
        JsonType::Time => JsonValue::String(iso_time(units(vector, idx)?)),
        JsonType::Timestamp { units_per_second } => {
            let units = units(vector, idx)?;
            let nanos = units.rem_euclid(*units_per_second) * (1_000_000_000 / units_per_second);
            JsonValue::String(iso_timestamp(units.div_euclid(*units_per_second), nanos).ok_or_else(|| no_moment("timestamp"))?)
        }
        JsonType::List(child) => {
            let elements = stored(vector.child(0))?;
            let values = stored(vector.elements(idx))?.map(|idx| json_at(elements, child, idx));
            JsonValue::Array(values.collect::<Result<_>>()?)
        }
        JsonType::Struct(fields) => {
            let mut object = JsonMap::new();
            for (position, (name, field_type)) in fields.iter().enumerate() {
                object.insert(name.clone(), json_at(stored(vector.child(position))?, field_type, idx)?);
            }
            JsonValue::Object(object)
        }
        JsonType::Map(value_type) => map_at(vector, value_type, idx)?,
    })
}

/// Returns a map, which is stored as a list of structs of key and value.
fn map_at(vector: &Vector<'_>, value_type: &JsonType, idx: usize) -> Result<JsonValue> {
    let entries = stored(vector.child(0))?;
    let (keys, values) = (stored(entries.child(0))?, stored(entries.child(1))?);
    let mut object = JsonMap::new();
    for idx in stored(vector.elements(idx))? {
        if let Some(key) = keys.text(idx) {
            object.insert(key, json_at(values, value_type, idx)?);
        }
    }
    Ok(JsonValue::Object(object))
}

/// Returns the time of day or the moment of a row, in the units of its type.
fn units(vector: &Vector<'_>, idx: usize) -> Result<i64> {
    stored(vector.signed(idx).and_then(|units| i64::try_from(units).ok()))
}

/// Returns what a vector holds. It holds what its type says, unless DuckDB stores that otherwise than the C API documents.
fn stored<T>(value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::internal("a value is not stored as its type says"))
}

fn number(digits: &str) -> Result<JsonValue> {
    let number = digits.parse::<JsonNumber>().map_err(|_| Error::internal(format!("'{digits}' is not a JSON number")))?;
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
