//! Rows for an INSERT as they come, for two threads of the database's: while one compresses its row group, the other takes the next one's rows.
//!
//! DuckDB's batch insert makes a collection of the rows that have one batch index, and compresses it when the thread comes with the next index. Each
//! row group has an index of its own. A thread that filled one would hold up the next one while it compresses. So it gets a row first that the
//! statement leaves out, with an index between the two.

use crate::columns::Batch;
use crate::lock::lock;
use crate::Result;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The rows of a row group, where the file does not say otherwise. DuckDB compresses and writes the rows of a transaction that has as many before
/// the commit. It copies those of smaller ones, page by page, and keeps them in memory, all of them, for as long as the statement that waits for
/// the load. Some releases do not copy the first ones of a table either.
pub const ROW_GROUP: usize = 122_880;
/// How long a thread waits for another one that has the row group and does not ask for rows. It may be the one thread there is, which runs the
/// tasks of both in turns.
const PATIENCE: Duration = Duration::from_millis(300);

/// The rows of a batch, whose memory is free again when the last holder is gone.
pub type HeldBatch = Arc<dyn AsRef<Batch> + Send + Sync>;

/// Brings rows as they come.
pub trait RowSource: Sync {
    /// Waits for more rows of the same columns, and returns them. An empty list says that no more come. Fails when the rows so far must not be
    /// stored either. One thread at a time calls this.
    fn more(&self) -> Result<Vec<HeldBatch>>;
}

/// Rows that several threads take.
pub struct RowGroups<'a> {
    source: &'a dyn RowSource,
    /// Whether the statement takes rows that are given as those of the batch are.
    fits: &'a (dyn Fn(&Batch) -> bool + Sync),
    state: Mutex<State>,
    turn: Condvar,
}

/// What a thread has of them.
#[derive(Default)]
pub struct Share {
    fills: bool,
    /// That of the rows it got last. It grows.
    pub batch_index: u64,
    /// The rows it got last. DuckDB has copied them when the thread asks for others.
    held: Vec<Part>,
}

/// Some rows of a batch.
pub type Part = (HeldBatch, Range<usize>);

/// What a thread is to do.
pub enum Next<'s> {
    /// Store these rows, as many as were asked for at most.
    Store(&'s [Part]),
    /// Compress the row group that it filled.
    Compress,
    /// Leave.
    Leave,
}

/// What the threads share.
struct State {
    /// Rows that came and are not taken, with the first of them.
    waiting: VecDeque<(HeldBatch, usize)>,
    n_begun: u64,
    /// How many more rows the row group takes.
    n_left: usize,
    filler: Filler,
    ended: bool,
    unfit: Vec<HeldBatch>,
}

/// What the thread does that fills a row group.
#[derive(Clone, Copy)]
enum Filler {
    Nobody,
    Asks,
    /// It stores the rows it got, since then.
    Stores(Instant),
}

