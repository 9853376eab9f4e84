//! What a table function waits for between its steps, while DuckDB does other things.

use super::context::RunningContext;
use super::state::State;
use crate::load::Awaited;
use crate::{Error, Result};
use std::cell::Cell;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// How long one wait takes at most: as often DuckDB asks for the progress, and it is asked whether the user interrupted.
const A_WHILE: Duration = Duration::from_millis(50);

thread_local! {
    /// What the function that this thread ran last waits for. The bridge takes it right after the call.
    static WAIT: Cell<Option<Wait>> = const { Cell::new(None) };
}

/// A wait for a job, the daemon or an API, on behalf of a statement.
pub struct Wait {
    awaited: Arc<dyn Awaited>,
    state: Weak<State>,
    /// Of the statement that waits.
    context: RunningContext,
    /// What a user who interrupted was told: once, whoever noticed it.
    told: OnceLock<Error>,
}

impl Wait {
    /// Makes the wait of a statement that runs in that context.
    pub fn new(awaited: Arc<dyn Awaited>, state: Weak<State>, context: RunningContext) -> Wait {
        Wait { awaited, state, context, told: OnceLock::new() }
    }

    /// Leaves the wait for the bridge; `None` forgets one that was not taken.
    pub fn leave(wait: Option<Wait>) {
        WAIT.set(wait);
    }

    /// Takes what this thread's last call left.
    pub fn take() -> Option<Wait> {
        WAIT.take()
    }

    /// Waits until that ends, but not for long. Fails when the user interrupts.
    pub fn a_while(&self) -> Result<()> {
        let is_interrupted = || self.state.upgrade().is_some_and(|state| state.is_interrupted(&self.context));
        match !self.awaited.wait_at_most(A_WHILE) && is_interrupted() {
            true => Err(self.told()),
            false => Ok(()),
        }
    }

    /// Returns the error for a user who interrupted, unless the wait need not go on.
    pub fn interrupted(&self) -> Option<Error> {
        (!self.awaited.wait_at_most(Duration::ZERO)).then(|| self.told())
    }

    fn told(&self) -> Error {
        self.told.get_or_init(|| self.awaited.interrupted()).clone()
    }
}
