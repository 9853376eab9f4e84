//! What users add to a loaded table stays when new rows take the place of its own: constraints, defaults, indexes, comments.
//!
//! `ALTER TABLE` adds neither a CHECK nor, in DuckDB 1.5, a UNIQUE constraint: a table that has constraints is made anew with them, under its
//! own name, and filled from the rows that are to be its own. One that has none is the table of those rows, renamed. Tables of other databases:
//! [`crate::load::publish::refill`].

use crate::columns::{Column, TableSchema};
use crate::load::publish::comments::Comments;
use crate::load::publish::constraint::{
    constraints_of, explained, foreign_keys, indexes_of, refused, AddedTo, Constraint, ConstraintKind, Index,
};
use crate::load::publish::refill::{broken, foreign_keys_there, has_its_own, refill};
use crate::load::records::store::Store;
use crate::session::{quote_ident, CatalogKind, Session, TableName, Value};
use crate::spec::TableDef;
use crate::{Error, Result};

/// What a table has beside its columns and rows.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Columns and the expressions that are their defaults.
    defaults: Vec<(String, String)>,
    constraints: Vec<Constraint>,
    indexes: Vec<Index>,
    /// Whether DuckDB 1.5 is at work: when it replays a merge from the log of a process that was killed, indexes lose entries.
    is_forgetful: bool,
    comments: Comments,
    /// Whether the table stays and gets new rows, for what a new one would not have.
    has_its_own: bool,
}

/// A table with new rows, and its columns.
#[derive(Clone, Copy)]
pub struct NewTable<'a> {
    pub name: &'a TableName,
    pub schema: &'a TableSchema,
}

impl Kept {
    /// Reads what the store's table has, in the session's transaction.
    pub fn of(session: &mut dyn Session, store: &Store) -> Result<Kept> {
        let comments = Comments::of(session, store)?;
        match store.kind {
            CatalogKind::DuckDb => {
                let indexes = indexes_of(session, store)?;
                Ok(Kept {
                    defaults: defaults_of(session, store)?,
                    constraints: constraints_of(session, store)?,
                    is_forgetful: !indexes.is_empty() && is_forgetful(session)?,
                    indexes,
                    comments,
                    has_its_own: false,
                })
            }
            CatalogKind::DuckLake | CatalogKind::Postgres | CatalogKind::Other => {
                Ok(Kept { comments, has_its_own: has_its_own(session, store)?, ..Kept::default() })
            }
        }
    }

    /// Fails when a load could not replace rows of the store's table, or would take rows of another table with them: a foreign key points there.
    pub fn check(session: &mut dyn Session, store: &Store, merges: bool) -> Result<()> {
        if !store.exists(session, &store.target)? {
            return Ok(());
        }
        let tables = match store.kind {
            CatalogKind::DuckDb => foreign_keys(session, store, !merges)?,
            CatalogKind::Postgres => foreign_keys_there(session, store)?,
            CatalogKind::DuckLake | CatalogKind::Other => Vec::new(),
        };
        match tables.is_empty() {
            true => Ok(()),
            false => Err(Error::config(format!(
                "table '{}' has a foreign key, so Unify cannot replace the rows of '{}.{}'; make that table again without its \
                 FOREIGN KEY, and load again",
                tables.join("', '"),
                store.target.schema,
                store.target.table
            ))),
        }
    }

    /// Returns whether DuckDB may refuse to change the types of columns.
    pub fn fixes_types(&self) -> bool {
        !self.constraints.is_empty() || !self.indexes.is_empty()
    }

    /// Returns whether indexes lose entries when DuckDB replays a merge into the table.
    pub fn may_lose_entries(&self) -> bool {
        self.is_forgetful
    }

    /// Puts a new table in the place of the store's table, with what is kept, in the session's transaction.
    /// Fails with [`crate::ErrorKind::Refused`] when its rows do not fit.
    pub fn put_in_place(&self, session: &mut dyn Session, store: &Store, made: NewTable<'_>, table_def: &TableDef) -> Result<()> {
        let target = &store.target;
        let NewTable { name: made, schema } = made;
        if self.has_its_own {
            refill(session, store, made, schema)?;
            return session.execute(&self.comments.sql(store, table_def, schema));
        }
        self.check_columns(store, schema)?;
        session.execute(&format!("DROP TABLE IF EXISTS {target}"))?;
        if self.constraints.is_empty() {
            for (column, expression) in &self.defaults {
                session.execute(&format!("ALTER TABLE {made} ALTER COLUMN {} SET DEFAULT {expression}", quote_ident(column)))?;
            }
            session.execute(&format!("ALTER TABLE {made} RENAME TO {}", quote_ident(&target.table)))?;
        } else {
            session.execute(&self.create_sql(store, schema))?;
            let columns: Vec<String> = schema.columns.iter().map(|column| quote_ident(&column.name)).collect();
            let columns = columns.join(", ");
            let filled = session.execute(&format!("INSERT INTO {target} ({columns}) SELECT {columns} FROM {made}"));
            filled.map_err(|err| self.explained(store, err))?;
            session.execute(&format!("DROP TABLE {made}"))?;
        }
        for index in &self.indexes {
            session.execute(&index.sql(store)).map_err(|err| index.explained(store, &err))?;
        }
        session.execute(&self.comments.sql(store, table_def, schema))
    }

