//! What APIs were found to have, as `unify.discovered` keeps it: a row for each object, and one for the connection.

use super::exists::exists;
use super::store::Store;
use super::tables::DISCOVERED;
use crate::session::{quote_literal, Session, TableName, Value};
use crate::spec::FoundObject;
use crate::Result;

/// How long a statement that writes rows may become, in bytes.
const MOST_SQL: usize = 1 << 20;
const COLUMNS: &[&str] = &["table_schema", "template", "position", "table_name", "object", "fields", "spec", "discovered"];

/// What is stored about a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDiscovery {
    /// What it was discovered by.
    pub spec: String,
    /// Microseconds since 1970.
    pub discovered: i64,
    /// In the order in which they were found.
    pub objects: Vec<StoredObject>,
}

/// An object, and the place in the spec it was found by.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredObject {
    /// The name of the table in the spec, with its holes.
    pub template: String,
    /// The name of the table that it makes; empty where it cannot be one.
    pub table: String,
    pub object: FoundObject,
}

fn name_of(store: &Store) -> TableName {
    TableName { catalog: store.target.catalog.clone(), schema: "unify".to_string(), table: DISCOVERED.name.to_string() }
}

/// Returns what is stored about the store's connection; `None` when nothing is, or what is there cannot be read.
pub fn stored(store: &Store, session: &mut dyn Session) -> Result<Option<StoredDiscovery>> {
    if !exists(session, store.kind, &name_of(store))? {
        return Ok(None);
    }
    // CSV makes empty texts null.
    let rows = session.query(&format!(
        "SELECT coalesce(template, ''), coalesce(table_name, ''), coalesce(object, ''), coalesce(fields, ''), coalesce(spec, ''), discovered
         FROM {} WHERE lower(table_schema) = lower({}) ORDER BY position",
        DISCOVERED.sql_name(&store.unify_schema),
        quote_literal(&store.target.schema)
    ))?;
    let mut stored: Option<StoredDiscovery> = None;
    let mut objects = Vec::new();
    for row in &rows {
        let [Value::Text(template), Value::Text(table), Value::Text(object), Value::Text(fields), Value::Text(spec), Value::Timestamp(discovered)] =
            row.as_slice()
        else {
            return Ok(None);
        };
        if template.is_empty() {
            stored = Some(StoredDiscovery { spec: spec.clone(), discovered: *discovered, objects: Vec::new() });
            continue;
        }
        let Ok(object) = FoundObject::of_texts(object, fields) else { return Ok(None) };
        objects.push(StoredObject { template: template.clone(), table: table.clone(), object });
    }
    Ok(stored.map(|stored| StoredDiscovery { objects, ..stored }))
}

/// Replaces, in the session's transaction, what is stored about the store's connection.
pub fn store_discovery(store: &Store, session: &mut dyn Session, discovery: &StoredDiscovery) -> Result<()> {
    let table = DISCOVERED.sql_name(&store.unify_schema);
    session.execute(&format!("CREATE TABLE IF NOT EXISTS {table} ({});", DISCOVERED.columns_sql()))?;
    let schema = quote_literal(&store.target.schema);
    session.execute(&format!("DELETE FROM {table} WHERE lower(table_schema) = lower({schema});"))?;
    let row = |position: usize, stored: Option<&StoredObject>| {
        let text = |text: Option<String>| quote_literal(&text.unwrap_or_default());
        format!(
            "({schema}, {}, {position}, {}, {}, {}, {}, make_timestamp({}))",
            text(stored.map(|stored| stored.template.clone())),
            text(stored.map(|stored| stored.table.clone())),
            text(stored.map(|stored| stored.object.values_text())),
            text(stored.map(|stored| stored.object.fields_text())),
            quote_literal(&discovery.spec),
            discovery.discovered,
        )
    };
    let mut rows = row(0, None);
    for (idx, object) in discovery.objects.iter().enumerate() {
        let next = row(idx + 1, Some(object));
        if rows.len() + next.len() > MOST_SQL {
            session.execute(&DISCOVERED.insert_sql(&store.unify_schema, COLUMNS, &format!("VALUES {rows}")))?;
            rows = next;
        } else {
            rows = format!("{rows}, {next}");
        }
    }
    session.execute(&DISCOVERED.insert_sql(&store.unify_schema, COLUMNS, &format!("VALUES {rows}")))
}

/// Forgets, in the session's transaction, what was discovered of the store's connection.
pub fn forget_discovery(store: &Store, session: &mut dyn Session) -> Result<()> {
    if !exists(session, store.kind, &name_of(store))? {
        return Ok(());
    }
    let table = DISCOVERED.sql_name(&store.unify_schema);
    session.execute(&format!("DELETE FROM {table} WHERE lower(table_schema) = lower({});", quote_literal(&store.target.schema)))
}
