//! The one definition of each table of schema `unify`.

use crate::session::quote_ident;
use crate::spec::ScalarType;

/// A table of schema `unify`.
#[derive(Debug)]
pub struct RecordTable {
    pub name: &'static str,
    /// In order. New ones go to the end.
    pub columns: &'static [RecordColumn],
}

/// A column of a [`RecordTable`].
#[derive(Debug)]
pub struct RecordColumn {
    pub name: &'static str,
    pub scalar: ScalarType,
    /// The version of the tables that it came with.
    pub since: i64,
}

const fn column(name: &'static str, scalar: ScalarType) -> RecordColumn {
    RecordColumn { name, scalar, since: 0 }
}

const fn text(name: &'static str) -> RecordColumn {
    column(name, ScalarType::Varchar)
}

/// The starts and ends of loads, and whatever else changed a table.
pub const LOADING_JOBS: RecordTable = RecordTable {
    name: "loading_jobs",
    columns: &[
        column("id", ScalarType::BigInt),
        column("parent_id", ScalarType::BigInt),
        column("timestamp", ScalarType::Timestamp),
        text("table_schema"),
        text("table_name"),
        text("adapter_name"),
        text("action"),
        column("numrows", ScalarType::BigInt),
        text("status"),
        text("error_message"),
    ],
};

/// The messages of loads.
pub const LOADING_LOG: RecordTable = RecordTable {
    name: "loading_log",
    columns: &[
        column("loading_job_id", ScalarType::BigInt),
        column("timestamp", ScalarType::Timestamp),
        text("table_schema"),
        text("table_name"),
        text("adapter_name"),
        text("message"),
        text("level"),
    ],
};

/// How the columns of loaded tables changed.
pub const SCHEMA_CHANGES: RecordTable = RecordTable {
    name: "schema_changes",
    columns: &[
        column("timestamp", ScalarType::Timestamp),
        column("loading_job_id", ScalarType::BigInt),
        text("table_schema"),
        text("table_name"),
        text("column_name"),
        text("change"),
        text("from_type"),
        text("to_type"),
    ],
};

/// What is Unify's in the database, and how far loads are. CSV, such as that of `EXPORT DATABASE`, makes empty texts null: who reads takes
/// one for the other.
pub const LOAD_STATE: RecordTable = RecordTable {
    name: "load_state",
    columns: &[
        text("table_schema"),
        // Empty in the row about the schema.
        text("table_name"),
        // Empty in the row about a table as a whole.
        text("parameter_set"),
        text("status"),
        // Of a table, what its load is of; of a parameter set, where to go on.
        text("place"),
        text("cursor"),
        column("updated", ScalarType::Timestamp),
        // The table's columns and their types when Unify made it ([`crate::load::records::fingerprint`]).
        text("shape"),
        // The table's columns with their sources, as a refresh and a resumed load need them.
        text("columns"),
        // When the load began whose rows the table has: a refresh asks for what changed since.
        column("started", ScalarType::Timestamp),
        // The names of the parameter sets the table was loaded for, where a refresh asks for what is new in those.
        text("sets"),
    ],
};

/// What APIs were found to have, a row for each object. The row of a connection without a template says that it was asked. The table is made
/// with the first discovery.
pub const DISCOVERED: RecordTable = RecordTable {
    name: "discovered",
    columns: &[
        text("table_schema"),
        // The name of the table in the spec, with its holes.
        text("template"),
        column("position", ScalarType::BigInt),
        text("table_name"),
        // What the spec takes of the object, as JSON.
        text("object"),
        // Names, types and descriptions, as JSON.
        text("fields"),
        // The requests that it was discovered by.
        text("spec"),
        column("discovered", ScalarType::Timestamp),
    ],
};

/// What the last publication of each table changed, a row for each.
pub const TABLE_CHANGES: RecordTable = RecordTable {
    name: "table_changes",
    columns: &[
        text("table_schema"),
        text("table_name"),
        column("loading_job_id", ScalarType::BigInt),
        column("published", ScalarType::Timestamp),
        column("added", ScalarType::BigInt),
        column("changed", ScalarType::BigInt),
        column("removed", ScalarType::BigInt),
        // Whether the rows are in `changed_rows`.
        column("keeps_rows", ScalarType::Boolean),
    ],
};

/// The rows that the last publication of each table changed, where they are kept. Keys and values are JSON objects.
pub const CHANGED_ROWS: RecordTable = RecordTable {
    name: "changed_rows",
    columns: &[text("table_schema"), text("table_name"), text("change"), text("key"), text("before"), text("after")],
};

/// The jobs that run in a database that several processes write to. The row with an empty owner holds the last record id given out.
pub const LIVE_JOBS: RecordTable = RecordTable {
    name: "live_jobs",
    columns: &[
        column("job_id", ScalarType::BigInt),
        text("table_schema"),
        text("table_name"),
        text("owner"),
        column("updated", ScalarType::Timestamp),
    ],
};

/// The versions that the tables had, a row for each. The highest is the one they have.
pub const META: RecordTable = RecordTable {
    name: "meta",
    columns: &[column("version", ScalarType::BigInt), text("extension_version"), column("since", ScalarType::Timestamp)],
};

impl RecordTable {
    /// Returns the table's name, quoted with its schema and database.
    pub fn sql_name(&self, unify_schema: &str) -> String {
        format!("{unify_schema}.{}", quote_ident(self.name))
    }

    /// Returns the columns' names and types for a CREATE TABLE.
    pub fn columns_sql(&self) -> String {
        self.columns.iter().map(RecordColumn::sql).collect::<Vec<_>>().join(", ")
    }

    /// Returns the statement that adds rows, given as lists of values in parentheses, or as a SELECT: their values are those of the columns
    /// named. Other columns are null.
    pub fn insert_sql(&self, unify_schema: &str, columns: &[&str], values: &str) -> String {
        format!("{};", self.open_insert_sql(unify_schema, columns, values))
    }

    /// Returns that statement without its end, so that it can go on with what it selects from.
    pub fn open_insert_sql(&self, unify_schema: &str, columns: &[&str], values: &str) -> String {
        debug_assert!(columns.iter().all(|name| self.columns.iter().any(|column| column.name == *name)), "{columns:?}");
        let names: Vec<String> = columns.iter().map(|name| quote_ident(name)).collect();
        format!("INSERT INTO {} ({}) {values}", self.sql_name(unify_schema), names.join(", "))
    }
}

impl RecordColumn {
    /// Returns the name and type.
    pub fn sql(&self) -> String {
        format!("{} {}", quote_ident(self.name), self.scalar.sql_name())
    }
}
