//! What a job does where it cannot go on with what is stored: it begins again, or says when it will.

use super::{JobRun, Plan};
use crate::columns::TableSchema;
use crate::http::ApiClient;
use crate::load::flow::fetch::Reading;
use crate::load::plan::scope::Scope;
use crate::load::plan::sets::{parameter_sets, Planned, PlannedSets};
use crate::load::plan::updates::Moments;
use crate::load::records::store::{Loaded, StagedStatus, Store};
use crate::session::LogLevel;
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::Ordering;
use std::sync::Arc;

impl JobRun {
    /// Notes that the API failed where the load was to go on, and says what comes next.
    fn failed_at_old_place(&self, err: Error) -> Error {
        let sql = self.store.staged_status_sql(StagedStatus::FailedThere);
        match self.store.transact(self.services.database.as_ref(), &|| self.job.check_cancelled(), |session| session.execute(&sql)) {
            Ok(()) => Error::api(format!(
                "{}; an unfinished load goes on here; load again: it starts over if the API fails here again",
                err.message()
            )),
            // What cannot be noted is tried again as the first time.
            Err(_) => Error::api(err.message()),
        }
    }

    /// Transfers, again from the beginning where what was stored cannot be gone on with, and one page after the other where rows move.
    /// Rows that vanish are a reason once. Each time that is because a column takes other values, it is wider from the beginning, so that
    /// this ends.
    pub(super) fn transfer_all<'a>(&'a self, mut plan: Plan<'a>, client: Arc<ApiClient>) -> Result<()> {
        let mut wider = None;
        loop {
            let Err(err) = self.transfer(&plan, client.clone(), &mut wider) else { return Ok(()) };
            match err.kind() {
                // A job that was created for this load was not stale from the beginning.
                ErrorKind::CannotResume if plan.table_def.job.is_some() && self.has_new_api_job.swap(true, Ordering::AcqRel) => {
                    return Err(Error::api(err.message()));
                }
                ErrorKind::CannotResume => self.start_over(&format!("an unfinished load cannot be continued: {}", err.message()))?,
                ErrorKind::RowsMoved => {
                    self.start_over(err.message())?;
                    plan.reading = Reading::OneByOne;
                }
                ErrorKind::RowsVanished => {
                    self.start_over(err.message())?;
                    plan.has_vanished = true;
                }
                ErrorKind::CannotWiden => {
                    self.start_over(err.message())?;
                    let loaded = std::iter::once(&plan.loaded).chain(&plan.loaded_children).map(Option::as_ref);
                    let is_stuck = |(loaded, wider): (Option<&Loaded>, &TableSchema)| {
                        loaded.is_some_and(|loaded| loaded.columns.stuck(wider).is_some())
                    };
                    if plan.is_update && loaded.zip(wider.iter().flatten()).any(is_stuck) {
                        plan = self.plan_of_everything(plan)?;
                    }
                }
                ErrorKind::TokenExpired if plan.is_update => {
                    self.start_over(err.message())?;
                    plan = self.plan_of_everything(plan)?;
                }
                ErrorKind::MixedAnswers => {
                    self.forget_rows()?;
                    return Err(Error::data(format!("{}; load again: it starts over", err.message())));
                }
                ErrorKind::AtOldPlace => return Err(self.failed_at_old_place(err)),
                _ => return Err(err),
            }
        }
    }

    /// Returns the plan of a load of everything: the loaded table cannot take the updates.
    fn plan_of_everything<'a>(&'a self, plan: Plan<'a>) -> Result<Plan<'a>> {
        let table_def = self.target.table_def()?;
        let scope = Scope::Everything(Moments { now: self.began, last_start: None });
        let planned = Planned { connection: &self.target.connection, table_def, catalog: &self.target.catalog };
        let PlannedSets { sets, .. } = parameter_sets(planned, &scope, self.services.database.connect()?.as_mut())?;
        self.job.log(LogLevel::Info, || format!("{} of all rows, parameter sets: {}", self.job.action().name(), sets.len()));
        self.job.counters().sets.store(sets.len() as u64, Ordering::Relaxed);
        Ok(Plan { table_def, is_update: false, now: self.began, sets: sets.into(), ..plan })
    }

    /// Drops what an unfinished load left.
    pub(super) fn start_over(&self, reason: &str) -> Result<()> {
        self.job.log(LogLevel::Warning, || format!("{reason}; starting over"));
        self.job.counters().begins_with(0);
        self.forget_rows()
    }

    /// Drops the rows that came so far.
    pub(super) fn forget_rows(&self) -> Result<()> {
        let sql: String = std::iter::once(&self.store).chain(&self.child_stores).map(Store::drop_staging_sql).collect();
        self.store.transact(self.services.database.as_ref(), &|| self.job.check_cancelled(), |session| session.execute(&sql))
    }
}
