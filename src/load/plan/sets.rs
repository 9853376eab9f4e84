//! Which parameter sets a load calls the API with.

use crate::columns::ColumnType;
use crate::http::{unusable_value, ParamSet};
use crate::load::job::log::Notes;
use crate::load::plan::axis::{check_count, elements_of, product, Axis};
use crate::load::plan::fill::filled;
use crate::load::plan::scope::{Scope, Since, Start};
use crate::load::plan::spec_query;
use crate::load::plan::updates::Moments;
use crate::load::plan::windows::{Windows, WindowsSince};
use crate::session::{LogLevel, Session, TableName};
use crate::spec::{Connection, LoadValues, ParamDef, ParamValue, ParamValues, ParentQuery, ScalarType, TableDef, Updates};
use crate::{ErrorKind, Result};
use std::collections::HashSet;
use std::sync::Arc;

/// A table whose params are resolved, and where its parents are.
#[derive(Clone, Copy)]
pub struct Planned<'a> {
    pub connection: &'a Connection,
    pub table_def: &'a TableDef,
    /// The attached database of the parents.
    pub catalog: &'a str,
}

/// The calls of a load, and what the log is to say about those that are not made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlannedSets {
    pub sets: Vec<ParamSet>,
    pub notes: Notes,
}

/// What has changed, and how a table is asked for it.
struct Changed<'a> {
    since: &'a Since,
    updates: &'a Updates,
}

/// Returns the parameter sets of a table, in declared order with the first param outermost; for updates, the params that stay come
/// first. Of sets that make the same requests there is the first; sets whose values a parent gave and no URL can hold are left out.
/// Queries run on `session`, over the connection's schema.
///
/// Where the fields of a table are asked for in chunks, there are these sets for each chunk.
pub fn parameter_sets(planned: Planned<'_>, scope: &Scope, session: &mut dyn Session) -> Result<PlannedSets> {
    let chunks = planned.table_def.by_chunks();
    if chunks.is_empty() {
        return sets_of_all_fields(planned, scope, session);
    }
    let mut of_chunks = PlannedSets::default();
    for table_def in &chunks {
        let PlannedSets { sets, notes } = sets_of_all_fields(Planned { table_def, ..planned }, scope, session)?;
        check_count(of_chunks.sets.len() + sets.len())?;
        of_chunks.sets.extend(sets);
        of_chunks.notes = notes;
    }
    Ok(of_chunks)
}

pub(super) fn sets_of_all_fields(planned: Planned<'_>, scope: &Scope, session: &mut dyn Session) -> Result<PlannedSets> {
    let params: Vec<&ParamDef> = planned.table_def.params.iter().collect();
    let mut n_repeated = 0;
    let mut windows = Windows::new(planned.connection, planned.table_def);
    let sets = match (scope, planned.table_def.refresh.updates()) {
        (Scope::Updates(since), Some(updates)) => {
            planned.update_sets(Changed { since, updates }, session, &mut n_repeated, &mut windows)?
        }
        (Scope::Updates(_) | Scope::Everything(_), _) => {
            let load = planned.values(scope.moments().values(&planned.table_def.date_format));
            let sets = planned.sets_of(&params, session, &mut n_repeated)?;
            planned.filled_sets(sets, &load, &mut windows)?
        }
    };
    let mut notes = Notes::new();
    if sets.is_empty() {
        notes.extend(planned.reason_for_none(session)?.map(|reason| (LogLevel::Warning, reason)));
    }
    notes.extend(windows.and_then(|windows| windows.note()).map(|note| (LogLevel::Warning, note)));
    let mut planned_sets = PlannedSets { sets, notes };
    planned_sets.leave_out_unusable(planned.connection, planned.table_def);
    planned_sets.leave_out_repeated(n_repeated);
    Ok(planned_sets)
}

impl PlannedSets {
    /// Leaves out the sets that make the requests of an earlier one, and notes it, with the values that were left out before.
    fn leave_out_repeated(&mut self, n_repeated: usize) {
        let n_sets = self.sets.len();
        let mut seen = HashSet::with_capacity(n_sets);
        self.sets.retain(|set| {
            let values: Vec<_> = set.values.iter().map(|(name, value)| (name.clone(), value.to_text())).collect();
            seen.insert((values, set.window.as_ref().map(|windowed| windowed.window)))
        });
        let n_repeated = n_repeated + n_sets - self.sets.len();
        if n_repeated > 0 {
            self.notes.push((LogLevel::Info, format!("values of params that came again and are asked for once: {n_repeated}")));
        }
    }

    /// Leaves out the sets whose values would make another URL than the table's.
    pub(super) fn leave_out_unusable(&mut self, connection: &Connection, table_def: &TableDef) {
        let n_sets = self.sets.len();
        let mut first = None;
        self.sets.retain(|set| {
            let fault = if set.from_parent { unusable_value(connection, table_def, set) } else { None };
            let is_usable = fault.is_none();
            first = first.take().or(fault);
            is_usable
        });
        if let Some(err) = first {
            let n_skipped = n_sets - self.sets.len();
            self.notes.push((LogLevel::Warning, format!("parameter sets skipped: {n_skipped}; of the first, {err}")));
        }
    }
}