impl<'a> RowGroups<'a> {
    /// Makes row groups of the rows that `first` has, which fit, and of those that the source brings after them.
    pub fn new(first: Vec<HeldBatch>, source: &'a dyn RowSource, fits: &'a (dyn Fn(&Batch) -> bool + Sync)) -> RowGroups<'a> {
        let waiting = first.into_iter().map(|held| (held, 0)).collect();
        let state = State { waiting, n_begun: 0, n_left: 0, filler: Filler::Nobody, ended: false, unfit: Vec::new() };
        RowGroups { source, fits, state: Mutex::new(state), turn: Condvar::new() }
    }

    /// Says what a thread does next, which stores `most` rows at a time. Waits for rows, and for the row group before to be full. Fails when the
    /// source does.
    pub fn next<'s>(&self, share: &'s mut Share, most: usize) -> Result<Next<'s>> {
        share.held.clear();
        let mut state = lock(&self.state);
        if share.fills && state.n_left == 0 {
            state.filler = Filler::Nobody;
            self.turn.notify_all();
            share.fills = false;
            share.batch_index += 1;
            return Ok(Next::Compress);
        }
        if !share.fills {
            let Some(mine) = self.turn(state) else { return Ok(Next::Leave) };
            state = mine;
            share.fills = true;
            share.batch_index = 2 * state.n_begun;
            state.n_begun += 1;
            state.n_left = ROW_GROUP;
        }
        state.filler = Filler::Asks;
        let n_rows = self.take(&mut state, &mut share.held, most)?;
        state.n_left -= n_rows;
        state.filler = Filler::Stores(Instant::now());
        Ok(if n_rows > 0 { Next::Store(&share.held) } else { Next::Leave })
    }

    /// Ends the rows of all threads.
    pub fn end(&self) {
        let mut state = lock(&self.state);
        state.waiting.clear();
        state.ended = true;
        self.turn.notify_all();
    }

    /// Returns what came after the rows that were taken and does not fit.
    pub fn unfit(self) -> Vec<HeldBatch> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).unfit
    }

    /// Waits until the row group before is full. Returns `None` when no more rows come, or another thread takes them all.
    fn turn<'s>(&self, mut state: MutexGuard<'s, State>) -> Option<MutexGuard<'s, State>> {
        loop {
            match state.filler {
                _ if state.ended && state.waiting.is_empty() => return None,
                Filler::Nobody => return Some(state),
                Filler::Stores(since) if since.elapsed() >= PATIENCE => return None,
                Filler::Asks | Filler::Stores(_) => {}
            }
            state = self.turn.wait_timeout(state, PATIENCE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes the next rows, as many as are wanted and the row group has room for, and returns how many.
    fn take(&self, state: &mut State, taken: &mut Vec<Part>, most: usize) -> Result<usize> {
        let most = most.min(state.n_left);
        let mut n_rows = 0;
        while n_rows < most {
            let Some((held, first)) = state.waiting.front_mut() else {
                match self.receive(state)? {
                    true => continue,
                    false => break,
                }
            };
            let n_all = batch_of(held).n_rows;
            let rows = *first..(*first + most - n_rows).min(n_all);
            n_rows += rows.len();
            *first = rows.end;
            let is_used_up = *first == n_all;
            taken.push((held.clone(), rows));
            if is_used_up {
                state.waiting.pop_front();
            }
        }
        Ok(n_rows)
    }

    /// Waits for more rows. Returns whether there may be some.
    fn receive(&self, state: &mut State) -> Result<bool> {
        if state.ended {
            return Ok(false);
        }
        for held in self.source.more()? {
            // What comes after rows that do not fit waits behind them.
            match state.unfit.is_empty() && (self.fits)(batch_of(&held)) {
                true => state.waiting.push_back((held, 0)),
                false => state.unfit.push(held),
            }
        }
        state.ended = state.waiting.is_empty() || !state.unfit.is_empty();
        self.turn.notify_all();
        Ok(!state.waiting.is_empty())
    }
}

/// Returns the batch that is held.
pub fn batch_of(held: &HeldBatch) -> &Batch {
    held.as_ref().as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::{ColumnData, ColumnType, ColumnVector, TableSchema, Validity};
    use crate::spec::ScalarType;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Rows(Batch);

    impl AsRef<Batch> for Rows {
        fn as_ref(&self) -> &Batch {
            &self.0
        }
    }

    /// Returns rows that are numbered from `first` on.
    fn numbers(first: i64, n_rows: usize) -> HeldBatch {
        let schema = TableSchema::of(&[("number".to_string(), ColumnType::Scalar(ScalarType::BigInt))]);
        let validity = Validity { bytes: vec![1; n_rows], has_nulls: false };
        let data = ColumnData::BigInt((first..first + n_rows as i64).collect());
        Arc::new(Rows(Batch { schema, columns: vec![ColumnVector { data, validity }], n_rows }))
    }

    /// Pages of 1,000 numbered rows.
    struct Pages {
        n_all: usize,
        n_brought: AtomicUsize,
    }

    impl RowSource for Pages {
        fn more(&self) -> Result<Vec<HeldBatch>> {
            let first = self.n_brought.fetch_add(1_000, Ordering::Relaxed);
            let n_left = self.n_all.saturating_sub(first).min(1_000);
            Ok((n_left > 0).then(|| numbers(first as i64, n_left)).into_iter().collect())
        }
    }

    fn values(parts: &[Part]) -> Vec<i64> {
        let of = |(held, rows): &Part| match &batch_of(held).columns[0].data {
            ColumnData::BigInt(values) => values[rows.clone()].to_vec(),
            other => panic!("{other:?}"),
        };
        parts.iter().flat_map(of).collect()
    }

    /// Stores what one thread gets, and returns its row groups with their batch indices.
    fn work(groups: &RowGroups<'_>) -> Vec<(u64, Vec<i64>)> {
        let mut share = Share::default();
        let mut stored: Vec<(u64, Vec<i64>)> = Vec::new();
        loop {
            let new = match groups.next(&mut share, 2_048).unwrap() {
                Next::Store(parts) => values(parts),
                Next::Compress => continue,
                Next::Leave => return stored,
            };
            match stored.last_mut().filter(|(index, _)| *index == share.batch_index) {
                Some((_, rows)) => rows.extend(new),
                None => stored.push((share.batch_index, new)),
            }
        }
    }

    #[test]
    fn threads_store_whole_row_groups_whose_indices_have_the_order_of_the_rows() {
        for (n_all, n_threads) in [(5_000, 1), (3 * ROW_GROUP, 1), (3 * ROW_GROUP + 7, 2), (5 * ROW_GROUP + 999, 3)] {
            let pages = Pages { n_all, n_brought: AtomicUsize::new(0) };
            let groups = RowGroups::new(vec![numbers(-2, 2)], &pages, &|_| true);
            let mut stored: Vec<(u64, Vec<i64>)> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(|| work(&groups))).collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            stored.sort_by_key(|(index, _)| *index);
            assert!(stored.windows(2).all(|two| two[0].1.len() == ROW_GROUP && two[0].0 < two[1].0), "{n_all} {n_threads}");
            assert!(stored.into_iter().flat_map(|(_, rows)| rows).eq(-2..n_all as i64), "{n_all} {n_threads}");
        }
    }

    #[test]
    fn a_thread_that_filled_a_row_group_compresses_it_before_it_gets_the_next_one() {
        let pages = Pages { n_all: 2 * ROW_GROUP, n_brought: AtomicUsize::new(0) };
        let groups = RowGroups::new(Vec::new(), &pages, &|_| true);
        let mut share = Share::default();
        let mut n_rows = 0;
        while let Next::Store(parts) = groups.next(&mut share, 2_048).unwrap() {
            n_rows += values(parts).len();
        }
        assert_eq!((n_rows, share.batch_index), (ROW_GROUP, 1));
        assert!(matches!(groups.next(&mut share, 2_048).unwrap(), Next::Store(_)) && share.batch_index == 2);
    }

    #[test]
    fn rows_that_do_not_fit_end_the_statement_and_are_given_back_in_their_order() {
        let pages = Pages { n_all: 4_000, n_brought: AtomicUsize::new(0) };
        let fits = |batch: &Batch| !matches!(&batch.columns[0].data, ColumnData::BigInt(values) if values[0] == 2_000);
        let groups = RowGroups::new(Vec::new(), &pages, &fits);
        let stored = work(&groups);
        assert_eq!(stored.iter().map(|(_, rows)| rows.len()).sum::<usize>(), 2_000);
        let unfit: Vec<i64> = groups.unfit().iter().flat_map(|held| values(&[(held.clone(), 0..1_000)])).collect();
        assert!(unfit.into_iter().eq(2_000..3_000));
    }

    #[test]
    fn a_thread_leaves_when_the_one_with_the_row_group_does_not_ask_for_rows() {
        let pages = Pages { n_all: 2 * ROW_GROUP, n_brought: AtomicUsize::new(0) };
        let groups = RowGroups::new(Vec::new(), &pages, &|_| true);
        let (mut one, mut other) = (Share::default(), Share::default());
        assert!(matches!(groups.next(&mut one, 2_048).unwrap(), Next::Store(_)));
        assert!(matches!(groups.next(&mut other, 2_048).unwrap(), Next::Leave));
        assert!(matches!(groups.next(&mut one, 2_048).unwrap(), Next::Store(_)));
    }

    #[test]
    fn threads_leave_when_the_rows_are_ended() {
        let pages = Pages { n_all: 2 * ROW_GROUP, n_brought: AtomicUsize::new(0) };
        let groups = RowGroups::new(Vec::new(), &pages, &|_| true);
        let mut share = Share::default();
        assert!(matches!(groups.next(&mut share, 2_048).unwrap(), Next::Store(_)));
        groups.end();
        assert!(matches!(groups.next(&mut share, 2_048).unwrap(), Next::Leave));
    }
}
