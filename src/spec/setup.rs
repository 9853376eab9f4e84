//! What is looked up before the first request of a connection, such as the id of an account.

use super::Template;
use crate::source::Captures;

/// A look-up.
#[derive(Debug, Clone, PartialEq)]
pub struct SetupStep {
    pub place: SetupPlace,
    /// Its own headers.
    pub headers: Vec<(String, Template)>,
    /// What is taken from the answer, by name.
    pub capture: Captures,
}

/// Where a look-up asks.
#[derive(Debug, Clone, PartialEq)]
pub enum SetupPlace {
    Url(Template),
    /// Below `base_url`.
    Path(Template),
}

impl SetupStep {
    /// Returns its texts with holes.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let (SetupPlace::Url(place) | SetupPlace::Path(place)) = &self.place;
        self.headers.iter().map(|(_, value)| value).chain([place])
    }
}
