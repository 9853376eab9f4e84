//! What a table function waits for between its steps, while DuckDB does other things.

use super::state::State;
use crate::load::Awaited;
use crate::{Error, ErrorKind, Result};
use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

/// How long one wait takes at most: as often DuckDB asks for the progress.
const A_WHILE: Duration = Duration::from_millis(50);
/// How often a wait asks whether the user interrupted.
const POLL: Duration = Duration::from_millis(10);

thread_local! {
    /// What the function that this thread ran last waits for. The bridge takes it right after the call.
    static WAIT: Cell<Option<Wait>> = const { Cell::new(None) };
}

/// A wait for a job, the daemon or an API, on behalf of a statement.
pub struct Wait {
    awaited: Arc<dyn Awaited>,
    state: Weak<State>,
    /// Address of the ClientContext whose statement waits; the wait asks for it while that statement runs.
    context: usize,
    /// What a user who interrupted was told: once, whoever noticed it.
    told: OnceLock<Error>,
}

impl Wait {
    /// Makes the wait of a statement that runs in the ClientContext at that address.
    pub fn new(awaited: Arc<dyn Awaited>, state: Weak<State>, context: usize) -> Wait {
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
        let began = Instant::now();
        while began.elapsed() < A_WHILE && !self.awaited.wait_at_most(POLL) {
            if self.state.upgrade().is_some_and(|state| state.is_interrupted(self.context)) {
                return Err(self.told());
            }
        }
        Ok(())
    }

    /// Returns the error for a user who interrupted, unless the wait need not go on.
    pub fn interrupted(&self) -> Option<Error> {
        (!self.awaited.wait_at_most(Duration::ZERO)).then(|| self.told())
    }

    fn told(&self) -> Error {
        self.told.get_or_init(|| self.awaited.interrupted()).clone()
    }
}

/// Returns an error as the text of a DuckDB exception: its type and message as JSON.
pub fn exception_of(err: &Error) -> String {
    exception_text(if err.kind() == ErrorKind::Interrupted { "INTERRUPT" } else { "Invalid Input" }, err.message())
}

/// Returns the text of a DuckDB exception of that type.
pub fn exception_text(exception_type: &str, text: &str) -> String {
    let mut message = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => message.extend(['\\', c]),
            c if c < ' ' => drop(write!(message, "\\u{:04x}", u32::from(c))),
            c => message.push(c),
        }
    }
    format!("{{\"exception_type\":\"{exception_type}\",\"exception_message\":\"{message}\"}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_json_text() {
        let err = Error::new(ErrorKind::Interrupted, "it\"s \\ a\nline");
        let expected = r#"{"exception_type":"INTERRUPT","exception_message":"it\"s \\ a\u000aline"}"#;
        assert_eq!(exception_of(&err), expected);
    }
}
