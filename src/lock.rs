//! Taking locks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for a lock and takes it, also after a thread that held it panicked: that panic was told where it was contained, and what waits
/// for the lock is not to end with it.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_under_a_lock_is_not_passed_on() {
        let mutex = Mutex::new(1);
        let outcome = std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let _guard = mutex.lock();
                std::panic::panic_any("boom");
            });
            holder.join()
        });
        assert!(outcome.is_err() && mutex.is_poisoned());
        assert_eq!(*lock(&mutex), 1);
    }
}
