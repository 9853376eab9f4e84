//! A look at a table's first rows: one request, nothing written.

use crate::columns::{Batch, RowPlan, TableSchema};
use crate::http::{Answer, ApiClient};
use crate::load::flow::convert::{convert, SoFar, WeighedPage};
use crate::load::flow::fetch::described;
use crate::load::flow::record_shape::RecordShape;
use crate::load::job::activity::Activity;
use crate::load::plan::sets::{copied_values, param_columns};
use crate::load::publish::fallback::fallback_columns;
use crate::load::read::first_request::{first_sets, FirstRequest};
use crate::load::read::reader::Reader;
use crate::load::target::TableTarget;
use crate::session::Settings;
use crate::{Error, ErrorKind, Result};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Arc;
use std::time::Duration;

/// How often the wait asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

impl Reader {
    /// Returns at most `n_rows` of the first page of the table's first parameter set. Parents must be loaded. Sends one request
    /// (and its retries) and writes nothing.
    pub fn peek(&self, target: &TableTarget, n_rows: usize, settings: &Settings, interrupted: &dyn Fn() -> bool) -> Result<Batch> {
        let client = self.services.client(&target.connection, settings);
        let page = client.and_then(|client| self.first_page(target, client, settings, interrupted));
        let batch = page.map_err(|err| err.at(target.place()))?;
        if batch.schema.columns.is_empty() {
            // DuckDB has no rows without columns.
            return Ok(Batch::empty(TableSchema::of(&fallback_columns(target.table_def()?))));
        }
        Ok(batch.truncated(n_rows))
    }

    /// Asks for the first page with a client.
    pub(super) fn first_page(
        &self,
        target: &TableTarget,
        client: Arc<ApiClient>,
        settings: &Settings,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Batch> {
        let table_def = target.table_def()?;
        target.refuse_child("peek into")?;
        if table_def.job.is_some() {
            let name = format!("{}.{}", target.connection.name, target.table);
            return Err(Error::config(format!(
                "its rows come from a job of the API, which takes its time; load it with LOAD TABLE {name}"
            )));
        }
        self.services.make_ready(&client, interrupted)?;
        let mut session = self.services.database.connect()?;
        for parent in table_def.parents() {
            let parent = TableTarget { table: parent.to_string(), ..target.clone() };
            if !parent.store(session.as_mut())?.is_loaded(session.as_mut())? {
                let name = format!("{}.{}", target.connection.name, parent.table);
                return Err(Error::config(format!(
                    "its params query '{name}', which is not loaded; load that first with LOAD TABLE {name}"
                )));
            }
        }
        let sets = first_sets(target, session.as_mut())?;
        drop(session);
        let children = target.connection.adapter.children_of(&target.table);
        let row_plan = RowPlan::new(table_def).at_most(settings.page_limit()).without_lists(&children);
        let schema = row_plan.initial_schema(&param_columns(table_def, &sets));
        let Some(FirstRequest { set, request }) = FirstRequest::of(target, settings, sets)? else { return Ok(Batch::empty(schema)) };
        let activity = Activity::new(settings.log_level);
        let (sender, receiver) = mpsc::channel();
        let (sending_client, sending, from_parent) = (client.clone(), request.clone(), set.from_parent);
        let task = self.services.workers()?.spawn(async move {
            // Nobody listens any more when the statement was interrupted.
            let _ = sender.send(sending_client.send(&sending, from_parent, &activity).await);
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
                let converted = convert(
                    table_def,
                    &row_plan,
                    WeighedPage::new(page, table_def, &row_plan),
                    SoFar { schemas: std::slice::from_ref(&schema), first_number: 0, record_shape: &RecordShape::default() },
                    &copied_values(table_def, &set),
                );
                converted.map(|page| page.batches.own).map_err(|err| described(err, &client, &request))
            }
            Answer::Refused(err) => Err(err),
            Answer::Skipped(reason) if !from_parent => Err(Error::api(reason)),
            Answer::Empty(_) | Answer::Skipped(_) | Answer::Unchanged(_) => Ok(Batch::empty(schema)),
            Answer::TooMuch(reason) => Err(Error::api(reason)),
        }
    }
}
