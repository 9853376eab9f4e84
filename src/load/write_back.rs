//! Writing rows back to an API: the batches of one statement, in order, one request at a time, each recorded.

use super::dry_runs::PlannedWrite;
use super::loader::{Inner, Loader, TableTarget};
use super::report::LogLine;
use super::write_record::{BatchRecord, WriteLog, WriteRecords};
use crate::http::{ApiClient, Stop, WriteFailure, WritePlan, WriteRequest, WriteRow};
use crate::session::{LogLevel, Settings};
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often the wait for a request asks whether the user interrupted.
const POLL: Duration = Duration::from_millis(20);
/// Most memory for the requests of a dry run, in bytes.
const MOST_PLANNED: usize = 64 << 20;

/// What becomes of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    Send,
    /// Nothing is sent; the requests are kept for the session of this number.
    DryRun {
        session: u64,
    },
}

/// The writing of one statement's rows.
pub struct WriteBack {
    /// Weak: nobody keeps the loader of a closed database.
    inner: Weak<Inner>,
    target: TableTarget,
    plan: Arc<WritePlan>,
    client: Arc<ApiClient>,
    log_level: LogLevel,
    outlet: Outlet,
    /// Rows of the next request.
    rows: Vec<WriteRow>,
    /// Rows of the requests before.
    n_written: u64,
    /// How often each content was sent, where the spec has an idempotency header.
    n_same: HashMap<String, u64>,
    /// Whether what became of all rows has been said.
    is_over: bool,
    has_failed: bool,
}

/// Where the requests go.
enum Outlet {
    Api(Box<WriteRecords>),
    Plan { session: u64, planned: Vec<PlannedWrite>, n_bytes: usize },
}

impl Loader {
    /// Begins to write rows to a table's API. Fails, before anything is sent, when credentials are missing, and when the audit trail
    /// cannot be written.
    pub fn write_back(&self, target: &TableTarget, plan: Arc<WritePlan>, mode: WriteMode, settings: &Settings) -> Result<WriteBack> {
        self.begin_write(target, plan, mode, settings).map_err(|err| err.within(target.place()))
    }

    /// Returns the requests of a session's last dry run, in order.
    pub fn dry_run(&self, session: u64) -> Arc<[PlannedWrite]> {
        self.inner().dry_runs.last(session).unwrap_or_default()
    }

    fn begin_write(&self, target: &TableTarget, plan: Arc<WritePlan>, mode: WriteMode, settings: &Settings) -> Result<WriteBack> {
        if !settings.external_access {
            return Err(Error::config("nothing is written because setting 'enable_external_access' is false"));
        }
        let inner = self.inner();
        let client = inner.client(&target.connection, settings)?;
        let outlet = match mode {
            WriteMode::Send => Outlet::Api(Box::new(WriteRecords::begin(inner, target)?)),
            WriteMode::DryRun { session } => {
                inner.dry_runs.keep(session, Vec::new());
                Outlet::Plan { session, planned: Vec::new(), n_bytes: 0 }
            }
        };
        Ok(WriteBack {
            inner: inner.weak(),
            target: target.clone(),
            plan,
            client,
            log_level: settings.log_level,
            outlet,
            rows: Vec::new(),
            n_written: 0,
            n_same: HashMap::new(),
            is_over: false,
            has_failed: false,
        })
    }
}

impl WriteBack {
    /// Takes a row, and sends a request when its batch is full. The error says what the API has, and what not.
    pub fn push(&mut self, row: WriteRow, interrupted: &dyn Fn() -> bool) -> Result<()> {
        if !self.rows.is_empty() && !self.plan.fits(&self.rows, &row) {
            self.flush(interrupted)?;
        }
        self.rows.push(row);
        match self.rows.len() >= self.plan.most_rows() {
            true => self.flush(interrupted),
            false => Ok(()),
        }
    }

    /// Sends what is left.
    pub fn finish(&mut self, interrupted: &dyn Fn() -> bool) -> Result<()> {
        if !self.rows.is_empty() {
            self.flush(interrupted)?;
        }
        self.is_over = true;
        if let (Outlet::Plan { session, planned, .. }, Some(inner)) = (&mut self.outlet, self.inner.upgrade()) {
            inner.dry_runs.keep(*session, std::mem::take(planned));
        }
        Ok(())
    }

