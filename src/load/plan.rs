//! Which parameter sets a load calls the API with.

use super::scope::{Scope, Since, Start};
use crate::columns::ColumnType;
use crate::http::ParamSet;
use crate::session::{Session, Value};
use crate::spec::{Connection, ParamDef, ParamValue, ParamValues, ScalarType, TableDef, Updates};
use crate::{Error, Result};

/// Most parameter sets of one table: beyond it the parents are not what the spec's author meant.
const MAX_SETS: usize = 1_000_000;

/// A table whose params are resolved, and where its parents are.
#[derive(Clone, Copy)]
pub struct Planned<'a> {
    pub connection: &'a Connection,
    pub table_def: &'a TableDef,
    /// The attached database of the parents.
    pub catalog: &'a str,
}

/// Returns the parameter sets of a table, in declared order with the first param outermost; for updates, the params that stay come
/// first. Queries run on `session`, over the connection's schema.
pub fn parameter_sets(planned: Planned<'_>, scope: &Scope, session: &mut dyn Session) -> Result<Vec<ParamSet>> {
    let params: Vec<&ParamDef> = planned.table_def.params.iter().collect();
    match (scope, planned.table_def.refresh.updates()) {
        (Scope::Updates(since), Some(updates)) => planned.update_sets(since, updates, session),
        (Scope::Updates(_) | Scope::Everything(_), _) => {
            let moments = scope.moments();
            let sets = planned.sets_of(&params, session)?;
            sets.into_iter().map(|set| planned.filled(set, |hole| moments.value_of(hole))).collect()
        }
    }
}

impl Planned<'_> {
    /// Returns the sets that ask for updates where the table has rows of them, and for everything where it has none.
    fn update_sets(&self, since: &Since, updates: &Updates, session: &mut dyn Session) -> Result<Vec<ParamSet>> {
        let (replaced, kept): (Vec<&ParamDef>, Vec<&ParamDef>) =
            self.table_def.params.iter().partition(|param_def| param_def.names.iter().any(|name| updates.replaces(name)));
        let kept = self.sets_of(&kept, session)?;
        let replaced = self.sets_of(&replaced, session)?;
        let laid_over = self.sets_of(&updates.params.iter().collect::<Vec<_>>(), session)?;
        let mut sets = Vec::new();
        for set in kept {
            let set = self.filled(set, |hole| since.moments.value_of(hole))?;
            let (cursor, others) = match since.start_of(&set) {
                Start::Beginning => {
                    for other in &replaced {
                        sets.push(joined(&set, self.filled(other.clone(), |hole| since.moments.value_of(hole))?));
                    }
                    continue;
                }
                Start::LastLoad => (None, &laid_over),
                Start::Cursor(value) => (Some(value), &laid_over),
            };
            for other in others {
                let mut set = joined(&set, self.filled(other.clone(), |hole| since.moments.update_value_of(updates, cursor, hole))?);
                let param = updates.cursor.as_ref().and_then(|cursor| cursor.param.clone());
                if let (Some(param), Some(value)) = (param, cursor) {
                    set.values.push((param, ParamValue::Text(value.to_param(&updates.format))));
                }
                sets.push(set);
            }
        }
        check_count(sets.len())?;
        Ok(sets)
    }

    /// Returns all combinations of the params' values, holes not yet filled.
    fn sets_of(&self, params: &[&ParamDef], session: &mut dyn Session) -> Result<Vec<ParamSet>> {
        let mut axes = Vec::new();
        for param_def in params {
            axes.push(self.axis_of(param_def, session)?);
        }
        product(&axes)
    }

    fn axis_of(&self, param_def: &ParamDef, session: &mut dyn Session) -> Result<Axis> {
        let (elements, from_parent) = match &param_def.values {
            ParamValues::One(value) => (vec![vec![value.clone()]], false),
            ParamValues::Each(elements) => (elements.clone(), false),
            ParamValues::Query(query) => {
                let sql = query.qualified(Some(self.catalog), &self.connection.name);
                let rows = session.query(&sql).map_err(|err| err.within(format!("param '{}'", param_def.names.join(","))))?;
                (elements_of(param_def, rows)?, true)
            }
        };
        Ok(Axis { names: param_def.names.clone(), elements, from_parent })
    }

    fn filled(&self, set: ParamSet, value_of: impl Fn(&str) -> Option<String>) -> Result<ParamSet> {
        let mut values = Vec::with_capacity(set.values.len());
        for (name, value) in set.values {
            let value = self.connection.resolve(&value, &value_of)?;
            values.push((name, value));
        }
        Ok(ParamSet { values, ..set })
    }
}

fn joined(set: &ParamSet, more: ParamSet) -> ParamSet {
    let values = set.values.iter().cloned().chain(more.values).collect();
    ParamSet { values, from_parent: set.from_parent || more.from_parent }
}

