//! Waits, in a statement, for what a client needs before requests can be made.

use crate::http::ApiClient;
use crate::load::services::Services;
use crate::{Error, ErrorKind, Result};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Arc;
use std::time::Duration;

/// How often the wait asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

impl Services {
    /// Lets a client get the token whose values stand in requests, if there are such ones. Fails when it gets none, and when the user
    /// interrupts.
    pub(in crate::load) fn make_ready(&self, client: &Arc<ApiClient>, interrupted: &dyn Fn() -> bool) -> Result<()> {
        if !client.needs_to_be_ready() {
            return Ok(());
        }
        let (sender, receiver) = mpsc::channel();
        let client = Arc::clone(client);
        let task = self.workers()?.spawn(async move {
            // Nobody listens any more when the statement was interrupted.
            let _ = sender.send(client.ready().await);
        });
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::new(ErrorKind::Cancelled, "the database is closing")),
                Err(RecvTimeoutError::Timeout) if interrupted() => {
                    task.abort();
                    return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}
