//! Keeps loaded tables fresh: a thread of the database instance that looks at their age and starts refreshes.

mod machine;
mod plan;
mod tables;
mod voice;

pub use crate::load::scheduler::daemon_state::DaemonRun;
pub use plan::{LoadedTable, MachineLoad, NextRefresh, Why};
pub use tables::ConnectionOf;
pub use voice::Say;

use super::clock::now_micros;
use super::loader::Loader;
use crate::load::job::report::LoadAction;
use crate::load::job::started::Started;
use crate::load::known::RunningJob;
use crate::load::scheduler::daemon_state::{Daemon, Refused, State};
use crate::load::scheduler::Scheduler;
use crate::load::target::TableTarget;
use crate::lock::lock;
use crate::session::{LogLevel, Session, Settings};
use crate::spec::Connection;
use crate::{Error, ErrorKind, Result};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tables::{Candidate, LoadedTables};
use voice::Voice;

/// How often the thread asks whether it is to end, and whether a job started or ended.
const POLL: Duration = Duration::from_millis(100);
/// How long the thread waits after a look that failed, in microseconds.
const AFTER_ERROR: i64 = 5_000_000;

/// How the daemon stands.
pub struct DaemonStatus {
    pub is_running: bool,
    /// When it was started, in microseconds since 1970.
    pub started_at: Option<i64>,
    /// Refreshes it started since then.
    pub n_refreshes: u64,
    /// Why its last look failed, or did not see everything.
    pub problem: Option<Error>,
    pub machine: MachineLoad,
    /// Whether the user lets anything be sent.
    pub may_send: bool,
    pub tables: Vec<(LoadedTable, NextRefresh)>,
}

/// Asks the API of a table's connection what it has, where what is known is older than the spec wants it to be, and returns the connection as it
/// is then; `None` where nobody was asked. The last argument says whether to stop waiting.
pub type Renew = dyn Fn(&Loader, &Settings, &TableTarget, &dyn Fn() -> bool) -> Result<Option<Arc<Connection>>> + Send + Sync;

/// How the daemon knows connections.
pub struct Connections {
    pub connection_of: Box<ConnectionOf>,
    pub renew: Box<Renew>,
}

impl Loader {
    /// Starts the daemon, which tells `say` line by line what it does. Returns `None` when it runs already.
    pub fn start_daemon(&self, connections: Connections, say: Option<Box<Say>>) -> Result<Option<DaemonRun>> {
        let daemon = self.daemon().clone();
        let run = {
            let mut state = lock(&daemon.state);
            if state.run.is_some() {
                return Ok(None);
            }
            let run = state.n_runs + 1;
            *state = State { run: Some(run), n_runs: run, started_at: Some(now_micros()), ..State::default() };
            DaemonRun { daemon: daemon.clone(), run }
        };
        let cycle = Cycle { run: run.clone(), scheduler: Arc::downgrade(self.scheduler()), connections, voice: Voice::new(say) };
        let started = self.scheduler().spawn("unify-daemon", move || cycle.run());
        if started.is_err() {
            run.stop();
        }
        started.map(|()| Some(run))
    }

    /// Stops the daemon; the loads it started go on. Returns how many refreshes it started, or `None` when it does not run.
    pub fn stop_daemon(&self) -> Option<u64> {
        let daemon = self.daemon();
        let mut state = lock(&daemon.state);
        state.run.take()?;
        daemon.changed.notify_all();
        Some(state.n_refreshes)
    }

    /// Returns how the daemon stands, and what it does next, or would if it ran.
    pub fn daemon_status(&self, connection_of: &ConnectionOf) -> Result<DaemonStatus> {
        let scheduler = self.scheduler();
        let mut session = scheduler.services.database.connect()?;
        let look = Look::take(scheduler, self.daemon(), session.as_mut(), connection_of)?;
        drop(session);
        let tables = look.candidates.into_iter().map(|candidate| candidate.table).zip(look.plans).collect();
        let state = lock(&self.daemon().state);
        Ok(DaemonStatus {
            is_running: state.run.is_some(),
            started_at: state.started_at.filter(|_| state.run.is_some()),
            n_refreshes: state.n_refreshes,
            problem: look.problem.or_else(|| state.problem.clone()),
            machine: look.machine,
            may_send: look.settings.external_access,
            tables,
        })
    }
}

/// What the daemon's thread works with.
struct Cycle {
    run: DaemonRun,
    /// Weak: the daemon never keeps the scheduler of a closed database.
    scheduler: Weak<Scheduler>,
    connections: Connections,
    voice: Voice,
}

