//! Fills the holes of a set's params.

use crate::http::ParamSet;
use crate::spec::{Builtin, Connection, Filled, Layered, LoadValues, ParamValue, Sources, Template};
use crate::{Error, Result};
use std::sync::Arc;

/// Fills the holes of a set's values: those first that name no other param whose holes are not filled yet.
pub fn filled(connection: &Connection, set: ParamSet, load: &Arc<LoadValues>) -> Result<ParamSet> {
    let mut values = set.values;
    let mut left: Vec<usize> = (0..values.len()).filter(|idx| !values[*idx].1.templates().is_empty()).collect();
    while !left.is_empty() {
        let waits_for = |idx: usize| {
            let mut names = values[idx].1.templates().into_iter().flat_map(Template::names);
            let is_left = |name: &str| left.iter().any(|other| *other != idx && values[*other].0 == name);
            names.any(|name| Builtin::named(name).is_none() && is_left(name))
        };
        let Some(at) = left.iter().position(|idx| !waits_for(*idx)) else {
            let names: Vec<&str> = left.iter().map(|idx| values[*idx].0.as_str()).collect();
            return Err(Error::config(format!("params fill each other's holes in a circle: {}", names.join(", "))));
        };
        let idx = left.remove(at);
        let others = SetValues { values: &values, but: &values[idx].0 };
        values[idx].1 = connection.resolve(&values[idx].1, &Layered(load.as_ref(), &others))?;
    }
    Ok(ParamSet { values, load: load.clone(), ..set })
}

/// The params of a set, for the holes of one of them.
pub struct SetValues<'a> {
    pub values: &'a [(String, ParamValue)],
    pub but: &'a str,
}

impl Sources for SetValues<'_> {
    fn value_of(&self, name: &str) -> Option<Filled> {
        self.values.iter().rev().find(|(own, _)| own == name && own != self.but)?.1.filled()
    }
}
