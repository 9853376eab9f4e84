//! A look at a table's first rows: one request, nothing written.

use super::audit::now_micros;
use super::convert::convert;
use super::fetch::described;
use super::job::Job;
use super::loader::{http_settings, Loader, TableTarget};
use super::plan::{copied_values, param_columns, parameter_sets, Planned};
use super::publish::fallback_columns;
use super::report::LoadAction;
use super::scope::Scope;
use super::updates::Moments;
use crate::columns::{Batch, RowPlan, TableSchema};
use crate::http::{request_of, Answer, ApiClient, Pager};
use crate::session::Settings;
use crate::spec::{AdapterSpec, Connection, RetrySpec};
use crate::{Error, ErrorKind, Result};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Arc;
use std::time::Duration;

/// How often the wait asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

impl Loader {
    /// Returns at most `n_rows` of the first page of the table's first parameter set. Parents must be loaded. Sends one request
    /// (and its retries) and writes nothing.
    pub fn peek(&self, target: &TableTarget, n_rows: usize, settings: &Settings, interrupted: &dyn Fn() -> bool) -> Result<Batch> {
        let client = self.inner().client(&target.connection, settings);
        let page = client.and_then(|client| self.first_page(target, client, settings, interrupted));
        let batch = page.map_err(|err| err.within(target.place()))?;
        if batch.schema.columns.is_empty() {
            // DuckDB has no rows without columns.
            return Ok(Batch::empty(TableSchema::of(&fallback_columns(target.table_def()?))));
        }
        Ok(batch.truncated(n_rows))
    }

    /// Returns the rows [`Loader::peek`] does, but sends its request once only, whatever comes of it.
    pub fn probe(&self, target: &TableTarget, settings: &Settings, interrupted: &dyn Fn() -> bool) -> Result<Batch> {
        let mut connection = Connection::clone(&target.connection);
        let mut adapter = AdapterSpec::clone(&connection.adapter);
        adapter.retry = RetrySpec { attempts: 1, statuses: Vec::new(), ..adapter.retry };
        connection.adapter = Arc::new(adapter);
        // A client of its own: the one of the connection's loads tries again.
        let client = ApiClient::new(Arc::new(connection), http_settings(settings)).map(Arc::new);
        let page = client.and_then(|client| self.first_page(target, client, settings, interrupted));
        page.map_err(|err| err.within(target.place()))
    }

    fn first_page(
        &self,
        target: &TableTarget,
        client: Arc<ApiClient>,
        settings: &Settings,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Batch> {
        let table_def = target.table_def()?;
        let mut session = self.inner().database.connect()?;
        for parent in table_def.parents() {
            let parent = TableTarget { table: parent.to_string(), ..target.clone() };
            if !self.is_loaded(session.as_mut(), &parent)? {
                let name = format!("{}.{}", target.connection.name, parent.table);
                return Err(Error::config(format!(
                    "its params query '{name}', which is not loaded; load that first with LOAD TABLE {name}"
                )));
            }
        }
        let planned = Planned { connection: &target.connection, table_def, catalog: &target.catalog };
        let scope = Scope::Everything(Moments { now: now_micros(), last_start: None });
        let sets = parameter_sets(planned, &scope, session.as_mut())?;
        drop(session);
        let row_plan = RowPlan::new(table_def);
        let schema = row_plan.initial_schema(&param_columns(table_def, &sets));
        let Some(set) = sets.into_iter().next() else { return Ok(Batch::empty(schema)) };
        let mut pager = Pager::new(&table_def.paging, settings.max_pages);
        let Some(place) = pager.next_place() else { return Ok(Batch::empty(schema)) };
        let request = request_of(&target.connection, table_def, &set, &place.key)?;
        let job = Arc::new(Job::new(0, LoadAction::Load, String::new(), settings));
        let (sender, receiver) = mpsc::channel();
        let (sending_client, sending, from_parent) = (client.clone(), request.clone(), set.from_parent);
        let task = self.inner().workers()?.spawn(async move {
            // Nobody listens any more when the statement was interrupted.
            let _ = sender.send(sending_client.send(&sending, from_parent, job.as_ref()).await);
        });
        let outcome = loop {
            match receiver.recv_timeout(POLL) {
                Ok(outcome) => break outcome,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::new(ErrorKind::Cancelled, "the database is closing")),
                Err(RecvTimeoutError::Timeout) if interrupted() => {
                    task.abort();
                    return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        match outcome? {
            Answer::Page(page) => {
                let converted = convert(table_def, &row_plan, page, &schema, &copied_values(table_def, &set));
                converted.map(|page| page.batch).map_err(|err| described(err, &client, &request))
            }
            Answer::Refused(err) => Err(err),
            Answer::Empty(_) | Answer::Skipped(_) => Ok(Batch::empty(schema)),
        }
    }
}
