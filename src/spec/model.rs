//! What an adapter spec says, after parsing: every value here is valid and complete.

use super::{
    AnswerDef, AuthSpec, Builtin, ChildDef, Class, ColumnPattern, ColumnSpec, DateFormat, DeclaredType, Deletes, ErrorCondition, ErrorRule,
    Expect, FieldCondition, Hole, JobDef, NamedThrottle, Nested, OptionSpec, ParamDef, ParamValue, ParamValues, RecurseDef,
    RefreshStrategy, RequestDef, ResultHosts, RetrySpec, RuleVerdict, Secret, SetupStep, Template, Throttle, Tokens, WindowDef, Writes,
};
use crate::document::JsonValue;
use crate::source::Paging;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// One system's API: the parsed form of one spec file.
#[derive(Debug, Clone)]
pub struct AdapterSpec {
    pub name: String,
    pub description: Option<String>,
    pub help: Option<String>,
    pub version: Option<String>,
    /// What kind of system it is of.
    pub class: Class,
    /// Where the spec came from: a file's path, or `(bundled)`.
    pub source: String,
    pub base_url: Template,
    /// Origins, besides that of `base_url`, that may receive credentials.
    pub allowed_hosts: Vec<String>,
    /// Hosts that the files with results may be on, which get no credentials.
    pub result_hosts: ResultHosts,
    /// Alternatives in order: the first whose options the connection supplies is used. Never empty.
    pub auth: Vec<AuthSpec>,
    pub options: Vec<OptionSpec>,
    pub headers: Vec<(String, Template)>,
    pub throttle: Throttle,
    /// Limits of some tables, which hold besides.
    pub throttles: Vec<NamedThrottle>,
    pub retry: RetrySpec,
    pub errors: Vec<ErrorRule>,
    /// What is looked up before the first request, in this order.
    pub setup: Vec<SetupStep>,
    /// The request that tells whether credentials are right.
    pub test: Option<TestRequest>,
    pub tables: Vec<TableDef>,
    pub views: Vec<ViewDef>,
    /// Tables that the API tells of, or whose fields it tells. Those whose name the spec has are among `tables`, too.
    pub discover: Vec<Discover>,
    /// Tables and views that have mistakes, or read such ones: they cannot be used.
    pub broken: Vec<BrokenTable>,
    /// What is likely to be a mistake, and does not keep the spec from being used.
    pub warnings: Vec<SpecWarning>,
}

/// The request of `TEST CONNECTION`, and what its answer must be like.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRequest {
    /// Below `base_url`, without holes.
    pub path: String,
    pub expected: ErrorCondition,
}

/// A table or view of a spec that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenTable {
    pub name: String,
    /// The mistakes, a line each.
    pub message: String,
}

/// Something in a spec that is likely to be a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecWarning {
    /// The table it is about; empty: all.
    pub table: String,
    /// With its place in the file.
    pub message: String,
}

impl AdapterSpec {
    /// Returns the table of that name; names compare without case, as DuckDB's do.
    pub fn table(&self, name: &str) -> Option<&TableDef> {
        self.tables.iter().find(|table_def| table_def.name.eq_ignore_ascii_case(name))
    }

    /// Returns what is wrong with the table or view of that name, if it has mistakes.
    pub fn mistakes_of(&self, name: &str) -> Option<&str> {
        self.broken.iter().find(|broken| broken.name.eq_ignore_ascii_case(name)).map(|broken| broken.message.as_str())
    }

    /// Returns the warnings about a table, and those about all.
    pub fn warnings_of(&self, table: &str) -> Vec<&str> {
        let is_about = |warning: &&SpecWarning| warning.table.is_empty() || warning.table.eq_ignore_ascii_case(table);
        self.warnings.iter().filter(is_about).map(|warning| warning.message.as_str()).collect()
    }

    /// Returns the limits of that name that hold besides the connection's.
    pub fn throttle_named(&self, name: Option<&str>) -> Option<&Throttle> {
        self.throttles.iter().find(|named| Some(named.name.as_str()) == name).map(|named| &named.throttle)
    }

    /// Returns how many requests of a table may be in flight at once.
    pub fn concurrency_of(&self, table_def: &TableDef) -> usize {
        let own = self.throttle_named(table_def.throttle.as_deref()).map(|throttle| throttle.concurrency);
        own.map_or(self.throttle.concurrency, |own| own.min(self.throttle.concurrency))
    }

    /// Returns the view of that name; names compare without case, as DuckDB's do.
    pub fn view(&self, name: &str) -> Option<&ViewDef> {
        self.views.iter().find(|view_def| view_def.name.eq_ignore_ascii_case(name))
    }
}

