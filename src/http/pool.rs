//! Several credentials of one connection: which of them a request goes with, by what each has left.

use super::verdict::{pause_after, BudgetTold, BudgetsTold};
use crate::lock::lock;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::futures::Notified;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How far apart two answers may say that one budget is full again.
const SAME_RESET: Duration = Duration::from_secs(2);

/// The credentials of a connection that has several.
pub struct Pool {
    /// Covers memory, and is taken last.
    members: Mutex<Vec<Member>>,
    /// Told when a request has its answer.
    answered: Notify,
}

/// Why no credential is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTurn {
    /// All are spent for so long.
    Spent(Duration),
    /// Requests under way may take all that is left: their answers tell.
    UnderWay,
}

/// A credential, and what is known about it.
struct Member {
    /// What messages call it.
    name: String,
    /// Whether the API does not take it.
    is_rejected: bool,
    /// Whether it is not to be used whatever the API says.
    is_left_out: bool,
    n_in_flight: usize,
    /// By the name of the limits; the connection's have none.
    left: BTreeMap<Option<String>, Left>,
}

/// What the API said about a budget of a credential.
#[derive(Debug, Clone, Copy, Default)]
struct Left {
    requests: Option<f64>,
    /// When it is full again.
    resets_at: Option<Instant>,
    /// Until when the API takes no request.
    spent_until: Option<Instant>,
}

/// A request's use of a credential. Dropping it ends that.
pub struct Turn<'a> {
    pool: &'a Pool,
    idx: usize,
}

impl Turn<'_> {
    /// Returns which credential it is.
    pub fn idx(&self) -> usize {
        self.idx
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pool.with(self.idx, |member| member.n_in_flight = member.n_in_flight.saturating_sub(1));
        self.pool.answered.notify_waiters();
    }
}

impl Member {
    /// Returns whether it can be tried.
    fn is_usable(&self) -> bool {
        !self.is_rejected && !self.is_left_out
    }

    /// Returns the budgets that a request under the limits `own` needs.
    fn budgets<'a>(&'a self, own: Option<&'a str>) -> impl Iterator<Item = &'a Left> {
        let is_needed = move |name: &Option<String>| name.is_none() || name.as_deref() == own;
        self.left.iter().filter(move |(name, _)| is_needed(name)).map(|(_, left)| left)
    }

    /// Returns until when it cannot be used; `None` when it can.
    fn spent_until(&self, own: Option<&str>, now: Instant) -> Option<Instant> {
        self.budgets(own).filter_map(|left| left.spent_until).filter(|until| *until > now).max()
    }

    /// Returns how many requests the API said are left; what it said nothing of is good for any number.
    fn left(&self, own: Option<&str>, now: Instant) -> f64 {
        let left = self.budgets(own).filter(|left| left.resets_at.is_none_or(|at| at > now)).filter_map(|left| left.requests);
        left.min_by(f64::total_cmp).unwrap_or(f64::INFINITY)
    }

    /// Returns how many requests are left when those under way have come.
    fn worth(&self, own: Option<&str>, now: Instant) -> f64 {
        self.left(own, now) - self.n_in_flight as f64
    }

    /// Returns whether no request is left, though the API may take one.
    fn has_none(&self, own: Option<&str>, now: Instant) -> bool {
        self.left(own, now) < 1.0
    }
}

impl Left {
    /// Takes note of what an answer tells. Answers may overtake each other: of one span of time the least counts.
    fn note(&mut self, told: &[BudgetTold], now: Instant) {
        let part = |budget: &BudgetTold| match (budget.left, budget.limit) {
            (Some(left), Some(limit)) if limit > 0.0 => left / limit,
            (Some(left), _) => left,
            (None, _) => f64::INFINITY,
        };
        let after = |seconds: f64| Duration::try_from_secs_f64(seconds).ok().and_then(|wait| now.checked_add(wait));
        if let Some(budget) = told.iter().filter(|budget| budget.left.is_some()).min_by(|a, b| part(a).total_cmp(&part(b))) {
            let resets_at = budget.resets_in.and_then(after);
            let is_same = match (self.resets_at, resets_at) {
                (Some(known), Some(told)) => known > now && known.max(told) - known.min(told) <= SAME_RESET,
                _ => false,
            };
            self.requests = match self.requests.filter(|_| is_same) {
                Some(known) => budget.left.map(|left| left.min(known)),
                None => budget.left,
            };
            self.resets_at = if is_same { self.resets_at } else { resets_at };
        }
        if let Some(until) = pause_after(told).and_then(|wait| now.checked_add(wait)) {
            self.spent_until = self.spent_until.max(Some(until));
        }
    }
}

