//! Requests that find out whether a connection's credentials are right: each is sent once, and nothing is written.

use crate::columns::Batch;
use crate::http::{request_of_path, ApiClient, Reply, Request};
use crate::load::job::activity::Activity;
use crate::load::read::first_request::first_request;
use crate::load::read::reader::Reader;
use crate::load::services::clients::http_settings;
use crate::load::target::TableTarget;
use crate::session::Settings;
use crate::spec::{AdapterSpec, AuthSpec, Connection, RetrySpec};
use crate::{Error, ErrorKind, Result};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Arc;
use std::time::Duration;

/// How often the wait asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

/// How it is found out.
#[derive(Clone, Copy)]
pub struct Probe<'a> {
    pub settings: &'a Settings,
    /// Says whether nobody waits any more.
    pub interrupted: &'a dyn Fn() -> bool,
    /// Which of several credentials is to be used, counted from 0; `None`: any.
    pub credential: Option<usize>,
}

impl Reader {
    /// Sends a request for a path below the connection's base URL, with its credentials.
    pub fn ask_once(&self, connection: &Connection, path: &str, probe: &Probe<'_>) -> Result<Reply> {
        let (connection, path) = (once(connection), path.to_string());
        self.reply_to(connection, move |connection| request_of_path(connection, &path, &[]), probe)
    }

    /// Returns the rows [`Reader::peek`] does, but sends its request once only, whatever comes of it.
    pub fn probe(&self, target: &TableTarget, probe: &Probe<'_>) -> Result<Batch> {
        let page = self.client_of(once(&target.connection), probe).and_then(|client| {
            // A client of its own: the one of the connection's loads tries again.
            self.first_page(target, Arc::new(client), probe.settings, probe.interrupted)
        });
        page.map_err(|err| err.at(target.place()))
    }

    fn client_of(&self, connection: Connection, probe: &Probe<'_>) -> Result<ApiClient> {
        let client = self.services.clients.own(Arc::new(connection), http_settings(probe.settings))?;
        Ok(client.with_only(probe.credential))
    }

    /// Returns the status with which the API answers the request for a table's first page when it comes without credentials; `None` when
    /// no request can tell.
    pub fn status_without_credentials(&self, target: &TableTarget, probe: &Probe<'_>) -> Result<Option<u16>> {
        let target = TableTarget { connection: Arc::new(anonymous(&target.connection)), ..target.clone() };
        let mut session = self.services.database.connect()?;
        let Some(first) = first_request(&target, probe.settings, session.as_mut())? else { return Ok(None) };
        drop(session);
        // One that carries a secret of its own is not without credentials, and one that costs is not sent for nothing.
        if first.request.has_secrets || !first.request.is_safe {
            return Ok(None);
        }
        let reply = self.reply_to(Connection::clone(&target.connection), move |_| Ok(first.request), probe);
        reply.map(|reply| Some(reply.status))
    }

    fn reply_to(
        &self,
        connection: Connection,
        request: impl FnOnce(&Connection) -> Result<Request> + Send + 'static,
        probe: &Probe<'_>,
    ) -> Result<Reply> {
        let client = self.client_of(connection, probe)?;
        let activity = Activity::new(probe.settings.log_level);
        let (sender, receiver) = mpsc::channel();
        let task = self.services.workers()?.spawn(async move {
            // Nobody listens any more when the statement was interrupted.
            let _ = sender.send(client.ask_for(request, &activity).await);
        });
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(reply) => return reply,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::new(ErrorKind::Cancelled, "the database is closing")),
                Err(RecvTimeoutError::Timeout) if (probe.interrupted)() => {
                    task.abort();
                    return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// Returns the connection as one that sends each request once.
pub fn once(connection: &Connection) -> Connection {
    let mut adapter = AdapterSpec::clone(&connection.adapter);
    adapter.retry = RetrySpec { attempts: 1, statuses: Vec::new(), ..adapter.retry };
    Connection { adapter: Arc::new(adapter), ..connection.clone() }
}

/// Returns the connection as one of somebody who has no credentials.
fn anonymous(connection: &Connection) -> Connection {
    let mut connection = once(connection);
    let mut adapter = AdapterSpec::clone(&connection.adapter);
    let is_secret = |name: &str| connection.adapter.option(name).is_some_and(|option| option.secret);
    adapter.auth = vec![AuthSpec::None];
    adapter.headers.retain(|(_, value)| !value.names().any(is_secret));
    connection.options.auth = 0;
    connection.adapter = Arc::new(adapter);
    connection
}
