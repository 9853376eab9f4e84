//! Sends a request until no other try follows: one loop for what reads and what writes, within the connection's budget, with its credentials,
//! again where that helps and does no harm.

mod choice;
mod core;
mod hops;
mod run;
mod step;

pub(super) use self::core::{Kernel, Repeat, Sending};
pub use self::core::{MaySend, RequestObserver};
pub use run::SendFailure;
pub(super) use step::Outcome;
