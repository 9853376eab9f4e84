//! The values of a table's params for one call.

use crate::spec::{LoadValues, ParamValue, Window};
use std::sync::Arc;

/// Values for the params of a table: one element of the product of its lists and queries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParamSet {
    pub values: Vec<(String, ParamValue)>,
    /// Whether a value came from a query over a parent table.
    pub from_parent: bool,
    /// What the load knows besides.
    pub load: Arc<LoadValues>,
    /// The address of the first page, where an earlier answer told it.
    pub link: Option<String>,
    /// The part of the table's range that is asked for.
    pub window: Option<Windowed>,
}

/// A window of a set of params.
#[derive(Debug, Clone, PartialEq)]
pub struct Windowed {
    pub window: Window,
    /// The params before their holes were filled.
    pub open: Arc<[(String, ParamValue)]>,
}

impl ParamSet {
    /// Returns the value of a param; the last counts.
    pub fn value(&self, name: &str) -> Option<&ParamValue> {
        self.values.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}