impl Planned<'_> {
    /// Returns what a load knows, with what was discovered of the table.
    fn values(&self, values: LoadValues) -> Arc<LoadValues> {
        Arc::new(LoadValues { discovered: self.table_def.discovered.clone(), ..values })
    }

    /// Returns the sets that ask for updates where the table has rows of them, and for everything where it has none.
    fn update_sets(
        &self,
        Changed { since, updates }: Changed<'_>,
        session: &mut dyn Session,
        n_repeated: &mut usize,
        windows: &mut Option<Windows<'_>>,
    ) -> Result<Vec<ParamSet>> {
        let changed = updates.changed(&self.table_def.params);
        let is_changed = |param_def: &&ParamDef| param_def.names.iter().any(|name| changed.contains(&name.as_str()));
        let (changed, kept): (Vec<&ParamDef>, Vec<&ParamDef>) = self.table_def.params.iter().partition(is_changed);
        let refilled = changed.iter().filter(|param_def| !param_def.names.iter().any(|name| updates.replaces(name))).copied();
        let laid_over: Vec<&ParamDef> = refilled.chain(&updates.params).collect();
        let kept = self.sets_of(&kept, session, n_repeated)?;
        let replaced = self.sets_of(&changed, session, n_repeated)?;
        let laid_over = self.sets_of(&laid_over, session, n_repeated)?;
        let mut sets = Vec::new();
        let of_load = self.values(since.moments.values(&updates.format));
        let last = since.moments.last_start.map(|now| Moments { now, last_start: None }.values(&updates.format));
        // Which window it is does not tell where a set begins.
        let window = self.table_def.window.as_ref().map(|window_def| window_def.sample(since.moments.now));
        let of_any_window = Arc::new(LoadValues { window, ..LoadValues::clone(&of_load) });
        for set in kept {
            let start = since.start_of(&filled(self.connection, set.clone(), &of_any_window)?);
            let later = last.as_ref().filter(|_| start != Start::Beginning).map(|last| WindowsSince { last, lookback: updates.lookback });
            let param = updates.sync_token.as_ref().and_then(|sync| sync.param.clone());
            let link = start.token().filter(|_| param.is_none()).map(str::to_string);
            let token = param.zip(start.token().map(str::to_string));
            let (cursor, others, load) = match start {
                Start::Beginning => (None, &replaced, of_load.clone()),
                Start::Token(_) => (None, &laid_over, self.values(since.moments.update_values(updates, None))),
                Start::LastLoad => (None, &laid_over, self.values(since.moments.update_values(updates, None))),
                Start::Cursor(value) => (Some(value), &laid_over, self.values(since.moments.update_values(updates, Some(value)))),
            };
            let begun = updates.cursor.as_ref().and_then(|cursor| cursor.param.clone()).zip(cursor);
            let begun = begun.map(|(param, value)| (param, value.to_param(&updates.format)));
            for other in others {
                let mut set = ParamSet { link: link.clone(), ..joined(&set, other.clone()) };
                let values = begun.clone().into_iter().chain(token.clone());
                set.values.extend(values.map(|(param, text)| (param, ParamValue::Text(text))));
                let asked = match windows {
                    Some(windows) => windows.sets_of(set, &load, later)?,
                    None => vec![filled(self.connection, set, &load)?],
                };
                check_count(sets.len() + asked.len())?;
                sets.extend(asked);
            }
        }
        Ok(sets)
    }

    /// Returns the sets with their holes filled, each for all windows of the table.
    fn filled_sets(&self, sets: Vec<ParamSet>, load: &Arc<LoadValues>, windows: &mut Option<Windows<'_>>) -> Result<Vec<ParamSet>> {
        let Some(windows) = windows else { return sets.into_iter().map(|set| filled(self.connection, set, load)).collect() };
        let mut asked = Vec::new();
        for set in sets {
            asked.extend(windows.sets_of(set, load, None)?);
            check_count(asked.len())?;
        }
        Ok(asked)
    }

    /// Returns all combinations of the params' values, holes not yet filled. Counts the values of a param that came again.
    fn sets_of(&self, params: &[&ParamDef], session: &mut dyn Session, n_repeated: &mut usize) -> Result<Vec<ParamSet>> {
        let mut axes = Vec::new();
        for param_def in params {
            let mut axis = self.axis_of(param_def, session)?;
            *n_repeated += axis.leave_out_repeated();
            axes.push(match param_def.many {
                Some(many) => axis.grouped(many),
                None => axis,
            });
        }
        product(&axes)
    }

    fn axis_of(&self, param_def: &ParamDef, session: &mut dyn Session) -> Result<Axis> {
        let (elements, from_parent) = match &param_def.values {
            ParamValues::One(value) => (vec![vec![value.clone()]], false),
            ParamValues::Each(elements) => (elements.clone(), false),
            ParamValues::Query(query) => {
                let rows = match spec_query::rows_of(query, param_def.many.is_some(), self.catalog, self.connection, session) {
                    Ok(rows) => rows,
                    // A table without rows has the declared columns only, and the query may name others.
                    Err(err) if err.kind() == ErrorKind::Database && self.empty_parent(query, session)?.is_some() => Vec::new(),
                    Err(err) => return Err(err.within(format!("param '{}'", param_def.names.join(",")))),
                };
                (elements_of(param_def, rows)?, true)
            }
        };
        Ok(Axis { names: param_def.names.clone(), elements, from_parent })
    }

    /// Returns why the queries of the params give nothing to ask for: a parent table is empty, or a query takes none of its rows.
    fn reason_for_none(&self, session: &mut dyn Session) -> Result<Option<String>> {
        let mut reason = None;
        for param_def in &self.table_def.params {
            let ParamValues::Query(query) = &param_def.values else { continue };
            if let Some(parent) = self.empty_parent(query, session)? {
                return Ok(Some(format!("the parent table '{parent}' is empty: nothing to ask for")));
            }
            let name = param_def.names.join(",");
            reason =
                reason.or(Some(format!("the query of param '{name}' takes no row of '{}': nothing to ask for", query.tables.join("', '"))));
        }
        Ok(reason)
    }

    /// Returns the first table that a query reads and that has no rows.
    fn empty_parent<'q>(&self, query: &'q ParentQuery, session: &mut dyn Session) -> Result<Option<&'q str>> {
        for parent in &query.tables {
            let table = TableName { catalog: Some(self.catalog.to_string()), schema: self.connection.name.clone(), table: parent.clone() };
            if session.query(&format!("SELECT 1 FROM {table} LIMIT 1"))?.is_empty() {
                return Ok(Some(parent));
            }
        }
        Ok(None)
    }
}

