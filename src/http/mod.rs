//! HTTP: what to ask an API, what its answers mean, and the one place that talks to the network.

mod auth;
mod client;
mod excerpt;
mod facts;
mod headers;
mod limits;
mod link;
mod paging;
mod redact;
mod redact_answer;
mod request;
#[cfg(test)]
mod sample;
mod throttle;
mod transport;
mod verdict;
mod write;

pub use client::{Answer, ApiClient, HttpSettings, PageBody, Reply, RequestObserver, Stop, WriteFailure};
pub use facts::{facts_of, PageRows};
pub use headers::Headers;
pub use limits::BudgetLeft;
pub use link::{links_of, Link};
pub use paging::{PageFacts, PageFailure, PageKey, PagePlace, PagePrint, PageVerdict, Pager, ResumePoint};
pub use redact::{without_secrets, Redactor};
pub use request::{pager_sets, request_of, request_of_path, ApiRequest, ParamSet};
pub use write::{WritePlan, WriteRequest, WriteRow};

use throttle::Budget;
use verdict::{Judge, Moment, Verdict};
