//! An API that exports rows by jobs. Each question for a job's state brings it on, so that no test has to sleep.
//!
//! `POST /export/KIND/jobs` creates a job, `GET /export/KIND/jobs/ID` says how it is, `.../results` gives its rows in pages of CSV (of JSON lines with
//! lists, of kind `lists`), and `DELETE` cancels it. Kinds say how jobs go: `waiting`, `results` and `lists` ones are done when
//! `/__control?mode=done` says so, and `/__control?revision=N` lets the API forget those that were created before. The addresses of `expiring` files
//! end before they are asked for, until the state is asked for again; those of `expired` ones do always. The files of `files` and `file` are on the
//! listener that stands for another origin.

use crate::control::Control;
use crate::{answer, Asked, Place};
use axum::response::Response;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Rows on a page of results, and in a file.
const PAGE_SIZE: usize = 2;
/// What stands in the address of a file, and nowhere else.
const SIGNATURE: &str = "signature-of-the-file";

/// The jobs of one running API.
#[derive(Default)]
pub struct Exports {
    jobs: Mutex<BTreeMap<String, Job>>,
}

struct Job {
    revision: usize,
    n_asked: usize,
    is_cancelled: bool,
    /// What it was created for.
    region: Value,
}

impl Exports {
    /// Forgets all jobs.
    pub fn reset(&self) {
        self.jobs().clear();
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<String, Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request below `/export`.
    pub fn answer(&self, asked: &Asked, parts: &[&str], control: &Control) -> Response {
        if !asked.is_authorized() {
            return answer::error(401, "who are you?");
        }
        match (asked.method.as_str(), parts) {
            ("POST", ["refused", "jobs"]) => answer::error(400, "no such object"),
            ("POST", ["nameless", "jobs"]) => answer::json(&json!({ "message": "queued" })),
            ("POST", [kind, "jobs"]) => self.create(kind, asked, control),
            ("GET", [kind, "jobs", id]) => self.state(kind, id, control),
            ("DELETE", [kind, "jobs", id]) => self.cancel(kind, id, control),
            ("GET", [kind, "jobs", id, "results"]) => self.results(kind, id, asked, control),
            _ => answer::error(404, "nothing is exported here"),
        }
    }

    fn create(&self, kind: &str, asked: &Asked, control: &Control) -> Response {
        let mut jobs = self.jobs();
        let number = jobs.keys().filter(|id| id.starts_with(&format!("{kind}-"))).count() + 1;
        let id = format!("{kind}-job-{number}");
        let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let job = Job { revision: control.revision(), n_asked: 0, is_cancelled: false, region: body["region"].clone() };
        jobs.insert(id.clone(), job);
        let n_open = jobs.iter().filter(|(other, job)| other.starts_with(&format!("{kind}-")) && job.n_asked < 2).count();
        control.note(&format!("open:{kind}:{n_open}"));
        answer::json(&json!({ "job": { "id": id }, "state": "Queued" }))
    }

    fn state(&self, kind: &str, id: &str, control: &Control) -> Response {
        let mut jobs = self.jobs();
        let n_jobs = jobs.keys().filter(|id| id.starts_with(&format!("{kind}-"))).count();
        let Some(job) = jobs.get_mut(id).filter(|job| job.revision >= control.revision()) else {
            return answer::error(404, "the job has expired");
        };
        job.n_asked += 1;
        let is_alone = kind == "two" && n_jobs < 2;
        let is_late = is_alone || (matches!(kind, "waiting" | "results" | "lists") && control.mode() != "done");
        let is_done = job.n_asked >= 2 && !is_late;
        if job.is_cancelled {
            return answer::json(&json!({ "state": "Aborted", "errorMessage": "somebody cancelled it" }));
        }
        if is_done && kind == "failed" {
            return answer::json(&json!({ "state": "Failed", "errorMessage": "no such column: 'x'" }));
        }
        if !is_done {
            return answer::json(&json!({ "state": "InProgress" }));
        }
        let url = |number: usize| json!(format!("{}/files/{id}/{number}?sig={SIGNATURE}-{id}-{number}", control.elsewhere));
        // These are good once a file was refused at another one.
        let is_good = control.n_requests(&format!("refused:{id}")) > 0;
        let lasting = |number: usize| json!(format!("{}/files/{id}/{number}?sig={SIGNATURE}-{id}-{number}-{is_good}", control.elsewhere));
        let urls = match kind {
            "files" => json!([url(1), url(2), url(3)]),
            "file" => url(1),
            "expiring" => json!([url(1), lasting(2), lasting(3)]),
            "one_expiring" => lasting(1),
            "expired" => json!([url(1), format!("{}/files/{id}/2?sig={SIGNATURE}-{id}-2-false", control.elsewhere)]),
            "redirected" => json!(format!("/export/{kind}/jobs/{id}/results")),
            "stranger" => json!("https://files.example.invalid/x?sig=abc"),
            "spoiled" => json!({ "url": "x" }),
            _ => Value::Null,
        };
        answer::json(&json!({ "state": "JobComplete", "urls": urls }))
    }

    fn cancel(&self, kind: &str, id: &str, control: &Control) -> Response {
        control.note(&format!("cancelled:{kind}"));
        match self.jobs().get_mut(id) {
            Some(job) => job.is_cancelled = true,
            None => return answer::error(404, "no such job"),
        }
        answer::body(204, "text/plain", "")
    }

    /// Gives rows in pages of CSV, the place of the next in a header as Salesforce does.
    fn results(&self, kind: &str, id: &str, asked: &Asked, control: &Control) -> Response {
        if kind == "redirected" {
            let to = format!("{}/files/{id}/1?sig={SIGNATURE}-{id}-1", control.elsewhere);
            return answer::with_header(answer::body(302, "text/plain", ""), "location", &to);
        }
        let jobs = self.jobs();
        let Some(job) = jobs.get(id).filter(|job| job.revision >= control.revision() && !job.is_cancelled) else {
            return answer::error(410, "the results have expired");
        };
        let page: usize =
            asked.value("locator").and_then(|text| text.strip_prefix("page-")).and_then(|page| page.parse().ok()).unwrap_or(1);
        if matches!(kind, "results" | "lists") && page == 3 && control.mode() == "done" && control.rows() == Some(0) {
            return answer::error(500, "told to fail at the last page");
        }
        let region = job.region.as_str().unwrap_or("-");
        let next = if page < 3 { format!("page-{}", page + 1) } else { "null".to_string() };
        let rows = if kind == "lists" { lines_with_lists(page) } else { csv(page, region) };
        answer::with_header(rows, "sforce-locator", &next)
    }
}

fn csv(page: usize, region: &str) -> Response {
    let first = (page - 1) * PAGE_SIZE + 1;
    let lines: String = (first..first + PAGE_SIZE).map(|id| format!("{id},row {id},{region}\n")).collect();
    answer::body(200, "text/csv", format!("id,name,region\n{lines}"))
}

/// Returns a page whose rows have lists, the longer the later.
fn lines_with_lists(page: usize) -> Response {
    let first = (page - 1) * PAGE_SIZE + 1;
    let row = |id: usize| json!({ "id": id, "lines": (1..id).map(|no| json!({ "no": no })).collect::<Vec<_>>() });
    let lines: String = (first..first + PAGE_SIZE).map(|id| format!("{}\n", row(id))).collect();
    answer::body(200, "application/x-ndjson", lines)
}

/// Answers a request for a file on the other listener; `None` for anything else. Who brings credentials there gives them away.
pub fn file(asked: &Asked, place: Place, control: &Control) -> Option<Response> {
    let rest = asked.path.strip_prefix("/files/").filter(|_| place == Place::Elsewhere)?;
    let (id, number) = rest.split_once('/')?;
    if asked.has_credentials() || asked.trace.is_some() {
        return Some(answer::error(400, "the file needs no credentials"));
    }
    let is_signed = asked
        .value("sig")
        .is_some_and(|sig| sig == format!("{SIGNATURE}-{id}-{number}") || sig == format!("{SIGNATURE}-{id}-{number}-true"));
    if !is_signed {
        control.note(&format!("refused:{id}"));
        return Some(answer::error(403, "not signed"));
    }
    Some(csv(number.parse().unwrap_or(1), "-"))
}
