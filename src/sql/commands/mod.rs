//! The functions and the statements that call them, a file each.

pub(super) mod audit;
pub(super) mod cancel;
pub(super) mod clear;
pub(super) mod create_connection;
pub(super) mod daemon;
pub(super) mod daemon_status;
pub(super) mod drop_connection;
pub(super) mod dry_run;
pub(super) mod explain;
pub(super) mod fetch;
pub(super) mod help;
pub(super) mod http;
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
pub(super) mod test_connection;
#[cfg(test)]
pub(super) mod tests;
pub(super) mod wait;

use crate::sql::{StatementDef, TableFunction};

/// Returns every function of Unify.
pub fn functions() -> Vec<Box<dyn TableFunction>> {
    vec![
        Box::new(show_adapters::UnifyAdapters),
        Box::new(show_connections::UnifyConnections),
        Box::new(create_connection::UnifyCreateConnection),
        Box::new(drop_connection::UnifyDropConnection),
        Box::new(test_connection::UnifyTestConnection),
        Box::new(show_tables::UnifyTables),
        Box::new(show_columns::UnifyColumns),
        Box::new(peek::UnifyPeek),
        Box::new(scan::UnifyScan),
        Box::new(fetch::UnifyFetch),
        Box::new(http::UnifyHttp),
        Box::new(load::UnifyLoad),
        Box::new(refresh::UnifyRefresh),
        Box::new(reload::UnifyReload),
        Box::new(explain::UnifyExplain),
        Box::new(clear::UnifyClear),
        Box::new(jobs::UnifyJobs),
        Box::new(wait::UnifyWait),
        Box::new(cancel::UnifyCancel),
        Box::new(daemon::UnifyStartDaemon),
        Box::new(daemon::UnifyStopDaemon),
        Box::new(daemon::UnifyDaemon),
        Box::new(daemon_status::UnifyStatus),
        Box::new(dry_run::UnifyDryRun),
        Box::new(audit::LOADING_JOBS),
        Box::new(audit::LOADING_LOG),
        Box::new(help::UnifyHelp),
    ]
}

/// Returns every statement of Unify, in the order of HELP and the reference.
pub fn statements() -> Vec<&'static StatementDef> {
    vec![
        &show_adapters::STATEMENT,
        &show_connections::STATEMENT,
        &create_connection::STATEMENT,
        &drop_connection::STATEMENT,
        &test_connection::STATEMENT,
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
        &daemon::START,
        &daemon::STOP,
        &daemon_status::STATEMENT,
        &peek::STATEMENT,
        &help::STATEMENT,
    ]
}
