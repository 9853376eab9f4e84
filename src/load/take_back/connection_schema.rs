//! The schema of a connection: made with it, and dropped with it and all that Unify made in it.

use crate::load::loader::Loader;
use crate::load::records::audit::{AuditSubject, JobRecord};
use crate::load::records::changed::forget_changes;
use crate::load::records::discovered::forget_discovery;
use crate::load::records::store::Store;
use crate::load::services::dropped::see_drop;
use crate::load::take_back::removal_ids::RemovalIds;
use crate::session::{quote_ident, quote_literal, Session, Value};
use crate::{Error, Result};

/// What staging tables' names end with.
const STAGING: &str = "__loading";

/// A connection, as far as its schema in one attached database is concerned.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionSchema<'a> {
    pub connection: &'a str,
    pub adapter: &'a str,
    pub catalog: &'a str,
}

impl ConnectionSchema<'_> {
    fn subject(&self, store: &Store) -> AuditSubject {
        AuditSubject {
            unify_schema: store.unify_schema.clone(),
            schema: self.connection.to_string(),
            table: store.target.table.clone(),
            adapter: self.adapter.to_string(),
        }
    }
}

/// What became of a connection's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOutcome {
    /// It is there and Unify's.
    Ready,
    /// The database cannot be written.
    ReadOnly,
}

/// Something that was dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedObject {
    /// `table`, `view`, `unfinished load` or `schema`.
    pub kind: &'static str,
    pub name: String,
}

/// What is in a connection's schema.
#[derive(Debug, Default)]
struct Content {
    is_there: bool,
    tables: Vec<String>,
    views: Vec<String>,
    staging: Vec<String>,
    /// What Unify did not make: kind and name.
    foreign: Vec<(String, String)>,
}

impl Loader {
    /// Makes the connection's schema. Fails when there is one that Unify did not make, or one with tables that another adapter loaded.
    pub fn create_schema(&self, schema: ConnectionSchema<'_>) -> Result<SchemaOutcome> {
        self.scheduler().while_none_runs(
            schema.catalog,
            |_, _| None,
            |session, turn| {
                let store = Store::open(session, schema.catalog, schema.connection, "")?;
                if store.is_read_only {
                    return match store.has_schema(session)? && !store.is_ours(session, "", None)? {
                        true => store.claim_schema(session).map(|_| SchemaOutcome::ReadOnly),
                        false => Ok(SchemaOutcome::ReadOnly),
                    };
                }
                // Before anything is written.
                store.check_version(session)?;
                if store.has_schema(session)? {
                    store.claim_schema(session)?;
                    check_adapter(&store, session, schema.adapter)?;
                }
                turn.services.transact(&store, |session| store.create_unify_schema(session))?;
                turn.services.transact(&store, |session| store.claim_schema(session))?;
                Ok(SchemaOutcome::Ready)
            },
        )
    }

    /// Drops the connection's schema with the tables and views that Unify made in it, in one transaction with their `drop` records. Fails
    /// while a job loads one of them, when the schema holds anything that Unify did not make, and, without `cascade`, when a table
    /// is loaded. A schema that Unify did not make is left alone.
    pub fn drop_schema(&self, schema: ConnectionSchema<'_>, cascade: bool) -> Result<Vec<DroppedObject>> {
        let name = schema.connection.to_lowercase();
        self.scheduler().while_none_runs(
            schema.catalog,
            |key, job| (key.connection == name).then(|| format!("'{}'", job.label())),
            |session, turn| {
                let store = Store::open(session, schema.catalog, schema.connection, "")?;
                store.check_version(session)?;
                for table in store.known_tables(session)? {
                    let store = store.sibling(&table);
                    see_drop(session, turn, &store, &schema.subject(&store))?;
                }
                let content = Content::of(&store, session)?;
                if !content.is_there {
                    if !store.is_read_only {
                        turn.services.transact(&store, |session| {
                            forget_changes(&store, session)?;
                            forget_discovery(&store, session)
                        })?;
                    }
                    return Ok(Vec::new());
                }
                content.check(schema.connection, cascade)?;
                if store.is_read_only {
                    return match content.is_empty() {
                        true => Ok(Vec::new()),
                        false => Err(Error::config(format!("database '{}' is read-only; its tables cannot be dropped", schema.catalog))),
                    };
                }
                let ids = RemovalIds::of(session, turn, &store, content.tables.len())?;
                turn.services.transact(&store, |session| {
                    if store.kind.is_shared() {
                        for staged in &content.staging {
                            let table = staged.strip_suffix(STAGING).unwrap_or(staged);
                            ids.take(session, &store.sibling(table), 0)?;
                        }
                    }
                    for (idx, table) in (0..).zip(&content.tables) {
                        let table_store = store.sibling(table);
                        let id = ids.take(session, &table_store, idx)?;
                        record_drop(&table_store, session, id, schema)?;
                    }
                    forget_changes(&store, session)?;
                    forget_discovery(&store, session)?;
                    session.execute(&content.drop_sql(&store))
                })?;
                Ok(content.dropped(schema.connection))
            },
        )
    }
}

