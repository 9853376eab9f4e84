//! Exports that an API makes before it gives them: a job is created, waited for, fetched, and cancelled where nobody wants it.

use super::{Body, GraphqlErrors, Method, Template};
use crate::document::{Node, View};
use crate::source::Captures;
use std::time::Duration;

/// One request of several, and what its answer gives to later ones.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDef {
    pub path: Template,
    pub method: Method,
    /// Besides those of the table.
    pub headers: Vec<(String, Template)>,
    /// What stands in the query string.
    pub params: Vec<(String, Template)>,
    pub body: Body,
    /// Whether it may be sent twice.
    pub is_safe: bool,
    pub graphql_errors: Option<GraphqlErrors>,
    pub capture: Captures,
}

impl StepDef {
    /// Returns all texts with holes.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let pairs = self.headers.iter().chain(&self.params).map(|(_, value)| value);
        std::iter::once(&self.path).chain(pairs).chain(self.body.templates())
    }
}

/// How a table's rows are exported. What `fetch` says is in the table's own request, answer and paging.
#[derive(Debug, Clone, PartialEq)]
pub struct JobDef {
    /// The headers that all steps have.
    pub headers: Vec<(String, Template)>,
    pub create: StepDef,
    pub wait: WaitDef,
    /// What stands in the query string of `fetch`.
    pub params: Vec<(String, Template)>,
    /// The addresses of the files with the results, where the results are files.
    pub urls: Option<Template>,
    pub cancel: Option<StepDef>,
    /// Most jobs of the table that the API has at once.
    pub concurrency: usize,
}

impl JobDef {
    /// Returns all texts with holes, but for those of the table's own request.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let steps = [Some(&self.create), Some(&self.wait.step), self.cancel.as_ref()].into_iter().flatten();
        let pairs = self.headers.iter().chain(&self.params).map(|(_, value)| value);
        steps.flat_map(StepDef::templates).chain(pairs).chain(&self.urls)
    }
}

/// The step that asks how a job is.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitDef {
    pub step: StepDef,
    pub done_when: StateCondition,
    pub fail_when: Option<StateCondition>,
    /// The least time between two of its requests.
    pub every: Duration,
    /// How long a job may take.
    pub timeout: Duration,
}

/// How a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    Running,
    Done,
    Failed,
}

impl WaitDef {
    /// Returns how a job is, by the body of an answer.
    pub fn state(&self, root: Node<'_>) -> JobState {
        match &self.fail_when {
            Some(failed) if failed.matches(root) => JobState::Failed,
            _ if self.done_when.matches(root) => JobState::Done,
            _ => JobState::Running,
        }
    }
}

/// What the body of an answer is like: all of these must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCondition {
    /// Keys, one in the other, and the values of which one must be there; none: anything but null.
    pub fields: Vec<(Vec<String>, Vec<String>)>,
}

impl StateCondition {
    fn matches(&self, root: Node<'_>) -> bool {
        self.fields.iter().all(|(path, values)| match root.at(path).map(|node| (node, node.view())) {
            None | Some((_, View::Null)) => false,
            Some(_) if values.is_empty() => true,
            Some((_, View::Text(text))) => values.iter().any(|value| value == text),
            Some((node, _)) => values.contains(&node.to_json()),
        })
    }
}
