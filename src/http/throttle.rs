//! The request budget of one connection: how many at once, how far apart, and not before when.

use crate::lock::lock;
use crate::spec::Throttle;
use crate::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// The budget all requests of a connection share. Waiting holds no thread, and dropping a wait leaves no trace but its turn.
pub struct Budget {
    permits: Arc<Semaphore>,
    n_permits: usize,
    spacing: Duration,
    /// Longer waits are errors: nobody sits through them.
    longest_wait: Duration,
    state: Arc<Mutex<BudgetState>>,
}

#[derive(Default)]
struct BudgetState {
    /// When the next request may start, by the spacing.
    next_start: Option<Instant>,
    /// When the API takes requests again.
    not_before: Option<Instant>,
}

/// The right to have one request in flight; dropping it lets another one be sent.
pub struct Permit {
    _permit: OwnedSemaphorePermit,
}

impl Budget {
    /// Makes the budget of an API's limits and the user's own bound for requests in flight. Waits longer than `longest_wait` seconds
    /// are errors.
    pub fn new(throttle: &Throttle, max_in_flight: usize, longest_wait: f64) -> Budget {
        let per_request = throttle.requests_per_second.filter(|rate| *rate > 0.0).map_or(0.0, |rate| 1.0 / rate);
        let spacing = Duration::try_from_secs_f64(throttle.sleep.max(per_request).max(0.0)).unwrap_or_default();
        let n_permits = throttle.concurrency.min(max_in_flight).max(1);
        let longest_wait = Duration::try_from_secs_f64(longest_wait).unwrap_or(Duration::MAX);
        Budget { permits: Arc::new(Semaphore::new(n_permits)), n_permits, spacing, longest_wait, state: Arc::default() }
    }

    /// Holds to what holds for another budget of the same account: one pauses the other.
    pub fn share_pauses(&mut self, other: &Budget) {
        self.state = Arc::clone(&other.state);
    }

    /// Waits for the right to start a request. `waiting` is told of each wait. Fails at once, with the moment, when the API takes
    /// none for longer than the longest wait.
    pub async fn permit(&self, waiting: impl Fn(Duration)) -> Result<Permit> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| Error::internal("the request budget was closed"))?;
        loop {
            let wait = self.turn(Instant::now());
            if wait.is_zero() {
                return Ok(Permit { _permit: permit });
            }
            if wait > self.longest_wait {
                return Err(too_long(wait));
            }
            waiting(wait);
            tokio::time::sleep(wait).await;
        }
    }

    /// Lets no request of the connection start for that long. Fails when that is more than the longest wait.
    pub fn pause(&self, wait: Duration) -> Result<()> {
        let until = Instant::now() + wait;
        let mut state = lock(&self.state);
        state.not_before = state.not_before.max(Some(until));
        drop(state);
        if wait > self.longest_wait {
            return Err(too_long(wait));
        }
        Ok(())
    }

    /// Returns how many requests may be in flight at once, and the least time between the starts of two.
    pub fn pace(&self) -> (usize, Duration) {
        (self.n_permits, self.spacing)
    }

    /// Returns how long the API takes no request from now on.
    pub fn paused_for(&self) -> Duration {
        let state = lock(&self.state);
        state.not_before.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Returns how long to wait from `now`; zero takes the turn.
    fn turn(&self, now: Instant) -> Duration {
        let mut state = lock(&self.state);
        let earliest = state.not_before.max(state.next_start).unwrap_or(now);
        let wait = earliest.saturating_duration_since(now);
        if wait.is_zero() {
            state.next_start = Some(now + self.spacing);
        }
        wait
    }
}

fn too_long(wait: Duration) -> Error {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + wait;
    let kind = ErrorKind::NotBefore(i64::try_from(at.as_micros()).unwrap_or(i64::MAX));
    let minutes = wait.as_secs().div_ceil(60);
    Error::new(kind, format!("the API asks to wait {minutes} minutes before the next request; try again then"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    async fn start_times(budget: &Budget, n_requests: usize) -> Vec<u64> {
        let start = Instant::now();
        let requests = (0..n_requests).map(|_| async {
            let permit = budget.permit(|_| ()).await.unwrap();
            let started = start.elapsed().as_millis() as u64;
            tokio::time::sleep(Duration::from_secs(10)).await;
            drop(permit);
            started
        });
        join_all(requests).await
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_at_once_than_allowed() {
        let budget = Budget::new(&Throttle { concurrency: 2, ..Throttle::default() }, 8, 300.0);
        assert_eq!(start_times(&budget, 5).await, [0, 0, 10_000, 10_000, 20_000]);
        let budget = Budget::new(&Throttle::default(), 1, 300.0);
        assert_eq!(start_times(&budget, 2).await, [0, 10_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn starts_are_spaced() {
        let budget = Budget::new(&Throttle { requests_per_second: Some(2.0), ..Throttle::default() }, 8, 300.0);
        assert_eq!(start_times(&budget, 4).await, [0, 500, 1000, 1500]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_every_request() {
        let budget = Budget::new(&Throttle::default(), 8, 300.0);
        budget.pause(Duration::from_secs(60)).unwrap();
        budget.pause(Duration::from_secs(5)).unwrap();
        assert_eq!(start_times(&budget, 2).await, [60_000, 60_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn budgets_of_one_account_pause_together() {
        let first = Budget::new(&Throttle::default(), 8, 300.0);
        first.pause(Duration::from_secs(5)).unwrap();
        let mut second = Budget::new(&Throttle::default(), 1, 300.0);
        second.share_pauses(&first);
        assert_eq!(start_times(&second, 2).await, [5_000, 15_000]);
        second.pause(Duration::from_secs(60)).unwrap();
        assert_eq!(start_times(&first, 2).await, [60_000, 60_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_an_hour_is_an_error_for_all() {
        let budget = Budget::new(&Throttle::default(), 8, 300.0);
        let err = budget.pause(Duration::from_secs(3600)).unwrap_err();
        assert_eq!(err.to_string(), "the API asks to wait 60 minutes before the next request; try again then");
        assert!(budget.permit(|_| ()).await.is_err());
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(budget.permit(|_| ()).await.is_ok());
    }
}
