//! How many rows a transaction takes: DuckDB stores those of a large one as whole row groups, and copies those of small ones.

use super::transaction::{room, Transaction};
use super::writer::Writer;
use crate::load::job::handle::Job;
use crate::load::pages::fetched::Fetched;
use crate::session::{CatalogKind, ROW_GROUP};
use crate::Result;
use std::sync::atomic::Ordering;

/// Returns whether so many rows would be a small transaction.
pub(super) fn is_small(n_rows: u64) -> bool {
    n_rows < ROW_GROUP as u64
}

impl Writer<'_> {
    /// Returns how many of what was gathered an open transaction of `n_rows` takes, from the first one on.
    pub(super) fn n_with_room(&self, mut n_rows: usize, gathered: &[Fetched]) -> usize {
        let mut n_rows_left = self.n_rows_left();
        let is_shared = self.to.store.kind.is_shared();
        let takes = |fetched: &&Fetched| {
            let Fetched::Rows(page) = fetched else { return true };
            let n_new = page.batches.own.n_rows;
            let takes = is_shared || n_new <= room(n_rows, n_rows_left.is_some_and(is_small));
            n_rows += n_new;
            n_rows_left = n_rows_left.map(|n_rows_left| n_rows_left.saturating_sub(n_new as u64));
            takes
        };
        gathered.iter().take_while(takes).count()
    }

    /// Returns whether the open transaction, of `n_rows` so far, is worth keeping open: whether it will get the rows of a large one, because
    /// as many are still to come or, where the API does not say, as many came; or whether its rows are the first and are not copied.
    pub(super) fn becomes_large(&self, n_rows: usize) -> bool {
        let n_rows_all = self.to.job.counters().rows.load(Ordering::Relaxed);
        if n_rows >= ROW_GROUP || (n_rows as u64 == n_rows_all && self.to.database.moves_first_rows()) {
            return true;
        }
        match self.n_rows_left() {
            Some(n_rows_left) => !is_small(n_rows as u64 + n_rows_left),
            None => !is_small(n_rows_all),
        }
    }

    /// Returns whether the rows still to come would be a small transaction.
    pub(super) fn ends_soon(&self) -> bool {
        self.n_rows_left().is_some_and(is_small)
    }

    /// Returns about how many rows are still to be appended, where the API says how many pages there are and some came.
    fn n_rows_left(&self) -> Option<u64> {
        rows_left(self.to.job, self.n_pages, &[])
    }

    /// Returns whether what was gathered is the beginning of whole row groups, which several threads append.
    pub(in crate::load) fn fills_row_groups(&self, open: &mut Option<Transaction>, gathered: &[Fetched]) -> Result<bool> {
        let is_alone = self.tables.len() == 1 && self.to.store.kind == CatalogKind::DuckDb;
        let has_columns = |fetched: &Fetched| matches!(fetched, Fetched::Rows(page) if !page.batches.own.columns.is_empty());
        let is_begun = open.as_ref().is_some_and(|transaction| transaction.n_rows > 0);
        if !is_alone || is_begun || !gathered.iter().all(is_appended) || !gathered.iter().any(has_columns) {
            return Ok(false);
        }
        let left = rows_left(self.to.job, self.n_pages, gathered);
        let n_rows_all = self.to.job.counters().rows.load(Ordering::Relaxed);
        if left.map_or(is_small(n_rows_all), is_small) {
            return Ok(false);
        }
        let transaction = match open {
            Some(transaction) => transaction,
            None => open.insert(Transaction::begin(self.to.database)?),
        };
        Ok(transaction.session.appends_on_threads())
    }
}

fn is_appended(fetched: &Fetched) -> bool {
    !matches!(fetched, Fetched::Split { .. })
}

/// Returns about how many rows are still to be appended, those that were gathered among them, where the API says how many pages there are.
pub(super) fn rows_left(job: &Job, n_pages: u64, gathered: &[Fetched]) -> Option<u64> {
    let n_pages_all = job.counters().expected_pages.load(Ordering::Relaxed);
    let of_page = |fetched: &Fetched| match fetched {
        Fetched::Rows(page) => Some(page.batches.own.n_rows as u64),
        _ => None,
    };
    let gathered: Vec<u64> = gathered.iter().filter_map(of_page).collect();
    let n_rows_all = job.counters().rows.load(Ordering::Relaxed) + gathered.iter().sum::<u64>();
    let n_seen = n_pages + gathered.len() as u64;
    (n_pages_all > 0 && n_seen > 0).then(|| n_pages_all.saturating_sub(n_pages).saturating_mul(n_rows_all) / n_seen)
}
