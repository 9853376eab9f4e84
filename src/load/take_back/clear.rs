//! Taking back what loads did: emptying a table, and dropping what an unfinished load left.

use crate::load::job::handle::{Job, Stop};
use crate::load::known::KnownJob;
use crate::load::loader::Loader;
use crate::load::records::audit::JobRecord;
use crate::load::records::store::{StateRow, Store};
use crate::load::scheduler::Scheduler;
use crate::load::services::dropped::see_drop;
use crate::load::take_back::removal_ids::RemovalIds;
use crate::load::target::TableTarget;
use crate::session::Session;
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
        clear(self.scheduler(), target).map_err(|err| err.at(target.place()))
    }

    /// Asks a job to stop and waits until it has. One that ended already stays as it is. With `drop_staging`, the rows it loaded so far go,
    /// too: the next load of the table starts from its beginning.
    pub fn cancel(&self, known: &KnownJob, drop_staging: bool, interrupted: &dyn Fn() -> bool) -> Result<()> {
        let job: &Arc<Job> = &known.job;
        self.scheduler().cancel(job, Stop::User);
        while !job.wait_at_most(POLL) {
            if interrupted() {
                return Err(job.interrupted());
            }
        }
        if !drop_staging {
            return Ok(());
        }
        let dropped = self.scheduler().while_idle(&known.target, |session, turn| {
            let store = known.target.store(session)?;
            store.check_version(session)?;
            let mut sql = String::new();
            for store in stores_of(&known.target, &store) {
                // Nobody else's table of that name is touched.
                if store.is_ours(session, &store.staging.table, None)? {
                    sql.push_str(&store.drop_staging_sql());
                }
            }
            match sql.is_empty() {
                true => Ok(()),
                false => turn.services.transact(&store, |session| session.execute(&sql)),
            }
        });
        if dropped.is_ok() && job.outcome().is_some_and(|outcome| outcome.is_err()) {
            job.counters().publishes(0);
        }
        dropped
    }

    /// Asks all jobs that run to stop, those of other attached databases included, and waits until they have, as [`Loader::cancel`] does.
    /// Returns them.
    pub fn cancel_all(&self, drop_staging: bool, interrupted: &dyn Fn() -> bool) -> Result<Vec<KnownJob>> {
        let mut running = self.jobs();
        running.retain(|known| !known.job.is_ended());
        // All are asked before one is waited for: they stop side by side, and none waits for another's table.
        for known in &running {
            self.scheduler().cancel(&known.job, Stop::User);
        }
        for known in &running {
            self.cancel(known, drop_staging, interrupted)?;
        }
        Ok(running)
    }
}

/// Returns the names of the table's load, and those of the tables that it fills besides.
fn stores_of(target: &TableTarget, store: &Store) -> Vec<Store> {
    let children = target.children();
    std::iter::once(store.clone()).chain(children.iter().map(|child| store.sibling(&child.table))).collect()
}

fn clear(scheduler: &Scheduler, target: &TableTarget) -> Result<Option<u64>> {
    target.refuse_child("clear")?;
    scheduler.while_idle(target, |session, turn| {
        let store = target.store(session)?;
        let stores = stores_of(target, &store);
        let mut is_anything_there = false;
        for store in &stores {
            see_drop(session, turn, store, &target.sibling(&store.target.table).subject(store))?;
            is_anything_there |= store.exists(session, &store.target)? || store.is_ours(session, &store.staging.table, None)?;
        }
        if !is_anything_there {
            return Ok(None);
        }
        turn.services.transact(&store, |session| {
            store.create_unify_schema(session)?;
            stores.iter().try_for_each(|store| store.claim(session))
        })?;
        let mut sql = String::new();
        let mut n_rows = Vec::new();
        for store in &stores {
            let (cleared, n_cleared) = cleared(session, store)?;
            sql.push_str(&cleared);
            n_rows.push(n_cleared);
        }
        let ids = RemovalIds::of(session, turn, &store, stores.len())?;
        turn.services.transact(&store, |session| {
            let mut sql = sql.clone();
            for (idx, (store, n_rows)) in (0..).zip(stores.iter().zip(&n_rows)) {
                let id = ids.take(session, store, idx)?;
                let record = JobRecord { id, parent_id: None, action: "truncate", n_rows: Some(*n_rows), error: None };
                sql.push_str(&target.sibling(&store.target.table).subject(store).record_sql(record));
            }
            session.execute(&sql)
        })?;
        Ok(n_rows.first().copied())
    })
}

/// Returns the statements that empty a table and forget its loads, and how many rows it has.
fn cleared(session: &mut dyn Session, store: &Store) -> Result<(String, u64)> {
    let mut sql = store.drop_staging_sql();
    if !store.exists(session, &store.target)? {
        return Ok((sql, 0));
    }
    let n_rows = session.count(&format!("SELECT count(*) FROM {}", store.target))?;
    // Any catalog takes a DELETE; TRUNCATE not.
    let fingerprint = store.fingerprint(session, &store.target.table)?;
    let cleared = StateRow { table: &store.target.table, status: "cleared", ..StateRow::default() };
    sql.push_str(&format!("DELETE FROM {}; {}", store.target, store.state_sql(&cleared, fingerprint.as_deref())));
    Ok((sql, n_rows))
}
