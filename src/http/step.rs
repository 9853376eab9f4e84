//! What the answers to a job's steps say.

use super::client::{Answer, PageBody};
use super::kernel::RequestObserver;
use super::message::Request;
use super::{check_graphql, ApiClient};
use crate::document::{BodyStyle, JsonValue, Node, Parser};
use crate::source::Captured;
use crate::spec::{GraphqlErrors, JobState, StepDef, WaitDef};
use crate::{Error, Place, Result};
use std::time::Duration;
use url::Url;

/// Most bytes that the answer to a step may take when it is read.
const MOST_BYTES: u64 = 64 << 20;
/// Most characters of a body in a message.
const MOST_TOLD: usize = 200;
/// What a step captures is a secret from this length on: shorter values are numbers and words that stand everywhere.
const LEAST_SECRET: usize = 8;
/// The longest time that an API is believed to say before it is asked again.
const MOST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// What the API says to a step.
#[derive(Debug, Clone)]
pub enum StepAnswer<T> {
    Told(T),
    /// It does not take the request (400, 404, 410, 416, 422): it may not know the job any more.
    Refused(Error),
    /// The parameter set is left out; the warning.
    Skipped(String),
}

/// What the API says of a job.
#[derive(Debug, Clone)]
pub enum Told {
    /// It is under way; how long to wait, where that is told.
    Running(Option<Duration>),
    /// It is done; what its last answer captured.
    Done(Captured),
    /// It failed, for this reason.
    Failed(String),
}

impl ApiClient {
    /// Creates a job, and returns what its answer captured.
    pub async fn create_job(
        &self,
        request: &Request,
        step: &StepDef,
        from_parent: bool,
        observer: &dyn RequestObserver,
    ) -> Result<StepAnswer<Captured>> {
        let page = match self.page_of_step(request, from_parent, observer).await? {
            StepAnswer::Told(page) => page,
            StepAnswer::Refused(err) => return Ok(StepAnswer::Refused(err)),
            StepAnswer::Skipped(warning) => return Ok(StepAnswer::Skipped(warning)),
        };
        let placed = |err: Error| err.at(Place::request(self.text_of(request)));
        let told = self.redactor().told(&page.body, MOST_TOLD);
        let captured = read(page, step.graphql_errors, |page, root| captured_by(step, page, root)).map_err(placed)?;
        self.learn_captured(&captured);
        match step.capture.iter().find(|(name, _)| !captured.contains_key(name)) {
            Some((name, _)) => {
                let told = if told.is_empty() { String::new() } else { format!(": {told}") };
                Err(placed(Error::api(format!("the answer has no '{name}' as 'capture' in the adapter spec says{told}"))))
            }
            None => Ok(StepAnswer::Told(captured)),
        }
    }

    /// Asks how a job is.
    pub async fn ask_job(&self, request: &Request, wait: &WaitDef, observer: &dyn RequestObserver) -> Result<StepAnswer<Told>> {
        let page = match self.page_of_step(request, false, observer).await? {
            StepAnswer::Told(page) => page,
            StepAnswer::Refused(err) => return Ok(StepAnswer::Refused(err)),
            StepAnswer::Skipped(reason) => return Ok(StepAnswer::Refused(Error::api(reason))),
        };
        let told_wait = page.headers.get("retry-after").and_then(seconds_of).map(|wait| wait.min(MOST_WAIT));
        let told = self.redactor().told(&page.body, MOST_TOLD);
        let step = &wait.step;
        let found = read(page, step.graphql_errors, |page, root| {
            let state = root.map_or(JobState::Running, |root| wait.state(root));
            (state, if state == JobState::Done { captured_by(step, page, root) } else { Captured::new() })
        });
        let (state, captured) = found.map_err(|err| err.at(Place::request(self.text_of(request))))?;
        self.learn_captured(&captured);
        Ok(StepAnswer::Told(match state {
            JobState::Running => Told::Running(told_wait),
            JobState::Done => Told::Done(captured),
            JobState::Failed => Told::Failed(told),
        }))
    }

