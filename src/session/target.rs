//! What the kinds of attached databases can do: Unify writes to each through SQL that it accepts.

use super::{quote_literal, Session, Value};
use crate::columns::ColumnType;
use crate::spec::ScalarType;
use crate::{DatabaseErrorType, Error, ErrorKind, Result};
use std::borrow::Cow;

/// The kind of an attached database, as far as it decides what SQL it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogKind {
    /// A DuckDB file or DuckDB in memory: open in one process at a time.
    DuckDb,
    /// A DuckLake, whatever its catalog is stored in.
    DuckLake,
    /// A PostgreSQL database.
    Postgres,
    /// Any other: taken to be able to do no more than PostgreSQL.
    Other,
}

/// An attached database, as it is when it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    pub kind: CatalogKind,
    pub is_read_only: bool,
    /// Its file; empty in memory, and of other kinds than DuckDB's own, whose address may hold a password.
    pub path: String,
}

impl Attached {
    /// Returns what the database of that name is. Fails when there is none.
    pub fn of(session: &mut dyn Session, catalog: &str) -> Result<Attached> {
        let sql = format!(
            "SELECT type, readonly, coalesce(path, '') FROM duckdb_databases() WHERE lower(database_name) = lower({})",
            quote_literal(catalog)
        );
        match session.query(&sql)?.first().map(Vec::as_slice) {
            Some([Value::Text(kind), Value::Boolean(is_read_only), Value::Text(path)]) => {
                let kind = CatalogKind::of_type(kind);
                let path = if kind == CatalogKind::DuckDb { path.clone() } else { String::new() };
                Ok(Attached { kind, is_read_only: *is_read_only, path })
            }
            _ => Err(Error::config(format!("database '{catalog}' is not attached; attach it again"))),
        }
    }
}

impl CatalogKind {
    /// Returns the kind for a `type` of `duckdb_databases()`.
    pub fn of_type(database_type: &str) -> CatalogKind {
        match database_type.to_ascii_lowercase().as_str() {
            "duckdb" => CatalogKind::DuckDb,
            "ducklake" => CatalogKind::DuckLake,
            "postgres" => CatalogKind::Postgres,
            _ => CatalogKind::Other,
        }
    }

    /// Returns the kind of an attached database. Fails when there is none of that name.
    pub fn of(session: &mut dyn Session, catalog: &str) -> Result<CatalogKind> {
        Attached::of(session, catalog).map(|attached| attached.kind)
    }

    /// Returns whether other processes may write at the same time.
    pub fn is_shared(self) -> bool {
        self != CatalogKind::DuckDb
    }

    /// Returns whether a column's type can be changed where it is, to any type and by any expression.
    pub fn changes_types(self) -> bool {
        self == CatalogKind::DuckDb
    }

    /// Returns whether it keeps the nanoseconds of a TIMESTAMP_NS.
    pub fn has_nanoseconds(self) -> bool {
        self == CatalogKind::DuckDb
    }

    /// Returns whether it keeps views whose queries are DuckDB's.
    pub fn has_views(self) -> bool {
        matches!(self, CatalogKind::DuckDb | CatalogKind::DuckLake)
    }

    /// Returns whether a transaction that began before a table was loaded sees either all of it or not the table. PostgreSQL shows it
    /// the table without its rows.
    pub fn hides_newer_tables(self) -> bool {
        matches!(self, CatalogKind::DuckDb | CatalogKind::DuckLake)
    }

    /// Returns whether tables and columns can have comments.
    pub fn has_comments(self) -> bool {
        matches!(self, CatalogKind::DuckDb | CatalogKind::DuckLake)
    }

