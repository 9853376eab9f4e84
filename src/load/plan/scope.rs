//! What a job asks the API for: everything, or what changed since the table was loaded.

use crate::columns::{ColumnType, TableSchema};
use crate::http::ParamSet;
use crate::load::identity;
use crate::load::identity::version_0;
use crate::load::job::log::Notes;
use crate::load::plan::far_ahead::far_ahead;
use crate::load::plan::named::{column_named, type_named};
use crate::load::plan::param_value::param_value;
use crate::load::plan::updates::{CursorValue, Moments};
use crate::load::records::store::{Loaded, Store};
use crate::session::{quote_ident, Session, Value};
use crate::spec::{Cursor, ScalarType, TableDef, Updates};
use crate::yaml::nearest;
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap, HashSet};

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
    starts: Starts,
    /// What the log is to say of the cursor.
    notes: Notes,
}

#[derive(Debug, Clone)]
enum Starts {
    /// By the start of the last load, for the sets it loaded: by the values of the params that vary.
    LastLoad { params: Vec<String>, names: HashSet<String> },
    /// By the values of the copied params in a set, where requests begin.
    Cursors { params: Vec<String>, starts: HashMap<Vec<String>, CursorValue> },
    /// By the tokens that the API gave at the end of the last load, by the names of the sets.
    Tokens { params: Vec<String>, tokens: BTreeMap<String, String> },
}

/// Where the requests of a set begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// Nothing of the set is loaded.
    Beginning,
    LastLoad,
    Cursor(CursorValue),
    Token(String),
}

impl Start {
    /// Returns the token that asks for what changed.
    pub fn token(&self) -> Option<&str> {
        match self {
            Start::Token(token) => Some(token),
            _ => None,
        }
    }
}

impl Scope {
    /// Returns what a refresh of a loaded table asks for. A table that has nothing to continue from is loaded in full. Fails when the
    /// cursor's column cannot be one.
    pub fn of_refresh(session: &mut dyn Session, store: &Store, table_def: &TableDef, loaded: Loaded, now: i64) -> Result<Scope> {
        let moments = Moments { now, last_start: loaded.started };
        let table_def = table_def.for_updates();
        let Some(updates) = table_def.refresh.updates() else { return Ok(Scope::Everything(moments)) };
        if loaded.columns.columns.is_empty() || loaded.is_lacking || is_full_due(updates, &loaded, now) {
            return Ok(Scope::Everything(moments));
        }
        let params = varying_params(table_def, updates);
        let mut notes = Notes::new();
        let starts = match &updates.cursor {
            None if updates.sync_token.is_some() && loaded.marks.tokens.is_empty() => return Ok(Scope::Everything(moments)),
            None if updates.sync_token.is_some() => Starts::Tokens { params, tokens: loaded.marks.tokens },
            None if loaded.started.is_none() => return Ok(Scope::Everything(moments)),
            None => Starts::LastLoad {
                params,
                names: loaded.sets.iter().flat_map(|sets| sets.split_whitespace()).map(str::to_string).collect(),
            },
            Some(_) => {
                let starts = starts_of(session, store, &loaded, updates, &params)?;
                notes.extend(far_ahead(session, store, &loaded.columns, updates, now)?);
                if starts.is_empty() {
                    return Ok(Scope::Everything(moments));
                }
                Starts::Cursors { params, starts }
            }
        };
        Ok(Scope::Updates(Box::new(Since { moments, starts, notes })))
    }
}

impl Scope {
    /// Returns the table as the job's requests have it.
    pub fn table_def<'t>(&self, table_def: &'t TableDef) -> &'t TableDef {
        match self {
            Scope::Everything(_) => table_def,
            Scope::Updates(_) => table_def.for_updates(),
        }
    }

    /// Returns what the load knows about time.
    pub fn moments(&self) -> Moments {
        match self {
            Scope::Everything(moments) => *moments,
            Scope::Updates(since) => since.moments,
        }
    }

    /// Returns what the log is to say.
    pub fn notes(&self) -> Notes {
        match self {
            Scope::Everything(_) => Notes::new(),
            Scope::Updates(since) => since.notes.clone(),
        }
    }
}

impl Since {
    /// Returns where the requests of a set begin; the set has the params that the refresh leaves as they are.
    pub fn start_of(&self, set: &ParamSet) -> Start {
        match &self.starts {
            Starts::LastLoad { params, names } if params.is_empty() || knows(names, set, params) => Start::LastLoad,
            Starts::LastLoad { .. } => Start::Beginning,
            Starts::Tokens { params, tokens } => {
                tokens.get(&set_name(set, params)).map_or(Start::Beginning, |token| Start::Token(token.clone()))
            }
            Starts::Cursors { params, starts } => {
                let text_of = |name: &String| set.values.iter().find(|(own, _)| own == name).and_then(|(_, value)| value.to_text());
                let texts: Option<Vec<String>> = params.iter().map(text_of).collect();
                texts.and_then(|texts| starts.get(&texts)).map_or(Start::Beginning, |start| Start::Cursor(*start))
            }
        }
    }
}