/// What an API gives at most of a parameter set, and hides without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxRows {
    pub rows: u64,
    /// Whether the window is asked for in halves; otherwise the load fails.
    pub splits: bool,
}

/// A table an adapter offers.
#[derive(Debug, Clone)]
pub struct TableDef {
    pub name: String,
    pub description: Option<String>,
    /// Path below `base_url`, with `{param}` holes.
    pub path: Template,
    pub headers: Vec<(String, Template)>,
    pub request: RequestDef,
    pub params: Vec<ParamDef>,
    /// How moments are written that no filter gives a form.
    pub date_format: DateFormat,
    pub paging: Paging,
    /// What an answer means that is not paged and shows that there is more.
    pub unpaged: Unpaged,
    /// What the answers are, and what stands where the rows are.
    pub answer: AnswerDef,
    /// Where the rows are; empty: the body itself.
    pub result_body_path: Vec<String>,
    /// A key of the body whose object is the one row, taken without flattening.
    pub result_object_path: Option<String>,
    /// What an answer means that lacks the key.
    pub missing: Missing,
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
    /// Whether a refresh asks for rows only if the ETag of its only answer changed.
    pub etag: bool,
    /// The table as requests for updates have it, where they differ from those of a load.
    pub updating: Option<Arc<TableDef>>,
    pub nested: Nested,
    /// The name of the limits, among those of the spec's `throttles`, that hold besides the connection's.
    pub throttle: Option<String>,
    /// What the rows of a load must be like.
    pub expect: Expect,
    /// What becomes of rows that are gone at the source.
    pub deletes: Deletes,
    /// How rows are written back; `None`: they cannot be.
    pub write: Option<Writes>,
    /// The range that is asked for in parts.
    pub window: Option<WindowDef>,
    /// What the API gives at most of a parameter set.
    pub max_rows: Option<MaxRows>,
    /// What holes take of an object that was discovered, and of its fields.
    pub discovered: Arc<Vec<(String, JsonValue)>>,
    /// How many of the discovered fields one request asks for, besides those of the key; `None`: all.
    pub chunk: Option<NonZeroUsize>,
    /// How the rows are exported; `None`: they are given at once.
    pub job: Option<Box<JobDef>>,
    /// How it goes on below its own rows.
    pub recurse: Option<Box<RecurseDef>>,
    /// How it is filled from lists inside the records of another table; `None`: from records of its own.
    pub child: Option<ChildDef>,
}

impl TableDef {
    /// Returns the base URL of its requests.
    pub fn base_url<'a>(&'a self, adapter: &'a AdapterSpec) -> &'a Template {
        self.request.base_url.as_ref().unwrap_or(&adapter.base_url)
    }

    /// Returns what begins a message about it in the log of another table, from whose records its rows are; empty where its log is its own.
    pub fn place_of_child(&self) -> String {
        self.child.as_ref().map_or(String::new(), |_| format!("table '{}': ", self.name))
    }

    /// Returns the table as requests for updates have it.
    pub fn for_updates(&self) -> &TableDef {
        self.updating.as_deref().unwrap_or(self)
    }

    /// Returns the table as loads have it, and as requests for updates do where they differ.
    pub fn variants(&self) -> impl Iterator<Item = &TableDef> {
        std::iter::once(self).chain(self.updating.as_deref())
    }

    /// Changes the table, as loads and as requests for updates have it.
    pub fn change(&mut self, change: &mut dyn FnMut(&mut TableDef)) {
        if let Some(updating) = &mut self.updating {
            change(Arc::make_mut(updating));
        }
        change(self);
    }

    /// Returns the texts with holes that stand in each request, but for params and `base_url`.
    pub fn request_templates(&self) -> Vec<&Template> {
        let headers = self.headers.iter().map(|(_, value)| value);
        let first = self.request.first.iter().flat_map(|first| first.templates());
        let of_job = self.job.iter().flat_map(|job| job.templates());
        std::iter::once(&self.path).chain(headers).chain(self.request.body.templates()).chain(first).chain(of_job).collect()
    }

    /// Returns the texts with holes of its requests, those of params included.
    fn all_templates(&self) -> impl Iterator<Item = &Template> {
        let refresh_params = self.refresh.updates().map_or(&[][..], |updates| &updates.params);
        let of_params = self.params.iter().chain(refresh_params).flat_map(|param_def| param_def.values.templates());
        self.request_templates().into_iter().chain(of_params)
    }

    /// Returns the names of all holes of its requests, those of params included.
    pub fn hole_names(&self) -> Vec<&str> {
        self.all_templates().flat_map(Template::names).collect()
    }

