//! One statement that appends pages as they come, for as long as they come fast and change nothing. DuckDB runs it on several threads.

use super::sizing::{is_small, rows_left};
use super::transaction::{goes_on, leave_when_alone, Transaction};
use super::writer::{Writer, GATHERING, IDLE};
use crate::columns::{Batch, TableSchema};
use crate::load::job::handle::Job;
use crate::load::pages::budget::PageMemory;
use crate::load::pages::fetched::{Fetched, FetchedRows};
use crate::load::records::checkpoints::{Checkpoint, Checkpoints};
use crate::load::staging::written::WrittenTable;
use crate::lock::lock;
use crate::session::{HeldBatch, Interrupter, RowSource, ROW_GROUP};
use crate::{Error, ErrorKind, Result};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Rows that are fitted to the columns and handed on together, or those of one page.
const LOT: usize = 2_048;

/// The rows of a page, with the memory they take in the memory budget.
struct PageRows {
    batch: Batch,
    _memory: PageMemory,
}

impl AsRef<Batch> for PageRows {
    fn as_ref(&self) -> &Batch {
        &self.batch
    }
}

/// What comes while the statement runs.
struct Coming<'a> {
    rows: &'a mut Receiver<Fetched>,
    /// What came and was not looked at.
    queue: VecDeque<Fetched>,
    checkpoints: &'a mut Checkpoints,
    n_pages: &'a mut u64,
    table: &'a WrittenTable<'a>,
    schema: &'a TableSchema,
    job: &'a Job,
    interrupter: Option<Arc<dyn Interrupter>>,
    began: Instant,
    n_rows: usize,
    ended: bool,
}

impl Coming<'_> {
    /// Returns rows that are in the queue, up to what does not belong to the statement.
    fn take_queue(&mut self) -> Result<Vec<HeldBatch>> {
        let mut lot: Vec<HeldBatch> = Vec::new();
        let n_rows = self.n_rows;
        while !self.ended && self.n_rows - n_rows < LOT {
            let Some(fetched) = self.queue.pop_front() else { break };
            if let Some(rows) = self.take(fetched)?.filter(|rows| rows.batch.n_rows > 0) {
                lot.push(Arc::new(rows));
            }
        }
        Ok(lot)
    }

    /// Waits for rows, and returns them. None are there when the statement is to end.
    fn more(&mut self) -> Result<Vec<HeldBatch>> {
        loop {
            let lot = self.take_queue()?;
            if !lot.is_empty() || !self.wait()? {
                return Ok(lot);
            }
        }
    }

    /// Waits until something came. Returns whether it did; if not, the statement is to end. Fails when nobody waits for the rows any more.
    fn wait(&mut self) -> Result<bool> {
        let began = Instant::now();
        while !self.ended {
            if self.interrupter.as_ref().is_some_and(|interrupter| interrupter.is_alone()) {
                return Err(Error::new(ErrorKind::DatabaseGone, "the database was closed"));
            }
            match self.job.check_cancelled() {
                Ok(()) => {}
                // The rows so far are stored.
                Err(_) if self.job.is_cancelled_by_user() => {
                    self.ended = true;
                    break;
                }
                Err(cancelled) => return Err(cancelled),
            }
            match self.rows.try_recv() {
                Ok(fetched) => {
                    self.queue.push_back(fetched);
                    self.queue.extend(self.rows.try_iter());
                    return Ok(true);
                }
                Err(TryRecvError::Empty) if began.elapsed() < IDLE => std::thread::sleep(GATHERING),
                Err(_) => self.ended = true,
            }
        }
        Ok(false)
    }

    /// Takes what came. Where it belongs to another statement, it stays in the queue and this one ends.
    fn take(&mut self, fetched: Fetched) -> Result<Option<PageRows>> {
        match fetched {
            Fetched::Rows(page) if self.belongs(&page) => {
                let FetchedRows { batches, memory, set, checkpoint } = *page;
                let batch = batches.own.conform(self.schema)?;
                self.checkpoints.reached(set, checkpoint);
                self.n_rows += batch.n_rows;
                *self.n_pages += 1;
                self.job.counters().writes(batch.n_rows);
                Ok(Some(PageRows { batch, _memory: memory }))
            }
            Fetched::Done { set, checkpoint } | Fetched::Reached { set, checkpoint } => {
                self.checkpoints.reached(set, checkpoint);
                Ok(None)
            }
            Fetched::Skipped { set } => {
                self.checkpoints.reached(set, Checkpoint::Skipped);
                Ok(None)
            }
            other => {
                self.queue.push_front(other);
                self.ended = true;
                Ok(None)
            }
        }
    }

    /// Returns whether the rows of a page fit the columns, and the transaction has room for them.
    fn belongs(&self, page: &FetchedRows) -> bool {
        let batch = &page.batches.own;
        let ends_soon = rows_left(self.job, *self.n_pages, &[]).is_some_and(is_small);
        let fits = batch.schema == *self.schema
            || (batch.is_soon_fitted_to(self.schema)
                && self.table.schema_with([&batch.schema]) == *self.schema
                && batch.schema.stuck(self.schema).is_none());
        fits && goes_on(self.n_rows, batch.n_rows, self.began.elapsed(), ends_soon)
    }
}

struct Source<'a>(Mutex<Coming<'a>>);

impl RowSource for Source<'_> {
    fn more(&self) -> Result<Vec<HeldBatch>> {
        lock(&self.0).more()
    }
}

impl Writer<'_> {
    /// Appends what was gathered and what comes after it, in the open transaction. Returns what came and is not of it.
    pub(super) fn append_as_they_come(
        &mut self,
        open: &mut Option<Transaction>,
        gathered: Vec<Fetched>,
        rows: &mut Receiver<Fetched>,
    ) -> Result<Vec<Fetched>> {
        let Some(transaction) = open else { return Err(Error::internal("rows are appended in no transaction")) };
        let of_page = |fetched: &Fetched| match fetched {
            Fetched::Rows(page) => Some(page.batches.own.schema.clone()),
            _ => None,
        };
        let news: Vec<TableSchema> = gathered.iter().filter_map(of_page).collect();
        let schema = self.schemas_with(&[news.iter().collect()])?.swap_remove(0);
        let messages = self.prepare(0, transaction, &schema)?;
        self.log(0, messages);
        let mut coming = Coming {
            rows,
            queue: gathered.into(),
            checkpoints: &mut self.checkpoints,
            n_pages: &mut self.n_pages,
            table: &self.tables[0],
            schema: &schema,
            job: self.to.job,
            interrupter: transaction.session.interrupter(),
            began: transaction.began,
            n_rows: 0,
            ended: false,
        };
        let first = coming.take_queue()?;
        let source = Source(Mutex::new(coming));
        let appended = transaction.session.append_as_they_come(&self.tables[0].store.staging, first, &source);
        let coming = source.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        if appended.is_err() {
            self.to.job.check_cancelled()?;
            leave_when_alone(transaction.session.as_mut())?;
        }
        appended?;
        let (n_rows, left) = (coming.n_rows, Vec::from(coming.queue));
        transaction.n_rows += n_rows;
        self.tables[0].n_rows += n_rows as u64;
        if transaction.n_rows >= ROW_GROUP {
            self.commit(open)?;
        }
        Ok(left)
    }
}
