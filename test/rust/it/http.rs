//! The HTTP client against servers that misbehave.

mod pages;

use crate::support::{Manner, Reply, Server};
use std::fmt::Display;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use unify::document::{parse, View};
use unify::http::{facts_of, request_of, Answer, ApiClient, HttpSettings, Method, PageBody, ParamSet, RequestObserver};
use unify::source::{PageFacts, PageKey, PageRows, PageVerdict, Paging};
use unify::spec::{AdapterSpec, AuthFields, AuthSpec, Connection, ConnectionOptions, OptionSpec, RetrySpec, Secret, TableDef, Tokens};
use unify::yaml::Mistakes;
use unify::{Error, Result};

pub(super) const TOKEN: &str = "s3cr3t-t0ken";

/// Notes what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn add(&self, note: String) {
        self.0.lock().unwrap().push(note);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl RequestObserver for Notes {
    fn started(&self, _: Method, url: &dyn Display) {
        self.add(format!("started {url}"));
    }

    fn answered(&self, status: u16, n_bytes: u64) {
        self.add(format!("answered {status} {n_bytes}"));
    }

    fn retried(&self, reason: &str, _wait: Duration) {
        self.add(format!("retried {reason}"));
    }

    fn waiting(&self, _wait: Duration) {
        self.add("waiting".to_string());
    }
}

pub(super) fn secret(name: &str) -> OptionSpec {
    OptionSpec { name: name.to_string(), description: None, default: None, required: true, secret: true }
}

pub(super) fn bearer() -> AuthSpec {
    AuthSpec::Bearer { token: secret("bearer_token"), prefix: "Bearer".to_string() }
}

pub(super) fn by_param() -> AuthSpec {
    AuthSpec::Params(AuthFields::of_options(vec![("api_key".to_string(), secret("bearer_token"))]))
}

pub(super) fn adapter(base_url: &str, auth: AuthSpec) -> AdapterSpec {
    AdapterSpec {
        auth: vec![auth],
        retry: RetrySpec { attempts: 3, base: 0.001, max: 0.002, ..RetrySpec::default() },
        tables: Vec::new(),
        ..spec(base_url)
    }
}

/// Returns an adapter with a table, as a file makes them.
fn spec(base_url: &str) -> AdapterSpec {
    let text = format!(
        "name: test
base_url: {base_url}
tables: [{{name: items, resource_path: /items}}]
"
    );
    AdapterSpec::parse("(test)", &text).unwrap().unwrap()
}

/// Returns what a spec's `paging` says.
pub(super) fn paging(text: &str) -> Paging {
    Paging::parse(&unify::yaml::parse("paging.yaml", text).unwrap(), "'paging'", &Mistakes::new("paging.yaml")).unwrap()
}

fn table(paging: Paging) -> TableDef {
    TableDef { paging, ..spec("http://127.0.0.1").tables.remove(0) }
}

/// A client for an adapter, and what it was told.
pub(super) struct Bench {
    connection: Arc<Connection>,
    client: ApiClient,
    notes: Notes,
}

impl Bench {
    pub(super) fn new(spec: AdapterSpec) -> Bench {
        Bench::with(spec, HttpSettings::default())
    }

    pub(super) fn with(spec: AdapterSpec, settings: HttpSettings) -> Bench {
        let values = [("bearer_token".to_string(), Secret::new(TOKEN))].into();
        let connection = Arc::new(Connection {
            name: "c".to_string(),
            adapter: Arc::new(spec),
            options: ConnectionOptions { values, auth: 0 },
            tokens: Tokens::default(),
        });
        let client = ApiClient::new(Arc::clone(&connection), settings).unwrap();
        Bench { connection, client, notes: Notes::default() }
    }

    fn get(&self, paging: Paging, key: &PageKey) -> Result<Answer> {
        let request = request_of(&self.connection, &table(paging), &ParamSet::default(), key)?;
        let answer = run(self.client.send(&request, false, &self.notes));
        self.check_secrets(&answer);
        answer
    }

    pub(super) fn get_one(&self) -> Result<Answer> {
        self.get(Paging::None, &PageKey::Only)
    }

