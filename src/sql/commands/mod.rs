//! The functions and the statements that call them, a file each.

pub(super) mod audit;
pub(super) mod authorize;
pub(super) mod cancel;
pub(super) mod changes;
pub(super) mod check_adapter;
pub(super) mod clear;
pub(super) mod create_connection;
pub(super) mod daemon;
pub(super) mod daemon_status;
pub(super) mod discover;
pub(super) mod drop_connection;
pub(super) mod dry_run;
pub(super) mod explain;
pub(super) mod fetch;
pub(super) mod help;
pub(super) mod http;
pub(super) mod import_openapi;
pub(super) mod jobs;
pub(super) mod load;
pub(super) mod peek;
pub(super) mod refresh;
pub(super) mod reload;
pub(super) mod scan;
pub(super) mod show_adapters;
pub(super) mod show_columns;
pub(super) mod show_connections;
pub(super) mod show_tables;
pub(super) mod spec;
pub(super) mod test_connection;
#[cfg(test)]
pub(super) mod tests;
pub(super) mod wait;

use crate::sql::{Definitions, FunctionDef, StatementDef};

/// Everything that is defined.
pub const DEFINITIONS: Definitions = Definitions { statements: STATEMENTS, functions: FUNCTIONS };

// HELP lists itself.
static HELP: StatementDef = help::statement(&HELP_FUNCTION);
static HELP_FUNCTION: FunctionDef = help::function(|arguments, ctx| help::bind_all(DEFINITIONS, arguments, ctx));

/// Every function of Unify.
static FUNCTIONS: &[&FunctionDef] = &[
    &show_adapters::FUNCTION,
    &spec::FUNCTION,
    &check_adapter::FUNCTION,
    &import_openapi::FUNCTION,
    &show_connections::FUNCTION,
    &create_connection::FUNCTION,
    &drop_connection::FUNCTION,
    &test_connection::FUNCTION,
    &authorize::FUNCTION,
    &discover::FUNCTION,
    &show_tables::FUNCTION,
    &show_columns::FUNCTION,
    &peek::FUNCTION,
    &scan::FUNCTION,
    &fetch::FUNCTION,
    &http::FUNCTION,
    &load::FUNCTION,
    &refresh::FUNCTION,
    &reload::FUNCTION,
    &changes::FUNCTION,
    &explain::FUNCTION,
    &clear::FUNCTION,
    &jobs::FUNCTION,
    &wait::FUNCTION,
    &cancel::FUNCTION,
    &cancel::ALL_FUNCTION,
    &daemon::START_FUNCTION,
    &daemon::STOP_FUNCTION,
    &daemon::FUNCTION,
    &daemon_status::FUNCTION,
    &dry_run::FUNCTION,
    &audit::LOADING_JOBS_FUNCTION,
    &audit::LOADING_LOG_FUNCTION,
    &HELP_FUNCTION,
];

/// Every statement of Unify, in the order of HELP and the reference.
static STATEMENTS: &[&StatementDef] = &[
    &show_adapters::STATEMENT,
    &show_connections::STATEMENT,
    &create_connection::STATEMENT,
    &drop_connection::STATEMENT,
    &test_connection::STATEMENT,
    &authorize::STATEMENT,
    &discover::STATEMENT,
    &show_tables::SHOW_ALL,
    &show_tables::STATEMENT,
    &show_columns::STATEMENT,
    &load::STATEMENT,
    &refresh::REFRESH_TABLE,
    &refresh::REFRESH_SCHEMA,
    &reload::STATEMENT,
    &explain::STATEMENT,
    &clear::STATEMENT,
    &jobs::SHOW_ALL_JOBS,
    &jobs::SHOW_JOB,
    &wait::STATEMENT,
    &cancel::STATEMENT,
    &cancel::ALL,
    &daemon::START,
    &daemon::STOP,
    &daemon_status::STATEMENT,
    &peek::STATEMENT,
    &HELP,
];
