//! Keeps loaded tables fresh: a thread of the database instance that looks at their age and starts refreshes.

mod machine;
mod plan;
mod tables;

pub use plan::{LoadedTable, MachineLoad, NextRefresh, RunningJob, Why};
pub use tables::ConnectionOf;

use super::audit::now_micros;
use super::job::Job;
use super::loader::{Inner, Loader, TableTarget};
use super::report::LoadAction;
use crate::lock::lock;
use crate::session::{LogLevel, Session, Settings};
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;
use tables::{Candidate, LoadedTables};

/// How often the thread asks whether it is to end, and whether a job started or ended.
const POLL: Duration = Duration::from_millis(100);
/// How long the thread waits after a look that failed, in microseconds.
const AFTER_ERROR: i64 = 5_000_000;

/// The daemon of one database instance, running or not.
#[derive(Default)]
pub(super) struct Daemon {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of the run that is on; runs are counted so that a thread knows whether it is still the one.
    run: Option<u64>,
    n_runs: u64,
    started_at: Option<i64>,
    n_refreshes: u64,
    /// Why the last look failed, or did not see everything.
    problem: Option<Error>,
    /// Refreshes that could not even start leave no record in the database.
    refused: HashMap<TableKey, Refused>,
    /// Its last refresh of each table: where another process loads the table, the loader does not list the job.
    started: HashMap<TableKey, Arc<Job>>,
}

/// Database, connection and table in lower case.
type TableKey = (String, String, String);

#[derive(Clone, Copy)]
struct Refused {
    n_failures: u32,
    at: i64,
}

/// One run of the daemon, from its start to its stop.
#[derive(Clone)]
pub struct DaemonRun {
    daemon: Arc<Daemon>,
    run: u64,
}

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
    pub tables: Vec<(LoadedTable, NextRefresh)>,
}

impl Loader {
    /// Starts the daemon. Returns `None` when it runs already.
    pub fn start_daemon(&self, connection_of: Box<ConnectionOf>) -> Result<Option<DaemonRun>> {
        let daemon = self.inner().daemon.clone();
        let run = {
            let mut state = lock(&daemon.state);
            if state.run.is_some() {
                return Ok(None);
            }
            let run = state.n_runs + 1;
            *state = State { run: Some(run), n_runs: run, started_at: Some(now_micros()), ..State::default() };
            DaemonRun { daemon: daemon.clone(), run }
        };
        let cycle = Cycle { run: run.clone(), inner: self.inner().weak(), connection_of };
        let started = self.inner().spawn("unify-daemon", move || cycle.run());
        if started.is_err() {
            run.stop();
        }
        started.map(|()| Some(run))
    }

    /// Stops the daemon; the loads it started go on. Returns how many refreshes it started, or `None` when it does not run.
    pub fn stop_daemon(&self) -> Option<u64> {
        let daemon = &self.inner().daemon;
        let mut state = lock(&daemon.state);
        state.run.take()?;
        daemon.changed.notify_all();
        Some(state.n_refreshes)
    }

    /// Returns how the daemon stands, and what it does next, or would if it ran.
    pub fn daemon_status(&self, connection_of: &ConnectionOf) -> Result<DaemonStatus> {
        let inner = self.inner();
        let mut session = inner.database.connect()?;
        let look = Look::take(inner, session.as_mut(), connection_of)?;
        drop(session);
        let tables = look.candidates.into_iter().map(|candidate| candidate.table).zip(look.plans).collect();
        let state = lock(&inner.daemon.state);
        Ok(DaemonStatus {
            is_running: state.run.is_some(),
            started_at: state.started_at.filter(|_| state.run.is_some()),
            n_refreshes: state.n_refreshes,
            problem: look.problem.or_else(|| state.problem.clone()),
            machine: look.machine,
            tables,
        })
    }
}

impl DaemonRun {
    /// Stops the daemon if this run is still on. Returns how many refreshes it started.
    pub fn stop(&self) -> u64 {
        let mut state = lock(&self.daemon.state);
        if state.run == Some(self.run) {
            state.run = None;
            self.daemon.changed.notify_all();
        }
        state.n_refreshes
    }

    /// Returns whether somebody stopped it.
    pub fn is_over(&self) -> bool {
        lock(&self.daemon.state).run != Some(self.run)
    }

    /// Returns how many refreshes it started.
    pub fn n_refreshes(&self) -> u64 {
        lock(&self.daemon.state).n_refreshes
    }
}

impl super::Awaited for DaemonRun {
    fn wait_at_most(&self, wait: Duration) -> bool {
        let is_on = |state: &mut State| state.run == Some(self.run);
        let waited = self.daemon.changed.wait_timeout_while(lock(&self.daemon.state), wait, is_on);
        waited.unwrap_or_else(PoisonError::into_inner).0.run != Some(self.run)
    }

