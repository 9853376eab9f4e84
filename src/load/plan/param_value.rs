//! Values of queries as params.

use crate::session::Value;
use crate::spec::ParamValue;

/// Returns a value of a query as a param.
pub fn param_value(value: Value) -> ParamValue {
    match value {
        Value::Null => ParamValue::Null,
        Value::Boolean(value) => ParamValue::Boolean(value),
        Value::Integer(value) => ParamValue::Integer(value),
        Value::Double(value) => ParamValue::Double(value),
        Value::Text(text) => ParamValue::Text(text),
        Value::Timestamp(micros) => ParamValue::Text(crate::columns::timestamp_text(micros)),
        // No query of Unify's returns one.
        Value::Map(_) | Value::Texts(_) => ParamValue::Null,
    }
}
