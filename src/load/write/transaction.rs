//! Transactions of a writer: how many rows one takes, how long it lasts, and when it is given up.

use crate::columns::Batch;
use crate::session::{Database, Session, TableName, ROW_GROUP};
use crate::{Error, ErrorKind, Result};
use std::time::{Duration, Instant};

/// How long a transaction lasts.
const USUAL_TIME: Duration = Duration::from_secs(5);
/// How long one of a row group or more lasts, which waits for the end of the next one.
const MOST_TIME: Duration = Duration::from_secs(15);
/// How often an open transaction asks whether it is all that keeps the database open.
const ALONE_POLL: Duration = Duration::from_millis(100);

/// Rows that are appended and not yet committed. Dropped, it takes them back.
pub struct Transaction {
    pub session: Box<dyn Session>,
    pub n_rows: usize,
    /// Whether it changes more than rows that are added or removed.
    pub alters: bool,
    pub began: Instant,
    asked: Instant,
}

impl Transaction {
    /// Begins one, on a session of its own. DuckDB writes a row group of it when that is full, not with four others or at the commit. So few are
    /// in memory, and the commit, for which others wait, is short. Rows keep their order, whatever the user said of that of query results.
    pub fn begin(database: &dyn Database) -> Result<Transaction> {
        let mut session = database.connect()?;
        // Where the configuration is locked, both stay as the user set them.
        let _ = session.execute("SET SESSION write_buffer_row_group_count = 1; SET SESSION preserve_insertion_order = true");
        session.execute("BEGIN")?;
        Ok(Transaction { session, n_rows: 0, alters: false, began: Instant::now(), asked: Instant::now() })
    }

    /// Appends rows to a table.
    pub fn append(&mut self, table: &TableName, batches: &[Batch]) -> Result<()> {
        self.session.append(table, batches)?;
        self.n_rows += batches.iter().map(|batch| batch.n_rows).sum::<usize>();
        Ok(())
    }

    /// Returns whether others may wait for the rows. Fails when the user closed the database, which waits for the session to end.
    pub fn is_overdue(&mut self, ends_soon: bool) -> Result<bool> {
        if self.asked.elapsed() >= ALONE_POLL {
            self.asked = Instant::now();
            leave_when_alone(self.session.as_mut())?;
        }
        Ok(is_due(self.n_rows, self.began.elapsed(), ends_soon))
    }
}

/// Returns how many more rows a transaction of `n_rows` takes. What is over a whole number of row groups becomes a row group, too, and a small
/// one is merged with its neighbours at a later checkpoint: all their rows are written again. So a transaction ends at the end of a row group,
/// or where all rows end.
pub fn room(n_rows: usize, ends_soon: bool) -> usize {
    match n_rows < ROW_GROUP || ends_soon {
        true => usize::MAX,
        false => n_rows.next_multiple_of(ROW_GROUP) - n_rows,
    }
}

/// Returns whether a transaction of `n_rows` that takes rows as they come takes `n_new` more after such a time.
pub fn goes_on(n_rows: usize, n_new: usize, elapsed: Duration, ends_soon: bool) -> bool {
    let ends_well = n_rows < ROW_GROUP || (n_new > room(n_rows, false) && !ends_soon);
    elapsed < if ends_well { USUAL_TIME } else { MOST_TIME }
}

/// Returns whether a transaction of so many rows is committed after such a time.
fn is_due(n_rows: usize, elapsed: Duration, ends_soon: bool) -> bool {
    let leaves_small = n_rows >= ROW_GROUP && (1..=ROW_GROUP / 2).contains(&(n_rows % ROW_GROUP));
    let waits = n_rows >= ROW_GROUP && (leaves_small || ends_soon);
    elapsed >= if waits { MOST_TIME } else { USUAL_TIME }
}

/// Fails when the session is all that keeps the database open. The database ends with it, then, on this thread, and soon: without the
/// checkpoint of all that was loaded, which can take seconds. What is committed is in the WAL, for whoever opens the file next.
pub fn leave_when_alone(session: &mut dyn Session) -> Result<()> {
    if !session.is_alone()? {
        return Ok(());
    }
    // Where the configuration is locked the end takes longer.
    let _ = session.execute("PRAGMA disable_checkpoint_on_shutdown");
    Err(Error::new(ErrorKind::DatabaseGone, "the database was closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_ends_with_a_row_group_or_with_all_rows() {
        for (n_rows, ends_soon, expected) in [
            (0, false, usize::MAX),
            (ROW_GROUP - 1, false, usize::MAX),
            (ROW_GROUP, false, 0),
            (ROW_GROUP + 520, false, ROW_GROUP - 520),
            (2 * ROW_GROUP, false, 0),
            (2 * ROW_GROUP, true, usize::MAX),
        ] {
            assert_eq!(room(n_rows, ends_soon), expected, "{n_rows} {ends_soon}");
        }
    }

    #[test]
    fn a_transaction_that_takes_rows_as_they_come_ends_with_a_row_group() {
        let nearly_whole = 2 * ROW_GROUP - 50;
        for (n_rows, ends_soon, seconds, expected) in [
            (0, false, 4, true),
            (ROW_GROUP - 50, false, 5, false),
            (nearly_whole, false, 4, true),
            (nearly_whole, false, 5, false),
            (nearly_whole, true, 5, true),
            (nearly_whole, true, 15, false),
            (ROW_GROUP + 50, false, 14, true),
            (ROW_GROUP + 50, false, 15, false),
        ] {
            assert_eq!(goes_on(n_rows, 100, Duration::from_secs(seconds), ends_soon), expected, "{n_rows} {ends_soon} {seconds}");
        }
    }

    #[test]
    fn a_transaction_that_lasts_leaves_no_small_row_group() {
        for (n_rows, ends_soon, seconds, expected) in [
            (100, false, 4, false),
            (100, false, 5, true),
            (100, true, 5, true),
            (ROW_GROUP + 520, false, 5, false),
            (ROW_GROUP + 520, false, 15, true),
            (2 * ROW_GROUP - 520, false, 5, true),
            (2 * ROW_GROUP - 520, true, 5, false),
            (2 * ROW_GROUP - 520, true, 15, true),
            (2 * ROW_GROUP, false, 5, true),
        ] {
            assert_eq!(is_due(n_rows, Duration::from_secs(seconds), ends_soon), expected, "{n_rows} {ends_soon} {seconds}");
        }
    }
}
