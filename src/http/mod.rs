//! HTTP: what to ask an API, what its answers mean, and the one place that talks to the network.
//!
//! # Life of a request
//!
//! `http/kernel` sends every request, for those that read and those that write alike. One value, `Repeat`, says what tells them apart:
//! when a request may be sent once more, and where its redirects may lead. Each try waits for its turn in the connection's budget
//! (`throttle`). An `Authorizer` puts the credentials on each hop that may have them, and is told when the API does not take them.
//! Where a connection has several credentials, a `Pool` chooses that of each try. One that is spent, not taken or gets no token is set
//! aside. While requests under way may take all that is left of each, the next one waits for an answer. `verdict` says what an answer
//! means. Where a rule of the spec looks into bodies, or an error is quoted, a body is read on a thread that may block, never on a
//! network thread. Such a look finds one value and skips the others. It does not read a body that lacks the rule's keys.
//!
//! Credentials that a server gives (`http/auth/renewed`) are fetched when a request needs them. Whoever fetches holds a lock file, so
//! that one process asks and the others read. It asks on a thread that may block, not in a future: a future ends when nobody waits for
//! it, and a refresh token that was spent would be lost with the new one. The answer is written and synced before anybody uses it, and
//! the redactor learns its secrets before anything is said about it. Tokens are in memory and beside the connections file, never in the
//! database.

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
mod known;
mod limits;
mod message;
mod needle;
mod network;
mod notes;
mod own_secrets;
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
