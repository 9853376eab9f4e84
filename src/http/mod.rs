//! HTTP: what to ask an API, what its answers mean, and the one place that talks to the network.

mod auth;
mod authorizer;
mod blocks;
mod body;
mod budgets;
mod client;
mod disguise;
#[cfg(test)]
mod disguise_tests;
mod encoding;
mod escapes;
mod excerpt;
mod facts;
mod graphql;
mod kernel;
mod limits;
mod message;
mod network;
mod notes;
mod pool;
mod redact;
mod redact_answer;
mod request;
#[cfg(test)]
mod sample;
mod setup;
mod sink;
mod step;
mod stop;
mod throttle;
mod tls;
mod tls_text;
mod told;
mod transport;
mod verdict;
mod write;

pub use auth::{access_text, Consent, Invitation};
pub use authorizer::{Authorizer, Authorizing, Ending};
pub use client::{Answer, ApiClient, HttpSettings, PageBody, Reply};
pub use facts::facts_of;
pub use graphql::check_graphql;
pub use kernel::{MaySend, RequestObserver, SendFailure};
pub use limits::BudgetLeft;
pub use message::{Method, Request};
pub use redact::{without_secrets, Redactor};
pub use request::{files_of, request_of, request_of_path, request_of_step, unusable_value, ParamSet, Step, Windowed};
pub use sink::{BodySink, Taking};
pub use step::{StepAnswer, Told};
pub use stop::Stop;
pub use tls::tls_config;
pub use tls_text::tls_text;
pub use write::{WritePlan, WriteRequest, WriteRow};