/// The values one param takes: each element has a value for each of the param's names.
struct Axis {
    names: Vec<String>,
    elements: Vec<Vec<ParamValue>>,
    from_parent: bool,
}

/// Returns a query's rows as elements; a row with a null skips its call.
fn elements_of(param_def: &ParamDef, rows: Vec<Vec<Value>>) -> Result<Vec<Vec<ParamValue>>> {
    let mut elements = Vec::with_capacity(rows.len());
    for row in rows {
        if row.len() != param_def.names.len() {
            return Err(Error::config(format!(
                "param '{}' has {} names, but its query returns {} columns; make them the same",
                param_def.names.join(","),
                param_def.names.len(),
                row.len()
            )));
        }
        let values: Vec<ParamValue> = row.into_iter().map(param_value).collect();
        if !values.contains(&ParamValue::Null) {
            elements.push(values);
        }
    }
    Ok(elements)
}

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
        Value::Map(_) => ParamValue::Null,
    }
}

fn product(axes: &[Axis]) -> Result<Vec<ParamSet>> {
    let n_sets = axes.iter().try_fold(1usize, |n_sets, axis| n_sets.checked_mul(axis.elements.len())).unwrap_or(usize::MAX);
    check_count(n_sets)?;
    let from_parent = axes.iter().any(|axis| axis.from_parent);
    let mut sets = vec![Vec::new()];
    for axis in axes {
        let mut longer = Vec::with_capacity(sets.len() * axis.elements.len());
        for set in &sets {
            for element in &axis.elements {
                let mut set: Vec<(String, ParamValue)> = set.clone();
                set.extend(axis.names.iter().cloned().zip(element.iter().cloned()));
                longer.push(set);
            }
        }
        sets = longer;
    }
    Ok(sets.into_iter().map(|values| ParamSet { values, from_parent }).collect())
}

fn check_count(n_sets: usize) -> Result<()> {
    if n_sets > MAX_SETS {
        return Err(Error::config(format!("the params make more than {MAX_SETS} calls; narrow their lists or queries")));
    }
    Ok(())
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
        ParamValue::Text(_) | ParamValue::Template(_) => ColumnType::Scalar(ScalarType::Varchar),
    }
}

/// Returns the values of the copied params in one set, in the order of [`param_columns`].
pub fn copied_values(table_def: &TableDef, set: &ParamSet) -> Vec<ParamValue> {
    let value_of = |name: &String| set.values.iter().find(|(param, _)| param == name).map_or(ParamValue::Null, |(_, value)| value.clone());
    table_def.copy_params_to_output.iter().map(value_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(names: &[&str], elements: Vec<Vec<ParamValue>>) -> Axis {
        Axis { names: names.iter().map(|name| name.to_string()).collect(), elements, from_parent: false }
    }

    fn text(text: &str) -> ParamValue {
        ParamValue::Text(text.into())
    }

    #[test]
    fn several_lists_make_the_product_first_outermost() {
        let axes = [
            axis(&["a"], vec![vec![text("1")], vec![text("2")]]),
            axis(&["owner", "repo"], vec![vec![text("x"), text("y")], vec![text("z"), text("w")]]),
        ];
        let sets = product(&axes).unwrap();
        let shown: Vec<String> = sets
            .iter()
            .map(|set| set.values.iter().map(|(name, value)| format!("{name}={}", value.to_text().unwrap())).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(shown, ["a=1 owner=x repo=y", "a=1 owner=z repo=w", "a=2 owner=x repo=y", "a=2 owner=z repo=w"]);
    }

    #[test]
    fn no_rows_mean_no_calls_and_no_params_mean_one() {
        assert_eq!(product(&[axis(&["a"], Vec::new()), axis(&["b"], vec![vec![text("1")]])]).unwrap().len(), 0);
        assert_eq!(product(&[]).unwrap().len(), 1);
    }

    #[test]
    fn a_null_skips_its_call_and_a_wrong_width_is_an_error() {
        let param_def = ParamDef { names: vec!["a".into()], values: ParamValues::One(ParamValue::Null) };
        let rows = vec![vec![Value::Integer(1)], vec![Value::Null], vec![Value::Text("x".into())]];
        assert_eq!(elements_of(&param_def, rows).unwrap(), [vec![ParamValue::Integer(1)], vec![text("x")]]);
        let err = elements_of(&param_def, vec![vec![Value::Null, Value::Null]]).unwrap_err();
        assert!(err.message().contains("has 1 names, but its query returns 2 columns"), "{err}");
    }

    #[test]
    fn too_many_calls_are_refused() {
        let wide = || axis(&["a"], vec![vec![text("1")]; 1001]);
        assert!(product(&[wide(), wide()]).unwrap_err().message().contains("more than 1000000 calls"));
    }
}
