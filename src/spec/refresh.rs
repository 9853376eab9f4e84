//! How a table is brought up to date, as a spec says it.

use super::{DateFormat, ParamDef};
use std::time::Duration;

/// How a table is brought up to date.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum RefreshStrategy {
    /// A full load, swapped in when complete.
    #[default]
    Reload,
    /// Only new or changed rows, merged by key.
    Updates(Box<Updates>),
}

/// What a request for updates asks besides what a load asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Updates {
    /// Laid over the table's params: the same name replaces, others stay.
    pub params: Vec<ParamDef>,
    /// How far before the start of the last load `${timestamp}` lies.
    pub lookback: Duration,
    pub cursor: Option<Cursor>,
    /// How moments are written.
    pub format: DateFormat,
}

/// A column whose greatest value says how far the table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Name of the column in the table.
    pub column: String,
    /// The param that takes the place to continue from, besides those with a `${cursor}` hole.
    pub param: Option<String>,
    /// How far before the greatest value requests begin; `None` is what suits the column's type.
    pub lookback: Option<Lookback>,
}

/// How far a cursor goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookback {
    /// Seconds for a moment, the number itself for a number.
    Number(u64),
    /// For moments only.
    Time(Duration),
}

impl RefreshStrategy {
    /// Returns what updates ask; `None` for a table that is always loaded in full.
    pub fn updates(&self) -> Option<&Updates> {
        match self {
            RefreshStrategy::Reload => None,
            RefreshStrategy::Updates(updates) => Some(updates),
        }
    }

    /// Returns the word specs have for it.
    pub fn name(&self) -> &'static str {
        match self {
            RefreshStrategy::Reload => "reload",
            RefreshStrategy::Updates(_) => "updates",
        }
    }
}

impl Updates {
    /// Returns the table's params with these laid over, and whether each is one of the table's own. A param of several names is
    /// replaced when its names are.
    pub fn laid_over<'p>(&'p self, params: &'p [ParamDef]) -> Vec<(&'p ParamDef, ParamOrigin)> {
        let kept = params.iter().filter(|param_def| !param_def.names.iter().any(|name| self.replaces(name)));
        let kept = kept.map(|param_def| (param_def, ParamOrigin::Table));
        kept.chain(self.params.iter().map(|param_def| (param_def, ParamOrigin::Refresh))).collect()
    }

    /// Returns whether a param of that name comes from the refresh.
    pub fn replaces(&self, name: &str) -> bool {
        let is_cursor = self.cursor.as_ref().and_then(|cursor| cursor.param.as_deref()) == Some(name);
        is_cursor || self.params.iter().any(|param_def| param_def.names.iter().any(|own| own == name))
    }
}

/// Whose param it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamOrigin {
    Table,
    Refresh,
}
