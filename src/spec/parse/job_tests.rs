//! What `job` may say, and its mistakes.

use super::tests::{check_table_mistake, table_spec};
use crate::document::parse;
use crate::source::{Capture, Paging};
use crate::spec::{JobDef, JobState, Method, TableDef, Unpaged};
use std::time::Duration;

const CREATE: &str = "create: {resource_path: /jobs, body: {a: 1}, capture: {id: id}}";
const WAIT: &str = "wait: {resource_path: '/jobs/{job.id}', done_when: {state: Done}}";
const FETCH: &str = "fetch: {resource_path: '/jobs/{job.id}/rows', format: csv}";

fn table_of(job: &[&str]) -> TableDef {
    let lines = format!("job:\n  {}", job.join("\n  "));
    let spec = table_spec(&lines).unwrap_or_else(|err| panic!("{err}")).unwrap();
    spec.table("u").unwrap().clone()
}

fn job_of(job: &[&str]) -> JobDef {
    *table_of(job).job.unwrap()
}

fn check_mistake(job: &[&str], expected: &str) {
    check_table_mistake(&format!("job:\n  {}", job.join("\n  ")), expected);
}

#[test]
fn a_job_has_steps_and_the_table_fetches() {
    let table_def = table_of(&[
        CREATE,
        "wait: {resource_path: '/jobs/{job.id}', done_when: done, fail_when: {a.state: [x, y]}, every: 10s, timeout: 6h}",
        "fetch: {resource_path: '/r/{job.id}', params: {n: '${job.id}'}, format: csv, paging: {strategy: linkHeader}, result_body_path: a.b}",
        "cancel: {resource_path: '/jobs/{job.id}'}",
        "concurrency: 3",
    ]);
    assert_eq!(table_def.path.to_string(), "/r/${job.id}");
    assert!(matches!(table_def.paging, Paging::LinkHeader(_)) && table_def.answer.body.format.is_some());
    assert_eq!(table_def.result_body_path, ["a", "b"]);
    let job = table_def.job.unwrap();
    assert_eq!((job.create.method, job.wait.step.method, job.cancel.unwrap().method), (Method::Post, Method::Get, Method::Delete));
    assert_eq!((job.wait.every, job.wait.timeout, job.concurrency), (Duration::from_secs(10), Duration::from_secs(21_600), 3));
    assert!(!job.create.is_safe && job.wait.step.is_safe && job.params.len() == 1);
    assert_eq!(job.create.capture, [("id".to_string(), Capture::Keys(vec!["id".to_string()]))]);
    let job = job_of(&[CREATE, WAIT, FETCH]);
    assert_eq!((job.wait.every, job.concurrency, job.cancel), (Duration::from_secs(5), 1, None));
}

#[test]
fn files_are_one_page_each() {
    let table_def = table_of(&[
        CREATE,
        "wait: {resource_path: '/jobs/{job.id}', done_when: {state: Done}, capture: {urls: urls}}",
        "fetch: {urls: '${job.urls}', format: csv}",
    ]);
    assert!(table_def.job.unwrap().urls.is_some() && table_def.unpaged == Unpaged::Wanted);
}

#[test]
fn states_are_told_by_values() {
    let check = |wait: &str, body: &str, expected: JobState| {
        let job = job_of(&[CREATE, &format!("wait: {{resource_path: '/jobs/{{job.id}}', {wait}}}"), FETCH]);
        let mut bytes = body.as_bytes().to_vec();
        assert_eq!(job.wait.state(parse(&mut bytes).unwrap().root()), expected, "{wait} {body}");
    };
    let both = "done_when: {state: [Done, Empty]}, fail_when: {state: [Failed, Aborted]}";
    check(both, r#"{"state": "Done"}"#, JobState::Done);
    check(both, r#"{"state": "Empty"}"#, JobState::Done);
    check(both, r#"{"state": "Aborted"}"#, JobState::Failed);
    check(both, r#"{"state": null}"#, JobState::Running);
    check(both, "{}", JobState::Running);
    check("done_when: {a.done: true, b: 3}", r#"{"a": {"done": true}, "b": 3}"#, JobState::Done);
    check("done_when: {a.done: true, b: 3}", r#"{"a": {"done": true}, "b": 4}"#, JobState::Running);
    check("done_when: url, fail_when: error", r#"{"url": "x", "error": null}"#, JobState::Done);
    check("done_when: url, fail_when: error", r#"{"url": "x", "error": "y"}"#, JobState::Failed);
}

#[test]
fn mistakes_are_found() {
    check_mistake(&[WAIT, FETCH], "'job' of table 'u' has no 'create'");
    check_mistake(&[CREATE, FETCH], "'job' of table 'u' has no 'wait'");
    check_mistake(&[CREATE, WAIT], "'job' of table 'u' has no 'fetch'");
    check_mistake(&[CREATE, WAIT, FETCH, "fetched: 1"], "unknown key 'fetched'");
    check_mistake(&[CREATE, WAIT, "fetch: {format: csv}"], "'fetch' in 'job' of table 'u' needs 'resource_path' or 'urls'");
    check_mistake(&[CREATE, WAIT, "fetch: {resource_path: /x, urls: '${job.id}'}"], "has 'urls' and 'resource_path'");
    check_mistake(&[CREATE, WAIT, "fetch: {urls: 'x${job.id}'}"], "expected one hole, such as '${job.url}'");
    check_mistake(&[CREATE, WAIT, "fetch: {resource_path: /x, pagng: 1}"], "unknown key 'pagng'");
    check_mistake(&["create: {resource_path: /jobs}", WAIT, FETCH], "'create' in 'job' of table 'u' has no 'capture'");
    check_mistake(&["create: {resource_path: /jobs, capture: {id: {cookie: X}}}", WAIT, FETCH], "captures 'id' from a cookie");
    check_mistake(&["create: {capture: {id: id}}", WAIT, FETCH], "'create' in 'job' of table 'u' has no 'resource_path'");
    check_mistake(&[CREATE, "wait: {resource_path: /x}", FETCH], "'wait' in 'job' of table 'u' has no 'done_when'");
    check_mistake(&[CREATE, "wait: {resource_path: /x, done_when: [a]}", FETCH], "expected a mapping of paths to values");
    check_mistake(&[CREATE, "wait: {resource_path: /x, done_when: a, capture: {id: x}}", FETCH], "captures 'id', which 'create' does");
    check_mistake(&[CREATE, "wait: {resource_path: '/x/{job.ib}', done_when: a}", FETCH], "has a hole 'job.ib', which no earlier step");
    check_mistake(&["create: {resource_path: '/{job.id}', capture: {id: id}}", WAIT, FETCH], "has a hole 'job.id', which no earlier step");
    check_mistake(&[CREATE, WAIT, "fetch: {resource_path: '/{job.url}'}"], "has a hole 'job.url', which no earlier step");
    check_table_mistake("headers: {X: '${job.id}'}", "has a hole 'job.id', which no earlier step of a 'job' captures");
    check_table_mistake(
        &format!("resource_path: /x\njob:\n  {CREATE}\n  {WAIT}\n  {FETCH}"),
        "table 'u' has 'resource_path' beside 'job'; write it in a step of 'job', such as 'fetch'",
    );
    check_table_mistake(&format!("body: {{a: 1}}\njob:\n  {CREATE}\n  {WAIT}\n  {FETCH}"), "table 'u' has 'body' beside 'job'");
}
