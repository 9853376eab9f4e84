//! What an adapter spec says, after parsing: every value here is valid and complete.

use super::{RefreshStrategy, Secret, Template, WriteDef};
use crate::json::JsonPath;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// One system's API: the parsed form of one spec file.
#[derive(Debug, Clone)]
pub struct AdapterSpec {
    pub name: String,
    pub description: Option<String>,
    pub help: Option<String>,
    pub version: Option<String>,
    /// Where the spec came from: a file's path, or `(bundled)`.
    pub source: String,
    pub base_url: Template,
    /// Origins, besides that of `base_url`, that may receive credentials.
    pub allowed_hosts: Vec<String>,
    /// Alternatives in order: the first whose options the connection supplies is used. Never empty.
    pub auth: Vec<AuthSpec>,
    pub options: Vec<OptionSpec>,
    pub headers: Vec<(String, Template)>,
    pub throttle: Throttle,
    pub retry: RetrySpec,
    pub errors: Vec<ErrorRule>,
    pub tables: Vec<TableDef>,
    pub views: Vec<ViewDef>,
}

impl AdapterSpec {
    /// Returns the table of that name; names compare without case, as DuckDB's do.
    pub fn table(&self, name: &str) -> Option<&TableDef> {
        self.tables.iter().find(|table_def| table_def.name.eq_ignore_ascii_case(name))
    }

    /// Returns the view of that name; names compare without case, as DuckDB's do.
    pub fn view(&self, name: &str) -> Option<&ViewDef> {
        self.views.iter().find(|view_def| view_def.name.eq_ignore_ascii_case(name))
    }
}

/// A way to authenticate. Names in the variants are names of connection options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthSpec {
    None,
    Basic {
        username: OptionSpec,
        password: OptionSpec,
    },
    Bearer {
        token: OptionSpec,
    },
    /// Each pair: header name and the option that fills it.
    Headers(Vec<(String, OptionSpec)>),
    /// Each pair: query parameter and the option that fills it.
    Params(Vec<(String, OptionSpec)>),
}

impl AuthSpec {
    /// Returns the options a connection supplies for this way to authenticate.
    pub fn options(&self) -> Vec<&OptionSpec> {
        match self {
            AuthSpec::None => Vec::new(),
            AuthSpec::Basic { username, password } => vec![username, password],
            AuthSpec::Bearer { token } => vec![token],
            AuthSpec::Headers(pairs) | AuthSpec::Params(pairs) => pairs.iter().map(|(_, option)| option).collect(),
        }
    }

    /// Returns the name of the type as specs write it.
    pub fn type_name(&self) -> &'static str {
        match self {
            AuthSpec::None => "NONE",
            AuthSpec::Basic { .. } => "BASIC",
            AuthSpec::Bearer { .. } => "BEARER",
            AuthSpec::Headers(_) => "HEADERS",
            AuthSpec::Params(_) => "PARAMS",
        }
    }
}

/// An option a connection may set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionSpec {
    pub name: String,
    pub description: Option<String>,
    pub default: Option<String>,
    pub required: bool,
    /// Secret options are redacted wherever they could be printed.
    pub secret: bool,
}

/// Limits the API wants its callers to keep, for one connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Throttle {
    /// Least time between the starts of two requests, in seconds.
    pub sleep: f64,
    pub requests_per_second: Option<f64>,
    /// Most requests in flight at once.
    pub concurrency: usize,
    /// Name of the header that says how many requests are left.
    pub remaining_header: Option<String>,
    /// Name of the header that says when the budget is full again (seconds, or seconds since 1970).
    pub reset_header: Option<String>,
}

impl Default for Throttle {
    fn default() -> Throttle {
        Throttle { sleep: 0.0, requests_per_second: None, concurrency: 8, remaining_header: None, reset_header: None }
    }
}

/// How often and how patiently a request is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrySpec {
    /// Tries in all, the first included. At least 1.
    pub attempts: u32,
    /// First backoff, in seconds.
    pub base: f64,
    /// Longest backoff, in seconds.
    pub max: f64,
    /// The longest wait an API can ask for, in seconds, that a load sits through: for a longer one it gives its thread back.
    pub park: f64,
    /// Statuses that are retried besides the standard ones.
    pub statuses: Vec<u16>,
}

impl Default for RetrySpec {
    fn default() -> RetrySpec {
        RetrySpec { attempts: 5, base: 1.0, max: 60.0, park: 300.0, statuses: Vec::new() }
    }
}

/// What an answer that matches `when` means, for APIs that do not keep to the standard statuses.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorRule {
    pub when: ErrorCondition,
    pub verdict: RuleVerdict,
    pub message: Option<String>,
}

/// All parts that are given must match.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ErrorCondition {
    pub statuses: Vec<u16>,
    /// Dotted path in the body and the value expected there; no value: the path only has to exist and not be null.
    pub body: Option<(Vec<String>, Option<String>)>,
    /// Header name and the value expected (case-insensitive); no value: the header only has to be there.
    pub header: Option<(String, Option<String>)>,
}

/// What to do with an answer an [`ErrorRule`] matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleVerdict {
    Retry,
    Fail,
    /// The answer has no rows, and that is no error.
    Empty,
    /// The parameter set is left out, with a warning.
    Skip,
}

