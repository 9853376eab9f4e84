//! Constraints and indexes that users add to a loaded table, as DuckDB lists them, and what is said of rows that break them.

use crate::load::records::store::Store;
use crate::session::{quote_ident, quote_literal, Session, Value};
use crate::{DatabaseErrorType, Error, ErrorKind, Result};

/// A constraint of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    pub kind: ConstraintKind,
    /// As `CREATE TABLE` takes it; of a NOT NULL without its column.
    pub text: String,
    pub columns: Vec<String>,
}

/// What a constraint asks of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    NotNull,
    PrimaryKey,
    Unique,
    Check,
    ForeignKey,
}

/// An index of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    pub is_unique: bool,
    /// What follows the table's name: the method, and what is indexed.
    pub definition: String,
    pub comment: Option<String>,
}

impl ConstraintKind {
    fn of_type(constraint_type: &str) -> Option<ConstraintKind> {
        match constraint_type {
            "NOT NULL" => Some(ConstraintKind::NotNull),
            "PRIMARY KEY" => Some(ConstraintKind::PrimaryKey),
            "UNIQUE" => Some(ConstraintKind::Unique),
            "CHECK" => Some(ConstraintKind::Check),
            "FOREIGN KEY" => Some(ConstraintKind::ForeignKey),
            _ => None,
        }
    }

    /// Returns the kinds that DuckDB's error about rows may be of.
    fn of_message(said: &str) -> &'static [ConstraintKind] {
        use ConstraintKind::{Check, ForeignKey, NotNull, PrimaryKey, Unique};
        let signs: [(&str, &[ConstraintKind]); 6] = [
            ("NOT NULL constraint failed", &[NotNull]),
            ("CHECK constraint failed", &[Check]),
            ("violates primary key constraint", &[PrimaryKey]),
            ("violates unique constraint", &[Unique]),
            ("PRIMARY KEY or UNIQUE constraint violation", &[PrimaryKey, Unique]),
            ("foreign key constraint", &[ForeignKey]),
        ];
        signs.iter().find(|(sign, _)| said.contains(sign)).map_or(&[], |(_, kinds)| kinds)
    }
}

impl Constraint {
    /// Returns it as a message names it.
    pub fn shown(&self) -> String {
        match self.kind {
            ConstraintKind::NotNull => format!("NOT NULL of column '{}'", self.columns.join("', '")),
            _ => self.text.clone(),
        }
    }

    /// Returns whether DuckDB's error may be about it.
    fn is_meant(&self, said: &str) -> bool {
        let kinds = ConstraintKind::of_message(said);
        kinds.contains(&self.kind)
            && match self.kind {
                ConstraintKind::NotNull => self.columns.iter().any(|column| said.ends_with(&format!(".{column}"))),
                // Rows that are in each other's way are told of without the names of columns.
                ConstraintKind::PrimaryKey | ConstraintKind::Unique => {
                    kinds.len() > 1 || self.columns.iter().all(|column| said.contains(&format!("{column}: ")))
                }
                ConstraintKind::Check => said.contains(&self.text),
                ConstraintKind::ForeignKey => true,
            }
    }
}

impl Index {
    /// Returns the statement that makes it on the store's table.
    pub fn sql(&self, store: &Store) -> String {
        let unique = if self.is_unique { "UNIQUE " } else { "" };
        let name = quote_ident(&self.name);
        let mut sql = format!("CREATE {unique}INDEX {name} ON {} {};", store.target, self.definition);
        if let Some(comment) = &self.comment {
            sql.push_str(&format!("COMMENT ON INDEX {}.{name} IS {};", store.schema_sql(), quote_literal(comment)));
        }
        sql
    }

    fn shown(&self) -> String {
        format!("UNIQUE INDEX '{}' {}", self.name, self.definition)
    }

    fn drop_sql(&self, store: &Store) -> String {
        format!("DROP INDEX {}.{}", store.schema_sql(), quote_ident(&self.name))
    }