/// Fails when tables of the schema are those of another adapter, which would pass for this one's.
fn check_adapter(store: &Store, session: &mut dyn Session, adapter: &str) -> Result<()> {
    let schema = quote_literal(&store.target.schema);
    let unify = &store.unify_schema;
    let rows = session.query(&format!(
        "SELECT table_name, max_by(adapter_name, id) FROM {unify}.loading_jobs
         WHERE lower(table_schema) = lower({schema}) AND status = 'success' AND action IN ('load_end', 'refresh_end')
           AND lower(table_name) IN (SELECT lower(table_name) FROM {unify}.load_state
                                     WHERE lower(table_schema) = lower({schema}) AND status = 'complete')
           AND lower(table_name) IN (SELECT lower(table_name) FROM duckdb_tables()
                                     WHERE lower(database_name) = lower({}) AND lower(schema_name) = lower({schema}))
         GROUP BY table_name ORDER BY table_name",
        quote_literal(store.target.catalog.as_deref().unwrap_or_default())
    ))?;
    for row in &rows {
        let [Value::Text(table), Value::Text(loaded_by)] = row.as_slice() else { continue };
        if !loaded_by.eq_ignore_ascii_case(adapter) {
            return Err(Error::config(format!(
                "table '{table}' of schema '{name}' was loaded by adapter '{loaded_by}'; drop the schema with DROP SCHEMA {} CASCADE, or choose another name",
                quote_ident(&store.target.schema),
                name = store.target.schema,
            )));
        }
    }
    Ok(())
}

fn record_drop(store: &Store, session: &mut dyn Session, id: i64, schema: ConnectionSchema<'_>) -> Result<()> {
    let n_rows = Some(session.count(&format!("SELECT count(*) FROM {}", store.target))?);
    session.execute(&schema.subject(store).record_sql(JobRecord { id, parent_id: None, action: "drop", n_rows, error: None }))
}

impl Content {
    /// Reads what is in the schema. One that Unify did not make counts as not there.
    fn of(store: &Store, session: &mut dyn Session) -> Result<Content> {
        let mut content = Content { is_there: store.has_schema(session)? && store.is_ours(session, "", None)?, ..Content::default() };
        if !content.is_there {
            return Ok(content);
        }
        let known = session.query(&format!(
            "SELECT lower(table_name) FROM {}.load_state WHERE lower(table_schema) = lower({}) AND table_name <> ''",
            store.unify_schema,
            quote_literal(&store.target.schema)
        ))?;
        let is_known = |name: &str| known.iter().any(|row| row.first().and_then(Value::as_text) == Some(&name.to_lowercase()));
        for row in session.query(&objects_sql(store))? {
            let [Value::Text(kind), Value::Text(name)] = row.as_slice() else { continue };
            match kind.as_str() {
                "table" if is_known(name) && name.ends_with(STAGING) => content.staging.push(name.clone()),
                "table" if is_known(name) && store.has_its_fingerprint(session, name)? => content.tables.push(name.clone()),
                "view" if is_known(name) => content.views.push(name.clone()),
                _ => content.foreign.push((kind.clone(), name.clone())),
            }
        }
        Ok(content)
    }

    fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.views.is_empty() && self.staging.is_empty()
    }

    fn check(&self, connection: &str, cascade: bool) -> Result<()> {
        if !self.foreign.is_empty() {
            let names: Vec<String> = self.foreign.iter().map(|(kind, name)| format!("{kind} '{name}'")).collect();
            return Err(Error::config(format!(
                "schema '{connection}' holds what Unify did not make: {}; Unify does not change it; move or drop it first",
                names.join(", ")
            )));
        }
        let loaded = [("tables are loaded", &self.tables), ("loads are unfinished", &self.staging)];
        let loaded = loaded.iter().filter(|(_, names)| !cascade && !names.is_empty());
        let loaded: Vec<String> = loaded.map(|(what, names)| format!("{what}: {}", names.join(", "))).collect();
        match loaded.is_empty() {
            true => Ok(()),
            false => Err(Error::config(format!("its {}; with CASCADE they are dropped, too", loaded.join("; its ")))),
        }
    }

    fn drop_sql(&self, store: &Store) -> String {
        let schema = store.schema_sql();
        let drop = |kind: &str, name: &String| format!("DROP {kind} {schema}.{};", quote_ident(name));
        let views = self.views.iter().map(|name| drop("VIEW", name));
        let tables = self.tables.iter().chain(&self.staging).map(|name| drop("TABLE", name));
        // Without CASCADE: what somebody made meanwhile keeps everything as it is.
        let rest = format!(
            "DROP SCHEMA {schema}; DELETE FROM {}.load_state WHERE lower(table_schema) = lower({});",
            store.unify_schema,
            quote_literal(&store.target.schema)
        );
        views.chain(tables).chain([rest]).collect()
    }

    fn dropped(self, connection: &str) -> Vec<DroppedObject> {
        let all = |kind: &'static str, names: Vec<String>| names.into_iter().map(move |name| DroppedObject { kind, name });
        let objects = all("view", self.views).chain(all("table", self.tables)).chain(all("unfinished load", self.staging));
        objects.chain([DroppedObject { kind: "schema", name: connection.to_string() }]).collect()
    }
}

/// Returns the query for the objects of the schema: kind and name.
fn objects_sql(store: &Store) -> String {
    let of = |kind: &str, list: &str, column: &str, more: &str| {
        format!(
            "SELECT DISTINCT '{kind}' AS kind, {column} AS name FROM {list} WHERE lower(database_name) = lower({}) AND lower(schema_name) = lower({}){more}",
            quote_literal(store.target.catalog.as_deref().unwrap_or_default()),
            quote_literal(&store.target.schema)
        )
    };
    let mut lists = vec![of("table", "duckdb_tables()", "table_name", ""), of("view", "duckdb_views()", "view_name", "")];
    // In other kinds of databases the rest is not DuckDB's to list; their own DROP SCHEMA refuses it.
    if !store.kind.is_shared() {
        lists.push(of("sequence", "duckdb_sequences()", "sequence_name", ""));
        lists.push(of("type", "duckdb_types()", "type_name", " AND NOT internal"));
        lists.push(of("macro", "duckdb_functions()", "function_name", " AND function_type IN ('macro', 'table_macro')"));
    }
    format!("{} ORDER BY ALL", lists.join(" UNION ALL "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &Content, cascade: bool) -> String {
        content.check("shop", cascade).err().map_or_else(String::new, |err| err.to_string())
    }

    #[test]
    fn what_is_loaded_is_dropped_only_when_told() {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let content = Content { tables: names(&["a", "b"]), staging: names(&["c__loading"]), ..Content::default() };
        assert_eq!(
            check(&content, false),
            "its tables are loaded: a, b; its loads are unfinished: c__loading; with CASCADE they are dropped, too"
        );
        assert_eq!(check(&content, true), "");
        let content = Content { views: names(&["v"]), ..Content::default() };
        assert_eq!(check(&content, false), "");
    }

    #[test]
    fn what_others_made_is_never_dropped() {
        let content = Content { foreign: vec![("macro".into(), "m".into())], ..Content::default() };
        let expected = "schema 'shop' holds what Unify did not make: macro 'm'; Unify does not change it; move or drop it first";
        assert_eq!((check(&content, false).as_str(), check(&content, true).as_str()), (expected, expected));
    }
}
