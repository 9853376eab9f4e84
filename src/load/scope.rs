//! What a job asks the API for: everything, or what changed since the table was loaded.

use super::identity::hash_of;
use super::merge_sql::{column_named, type_named};
use super::plan::param_value;
use super::store::{Loaded, Store};
use super::updates::{CursorValue, Moments};
use crate::columns::{ColumnType, TableSchema};
use crate::http::ParamSet;
use crate::session::{quote_ident, Session, Value};
use crate::spec::yaml::nearest;
use crate::spec::{Cursor, ParamValue, ParamValues, ScalarType, TableDef, Updates};
use crate::{Error, Result};
use std::collections::{HashMap, HashSet};

/// What a job asks for.
#[derive(Debug, Clone)]
pub enum Scope {
    Everything(Moments),
    Updates(Box<Since>),
}

/// From where on each parameter set asks for updates.
#[derive(Debug, Clone)]
pub struct Since {
    pub moments: Moments,
    places: Places,
}

#[derive(Debug, Clone)]
enum Places {
    /// By the start of the last load, for the sets it loaded: by the values of the params that vary.
    LastLoad { params: Vec<String>, names: HashSet<String> },
    /// By the values of the copied params in a set, where requests begin.
    Cursors { params: Vec<String>, starts: HashMap<Vec<String>, CursorValue> },
}

/// Where the requests of a set begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// Nothing of the set is loaded.
    Beginning,
    LastLoad,
    Cursor(CursorValue),
}

impl Scope {
    /// Returns what a refresh of a loaded table asks for. A table that has nothing to continue from is loaded in full. Fails when the
    /// cursor's column cannot be one.
    pub fn of_refresh(session: &mut dyn Session, store: &Store, table_def: &TableDef, loaded: Loaded, now: i64) -> Result<Scope> {
        let moments = Moments { now, last_start: loaded.started };
        let Some(updates) = table_def.refresh.updates() else { return Ok(Scope::Everything(moments)) };
        if loaded.columns.columns.is_empty() {
            return Ok(Scope::Everything(moments));
        }
        let params = varying_params(table_def, updates);
        let places = match &updates.cursor {
            None if loaded.started.is_none() => return Ok(Scope::Everything(moments)),
            None => Places::LastLoad {
                params,
                names: loaded.sets.iter().flat_map(|sets| sets.split_whitespace()).map(str::to_string).collect(),
            },
            Some(cursor) => {
                let starts = starts_of(session, store, &loaded.columns, (cursor, &params), loaded.started)?;
                if starts.is_empty() {
                    return Ok(Scope::Everything(moments));
                }
                Places::Cursors { params, starts }
            }
        };
        Ok(Scope::Updates(Box::new(Since { moments, places })))
    }
}

impl Scope {
    /// Returns what the load knows about time.
    pub fn moments(&self) -> Moments {
        match self {
            Scope::Everything(moments) => *moments,
            Scope::Updates(since) => since.moments,
        }
    }
}

impl Since {
    /// Returns where the requests of a set begin; the set has the params that the refresh leaves as they are.
    pub fn start_of(&self, set: &ParamSet) -> Start {
        match &self.places {
            Places::LastLoad { params, names } if params.is_empty() || names.contains(&set_name(set, params)) => Start::LastLoad,
            Places::LastLoad { .. } => Start::Beginning,
            Places::Cursors { params, starts } => {
                let text_of = |name: &String| set.values.iter().find(|(own, _)| own == name).and_then(|(_, value)| value.to_text());
                let texts: Option<Vec<String>> = params.iter().map(text_of).collect();
                texts.and_then(|texts| starts.get(&texts)).map_or(Start::Beginning, |start| Start::Cursor(*start))
            }
        }
    }
}

/// Returns the params of the table that make several calls and that a refresh leaves as they are.
pub fn varying_params(table_def: &TableDef, updates: &Updates) -> Vec<String> {
    let varies = table_def.params.iter().filter(|param_def| !matches!(param_def.values, ParamValues::One(_)));
    varies.flat_map(|param_def| &param_def.names).filter(|name| !updates.replaces(name)).cloned().collect()
}

/// Returns the names of the sets a job loads, for the next one to know them by; `None` where that does not need them.
pub fn loaded_sets<'s>(table_def: &TableDef, sets: impl Iterator<Item = &'s ParamSet>) -> Option<String> {
    let updates = table_def.refresh.updates().filter(|updates| updates.cursor.is_none())?;
    let params = varying_params(table_def, updates);
    if params.is_empty() {
        return None;
    }
    let mut names: Vec<String> = sets.map(|set| set_name(set, &params)).collect();
    names.sort();
    names.dedup();
    Some(names.join(" "))
}