    /// Returns DuckDB's error about making it, with what to do.
    pub fn explained(&self, store: &Store, err: &Error) -> Error {
        match err.database_words().filter(|_| err.database_type() == Some(DatabaseErrorType::Constraint)) {
            Some(said) => refused(&self.shown(), said, &self.drop_sql(store)),
            None => refused(&format!("index '{}' {}", self.name, self.definition), err.message(), &self.drop_sql(store)),
        }
    }
}

/// How DuckDB's words for a broken key begin, in a COMMIT too.
const BROKEN_KEY: &str = "PRIMARY KEY or UNIQUE constraint violation";

/// How DuckDB's words begin for an index that lacks entries of rows which a statement deletes.
const LACKING: &str = "Failed to delete all rows from index";
/// Why an index may lack entries.
const FORGOTTEN: &str = "DuckDB 1.5 loses entries of an index when a process is killed";

/// What was added to a table that rows may break.
#[derive(Clone, Copy)]
pub struct AddedTo<'a> {
    pub constraints: &'a [Constraint],
    pub indexes: &'a [Index],
    /// Whether indexes may lack entries.
    pub is_forgetful: bool,
}

/// Returns DuckDB's error about an index that lacks entries, with what to do; `None` for another error. It ends the database's work.
pub fn explained_lacking(store: &Store, err: &Error) -> Option<Error> {
    err.message().contains(LACKING).then(|| {
        let message = format!(
            "an index of {} lacks entries: {FORGOTTEN}; open the database again, drop the table's indexes (FROM duckdb_indexes() lists them), make \
             them again, and load again",
            store.target
        );
        Error::new(err.kind(), message)
    })
}

/// Returns DuckDB's error about rows that break one of these, with which it is and what to do; any other error as it is.
pub fn explained(store: &Store, added: AddedTo<'_>, err: Error) -> Error {
    let AddedTo { constraints, indexes, is_forgetful } = added;
    // What breaks an index that is as new as its rows shows at the end of the transaction.
    let at_end = |words: &str| words.strip_prefix("Failed to commit: ").filter(|said| said.starts_with(BROKEN_KEY)).map(str::to_string);
    let said = match (err.database_type(), err.database_words()) {
        (Some(DatabaseErrorType::Constraint), Some(words)) => Some(words.to_string()),
        (Some(DatabaseErrorType::Transaction), Some(words)) => at_end(words),
        _ => None,
    };
    let Some(said) = said else { return err };
    let said = said.trim_end().trim_end_matches('.');
    let of_kind: Vec<&Constraint> = constraints.iter().filter(|constraint| constraint.is_meant(said)).collect();
    let is_unique = ConstraintKind::of_message(said).contains(&ConstraintKind::Unique);
    let unique: Vec<&Index> = indexes.iter().filter(|index| is_unique && index.is_unique).collect();
    let remedy = match (of_kind.first(), unique.first()) {
        (Some(Constraint { kind: ConstraintKind::NotNull, columns, .. }), _) => {
            format!(
                "ALTER TABLE {} ALTER {} DROP NOT NULL",
                store.target,
                columns.iter().map(|column| quote_ident(column)).collect::<String>()
            )
        }
        (None, Some(index)) if is_forgetful => {
            format!("{}, and make the index again where the rows are right ({FORGOTTEN})", index.drop_sql(store))
        }
        (None, Some(index)) => index.drop_sql(store),
        _ => format!("DROP TABLE {}", store.target),
    };
    let broken: Vec<String> = of_kind.iter().map(|constraint| constraint.shown()).chain(unique.iter().map(|index| index.shown())).collect();
    refused(&if broken.is_empty() { "a constraint".to_string() } else { broken.join(", ") }, said, &remedy)
}

/// Returns the error about rows that do not fit what was added to the table.
pub fn refused(what: &str, said: &str, remedy: &str) -> Error {
    Error::new(
        ErrorKind::Refused,
        format!(
            "the new rows do not fit {what}, which was added to the table: {said}; the table stays as it was; correct the rows at the source, or remove what was added with {remedy}; then load again"
        ),
    )
}

