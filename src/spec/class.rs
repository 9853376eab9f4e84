//! What kind of system an adapter is of: an API over HTTP, unless its `class` says otherwise.

/// The kind of system that an adapter reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Class {
    /// An API over HTTP, as the spec describes it.
    #[default]
    Rest,
    /// Files that DuckDB reads.
    Files,
    /// A PostgreSQL database.
    Postgres,
}

impl Class {
    /// All of them.
    pub const ALL: &'static [Class] = &[Class::Rest, Class::Files, Class::Postgres];

    /// Returns the class that a spec names so, whatever its case.
    pub fn named(name: &str) -> Option<Class> {
        let name = name.to_ascii_lowercase();
        let is_it = |class: &&Class| class.key() == name || class.name().eq_ignore_ascii_case(&name);
        Class::ALL.iter().find(is_it).copied()
    }

    /// Returns the name that specs write.
    pub fn key(self) -> &'static str {
        match self {
            Class::Rest => "rest",
            Class::Files => "files",
            Class::Postgres => "postgres",
        }
    }

    /// Returns the name that users see.
    pub fn name(self) -> &'static str {
        match self {
            Class::Rest => "RestAdapter",
            Class::Files => "FilesAdapter",
            Class::Postgres => "PostgresAdapter",
        }
    }

    /// Returns whether requests over HTTP are what it reads with.
    pub fn has_requests(self) -> bool {
        self == Class::Rest
    }

    /// Returns whether it is known anew each time which tables there are, since that costs nearly nothing.
    pub fn looks_each_time(self) -> bool {
        self == Class::Files
    }

    /// Returns what a spec of the class has besides what it says itself: the table that stands for all that are discovered. Its base URL and
    /// params say what rows depend on; nothing is sent there.
    pub(super) fn spec_text(self) -> Option<&'static str> {
        match self {
            Class::Rest => None,
            Class::Files => Some(FILES),
            Class::Postgres => Some(POSTGRES),
        }
    }

    /// Returns the keys of a spec that the class decides itself.
    pub(super) const DECIDED: &'static [&'static str] =
        &["base_url", "allowed_hosts", "result_hosts", "auth", "headers", "paging", "errors", "setup", "test", "etag", "tables"];
}

const FILES: &str = "
base_url: http://files/{path}
tables:
  - name: '${object.name}'
    description: '${object.description}'
    resource_path: /
    discover:
      objects: {resource_path: /, params: {table: '${table}', format: '${format}'}}
    params: {pattern: '${object.pattern}', format: '${format}', delimiter: '${delimiter}', header: '${header}'}
    etag: true
";

const POSTGRES: &str = "
base_url: http://postgres/{host}/{port}/{database}
tables:
  - name: '${object.name}'
    description: '${object.description}'
    resource_path: /
    discover:
      objects: {resource_path: /, params: {user: '${user}', schema: '${schema}', tables: '${tables}', cursor_columns: '${cursor_columns}'}}
    params: {schema: '${object.schema}', table: '${object.table}'}
";
