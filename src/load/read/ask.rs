//! One request that a statement asks for itself: nothing stored, no job.

use crate::http::{request_of_path, Reply};
use crate::load::job::activity::Activity;
use crate::load::job::awaited::Awaited;
use crate::load::read::reader::Reader;
use crate::load::read::task_receiver::{Received, TaskReceiver};
use crate::session::Settings;
use crate::spec::Connection;
use crate::{Error, ErrorKind, Result};
use std::sync::{mpsc, Arc};

/// A request under way. Dropping it stops it.
pub struct Ask {
    task: Arc<TaskReceiver<Result<Reply>>>,
}

impl Reader {
    /// Sends a GET request for a path below the connection's base URL: within its budget, with its credentials, again where that helps.
    pub fn ask(&self, connection: &Arc<Connection>, path: &str, params: &[(String, Option<String>)], settings: &Settings) -> Result<Ask> {
        let (path, params) = (path.to_string(), params.to_vec());
        let client = self.services.client(connection, settings)?;
        let activity = Activity::new(settings.log_level);
        let (sender, receiver) = mpsc::channel();
        let task = self.services.workers()?.spawn(async move {
            // Nobody listens any more when the statement was interrupted.
            let _ = sender.send(client.ask_for(|connection| request_of_path(connection, &path, &params), &activity).await);
        });
        Ok(Ask { task: Arc::new(TaskReceiver::new(receiver, task.abort_handle())) })
    }
}

impl Ask {
    /// Returns the reply if it is there. Fails when none can come.
    pub fn reply(&self) -> Result<Option<Reply>> {
        match self.task.take() {
            Received::Item(reply) => reply.map(Some),
            Received::Nothing => Ok(None),
            Received::Over => Err(Error::new(ErrorKind::Cancelled, "the request was stopped because the database or the process ends")),
        }
    }

    /// Returns what to wait for when the reply is not there.
    pub fn awaited(&self) -> Arc<dyn Awaited> {
        self.task.clone()
    }
}
