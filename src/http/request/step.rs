//! The requests of a job's steps.

use super::query::{add_pairs, add_query};
use super::table::sends_secrets;
use super::{ParamSet, Values};
use crate::document::{BodyStyle, JsonValue};
use crate::http::body::body_of;
use crate::http::message::Request;
use crate::source::{Captured, PageValues};
use crate::spec::{Connection, JobDef, LoadValues, NoRows, StepDef, TableDef, Template};
use crate::{Error, Result};
use std::sync::Arc;

/// One of the steps of a job that ask for something else than rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Create,
    Wait,
    Cancel,
}

impl Step {
    /// Returns what the spec says about it; `None`: nothing.
    pub fn of(self, job: &JobDef) -> Option<&StepDef> {
        match self {
            Step::Create => Some(&job.create),
            Step::Wait => Some(&job.wait.step),
            Step::Cancel => job.cancel.as_ref(),
        }
    }
}

impl ParamSet {
    /// Returns the set with what steps captured.
    #[must_use]
    pub fn with_job(&self, captured: Captured) -> ParamSet {
        ParamSet { load: Arc::new(LoadValues { job: captured, ..LoadValues::clone(&self.load) }), ..self.clone() }
    }
}

/// Returns the addresses that a hole has for a set: those of its list, or its only one; none where it has no value.
pub fn files_of(connection: &Connection, param_set: &ParamSet, urls: &Template) -> Result<Vec<String>> {
    let page = PageValues::default();
    let values = Values { connection, param_set, page: &page };
    let wrong = || Error::api("the addresses of the files with results are neither a text nor a list of texts; check 'urls' and 'capture'");
    let text = |value: JsonValue| value.as_str().map(str::to_string).ok_or_else(wrong);
    match urls.value(&values)?.map(|value| value.into_json(&param_set.load.format)) {
        None | Some(JsonValue::Null) => Ok(Vec::new()),
        Some(JsonValue::Array(elements)) => elements.into_iter().map(text).collect(),
        Some(value) => Ok(vec![text(value)?]),
    }
}

/// Builds the request of a step for a parameter set. Params that no hole takes stand in the query string of the one that creates the job.
/// Fails when a hole of the URL has no value or its value cannot be a path segment.
pub fn request_of_step(connection: &Connection, table_def: &TableDef, param_set: &ParamSet, step: Step, job: &JobDef) -> Result<Request> {
    let Some(def) = step.of(job) else { return Err(Error::internal("a step that the spec does not have")) };
    let page = PageValues::default();
    let values = Values { connection, param_set, page: &page };
    let own: Vec<(String, Template)> = job.headers.iter().chain(&def.headers).cloned().collect();
    let mut headers = values.headers(BodyStyle::default().accept(), &connection.adapter.headers, &own, &values)?;
    let base = values.url(&connection.adapter.base_url, &Template::default())?;
    let mut url = values.url(table_def.base_url(&connection.adapter), &def.path)?;
    if step == Step::Create {
        add_query(&mut url, &values, table_def)?;
    }
    add_pairs(&mut url, &def.params, &values)?;
    let body = body_of(&def.body, &values, &NoRows).map_err(|err| err.within("the body"))?;
    let body = body.map(|body| body.told_in(&mut headers));
    Ok(Request {
        method: def.method,
        body,
        headers,
        base,
        has_secrets: sends_secrets(connection, table_def),
        is_safe: def.is_safe,
        throttle: table_def.throttle.clone(),
        ..Request::get(url.clone(), url, Vec::new())
    })
}
