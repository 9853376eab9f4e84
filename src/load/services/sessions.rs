//! The sessions with APIs that are open in this process, and how they end: by a logout, when nobody needs them any more.

use crate::http::Ending;
use crate::lock::lock;
use crate::spec::Connection;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What ends the sessions of one database's connections.
pub(in crate::load) struct OpenSessions {
    endings: Mutex<Vec<Open>>,
    /// Whether the last request was allowed: a database that closes cannot be asked.
    allowed: Arc<AtomicBool>,
    /// A fork of the process leaves the sessions to the process that began them.
    process: u32,
}

/// The sessions of one connection: one for each of its credentials.
struct Open {
    connection: Arc<Connection>,
    endings: Vec<Ending>,
}

impl Default for OpenSessions {
    fn default() -> OpenSessions {
        OpenSessions { endings: Mutex::default(), allowed: Arc::default(), process: std::process::id() }
    }
}

impl OpenSessions {
    /// Returns what notes whether requests are allowed.
    pub fn allowed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.allowed)
    }

    /// Notes what ends the sessions of a connection. Those of a connection of the same name with other options end.
    pub fn note(&self, connection: Arc<Connection>, endings: Vec<Ending>) {
        let is_replaced = |other: &Connection| other.name.eq_ignore_ascii_case(&connection.name);
        let replaced = self.take(is_replaced);
        let others: Vec<_> = replaced.into_iter().filter(|other| other.connection.options != connection.options).collect();
        lock(&self.endings).push(Open { connection, endings });
        self.run(others);
    }

    /// Ends the sessions of a connection.
    pub fn end_one(&self, connection: &str) {
        self.run(self.take(|other| other.name.eq_ignore_ascii_case(connection)));
    }

    /// Ends all sessions.
    pub fn end_all(&self) {
        self.run(self.take(|_| true));
    }

    fn take(&self, is_meant: impl Fn(&Connection) -> bool) -> Vec<Open> {
        let mut endings = lock(&self.endings);
        let (taken, kept) = std::mem::take(&mut *endings).into_iter().partition(|open| is_meant(&open.connection));
        *endings = kept;
        taken
    }

    /// Ends sessions side by side, so that a server that does not answer costs its time once.
    fn run(&self, sessions: Vec<Open>) {
        if sessions.is_empty() || self.process != std::process::id() || !self.allowed.load(Ordering::Relaxed) {
            return;
        }
        let start = |ending: Ending| thread::Builder::new().name("unify_logout".to_string()).spawn(ending).ok();
        let threads: Vec<_> = sessions.into_iter().flat_map(|open| open.endings).filter_map(start).collect();
        for thread in threads {
            // A logout that fails is the server's matter.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{AdapterSpec, Secret};
    use std::collections::BTreeMap;

    fn connection(name: &str, token: &str) -> Arc<Connection> {
        let spec =
            AdapterSpec::parse("a.yaml", "name: a\nbase_url: https://a\nauth: {type: BEARER}\ntables: [{name: t}]\n").unwrap().unwrap();
        let options = BTreeMap::from([("bearer_token".to_string(), Secret::new(token))]);
        Arc::new(Arc::new(spec).connect(name, options).unwrap())
    }

    #[test]
    fn sessions_end_when_their_connection_goes() {
        let ended: Arc<Mutex<Vec<String>>> = Arc::default();
        let sessions = OpenSessions::default();
        let note = |name: &str, token: &str| {
            let (ended, text) = (Arc::clone(&ended), format!("{name} {token}"));
            sessions.note(connection(name, token), vec![Box::new(move || lock(&ended).push(text.clone()))]);
        };
        let taken = || std::mem::take(&mut *lock(&ended));
        note("a", "1");
        sessions.end_all();
        assert_eq!(taken(), [] as [String; 0], "nothing may be sent yet");
        sessions.allowed().store(true, Ordering::Relaxed);
        note("a", "1");
        note("A", "1");
        note("b", "1");
        assert_eq!(taken(), [] as [String; 0]);
        note("a", "2");
        assert_eq!(taken(), ["A 1"]);
        sessions.end_one("B");
        assert_eq!(taken(), ["b 1"]);
        sessions.end_all();
        sessions.end_all();
        assert_eq!(taken(), ["a 2"]);
    }
}
