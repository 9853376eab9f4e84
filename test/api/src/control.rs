//! What may change between requests, and what was asked: `/__control`, `/__stats` and `/__wait`.
//!
//! `/__control?reset=1` puts everything back and closes the gate; `fail=N` answers the next N requests with 500; `rows=N` and
//! `revision=N` change the shop's stock; `mode=M` says how `/bad/switch` misbehaves; `open=1` and `open=0` move the gate.
//! `replay=FOLDER` names the folder whose answers are given below `/replayed`.
//! `/__stats?path=P` is the number of requests for a path, `/__stats?path=P&what=credentials` how many brought a credential,
//! and `/__stats` everything as JSON. `/__wait?path=P&n=N` answers when a path was asked N times.
//! `/__written?path=P` lists what was written below a path, a line each.

use crate::desk::Desk;
use crate::export::Exports;
use crate::feed::Feeds;
use crate::ledger::Ledger;
use crate::oauth::Realms;
use crate::recorded::Fixtures;
use crate::source::Sources;
use crate::{answer, Asked, Place};
use axum::response::Response;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The longest `/__wait` waits before it answers 504.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The state of one running API.
pub struct Control {
    state: Mutex<State>,
    /// True: open.
    gate: watch::Sender<bool>,
    /// Counts requests, so that waiters look again.
    arrivals: watch::Sender<u64>,
    /// Address of the listener that stands for another origin.
    pub elsewhere: String,
    /// Lists that tests change.
    pub sources: Sources,
    /// Lists with a feed of changes.
    pub feeds: Feeds,
    /// What was written.
    pub desk: Desk,
    /// Jobs that export rows.
    pub exports: Exports,
    /// The ledgers rule themselves.
    pub ledger: Ledger,
    /// Authorization servers.
    pub realms: Realms,
    /// What is given again.
    pub fixtures: Fixtures,
}

#[derive(Default)]
struct State {
    fail: u64,
    rows: Option<usize>,
    revision: usize,
    mode: String,
    replayed: PathBuf,
    requests: BTreeMap<String, Count>,
}

#[derive(Default, Clone, Copy)]
struct Count {
    requests: u64,
    credentials: u64,
}

impl Control {
    pub fn new(elsewhere: String) -> Control {
        Control {
            state: Mutex::default(),
            gate: watch::channel(false).0,
            arrivals: watch::channel(0).0,
            elsewhere,
            sources: Sources::default(),
            feeds: Feeds::default(),
            desk: Desk::default(),
            exports: Exports::default(),
            ledger: Ledger::default(),
            realms: Realms::default(),
            fixtures: Fixtures::default(),
        }
    }

    /// Answers a request to the control endpoints; `None` for any other.
    pub async fn answer(&self, asked: &Asked) -> Option<Response> {
        match asked.path.as_str() {
            "/__control" => {
                let changed = self.change(asked);
                Some(changed.map_or_else(|message| answer::error(400, &message), |()| answer::body(200, "text/plain", "ok\n")))
            }
            "/__feed" => Some(self.feeds.change(asked)),
            "/__source" => Some(self.sources.change(asked)),
            "/__oauth" => Some(self.realms.report(asked)),
            "/__written" => Some(self.desk.lines(asked)),
            "/__stats" => Some(self.stats(asked)),
            "/__wait" => Some(self.wait(asked).await),
            _ => None,
        }
    }

    /// Counts a request, unless it is one to the control endpoints. Another origin's paths start with `elsewhere:`.
    pub fn count(&self, asked: &Asked, place: Place) {
        let prefix = if place == Place::Elsewhere { "elsewhere:" } else { "" };
        {
            let mut state = self.state();
            let count = state.requests.entry(format!("{prefix}{}", asked.path)).or_default();
            count.requests += 1;
            count.credentials += u64::from(asked.has_credentials());
        }
        self.arrivals.send_modify(|n_arrivals| *n_arrivals += 1);
    }

    /// Counts something, and returns how often it was until now.
    pub fn noted(&self, name: &str) -> u64 {
        self.note(name);
        self.n_requests(name)
    }

    /// Counts something that is not a request, such as a failure already given.
    pub fn note(&self, name: &str) {
        self.state().requests.entry(name.to_string()).or_default().requests += 1;
    }

    /// Returns whether this request is one of those that `fail=N` asked to fail.
    pub fn fails_now(&self) -> bool {
        let mut state = self.state();
        let fails = state.fail > 0;
        state.fail = state.fail.saturating_sub(1);
        fails
    }

    /// Returns the folder whose answers are given again.
    pub fn replayed(&self) -> PathBuf {
        self.state().replayed.clone()
    }

    /// Returns how often a path was asked, this time included.
    pub fn n_requests(&self, path: &str) -> u64 {
        self.state().requests.get(path).map_or(0, |count| count.requests)
    }

    pub fn rows(&self) -> Option<usize> {
        self.state().rows
    }

    pub fn revision(&self) -> usize {
        self.state().revision
    }

    pub fn mode(&self) -> String {
        self.state().mode.clone()
    }

    /// Returns when the gate is open.
    pub async fn pass_gate(&self) {
        let _ = self.gate.subscribe().wait_for(|open| *open).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, asked: &Asked) -> Result<(), String> {
        let mut state = self.state();
        for (key, value) in &asked.query {
            let number = || value.parse::<usize>().map_err(|_| format!("'{key}' needs a number, not '{value}'"));
            match key.as_str() {
                "reset" => {
                    *state = State::default();
                    self.sources.clear();
                    self.feeds.clear();
                    self.desk.reset();
                    self.exports.reset();
                    self.realms.reset();
                    self.gate.send_replace(false);
                }
                "fail" => state.fail = number()? as u64,
                "rows" => state.rows = Some(number()?),
                "revision" => state.revision = number()?,
                "mode" => state.mode = value.clone(),
                "replay" => state.replayed = PathBuf::from(value),
                "open" => {
                    self.gate.send_replace(value != "0");
                }
                other => return Err(format!("unknown control '{other}'")),
            }
        }
        Ok(())
    }

    fn stats(&self, asked: &Asked) -> Response {
        let state = self.state();
        let Some(path) = asked.value("path") else {
            let all: Map<String, Value> = state
                .requests
                .iter()
                .map(|(path, count)| (path.clone(), json!({ "requests": count.requests, "credentials": count.credentials })))
                .collect();
            return answer::json(&Value::Object(all));
        };
        let count = state.requests.get(path).copied().unwrap_or_default();
        let number = if asked.value("what") == Some("credentials") { count.credentials } else { count.requests };
        answer::body(200, "text/plain", format!("{number}\n"))
    }

    async fn wait(&self, asked: &Asked) -> Response {
        let path = asked.value("path").unwrap_or_default();
        let n_requests = asked.number("n", 1) as u64;
        let mut arrivals = self.arrivals.subscribe();
        let waited = tokio::time::timeout(LONGEST_WAIT, arrivals.wait_for(|_| self.n_requests(path) >= n_requests)).await.is_ok();
        match waited {
            true => answer::body(200, "text/plain", "ok\n"),
            false => answer::error(504, &format!("'{path}' was asked {} times, not {n_requests}", self.n_requests(path))),
        }
    }
}