    /// Ends the writing because the next row cannot be had. Returns the error with what the API has.
    pub fn fail(&mut self, err: Error) -> Error {
        let next = self.n_written + self.rows.len() as u64 + 1;
        let fate = format!("row {} and those after it were not written", self.n_written + 1);
        self.ended(err.within(format!("row {next}")), &fate)
    }

    fn flush(&mut self, interrupted: &dyn Fn() -> bool) -> Result<()> {
        if self.has_failed {
            return Err(Error::internal("rows came after one that could not be written"));
        }
        if interrupted() {
            return Err(self.ended(Error::new(ErrorKind::Interrupted, "interrupted"), "the other rows were not sent"));
        }
        let rows = std::mem::take(&mut self.rows);
        let n_rows = rows.len() as u64;
        let n_same = &mut self.n_same;
        let request = self.plan.request(&rows, |content| {
            let count = n_same.entry(content.to_string()).or_default();
            *count += 1;
            *count - 1
        });
        let outcome = match (request, &self.outlet) {
            (Ok(request), Outlet::Plan { .. }) => self.note(&request, n_rows).map_err(|error| WriteFailure { error, may_be_done: false }),
            (Ok(request), Outlet::Api(_)) => self.send(request, &rows, interrupted),
            (Err(error), _) => {
                let failure = WriteFailure { error, may_be_done: false };
                self.record(&failure, &rows, &WriteLog::new(self.log_level, ""));
                Err(failure)
            }
        };
        match outcome {
            Ok(()) => {
                self.n_written += n_rows;
                Ok(())
            }
            Err(failure) => {
                let fate = fate_of(&failure, n_rows);
                let what = self.name_of(&rows);
                Err(self.ended(failure.error, &format!("{what} {fate}")))
            }
        }
    }

    /// Keeps a request of a dry run.
    fn note(&mut self, request: &WriteRequest, n_rows: u64) -> Result<()> {
        let redactor = self.client.redactor();
        let write = PlannedWrite {
            method: request.method.name(),
            url: redactor.url(&request.request.url),
            idempotency_key: request.idempotency.as_ref().map(|(_, value)| value.clone()),
            body: request.body.as_deref().map(|body| redactor.text(body)),
            first_row: self.n_written + 1,
            n_rows,
        };
        let Outlet::Plan { planned, n_bytes, .. } = &mut self.outlet else { return Err(Error::internal("a dry run that sends")) };
        *n_bytes += write.n_bytes();
        if *n_bytes > MOST_PLANNED {
            return Err(Error::config(format!(
                "the dry run has more than {} MiB of requests; let the query have fewer rows, such as with LIMIT",
                MOST_PLANNED >> 20
            )));
        }
        planned.push(write);
        Ok(())
    }

    /// Sends a request, waits for its end, and records it.
    fn send(&mut self, request: WriteRequest, rows: &[WriteRow], interrupted: &dyn Fn() -> bool) -> std::result::Result<(), WriteFailure> {
        let log = Arc::new(WriteLog::new(self.log_level, request.method.name()));
        let target = self.client.write_text(&request);
        match self.outcome_of(request, &log, interrupted) {
            Ok(status) => {
                let what = self.name_of(rows);
                log.log(LogLevel::Info, || format!("{target} returned {status}: {what} written"));
                let recorded = self.add_record(BatchRecord { n_rows: Some(rows.len() as u64), error: None }, &log.take());
                recorded.map_err(|err| WriteFailure {
                    error: Error::new(err.kind(), format!("{what} were written, but the audit trail could not say so: {err}")),
                    may_be_done: true,
                })
            }
            Err(failure) => {
                self.record(&failure, rows, &log);
                Err(failure)
            }
        }
    }

