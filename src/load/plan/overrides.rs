//! Params that a call gives, laid over those of its table.

use crate::columns::{ColumnType, TableSchema};
use crate::http::ParamSet;
use crate::load::plan::sets::type_of;
use crate::spec::{ParamDef, ParamValue, ParamValues, RefreshStrategy, ScalarType, TableDef};
use crate::yaml::nearest;
use crate::{Error, Result};

/// A table's definition with a call's params laid over its own.
#[derive(Debug, Clone)]
pub struct ParamOverrides {
    pub table_def: TableDef,
    /// Params that vary together with others which are not given: sets with other values are left out.
    narrowed: Vec<(String, String)>,
}

impl ParamOverrides {
    /// Lays `given` over the params of a table and of its refresh; null leaves a param out. A param that varies together with others is
    /// replaced when all of them are given, and otherwise narrows what they are. `stored` has the types of the columns of params.
    ///
    /// Fails, listing what there is, on a name that is not a param.
    pub fn new(table_def: &TableDef, given: &[(String, Option<String>)], stored: Option<&TableSchema>) -> Result<ParamOverrides> {
        let valid = valid_names(table_def);
        for (name, _) in given {
            if !valid.contains(&name.as_str()) {
                return Err(unknown(name, &valid, table_def));
            }
        }
        let value_of = |name: &str| given.iter().find(|(own, _)| own == name).map(|(_, value)| value);
        let mut laid = ParamOverrides { table_def: table_def.clone(), narrowed: Vec::new() };
        laid.table_def.refresh = RefreshStrategy::Reload;
        laid.table_def.params.clear();
        for param_def in &table_def.params {
            let values: Vec<Option<&Option<String>>> = param_def.names.iter().map(|name| value_of(name)).collect();
            if values.iter().all(Option::is_some) {
                let element = param_def.names.iter().zip(values.into_iter().flatten());
                let element = element.map(|(name, value)| typed(value.as_deref(), type_of_param(param_def, name, stored))).collect();
                laid.table_def.params.push(ParamDef::new(param_def.names.clone(), one(element)));
                continue;
            }
            for (name, value) in param_def.names.iter().zip(values) {
                match value {
                    Some(Some(text)) => laid.narrowed.push((name.clone(), text.clone())),
                    Some(None) => {
                        return Err(Error::config(format!("param '{name}' is null; give all of '{}'", param_def.names.join(","))))
                    }
                    None => {}
                }
            }
            laid.table_def.params.push(param_def.clone());
        }
        let is_own = |name: &str| table_def.params.iter().any(|param_def| param_def.names.iter().any(|own| own == name));
        for (name, value) in given.iter().filter(|(name, _)| !is_own(name)) {
            let value = typed(value.as_deref(), ColumnType::Undecided);
            laid.table_def.params.push(ParamDef::new(vec![name.clone()], ParamValues::One(value)));
        }
        Ok(laid)
    }

    /// Returns the sets that have the given values. Fails when there are sets, but none of them has.
    pub fn narrow(&self, mut sets: Vec<ParamSet>) -> Result<Vec<ParamSet>> {
        let n_sets = sets.len();
        for (name, text) in &self.narrowed {
            let has = |set: &ParamSet| set.values.iter().any(|(own, value)| own == name && value.to_text().as_ref() == Some(text));
            sets.retain(has);
            if sets.is_empty() && n_sets > 0 {
                let together = self.table_def.params.iter().find(|param_def| param_def.names.contains(name));
                let names = together.map_or(name.clone(), |param_def| param_def.names.join(","));
                return Err(Error::config(format!("no call of the table has '{text}' for '{name}'; give all of '{names}' to make one")));
            }
        }
        Ok(sets)
    }
}

/// Returns the names of the table's params and of those of its refresh, without those that the paging sets.
fn valid_names(table_def: &TableDef) -> Vec<&str> {
    let updates = table_def.refresh.updates();
    let of_refresh = updates.map_or(&[][..], |updates| &updates.params);
    let cursor = updates.and_then(|updates| updates.cursor.as_ref()?.param.as_deref());
    let names = table_def.params.iter().chain(of_refresh).flat_map(|param_def| &param_def.names).map(String::as_str).chain(cursor);
    let mut valid: Vec<&str> = Vec::new();
    for name in names.filter(|name| !table_def.paging.sets(name)) {
        if !valid.contains(&name) {
            valid.push(name);
        }
    }
    valid
}

fn unknown(name: &str, valid: &[&str], table_def: &TableDef) -> Error {
    if table_def.paging.sets(name) {
        return Error::config(format!("param '{name}' is set by the table's paging"));
    }
    let listed = match valid {
        [] => "it has none".to_string(),
        valid => format!("it has {}", valid.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")),
    };
    let hint = nearest(name, valid.iter().copied()).map_or(String::new(), |name| format!("; did you mean '{name}'?"));
    Error::config(format!("the table has no param '{name}'; {listed}{hint}"))
}

fn one(mut element: Vec<ParamValue>) -> ParamValues {
    match element.len() {
        1 => ParamValues::One(element.remove(0)),
        _ => ParamValues::Each(vec![element]),
    }
}

/// Returns the type a param's values have: that of the spec's own, or of the column they are copied to.
fn type_of_param(param_def: &ParamDef, name: &str, stored: Option<&TableSchema>) -> ColumnType {
    let idx = param_def.names.iter().position(|own| own == name).unwrap_or(0);
    let values: Vec<&ParamValue> = match &param_def.values {
        ParamValues::One(value) => vec![value],
        ParamValues::Each(elements) => elements.iter().filter_map(|element| element.get(idx)).collect(),
        ParamValues::Query(_) => {
            let of_name = |schema: &TableSchema| schema.param_column(name).map(str::to_string);
            let column = stored.and_then(|schema| schema.columns.iter().find(|column| Some(&column.name) == of_name(schema).as_ref()));
            return column.map_or(ColumnType::Undecided, |column| column.column_type);
        }
    };
    values.into_iter().map(type_of).fold(ColumnType::Undecided, ColumnType::widened)
}

/// Returns the text as a value of the type, if it is one.
fn typed(text: Option<&str>, column_type: ColumnType) -> ParamValue {
    let Some(text) = text else { return ParamValue::Null };
    let parsed = match column_type {
        ColumnType::Scalar(ScalarType::BigInt | ScalarType::HugeInt) => text.parse().ok().map(ParamValue::Integer),
        ColumnType::Scalar(ScalarType::Double) => text.parse().ok().map(ParamValue::Double),
        ColumnType::Scalar(ScalarType::Boolean) => text.parse().ok().map(ParamValue::Boolean),
        _ => None,
    };
    parsed.filter(|value| value.to_text().as_deref() == Some(text)).unwrap_or_else(|| ParamValue::Text(text.to_string()))
}
