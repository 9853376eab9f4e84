//! One request that a statement asks for itself: nothing stored, no job.

use super::inbox::{Inbox, Received};
use super::job::{Awaited, Job};
use super::loader::Loader;
use super::report::LoadAction;
use crate::http::{request_of_path, Reply};
use crate::session::Settings;
use crate::spec::Connection;
use crate::{Error, ErrorKind, Result};
use std::sync::{mpsc, Arc};

/// A request under way. Dropping it stops it.
pub struct Ask {
    inbox: Arc<Inbox<Result<Reply>>>,
}

impl Loader {
    /// Sends a GET request for a path below the connection's base URL: within its budget, with its credentials, again where that helps.
    pub fn ask(&self, connection: &Arc<Connection>, path: &str, params: &[(String, Option<String>)], settings: &Settings) -> Result<Ask> {
        let request = request_of_path(connection, path, params)?;
        let client = self.inner().client(connection, settings)?;
        // Nobody sees this job: it takes what requests tell.
        let job = Job::new(0, LoadAction::Load, String::new(), settings);
        let (sender, receiver) = mpsc::channel();
        let task = self.inner().workers()?.spawn(async move {
            // Nobody listens any more when the statement was interrupted.
            let _ = sender.send(client.ask(&request, &job).await);
        });
        Ok(Ask { inbox: Arc::new(Inbox::new(receiver, task.abort_handle())) })
    }
}

impl Ask {
    /// Returns the reply if it is there. Fails when none can come.
    pub fn reply(&self) -> Result<Option<Reply>> {
        match self.inbox.take() {
            Received::Item(reply) => reply.map(Some),
            Received::Nothing => Ok(None),
            Received::Over => Err(Error::new(ErrorKind::Cancelled, "the request was stopped because the database or the process ends")),
        }
    }

    /// Returns what to wait for when the reply is not there.
    pub fn awaited(&self) -> Arc<dyn Awaited> {
        self.inbox.clone()
    }
}