/// A table an adapter offers.
#[derive(Debug, Clone)]
pub struct TableDef {
    pub name: String,
    pub description: Option<String>,
    /// Path below `base_url`, with `{param}` holes.
    pub path: Template,
    pub headers: Vec<(String, Template)>,
    pub params: Vec<ParamDef>,
    pub paging: Paging,
    /// Where the rows are; empty: the body itself.
    pub result_body_path: Vec<String>,
    /// A key of the body whose object is the one row, taken without flattening.
    pub result_object_path: Option<String>,
    pub result_meta_paths: Vec<Vec<String>>,
    pub copy_params_to_output: Vec<String>,
    /// Patterns of flattened names to keep; empty: all.
    pub select: Vec<ColumnPattern>,
    pub strip_prefixes: Vec<String>,
    pub columns: Vec<ColumnSpec>,
    /// Whether fields that `columns` does not declare are left out.
    pub only_columns: bool,
    pub key_columns: Vec<String>,
    pub refresh: RefreshStrategy,
    /// How old the table may become before it counts as stale; `None`: as the daemon's setting says.
    pub max_staleness: Option<Duration>,
    pub nested: Nested,
    /// How rows are written back; `None`: they cannot be.
    pub write: Option<WriteDef>,
}

impl TableDef {
    /// Returns the tables of the same connection that the params and the refresh's params query, each once.
    pub fn parents(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let refresh_params = self.refresh.updates().map_or(&[][..], |updates| &updates.params);
        for param_def in self.params.iter().chain(refresh_params) {
            if let ParamValues::Query(query) = &param_def.values {
                for table in &query.tables {
                    if !names.iter().any(|name| name.eq_ignore_ascii_case(table)) {
                        names.push(table);
                    }
                }
            }
        }
        names
    }
}

/// One entry of `select`.
#[derive(Debug, Clone)]
pub enum ColumnPattern {
    /// The name itself, or the name followed by `_` and anything.
    Name(String),
    /// Anchored at both ends.
    Regex(regex::Regex),
}

impl ColumnPattern {
    /// Returns whether the flattened name is selected.
    pub fn matches(&self, flattened: &str) -> bool {
        match self {
            ColumnPattern::Name(name) => flattened.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')),
            ColumnPattern::Regex(regex) => regex.is_match(flattened),
        }
    }
}

/// A column the spec declares.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSpec {
    pub name: String,
    pub data_type: Option<DeclaredType>,
    /// Keys from the record down to the value; default: the flattened field of this name.
    pub source: Option<Vec<String>>,
    pub key: bool,
    pub description: Option<String>,
}

/// The types a spec may declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarType {
    Boolean,
    BigInt,
    HugeInt,
    Double,
    Date,
    Timestamp,
    Varchar,
}

/// A declared type: a scalar, a list of one, or JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclaredType {
    Scalar(ScalarType),
    List(ScalarType),
    Json,
}

/// How nested objects become columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nested {
    #[default]
    Flatten,
    Json,
    /// Flatten this many levels, JSON below.
    Depth(usize),
}

/// A request parameter, or several that vary together.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamDef {
    /// One name, or the names of a tuple.
    pub names: Vec<String>,
    pub values: ParamValues,
}

/// Where a param's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamValues {
    /// One value for every request. `Null` means the param is left out.
    One(ParamValue),
    /// One call per element; each element has as many values as the param has names.
    Each(Vec<Vec<ParamValue>>),
    /// One call per row of a query over tables of the same connection.
    Query(ParentQuery),
}

/// A value sent to the API.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamValue {
    Null,
    Boolean(bool),
    Integer(i128),
    Double(f64),
    Text(String),
    /// Text with `${option}` holes.
    Template(Template),
}

impl ParamValue {
    /// Returns the value as it is sent; `None` for null. Templates must have been rendered before.
    pub fn to_text(&self) -> Option<String> {
        match self {
            ParamValue::Null => None,
            ParamValue::Boolean(value) => Some(value.to_string()),
            ParamValue::Integer(value) => Some(value.to_string()),
            ParamValue::Double(value) => Some(value.to_string()),
            ParamValue::Text(text) => Some(text.clone()),
            ParamValue::Template(template) => template.as_literal().map(str::to_string),
        }
    }
}

/// A SELECT over unqualified tables of the same connection.
#[derive(Debug, Clone, PartialEq)]
pub struct ParentQuery {
    pub sql: String,
    /// The tables it names, each once.
    pub tables: Vec<String>,
}

/// A view an adapter offers over its tables.
#[derive(Debug, Clone)]
pub struct ViewDef {
    pub name: String,
    /// Tables (or earlier views) it reads.
    pub from: Vec<String>,
    pub query: ParentQuery,
    pub help: Option<String>,
}

/// How a list resource is cut into pages.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Paging {
    #[default]
    None,
    PageAndCount {
        page_param: String,
        count_param: Option<String>,
        page_size: u64,
        first_page: u64,
        total: Option<Total>,
    },
    OffsetAndCount {
        offset_param: String,
        count_param: Option<String>,
        page_size: u64,
        total: Option<Total>,
    },
    PagerToken {
        token_param: String,
        count_param: Option<String>,
        page_size: u64,
        token_path: JsonPath,
        has_more_path: Option<JsonPath>,
    },
    NextLink {
        link_path: JsonPath,
    },
    LinkHeader {
        count_param: Option<String>,
        page_size: u64,
    },
}

/// Where an API says how much there is.
#[derive(Debug, Clone, PartialEq)]
pub enum Total {
    /// Rows, in the body.
    RowsPath(JsonPath),
    /// Rows, in a header.
    RowsHeader(String),
    /// Pages, in the body.
    PagesPath(JsonPath),
}

/// The options of one connection, complete and checked against its adapter's spec, environment references resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionOptions {
    /// Every option that has a value, defaults included. `OptionSpec::secret` says which must be redacted.
    pub values: BTreeMap<String, Secret>,
    /// Which of the spec's `auth` alternatives the options supply.
    pub auth: usize,
}

/// An adapter bound to one account. Its name is the schema of its tables.
#[derive(Debug, Clone)]
pub struct Connection {
    pub name: String,
    pub adapter: Arc<AdapterSpec>,
    pub options: ConnectionOptions,
}
