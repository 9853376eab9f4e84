//! A request to an API.

use crate::spec::ErrorCondition;
pub use crate::spec::Method;
use url::Url;

/// A request without credentials. Its URL and body may still hold secret option values: print them through a [`super::Redactor`].
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    /// The base URL, whose origin may have the credentials.
    pub base: Url,
    /// Whether the URL, the headers or the body may hold a secret option.
    pub has_secrets: bool,
    /// Whether it reads and may be sent again whatever became of it.
    pub is_safe: bool,
    /// The answer that says that the API does not know the token any more that asks for what changed.
    pub expired_when: Option<ErrorCondition>,
    /// Whether it asks for a page that may lie after the last one: one of those that are counted, and not the first.
    pub may_be_past_end: bool,
    /// The name of the limits, among those of the spec's `throttles`, that hold besides the connection's.
    pub throttle: Option<String>,
    /// Whether it asks for a file with results that is on another host: without credentials.
    pub is_anonymous: bool,
    /// Which of the connection's credentials it goes with, where that has several.
    pub credential: usize,
}

impl Request {
    /// Returns whether a header asks for an answer only if something changed.
    pub fn is_conditional(&self) -> bool {
        let is_condition = |name: &str| ["if-none-match", "if-modified-since"].iter().any(|other| other.eq_ignore_ascii_case(name));
        self.headers.iter().any(|(name, _)| is_condition(name))
    }

    /// Makes a request that reads.
    pub fn get(url: Url, base: Url, headers: Vec<(String, String)>) -> Request {
        Request {
            method: Method::Get,
            url,
            headers,
            body: None,
            base,
            has_secrets: false,
            is_safe: true,
            expired_when: None,
            may_be_past_end: false,
            throttle: None,
            is_anonymous: false,
            credential: 0,
        }
    }
}
