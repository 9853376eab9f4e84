//! The audit of writes: a record for each batch, and what happened to its requests.

use super::audit::JobRecord;
use super::live_jobs;
use super::loader::{Inner, TableTarget};
use super::report::LogLine;
use super::store::Store;
use crate::http::RequestObserver;
use crate::lock::lock;
use crate::session::{LogLevel, Session};
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

/// The action of records about batches.
const ACTION: &str = "write";

/// What became of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchRecord<'a> {
    /// Rows the API has; `None`: nobody knows.
    pub n_rows: Option<u64>,
    pub error: Option<&'a str>,
}

/// The lines about one batch for the loading log.
pub(super) struct WriteLog {
    level: LogLevel,
    method: &'static str,
    lines: Mutex<Vec<LogLine>>,
}

impl WriteLog {
    /// Starts without lines; keeps those of `level` and above.
    pub fn new(level: LogLevel, method: &'static str) -> WriteLog {
        WriteLog { level, method, lines: Mutex::default() }
    }

    /// Notes a line, if its level is one that is kept.
    pub fn log(&self, level: LogLevel, message: impl FnOnce() -> String) {
        if level >= self.level {
            self.lines().push(LogLine::new(level, message()));
        }
    }

    /// Takes the lines noted since the last call.
    pub fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut *self.lines())
    }

    fn lines(&self) -> MutexGuard<'_, Vec<LogLine>> {
        lock(&self.lines)
    }
}

impl RequestObserver for WriteLog {
    fn started(&self, url: &str) {
        self.log(LogLevel::Debug, || format!("{} {url}", self.method));
    }

    fn answered(&self, status: u16, n_bytes: u64) {
        self.log(LogLevel::Debug, || format!("status {status}, {n_bytes} bytes"));
    }

    fn retried(&self, reason: &str, wait: Duration) {
        self.log(LogLevel::Warning, || format!("{reason}; trying again in {:.1} s", wait.as_secs_f64()));
    }

    fn waiting(&self, wait: Duration) {
        self.log(LogLevel::Debug, || format!("waiting {:.1} s for the connection's budget", wait.as_secs_f64()));
    }
}

/// The records of one statement's batches.
pub(super) struct WriteRecords {
    /// Weak: nobody keeps the loader of a closed database.
    inner: Weak<Inner>,
    target: TableTarget,
    store: Store,
    /// What counts the ids, where no other process gives out any.
    ids: Option<Arc<AtomicI64>>,
    /// The id of the last record.
    last_id: Option<i64>,
}

impl WriteRecords {
    /// Makes the audit tables where they are missing. Fails when the database cannot be written to: what cannot be recorded is not sent.
    pub fn begin(inner: &Inner, target: &TableTarget) -> Result<WriteRecords> {
        let store = target.store(inner.database.connect()?.as_mut())?;
        let ids = match store.kind.is_shared() {
            true => {
                store.transact(inner.database.as_ref(), &|| inner.check_open(), |session| store.create_unify_schema(session))?;
                None
            }
            false => Some(inner.begin_numbering(target, &store)?),
        };
        Ok(WriteRecords { inner: inner.weak(), target: target.clone(), store, ids, last_id: None })
    }

    /// Adds the record of a batch, and its lines, whatever becomes of the user's transaction.
    pub fn add(&mut self, batch: BatchRecord<'_>, lines: &[LogLine]) -> Result<()> {
        let known = self.ids.as_ref().map(|ids| ids.fetch_add(1, Ordering::Relaxed) + 1);
        let (store, subject) = (&self.store, self.target.subject(&self.store));
        let id = self.transact(|session| {
            let id = known.map_or_else(|| live_jobs::take_id(session, &store.unify_schema), Ok)?;
            let record = JobRecord { id, parent_id: None, action: ACTION, n_rows: batch.n_rows, error: batch.error };
            session.execute(&subject.record_sql(record))?;
            subject.write_log(session, id, lines)?;
            Ok(id)
        })?;
        self.last_id = Some(id);
        Ok(())
    }

    /// Adds a line to those of the last record, if there is one.
    pub fn add_line(&self, line: LogLine) -> Result<()> {
        let Some(id) = self.last_id else { return Ok(()) };
        let subject = self.target.subject(&self.store);
        self.transact(|session| subject.write_log(session, id, std::slice::from_ref(&line)))
    }

    fn transact<T>(&self, work: impl FnMut(&mut dyn Session) -> Result<T>) -> Result<T> {
        let inner = self.inner.upgrade().ok_or_else(|| Error::new(ErrorKind::DatabaseGone, "the database was closed"))?;
        self.store.transact(inner.database.as_ref(), &|| inner.check_open(), work)
    }
}

impl Drop for WriteRecords {
    fn drop(&mut self) {
        if let (Some(_), Some(inner)) = (&self.ids, self.inner.upgrade()) {
            inner.end_numbering(&self.target);
        }
    }
}