    fn interrupted(&self) -> Error {
        let n_refreshes = self.stop();
        let message = format!("the daemon was interrupted and has stopped; it started {n_refreshes} refreshes, and those that run go on");
        Error::new(ErrorKind::Interrupted, message)
    }
}

/// What the daemon's thread works with.
struct Cycle {
    run: DaemonRun,
    /// Weak: the daemon never keeps the loader of a closed database.
    inner: Weak<Inner>,
    connection_of: Box<ConnectionOf>,
}

impl Cycle {
    /// Looks and refreshes until the daemon is stopped or the database closed.
    fn run(self) {
        let mut next_look = 0;
        let mut seen = None;
        loop {
            let Some(inner) = self.inner.upgrade().filter(|inner| !inner.is_closed()) else { break };
            let running = running(&inner);
            if now_micros() >= next_look || seen.as_ref() != Some(&running) {
                let outcome = catch_unwind(AssertUnwindSafe(|| self.look(&inner)));
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
            drop(inner);
            if super::Awaited::wait_at_most(&self.run, POLL) {
                break;
            }
        }
        self.run.stop();
    }

    /// Starts what is due and returns when to look again, in microseconds since 1970.
    fn look(&self, inner: &Inner) -> Result<i64> {
        let mut session = inner.database.connect()?;
        let look = Look::take(inner, session.as_mut(), self.connection_of.as_ref());
        drop(session);
        let mut look = look?;
        for gone in &look.gone {
            match inner.look_for(gone) {
                Err(err) if err.kind() == ErrorKind::DatabaseGone => return Err(err),
                outcome => look.problem = outcome.err().map(|err| err.within(gone.place())).or(look.problem),
            }
        }
        lock(&self.run.daemon.state).problem = look.problem;
        for (candidate, plan) in look.candidates.iter().zip(&look.plans) {
            if plan.why == Why::Due && !self.run.is_over() {
                self.refresh(inner, &candidate.target, &look.settings)?;
            }
        }
        Ok(plan::look_again(&look.plans, now_micros()))
    }

    fn refresh(&self, inner: &Inner, target: &TableTarget, settings: &Settings) -> Result<()> {
        let outcome = inner.start(target, LoadAction::Refresh, settings);
        let mut state = lock(&self.run.daemon.state);
        match outcome {
            Ok(job) => {
                job.log(LogLevel::Debug, || "started by the daemon".to_string());
                state.n_refreshes += 1;
                state.refused.remove(&key(target));
                state.started.insert(key(target), job);
                Ok(())
            }
            Err(err) if err.kind() == ErrorKind::DatabaseGone => Err(err),
            Err(_) => {
                let refused = state.refused.entry(key(target)).or_insert(Refused { n_failures: 0, at: 0 });
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
    fn take(inner: &Inner, session: &mut dyn Session, connection_of: &ConnectionOf) -> Result<Look> {
        let settings = tables::global_settings(session)?;
        let running = running(inner);
        let LoadedTables { mut candidates, gone, problem } = tables::loaded_tables(session, connection_of, &settings, &running)?;
        {
            let state = lock(&inner.daemon.state);
            for candidate in &mut candidates {
                let Some(refused) = state.refused.get(&key(&candidate.target)) else { continue };
                let table = &mut candidate.table;
                table.n_failures = table.n_failures.saturating_add(refused.n_failures);
                table.failed_at = table.failed_at.max(Some(refused.at));
            }
        }
        let machine = machine::machine_load(settings.daemon_max_load);
        let tables: Vec<LoadedTable> = candidates.iter().map(|candidate| candidate.table.clone()).collect();
        let plans = plan::plan(&tables, &running, machine, now_micros());
        Ok(Look { settings, machine, candidates, plans, gone, problem })
    }
}

/// Returns the jobs that run: the loader's, and those of the daemon that wait for another process.
fn running(inner: &Inner) -> Vec<RunningJob> {
    let mut running = inner.running();
    let mut state = lock(&inner.daemon.state);
    state.started.retain(|_, job| !job.is_ended());
    let own = state.started.iter().map(|((catalog, connection, table), job)| RunningJob {
        id: job.id(),
        catalog: catalog.clone(),
        connection: connection.clone(),
        table: table.clone(),
    });
    running.extend(own);
    running.sort();
    running.dedup();
    running
}

fn key(target: &TableTarget) -> TableKey {
    (target.catalog.to_lowercase(), target.connection.name.to_lowercase(), target.table.to_lowercase())
}
