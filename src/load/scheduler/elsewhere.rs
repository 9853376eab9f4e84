//! Jobs in a database that several processes write to: beginning one, and waiting for another process's.

use super::{Idle, Scheduler};
use crate::load::job::handle::Job;
use crate::load::job::report::{LoadAction, LoadReport};
use crate::load::job::started::Started;
use crate::load::records::audit::{JobRecord, ENDED_BEFORE};
use crate::load::records::heartbeat::Heartbeat;
use crate::load::records::live_jobs::{self, Entry, LiveJobs};
use crate::load::records::store::Store;
use crate::load::services::Services;
use crate::load::target::TableTarget;
use crate::session::{quote_literal, Session, Settings};
use crate::{Error, ErrorKind, Result};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often a wait for another process's job looks whether it has ended.
const LOOK: Duration = Duration::from_millis(300);
/// How often such a wait asks whether it is over.
const POLL: Duration = Duration::from_millis(10);

/// A thread's work: to wait for another process's job, whose id `job` has, and then to load the table if that one did not.
pub(super) struct Follower {
    pub job: Arc<Job>,
    pub services: Arc<Services>,
    pub heartbeat: Arc<Heartbeat>,
    pub target: TableTarget,
    pub settings: Settings,
}

impl Scheduler {
    /// Notes a job with its `_start` record, in a database that has the tables for it, unless another process loads the table. It
    /// gives signs of life from here on.
    pub(super) fn enter(&self, heartbeat: &Heartbeat, target: &TableTarget, store: &Store, action: LoadAction) -> Result<Entry> {
        let live = LiveJobs { unify_schema: &store.unify_schema, heartbeat };
        let subject = target.subject(store);
        let mut noted = None;
        let entered = self.services.transact(store, |session| {
            leave(heartbeat, store, noted.take());
            if action == LoadAction::Load && target.is_all_loaded(session, store)? {
                return Ok(Entry::Loaded);
            }
            store.note_drop(session, &subject, |session| live_jobs::take_id(session, &store.unify_schema))?;
            for child in target.children() {
                let store = store.sibling(&child.table);
                store.note_drop(session, &child.subject(&store), |session| live_jobs::take_id(session, &store.unify_schema))?;
            }
            let entry = live.enter(session, &target.connection.name, &target.table)?;
            if let Entry::Entered(id) = entry {
                // Only now: what another process is making is neither foreign nor ours to look at.
                store.claim(session)?;
                for child in target.children() {
                    store.sibling(&child.table).claim(session)?;
                }
                // Before others can see it: a job of this process that does not beat counts as ended.
                heartbeat.enter(&store.unify_schema, id);
                noted = Some(id);
                let action = action.audit_names().0;
                session.execute(&subject.record_sql(JobRecord { id, parent_id: None, action, n_rows: None, error: None }))?;
            }
            Ok(entry)
        });
        if entered.is_err() {
            leave(heartbeat, store, noted);
        }
        entered
    }

    /// Starts a thread that waits for another process's job.
    pub(super) fn follow(&self, follower: Follower) -> Result<()> {
        let scheduler = self.this.clone();
        self.spawn("unify-load", move || follower.run(&scheduler))
    }

    /// Ends the job of a follower, now or as the next one does.
    fn end_follower(&self, follower: &Follower, next: Result<Started>) {
        let (job, target) = (follower.job.clone(), follower.target.clone());
        let outcome = match next {
            Ok(Started::Loaded { .. }) => Ok(LoadReport::nothing_to_do()),
            Ok(Started::Job(next)) => {
                if self.leave(Idle::Follower { job: job.clone(), next: next.clone(), target: target.clone() }) {
                    return;
                }
                next.outcome().unwrap_or_else(|| self.services.check_open().and_then(|()| Err(Error::internal("nobody waits for a load"))))
            }
            Err(err) => Err(err),
        };
        job.end(outcome.map_err(|err| err.at(target.place())));
        self.has_ended(&job);
    }
}

impl Follower {
    /// Waits to the end of the other process's job. The scheduler is held weakly: nobody keeps that of a closed database.
    fn run(&self, scheduler: &Weak<Scheduler>) {
        let waited = self.wait();
        let Some(scheduler) = scheduler.upgrade() else {
            let gone = Error::new(ErrorKind::DatabaseGone, "the database was closed");
            return self.job.end(Err(gone.at(self.target.place())));
        };
        // It is loaded, or the other process was killed and the load goes on here.
        let next = waited.and_then(|()| scheduler.start(&self.target, LoadAction::Load, &self.settings));
        scheduler.end_follower(self, next);
    }

    /// Waits for the end of the other process's job. Fails with its error.
    fn wait(&self) -> Result<()> {
        let id = self.job.id();
        loop {
            let live = {
                let mut session = self.services.database.connect()?;
                let store = self.target.store(session.as_mut())?;
                LiveJobs { unify_schema: &store.unify_schema, heartbeat: &self.heartbeat }.is_live(session.as_mut(), id)?
            };
            if !live {
                break;
            }
            for _ in 0..LOOK.as_millis() / POLL.as_millis() {
                self.services.check_open()?;
                self.job.check_cancelled()?;
                std::thread::park_timeout(POLL);
            }
        }
        let mut session = self.services.database.connect()?;
        let store = self.target.store(session.as_mut())?;
        match failure_of(session.as_mut(), &store, id)? {
            Some(err) => Err(Error::database(format!("job {id} of another process failed: {err}"))),
            None => Ok(()),
        }
    }
}

/// Returns the error that ended a job; `None` when it was none, or its process ended.
fn failure_of(session: &mut dyn Session, store: &Store, id: i64) -> Result<Option<String>> {
    let message = session.value(&format!(
        "SELECT error_message FROM {}.loading_jobs WHERE parent_id = {id} AND status = 'error' AND error_message <> {}",
        store.unify_schema,
        quote_literal(ENDED_BEFORE)
    ))?;
    Ok(message.as_text().map(str::to_string))
}

fn leave(heartbeat: &Heartbeat, store: &Store, id: Option<i64>) {
    if let Some(id) = id {
        heartbeat.leave(&store.unify_schema, id);
    }
}