    fn outcome_of(
        &self,
        request: WriteRequest,
        log: &Arc<WriteLog>,
        interrupted: &dyn Fn() -> bool,
    ) -> std::result::Result<u16, WriteFailure> {
        let not_sent = |error: Error| WriteFailure { error, may_be_done: false };
        let workers = self.inner().and_then(|inner| inner.workers()).map_err(not_sent)?;
        let (stopper, stop) = Stop::new();
        let (sender, receiver) = mpsc::channel();
        let (client, observer) = (self.client.clone(), log.clone());
        workers.spawn(async move {
            // Nobody listens any more when the database was closed.
            let _ = sender.send(client.write(&request, observer.as_ref(), &stop).await);
        });
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Disconnected) => {
                    let error = Error::new(ErrorKind::Cancelled, "the database is closing");
                    return Err(WriteFailure { error, may_be_done: true });
                }
                // A request under way is brought to its end: then it is known what the API has.
                Err(RecvTimeoutError::Timeout) if interrupted() => drop(stopper.send(true)),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Records a batch that failed. That this fails, too, is in the log of nobody: the statement's error says what happened.
    fn record(&mut self, failure: &WriteFailure, rows: &[WriteRow], log: &WriteLog) {
        let what = format!("{}; {} {}", failure.error, self.name_of(rows), fate_of(failure, rows.len() as u64));
        log.log(LogLevel::Error, || what.clone());
        let n_rows = if failure.may_be_done { None } else { Some(0) };
        let _ = self.add_record(BatchRecord { n_rows, error: Some(&what) }, &log.take());
    }

    fn add_record(&mut self, batch: BatchRecord<'_>, lines: &[LogLine]) -> Result<()> {
        match &mut self.outlet {
            Outlet::Api(records) => records.add(batch, lines),
            Outlet::Plan { .. } => Ok(()),
        }
    }

    fn inner(&self) -> Result<Arc<Inner>> {
        self.inner.upgrade().ok_or_else(|| Error::new(ErrorKind::DatabaseGone, "the database was closed"))
    }

    /// Returns `row 3` or `rows 3 to 5`, with their keys.
    fn name_of(&self, rows: &[WriteRow]) -> String {
        let first = self.n_written + 1;
        let numbers = match rows.len() as u64 {
            1 => format!("row {first}"),
            n_rows => format!("rows {first} to {}", first + n_rows - 1),
        };
        match self.client.redactor().text(&self.plan.names_of(rows)) {
            names if names.is_empty() => numbers,
            names => format!("{numbers} ({names})"),
        }
    }

    /// Returns the error that ends the statement: what happened, what became of the rows, and what the API has of those before.
    fn ended(&mut self, err: Error, fate: &str) -> Error {
        // DuckDB may tell of an interruption in its own words: then the log has ours.
        self.is_over = err.kind() != ErrorKind::Interrupted;
        self.has_failed = true;
        let before = match (&mut self.outlet, self.n_written) {
            (Outlet::Plan { session, planned, .. }, _) => {
                if let Some(inner) = self.inner.upgrade() {
                    inner.dry_runs.keep(*session, std::mem::take(planned));
                }
                "this was a dry run, which sends nothing".to_string()
            }
            (Outlet::Api(_), 0) => "no row was written before".to_string(),
            (Outlet::Api(_), 1) => "the row before is at the API already".to_string(),
            (Outlet::Api(_), n_written) => format!("the {n_written} rows before are at the API already"),
        };
        Error::new(err.kind(), format!("{}: {err}; {fate}; {before}", self.target.place()))
    }
}

impl Drop for WriteBack {
    /// A statement whose query failed, or that was interrupted elsewhere, ends without a word to us.
    fn drop(&mut self) {
        let Outlet::Api(records) = &self.outlet else { return };
        if self.is_over || self.log_level > LogLevel::Warning {
            return;
        }
        let message = match self.n_written {
            1 => "the statement ended early: 1 row was written, those after it were not".to_string(),
            n_rows => format!("the statement ended early: {n_rows} rows were written, those after them were not"),
        };
        // Where that cannot be written, the records of the batches still tell.
        let _ = records.add_line(LogLine::new(LogLevel::Warning, message));
    }
}

/// Returns what became of the rows of a request that failed.
fn fate_of(failure: &WriteFailure, n_rows: u64) -> &'static str {
    match (failure.may_be_done, n_rows) {
        (false, 1) => "was not written",
        (false, _) => "were not written",
        (true, 1) => "may have been written: look at the API before you write it again",
        (true, _) => "may have been written: look at the API before you write them again",
    }
}