    /// Returns the statement a session runs before it looks at tables that another process may have made or changed, if the
    /// database's extension remembers them.
    pub fn fresh_look_sql(self) -> Option<&'static str> {
        (self == CatalogKind::Postgres).then_some("CALL pg_clear_cache()")
    }

    /// Returns the type a column of `column_type` has in this database, as DuckDB writes it.
    ///
    /// PostgreSQL and Parquet have no HUGEINT and would round it to a DOUBLE; 38 digits are what both keep.
    pub fn sql_type(self, column_type: ColumnType) -> Cow<'static, str> {
        Cow::Borrowed(match (self, column_type) {
            (CatalogKind::DuckDb, column_type) => return column_type.sql_name(),
            (_, ColumnType::Native(native)) => return Cow::Owned(native.elsewhere()),
            (_, ColumnType::Scalar(ScalarType::HugeInt)) => "DECIMAL(38,0)",
            (_, ColumnType::List(Some(ScalarType::HugeInt))) => "DECIMAL(38,0)[]",
            (_, ColumnType::Scalar(ScalarType::TimestampNs)) => "VARCHAR",
            (_, ColumnType::List(Some(ScalarType::TimestampNs))) => "VARCHAR[]",
            // What is written as JSON comes back as VARCHAR.
            (CatalogKind::Postgres | CatalogKind::Other, ColumnType::Json) => "VARCHAR",
            (_, column_type) => return column_type.sql_name(),
        })
    }

    /// Returns whether the rows of a table have ids in the order of writing. PostgreSQL's are null here.
    pub fn has_row_ids(self) -> bool {
        matches!(self, CatalogKind::DuckDb | CatalogKind::DuckLake)
    }

    /// Returns whether a failed statement says that rows break a constraint of the table, or that something depends on a column.
    pub fn is_refusal(self, err: &Error) -> bool {
        // What another kind of database says comes as text alone, inside an error of another type.
        const SIGNS: &[&str] = &["Constraint Error", "violates ", "cannot alter type of a column"];
        let is_said = || self != CatalogKind::DuckDb && SIGNS.iter().any(|sign| err.message().contains(sign));
        err.database_type() == Some(DatabaseErrorType::Constraint) || is_said()
    }

    /// Returns whether a failed statement says that another transaction was in the way, so that the same again may succeed. DuckDB's type
    /// of such an error is that of any failed COMMIT, and what another kind of database says comes as text alone.
    pub fn is_conflict(err: &Error) -> bool {
        const SIGNS: &[&str] = &[
            // DuckDB.
            "write-write conflict",
            "Conflict on ",
            "Cannot update a table that has been altered",
            // DuckLake.
            "Transaction conflict",
            "Exceeded the maximum retry count",
            // PostgreSQL.
            "could not serialize access",
            "deadlock detected",
            "ERROR:  tuple concurrently",
            "duplicate key value violates unique constraint \"pg_",
        ];
        if err.kind() != ErrorKind::Database {
            return false;
        }
        let message = err.message();
        // PostgreSQL's way to say that another transaction made it meanwhile: what is there is looked for before it is made.
        let made_by_another = message.contains("ERROR:  ") && message.contains(" already exists");
        made_by_another || SIGNS.iter().any(|sign| message.contains(sign))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_kind_is_trusted_with_little() {
        let kind = CatalogKind::of_type("sqlite");
        assert_eq!(kind, CatalogKind::Other);
        assert!(kind.is_shared() && !kind.changes_types() && !kind.has_views());
        assert_eq!(CatalogKind::of_type("DuckDB"), CatalogKind::DuckDb);
    }

    #[test]
    fn only_duckdb_keeps_a_hugeint() {
        let hugeint = ColumnType::Scalar(ScalarType::HugeInt);
        assert_eq!(CatalogKind::DuckDb.sql_type(hugeint), "HUGEINT");
        assert_eq!(CatalogKind::DuckLake.sql_type(hugeint), "DECIMAL(38,0)");
        assert_eq!(CatalogKind::Postgres.sql_type(ColumnType::List(Some(ScalarType::HugeInt))), "DECIMAL(38,0)[]");
        assert_eq!(CatalogKind::Postgres.sql_type(ColumnType::Json), "VARCHAR");
        assert_eq!(CatalogKind::DuckLake.sql_type(ColumnType::Json), "JSON");
    }

    #[test]
    fn conflicts_are_told_from_other_failures() {
        let lake = "TransactionContext Error: Failed to commit: Failed to commit DuckLake transaction. Transaction conflict - attempting \
                    to insert into table with index \"19\" - but another transaction has deleted inlined data from it";
        let is_conflict = |message: &str| CatalogKind::is_conflict(&Error::database(message));
        assert!(is_conflict(lake));
        assert!(is_conflict("TransactionContext Error: Catalog write-write conflict on create with \"u\""));
        assert!(is_conflict("ERROR:  could not serialize access due to concurrent update"));
        assert!(is_conflict("Failed to execute query \"CREATE TABLE ...\": ERROR:  relation \"live_jobs\" already exists"));
        assert!(!is_conflict("Catalog Error: Table with name \"a\" already exists!"));
        assert!(!is_conflict("IO Error: No space left on device"));
        assert!(!CatalogKind::is_conflict(&Error::data(lake)));
    }
}
