//! What the tests of loads share: an API, a database in memory, and a loader between them.

use super::memory::{MemoryDatabase, Nature, State};
use super::support::{Reply, SeenRequest, Server};
use crate::http::ApiClient;
use crate::load::services::clients::http_settings;
use crate::load::{Job, LoadAction, LoadReport, Loader, Started, TableTarget};
use crate::lock::lock;
use crate::session::{Database, ProgressMode, Settings};
use crate::source::ResumePoint;
use crate::spec::AdapterSpec;
use crate::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

const SPEC: &str = "
name: shop
base_url: ADDRESS
retry: {attempts: 1}
errors: [{when: {status: 403}, do: skip}]
paging: {strategy: pagerToken, token_param: after, pager_token_path: next}
tables:
  - name: items
    resource_path: /items
    supports_paging: true
    result_body_path: data
    key_column: id
    description: What is sold
    columns: {name: {type: VARCHAR, description: What it is called}}
  - name: parts
    resource_path: /parts/{shelf}
    params: {shelf: [a, b, c]}
    copy_params_to_output: [shelf]
    supports_paging: true
    result_body_path: data
    key_columns: [shelf, id]
    columns: {name: {type: VARCHAR}}
  - name: events
    resource_path: /events
    supports_paging: true
    result_body_path: data
    key_column: id
    refresh:
      strategy: updates
      params: {since: '${timestamp}'}
  - name: feed
    resource_path: /feed
    supports_paging: true
    result_body_path: data
    key_column: id
    select: id, name
    deleted_when: gone
    columns: {id: BIGINT, name: VARCHAR}
    refresh:
      strategy: updates
      sync_token: {path: sync, param: sync}
  - name: spans
    resource_path: /spans/${window.start}-${window.end}
    supports_paging: true
    result_body_path: data
    key_column: id
    window: {start: 0, end: 8, step: 4}
    max_rows: {rows: 3, do: split}
  - name: reports
    resource_path: /reports/{shop}/${window.start}-${window.end}
    params: {shop: [a, b]}
    copy_params_to_output: [shop]
    supports_paging: true
    result_body_path: data
    key_columns: [shop, at, kind]
    columns: {at: BIGINT, kind: BIGINT, n: BIGINT}
    window: {start: 0, end: 8, step: 4}
    max_rows: {rows: 6, do: split}
    refresh: {strategy: updates, lookback: 3, overwrite: at}
  - name: marked_reports
    resource_path: /marked/${window.start}-${window.end}
    supports_paging: true
    result_body_path: data
    key_columns: [at, kind]
    columns: {at: BIGINT, kind: BIGINT, n: BIGINT}
    deletes: mark
    window: {start: 0, end: 8, step: 4}
    refresh: {strategy: updates, lookback: 3, overwrite: at}
  - name: keyless_reports
    resource_path: /keyless/${window.start}-${window.end}
    supports_paging: true
    result_body_path: data
    columns: {at: BIGINT, kind: BIGINT, n: BIGINT}
    window: {start: 0, end: 8, step: 4}
    refresh: {strategy: updates, lookback: 3, overwrite: at}
  - name: boxes
    resource_path: /boxes
    supports_paging: true
    result_body_path: data
    key_column: id
    deleted_when: gone
    children:
      - {name: things, path: things, copy: {box: id}, key_columns: [box, no]}
    refresh:
      strategy: updates
      params: {since: '${timestamp}'}
  - name: marked
    resource_path: /marked
    supports_paging: true
    result_body_path: data
    key_column: id
    deletes: mark
    deleted_when: gone
    columns: {id: BIGINT, value: BIGINT}
    children:
      - {name: marked_parts, path: parts, copy: {marked: id}, key_columns: [marked, no], columns: {no: BIGINT, value: BIGINT}}
    refresh:
      strategy: updates
      params: {since: '${timestamp}'}
  - name: marked_lines
    resource_path: /lines/{item}
    params: {item: sql@(SELECT id FROM items)}
    copy_params_to_output: [item]
    supports_paging: true
    result_body_path: data
    key_columns: [item, id]
    deletes: mark
  - name: lines
    resource_path: /lines/{item}
    params: {item: sql@(SELECT id FROM items)}
    copy_params_to_output: [item]
    supports_paging: true
    result_body_path: data
    key_columns: [item, id]
views:
  - name: cheap_items
    from: items
    query: SELECT id, name FROM items WHERE price < 10
";

pub(super) const FIRST: &str = r#"{"id": 1, "name": "nail", "price": 2}, {"id": 2, "name": "saw", "price": 30}"#;
pub(super) const SECOND: &str = r#"{"id": 3, "name": "plane", "price": 45}"#;
const THIRD: &str = r#"{"id": 4, "name": "file", "price": 7}, {"id": 5, "name": "rasp", "price": 9}"#;
/// The pages of a table.
pub(super) const ITEMS: &[&str] = &[FIRST, SECOND, THIRD];

/// The memory of all loads, in bytes ...
const MEMORY: u64 = 4 << 10;
/// ... which one page fills: the next one is asked for when its rows are committed.
const PADDING: usize = 4 << 10;

