//! Sessions, as a spec describes them: the request that begins one, and the one that ends it.

use super::{Body, Method, OptionSpec, Template};
use crate::source::Captures;
use std::time::Duration;

/// How a session begins and ends, and how requests belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionSpec {
    pub login: SessionStep,
    /// The statuses of an answer to the login that are good, besides those below 400.
    pub statuses: Vec<u16>,
    /// What is taken from the login's answer, by name.
    pub capture: Captures,
    /// How long it lasts; `None`: until the API takes it no more.
    pub life: Option<Duration>,
    /// The headers of each request; their holes are options and `token.X`.
    pub headers: Vec<(String, Template)>,
    /// What ends it. Then a session is one process's own.
    pub logout: Option<SessionStep>,
    pub options: Vec<OptionSpec>,
}

/// A request that begins or ends a session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionStep {
    pub method: Method,
    /// Below `base_url`.
    pub path: Template,
    /// Its own headers.
    pub headers: Vec<(String, Template)>,
    pub body: Body,
}

impl SessionStep {
    /// Returns its texts with holes, but for the path.
    pub fn values(&self) -> impl Iterator<Item = &Template> {
        self.headers.iter().map(|(_, value)| value).chain(self.body.templates())
    }
}

impl SessionSpec {
    /// Returns its texts with holes.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let steps = || std::iter::once(&self.login).chain(&self.logout);
        steps().flat_map(SessionStep::values).chain(self.headers.iter().map(|(_, value)| value)).chain(steps().map(|step| &step.path))
    }
}
