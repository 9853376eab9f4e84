//! Writing rows back to an API: the batches of one statement, in order and one at a time unless the spec says otherwise, each recorded.

use crate::http::{ApiClient, SendFailure, Stop, WritePlan, WriteRequest, WriteRow};
use crate::load::job::report::LogLine;
use crate::load::loader::Loader;
use crate::load::services::dry_runs::PlannedWrite;
use crate::load::services::Services;
use crate::load::target::TableTarget;
use crate::load::write_back::record::{BatchRecord, WriteLog, WriteRecords};
use crate::session::{LogLevel, Settings};
use crate::{Error, ErrorKind, Result};
use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

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
    services: Arc<Services>,
    target: TableTarget,
    plan: Arc<WritePlan>,
    client: Arc<ApiClient>,
    log_level: LogLevel,
    outlet: Outlet,
    /// Rows of the next request.
    rows: Vec<WriteRow>,
    /// Rows of the requests that were made before.
    n_taken: u64,
    /// Those of them that are at the API.
    n_written: u64,
    /// Requests under way, the oldest first.
    under_way: VecDeque<UnderWay>,
    /// How often each content was sent, where the spec has an idempotency header.
    n_same: HashMap<String, u64>,
    /// Whether what became of all rows has been said.
    is_over: bool,
    has_failed: bool,
}

