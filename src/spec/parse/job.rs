//! Reads `job` of a table. The keys of `fetch` that a table has, too, are read as the table's own.

use super::body::{body_of, graphql_errors_of, BODY_KEYS};
use super::condition::fault_in;
use super::headers::headers_of;
use super::keys::{ANSWER_KEYS, CALL_KEYS, PAGING_KEYS};
use super::oauth2::templates;
use super::path::path_of;
use super::text::{duration, value_template};
use super::{Fields, Node};
use crate::source::Capture;
use crate::spec::{Body, JobDef, Method, StateCondition, StepDef, Template, WaitDef};
use crate::yaml::{Key, NodeKind};
use std::borrow::Cow;
use std::time::Duration;

/// The keys of `job`, in the order of the reference.
pub(super) const JOB_KEYS: &[&str] = &["create", "wait", "fetch", "cancel", "concurrency"];
/// The keys of a step, besides those of a body.
pub(super) const STEP_KEYS: &[&str] = &["resource_path", "method", "headers", "params", "safe", "capture"];
/// The keys that `wait` has besides.
pub(super) const JOB_WAIT_KEYS: &[&str] = &["done_when", "fail_when", "every", "timeout"];
/// The keys of `fetch` that no table has.
pub(super) const FETCH_KEYS: &[&str] = &["urls"];
/// The keys of a table that `fetch` has instead of it, besides those of an answer and of a body.
const MOVED_KEYS: &[&str] = &["resource_path", "method", "safe", "paging"];
/// The methods of steps.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// How often a job's state is asked for when the spec does not say.
const EVERY: Duration = Duration::from_secs(5);
/// How long a job may take when the spec does not say.
const TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the spec with the keys of each `fetch` among those of its table.
pub(super) fn with_fetches(root: &Node) -> Cow<'_, Node> {
    let fetch_of = |table: &Node| table.get("job").and_then(|job| job.get("fetch")).is_some_and(|fetch| fetch.mapping().is_some());
    if !root.get("tables").and_then(Node::list).unwrap_or_default().iter().any(fetch_of) {
        return Cow::Borrowed(root);
    }
    let mut root = root.clone();
    let NodeKind::Mapping(entries) = &mut root.kind else { return Cow::Owned(root) };
    let tables = entries.iter_mut().filter(|(key, _)| key.name == "tables").map(|(_, node)| &mut node.kind);
    for tables in tables {
        let NodeKind::List(tables) = tables else { continue };
        for table in tables.iter_mut().filter(|table| fetch_of(table)) {
            add_fetch(table);
        }
    }
    Cow::Owned(root)
}

/// Returns the keys of a table that `fetch` has instead of it. It has no `post`, which old files write for `body`.
fn moved_keys() -> impl Iterator<Item = &'static str> {
    MOVED_KEYS.iter().chain(BODY_KEYS).chain(ANSWER_KEYS).copied().filter(|key| *key != "post")
}

fn add_fetch(table: &mut Node) {
    let fetch = table.get("job").and_then(|job| job.get("fetch")).and_then(Node::mapping).unwrap_or_default();
    let is_moved = |(key, _): &&(Key, Node)| moved_keys().any(|moved| moved == key.name) && table.get(&key.name).is_none();
    let moved: Vec<(Key, Node)> = fetch.iter().filter(is_moved).cloned().collect();
    if let NodeKind::Mapping(entries) = &mut table.kind {
        entries.extend(moved);
    }
}

/// What stands in `fetch` besides the keys of a table.
struct FetchKeys {
    params: Vec<(String, Template)>,
    headers: Vec<(String, Template)>,
    urls: Option<Template>,
}

/// Reads a table's `job`. `headers` are those of the table, which all steps have; those of `fetch` are laid over them.
pub(super) fn job_of(table: &Fields<'_>, headers: &mut Vec<(String, Template)>) -> Option<JobDef> {
    let node = table.get("job")?;
    let fields = Fields::of(node, format!("'job' of {}", table.place()), JOB_KEYS, table.mistakes())?;
    check_table_keys(table, &fields);
    let create = step_of(&fields, "create", Method::Post);
    let wait = wait_of(&fields);
    let fetched = fetch_of(&fields);
    let cancel = fields.get("cancel").is_some().then(|| step_of(&fields, "cancel", Method::Delete)).flatten();
    let concurrency = fields.count("concurrency", 1).map_or(1, |count| usize::try_from(count).unwrap_or(usize::MAX));
    let (create, wait, FetchKeys { params, headers: own, urls }) = (create?, wait?, fetched?);
    check_capture(&create, &fields);
    let common = headers.clone();
    headers.retain(|(name, _)| !own.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    headers.extend(own);
    Some(JobDef { headers: common, create, wait, params, urls, cancel, concurrency })
}

/// The requests of such a table are the job's.
fn check_table_keys(table: &Fields<'_>, job: &Fields<'_>) {
    let fetch = job.get("fetch");
    let of_request = [CALL_KEYS, PAGING_KEYS, BODY_KEYS];
    let mut keys: Vec<&str> = of_request.into_iter().flatten().copied().chain(moved_keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let moved = fetch.and_then(|fetch| fetch.get(key));
        let is_of_request = of_request.iter().any(|keys| keys.contains(&key));
        let own = table.mapping_node().get(key).filter(|own| match moved {
            Some(moved) => moved != *own,
            None => is_of_request,
        });
        if let Some(node) = own {
            let message = format!("{} has '{key}' beside 'job'; write it in a step of 'job', such as 'fetch'", table.place());
            table.mistakes().at(node, message);
        }
    }
}

fn required<'a>(job: &Fields<'a>, key: &str) -> Option<&'a Node> {
    let node = job.get(key);
    if node.is_none() {
        job.mistakes().at(job.mapping_node(), format!("{} has no '{key}'", job.place()));
    }
    node
}

