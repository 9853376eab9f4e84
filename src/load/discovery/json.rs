//! Looks into what objects say, as trees.

use crate::document::JsonValue;
use crate::spec::FieldCondition;

/// Returns the value that keys and positions lead to.
pub fn value_at<'v>(value: &'v JsonValue, path: &[String]) -> Option<&'v JsonValue> {
    path.iter().try_fold(value, |value, key| match value {
        JsonValue::Object(entries) => entries.get(key),
        JsonValue::Array(elements) => elements.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Returns a scalar as it is written, anything else as JSON; `None` for null.
pub fn text_of(value: &JsonValue) -> Option<String> {
    match value {
        JsonValue::Null => None,
        JsonValue::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Returns whether a value is as a condition says, as [`FieldCondition::matches`] does for records.
pub fn matches(condition: &FieldCondition, value: &JsonValue) -> bool {
    let found = value_at(value, &condition.path).and_then(text_of);
    found.is_some_and(|text| condition.is_one(&text))
}