/// Reads the constraints of the store's table.
pub fn constraints_of(session: &mut dyn Session, store: &Store) -> Result<Vec<Constraint>> {
    let is_it = store.is_table_sql(&store.target.table);
    let listed = format!("FROM duckdb_constraints() WHERE {is_it}");
    let rows = session.query(&format!("SELECT constraint_type, constraint_text, constraint_index {listed} ORDER BY constraint_index"))?;
    let columns = session.query(&format!(
        "SELECT constraint_index, column_name FROM (SELECT constraint_index, unnest(constraint_column_names) AS column_name {listed})"
    ))?;
    let mut constraints = Vec::new();
    for row in &rows {
        let [constraint_type, text, index] = row.as_slice() else { continue };
        let Some(kind) = constraint_type.as_text().and_then(ConstraintKind::of_type) else { continue };
        let its_own = columns.iter().filter(|column| column.first() == Some(index));
        let names = its_own.filter_map(|column| Some(column.get(1)?.as_text()?.to_string())).collect();
        constraints.push(Constraint { kind, text: text.as_text().unwrap_or_default().to_string(), columns: names });
    }
    Ok(constraints)
}

/// Reads the indexes of the store's table. All are the user's.
pub fn indexes_of(session: &mut dyn Session, store: &Store) -> Result<Vec<Index>> {
    let is_it = store.is_table_sql(&store.target.table);
    let rows =
        session.query(&format!("SELECT index_name, is_unique, sql, comment FROM duckdb_indexes() WHERE {is_it} ORDER BY index_oid"))?;
    let mut indexes = Vec::new();
    for row in &rows {
        let [name, is_unique, sql, comment] = row.as_slice() else { continue };
        let (Some(name), Some(definition)) = (name.as_text(), sql.as_text().and_then(definition_of)) else { continue };
        indexes.push(Index {
            name: name.to_string(),
            is_unique: *is_unique == Value::Boolean(true),
            definition: definition.to_string(),
            comment: comment.as_text().map(str::to_string),
        });
    }
    Ok(indexes)
}

/// Returns the tables with a foreign key to the store's table, and that table itself where it has one and `asks_its_own`.
pub fn foreign_keys(session: &mut dyn Session, store: &Store, asks_its_own: bool) -> Result<Vec<String>> {
    let target = &store.target;
    let rows = session.query(&format!(
        "SELECT schema_name, table_name, constraint_text FROM duckdb_constraints() \
         WHERE constraint_type = 'FOREIGN KEY' AND lower(database_name) = lower({}) ORDER BY ALL",
        quote_literal(target.catalog.as_deref().unwrap_or_default())
    ))?;
    let mut tables = Vec::new();
    for row in &rows {
        let [Value::Text(schema), Value::Text(table), text] = row.as_slice() else { continue };
        let is_own = schema.eq_ignore_ascii_case(&target.schema) && table.eq_ignore_ascii_case(&target.table);
        let text = text.as_text().unwrap_or_default();
        let referenced = text.rsplit_once(" REFERENCES ").map(|(_, name)| name_parts(name).0).unwrap_or_default();
        let points_here = match referenced.as_slice() {
            [.., to_schema, to_table] => to_schema.eq_ignore_ascii_case(&target.schema) && to_table.eq_ignore_ascii_case(&target.table),
            [to_table] => schema.eq_ignore_ascii_case(&target.schema) && to_table.eq_ignore_ascii_case(&target.table),
            [] => false,
        };
        if (points_here && !is_own) || (is_own && asks_its_own) {
            tables.push(format!("{schema}.{table}"));
        }
    }
    tables.dedup();
    Ok(tables)
}