/// What the API answers, and what it was asked.
#[derive(Default)]
struct Answers {
    /// The rows of each page, by path; `?since` behind it where that was asked for.
    pages: BTreeMap<String, Vec<String>>,
    /// Pages that are an error, by path and number.
    broken: BTreeSet<(String, usize)>,
    /// Paths that are forbidden.
    forbidden: BTreeSet<String>,
    /// Paths whose next request is refused for an hour.
    closed: BTreeSet<String>,
    /// What the last page of each path gives to ask for later changes with.
    token: Option<String>,
    /// Tokens that are not known any more.
    forgotten: BTreeSet<String>,
    asked: Vec<String>,
}

/// Paths whose answers are held back.
#[derive(Default)]
struct Gate {
    held: Mutex<BTreeSet<String>>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self, target: &str) {
        let path = target.split('?').next().unwrap_or_default();
        let held = self.opened.wait_while(lock(&self.held), |held| held.contains(path));
        drop(held.unwrap_or_else(PoisonError::into_inner));
    }
}

/// An API that gives its pages one after the other.
#[derive(Clone)]
pub(super) struct Api {
    server: Arc<Server>,
    answers: Arc<Mutex<Answers>>,
    gate: Arc<Gate>,
}

impl Api {
    pub(super) fn start() -> Api {
        let answers: Arc<Mutex<Answers>> = Arc::default();
        let gate: Arc<Gate> = Arc::default();
        let (known, passed) = (answers.clone(), gate.clone());
        let server = Server::start(move |request, _| {
            passed.pass(&request.target);
            answer_to(request, &mut lock(&known))
        });
        Api { server: Arc::new(server), answers, gate }
    }

    /// Holds back the answers of a path until [`Api::lets_go`].
    pub(super) fn holds(&self, path: &str) {
        lock(&self.gate.held).insert(path.to_string());
    }

    pub(super) fn lets_go(&self) {
        lock(&self.gate.held).clear();
        self.gate.opened.notify_all();
    }

    /// Lets the next request for a path be refused for an hour.
    pub(super) fn refuses(&self, path: &str) {
        lock(&self.answers).closed.insert(path.to_string());
    }

    /// Lets these paths be forbidden, and no others.
    pub(super) fn forbids(&self, paths: &[&str]) {
        lock(&self.answers).forbidden = paths.iter().map(|path| path.to_string()).collect();
    }

    /// Lets a path have these pages, each a list of records.
    pub(super) fn has(&self, path: &str, pages: &[&str]) {
        lock(&self.answers).pages.insert(path.to_string(), pages.iter().map(|page| page.to_string()).collect());
    }

    /// Lets a page of a path be an error.
    pub(super) fn breaks(&self, path: &str, page: usize) {
        lock(&self.answers).broken.insert((path.to_string(), page));
    }

    /// Lets last pages give this token.
    pub(super) fn gives_token(&self, token: &str) {
        lock(&self.answers).token = Some(token.to_string());
    }

    /// Lets a token be unknown.
    pub(super) fn forgets_token(&self, token: &str) {
        lock(&self.answers).forgotten.insert(token.to_string());
    }

    /// Lets all pages be what they are.
    pub(super) fn is_mended(&self) {
        lock(&self.answers).broken.clear();
    }

    /// Returns whether a page was asked for since the last call of [`Api::asked`].
    pub(super) fn has_been_asked(&self, page: &str) -> bool {
        lock(&self.answers).asked.iter().any(|asked| asked == page)
    }

    /// Returns the pages that were asked for since the last call, as `path#number`.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.answers).asked)
    }
}