impl Cycle {
    /// Looks and refreshes until the daemon is stopped or the database closed.
    fn run(mut self) {
        let mut next_look = 0;
        let mut seen = None;
        loop {
            let Some(scheduler) = self.scheduler.upgrade().filter(|scheduler| !scheduler.services.is_closed()) else { break };
            let running = running(&scheduler, &self.run.daemon);
            self.voice.hear_of_ends();
            if now_micros() >= next_look || seen.as_ref() != Some(&running) {
                let outcome = catch_unwind(AssertUnwindSafe(|| self.look(&scheduler)));
                let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("the daemon panicked")));
                if outcome.as_ref().is_err_and(|err| err.kind() == ErrorKind::DatabaseGone) {
                    break;
                }
                next_look = outcome.as_ref().copied().unwrap_or_else(|_| now_micros() + AFTER_ERROR);
                if let Err(err) = outcome {
                    lock(&self.run.daemon.state).problem = Some(err);
                }
                seen = Some(running);
            }
            drop(scheduler);
            if super::Awaited::wait_at_most(&self.run, POLL) {
                break;
            }
        }
        self.voice.ends(self.run.stop());
    }

    /// Starts what is due and returns when to look again, in microseconds since 1970.
    fn look(&mut self, scheduler: &Arc<Scheduler>) -> Result<i64> {
        let mut session = scheduler.services.database.connect()?;
        let look = Look::take(scheduler, &self.run.daemon, session.as_mut(), self.connections.connection_of.as_ref());
        drop(session);
        let mut look = look?;
        for gone in &look.gone {
            match scheduler.look_for(gone) {
                Err(err) if err.kind() == ErrorKind::DatabaseGone => return Err(err),
                outcome => look.problem = outcome.err().map(|err| err.at(gone.place())).or(look.problem),
            }
        }
        let tables: Vec<LoadedTable> = look.candidates.iter().map(|candidate| candidate.table.clone()).collect();
        self.voice.looked(&tables, &look.plans, look.machine, look.problem.as_ref());
        lock(&self.run.daemon.state).problem = look.problem;
        for (candidate, plan) in look.candidates.iter().zip(&look.plans) {
            if plan.why == Why::Due && !self.run.is_over() {
                let target = self.renewed(scheduler, &candidate.target, &look.settings)?;
                self.refresh(scheduler, &target, &look.settings)?;
            }
        }
        Ok(plan::look_again(&look.plans, now_micros()))
    }

    /// Returns the table of a connection that knows what its API has, as new as its spec wants it. Where that cannot be asked, what is known has
    /// to do.
    fn renewed(&self, scheduler: &Arc<Scheduler>, target: &TableTarget, settings: &Settings) -> Result<TableTarget> {
        let loader = Loader::of(scheduler, &self.run.daemon);
        let is_over = || self.run.is_over() || scheduler.services.is_closed();
        match (self.connections.renew)(&loader, settings, target, &is_over) {
            Ok(Some(connection)) => Ok(TableTarget { connection, ..target.clone() }),
            Ok(None) => Ok(target.clone()),
            Err(err) if err.kind() == ErrorKind::DatabaseGone => Err(err),
            Err(err) => {
                lock(&self.run.daemon.state).problem = Some(err);
                Ok(target.clone())
            }
        }
    }

    fn refresh(&mut self, scheduler: &Scheduler, target: &TableTarget, settings: &Settings) -> Result<()> {
        let outcome = scheduler.start(target, LoadAction::Refresh, settings);
        match &outcome {
            Ok(Started::Loaded { .. }) => {}
            Ok(Started::Job(job)) => self.voice.started(Ok(job)),
            Err(err) => self.voice.started(Err(err.clone().at(target.place()))),
        }
        let mut state = lock(&self.run.daemon.state);
        match outcome {
            Ok(Started::Loaded { .. }) => Ok(()),
            Ok(Started::Job(job)) => {
                job.log(LogLevel::Debug, || "started by the daemon".to_string());
                state.n_refreshes += 1;
                state.refused.remove(&target.key());
                state.started.insert(target.key(), job);
                Ok(())
            }
            Err(err) if err.kind() == ErrorKind::DatabaseGone => Err(err),
            Err(_) => {
                let refused = state.refused.entry(target.key()).or_insert(Refused { n_failures: 0, at: 0 });
                *refused = Refused { n_failures: refused.n_failures.saturating_add(1), at: now_micros() };
                Ok(())
            }
        }
    }
}

/// What there is to do at one moment.
struct Look {
    settings: Settings,
    machine: MachineLoad,
    candidates: Vec<Candidate>,
    /// For each candidate.
    plans: Vec<NextRefresh>,
    /// Tables that seem to have been dropped.
    gone: Vec<TableTarget>,
    problem: Option<Error>,
}

impl Look {
    fn take(scheduler: &Scheduler, daemon: &Daemon, session: &mut dyn Session, connection_of: &ConnectionOf) -> Result<Look> {
        let settings = tables::global_settings(session)?;
        let running = running(scheduler, daemon);
        let LoadedTables { mut candidates, gone, problem } = tables::loaded_tables(session, connection_of, &settings, &running)?;
        {
            let state = lock(&daemon.state);
            for candidate in &mut candidates {
                let Some(refused) = state.refused.get(&candidate.target.key()) else { continue };
                let table = &mut candidate.table;
                table.n_failures = table.n_failures.saturating_add(refused.n_failures);
                table.failed_at = table.failed_at.max(Some(refused.at));
            }
        }
        let machine = machine::machine_load(settings.daemon_max_load);
        let tables: Vec<LoadedTable> = candidates.iter().map(|candidate| candidate.table.clone()).collect();
        let mut plans = plan::plan(&tables, &running, machine, now_micros());
        if !settings.external_access {
            plan::forbid(&mut plans);
        }
        Ok(Look { settings, machine, candidates, plans, gone, problem })
    }
}

/// Returns the jobs that run: the loader's, and those of the daemon that wait for another process.
fn running(scheduler: &Scheduler, daemon: &Daemon) -> Vec<RunningJob> {
    let mut running = scheduler.running();
    let mut state = lock(&daemon.state);
    state.started.retain(|_, job| !job.is_ended());
    let own = state.started.iter().map(|(key, job)| RunningJob::new(job.id(), key.clone()));
    running.extend(own);
    running.sort();
    running.dedup();
    running
}
