//! How a table is brought up to date, as a spec says it.

use super::{DateFormat, ErrorCondition, ParamDef, Template};
use crate::document::JsonPath;
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
    /// The column that says in which window a row is: a refresh replaces all rows of the windows that it asks for.
    pub overwrite: Option<String>,
    /// How moments are written.
    pub format: DateFormat,
    /// How old the last load of all rows may become before the next refresh is one.
    pub full_every: Option<Duration>,
    pub sync_token: Option<SyncToken>,
}

/// What an API gives with the last page, to be asked with for what changes afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncToken {
    /// Where it is in the body.
    pub path: JsonPath,
    /// The param that takes it; `None`: it is the address of the first page of what changed.
    pub param: Option<String>,
    /// The answer that says that the API does not know it any more: then everything is loaded again.
    pub expired: ErrorCondition,
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

    /// Returns the names of the params that have another value in a refresh than in a load: those that it replaces, and those whose holes
    /// one of these fills.
    pub fn changed<'p>(&self, params: &'p [ParamDef]) -> Vec<&'p str> {
        let mut changed: Vec<&str> = Vec::new();
        loop {
            let is_named = |name: &str| changed.contains(&name) || self.replaces(name);
            let changes = |param_def: &&ParamDef| {
                let holes = param_def.values.templates().into_iter().flat_map(Template::names);
                param_def.names.iter().any(|name| self.replaces(name)) || holes.into_iter().any(is_named)
            };
            let names: Vec<&str> = params.iter().filter(changes).flat_map(|param_def| &param_def.names).map(String::as_str).collect();
            if names.len() == changed.len() {
                return changed;
            }
            changed = names;
        }
    }

    /// Returns whether a param of that name comes from the refresh.
    pub fn replaces(&self, name: &str) -> bool {
        let is_cursor = self.cursor.as_ref().and_then(|cursor| cursor.param.as_deref()) == Some(name);
        let is_token = self.sync_token.as_ref().is_some_and(|token| token.param.as_deref() == Some(name));
        is_cursor || is_token || self.params.iter().any(|param_def| param_def.names.iter().any(|own| own == name))
    }
}

/// Whose param it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamOrigin {
    Table,
    Refresh,
}
