//! Turns at what only one job may do at a time. Whoever waits for one can be called off.

use crate::lock::lock;
use crate::Result;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How often who waits is asked whether to go on.
const POLL: Duration = Duration::from_millis(20);

/// Who has the turn.
#[derive(Default)]
pub(super) struct Turns {
    is_taken: Mutex<bool>,
    given_back: Condvar,
}

/// The turn; given back when dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
}

impl Turns {
    /// Waits for the turn, as long as `may_go_on` does not fail.
    pub fn take(&self, may_go_on: &dyn Fn() -> Result<()>) -> Result<Turn<'_>> {
        let mut is_taken = lock(&self.is_taken);
        loop {
            may_go_on()?;
            if !*is_taken {
                *is_taken = true;
                return Ok(Turn { turns: self });
            }
            is_taken = self.given_back.wait_timeout(is_taken, POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(&self.turns.is_taken) = false;
        self.turns.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, ErrorKind};
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    #[test]
    fn who_waits_for_a_turn_can_be_called_off() {
        let turns = Turns::default();
        let first = turns.take(&|| Ok(())).unwrap();
        // Called off only once it has waited.
        let n_asked = AtomicU32::new(0);
        let may_go_on = || match n_asked.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(Error::new(ErrorKind::Cancelled, "called off")),
        };
        assert_eq!(turns.take(&may_go_on).err().map(|err| err.kind()), Some(ErrorKind::Cancelled));
        drop(first);
        assert!(turns.take(&|| Ok(())).is_ok());
    }

    #[test]
    fn a_turn_is_had_by_one_at_a_time() {
        let turns = Turns::default();
        let first = turns.take(&|| Ok(())).unwrap();
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            let turns = &turns;
            scope.spawn(move || {
                let _turn = turns.take(&|| sender.send("waits").map_err(|_| Error::internal("nobody listens"))).unwrap();
                sender.send("has it").unwrap();
            });
            // Asked twice, it has waited between.
            assert_eq!((receiver.recv().unwrap(), receiver.recv().unwrap()), ("waits", "waits"));
            drop(first);
            assert!(receiver.iter().any(|said| said == "has it"));
        });
    }
}
