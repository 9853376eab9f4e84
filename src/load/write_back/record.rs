//! The audit of writes: a record for each batch, and what happened to its requests.

use crate::http::{Method, RequestObserver};
use crate::load::job::log::LogBuffer;
use crate::load::job::report::LogLine;
use crate::load::records::audit::JobRecord;
use crate::load::records::live_jobs;
use crate::load::records::store::Store;
use crate::load::services::record_ids::RecordIds;
use crate::load::services::Services;
use crate::load::target::TableTarget;
use crate::session::{LogLevel, Session};
use crate::Result;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// The action of records about batches.
const ACTION: &str = "write";

/// What became of a batch.
#[derive(Debug, Clone, Copy)]
pub(in crate::load) struct BatchRecord<'a> {
    /// Rows the API has; `None`: nobody knows.
    pub n_rows: Option<u64>,
    pub error: Option<&'a str>,
}

/// What the requests of one batch tell, for the loading log.
pub(in crate::load) struct WriteLog {
    pub lines: LogBuffer,
}

impl WriteLog {
    /// Starts without lines; keeps those of `level` and above.
    pub fn new(level: LogLevel) -> WriteLog {
        WriteLog { lines: LogBuffer::new(level) }
    }
}

impl RequestObserver for WriteLog {
    fn started(&self, method: Method, url: &dyn Display) {
        self.lines.add(LogLevel::Debug, || format!("{method} {url}"));
    }

    fn answered(&self, status: u16, n_bytes: u64) {
        self.lines.add(LogLevel::Debug, || format!("status {status}, {n_bytes} bytes"));
    }

    fn retried(&self, reason: &str, wait: Duration) {
        self.lines.add(LogLevel::Warning, || format!("{reason}; trying again in {:.1} s", wait.as_secs_f64()));
    }

    fn noted(&self, line: &str) {
        self.lines.add(LogLevel::Debug, || line.to_string());
    }

    fn waiting(&self, wait: Duration) {
        self.lines.add(LogLevel::Debug, || format!("waiting {:.1} s for the connection's budget", wait.as_secs_f64()));
    }
}

/// The records of one statement's batches.
pub(in crate::load) struct WriteRecords {
    services: Arc<Services>,
    target: TableTarget,
    store: Store,
    /// What counts the ids, where no other process gives out any.
    ids: Option<Arc<RecordIds>>,
    /// The id of the last record.
    last_id: Option<i64>,
}

impl WriteRecords {
    /// Makes the audit tables where they are missing. Fails when the database cannot be written to: what cannot be recorded is not sent.
    pub fn begin(services: &Arc<Services>, target: &TableTarget) -> Result<WriteRecords> {
        let store = target.store(services.database.connect()?.as_mut())?;
        let create = |session: &mut dyn Session| store.create_unify_schema(session);
        let ids = match store.kind.is_shared() {
            true => {
                services.transact(&store, create)?;
                None
            }
            false => {
                let turn = services.catalog_turn(&target.catalog)?;
                let mut session = services.database.connect()?;
                services.transact(&store, create)?;
                Some(turn.record_ids(session.as_mut(), &store)?)
            }
        };
        Ok(WriteRecords { services: services.clone(), target: target.clone(), store, ids, last_id: None })
    }

    /// Adds the record of a batch, and its lines, whatever becomes of the user's transaction.
    pub fn add(&mut self, batch: BatchRecord<'_>, lines: &[LogLine]) -> Result<()> {
        let known = self.ids.as_ref().map(|ids| ids.next());
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
        self.services.transact(&self.store, work)
    }
}