fn step_of(job: &Fields<'_>, key: &str, method: Method) -> Option<StepDef> {
    let keys: Vec<&str> = STEP_KEYS.iter().chain(BODY_KEYS).copied().collect();
    let fields = Fields::of(required(job, key)?, format!("'{key}' in {}", job.place()), &keys, job.mistakes())?;
    step_from(&fields, method)
}

/// Reads a step. `method` is that of one that does not say.
fn step_from(fields: &Fields<'_>, method: Method) -> Option<StepDef> {
    fields.required_text("resource_path")?;
    let (path, given) = path_of(fields, &METHODS);
    let body = body_of(fields, false).unwrap_or_default();
    let method = given.unwrap_or(if body == Body::None { method } else { Method::Post });
    Some(StepDef {
        path,
        method,
        headers: headers_of(fields, ""),
        params: templates(fields, "params"),
        body,
        is_safe: fields.boolean("safe").unwrap_or(method == Method::Get),
        graphql_errors: graphql_errors_of(fields),
        capture: Capture::parse_all(fields)?,
    })
}

fn wait_of(job: &Fields<'_>) -> Option<WaitDef> {
    let keys: Vec<&str> = STEP_KEYS.iter().chain(BODY_KEYS).chain(JOB_WAIT_KEYS).copied().collect();
    let fields = Fields::of(required(job, "wait")?, format!("'wait' in {}", job.place()), &keys, job.mistakes())?;
    let step = step_from(&fields, Method::Get);
    if fields.get("done_when").is_none() {
        fields.mistakes().at(fields.mapping_node(), format!("{} has no 'done_when'", fields.place()));
    }
    let done_when = condition_of(&fields, "done_when");
    let fail_when = condition_of(&fields, "fail_when");
    // Asking how a job is changes nothing, whatever the method.
    let is_safe = fields.boolean("safe").unwrap_or(true);
    Some(WaitDef {
        step: StepDef { is_safe, ..step? },
        done_when: done_when?,
        fail_when,
        every: duration(&fields, "every").unwrap_or(EVERY),
        timeout: duration(&fields, "timeout").unwrap_or(TIMEOUT),
    })
}

/// Reads paths, each with a value or a list of them; or a path alone, which has to be there.
fn condition_of(fields: &Fields<'_>, key: &str) -> Option<StateCondition> {
    let node = fields.get(key)?;
    let path = |text: &str| text.split('.').map(|key| key.trim().to_string()).collect::<Vec<String>>();
    let values = |node: &Node| -> Option<Vec<String>> {
        node.list().unwrap_or(std::slice::from_ref(node)).iter().map(|node| node.text().map(str::to_string)).collect()
    };
    let condition: Option<Vec<(Vec<String>, Vec<String>)>> = match (node.text(), node.mapping()) {
        (Some(text), _) => Some(vec![(path(text), Vec::new())]),
        (None, Some(entries)) => entries.iter().map(|(key, node)| Some((path(&key.name), values(node)?))).collect(),
        _ => None,
    };
    let is_valid = |(path, _): &(Vec<String>, Vec<String>)| path.iter().all(|key| !key.is_empty());
    let condition = condition.filter(|condition| !condition.is_empty() && condition.iter().all(is_valid));
    if condition.is_none() {
        fields.wrong(
            key,
            fault_in(node),
            "a mapping of paths to values or lists of values, such as 'state: [Failed, Aborted]', or one path",
        );
    }
    condition.map(|fields| StateCondition { fields })
}

/// Reads what `fetch` has besides the keys of a table: its params, and where the files are.
fn fetch_of(job: &Fields<'_>) -> Option<FetchKeys> {
    let keys: Vec<&str> = moved_keys().chain(FETCH_KEYS.iter().copied()).chain(["params", "headers"]).collect();
    let fields = Fields::of(required(job, "fetch")?, format!("'fetch' in {}", job.place()), &keys, job.mistakes())?;
    let urls = fields.text("urls").and_then(|text| Some(value_template(&text, fields.get("urls")?, "'urls'", fields.mistakes())));
    if let Some(template) = &urls {
        if template.only_hole().is_none() {
            fields.wrong("urls", fields.get("urls")?, "one hole, such as '${job.url}'");
        }
        let second = ["resource_path", "paging", "method", "params"].iter().chain(BODY_KEYS).find_map(|key| Some((key, fields.get(key)?)));
        if let Some((key, node)) = second {
            fields.mistakes().at(node, format!("{} has 'urls' and '{key}'; the files at 'urls' are asked for as they are", fields.place()));
        }
    } else if fields.get("resource_path").is_none() {
        fields.mistakes().at(fields.mapping_node(), format!("{} needs 'resource_path' or 'urls'", fields.place()));
    }
    Some(FetchKeys { params: templates(&fields, "params"), headers: headers_of(&fields, ""), urls })
}

/// What `create` captures is stored, so that a load that was killed goes on with the same job: it must be something, and no credential.
fn check_capture(create: &StepDef, job: &Fields<'_>) {
    let node = job.get("create").unwrap_or(job.mapping_node());
    if create.capture.is_empty() {
        job.mistakes().at(node, format!("'create' in {} has no 'capture', such as 'id: id', that names the job", job.place()));
    }
    if let Some((name, _)) = create.capture.iter().find(|(_, capture)| matches!(capture, Capture::Cookie(_))) {
        let message = format!(
            "'create' in {} captures '{name}' from a cookie; what it captures is stored with the load, and a cookie is a credential",
            job.place()
        );
        job.mistakes().at(node, message);
    }
}