/// Returns what follows the table's name in a `CREATE INDEX` statement, as DuckDB writes it.
fn definition_of(sql: &str) -> Option<&str> {
    let rest = sql.trim_end().trim_end_matches(';');
    let rest = rest.strip_prefix("CREATE UNIQUE INDEX ").or_else(|| rest.strip_prefix("CREATE INDEX "))?;
    let (_, rest) = name_parts(rest);
    let (_, rest) = name_parts(rest.trim_start().strip_prefix("ON ")?);
    Some(rest.trim())
}

/// Reads a name of parts with dots between, some of them quoted. Returns the parts and what follows.
fn name_parts(text: &str) -> (Vec<String>, &str) {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((idx, c)) = chars.next() {
        let last = parts.last_mut();
        match c {
            '"' if is_quoted && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                last.into_iter().for_each(|part| part.push('"'));
            }
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(String::new()),
            ' ' | '(' if !is_quoted => return (parts, &text[idx..]),
            c => last.into_iter().for_each(|part| part.push(c)),
        }
    }
    (parts, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::CatalogKind;
    use expect_test::{expect, Expect};
    use proptest::prelude::*;

    fn store() -> Store {
        Store::new("lake", "shop", "orders", CatalogKind::DuckDb)
    }

    fn constraint(kind: ConstraintKind, text: &str, columns: &[&str]) -> Constraint {
        Constraint { kind, text: text.into(), columns: columns.iter().map(|column| column.to_string()).collect() }
    }

    #[test]
    fn an_index_is_made_on_the_new_table() {
        let sql = r#"CREATE UNIQUE INDEX "i ON x" ON "s s"."t (" USING HNSW (id, ((v + 1)));"#;
        let index =
            Index { name: "i ON x".into(), is_unique: true, definition: definition_of(sql).unwrap().into(), comment: Some("it's".into()) };
        expect![[r#"CREATE UNIQUE INDEX "i ON x" ON "lake"."shop"."orders" USING HNSW (id, ((v + 1)));COMMENT ON INDEX "lake"."shop"."i ON x" IS 'it''s';"#]]
            .assert_eq(&index.sql(&store()));
        assert_eq!(definition_of("CREATE INDEX j ON s.t(\"w \"\"x\");"), Some("(\"w \"\"x\")"));
    }

    fn broken(said: &str) -> Error {
        let database_type = match said.split_once(' ').map_or(said, |(name, _)| name) {
            "Constraint" => DatabaseErrorType::Constraint,
            "TransactionContext" => DatabaseErrorType::Transaction,
            _ => DatabaseErrorType::Other,
        };
        Error::of_database(database_type, said)
    }

    fn check_error(said: &str, expected: Expect) {
        check_error_of(false, said, expected);
    }

    fn check_error_of(is_forgetful: bool, said: &str, expected: Expect) {
        let constraints = [
            constraint(ConstraintKind::PrimaryKey, "PRIMARY KEY(id)", &["id"]),
            constraint(ConstraintKind::Unique, "UNIQUE(a, b)", &["a", "b"]),
            constraint(ConstraintKind::Check, "CHECK((a > 0))", &["a"]),
            constraint(ConstraintKind::NotNull, "NOT NULL", &["a"]),
            constraint(ConstraintKind::NotNull, "NOT NULL", &["b"]),
        ];
        let index = |is_unique| Index { name: format!("i{is_unique}"), is_unique, definition: "(c)".into(), comment: None };
        let err =
            explained(&store(), AddedTo { constraints: &constraints, indexes: &[index(true), index(false)], is_forgetful }, broken(said));
        expected.assert_eq(&format!("{:?}: {err}", err.kind()));
    }

    #[test]
    fn a_refusal_names_what_refused() {
        check_error(
            "Constraint Error: NOT NULL constraint failed: orders.b",
            expect![[
                r#"Refused: the new rows do not fit NOT NULL of column 'b', which was added to the table: NOT NULL constraint failed: orders.b; the table stays as it was; correct the rows at the source, or remove what was added with ALTER TABLE "lake"."shop"."orders" ALTER "b" DROP NOT NULL; then load again"#
            ]],
        );
        check_error(
            "Constraint Error: Duplicate key \"id: 1\" violates primary key constraint.",
            expect![[
                r#"Refused: the new rows do not fit PRIMARY KEY(id), which was added to the table: Duplicate key "id: 1" violates primary key constraint; the table stays as it was; correct the rows at the source, or remove what was added with DROP TABLE "lake"."shop"."orders"; then load again"#
            ]],
        );
        check_error(
            "Constraint Error: Duplicate key \"c: 1\" violates unique constraint.",
            expect![[
                r#"Refused: the new rows do not fit UNIQUE INDEX 'itrue' (c), which was added to the table: Duplicate key "c: 1" violates unique constraint; the table stays as it was; correct the rows at the source, or remove what was added with DROP INDEX "lake"."shop"."itrue"; then load again"#
            ]],
        );
        check_error(
            "Constraint Error: CHECK constraint failed on table \"orders\" with expression CHECK((a > 0))",
            expect![[
                r#"Refused: the new rows do not fit CHECK((a > 0)), which was added to the table: CHECK constraint failed on table "orders" with expression CHECK((a > 0)); the table stays as it was; correct the rows at the source, or remove what was added with DROP TABLE "lake"."shop"."orders"; then load again"#
            ]],
        );
        check_error(
            "Constraint Error: PRIMARY KEY or UNIQUE constraint violation: duplicate key \"1\"",
            expect![[
                r#"Refused: the new rows do not fit PRIMARY KEY(id), UNIQUE(a, b), UNIQUE INDEX 'itrue' (c), which was added to the table: PRIMARY KEY or UNIQUE constraint violation: duplicate key "1"; the table stays as it was; correct the rows at the source, or remove what was added with DROP TABLE "lake"."shop"."orders"; then load again"#
            ]],
        );
        check_error(
            "TransactionContext Error: Failed to commit: PRIMARY KEY or UNIQUE constraint violation: duplicate key \"1\"",
            expect![[
                r#"Refused: the new rows do not fit PRIMARY KEY(id), UNIQUE(a, b), UNIQUE INDEX 'itrue' (c), which was added to the table: PRIMARY KEY or UNIQUE constraint violation: duplicate key "1"; the table stays as it was; correct the rows at the source, or remove what was added with DROP TABLE "lake"."shop"."orders"; then load again"#
            ]],
        );
        check_error("IO Error: no space left", expect!["Database: IO Error: no space left"]);
    }

    proptest! {
        #[test]
        fn names_are_read_back(schema in "[^\0]+", table in "[^\0]+", rest in "[ (].*") {
            let text = format!("{}.{}{rest}", quote_ident(&schema), quote_ident(&table));
            prop_assert_eq!(name_parts(&text), (vec![schema, table], rest.as_str()));
        }
    }

    #[test]
    fn an_index_that_may_lack_entries_is_named() {
        check_error_of(
            true,
            "Constraint Error: Duplicate key \"c: 1\" violates unique constraint.",
            expect![[
                r#"Refused: the new rows do not fit UNIQUE INDEX 'itrue' (c), which was added to the table: Duplicate key "c: 1" violates unique constraint; the table stays as it was; correct the rows at the source, or remove what was added with DROP INDEX "lake"."shop"."itrue", and make the index again where the rows are right (DuckDB 1.5 loses entries of an index when a process is killed); then load again"#
            ]],
        );
        let fatal = broken("FATAL Error: Invalid Input Error: Failed to delete all rows from index. Only deleted 2 out of 10 rows.");
        expect![[r#"an index of "lake"."shop"."orders" lacks entries: DuckDB 1.5 loses entries of an index when a process is killed; open the database again, drop the table's indexes (FROM duckdb_indexes() lists them), make them again, and load again"#]]
            .assert_eq(explained_lacking(&store(), &fatal).unwrap().message());
        assert!(explained_lacking(&store(), &broken("Constraint Error: no")).is_none());
    }
}
