//! Jobs in a database that several processes write to: beginning one, and waiting for another process's.

use super::audit::JobRecord;
use super::job::Job;
use super::live_jobs::{self, Entry, LiveJobs};
use super::loader::{Inner, TableTarget};
use super::pulse::Pulse;
use super::report::{LoadAction, LoadReport};
use super::store::Store;
use crate::session::{quote_literal, Session, Settings};
use crate::{Error, ErrorKind, Result};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often a wait for another process's job looks whether it has ended.
const LOOK: Duration = Duration::from_millis(300);
/// How often such a wait asks whether it is over.
const POLL: Duration = Duration::from_millis(10);

impl Inner {
    /// Notes a job with its `_start` record, unless another process loads the table. The pulse beats for it from here on.
    pub(super) fn enter(&self, pulse: &Pulse, target: &TableTarget, store: &Store, action: LoadAction) -> Result<Entry> {
        let live = LiveJobs { unify_schema: &store.unify_schema, pulse };
        let subject = target.subject(store);
        let may_go_on = || self.check_open();
        store.transact(self.database.as_ref(), &may_go_on, |session| store.create_unify_schema(session))?;
        let mut noted = None;
        let entered = store.transact(self.database.as_ref(), &may_go_on, |session| {
            leave(pulse, store, noted.take());
            if action == LoadAction::Load && store.is_loaded(session)? {
                return Ok(Entry::Loaded);
            }
            store.note_drop(session, &subject, |session| live_jobs::take_id(session, &store.unify_schema))?;
            let entry = live.enter(session, &target.connection.name, &target.table)?;
            if let Entry::Entered(id) = entry {
                // Only now: what another process is making is neither foreign nor ours to look at.
                store.claim(session)?;
                // Before others can see it: a job of this process that does not beat counts as ended.
                pulse.enter(&store.unify_schema, id);
                noted = Some(id);
                let action = action.audit_names().0;
                session.execute(&subject.record_sql(JobRecord { id, parent_id: None, action, n_rows: None, error: None }))?;
            }
            Ok(entry)
        });
        if entered.is_err() {
            leave(pulse, store, noted);
        }
        entered
    }

    /// Returns a record's id, inside the session's transaction. Fails when another process loads the table.
    pub(super) fn pass(&self, pulse: &Pulse, session: &mut dyn Session, store: &Store) -> Result<i64> {
        let live = LiveJobs { unify_schema: &store.unify_schema, pulse };
        match live.enter(session, &store.target.schema, &store.target.table)? {
            Entry::Taken(id) => Err(Error::config(format!("job {id} of another process is loading it; wait for its end, and try again"))),
            Entry::Loaded => Err(Error::internal("clearing a table found it loaded")),
            Entry::Entered(id) => session.execute(&live_jobs::leave_sql(&store.unify_schema, id)).map(|()| id),
        }
    }

    /// Waits for the job of another process, whose id `job` has, and then loads the table if that one did not.
    fn follow(&self, job: &Job, pulse: &Pulse, target: &TableTarget, settings: &Settings) -> Result<LoadReport> {
        let id = job.id();
        loop {
            let live = {
                let mut session = self.database.connect()?;
                let store = target.store(session.as_mut())?;
                LiveJobs { unify_schema: &store.unify_schema, pulse }.is_live(session.as_mut(), id)?
            };
            if !live {
                break;
            }
            for _ in 0..LOOK.as_millis() / POLL.as_millis() {
                self.check_open()?;
                job.check_cancelled()?;
                std::thread::park_timeout(POLL);
            }
        }
        let failed = {
            let mut session = self.database.connect()?;
            let store = target.store(session.as_mut())?;
            failure_of(session.as_mut(), &store, id)?
        };
        match failed {
            Some(err) => Err(Error::database(format!("job {id} of another process failed: {err}"))),
            None => {
                // It is loaded, or the other process was killed and the load goes on here.
                let next = self.start(target, LoadAction::Load, settings)?;
                next.wait(&|| job.is_cancelled() || self.is_closed(), None)
            }
        }
    }
}

/// A thread's work: to wait for another process's job.
pub(super) struct Follower {
    /// Weak: nobody keeps the loader of a closed database.
    pub inner: Weak<Inner>,
    pub job: Arc<Job>,
    pub pulse: Arc<Pulse>,
    pub target: TableTarget,
    pub settings: Settings,
}

impl Follower {
    /// Waits to the end.
    pub fn run(&self) {
        let gone = || Err(Error::new(ErrorKind::DatabaseGone, "the database was closed"));
        let outcome = match self.inner.upgrade() {
            Some(inner) => inner.follow(&self.job, &self.pulse, &self.target, &self.settings),
            None => gone(),
        };
        self.job.end(outcome.map_err(|err| err.within(self.target.place())));
    }
}

/// Returns the error that ended a job; `None` when it was none, or its process ended.
fn failure_of(session: &mut dyn Session, store: &Store, id: i64) -> Result<Option<String>> {
    let message = session.value(&format!(
        "SELECT error_message FROM {}.loading_jobs WHERE parent_id = {id} AND status = 'error' AND error_message <> {}",
        store.unify_schema,
        quote_literal(super::audit::ENDED_BEFORE)
    ))?;
    Ok(message.as_text().map(str::to_string))
}

fn leave(pulse: &Pulse, store: &Store, id: Option<i64>) {
    if let Some(id) = id {
        pulse.leave(&store.unify_schema, id);
    }
}
