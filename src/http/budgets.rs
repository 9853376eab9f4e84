//! The request budgets of one connection: its own, and those that some of its tables have besides.

use super::limits::{BudgetLeft, Limits};
use super::throttle::{Budget, Permit};
use super::verdict::{pause_after, BudgetsTold, Moment};
use crate::spec::{AdapterSpec, Throttle};
use crate::Result;
use std::sync::Arc;
use std::time::Duration;

/// The budgets of one connection.
pub struct Budgets {
    connection: Known,
    /// With their names.
    own: Vec<(String, Known)>,
}

/// A budget, and what the API last said about it.
struct Known {
    budget: Budget,
    limits: Arc<Limits>,
}

impl Known {
    fn new(throttle: &Throttle, max_in_flight: usize, longest_wait: f64) -> Known {
        Known { budget: Budget::new(throttle, max_in_flight, longest_wait), limits: Arc::default() }
    }

    fn share(&mut self, other: &Known) {
        self.budget.share_pauses(&other.budget);
        self.limits = Arc::clone(&other.limits);
    }
}

/// The right to have one request in flight under all its limits.
pub struct Permits {
    _own: Option<Permit>,
    _connection: Permit,
}

impl Budgets {
    /// Makes the budgets of a spec's limits and the user's own bound for requests in flight.
    pub fn new(spec: &AdapterSpec, max_in_flight: usize) -> Budgets {
        let longest_wait = spec.retry.park;
        let known = |throttle| Known::new(throttle, max_in_flight, longest_wait);
        Budgets {
            connection: known(&spec.throttle),
            own: spec.throttles.iter().map(|named| (named.name.clone(), known(&named.throttle))).collect(),
        }
    }

    /// Holds to what holds for other budgets of the same account: one pauses the other.
    pub fn share(&mut self, other: &Budgets) {
        self.connection.share(&other.connection);
        for (name, known) in &mut self.own {
            if let Some(same) = other.own(Some(name)) {
                known.share(same);
            }
        }
    }

    /// Waits for the right to start a request that is under the limits `own` besides those of the connection; otherwise as [`Budget::permit`].
    pub async fn permit(&self, own: Option<&str>, waiting: impl Fn(Duration)) -> Result<Permits> {
        let own = match self.own(own) {
            Some(known) => Some(known.budget.permit(&waiting).await?),
            None => None,
        };
        Ok(Permits { _own: own, _connection: self.connection.budget.permit(&waiting).await? })
    }

    /// Lets no request under these limits start for that long: of the connection, where a request has none of its own. Fails when that is
    /// more than the longest wait.
    pub fn pause(&self, own: Option<&str>, wait: Duration) -> Result<()> {
        self.either(own).budget.pause(wait)
    }

    /// Lets the next requests wait where a budget is used up.
    pub fn heed(&self, own: Option<&str>, told: &BudgetsTold) {
        for (known, told) in [(self.either(own), &told.own), (&self.connection, &told.connection)] {
            if let Some(wait) = pause_after(told) {
                // Too long a wait is the next request's error: this answer is good.
                let _ = known.budget.pause(wait);
            }
        }
    }

    /// Takes note of what an answer tells.
    pub fn note(&self, own: Option<&str>, told: &BudgetsTold, moment: Moment) {
        self.either(own).limits.note(&told.own, moment);
        self.connection.limits.note(&told.connection, moment);
    }

    /// Returns what the API last said about how much is left.
    pub fn left(&self, own: Option<&str>) -> Option<BudgetLeft> {
        self.either(own).limits.last()
    }

    /// Returns how many requests may be in flight at once, and the least time between the starts of two.
    pub fn pace(&self, own: Option<&str>) -> (usize, Duration) {
        let (n_at_once, spacing) = self.connection.budget.pace();
        let own = self.own(own).map(|known| known.budget.pace());
        own.map_or((n_at_once, spacing), |(n_own, own_spacing)| (n_at_once.min(n_own), spacing.max(own_spacing)))
    }

    /// Returns how long the API takes no such request from now on.
    pub fn paused_for(&self, own: Option<&str>) -> Duration {
        let own = self.own(own).map_or(Duration::ZERO, |known| known.budget.paused_for());
        self.connection.budget.paused_for().max(own)
    }

    fn own(&self, name: Option<&str>) -> Option<&Known> {
        self.own.iter().find(|(own, _)| Some(own.as_str()) == name).map(|(_, known)| known)
    }

    fn either(&self, own: Option<&str>) -> &Known {
        self.own(own).unwrap_or(&self.connection)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{adapter, basic};
    use super::*;
    use crate::spec::NamedThrottle;
    use futures_util::future::join_all;
    use tokio::time::Instant;

    fn budgets(connection: f64, search: f64) -> Budgets {
        let rate = |rate| Throttle { requests_per_second: Some(rate), ..Throttle::default() };
        let mut spec = adapter(basic());
        spec.throttle = rate(connection);
        spec.throttles = vec![NamedThrottle { name: "search".to_string(), throttle: rate(search) }];
        Budgets::new(&spec, 8)
    }

    async fn starts(budgets: &Budgets, names: &[Option<&str>]) -> Vec<u64> {
        let start = Instant::now();
        let requests = names.iter().map(|name| async {
            budgets.permit(*name, |_| ()).await.map(drop).unwrap();
            start.elapsed().as_millis() as u64
        });
        join_all(requests).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_limits_of_a_group_hold_besides_those_of_the_connection() {
        let found = starts(&budgets(10.0, 2.0), &[Some("search"), Some("search"), None, None]).await;
        assert_eq!(found, [0, 500, 100, 200]);
        let found = starts(&budgets(1.0, 10.0), &[Some("search"), Some("search"), Some("unknown")]).await;
        assert_eq!(found, [0, 1000, 2000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_pauses_alone_and_the_connection_pauses_all() {
        let budgets = budgets(1000.0, 1000.0);
        budgets.pause(Some("search"), Duration::from_secs(5)).unwrap();
        assert_eq!(budgets.paused_for(None), Duration::ZERO);
        assert_eq!(starts(&budgets, &[Some("search"), None]).await, [5000, 0]);
        budgets.pause(None, Duration::from_secs(7)).unwrap();
        assert_eq!(budgets.paused_for(Some("search")), Duration::from_secs(7));
        assert_eq!(starts(&budgets, &[Some("search"), None]).await, [7000, 7001]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_client_that_replaces_another_waits_as_it_would() {
        let (replaced, mut next) = (budgets(1000.0, 1000.0), budgets(1000.0, 1000.0));
        next.share(&replaced);
        replaced.pause(Some("search"), Duration::from_secs(5)).unwrap();
        assert_eq!(starts(&next, &[Some("search"), None]).await, [5000, 0]);
    }
}