    /// Returns the texts with holes that say where the range begins and ends which is cut into windows.
    pub fn window_templates(&self) -> impl Iterator<Item = &Template> {
        let bounds = self.window.iter().flat_map(|window_def| [&window_def.start, &window_def.end]);
        bounds.flat_map(ParamValue::templates)
    }

    /// Returns the holes that a window fills.
    pub fn window_holes(&self) -> Vec<&Hole> {
        self.all_templates().flat_map(Template::holes).filter(|hole| Builtin::named(&hole.name) == Some(Builtin::Window)).collect()
    }

    /// Returns whether a window may be asked for in halves, so that its rows have to be found again. `adapter` is the table's.
    pub fn may_split(&self, adapter: &AdapterSpec) -> bool {
        let splits = |rule: &ErrorRule| rule.verdict == RuleVerdict::Split;
        self.window.is_some() && (self.max_rows.is_some_and(|max_rows| max_rows.splits) || adapter.errors.iter().any(splits))
    }

    /// Returns whether a load removes the rows that came before a record which says that they are gone: where a key tells which, and each record is
    /// one row.
    pub fn removes_deleted(&self) -> bool {
        self.answer.deleted_when.is_some() && !self.key_columns.is_empty() && self.recurse.is_none() && !self.is_chunked()
    }

    /// Returns whether a refresh replaces all rows of the windows that it asks for.
    pub fn overwrites(&self) -> bool {
        self.refresh.updates().is_some_and(|updates| updates.overwrite.is_some())
    }

    /// Returns the tables of the same connection that the params and the refresh's params query, each once.
    pub fn parents(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let refresh_params = self.refresh.updates().map_or(&[][..], |updates| &updates.params);
        let of_updates = self.updating.iter().flat_map(|table_def| &table_def.params);
        for param_def in self.params.iter().chain(refresh_params).chain(of_updates) {
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

/// A SELECT over unqualified tables of the same connection.
#[derive(Debug, Clone, PartialEq)]
pub struct ParentQuery {
    pub sql: String,
    /// The tables it names, each once.
    pub tables: Vec<String>,
    /// The options whose values it holds.
    pub options: Vec<String>,
    /// Whether it says in which order its rows come.
    pub is_ordered: bool,
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

/// What it means when an answer does not have the key that leads to the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    #[default]
    Fails,
    /// There are no records.
    Empty,
}

/// What it means when the answer of a table without paging shows that there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unpaged {
    /// Rows are missing: a warning.
    #[default]
    Warns,
    /// Rows are missing: an error.
    Fails,
    /// The spec asks for one page.
    Wanted,
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
    /// What the API's token endpoint said last.
    pub tokens: Tokens,
}

/// A table whose fields, or which itself, an API is asked for.
#[derive(Debug, Clone)]
pub struct Discover {
    /// The table as the spec has it: its name may be a text with holes.
    pub table: TableDef,
    pub name: Template,
    pub description: Option<Template>,
    pub objects: Option<ObjectsDef>,
    pub fields: Option<FieldsDef>,
    /// The tables that are filled from lists in the records of each object's table.
    pub children: Vec<ChildTemplate>,
    /// How old what was discovered may become.
    pub every: Option<Duration>,
}

/// A table that is filled from lists in the records of a discovered one.
#[derive(Debug, Clone)]
pub struct ChildTemplate {
    /// As the spec has it: its name may be a text with holes.
    pub table: TableDef,
    pub name: Template,
    pub description: Option<Template>,
}

/// How an API is asked for its objects, each of which is a table.
#[derive(Debug, Clone)]
pub struct ObjectsDef {
    /// A table of the objects, with a column of JSON for each value that a hole takes.
    pub request: TableDef,
    /// Where those values are in an object, with dots between the keys.
    pub values: Vec<String>,
}

/// How an API is asked for the fields of a table.
#[derive(Debug, Clone)]
pub struct FieldsDef {
    pub source: FieldsSource,
    /// Where a field has its name; `None`: the key that it stands under, or the field is the name itself.
    pub name: Option<Vec<String>>,
    pub description: Option<Vec<String>>,
    /// Where a field has its type.
    pub type_path: Option<Vec<String>>,
    /// What the API's types are here.
    pub types: Vec<(String, DeclaredType)>,
    /// The keys in a record that lead to the object with the values of the fields.
    pub record_path: Vec<String>,
    /// How many fields one request of the table asks for, besides those of its key; `None`: all.
    pub chunk: Option<NonZeroUsize>,
}

/// Where fields are told.
#[derive(Debug, Clone)]
pub enum FieldsSource {
    /// In answers of their own: a table of fields, with columns of JSON for what is taken of them.
    Request(Box<TableDef>),
    /// In each object, at this path.
    Within { path: Vec<String>, skip_when: Option<FieldCondition> },
}
