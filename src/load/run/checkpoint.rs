//! What a job does about DuckDB's log once it has ended: DuckDB 1.5 loses entries of an index when it replays a merge into the table.

use super::JobRun;
use crate::session::quote_ident;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long it is tried. Until the statement that waited for the job has ended, its transaction is in the way.
const PATIENCE: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

impl JobRun {
    /// Brings what the job published from the log into the database file, where indexes would lose entries. While others write for long, the log
    /// stays.
    pub fn checkpoint(&self) {
        if !self.is_to_checkpoint.swap(false, Ordering::AcqRel) {
            return;
        }
        let sql = format!("CHECKPOINT {}", quote_ident(self.store.catalog()));
        let (mut pause, mut waited) = (FIRST_PAUSE, Duration::ZERO);
        while waited < PATIENCE {
            let done = self.services.check_open().and_then(|()| self.services.database.connect()).map(|mut session| session.execute(&sql));
            if !matches!(done, Ok(Err(_))) {
                return;
            }
            std::thread::sleep(pause);
            waited += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
