//! Transactions of a writer: how many rows one takes, how long it lasts, and when it is given up.

use crate::columns::Batch;
use crate::session::{Database, Session, TableName};
use crate::{Error, ErrorKind, Result};
use std::time::{Duration, Instant};

/// The rows of a row group. A large transaction has at least as many, and DuckDB compresses and writes them to its file at once. It copies
/// those of smaller ones, page by page, and keeps them in memory, all of them, for as long as the statement that waits for the load. Some
/// releases do not copy the first ones of a table either.
pub const ROW_GROUP: usize = 122_880;
/// The longest transaction.
const MOST_TIME: Duration = Duration::from_secs(5);
/// How often an open transaction asks whether it is all that keeps the database open.
const ALONE_POLL: Duration = Duration::from_millis(100);

/// Rows that are appended and not yet committed. Dropped, it takes them back.
pub struct Transaction {
    pub session: Box<dyn Session>,
    pub n_rows: usize,
    /// Whether it changes more than rows that are added or removed.
    pub alters: bool,
    began: Instant,
    asked: Instant,
}

impl Transaction {
    /// Begins one, on a session of its own.
    pub fn begin(database: &dyn Database) -> Result<Transaction> {
        let mut session = database.connect()?;
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
    pub fn is_overdue(&mut self) -> Result<bool> {
        if self.asked.elapsed() >= ALONE_POLL {
            self.asked = Instant::now();
            leave_when_alone(self.session.as_mut())?;
        }
        Ok(self.began.elapsed() >= MOST_TIME)
    }
}

/// Returns whether a large transaction has rows enough. What is over a whole number of row groups becomes a row group, too, and one that is
/// no more than half full would be merged with its neighbours at a later checkpoint: all rows written again.
pub fn is_filled(n_rows: usize) -> bool {
    let n_over = n_rows % ROW_GROUP;
    n_rows >= ROW_GROUP && (n_over == 0 || n_over > ROW_GROUP / 2)
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
    fn a_large_transaction_leaves_no_small_row_group() {
        for (n_rows, filled) in [
            (0, false),
            (ROW_GROUP - 1, false),
            (ROW_GROUP, true),
            (ROW_GROUP + 520, false),
            (ROW_GROUP + ROW_GROUP / 2, false),
            (ROW_GROUP + ROW_GROUP / 2 + 1, true),
            (2 * ROW_GROUP, true),
            (2 * ROW_GROUP + 100, false),
        ] {
            assert_eq!(is_filled(n_rows), filled, "{n_rows}");
        }
    }
}
