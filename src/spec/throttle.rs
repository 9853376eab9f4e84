//! The limits an API wants its callers to keep, and where its answers tell how much of them is left.

use crate::document::JsonPath;
use std::time::Duration;

/// Limits of all requests of a connection, or of those of some tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Throttle {
    /// Least time between the starts of two requests, in seconds.
    pub sleep: f64,
    pub requests_per_second: Option<f64>,
    /// Most requests in flight at once.
    pub concurrency: usize,
    /// Where answers tell how much is left; empty: in the headers that most APIs have.
    pub signs: Vec<BudgetSign>,
}

impl Default for Throttle {
    fn default() -> Throttle {
        Throttle { sleep: 0.0, requests_per_second: None, concurrency: 8, signs: Vec::new() }
    }
}

/// Limits that some tables share, besides those of the connection.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedThrottle {
    /// The name of the group, or [`NamedThrottle::own_name`] of the one table that has it.
    pub name: String,
    pub throttle: Throttle,
}

impl NamedThrottle {
    /// Returns the name of the limits that one table has for itself. A group cannot have it: it has a blank.
    pub fn own_name(table: &str) -> String {
        format!("table {table}")
    }
}

/// Where answers tell how much of one budget is left, and when there is more.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetSign {
    /// `None`: only the time is told, for requests that are refused.
    pub left: Option<LeftSign>,
    /// How much there is in all.
    pub limit: Option<Amount>,
    /// What a request costs, where it is not one.
    pub cost: Option<Told>,
    /// The next request waits while less than this is left.
    pub reserve: f64,
    /// When the budget is full again.
    pub reset: Option<WaitSign>,
    /// How much comes back each second.
    pub restore: Option<Amount>,
    /// How long the budget takes to be full again, where answers do not tell.
    pub window: Option<Duration>,
}

/// Which of the two an answer tells.
#[derive(Debug, Clone, PartialEq)]
pub enum LeftSign {
    Remaining(Told),
    /// `USED/LIMIT` tells the limit, too.
    Used(Told),
}

impl LeftSign {
    /// Returns where it is told.
    pub fn told(&self) -> &Told {
        match self {
            LeftSign::Remaining(told) | LeftSign::Used(told) => told,
        }
    }
}

/// A number that the spec knows, or an answer tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Amount {
    Fixed(f64),
    Told(Told),
}

/// Where an answer tells something.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Header(String),
    /// In the JSON of a header.
    HeaderJson(String, JsonPath),
    Body(JsonPath),
}

impl Told {
    /// Returns whether the body has to be read for it.
    pub fn is_in_body(&self) -> bool {
        matches!(self, Told::Body(_))
    }
}

/// Where an answer tells how long to wait.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitSign {
    pub told: Told,
    pub unit: WaitUnit,
}

/// How a wait is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WaitUnit {
    /// Seconds from now, seconds or milliseconds since 1970 by their size, or a date.
    #[default]
    BySize,
    Seconds,
    Minutes,
    Millis,
    Epoch,
    EpochMillis,
    Date,
}

impl Throttle {
    /// Returns whether an answer's body tells something about the limits.
    pub fn reads_body(&self) -> bool {
        self.signs.iter().any(BudgetSign::reads_body)
    }
}

impl BudgetSign {
    fn reads_body(&self) -> bool {
        let in_amount = |amount: &Option<Amount>| matches!(amount, Some(Amount::Told(told)) if told.is_in_body());
        self.left.as_ref().is_some_and(|left| left.told().is_in_body())
            || in_amount(&self.limit)
            || in_amount(&self.restore)
            || self.cost.as_ref().is_some_and(Told::is_in_body)
            || self.reset.as_ref().is_some_and(|reset| reset.told.is_in_body())
    }
}
