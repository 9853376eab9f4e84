//! Calls that load tables: the rows of `LOAD`, `REFRESH`, `RELOAD` and `WAIT`, and the waiting for the jobs behind them.

use crate::columns::TableSchema;
use crate::load::{Job, JobState, LoadAction, LoadReport, ProgressLine, Started, TableTarget};
use crate::lock::lock;
use crate::session::{ProgressMode, Value};
use crate::spec::ScalarType;
use crate::sql::rows::{batch_of, integer, schema_of, text};
use crate::sql::{StatementContext, Step, WaitingCall, Work};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// The columns: a row per table.
pub(super) const COLUMNS: &[(&str, ScalarType)] = &[
    ("job_id", ScalarType::BigInt),
    ("table", ScalarType::Varchar),
    ("action", ScalarType::Varchar),
    ("rows", ScalarType::BigInt),
    ("requests", ScalarType::BigInt),
    ("pages", ScalarType::BigInt),
    ("bytes", ScalarType::BigInt),
    ("seconds", ScalarType::Double),
    ("status", ScalarType::Varchar),
    ("error", ScalarType::Varchar),
];

/// What a call waits for: jobs that run, or loads it has to start.
#[derive(Clone)]
pub(super) struct Waits {
    /// In the order of the rows.
    pub tasks: Vec<Task>,
    /// Whether they are all started at once, and a failure becomes a row. Otherwise one starts when the one before has ended, and the first
    /// failure is the call's.
    pub side_by_side: bool,
}

/// One job to wait for.
#[derive(Clone)]
pub(super) enum Task {
    Load(TableTarget, LoadAction),
    Job(Arc<Job>),
}

impl Waits {
    /// Starts all loads and returns a row for each, without waiting.
    pub fn start_all(&self, ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
        let mut rows = Vec::new();
        for task in &self.tasks {
            match task.start(ctx) {
                Ok(started) => rows.push(row_of_started(&started)),
                Err(err) if self.side_by_side => rows.push(task.failed_row(&err)),
                Err(err) => return Err(err),
            }
        }
        Ok(rows)
    }
}

impl Task {
    fn start(&self, ctx: &StatementContext<'_>) -> Result<Started> {
        match self {
            Task::Job(job) => Ok(Started::Job(job.clone())),
            Task::Load(target, action) => ctx.instance.loader.start(target, *action, &ctx.settings).map_err(|err| err.at(target.place())),
        }
    }

    /// Returns whether the job has done what was asked for. One that began before newer rows were asked for has not.
    fn is_done_by(&self, started: &Started) -> bool {
        let Started::Job(job) = started else { return true };
        match self {
            Task::Job(_) => true,
            Task::Load(target, LoadAction::Reload) if job.action() == LoadAction::Refresh => {
                target.table_def().is_ok_and(|table_def| table_def.refresh.updates().is_none())
            }
            Task::Load(_, action) => *action == LoadAction::Load || job.action() != LoadAction::Load,
        }
    }

    fn failed_row(&self, err: &Error) -> Vec<Value> {
        let Task::Load(target, action) = self else { return Vec::new() };
        let mut row = vec![Value::Null, Value::Text(target.label()), text(Some(action.name()))];
        row.extend(std::iter::repeat_n(Value::Null, 5));
        row.extend([text(Some("error")), text(Some(err.message()))]);
        row
    }
}

/// A call bound to what it waits for.
pub(super) struct JobsCall<F> {
    schema: TableSchema,
    waits: F,
    /// What the execution under way started, for the progress.
    started: Arc<Mutex<Vec<Started>>>,
}