    /// Sends the request of a step.
    async fn page_of_step(&self, request: &Request, from_parent: bool, observer: &dyn RequestObserver) -> Result<StepAnswer<PageBody>> {
        Ok(match self.send(request, from_parent, observer).await? {
            Answer::Page(page) => StepAnswer::Told(page),
            Answer::Refused(err) => StepAnswer::Refused(err),
            Answer::Skipped(warning) => StepAnswer::Skipped(warning),
            Answer::Unchanged(_) | Answer::TooMuch(_) => return Err(Error::api("the answer says nothing of a job")),
            Answer::Empty(reason) => StepAnswer::Refused(Error::api(format!("{reason}, where the answer says how the job is"))),
        })
    }

    /// Cancels a job. Fails where the API does not.
    pub async fn cancel_job(&self, request: &Request, observer: &dyn RequestObserver) -> Result<()> {
        match self.send(request, false, observer).await? {
            Answer::Page(_) | Answer::Empty(_) => Ok(()),
            Answer::Refused(err) => Err(err),
            Answer::Skipped(reason) => Err(Error::api(reason)),
            Answer::Unchanged(_) | Answer::TooMuch(_) => Err(Error::api("the answer says nothing of a job")),
        }
    }

    /// Makes secrets of captured values. Of addresses these are what gives access: the long values of the query, or else the path.
    pub fn learn_captured(&self, captured: &Captured) {
        let mut texts = Vec::new();
        captured.values().for_each(|value| texts_of(value, &mut texts));
        self.redactor().learn_captured(texts.into_iter().flat_map(|text| secrets_of(&text)).collect());
    }
}

fn secrets_of(text: &str) -> Vec<String> {
    let is_long = |text: &String| text.len() >= LEAST_SECRET;
    match Url::parse(text) {
        Ok(url) if url.has_host() && url.query().is_some() => {
            url.query_pairs().map(|(_, value)| value.into_owned()).filter(|value| value.len() >= 2 * LEAST_SECRET).collect()
        }
        Ok(url) if url.has_host() => Some(url.path().to_string()).filter(is_long).into_iter().collect(),
        // A path of the API gives nobody access who has no credentials.
        _ if text.starts_with('/') => Vec::new(),
        _ => Some(text.to_string()).filter(is_long).into_iter().collect(),
    }
}

fn texts_of(value: &JsonValue, texts: &mut Vec<String>) {
    match value {
        JsonValue::String(text) => texts.push(text.clone()),
        JsonValue::Number(number) => texts.push(number.to_string()),
        JsonValue::Array(values) => values.iter().for_each(|value| texts_of(value, texts)),
        JsonValue::Object(entries) => entries.values().for_each(|value| texts_of(value, texts)),
        JsonValue::Null | JsonValue::Bool(_) => {}
    }
}

/// Reads an answer, whose body may be empty.
fn read<T>(mut page: PageBody, graphql: Option<GraphqlErrors>, read: impl FnOnce(&PageBody, Option<Node<'_>>) -> T) -> Result<T> {
    let bytes = std::mem::take(&mut page.body);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(read(&page, None));
    }
    let content_type = page.headers.get("content-type");
    let style = BodyStyle::default();
    let weight = style.weigh(&bytes, content_type, MOST_BYTES);
    let body = style.open(bytes, content_type, MOST_BYTES).map_err(|fault| page.unreadable(&fault, &[]))?;
    let weight = weight.of_opened(&body, MOST_BYTES);
    let found = Parser::default().read_body(&body, weight, MOST_BYTES, |root| {
        if let Some(errors) = graphql {
            check_graphql(errors, root)?;
        }
        Ok(read(&page, Some(root)))
    });
    found.unwrap_or_else(|fault| Err(page.unreadable(&fault, body.bytes_of(&fault))))
}

fn captured_by(step: &StepDef, page: &PageBody, root: Option<Node<'_>>) -> Captured {
    step.capture.iter().filter_map(|(name, capture)| Some((name.clone(), capture.read(root, &page.headers)?))).collect()
}

/// Returns a number of seconds.
fn seconds_of(text: &str) -> Option<Duration> {
    text.trim().parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_access_is_a_secret() {
        let check = |text: &str, expected: &[&str]| assert_eq!(secrets_of(text), expected, "{text}");
        check("750R0000000zlh9IAA", &["750R0000000zlh9IAA"]);
        check("12", &[]);
        check("https://b.s3.example.com/a.csv?Expires=1700000000&sig=0123456789abcdef", &["0123456789abcdef"]);
        check("https://files.example.com/0123456789/a.csv", &["/0123456789/a.csv"]);
        check("/exports/1/results?part=1", &[]);
    }
}
