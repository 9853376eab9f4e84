//! A mutex that is held over statements and requests: whoever waits for it can be called off.

use crate::lock::lock;
use crate::Result;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How often who waits is asked whether to go on.
const POLL: Duration = Duration::from_millis(20);

/// A mutex for what only one job may do at a time. It protects no value.
#[derive(Default)]
pub(in crate::load) struct CancellableMutex {
    is_taken: Mutex<bool>,
    given_back: Condvar,
}

/// A mutex that is held; free again when dropped.
pub(in crate::load) struct CancellableGuard {
    mutex: Arc<CancellableMutex>,
}

impl CancellableMutex {
    /// Waits for the mutex, as long as `may_go_on` does not fail.
    pub fn lock(self: &Arc<CancellableMutex>, may_go_on: &dyn Fn() -> Result<()>) -> Result<CancellableGuard> {
        let mut is_taken = lock(&self.is_taken);
        loop {
            may_go_on()?;
            if !*is_taken {
                *is_taken = true;
                return Ok(CancellableGuard { mutex: self.clone() });
            }
            is_taken = self.given_back.wait_timeout(is_taken, POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for CancellableGuard {
    fn drop(&mut self) {
        *lock(&self.mutex.is_taken) = false;
        self.mutex.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, ErrorKind};
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    #[test]
    fn who_waits_for_the_mutex_can_be_called_off() {
        let mutex = Arc::<CancellableMutex>::default();
        let first = mutex.lock(&|| Ok(())).unwrap();
        // Called off only once it has waited.
        let n_asked = AtomicU32::new(0);
        let may_go_on = || match n_asked.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(Error::new(ErrorKind::Cancelled, "called off")),
        };
        assert_eq!(mutex.lock(&may_go_on).err().map(|err| err.kind()), Some(ErrorKind::Cancelled));
        drop(first);
        assert!(mutex.lock(&|| Ok(())).is_ok());
    }

    #[test]
    fn one_at_a_time_holds_the_mutex() {
        let mutex = Arc::<CancellableMutex>::default();
        let first = mutex.lock(&|| Ok(())).unwrap();
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            let mutex = &mutex;
            scope.spawn(move || {
                let _guard = mutex.lock(&|| sender.send("waits").map_err(|_| Error::internal("nobody listens"))).unwrap();
                sender.send("has it").unwrap();
            });
            // Asked twice, it has waited between.
            assert_eq!((receiver.recv().unwrap(), receiver.recv().unwrap()), ("waits", "waits"));
            drop(first);
            assert!(receiver.iter().any(|said| said == "has it"));
        });
    }
}
