//! Jobs that the API lets wait for long: they give their thread back, and go on when the time has come.

use super::audit::now_micros;
use super::run::JobRun;
use crate::columns::timestamp_text;
use crate::session::LogLevel;
use std::sync::Arc;
use std::time::Duration;

/// How often a parked job is asked whether it was cancelled.
const POLL: Duration = Duration::from_millis(200);

impl JobRun {
    /// Leaves the job until that moment, in microseconds since 1970. What it has loaded is stored with its place, so a thread of later
    /// goes on from there. Returns whether that is arranged; if not, the job has to end.
    pub(super) fn park(self: &Arc<Self>, until: i64) -> bool {
        let Some(inner) = self.inner.upgrade().filter(|inner| !inner.is_closed() && !self.job.is_cancelled()) else { return false };
        self.job.log(LogLevel::Warning, || format!("the API takes no request before {} UTC: parked until then", timestamp_text(until)));
        self.write_log();
        self.job.parks(until);
        drop(inner);
        let run = self.clone();
        self.workers.spawn(async move {
            while !run.job.is_due(until) {
                let left = u64::try_from(until.saturating_sub(now_micros())).unwrap_or_default();
                tokio::time::sleep(Duration::from_micros(left).min(POLL)).await;
            }
            if let Some(inner) = run.inner.upgrade() {
                inner.respawn(&run);
            }
        });
        true
    }

    /// Writes what was logged so far; an error is the next writer's.
    fn write_log(&self) {
        let Ok(mut session) = self.database.connect() else { return };
        let lines = self.job.take_log();
        if self.subject.write_log(session.as_mut(), self.job.id(), &lines).is_err() {
            self.job.put_back_log(lines);
        }
    }
}
