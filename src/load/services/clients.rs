//! The clients of connections: the tables of one share its API's budget, and connections to it.

use crate::http::{ApiClient, HttpSettings, MaySend};
use crate::load::services::sessions::OpenSessions;
use crate::lock::lock;
use crate::session::{Database, Settings};
use crate::spec::Connection;
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The clients of one database instance.
pub(in crate::load) struct Clients {
    database: Arc<dyn Database>,
    /// By the connection's name in lower case.
    known: Mutex<HashMap<String, Known>>,
    /// The sessions with APIs that a logout ends.
    pub sessions: OpenSessions,
}

/// A client, and the settings it was made with.
struct Known {
    http: HttpSettings,
    client: Arc<ApiClient>,
}

impl Known {
    /// Returns the client where it is one of this connection as it is now, with these settings.
    fn of(&self, connection: &Arc<Connection>, http: HttpSettings) -> Option<Arc<ApiClient>> {
        let same = self.client.connection();
        let is_it = self.http == http && same.options == connection.options && Arc::ptr_eq(&same.adapter, &connection.adapter);
        is_it.then(|| self.client.clone())
    }
}

impl Clients {
    /// Starts without clients.
    pub fn new(database: Arc<dyn Database>) -> Clients {
        Clients { database, known: Mutex::default(), sessions: OpenSessions::default() }
    }

    /// Returns the client that all loads of a connection share. One whose connection or settings changed is replaced by a new one, which
    /// keeps what the API asked for.
    pub fn shared(&self, connection: &Arc<Connection>, http: HttpSettings) -> Result<Arc<ApiClient>> {
        let key = connection.name.to_lowercase();
        if let Some(client) = lock(&self.known).get(&key).and_then(|known| known.of(connection, http)) {
            return Ok(client);
        }
        // To make one takes long, so that is done without the lock. Another thread may make it, too.
        let client = self.own(connection.clone(), http)?;
        let mut known = lock(&self.known);
        let last = known.get(&key);
        if let Some(client) = last.and_then(|last| last.of(connection, http)) {
            return Ok(client);
        }
        let client = Arc::new(match last {
            Some(last) => client.after(&last.client),
            None => client,
        });
        known.insert(key, Known { http, client: client.clone() });
        Ok(client)
    }

    /// Makes a client that asks before each request whether DuckDB's settings allow it: they may change while a load runs.
    pub fn own(&self, connection: Arc<Connection>, http: HttpSettings) -> Result<ApiClient> {
        let may_send = ExternalAccess {
            database: self.database.clone(),
            has_requests: connection.adapter.class.has_requests(),
            last: self.sessions.allowed(),
        };
        let client = ApiClient::new(Arc::clone(&connection), http)?.asking(Arc::new(may_send));
        let endings = client.endings();
        if !endings.is_empty() {
            self.sessions.note(connection, endings);
        }
        Ok(client)
    }

    /// Lets the loads of a connection use a client that another loader used: to make one takes longer than a load does in tests.
    #[cfg(test)]
    pub fn keep(&self, client: Arc<ApiClient>, settings: &Settings) {
        let key = client.connection().name.to_lowercase();
        lock(&self.known).insert(key, Known { http: http_settings(settings), client });
    }
}

/// What DuckDB's settings say of requests.
struct ExternalAccess {
    database: Arc<dyn Database>,
    /// Whether the adapter is of a class that sends any.
    has_requests: bool,
    /// The last answer, for those who cannot ask any more.
    last: Arc<AtomicBool>,
}

impl ExternalAccess {
    fn judge(&self, is_allowed: bool) -> Result<()> {
        self.last.store(is_allowed, Ordering::Relaxed);
        match is_allowed {
            true => Ok(()),
            false => Err(Error::config("nothing is sent because setting 'enable_external_access' is false")),
        }
    }
}

impl MaySend for ExternalAccess {
    fn check(&self) -> Result<()> {
        if !self.has_requests {
            return Err(Error::config("the adapter has no API over HTTP: LOAD its tables, or SELECT from them"));
        }
        self.judge(self.database.has_external_access()?)
    }

    fn check_at_once(&self) -> Option<Result<()>> {
        let is_allowed = self.has_requests.then(|| self.database.sees_external_access())??;
        Some(self.judge(is_allowed))
    }
}

/// Returns what the user's settings say about HTTP.
pub(in crate::load) fn http_settings(settings: &Settings) -> HttpSettings {
    HttpSettings {
        max_in_flight: settings.loader_threads,
        timeout: settings.http_timeout,
        allow_http: settings.allow_http,
        max_body_len: HttpSettings::default().max_body_len.min(usize::try_from(settings.page_limit()).unwrap_or(usize::MAX)),
    }
}