fn joined(set: &ParamSet, more: ParamSet) -> ParamSet {
    let values = set.values.iter().cloned().chain(more.values).collect();
    ParamSet { values, from_parent: set.from_parent || more.from_parent, ..ParamSet::default() }
}

/// Returns the columns that `copy_params_to_output` adds, with types that hold the values of every set.
pub fn param_columns(table_def: &TableDef, sets: &[ParamSet]) -> Vec<(String, ColumnType)> {
    let column = |name: &String| {
        let values = sets.iter().filter_map(|set| set.values.iter().find(|(param, _)| param == name)).map(|(_, value)| type_of(value));
        (name.clone(), values.fold(ColumnType::Undecided, ColumnType::widened))
    };
    table_def.copy_params_to_output.iter().map(column).collect()
}

/// Returns the type of a column that holds the value.
pub fn type_of(value: &ParamValue) -> ColumnType {
    match value {
        ParamValue::Null => ColumnType::Undecided,
        ParamValue::Boolean(_) => ColumnType::Scalar(ScalarType::Boolean),
        ParamValue::Integer(value) if i64::try_from(*value).is_ok() => ColumnType::Scalar(ScalarType::BigInt),
        ParamValue::Integer(_) => ColumnType::Scalar(ScalarType::HugeInt),
        ParamValue::Double(_) => ColumnType::Scalar(ScalarType::Double),
        ParamValue::Text(_) | ParamValue::Raw(_) | ParamValue::Template(_) | ParamValue::Many { .. } => {
            ColumnType::Scalar(ScalarType::Varchar)
        }
    }
}

/// Returns the values of the copied params in one set, in the order of [`param_columns`].
pub fn copied_values(table_def: &TableDef, set: &ParamSet) -> Vec<ParamValue> {
    let value_of = |name: &String| {
        set.values.iter().find(|(param, _)| param == name).map_or(ParamValue::Null, |(_, value)| match value {
            ParamValue::Many { .. } => value.to_text().map_or(ParamValue::Null, ParamValue::Text),
            value => value.clone(),
        })
    };
    table_def.copy_params_to_output.iter().map(value_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_that_are_sent_alike_are_one_and_that_is_told() {
        let text = |text: &str| ParamValue::Text(text.into());
        let set = |value: ParamValue| ParamSet { values: vec![("a".into(), value)], from_parent: false, ..ParamSet::default() };
        let mut sets = PlannedSets { sets: vec![set(text("7")), set(ParamValue::Integer(7)), set(text("8"))], notes: Notes::new() };
        sets.leave_out_repeated(2);
        assert_eq!(sets.sets, [set(text("7")), set(text("8"))]);
        assert_eq!(sets.notes, [(LogLevel::Info, "values of params that came again and are asked for once: 3".to_string())]);
    }
}
