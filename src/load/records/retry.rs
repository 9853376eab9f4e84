//! What to do when another transaction was in the way: several processes may load into one lake at the same time.

use crate::session::CatalogKind;
use crate::{Error, Result};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// The first wait, which doubles ...
const FIRST_WAIT: Duration = Duration::from_millis(10);
/// ... up to this. Of each, a random part is waited.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How long conflicts are taken for the work of others: somebody's transaction succeeds each time.
const MOST_TIME: Duration = Duration::from_secs(120);
/// How often a wait asks whether to go on.
const POLL: Duration = Duration::from_millis(10);

/// Runs `attempt`, a transaction from BEGIN to COMMIT that leaves nothing behind when it fails, until it is not in conflict with
/// another one. `may_go_on` fails when there is no use in waiting.
pub fn retry_conflicts<T>(may_go_on: &dyn Fn() -> Result<()>, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    let mut longest = FIRST_WAIT;
    loop {
        let err = match attempt() {
            Err(err) if CatalogKind::is_conflict(&err) => err,
            outcome => return outcome,
        };
        if began.elapsed() >= MOST_TIME {
            return Err(Error::database(format!("other loads were in the way for {} s: {err}", MOST_TIME.as_secs())));
        }
        let until = Instant::now() + part_of(longest);
        while Instant::now() < until {
            may_go_on()?;
            std::thread::park_timeout(POLL.min(until.saturating_duration_since(Instant::now())));
        }
        may_go_on()?;
        longest = (longest * 2).min(LONGEST_WAIT);
    }
}

/// Runs `attempt` once, for a database that no other process writes to: what is in its way there is mostly a transaction of the user's,
/// which may be the one of the very statement that waits. Such an error says so.
pub fn tell_conflict<T>(attempt: impl FnOnce() -> Result<T>) -> Result<T> {
    attempt().map_err(|err| match CatalogKind::is_conflict(&err) {
        true => {
            err.within("another transaction changed the same data, perhaps one of this session; commit it or roll it back, and try again")
        }
        false => err,
    })
}

/// Returns a random time between a quarter of `longest` and all of it.
fn part_of(longest: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 768;
    longest * (256 + random as u32) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn conflict() -> Error {
        Error::database("TransactionContext Error: Failed to commit: Transaction conflict - attempting to insert")
    }

    #[test]
    fn a_transaction_in_conflict_is_done_again_until_it_is_not() {
        let mut n_attempts = 0;
        let outcome = retry_conflicts(&|| Ok(()), || {
            n_attempts += 1;
            if n_attempts < 4 {
                Err(conflict())
            } else {
                Ok(n_attempts)
            }
        });
        assert_eq!(outcome.unwrap(), 4);
    }

    #[test]
    fn a_conflict_that_is_not_waited_for_says_what_to_do() {
        let err = tell_conflict(|| Err::<(), Error>(conflict())).unwrap_err();
        assert!(err.message().starts_with("another transaction changed the same data, perhaps one of this session; "), "{err}");
        let err = tell_conflict(|| Err::<(), Error>(Error::database("IO Error: no space left on device"))).unwrap_err();
        assert_eq!(err.message(), "IO Error: no space left on device");
    }

    #[test]
    fn other_failures_and_a_load_that_ends_are_not_waited_for() {
        let mut n_attempts = 0;
        let outcome: Result<()> = retry_conflicts(&|| Ok(()), || {
            n_attempts += 1;
            Err(Error::database("IO Error: no space left on device"))
        });
        assert!(outcome.unwrap_err().message().contains("no space left"));
        let ended: Result<()> = retry_conflicts(&|| Err(Error::new(ErrorKind::Cancelled, "cancelled")), || {
            n_attempts += 1;
            Err(conflict())
        });
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(n_attempts, 2);
    }
}