/// Returns the params of the table that make several calls, and whose values are the same in a refresh as in a load.
pub fn varying_params(table_def: &TableDef, updates: &Updates) -> Vec<String> {
    let changed = updates.changed(&table_def.params);
    let varies = table_def.params.iter().filter(|param_def| param_def.varies());
    varies.flat_map(|param_def| &param_def.names).filter(|name| !changed.contains(&name.as_str())).cloned().collect()
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

/// Returns whether the last load of all rows is so long ago that the next refresh is to be one.
pub fn is_full_due(updates: &Updates, loaded: &Loaded, now: i64) -> bool {
    let Some(every) = updates.full_every else { return false };
    let most = i64::try_from(every.as_micros()).unwrap_or(i64::MAX);
    loaded.marks.full.is_none_or(|full| now.saturating_sub(full) >= most)
}

/// Returns the tokens that the API gave with the sets of a load, by the names of the sets.
pub fn tokens_of(table_def: &TableDef, sets: &[ParamSet], tokens: &BTreeMap<usize, String>) -> BTreeMap<String, String> {
    let Some(updates) = table_def.refresh.updates().filter(|updates| updates.sync_token.is_some()) else { return BTreeMap::new() };
    let params = varying_params(table_def, updates);
    let named = |(number, token): (&usize, &String)| Some((set_name(sets.get(*number)?, &params), token.clone()));
    tokens.iter().filter_map(named).collect()
}

/// Returns a short name of the values a set has for these params.
fn set_name(set: &ParamSet, params: &[String]) -> String {
    identity::set_name(&version_0::values_of(set, params))
}

/// Returns whether the set is among those of these names, which version 0 may have given them.
fn knows(names: &HashSet<String>, set: &ParamSet, params: &[String]) -> bool {
    let is_old = names.iter().next().is_some_and(|name| version_0::is_hash(name));
    let name = if is_old { version_0::set_name(&version_0::values_of(set, params)) } else { set_name(set, params) };
    names.contains(&name)
}

/// Returns where requests begin, by the values of the copied params.
fn starts_of(
    session: &mut dyn Session,
    store: &Store,
    loaded: &Loaded,
    updates: &Updates,
    params: &[String],
) -> Result<HashMap<Vec<String>, CursorValue>> {
    let Some(cursor) = &updates.cursor else { return Ok(HashMap::new()) };
    let known = &loaded.columns;
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
    let name = quote_ident(column);
    columns.push(match type_named(known, column) {
        Some(ColumnType::Native(native)) if native.is_moment() => {
            format!("make_timestamp(epoch_us(max({name}) FILTER (WHERE isfinite({name}))))")
        }
        _ => format!("max({name})"),
    });
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
            starts.insert(texts, value.start(cursor, &updates.format, loaded.started)?);
        }
    }
    Ok(starts)
}

fn check_type(known: &TableSchema, cursor: &Cursor) -> Result<()> {
    use ScalarType::{BigInt, Date, Double, HugeInt, Timestamp, TimestampNs};
    match type_named(known, &cursor.column) {
        Some(ColumnType::Scalar(BigInt | HugeInt | Double | Date | Timestamp | TimestampNs)) => Ok(()),
        Some(ColumnType::Native(native)) if native.is_cursor() => Ok(()),
        column_type => Err(Error::config(format!(
            "the cursor column '{}' is {}, whose greatest value says nothing; declare its type in the spec, or DROP the table to load it anew",
            cursor.column,
            column_type.map_or("unknown".into(), ColumnType::sql_name)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ParamValue;

    fn text(text: &str) -> ParamValue {
        ParamValue::Text(text.into())
    }

    fn set(values: &[(&str, ParamValue)]) -> ParamSet {
        ParamSet {
            values: values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
            from_parent: true,
            ..ParamSet::default()
        }
    }

    fn since(starts: Starts) -> Since {
        Since { moments: Moments { now: 0, last_start: Some(0) }, starts, notes: Notes::new() }
    }

    #[test]
    fn every_call_continues_from_its_own_rows() {
        let starts = HashMap::from([(vec!["acme".to_string(), "5".to_string()], CursorValue::Integer(7))]);
        let since = since(Starts::Cursors { params: vec!["org".into(), "team".into()], starts });
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
        let since = since(Starts::LastLoad { params, names });
        assert_eq!(since.start_of(&known), Start::LastLoad);
        assert_eq!(since.start_of(&set(&[("org", text("globex"))])), Start::Beginning);
    }

    #[test]
    fn calls_that_version_0_made_are_known() {
        let params = vec!["team".to_string()];
        let since = since(Starts::LastLoad { params, names: HashSet::from(["1d9f1146b707e842".to_string()]) });
        assert_eq!(since.start_of(&set(&[("team", ParamValue::Integer(1))])), Start::LastLoad);
        assert_eq!(since.start_of(&set(&[("team", ParamValue::Integer(2))])), Start::Beginning);
    }
}
