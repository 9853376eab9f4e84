//! How a loaded table's columns change: the statements that change them, and the records in `unify.schema_changes`.

use crate::columns::{Column, ColumnType, SchemaChange, TableSchema};
use crate::load::records::audit::AuditSubject;
use crate::load::records::SCHEMA_CHANGES;
use crate::load::staging::converted_sql::Conversion;
use crate::session::{quote_ident, quote_literal, CatalogKind, LogLevel, Session, TableName, Value};
use crate::Result;

/// What a record of a change says.
const CHANGE_COLUMNS: &[&str] =
    &["timestamp", "loading_job_id", "table_schema", "table_name", "column_name", "change", "from_type", "to_type"];

/// Columns whose values one query counts: a query of thousands takes DuckDB long to plan.
const COLUMNS_A_QUERY: usize = 200;

/// A change of one column of a loaded table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChange {
    pub column: String,
    pub kind: ChangeKind,
    pub from: Option<ColumnType>,
    pub to: Option<ColumnType>,
}

/// What happened to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The source has a new field.
    Added,
    /// Until then it was null in every row, so that its type was open.
    Typed,
    /// Its values did not fit its type.
    Widened,
    /// It has values in no row, and had some before; it stays, null.
    Vanished,
}

impl ChangeKind {
    /// Returns the word in `schema_changes`.
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::Added => "added",
            ChangeKind::Typed => "typed",
            ChangeKind::Widened => "widened",
            ChangeKind::Vanished => "vanished",
        }
    }
}

/// Returns what `later` adds to a table's columns and widens.
pub fn changes_between(known: &TableSchema, later: &TableSchema) -> Vec<ColumnChange> {
    let changed = |change: &SchemaChange| {
        let (idx, kind, from) = match *change {
            SchemaChange::Added { idx } => (idx, ChangeKind::Added, None),
            SchemaChange::Widened { idx, from: ColumnType::Undecided, .. } => (idx, ChangeKind::Typed, Some(ColumnType::Undecided)),
            SchemaChange::Widened { idx, from, .. } => (idx, ChangeKind::Widened, Some(from)),
        };
        let column = &later.columns[idx];
        ColumnChange { column: column.name.clone(), kind, from, to: Some(column.column_type) }
    };
    known.changes_to(later).iter().map(changed).collect()
}

/// Returns what to say about columns whose declared type cut digits.
pub fn cut_notes(schema: &TableSchema) -> Vec<(LogLevel, String)> {
    let note = |column: &Column| {
        let (name, sql_type) = (&column.name, column.column_type.sql_name());
        (LogLevel::Warning, format!("column '{name}': digits were cut to fit {sql_type}, the type the spec declares; declare a wider type"))
    };
    schema.columns.iter().filter(|column| column.declared && column.form.is_cut()).map(note).collect()
}

/// Returns the columns of `known` that have values in `before` and none in `after`, though `after` has rows.
///
/// Reads every column of `after`, and those of `before` that this finds empty.
pub fn vanished_columns(
    session: &mut dyn Session,
    known: &TableSchema,
    before: &TableName,
    after: &TableName,
) -> Result<Vec<ColumnChange>> {
    let columns: Vec<&Column> = known.columns.iter().collect();
    let is_empty = session.query(&format!("SELECT 1 FROM {after} LIMIT 1"))?.is_empty();
    if is_empty {
        return Ok(Vec::new());
    }
    let candidates = with_values(session, after, columns, false)?;
    let vanished = with_values(session, before, candidates, true)?;
    let change = |column: &Column| ColumnChange {
        column: column.name.clone(),
        kind: ChangeKind::Vanished,
        from: Some(column.column_type),
        to: Some(column.column_type),
    };
    Ok(vanished.into_iter().map(change).collect())
}

/// Returns those of the columns that have (or have not) a value in any row.
fn with_values<'c>(session: &mut dyn Session, table: &TableName, columns: Vec<&'c Column>, wanted: bool) -> Result<Vec<&'c Column>> {
    let mut found = Vec::new();
    for columns in columns.chunks(COLUMNS_A_QUERY) {
        let counts: Vec<String> = columns.iter().map(|column| format!("count({})", quote_ident(&column.name))).collect();
        let rows = session.query(&format!("SELECT {} FROM {table}", counts.join(", ")))?;
        let counts = rows.into_iter().next().unwrap_or_default();
        let has_values = |value: &Value| value.as_integer().is_some_and(|count| count > 0);
        found.extend(columns.iter().zip(&counts).filter(|(_, count)| has_values(count) == wanted).map(|(column, _)| *column));
    }
    Ok(found)
}

/// Returns the statement that creates a table of these columns.
pub fn create_sql(kind: CatalogKind, table: &TableName, schema: &TableSchema) -> String {
    let column = |column: &Column| format!("{} {}", quote_ident(&column.name), kind.sql_type(column.column_type));
    format!("CREATE TABLE {table} ({})", schema.columns.iter().map(column).collect::<Vec<_>>().join(", "))
}

/// Returns whether an ALTER can make a change, also when DuckDB replays it from the WAL of a killed process: it does so before it knows any
/// function, or a cast to JSON, and could not open the file.
pub fn is_alterable(kind: CatalogKind, schema: &TableSchema, change: &SchemaChange) -> bool {
    match change {
        SchemaChange::Added { .. } => true,
        SchemaChange::Widened { .. } if !kind.changes_types() => false,
        SchemaChange::Widened { idx, from, to, form } => {
            let name = quote_ident(&schema.columns[*idx].name);
            let using = Conversion { from: *from, to: *to, form: *form }.sql(kind, &name);
            let is_json = *to == ColumnType::Json;
            kind != CatalogKind::DuckDb || !is_json && [format!("CAST({name} AS {})", kind.sql_type(*to)), name].contains(&using)
        }
    }
}