impl<F> JobsCall<F>
where
    F: Fn(&StatementContext<'_>) -> Result<Waits> + Send + Sync,
{
    /// Makes a call that finds what to wait for at each execution.
    pub fn new(waits: F) -> JobsCall<F> {
        JobsCall { schema: schema_of(COLUMNS), waits, started: Arc::default() }
    }
}

impl<F> WaitingCall for JobsCall<F>
where
    F: Fn(&StatementContext<'_>) -> Result<Waits> + Send + Sync,
{
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn start(&self, ctx: &StatementContext<'_>) -> Result<Box<dyn Work>> {
        let waits = (self.waits)(ctx)?;
        lock(&self.started).clear();
        Ok(Box::new(JobsWork {
            tasks: waits.tasks.into_iter().map(|task| (task, None)).collect(),
            side_by_side: waits.side_by_side,
            rows: Vec::new(),
            line: None,
            started: self.started.clone(),
        }))
    }

    fn progress(&self) -> Option<f64> {
        let percents: Option<Vec<f64>> = lock(&self.started).iter().map(Started::percent).collect();
        percents.filter(|percents| !percents.is_empty()).map(|percents| percents.iter().sum::<f64>() / percents.len() as f64)
    }
}

/// The waiting of one execution.
struct JobsWork {
    /// Those whose row is missing, each with what came of it once it started.
    tasks: VecDeque<(Task, Option<Started>)>,
    side_by_side: bool,
    rows: Vec<Vec<Value>>,
    /// What the terminal shows of the job that is waited for.
    line: Option<(i64, ProgressLine)>,
    started: Arc<Mutex<Vec<Started>>>,
}

impl Work for JobsWork {
    fn step(&mut self, ctx: &StatementContext<'_>) -> Result<Step> {
        if self.side_by_side {
            self.start_all(ctx);
        }
        while let Some((task, known)) = self.tasks.front_mut() {
            let started = match known {
                Some(started) => started.clone(),
                None => {
                    let started = task.start(ctx)?;
                    lock(&self.started).push(started.clone());
                    known.insert(started).clone()
                }
            };
            let outcome = match &started {
                Started::Job(job) if !job.is_ended() => return self.wait_for(job.clone(), ctx),
                started => started.outcome(),
            };
            match outcome {
                Some(Ok(_)) if !task.is_done_by(&started) => {
                    *known = None;
                    continue;
                }
                Some(Err(err)) if !self.side_by_side => return Err(err),
                _ => self.rows.push(row_of_started(&started)),
            }
            self.tasks.pop_front();
        }
        self.line = None;
        Ok(Step::Rows(vec![batch_of(&schema_of(COLUMNS), &self.rows)?]))
    }
}

impl JobsWork {
    /// Starts what has not started. A load that cannot has its row at once.
    fn start_all(&mut self, ctx: &StatementContext<'_>) {
        let mut failed = Vec::new();
        self.tasks.retain_mut(|(task, known)| {
            if known.is_some() {
                return true;
            }
            match task.start(ctx) {
                Ok(started) => {
                    lock(&self.started).push(started.clone());
                    *known = Some(started);
                    true
                }
                Err(err) => {
                    failed.push(task.failed_row(&err));
                    false
                }
            }
        });
        self.rows.extend(failed);
    }

    fn wait_for(&mut self, job: Arc<Job>, ctx: &StatementContext<'_>) -> Result<Step> {
        if (ctx.interrupted)() {
            return Err(job.interrupted());
        }
        let mode = ctx.settings.progress;
        if matches!(mode, ProgressMode::Auto | ProgressMode::Notebook) && ctx.has_progress_bar && job.percent().is_some() {
            // DuckDB's own bar shows it.
            self.line = None;
            return Ok(Step::Waits(job));
        }
        if self.line.as_ref().is_none_or(|(id, _)| *id != job.id()) {
            self.line = Some((job.id(), ProgressLine::new(mode, job.label())));
        }
        if let Some((_, line)) = &mut self.line {
            line.show(&job);
        }
        Ok(Step::Waits(job))
    }
}

/// Returns the row of what was started: what it did, or did so far.
fn row_of_started(started: &Started) -> Vec<Value> {
    match started {
        Started::Job(job) => row_of(job),
        Started::Loaded { label } => loaded_row(label),
    }
}

/// Returns the row of a job: what it did, or did so far.
fn row_of(job: &Job) -> Vec<Value> {
    let outcome = job.outcome();
    let report: LoadReport = match &outcome {
        Some(Ok(report)) => report.clone(),
        _ => job.report(),
    };
    let error = outcome.as_ref().and_then(|outcome| outcome.as_ref().err());
    let mut row = report_row(job.label(), &report);
    // What it waits for is the business of SHOW JOB.
    let status = match job.state() {
        JobState::Waiting => JobState::Running,
        state => state,
    };
    row.extend([text(Some(status.name())), text(error.map(Error::message))]);
    row
}

/// Returns the row of a table that is loaded already.
fn loaded_row(label: &str) -> Vec<Value> {
    let mut row = report_row(label, &LoadReport::nothing_to_do());
    row.extend([text(Some(JobState::Success.name())), Value::Null]);
    row
}

/// Returns the first columns, for a report on the table `label`. Where there was nothing to do, there was no job: its id is 0.
fn report_row(label: &str, report: &LoadReport) -> Vec<Value> {
    vec![
        integer(report.job_id.unwrap_or(0)),
        text(Some(label)),
        text(Some(report.action)),
        integer(report.rows),
        integer(report.requests),
        integer(report.pages),
        integer(report.bytes),
        Value::Double(report.seconds),
    ]
}