    /// Makes DuckDB read the table's indexes from its file, in the session's transaction. DuckDB 1.5 does so at the first INSERT: what the
    /// transaction deletes before counts as there when it inserts the same.
    pub fn read_indexes(&self, session: &mut dyn Session, store: &Store) -> Result<()> {
        match self.fixes_types() {
            true => session.execute(&format!("INSERT INTO {0} SELECT * FROM {0} LIMIT 0", store.target)),
            false => Ok(()),
        }
    }

    /// Returns DuckDB's error about rows that do not fit, with what they do not fit and what to do; any other error as it is.
    pub fn explained(&self, store: &Store, err: Error) -> Error {
        match store.kind {
            CatalogKind::DuckDb => {
                explained(store, AddedTo { constraints: &self.constraints, indexes: &self.indexes, is_forgetful: self.is_forgetful }, err)
            }
            CatalogKind::DuckLake | CatalogKind::Postgres | CatalogKind::Other => broken(store, err),
        }
    }

    /// Fails when a column that a constraint or a default is about is not among the new ones.
    fn check_columns(&self, store: &Store, schema: &TableSchema) -> Result<()> {
        let constrained =
            self.constraints.iter().flat_map(|constraint| constraint.columns.iter().map(|column| (column, constraint.shown())));
        let defaults = self.defaults.iter().map(|(column, expression)| (column, format!("DEFAULT {expression}")));
        for (column, what) in constrained.chain(defaults) {
            if !schema.columns.iter().any(|known| known.name.eq_ignore_ascii_case(column)) {
                let said = format!("they have no column '{column}'");
                return Err(refused(&what, &said, &format!("DROP TABLE {}", store.target)));
            }
        }
        Ok(())
    }

    /// Returns the statement that makes the store's table with its constraints and defaults.
    fn create_sql(&self, store: &Store, schema: &TableSchema) -> String {
        let (not_null, others): (Vec<&Constraint>, Vec<&Constraint>) =
            self.constraints.iter().partition(|constraint| constraint.kind == ConstraintKind::NotNull);
        let column = |column: &Column| {
            let is_it = |name: &String| name.eq_ignore_ascii_case(&column.name);
            let default = self.defaults.iter().find(|(name, _)| is_it(name)).map_or(String::new(), |(_, sql)| format!(" DEFAULT ({sql})"));
            let not_null = if not_null.iter().any(|constraint| constraint.columns.iter().any(is_it)) { " NOT NULL" } else { "" };
            format!("{} {}{default}{not_null}", quote_ident(&column.name), store.kind.sql_type(column.column_type))
        };
        let parts = schema.columns.iter().map(column).chain(others.iter().map(|constraint| constraint.text.clone()));
        format!("CREATE TABLE {} ({})", store.target, parts.collect::<Vec<_>>().join(", "))
    }
}

/// Returns whether this is a DuckDB whose indexes lose entries when it replays a merge.
fn is_forgetful(session: &mut dyn Session) -> Result<bool> {
    Ok(session.value("SELECT version()")?.as_text().is_some_and(|version| version.starts_with("v1.")))
}

/// Reads the defaults of the columns of the store's table. One table is described: DuckDB's list of all columns binds every view.
fn defaults_of(session: &mut dyn Session, store: &Store) -> Result<Vec<(String, String)>> {
    let rows = session.query(&format!("SELECT column_name, \"default\" FROM (DESCRIBE {}) WHERE \"default\" IS NOT NULL", store.target))?;
    let text = |row: &[Value], idx: usize| Some(row.get(idx)?.as_text()?.to_string());
    Ok(rows.iter().filter_map(|row| Some((text(row, 0)?, text(row, 1)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::ColumnType;
    use crate::spec::ScalarType;
    use expect_test::expect;

    #[test]
    fn a_table_is_made_with_what_it_had() {
        let constraint = |kind, text: &str, columns: &[&str]| Constraint {
            kind,
            text: text.into(),
            columns: columns.iter().map(|column| column.to_string()).collect(),
        };
        let kept = Kept {
            defaults: vec![("NOTE".into(), "'it''s'".into())],
            constraints: vec![
                constraint(ConstraintKind::PrimaryKey, "PRIMARY KEY(id)", &["id"]),
                constraint(ConstraintKind::NotNull, "NOT NULL", &["id"]),
                constraint(ConstraintKind::Check, "CHECK((id > 0))", &["id"]),
            ],
            ..Kept::default()
        };
        let store = Store::new("lake", "shop", "orders", CatalogKind::DuckDb);
        let columns = [("id", ScalarType::BigInt), ("note", ScalarType::Varchar)];
        let schema = TableSchema::of(&columns.map(|(name, scalar)| (name.to_string(), ColumnType::Scalar(scalar))));
        expect![[r#"CREATE TABLE "lake"."shop"."orders" ("id" BIGINT NOT NULL, "note" VARCHAR DEFAULT ('it''s'), PRIMARY KEY(id), CHECK((id > 0)))"#]]
            .assert_eq(&kept.create_sql(&store, &schema));
        let err = kept.check_columns(&store, &TableSchema::of(&[])).unwrap_err();
        assert!(err.message().contains("do not fit PRIMARY KEY(id), which was added to the table: they have no column 'id'"), "{err}");
    }
}
