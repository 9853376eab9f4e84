//! A DuckDB in a process of its own: a Python that runs `test/hosts/slt_host.py`, asked over its standard input.

use serde_json::{json, Value};
use sqllogictest::{DBOutput, DefaultColumnType, DB};
use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The longest a statement may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What no host may ever print: the token, and how BASIC authentication sends it.
const SECRETS: [&str; 2] = [testapi::TOKEN, "bWU6c2VjcmV0LXRva2Vu"];

/// What a statement failed with, as the host says it.
#[derive(Debug)]
pub struct HostError(String);

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HostError {}

/// A running host. Its process ends when it is dropped.
pub struct Host {
    process: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
    version: String,
}

impl Host {
    /// Starts the host in `folder`, on a new database there, with the API's address and token in its environment.
    pub fn start(python: &Path, script: &Path, folder: &Path, api: &str) -> Result<Host, String> {
        let script = std::path::absolute(script).map_err(|err| format!("'{}': {err}", script.display()))?;
        let mut process = Command::new(python)
            .arg(script)
            .arg(folder.join("test.duckdb"))
            .current_dir(folder)
            .env("HOME", folder)
            .env("UNIFY_TEST_API", api)
            .env("UNIFY_TEST_TOKEN", testapi::TOKEN)
            .env_remove("UNIFY_HOME")
            .env_remove("UNIFY_CONNECTIONS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|err| format!("cannot start '{}': {err}", python.display()))?;
        let output = process.stdout.take().ok_or("the host has no standard output")?;
        let (sender, answers) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let requests = process.stdin.take();
        let mut host = Host { process, requests, answers, version: String::new() };
        host.version = host.answer().map_err(|err| err.to_string())?["version"].as_str().unwrap_or_default().to_string();
        Ok(host)
    }

    /// Returns DuckDB's release, as `v1.5.6`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Lets the process close its database and end. Fails when it crashes or hangs at that.
    pub fn end(mut self) -> Result<(), String> {
        drop(self.requests.take());
        if self.answers.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            return Err(format!("the host did not end within {} s of its last statement", PATIENCE.as_secs()));
        }
        let status = self.process.wait().map_err(|err| format!("the host's process is lost: {err}"))?;
        status.success().then_some(()).ok_or_else(|| format!("the host's process ended: {status}"))
    }

    fn run(&mut self, connection: usize, sql: &str) -> Result<Value, HostError> {
        let request = json!({ "connection": connection, "sql": sql });
        let sent = self.requests.as_mut().map(|requests| writeln!(requests, "{request}").and_then(|()| requests.flush()));
        match sent {
            Some(Ok(())) => self.answer(),
            _ => Err(self.ended()),
        }
    }

    fn answer(&mut self) -> Result<Value, HostError> {
        let line = match self.answers.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                let _ = self.process.kill();
                return Err(HostError(format!("the host did not answer within {} s", PATIENCE.as_secs())));
            }
            Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
        };
        if SECRETS.iter().any(|secret| line.contains(secret)) {
            return Err(HostError("the host printed a secret".to_string()));
        }
        let answer: Value = serde_json::from_str(&line).map_err(|err| HostError(format!("the host wrote '{line}': {err}")))?;
        match answer["error"].as_str() {
            Some(message) => Err(HostError(message.to_string())),
            None => Ok(answer),
        }
    }

    fn ended(&mut self) -> HostError {
        match self.process.wait() {
            Ok(status) => HostError(format!("the host's process ended: {status}")),
            Err(err) => HostError(format!("the host's process is lost: {err}")),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One session of the host's database.
pub struct Session {
    host: Arc<Mutex<Host>>,
    connection: usize,
}

impl Session {
    pub fn new(host: Arc<Mutex<Host>>, connection: usize) -> Session {
        Session { host, connection }
    }

    /// Runs a statement and returns the host's answer.
    pub fn execute(&mut self, sql: &str) -> Result<Value, HostError> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner).run(self.connection, sql)
    }
}

impl DB for Session {
    type Error = HostError;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, HostError> {
        let answer = self.execute(sql)?;
        let texts = |row: &Value| row.as_array().into_iter().flatten().map(|text| text.as_str().unwrap_or_default().to_string()).collect();
        let rows: Vec<Vec<String>> = answer["rows"].as_array().into_iter().flatten().map(texts).collect();
        let n_columns = rows.first().map_or(0, Vec::len);
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; n_columns], rows })
    }

    fn engine_name(&self) -> &str {
        "duckdb"
    }
}
