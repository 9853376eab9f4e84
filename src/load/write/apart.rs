//! What a writer does with pages but append them: windows that are asked for in halves, and pages without rows.

use super::transaction::Transaction;
use super::writer::Writer;
use crate::load::identity::set_mark;
use crate::load::pages::fetched::Fetched;
use crate::load::records::live_jobs;
use crate::load::records::staging_table::StagingTable;
use crate::session::quote_literal;
use crate::Result;

impl Writer<'_> {
    /// Returns whether nothing came that changes the table: [`Writer::write_all`] wrote nothing, and no earlier load had.
    pub fn brings_nothing(&self) -> bool {
        self.may_bring_nothing && self.tables.iter().all(|table| !table.staging.is_noted())
    }

    /// Stores where the sets are that [`Writer::write_all`] passed over, for a load that goes on from there.
    pub fn note_passed_over(&mut self) -> Result<()> {
        self.commit(&mut None)
    }

    /// Takes the last pages without writing anything, where none has a row and nothing was written before: a refresh that brings nothing is the
    /// most frequent job, and a transaction is most of it. Returns whether that is so; if not, nothing was taken.
    pub(super) fn passes_over(&mut self, gathered: &mut Vec<Fetched>) -> bool {
        let is_without_rows = |fetched: &Fetched| match fetched {
            Fetched::Rows(page) => {
                let batches = std::iter::once(&page.batches.own).chain(&page.batches.children);
                batches
                    .zip(&self.tables)
                    .all(|(batch, table)| batch.n_rows == 0 && table.schema_with([&batch.schema]) == *table.staging.schema())
            }
            Fetched::Done { .. } | Fetched::Reached { .. } => true,
            Fetched::Skipped { .. } | Fetched::Split { .. } => false,
        };
        if !self.brings_nothing() || !gathered.iter().all(is_without_rows) {
            return false;
        }
        for fetched in gathered.drain(..) {
            match fetched {
                Fetched::Rows(page) => {
                    self.n_pages += 1;
                    self.checkpoints.reached(page.set, page.checkpoint);
                }
                Fetched::Done { set, checkpoint } | Fetched::Reached { set, checkpoint } => self.checkpoints.reached(set, checkpoint),
                Fetched::Skipped { .. } | Fetched::Split { .. } => {}
            }
        }
        true
    }

    /// Takes what was gathered, in its order.
    pub(super) fn take(&mut self, open: &mut Option<Transaction>, gathered: Vec<Fetched>) -> Result<()> {
        let mut appended = Vec::with_capacity(gathered.len());
        let mut halved = Vec::new();
        for fetched in gathered {
            match fetched {
                Fetched::Split { set } => {
                    self.append(open, std::mem::take(&mut appended))?;
                    self.commit(open)?;
                    halved.push(set);
                }
                fetched => {
                    self.split(std::mem::take(&mut halved))?;
                    appended.push(fetched);
                }
            }
        }
        self.split(halved)?;
        self.append(open, appended)
    }

    /// Removes the rows of sets whose windows are asked for in halves, in one transaction with the note of that.
    fn split(&mut self, sets: Vec<usize>) -> Result<()> {
        if sets.is_empty() {
            return Ok(());
        }
        let marks: Vec<String> = sets.into_iter().map(|set| quote_literal(&set_mark(&self.checkpoints.split(set)))).collect();
        let (store, job) = (self.to.store, self.to.job);
        let n_removed = store.transact(self.to.database, &|| job.check_cancelled(), |session| {
            if store.kind.is_shared() {
                live_jobs::check(session, &store.unify_schema, job.id())?;
            }
            let mut n_removed = Vec::with_capacity(self.tables.len());
            for table in &self.tables {
                if !table.staging.is_noted() {
                    table.prepare(session, table.staging.schema(), self.note())?;
                }
                n_removed.push(table.remove_sets(session, &marks)?);
            }
            self.checkpoints.store(session, store)?;
            Ok(n_removed)
        })?;
        for (table, n_removed) in self.tables.iter_mut().zip(&n_removed) {
            table.staging = StagingTable::prepared(table.staging.schema().clone());
            table.n_rows = table.n_rows.saturating_sub(*n_removed);
        }
        self.checkpoints.committed();
        job.counters().takes_back(n_removed.first().copied().unwrap_or(0));
        job.counters().commits();
        Ok(())
    }
}
