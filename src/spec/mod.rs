//! Adapter specs: the YAML file that describes one system's API, parsed into values that are valid by construction.

mod answer;
mod auth;
mod base_url;
mod bundled;
mod children;
mod class;
mod column;
mod connection;
mod credentials;
mod date_format;
mod deletes;
mod discover;
mod duration;
mod error_rules;
mod expect;
mod job;
mod large_stack;
mod login;
mod many;
mod method;
mod model;
mod moment_format;
pub mod openapi;
mod option;
mod own_options;
mod param;
mod parse;
mod query;
mod query_functions;
mod query_joins;
mod query_limits;
mod recurse;
mod refresh;
mod request;
mod result_hosts;
mod secret;
mod setup;
mod setup_values;
#[cfg(test)]
pub(crate) mod tests;
mod throttle;
mod token_holes;
mod tokens;
mod value;
mod window;
mod write;

pub use crate::source::paging::Total;
pub use crate::source::Paging;
pub use answer::{AnswerDef, ColumnReading, FieldCondition, NamedRow, RecordForm, RowNames, TreeDef};
pub use auth::{
    AuthFields, AuthSpec, AwsSpec, ClientProof, ClientSpec, ConsentSpec, Grant, JwtAlgorithm, JwtSpec, OAuth1Spec, OAuth2Spec, SignedSpec,
    TokenFormat,
};
pub use base_url::{check_url_part, UrlPart};
pub use bundled::{BundledSpec, BUNDLED};
pub use children::ChildDef;
pub use class::Class;
pub use column::{ColumnPattern, ColumnSpec, DeclaredType, Nested, ScalarType};
pub use credentials::option_of_credential;
pub use date_format::{DateFormat, DATE_FORMATS};
pub use deletes::{Deletes, DELETED_AT};
pub use discover::{Found, FoundField, FoundObject};
pub use duration::{duration_of, DURATION_FORMS};
pub use error_rules::{ErrorCondition, ErrorRule, RetrySpec, RuleVerdict, RuleWait};
pub use expect::{Expect, Unique};
pub use job::{JobDef, JobState, StateCondition, StepDef, WaitDef};
pub use login::{SessionSpec, SessionStep};
pub use many::{Many, ManyForm};
pub use method::Method;
pub use model::*;
pub use moment_format::{MomentFormat, MOMENT_FORMATS};
pub use option::OptionSpec;
pub use own_options::{header_of, header_option, is_header_value, network, NETWORK_OPTIONS};
pub use param::{ParamDef, ParamValue, ParamValues};
pub use parse::{Examined, Finding, FindingLevel};
pub use query::{with_placeholders, OptionValues};
pub use query_joins::{with_bare_joins, with_queries_of};
pub use recurse::RecurseDef;
pub use refresh::{Cursor, Lookback, ParamOrigin, RefreshStrategy, SyncToken, Updates};
pub use request::{Body, FirstRequest, GraphqlErrors, RequestDef};
pub use result_hosts::ResultHosts;
pub use secret::Secret;
pub use setup::{SetupPlace, SetupStep};
pub use throttle::{Amount, BudgetSign, LeftSign, NamedThrottle, Throttle, Told, WaitSign, WaitUnit};
pub use tokens::{PendingConsent, TokenAnswer, Tokens};
pub use value::{
    hole_text, number_of, Builtin, Dialect, Filled, Hole, JsonTemplate, Layered, LoadValues, Moment, NoRows, NoSources, Part, Rows,
    Sources, Template, FIELDS_HOLE, JOB_HOLE, KEY_HOLE, OBJECT_HOLE, PAGE_HOLE, SETUP_HOLE, TOKEN_HOLE, WINDOW_END, WINDOW_START,
};
pub use window::{grain_of, Ends, Scale, Step, Window, WindowDef, WindowRange};
pub use write::{WriteDef, Writes};