/// Returns a short name of the values a set has for these params.
fn set_name(set: &ParamSet, params: &[String]) -> String {
    let values: Vec<&(String, ParamValue)> = set.values.iter().filter(|(name, _)| params.contains(name)).collect();
    hash_of(&format!("{values:?}"))
}

/// Returns where requests begin, by the values of the copied params.
fn starts_of(
    session: &mut dyn Session,
    store: &Store,
    known: &TableSchema,
    (cursor, params): (&Cursor, &[String]),
    last_start: Option<i64>,
) -> Result<HashMap<Vec<String>, CursorValue>> {
    let Some(column) = column_named(known, &cursor.column) else {
        if session.query(&format!("SELECT 1 FROM {} LIMIT 1", store.target))?.is_empty() {
            return Ok(HashMap::new());
        }
        let names = known.columns.iter().map(|column| column.name.as_str());
        let hint = nearest(&cursor.column, names).map_or(String::new(), |name| format!(" (did you mean '{name}'?)"));
        let message = format!("the cursor column '{}' is not among the table's columns{hint}", cursor.column);
        return Err(Error::config(format!("{message}; correct the spec, or DROP the table to load it anew")));
    };
    let mut columns = Vec::new();
    for param in params {
        let missing =
            || Error::config(format!("the table has no column of param '{param}', which its cursor needs; DROP the table to load it anew"));
        columns.push(quote_ident(known.param_column(param).ok_or_else(missing)?));
    }
    let groups = if columns.is_empty() { String::new() } else { format!(" GROUP BY {}", columns.join(", ")) };
    columns.push(format!("max({})", quote_ident(column)));
    let is_set = format!("{} IS NOT NULL", quote_ident(column));
    let rows = session.query(&format!("SELECT {} FROM {} WHERE {is_set}{groups}", columns.join(", "), store.target))?;
    let mut starts = HashMap::new();
    for mut row in rows {
        let value = row.pop().filter(|value| *value != Value::Null);
        if value.is_some() {
            check_type(known, cursor)?;
        }
        let Some(value) = value.as_ref().and_then(CursorValue::of) else { continue };
        let texts: Option<Vec<String>> = row.into_iter().map(|value| param_value(value).to_text()).collect();
        if let Some(texts) = texts {
            starts.insert(texts, value.start(cursor, last_start)?);
        }
    }
    Ok(starts)
}

fn check_type(known: &TableSchema, cursor: &Cursor) -> Result<()> {
    use ScalarType::{BigInt, Date, Double, HugeInt, Timestamp};
    match type_named(known, &cursor.column) {
        Some(ColumnType::Scalar(BigInt | HugeInt | Double | Date | Timestamp)) => Ok(()),
        column_type => Err(Error::config(format!(
            "the cursor column '{}' is {}, whose greatest value says nothing; declare its type in the spec, or DROP the table to load it anew",
            cursor.column,
            column_type.map_or("unknown", ColumnType::sql_name)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> ParamValue {
        ParamValue::Text(text.into())
    }

    fn set(values: &[(&str, ParamValue)]) -> ParamSet {
        ParamSet { values: values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(), from_parent: true }
    }

    fn since(places: Places) -> Since {
        Since { moments: Moments { now: 0, last_start: Some(0) }, places }
    }

    #[test]
    fn every_call_continues_from_its_own_rows() {
        let starts = HashMap::from([(vec!["acme".to_string(), "5".to_string()], CursorValue::Integer(7))]);
        let since = since(Places::Cursors { params: vec!["org".into(), "team".into()], starts });
        let acme = set(&[("state", text("any")), ("org", text("acme")), ("team", ParamValue::Integer(5))]);
        assert_eq!(since.start_of(&acme), Start::Cursor(CursorValue::Integer(7)));
        let other = set(&[("org", text("acme")), ("team", ParamValue::Integer(6))]);
        assert_eq!(since.start_of(&other), Start::Beginning);
        assert_eq!(since.start_of(&set(&[("org", text("acme"))])), Start::Beginning);
    }

    #[test]
    fn calls_the_last_load_did_not_make_begin_at_the_beginning() {
        let known = set(&[("org", text("acme")), ("since", text("x"))]);
        let params = vec!["org".to_string()];
        let names = HashSet::from([set_name(&known, &params)]);
        let since = since(Places::LastLoad { params, names });
        assert_eq!(since.start_of(&known), Start::LastLoad);
        assert_eq!(since.start_of(&set(&[("org", text("globex"))])), Start::Beginning);
    }
}