/// A request that is being sent.
struct UnderWay {
    target: String,
    /// Its rows, as messages name them.
    what: String,
    n_rows: u64,
    log: Arc<WriteLog>,
    /// Ends its waits.
    stopper: watch::Sender<bool>,
    outcome: mpsc::Receiver<std::result::Result<u16, SendFailure>>,
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
        self.begin_write(target, plan, mode, settings).map_err(|err| err.at(target.place()))
    }

    /// Returns the requests of a session's last dry run, in order.
    pub fn dry_run(&self, session: u64) -> Arc<[PlannedWrite]> {
        self.services().dry_runs.last(session).unwrap_or_default()
    }

    fn begin_write(&self, target: &TableTarget, plan: Arc<WritePlan>, mode: WriteMode, settings: &Settings) -> Result<WriteBack> {
        if !settings.external_access {
            return Err(Error::config("nothing is written because setting 'enable_external_access' is false"));
        }
        let services = self.services();
        let client = services.client(&target.connection, settings)?;
        let outlet = match mode {
            WriteMode::Send => Outlet::Api(Box::new(WriteRecords::begin(services, target)?)),
            WriteMode::DryRun { session } => {
                services.dry_runs.keep(session, Vec::new());
                Outlet::Plan { session, planned: Vec::new(), n_bytes: 0 }
            }
        };
        Ok(WriteBack {
            services: services.clone(),
            target: target.clone(),
            plan,
            client,
            log_level: settings.log_level,
            outlet,
            rows: Vec::new(),
            n_taken: 0,
            n_written: 0,
            under_way: VecDeque::new(),
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
        self.settle(0, interrupted)?;
        self.is_over = true;
        if let Outlet::Plan { session, planned, .. } = &mut self.outlet {
            self.services.dry_runs.keep(*session, std::mem::take(planned));
        }
        Ok(())
    }

    /// Ends the writing because the next row cannot be had. Returns the error with what the API has.
    pub fn fail(&mut self, err: Error) -> Error {
        let next = self.n_taken + self.rows.len() as u64 + 1;
        let fate = format!("row {} and those after it were not written", self.n_taken + 1);
        let err = err.within(format!("row {next}"));
        // What is under way is brought to its end: then it is known what the API has.
        match self.settle(0, &|| false) {
            Ok(()) => self.ended(err, &fate),
            Err(failed) => failed,
        }
    }

    fn flush(&mut self, interrupted: &dyn Fn() -> bool) -> Result<()> {
        if self.has_failed {
            return Err(Error::internal("rows came after one that could not be written"));
        }
        if interrupted() {
            self.settle(0, interrupted)?;
            return Err(self.ended(Error::new(ErrorKind::Interrupted, "interrupted"), "the other rows were not sent"));
        }
        if let Outlet::Api(_) = &self.outlet {
            let ready = self.services.make_ready(&self.client, interrupted);
            ready.map_err(|err| self.ended(err, "the other rows were not sent"))?;
        }
        let rows = std::mem::take(&mut self.rows);
        let n_rows = rows.len() as u64;
        let n_same = &mut self.n_same;
        let request = self.plan.request(&rows, |content| {
            let count = n_same.entry(content.to_string()).or_default();
            *count += 1;
            *count - 1
        });
        let what = self.name_of(&rows);
        let noted = match (request, &self.outlet) {
            (Ok(request), Outlet::Plan { .. }) => self.note(&request, n_rows).map(|()| self.n_written += n_rows),
            (Ok(request), Outlet::Api(_)) => self.begin(request, &what, n_rows),
            (Err(error), _) => Err(error),
        };
        self.n_taken += n_rows;
        if let Err(error) = noted {
            let failure = SendFailure { error, may_be_done: false };
            self.record(&failure, &what, n_rows, &WriteLog::new(self.log_level));
            self.settle(0, interrupted)?;
            return Err(self.ended(failure.error, &format!("{what} {}", fate_of(false, n_rows))));
        }
        self.settle(self.plan.concurrency() - 1, interrupted)
    }

    /// Begins to send a request.
    fn begin(&mut self, request: WriteRequest, what: &str, n_rows: u64) -> Result<()> {
        let workers = self.services.workers()?;
        let log = Arc::new(WriteLog::new(self.log_level));
        let target = self.client.text_of(&request.request);
        let (stopper, stop) = Stop::new();
        let (sender, outcome) = mpsc::channel();
        let (client, observer) = (self.client.clone(), log.clone());
        workers.spawn(async move {
            // Nobody listens any more when the database was closed.
            let _ = sender.send(client.write(&request, observer.as_ref(), &stop).await);
        });
        self.under_way.push_back(UnderWay { target, what: what.to_string(), n_rows, log, stopper, outcome });
        Ok(())
    }

    /// Waits until no more than `most` requests are under way, and records the others. After a failure none is left under way.
    fn settle(&mut self, most: usize, interrupted: &dyn Fn() -> bool) -> Result<()> {
        let mut first_failure = None;
        while self.under_way.len() > if first_failure.is_some() { 0 } else { most } {
            let Some(request) = self.under_way.pop_front() else { break };
            if let Err(failure) = self.end(&request, interrupted) {
                let fate = format!("{} {}", request.what, fate_of(failure.may_be_done, request.n_rows));
                first_failure.get_or_insert((failure.error, fate));
            }
        }
        match first_failure {
            None => Ok(()),
            Some((error, fate)) => Err(self.ended(error, &fate)),
        }
    }

    /// Waits for the end of a request, and records it.
    fn end(&mut self, request: &UnderWay, interrupted: &dyn Fn() -> bool) -> std::result::Result<(), SendFailure> {
        match self.outcome_of(request, interrupted) {
            Ok(status) => {
                let UnderWay { target, what, n_rows, log, .. } = request;
                self.n_written += n_rows;
                log.lines.add(LogLevel::Info, || format!("{target} returned {status}: {what} written"));
                let recorded = self.add_record(BatchRecord { n_rows: Some(*n_rows), error: None }, &log.lines.take());
                recorded.map_err(|err| SendFailure {
                    error: Error::new(err.kind(), format!("{what} were written, but the audit trail could not say so: {err}")),
                    may_be_done: true,
                })
            }
            Err(failure) => {
                self.record(&failure, &request.what, request.n_rows, &request.log);
                Err(failure)
            }
        }
    }

    fn outcome_of(&self, request: &UnderWay, interrupted: &dyn Fn() -> bool) -> std::result::Result<u16, SendFailure> {
        loop {
            match request.outcome.recv_timeout(POLL) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Disconnected) => {
                    let error = Error::new(ErrorKind::Cancelled, "the database is closing");
                    return Err(SendFailure { error, may_be_done: true });
                }
                // A request under way is brought to its end: then it is known what the API has.
                Err(RecvTimeoutError::Timeout) if interrupted() => {
                    let others = self.under_way.iter().map(|other| &other.stopper);
                    for stopper in others.chain([&request.stopper]) {
                        let _ = stopper.send(true);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Keeps a request of a dry run.
    fn note(&mut self, request: &WriteRequest, n_rows: u64) -> Result<()> {
        let redactor = self.client.redactor();
        let write = PlannedWrite {
            method: request.request.method.name(),
            url: redactor.url(&request.request.url),
            idempotency_key: request.idempotency.as_ref().map(|(_, value)| value.clone()),
            body: request.request.body.as_deref().map(|body| redactor.text(body)),
            first_row: self.n_taken + 1,
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

    /// Records a batch that failed. That this fails, too, is in the log of nobody: the statement's error says what happened.
    fn record(&mut self, failure: &SendFailure, rows: &str, n_rows: u64, log: &WriteLog) {
        let fate = fate_of(failure.may_be_done, n_rows);
        let what = format!("{}; {rows} {fate}", failure.error);
        log.lines.add(LogLevel::Error, || what.clone());
        let n_rows = if failure.may_be_done { None } else { Some(0) };
        let _ = self.add_record(BatchRecord { n_rows, error: Some(&what) }, &log.lines.take());
    }

    fn add_record(&mut self, batch: BatchRecord<'_>, lines: &[LogLine]) -> Result<()> {
        match &mut self.outlet {
            Outlet::Api(records) => records.add(batch, lines),
            Outlet::Plan { .. } => Ok(()),
        }
    }

    /// Returns `row 3` or `rows 3 to 5`, with their keys.
    fn name_of(&self, rows: &[WriteRow]) -> String {
        let first = self.n_taken + 1;
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
                self.services.dry_runs.keep(*session, std::mem::take(planned));
                "this was a dry run, which sends nothing".to_string()
            }
            (Outlet::Api(_), 0) => "no row was written before".to_string(),
            (Outlet::Api(_), n_written) if self.plan.concurrency() > 1 => {
                format!("{n_written} other rows are at the API already, which the log names")
            }
            (Outlet::Api(_), 1) => "the row before is at the API already".to_string(),
            (Outlet::Api(_), n_written) => format!("the {n_written} rows before are at the API already"),
        };
        err.in_words(|words| format!("{words}; {fate}; {before}")).at(self.target.place())
    }
}

impl Drop for WriteBack {
    /// A statement whose query failed, or that was interrupted elsewhere, ends without a word to us.
    fn drop(&mut self) {
        // What is under way is brought to its end and recorded; a failure has its record.
        let _ = self.settle(0, &|| true);
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
fn fate_of(may_be_done: bool, n_rows: u64) -> &'static str {
    match (may_be_done, n_rows) {
        (false, 1) => "was not written",
        (false, _) => "were not written",
        (true, 1) => "may have been written: look at the API before you write it again",
        (true, _) => "may have been written: look at the API before you write them again",
    }
}
