//! Asks a request to stop.

use crate::{Error, ErrorKind, Result};
use std::future::Future;
use tokio::sync::watch;

/// Asks a write to stop: waits end at once, a request under way is brought to its end.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Returns a stop and what sets it off.
    pub fn new() -> (watch::Sender<bool>, Stop) {
        let (sender, receiver) = watch::channel(false);
        (sender, Stop(receiver))
    }

    /// Does `work` unless the stop comes first. Fails with [`ErrorKind::Interrupted`] when it does.
    pub(super) async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let mut receiver = self.0.clone();
        tokio::select! {
            biased;
            Ok(_) = receiver.wait_for(|stops| *stops) => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
            done = work => Ok(done),
        }
    }
}