    /// Fails when the token is in anything a user could see.
    fn check_secrets(&self, answer: &Result<Answer>) {
        let mut texts = self.notes.all();
        match answer {
            Err(err) | Ok(Answer::Refused(err)) => texts.push(err.to_string()),
            Ok(Answer::Empty(text) | Answer::Skipped(text) | Answer::Unchanged(text) | Answer::TooMuch(text)) => texts.push(text.clone()),
            Ok(Answer::Page(page)) => texts.push(page.url.to_string()),
        }
        assert!(texts.iter().all(|text| !text.contains(TOKEN)), "{texts:?}");
    }

    /// Loads every page of a table whose rows are the numbers in `rows`.
    pub(super) fn load(&self, paging: &Paging) -> Result<Vec<i128>> {
        let mut pager = paging.source(50);
        let mut rows = Vec::new();
        while !pager.is_done() {
            let place = pager.next_position().expect("a pager that is not done has a position");
            let page = match self.get(paging.clone(), &place.key)? {
                Answer::Page(page) => page,
                Answer::Refused(err) => return Err(err),
                other => panic!("{other:?}"),
            };
            let (facts, numbers) = read(paging, &page);
            if pager.answered(&place, &facts?)? == PageVerdict::Keep {
                rows.extend(numbers);
            }
        }
        Ok(rows)
    }
}

fn read(paging: &Paging, page: &PageBody) -> (Result<PageFacts>, Vec<i128>) {
    let mut body = page.body.clone();
    let document = parse(&mut body).unwrap();
    let list = document.root().get("rows").unwrap_or(document.root());
    let View::Array(elements) = list.view() else { panic!("no list") };
    let numbers: Vec<i128> = elements
        .map(|element| match element.view() {
            View::Integer(number) => number,
            _ => panic!("no number"),
        })
        .collect();
    let fingerprint = numbers.iter().fold(7_u64, |hash, number| hash.wrapping_mul(31).wrapping_add(*number as u64));
    (
        facts_of(paging, page, &page.seen(document.root()), PageRows { n_rows: numbers.len() as u64, fingerprint, ..PageRows::default() }),
        numbers,
    )
}