fn answer_to(request: &SeenRequest, answers: &mut Answers) -> Reply {
    let path = request.target.split('?').next().unwrap_or_default().to_string();
    let path = if request.param("since").is_some() { format!("{path}?since") } else { path };
    let sync = request.param("sync").map(|token| token.to_string());
    let path = sync.as_ref().map_or(path.clone(), |token| format!("{path}?sync={token}"));
    let number: usize = request.param("after").and_then(|token| token.parse().ok()).unwrap_or(0);
    answers.asked.push(format!("{path}#{number}"));
    if answers.forbidden.contains(&path) {
        return Reply::status(403, r#"{"message": "a scope is missing"}"#);
    }
    if answers.closed.remove(&path) {
        return Reply::status(429, "{}").header("Retry-After", "3600");
    }
    let pages = answers.pages.get(&path).cloned().unwrap_or_default();
    if answers.broken.contains(&(path, number)) {
        return Reply::status(500, "{}");
    }
    if sync.is_some_and(|token| answers.forgotten.contains(&token)) {
        return Reply::status(410, "{}");
    }
    let is_last = number + 1 >= pages.len();
    let token = answers.token.as_ref().filter(|_| is_last).map_or(String::new(), |token| format!(", \"sync\": \"{token}\""));
    let next = if number + 1 < pages.len() { format!("\"{}\"", number + 1) } else { "null".to_string() };
    let body = format!("{{\"data\": [{}], \"next\": {next}{token}}}", pages.get(number).map_or("", String::as_str));
    Reply::json(body + &" ".repeat(PADDING))
}

/// How far a parameter set is that is stored.
#[derive(Clone, Debug)]
pub(super) struct StoredCheckpoint {
    status: String,
    place: String,
}

impl StoredCheckpoint {
    /// Returns how many of its pages are stored.
    pub(super) fn n_pages(&self, n_all: usize) -> usize {
        match self.status.as_str() {
            "done" => n_all,
            _ => ResumePoint::from_text(&self.place).unwrap().ordinal as usize,
        }
    }
}

/// Returns the checkpoints of an unfinished load of a table, by the names of the parameter sets.
pub(super) fn checkpoints(state: &State, table: &str) -> BTreeMap<String, StoredCheckpoint> {
    let rows = state.texts("unify", "load_state", &["table_name", "parameter_set", "status", "place"]);
    let of_table = rows.into_iter().filter(|row| row[0] == format!("{table}__loading") && !row[1].is_empty());
    of_table.map(|row| (row[1].clone(), StoredCheckpoint { status: row[2].clone(), place: row[3].clone() })).collect()
}

/// Returns how many rows the first pages have.
pub(super) fn rows_by_page(pages: &[&str], n_pages: usize) -> usize {
    pages[..n_pages].iter().map(|page| page.matches("\"id\"").count()).sum()
}

/// A loader, its database and the API.
pub(super) struct Bench {
    pub api: Api,
    pub database: MemoryDatabase,
    pub loader: Loader,
    pub settings: Settings,
    client: Arc<ApiClient>,
}

impl Bench {
    pub(super) fn new() -> Bench {
        Bench::of(Api::start(), MemoryDatabase::new(Nature::default()))
    }

    pub(super) fn of(api: Api, database: MemoryDatabase) -> Bench {
        Bench::with_spec(api, database, SPEC.to_string())
    }

    fn with_spec(api: Api, database: MemoryDatabase, spec: String) -> Bench {
        let spec = spec.replace("ADDRESS", &api.server.url());
        let adapter = Arc::new(AdapterSpec::parse("shop.yaml", &spec).unwrap().unwrap());
        let connection = Arc::new(adapter.connect("shop", BTreeMap::new()).unwrap());
        let settings =
            Settings { memory_limit: MEMORY, loader_threads: 1, progress: ProgressMode::Off, ..Settings::read(|_| None).unwrap() };
        let client = Arc::new(ApiClient::new(connection, http_settings(&settings)).unwrap());
        Bench::with_client(api, database, settings, client)
    }

    fn with_client(api: Api, database: MemoryDatabase, settings: Settings, client: Arc<ApiClient>) -> Bench {
        let shared: Arc<dyn Database> = Arc::new(database.clone());
        let loader = Loader::new(shared);
        loader.services().clients.keep(client.clone(), &settings);
        Bench { api, database, loader, settings, client }
    }

    /// Returns a bench on what the database committed, as the next process finds it.
    pub(super) fn reopened(&self) -> Bench {
        Bench::with_client(self.api.clone(), self.database.reopened(), self.settings.clone(), self.client.clone())
    }

    /// Does as [`Bench::reopened`], with another spec.
    pub(super) fn reopened_with(&self, change: impl FnOnce(String) -> String) -> Bench {
        Bench::with_spec(self.api.clone(), self.database.reopened(), change(SPEC.to_string()))
    }

    pub(super) fn target(&self, table: &str) -> TableTarget {
        TableTarget { connection: Arc::new(self.client.connection().clone()), table: table.to_string(), catalog: "lake".to_string() }
    }

    pub(super) fn start(&self, table: &str, action: LoadAction) -> Result<Arc<Job>> {
        match self.loader.start(&self.target(table), action, &self.settings)? {
            Started::Job(job) => Ok(job),
            Started::Loaded { .. } => panic!("'{table}' is loaded"),
        }
    }

    /// Runs a job to its end.
    pub(super) fn run(&self, table: &str, action: LoadAction) -> Result<LoadReport> {
        self.loader.start(&self.target(table), action, &self.settings)?.wait(&|| false, None)
    }

    pub(super) fn load(&self, table: &str) -> Result<LoadReport> {
        self.run(table, LoadAction::Load)
    }

    /// Returns the rows of a table of the connection.
    pub(super) fn rows(&self, table: &str) -> Vec<String> {
        self.database.rows(&format!("SELECT * FROM shop.{table} ORDER BY ALL"))
    }

    /// Returns the messages of the loading log.
    pub(super) fn log(&self) -> String {
        self.database.rows("SELECT message FROM unify.loading_log").join("\n")
    }

    /// Returns the records of jobs, without their times.
    pub(super) fn records(&self) -> Vec<String> {
        self.database.rows("SELECT id, parent_id, table_name, action, numrows, status FROM unify.loading_jobs ORDER BY id")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.loader.close();
        let unknown = self.database.unknown();
        assert!(unknown.is_empty() || std::thread::panicking(), "{unknown:#?}");
    }
}
