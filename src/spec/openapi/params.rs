//! The query parameters and headers that a request always has.

use super::names::{folded, snake};
use super::operation::{Operation, Parameter, Place};
use super::paging::{first_value, PagingKeys};
use crate::document::JsonValue;

/// A query parameter or header that is always sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub name: String,
    /// A value, or nothing where an option has it.
    pub value: Option<JsonValue>,
    pub option: String,
    pub description: String,
}

/// Returns the query parameters that a request needs, and those without which it leaves rows out. What the paging sends with the first page is
/// left to it.
pub fn params_of(operation: &Operation<'_>, paging: Option<&PagingKeys>, doubts: &mut Vec<String>) -> Vec<Sent> {
    let mut params = Vec::new();
    let is_of_paging = |parameter: &&Parameter<'_>| paging.is_some_and(|paging| paging.begins_with(parameter.name));
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Query && !is_of_paging(parameter)) {
        if parameter.name.contains(',') || parameter.name.trim().is_empty() || parameter.name.len() > 200 {
            continue;
        }
        if let Some(all) = all_of(parameter) {
            params.push(sent(parameter, Some(all.clone())));
        } else if parameter.is_required {
            let given = parameter.given_value().cloned();
            let first = || first_value(parameter).map(JsonValue::from);
            let (value, from) = match (given, first()) {
                (Some(given), _) => (Some(given), "the value is the description's"),
                (None, Some(first)) => (Some(first), "the value is that of a first page"),
                (None, None) => (None, "an option has its value"),
            };
            doubts.push(format!("the request needs parameter '{}'; {from}", parameter.name));
            params.push(sent(parameter, value));
        }
    }
    params
}

/// Returns the value by which a filter lets all rows through, where it lets some through by default.
fn all_of<'a>(parameter: &Parameter<'a>) -> Option<&'a JsonValue> {
    let values = parameter.schema.value("enum").and_then(JsonValue::as_array)?;
    let all = values.iter().find(|value| value.as_str() == Some("all"))?;
    let default = parameter.schema.value("default")?;
    (default != all && ["state", "status"].contains(&parameter.name)).then_some(all)
}

fn sent(parameter: &Parameter<'_>, value: Option<JsonValue>) -> Sent {
    Sent { name: parameter.name.to_string(), value, option: snake(parameter.name), description: parameter.told() }
}

/// Returns the headers that a request needs, without those that Unify sets itself.
pub fn headers_of(operation: &Operation<'_>) -> Vec<Sent> {
    let own = ["accept", "contenttype", "authorization", "useragent", "host"];
    let is_token = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let needed = operation.parameters.iter().filter(|parameter| parameter.place == Place::Header && parameter.is_required);
    let needed = needed.filter(|parameter| is_token(parameter.name) && !own.contains(&folded(parameter.name).as_str()));
    needed.map(|parameter| sent(parameter, parameter.given_value().cloned())).collect()
}