impl Pool {
    /// Makes a pool of credentials with these names.
    pub fn new(names: Vec<String>) -> Pool {
        let member = |name| Member { name, is_rejected: false, is_left_out: false, n_in_flight: 0, left: BTreeMap::new() };
        Pool { members: Mutex::new(names.into_iter().map(member).collect()), answered: Notify::new() }
    }

    /// Returns how many credentials there are.
    pub fn len(&self) -> usize {
        lock(&self.members).len()
    }

    /// Chooses the credential for a request that is under the limits `own` besides those of the connection: of those that are neither rejected
    /// nor spent the one that has the most left. When all are spent, how long to wait is the error; when requests under way may take all that is
    /// left, that is. When all were rejected, each is tried anew.
    pub fn turn(&self, own: Option<&str>, now: Instant) -> Result<Turn<'_>, NoTurn> {
        let mut members = lock(&self.members);
        if !members.iter().any(Member::is_usable) {
            members.iter_mut().for_each(|member| member.is_rejected = false);
        }
        let usable = || members.iter().enumerate().filter(|(_, member)| member.is_usable());
        let worth = |(_, member): &(usize, &Member)| member.worth(own, now);
        let unspent = usable().filter(|(_, member)| member.spent_until(own, now).is_none());
        let has_none = |(_, member): &(usize, &Member)| member.has_none(own, now);
        // Of equal ones the first that is in use least.
        let order = |a: &(usize, &Member), b: &(usize, &Member)| {
            has_none(a).cmp(&has_none(b)).then(worth(b).total_cmp(&worth(a))).then(a.1.n_in_flight.cmp(&b.1.n_in_flight))
        };
        let Some((idx, member)) = unspent.min_by(order) else {
            let soonest = usable().filter_map(|(_, member)| member.spent_until(own, now)).min();
            return Err(NoTurn::Spent(soonest.map_or(Duration::ZERO, |until| until - now)));
        };
        if member.worth(own, now) < 1.0 && !member.has_none(own, now) {
            return Err(NoTurn::UnderWay);
        }
        members[idx].n_in_flight += 1;
        Ok(Turn { pool: self, idx })
    }

    /// Ends when a request has its answer, from this call on.
    pub fn answered(&self) -> Notified<'_> {
        self.answered.notified()
    }

    /// Takes note of what an answer tells about a credential's budgets.
    pub fn note(&self, idx: usize, own: Option<&str>, told: &BudgetsTold, now: Instant) {
        self.with(idx, |member| {
            for (name, told) in [(own.map(str::to_string), &told.own), (None, &told.connection)] {
                if !told.is_empty() {
                    member.left.entry(name).or_default().note(told, now);
                }
            }
        });
    }

    /// Sets a credential aside until a moment, for requests under these limits: the API refused one.
    pub fn spend(&self, idx: usize, own: Option<&str>, until: Instant) {
        self.with(idx, |member| {
            let left = member.left.entry(own.map(str::to_string)).or_default();
            left.spent_until = left.spent_until.max(Some(until));
        });
    }

    /// Sets a credential aside that the API does not take. Returns whether others are left.
    pub fn reject(&self, idx: usize) -> bool {
        self.with(idx, |member| member.is_rejected = true);
        lock(&self.members).iter().any(Member::is_usable)
    }

    /// Makes all requests go with one credential.
    pub fn leave_out_others(&self, idx: usize) {
        lock(&self.members).iter_mut().enumerate().for_each(|(other, member)| member.is_left_out = other != idx);
    }

    /// Returns how long all credentials that are not rejected are spent; zero while one is not.
    pub fn spent_for(&self, own: Option<&str>, now: Instant) -> Duration {
        let members = lock(&self.members);
        let waits = members.iter().filter(|member| member.is_usable()).map(|member| member.spent_until(own, now));
        waits.map(|until| until.map_or(Duration::ZERO, |until| until - now)).min().unwrap_or_default()
    }

    /// Returns what messages call a credential.
    pub fn name(&self, idx: usize) -> String {
        lock(&self.members).get(idx).map(|member| member.name.clone()).unwrap_or_default()
    }

    /// Returns what is known of each credential, for those who ask why a request waits.
    pub fn states(&self, own: Option<&str>, now: Instant) -> Vec<String> {
        let state = |member: &Member| {
            let left = member.left(own, now);
            let state = match (member.is_rejected, member.spent_until(own, now)) {
                (true, _) => "is not taken by the API".to_string(),
                (false, Some(until)) => format!("is spent for {:.1} s", (until - now).as_secs_f64()),
                (false, None) if left.is_finite() => format!("has {left} left"),
                (false, None) => "can be used".to_string(),
            };
            format!("{} {state}", member.name)
        };
        lock(&self.members).iter().map(state).collect()
    }

    fn with<T>(&self, idx: usize, change: impl FnOnce(&mut Member) -> T) -> Option<T> {
        lock(&self.members).get_mut(idx).map(change)
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
