//! The API's jobs that a load leaves behind: they are cancelled when a user cancels the load.

use super::JobRun;
use crate::http::ParamSet;
use crate::load::flow::export::{cancel_job, Watch};
use crate::lock::lock;
use crate::session::LogLevel;
use crate::source::{CreatedJob, ResumePoint};
use crate::{Error, Result};
use std::sync::mpsc;
use std::time::Duration;

/// How long a load that was cancelled waits for the API to cancel its jobs.
const MOST_WAIT: Duration = Duration::from_secs(10);

impl JobRun {
    /// Cancels the jobs whose results were waited for, where the spec says how, and forgets them: the next load creates others. What goes wrong
    /// is noted.
    pub(super) fn cancel_api_jobs(&self) {
        if let Err(err) = self.try_to_cancel_api_jobs() {
            self.job.log(LogLevel::Warning, || format!("the API's job could not be cancelled: {}", err.message()));
        }
    }

    fn try_to_cancel_api_jobs(&self) -> Result<()> {
        let table_def = self.target.table_def()?;
        let Some(def) = table_def.job.clone().filter(|job| job.cancel.is_some()) else { return Ok(()) };
        let awaited = self.awaited_api_jobs()?;
        let mut cancelled = Vec::new();
        for (name, job) in awaited {
            let (client, table_def, def) = (self.client()?, table_def.clone(), def.clone());
            let activity = self.job.activity().clone();
            let (sender, receiver) = mpsc::channel();
            let task = self.workers.spawn(async move {
                let set = ParamSet::default().with_job(job.created);
                client.learn_captured(&set.load.job);
                // Nobody listens any more when it took too long.
                let _ = sender.send(cancel_job(&client, &table_def, &set, &def, activity.as_ref()).await);
            });
            let late = |_| Err(Error::api(format!("the API did not answer within {} seconds", MOST_WAIT.as_secs())));
            let outcome = receiver.recv_timeout(MOST_WAIT).unwrap_or_else(late);
            task.abort();
            outcome?;
            cancelled.push(name);
        }
        if cancelled.is_empty() {
            return Ok(());
        }
        self.job.log(LogLevel::Info, || format!("jobs of the API that were cancelled: {}", cancelled.len()));
        let names: Vec<&str> = cancelled.iter().map(String::as_str).collect();
        let sql = self.store.forget_sets_sql(&names);
        self.store.transact(self.services.database.as_ref(), &|| Ok(()), |session| session.execute(&sql))
    }

    /// Returns the jobs whose results were waited for, and the names of their parameter sets.
    fn awaited_api_jobs(&self) -> Result<Vec<(String, CreatedJob)>> {
        let mut session = self.services.database.connect()?;
        if !self.store.is_ours(session.as_mut(), &self.store.staging.table, None)? {
            return Ok(Vec::new());
        }
        let about = self.store.is_about(&self.store.staging.table);
        let sql = format!("SELECT parameter_set, place FROM {}.load_state WHERE {about} AND place IS NOT NULL", self.store.unify_schema);
        let mut awaited = Vec::new();
        for row in session.query(&sql)? {
            let [name, place] = row.as_slice() else { continue };
            let point = place.as_text().and_then(|text| ResumePoint::from_text(text).ok());
            if let (Some(name), Some(ResumePoint { ordinal: 0, job: Some(job), .. })) =
                (name.as_text().filter(|name| !name.is_empty()), point)
            {
                awaited.push((name.to_string(), job));
            }
        }
        Ok(awaited)
    }

    /// Takes what watches the jobs of the API that the load waits for, where it does.
    pub(in crate::load) fn take_watch(&self) -> Option<Watch> {
        lock(&self.watch).take()
    }
}
