//! Tables of a PostgreSQL database: what its catalog has, and rows by COPY.

mod client;
pub mod first_rows;
pub mod rows;
pub mod tables;
pub mod types;

pub use client::Server;

use crate::load::threads::pool::Workers;
use crate::{Error, ErrorKind, Result};
use std::future::Future;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// How often a wait for the server asks whether to go on.
const POLL: Duration = Duration::from_millis(20);

/// Does `work` on the network threads and waits for it, as long as `may_go_on` does not fail.
pub fn waited<T: Send + 'static>(
    workers: &Workers,
    may_go_on: &dyn Fn() -> Result<()>,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = mpsc::channel();
    let task = workers.spawn(async move {
        // Nobody listens any more when the wait was given up.
        let _ = sender.send(work.await);
    });
    loop {
        match receiver.recv_timeout(POLL) {
            Ok(outcome) => return outcome,
            Err(RecvTimeoutError::Timeout) => {
                if let Err(err) = may_go_on() {
                    task.abort();
                    return Err(err);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::new(ErrorKind::Cancelled, "the work was stopped because the database or the process ends"));
            }
        }
    }
}
