//! The values of each param, and their combinations.

use crate::http::ParamSet;
use crate::load::plan::param_value::param_value;
use crate::session::Value;
use crate::spec::{Many, ParamDef, ParamValue};
use crate::{Error, Result};
use std::collections::HashSet;
use std::num::NonZeroUsize;

/// Most parameter sets of one table: beyond it the parents are not what the spec's author meant.
const MAX_SETS: usize = 1_000_000;

/// The values one param takes: each element has a value for each of the param's names.
pub(super) struct Axis {
    pub names: Vec<String>,
    pub elements: Vec<Vec<ParamValue>>,
    /// Whether a query gave them.
    pub from_parent: bool,
}

impl Axis {
    /// Puts as many values into one element as go into one request.
    pub fn grouped(self, many: Many) -> Axis {
        let most = many.batch.map_or(usize::MAX, NonZeroUsize::get);
        let values: Vec<ParamValue> = self.elements.into_iter().flatten().collect();
        let element = |values: &[ParamValue]| vec![ParamValue::Many { values: values.to_vec(), form: many.form }];
        Axis { elements: values.chunks(most).map(element).collect(), ..self }
    }

    /// Leaves out the elements that are sent as an earlier one is: 1 and '1' are. Returns how many.
    pub fn leave_out_repeated(&mut self) -> usize {
        let n_elements = self.elements.len();
        let mut seen = HashSet::with_capacity(n_elements);
        self.elements.retain(|element| {
            let sent = |value: &ParamValue| match value {
                ParamValue::Template(_) => Some(format!("{value:?}")),
                other => other.to_text(),
            };
            seen.insert(element.iter().map(sent).collect::<Vec<_>>())
        });
        n_elements - self.elements.len()
    }
}

/// Returns a query's rows as elements; a row with a null skips its call.
pub(super) fn elements_of(param_def: &ParamDef, rows: Vec<Vec<Value>>) -> Result<Vec<Vec<ParamValue>>> {
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

/// Returns all combinations of the params' values.
pub(super) fn product(axes: &[Axis]) -> Result<Vec<ParamSet>> {
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
    Ok(sets.into_iter().map(|values| ParamSet { values, from_parent, ..ParamSet::default() }).collect())
}

/// Fails when there are more sets than a table may have.
pub(super) fn check_count(n_sets: usize) -> Result<()> {
    if n_sets > MAX_SETS {
        return Err(Error::config(format!("the params make more than {MAX_SETS} calls; narrow their lists or queries")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{ManyForm, ParamValues};

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
        let param_def = ParamDef::new(vec!["a".into()], ParamValues::One(ParamValue::Null));
        let rows = vec![vec![Value::Integer(1)], vec![Value::Null], vec![Value::Text("x".into())]];
        assert_eq!(elements_of(&param_def, rows).unwrap(), [vec![ParamValue::Integer(1)], vec![text("x")]]);
        let err = elements_of(&param_def, vec![vec![Value::Null, Value::Null]]).unwrap_err();
        assert!(err.message().contains("has 1 names, but its query returns 2 columns"), "{err}");
    }

    #[test]
    fn values_that_are_sent_alike_are_one() {
        let template = |text: &str| ParamValue::Template(crate::spec::Template::parse_value(text).unwrap());
        let elements = [
            vec![text("1"), text("x")],
            vec![ParamValue::Integer(1), text("x")],
            vec![text("1"), text("X")],
            vec![text("1"), ParamValue::Null],
            vec![text("1"), text("x")],
            vec![template("${a}"), text("x")],
            vec![template("${b}"), text("x")],
            vec![ParamValue::Boolean(true), text("")],
            vec![text("true"), text("")],
        ];
        let mut axis = axis(&["a", "b"], elements.to_vec());
        assert_eq!(axis.leave_out_repeated(), 3);
        let left: Vec<Vec<ParamValue>> = [0, 2, 3, 5, 6, 7].iter().map(|idx: &usize| elements[*idx].clone()).collect();
        assert_eq!(axis.elements, left);
    }

    #[test]
    fn many_values_go_into_one_call() {
        let values = || axis(&["a"], (0..5).map(|value| vec![ParamValue::Integer(value)]).collect());
        let grouped = |batch: Option<usize>| {
            let many = Many { batch: batch.and_then(NonZeroUsize::new), form: ManyForm::Comma };
            values().grouped(many).elements.iter().map(|element| element[0].to_text().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(grouped(Some(2)), ["[0,1]", "[2,3]", "[4]"]);
        assert_eq!(grouped(None), ["[0,1,2,3,4]"]);
        assert!(axis(&["a"], Vec::new()).grouped(Many { batch: None, form: ManyForm::Json }).elements.is_empty());
    }

    #[test]
    fn too_many_calls_are_refused() {
        let wide = || axis(&["a"], (0..1001).map(|value| vec![ParamValue::Integer(value)]).collect());
        assert!(product(&[wide(), wide()]).unwrap_err().message().contains("more than 1000000 calls"));
    }
}
