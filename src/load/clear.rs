//! Taking back what loads did: emptying a table, and dropping what an unfinished load left.

use super::audit::JobRecord;
use super::job::{Job, Stop};
use super::loader::{Inner, Loader, TableTarget};
use super::registry::KnownJob;
use super::store::StateRow;
use crate::Result;
use std::sync::Arc;
use std::time::Duration;

/// How often a wait for a cancelled job asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

impl Loader {
    /// Removes a table's rows and everything that is known of its loads; the table itself stays, with its columns and views. Returns how
    /// many rows it had; `None` when there was neither a table nor an unfinished load. Fails while a job loads it, and when the table is
    /// not Unify's.
    pub fn clear(&self, target: &TableTarget) -> Result<Option<u64>> {
        self.inner().clear(target).map_err(|err| err.within(target.place()))
    }

    /// Asks a job to stop and waits until it has. One that ended already stays as it is. With `drop_staging`, the rows it loaded so far go,
    /// too: the next load of the table starts from its beginning.
    pub fn cancel(&self, known: &KnownJob, drop_staging: bool, interrupted: &dyn Fn() -> bool) -> Result<()> {
        let job: &Arc<Job> = &known.job;
        job.cancel(Stop::User);
        while !job.wait_at_most(POLL) {
            if interrupted() {
                return Err(job.interrupted());
            }
        }
        if !drop_staging {
            return Ok(());
        }
        let inner = self.inner();
        inner.while_idle(&known.target, |session, _| {
            let store = known.target.store(session)?;
            let sql = format!("DROP TABLE IF EXISTS {}; {}", store.staging, store.forget_sql(&store.staging.table));
            // Nobody else's table of that name is touched.
            match store.is_ours(session, &store.staging.table, None)? {
                true => store.transact(inner.database.as_ref(), &|| inner.check_open(), |session| session.execute(&sql)),
                false => Ok(()),
            }
        })
    }
}

impl Inner {
    fn clear(&self, target: &TableTarget) -> Result<Option<u64>> {
        target.table_def()?;
        self.while_idle(target, |session, ids| {
            let store = target.store(session)?;
            self.see_drop(session, ids, (&store, &target.subject(&store)))?;
            let is_there = store.exists(session, &store.target)?;
            if !is_there && !store.is_ours(session, &store.staging.table, None)? {
                return Ok(None);
            }
            let may_go_on = || self.check_open();
            store.transact(self.database.as_ref(), &may_go_on, |session| {
                store.create_unify_schema(session)?;
                store.claim(session)
            })?;
            let n_rows = if is_there { session.count(&format!("SELECT count(*) FROM {}", store.target))? } else { 0 };
            let id = if store.kind.is_shared() { None } else { Some(ids.next(session, &store)?) };
            let mut sql = format!("DROP TABLE IF EXISTS {}; {}", store.staging, store.forget_sql(&store.staging.table));
            if is_there {
                // Any catalog takes a DELETE; TRUNCATE not.
                let shape = store.shape(session, &store.target.table)?;
                let cleared = StateRow { table: &store.target.table, status: "cleared", ..StateRow::default() };
                sql.push_str(&format!("DELETE FROM {}; {}", store.target, store.state_sql(&cleared, shape.as_deref())));
            }
            let pulse = if store.kind.is_shared() { Some(ids.pulse()?) } else { None };
            store.transact(self.database.as_ref(), &may_go_on, |session| {
                let id = match (id, &pulse) {
                    (None, Some(pulse)) => self.pass(pulse, session, &store)?,
                    (id, _) => id.unwrap_or_default(),
                };
                let record = JobRecord { id, parent_id: None, action: "truncate", n_rows: Some(n_rows), error: None };
                session.execute(&format!("{sql} {}", target.subject(&store).record_sql(record)))
            })?;
            Ok(Some(n_rows))
        })
    }
}