/// Returns the statement that makes one change to a table, and what the log says about it.
pub fn alter_sql(kind: CatalogKind, table: &TableName, schema: &TableSchema, change: &SchemaChange) -> (String, String) {
    match change {
        SchemaChange::Added { idx } => {
            let column = &schema.columns[*idx];
            let sql_type = kind.sql_type(column.column_type);
            let sql = format!("ALTER TABLE {table} ADD COLUMN {} {sql_type};", quote_ident(&column.name));
            (sql, format!("new column '{}' {sql_type}", column.name))
        }
        SchemaChange::Widened { idx, from, to, form } => {
            let name = quote_ident(&schema.columns[*idx].name);
            let using = Conversion { from: *from, to: *to, form: *form }.sql(kind, &name);
            let sql = format!("ALTER TABLE {table} ALTER COLUMN {name} SET DATA TYPE {} USING {using};", kind.sql_type(*to));
            let message = match from {
                ColumnType::Undecided => format!("column '{}' is {}", schema.columns[*idx].name, kind.sql_type(*to)),
                from => format!("column '{}' widened from {} to {}", schema.columns[*idx].name, kind.sql_type(*from), kind.sql_type(*to)),
            };
            (sql, message)
        }
    }
}

impl AuditSubject {
    /// Returns the statements that add the changes to `schema_changes`; empty when there are none.
    pub fn changes_sql(&self, job_id: i64, changes: &[ColumnChange]) -> String {
        let type_sql = |column_type: Option<ColumnType>| match column_type {
            None | Some(ColumnType::Undecided) => "NULL".to_string(),
            Some(known) => quote_literal(&known.sql_name()),
        };
        let rows: Vec<String> = changes
            .iter()
            .map(|change| {
                format!(
                    "(make_timestamp({}), {job_id}, {}, {}, {}, {}, {}, {})",
                    crate::load::clock::now_micros(),
                    quote_literal(&self.schema),
                    quote_literal(&self.table),
                    quote_literal(&change.column),
                    quote_literal(change.kind.name()),
                    type_sql(change.from),
                    type_sql(change.to),
                )
            })
            .collect();
        let insert =
            |rows: &[String]| SCHEMA_CHANGES.insert_sql(&self.unify_schema, CHANGE_COLUMNS, &format!("VALUES {}", rows.join(", ")));
        rows.chunks(500).map(insert).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ScalarType;

    fn schema(columns: &[(&str, ColumnType)]) -> TableSchema {
        TableSchema::of(&columns.iter().map(|(name, column_type)| (name.to_string(), *column_type)).collect::<Vec<_>>())
    }

    fn scalar(scalar: ScalarType) -> ColumnType {
        ColumnType::Scalar(scalar)
    }

    #[test]
    fn additions_and_wider_types_are_changes() {
        let known = schema(&[("id", scalar(ScalarType::BigInt)), ("note", ColumnType::Undecided), ("same", ColumnType::Json)]);
        let later = schema(&[
            ("id", scalar(ScalarType::Varchar)),
            ("note", scalar(ScalarType::Double)),
            ("same", ColumnType::Json),
            ("new", scalar(ScalarType::Date)),
        ]);
        let changes = changes_between(&known, &later);
        let shown: Vec<(&str, &str)> = changes.iter().map(|change| (change.column.as_str(), change.kind.name())).collect();
        assert_eq!(shown, [("id", "widened"), ("note", "typed"), ("new", "added")]);
        let subject = AuditSubject { unify_schema: "\"unify\"".into(), schema: "it's".into(), table: "t".into(), adapter: "a".into() };
        let sql = subject.changes_sql(7, &changes);
        for row in
            ["7, 'it''s', 't', 'id', 'widened', 'BIGINT', 'VARCHAR')", "'note', 'typed', NULL, 'DOUBLE')", "'new', 'added', NULL, 'DATE')"]
        {
            assert!(sql.contains(row), "{sql}");
        }
        assert_eq!(subject.changes_sql(7, &[]), "");
    }

    #[test]
    fn a_table_is_altered_in_place() {
        let table = TableName { catalog: None, schema: "s".into(), table: "t".into() };
        let later = schema(&[("a\"b", ColumnType::Json)]);
        let form = crate::columns::Form::default();
        let widened = SchemaChange::Widened { idx: 0, from: scalar(ScalarType::BigInt), to: ColumnType::Json, form };
        let (sql, message) = alter_sql(CatalogKind::DuckDb, &table, &later, &widened);
        assert_eq!(sql, "ALTER TABLE \"s\".\"t\" ALTER COLUMN \"a\"\"b\" SET DATA TYPE JSON USING CASE WHEN \"a\"\"b\" IS NOT NULL THEN CAST(CAST(\"a\"\"b\" AS VARCHAR) AS JSON) END;");
        assert_eq!(message, "column 'a\"b' widened from BIGINT to JSON");
        assert_eq!(
            alter_sql(CatalogKind::DuckDb, &table, &later, &SchemaChange::Added { idx: 0 }).0,
            "ALTER TABLE \"s\".\"t\" ADD COLUMN \"a\"\"b\" JSON;"
        );
    }
}
