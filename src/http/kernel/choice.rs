//! Which of several credentials the tries of a request go with.

use super::core::{Sending, ShownRequest};
use super::hops::is_refusal;
use crate::http::authorizer::SentWith;
use crate::http::message::Request;
use crate::http::pool::{NoTurn, Pool, Turn};
use crate::http::verdict::{BudgetsTold, Waits};
use crate::Result;
use std::time::Duration;
use tokio::time::Instant;

/// The choice that one request has.
pub struct Choice<'a> {
    pool: Option<&'a Pool>,
    own: Option<&'a str>,
    how: &'a Sending<'a>,
    /// What messages call the request.
    target: ShownRequest<'a>,
    /// How often another credential may still take the place of one: then tries count.
    n_others: usize,
    /// The credentials that were renewed for it: each is once.
    renewed: Vec<usize>,
}

/// What follows when a request is to be tried again.
pub struct Again {
    pub after: Duration,
    /// Whether another credential takes it at once.
    pub has_other: bool,
    /// What to say of the credentials.
    pub told: String,
}

impl<'a> Choice<'a> {
    /// Returns the choice of a request. One that goes without credentials has none, and so has that of a connection with one credential.
    pub fn of(request: &'a Request, target: ShownRequest<'a>, how: &'a Sending<'a>) -> Choice<'a> {
        let pool = how.authorizer.pool().filter(|_| !request.is_anonymous);
        let n_others = pool.map_or(0, Pool::len);
        Choice { pool, own: request.throttle.as_deref(), how, target, n_others, renewed: Vec::new() }
    }

    /// Returns the credential for the next try, as soon as it is known which of them has something left; how long all are spent is the error.
    pub async fn turn(&self) -> std::result::Result<Option<Turn<'a>>, Duration> {
        let Some(pool) = self.pool else { return Ok(None) };
        loop {
            let answered = pool.answered();
            match pool.turn(self.own, Instant::now()) {
                Ok(turn) => return Ok(Some(turn)),
                Err(NoTurn::Spent(wait)) => return Err(wait),
                Err(NoTurn::UnderWay) => answered.await,
            }
        }
    }

    /// Takes note of what an answer tells.
    pub fn note(&self, turn: Option<&Turn<'_>>, told: &BudgetsTold) {
        if let (Some(pool), Some(turn)) = (self.pool, turn) {
            pool.note(turn.idx(), self.own, told, Instant::now());
        }
    }

    /// Gets new credentials in the place of those that the API does not take, or sets them aside. Returns whether the request is to be sent once
    /// more. Fails when a server gives no new ones, and there are no others.
    pub async fn replaces(&mut self, turn: Option<&Turn<'_>>, rejected: Option<SentWith>, reason: &str) -> Result<bool> {
        let Some(rejected) = rejected else { return Ok(false) };
        if !self.renewed.contains(&rejected.credential()) {
            match self.how.authorizer.rejected(rejected).await {
                Ok(true) => {
                    self.renewed.push(rejected.credential());
                    return Ok(true);
                }
                Ok(false) => {}
                Err(err) if is_refusal(&err) && self.sets_aside(turn, err.message()) => return Ok(true),
                Err(err) => return Err(err),
            }
        }
        Ok(self.sets_aside(turn, reason))
    }

    /// Returns whether credentials were renewed for the request.
    pub fn has_renewed(&self) -> bool {
        !self.renewed.is_empty()
    }

    /// Sets a credential aside that cannot be used, and tells so. Returns whether another one is to be tried.
    pub fn sets_aside(&mut self, turn: Option<&Turn<'_>>, reason: &str) -> bool {
        let (Some(pool), Some(turn)) = (self.pool, turn) else { return false };
        if !pool.reject(turn.idx()) || self.n_others == 0 {
            return false;
        }
        self.n_others -= 1;
        self.how.observer.retried(&format!("{} {reason}; {} is set aside", self.target, pool.name(turn.idx())), Duration::ZERO);
        true
    }

    /// Sets a credential aside whose limit is reached.
    pub fn spent(&mut self, turn: Option<Turn<'_>>, after: Duration, waits: Waits) -> Again {
        let (Some(pool), Some(turn), Waits::Limited) = (self.pool, turn, waits) else {
            return Again { after, has_other: false, told: String::new() };
        };
        let now = Instant::now();
        pool.spend(turn.idx(), self.own, now + after);
        let after = pool.spent_for(self.own, now);
        let has_other = after.is_zero() && self.n_others > 0;
        self.n_others -= usize::from(has_other);
        Again { after, has_other, told: format!("; {} is set aside", pool.name(turn.idx())) }
    }
}