pub(super) fn run<T>(future: impl std::future::Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(super) fn message(answer: Result<Answer>) -> String {
    match answer {
        Err(err) | Ok(Answer::Refused(err)) => err.to_string(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn body(answer: Result<Answer>) -> Vec<u8> {
    match answer {
        Ok(Answer::Page(page)) => page.body,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_has_credentials_and_a_name() {
    let server = Server::start(|_, _| Reply::json("[]"));
    body(Bench::new(adapter(&server.url(), bearer())).get_one());
    let request = server.requests().remove(0);
    assert_eq!(request.target, "/items");
    assert_eq!(request.header("authorization"), Some("Bearer s3cr3t-t0ken"));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("user-agent"), Some(concat!("unify/", env!("CARGO_PKG_VERSION"))));
    assert!(request.header("accept-encoding").is_some_and(|encodings| encodings.contains("gzip") && encodings.contains("br")));
}

#[test]
fn basic_and_header_credentials_are_sent() {
    let check = |auth: AuthSpec, name: &str, expected: &str| {
        let server = Server::start(|_, _| Reply::json("[]"));
        body(Bench::new(adapter(&server.url(), auth)).get_one());
        assert_eq!(server.requests()[0].header(name), Some(expected));
    };
    let user = secret("bearer_token");
    check(AuthSpec::Basic { username: user.clone(), password: user }, "authorization", "Basic czNjcjN0LXQwa2VuOnMzY3IzdC10MGtlbg==");
    check(AuthSpec::Headers(AuthFields::of_options(vec![("X-Key".to_string(), secret("bearer_token"))])), "x-key", TOKEN);
}

#[test]
fn a_key_in_the_query_string_is_never_shown() {
    let server = Server::start(|request, _| Reply::status(500, format!("bad request {}", request.target)));
    let text = message(Bench::new(adapter(&server.url(), by_param())).get_one());
    assert_eq!(
        text,
        format!("GET {}/items returned 500 (Internal Server Error): bad request /items?api_key=***; tried 3 times", server.url())
    );
    assert_eq!(server.requests()[0].target, format!("/items?api_key={TOKEN}"));
}

#[test]
fn missing_credentials_are_an_error_before_any_request() {
    let check = |auth: AuthSpec, value: Option<&str>, expected: &str| {
        let values = value.map(|value| ("bearer_token".to_string(), Secret::new(value))).into_iter().collect();
        let spec = adapter("https://api.test", auth);
        let connection = Connection {
            name: "c".to_string(),
            adapter: Arc::new(spec),
            options: ConnectionOptions { values, auth: 0 },
            tokens: Tokens::default(),
        };
        let err = ApiClient::new(Arc::new(connection), HttpSettings::default()).err().expect("credentials are incomplete");
        assert!(err.to_string().contains(expected), "{err}");
    };
    for auth in [bearer(), by_param(), AuthSpec::Headers(AuthFields::of_options(vec![("X".to_string(), secret("bearer_token"))]))] {
        check(auth.clone(), None, "option 'bearer_token' is missing");
        check(auth, Some(""), "option 'bearer_token' is empty");
    }
    check(bearer(), Some("a\nb"), "no HTTP header can");
}

#[test]
fn credentials_do_not_go_over_plain_http() {
    let text = message(Bench::new(adapter("http://api.test", bearer())).get_one());
    assert!(text.contains("not sent over plain http"), "{text}");
}

#[test]
fn a_passing_failure_is_tried_again() {
    for manner in [Manner::Close, Manner::Half, Manner::Whole] {
        let server = Server::start(move |_, n_before| match n_before {
            0 | 1 => Reply::status(503, "[1, 2, 3]").sent(manner),
            _ => Reply::json("[7]"),
        });
        let bench = Bench::new(adapter(&server.url(), bearer()));
        assert_eq!(body(bench.get_one()), b"[7]", "{manner:?}");
        assert!(server.requests().len() >= 3, "{manner:?}");
        assert_eq!(bench.notes.all().iter().filter(|note| note.starts_with("retried")).count(), 2);
    }
}

#[test]
fn half_a_body_is_never_an_answer() {
    let server = Server::start(|_, _| Reply::json("[1, 2, 3, 4]").sent(Manner::Half));
    let text = message(Bench::new(adapter(&server.url(), bearer())).get_one());
    assert!(text.contains("the connection was lost") && text.contains("tried 3 times"), "{text}");
}

#[test]
fn nobody_listening_is_an_error() {
    let url = Server::start(|_, _| Reply::json("[]")).url();
    let text = message(Bench::new(adapter(&url, bearer())).get_one());
    assert!(text.starts_with(&format!("GET {url}/items: could not connect")), "{text}");
    assert!(text.contains("; check the address and the network; option 'proxy' or HTTPS_PROXY in the environment names a proxy"), "{text}");
}

#[test]
fn a_server_that_is_too_slow_is_given_up() {
    for manner in [Manner::Drip, Manner::Silent] {
        let server = Server::start(move |_, _| Reply::json("[]".repeat(1000)).sent(manner));
        let mut spec = adapter(&server.url(), bearer());
        spec.retry.attempts = 1;
        let settings = HttpSettings { timeout: Duration::from_millis(50), ..HttpSettings::default() };
        let text = message(Bench::with(spec, settings).get_one());
        let waited = text.split_once("no complete answer within ").and_then(|(_, rest)| rest.split_once(" ms; the setting"));
        let waited: u64 = waited.and_then(|(waited, _)| waited.parse().ok()).unwrap_or_else(|| panic!("{manner:?}: {text}"));
        assert!(waited >= 50, "{manner:?}: {text}");
    }
}

#[test]
fn a_body_has_a_size_limit_after_decompression() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        encoder.write_all(&[b' '; 1 << 16]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 14);
    let server = Server::start(move |_, _| Reply::json(bomb.clone()).header("Content-Encoding", "gzip"));
    let settings = HttpSettings { max_body_len: 1 << 20, ..HttpSettings::default() };
    let text = message(Bench::with(adapter(&server.url(), bearer()), settings).get_one());
    assert!(text.contains("larger than 1 MiB"), "{text}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_compressed_body_arrives_as_it_was() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"[1, 2]").unwrap();
    let gzip = encoder.finish().unwrap();
    let server = Server::start(move |_, _| Reply::json(gzip.clone()).header("Content-Encoding", "gzip"));
    assert_eq!(body(Bench::new(adapter(&server.url(), bearer())).get_one()), b"[1, 2]");
}

#[test]
fn a_packed_body_may_be_called_what_servers_call_it() {
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let members = [packed(b"[1, "), packed(b"2]")].concat();
    for (encoding, bytes) in
        [("GZIP", members.clone()), ("x-gzip", members), ("UTF-8", b"[1, 2]".to_vec()), ("Identity", b"[1, 2]".to_vec())]
    {
        let server = Server::start(move |_, _| Reply::json(bytes.clone()).header("Content-Encoding", encoding));
        assert_eq!(body(Bench::new(adapter(&server.url(), bearer())).get_one()), b"[1, 2]", "{encoding}");
    }
}

#[test]
fn an_answer_may_have_hundreds_of_headers() {
    let server = Server::start(|_, _| (0..900).fold(Reply::json("[1]"), |reply, idx| reply.header(&format!("X-{idx}"), "x")));
    assert_eq!(body(Bench::new(adapter(&server.url(), bearer())).get_one()), b"[1]");
}

#[test]
fn headers_without_end_are_an_error() {
    let server = Server::start(|_, _| (0..5000).fold(Reply::json("[]"), |reply, idx| reply.header(&format!("X-{idx}"), "x")));
    let text = message(Bench::new(adapter(&server.url(), bearer())).get_one());
    assert!(text.contains("too large"), "{text}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_limit_is_waited_for_by_the_whole_connection() {
    let server = Server::start(|_, n_before| match n_before {
        0 => Reply::status(429, "").header("Retry-After", "0.02"),
        _ => Reply::json("[]"),
    });
    let bench = Bench::new(adapter(&server.url(), bearer()));
    body(bench.get_one());
    assert_eq!(bench.notes.all().iter().filter(|note| *note == "waiting").count(), 1, "{:?}", bench.notes.all());
}

#[test]
fn a_wait_of_an_hour_is_an_error_at_once() {
    let server = Server::start(|_, _| Reply::status(429, "slow down").header("Retry-After", "3600"));
    let bench = Bench::new(adapter(&server.url(), bearer()));
    let text = message(bench.get_one());
    assert!(text.contains("returned 429 (Too Many Requests): slow down; the API asks to wait 60 minutes"), "{text}");
    assert!(message(bench.get_one()).contains("asks to wait 60 minutes"));
    assert_eq!(server.requests().len(), 1, "the limit is the connection's");
}

#[test]
fn a_retry_after_without_sense_is_ignored() {
    for text in ["0", "-1", "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT", "soon"] {
        let server = Server::start(move |_, n_before| match n_before {
            0 => Reply::status(429, "").header("Retry-After", text),
            _ => Reply::json("[1]"),
        });
        assert_eq!(body(Bench::new(adapter(&server.url(), bearer())).get_one()), b"[1]", "{text}");
    }
}

#[test]
fn answers_that_refuse_say_what_to_check() {
    let server = Server::start(|_, _| Reply::status(403, "no access\nfor you"));
    let bench = Bench::new(adapter(&server.url(), bearer()));
    let text = message(bench.get_one());
    assert_eq!(text, format!("GET {}/items returned 403 (Forbidden): no access; check the 'bearer_token' option", server.url()));
    assert_eq!(bench.notes.all(), [format!("started {}/items", server.url()), "answered 403 17".to_string()]);
}

#[test]
fn a_missing_child_is_skipped_and_a_missing_table_is_not() {
    let server = Server::start(|_, _| Reply::status(404, "gone"));
    let bench = Bench::new(adapter(&server.url(), bearer()));
    assert!(matches!(bench.get_one(), Ok(Answer::Refused(_))));
    let request = request_of(&bench.connection, &table(Paging::None), &ParamSet::default(), &PageKey::Only).unwrap();
    let answer = run(bench.client.send(&request, true, &bench.notes));
    assert!(matches!(answer, Ok(Answer::Skipped(_))), "{answer:?}");
}

#[test]
fn a_dropped_request_stops() {
    let server = Server::start(|_, _| Reply::json("[]").sent(Manner::Silent));
    let bench = Bench::new(adapter(&server.url(), bearer()));
    let request = request_of(&bench.connection, &table(Paging::None), &ParamSet::default(), &PageKey::Only).unwrap();
    let outcome = run(async { tokio::time::timeout(Duration::from_millis(20), bench.client.send(&request, false, &bench.notes)).await });
    assert!(outcome.is_err());
}

#[test]
fn errors_keep_their_kind() {
    let err: Error = Bench::new(adapter("http://api.test", bearer())).get_one().unwrap_err();
    assert_eq!(err.kind(), unify::ErrorKind::Config);
}
