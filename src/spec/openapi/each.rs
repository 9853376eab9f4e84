//! Parameters that are asked for with each of the values that a description lists.

use super::names::{folded, plural, snake};
use super::operation::Parameter;
use super::schema::{Schema, Shape};
use super::text::text_of_value;

/// The most values of a parameter that are all asked for.
const MOST_VALUES: usize = 30;

/// A parameter that is asked for with each value that it may have, but for those that a connection leaves out: an option lists them.
#[derive(Debug, Clone)]
pub struct Each {
    /// As the spec has it.
    pub name: String,
    pub option: String,
    pub description: String,
    pub values: Vec<String>,
    /// Whether no field of the records says which value it was.
    pub is_copied: bool,
}

/// Returns a parameter as one that is asked for with each of its values, where its values are kinds of records: these have a field of its name.
pub fn each_of(parameter: &Parameter<'_>, record: Option<Schema<'_>>) -> Option<Each> {
    let is_field = record.is_some_and(|record| has_field(record, parameter.name));
    let is_single = parameter.schema.shape() != Shape::List;
    let values = values_of(parameter).filter(|_| is_field && is_single && snake(parameter.name) == parameter.name)?;
    Some(each(parameter, parameter.name, values, false))
}

/// Returns a placeholder as one that is asked for with each of its values: each leads to records of its own.
pub fn each_in_path(parameter: &Parameter<'_>, name: &str, record: Option<Schema<'_>>) -> Option<Each> {
    let is_field = record.is_some_and(|record| record.properties().iter().any(|(field, _)| *field == name));
    Some(each(parameter, name, values_of(parameter)?, !is_field))
}

fn each(parameter: &Parameter<'_>, name: &str, values: Vec<String>, is_copied: bool) -> Each {
    let listed = format!("{}: one or several of {}, with commas between them", parameter.about(), values.join(", "));
    Each { name: name.to_string(), option: plural(name), description: listed, values, is_copied }
}

fn has_field(record: Schema<'_>, name: &str) -> bool {
    record.properties().iter().any(|(field, schema)| folded(field) == folded(name) && schema.shape() == Shape::Scalar)
}

/// Returns the values that a parameter may have, where a text can list them all.
fn values_of(parameter: &Parameter<'_>) -> Option<Vec<String>> {
    let values: Vec<String> = parameter.schema.choices().into_iter().map(text_of_value).collect();
    let is_plain =
        |value: &String| !value.is_empty() && value.len() <= 60 && value.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    (!values.is_empty() && values.len() <= MOST_VALUES && values.iter().all(is_plain)).then_some(values)
}
