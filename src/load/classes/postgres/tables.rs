//! Which tables a PostgreSQL database has, with their columns and keys, as its catalog says.

use super::client::{Server, TextRow};
use super::types::ServerColumn;
use crate::document::{read_json, JsonMap, JsonValue};
use crate::session::quote_literal;
use crate::spec::{Connection, FoundObject};
use crate::{Error, Result};

/// A table, a view or a foreign table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTable {
    pub schema: String,
    pub name: String,
    pub description: Option<String>,
    pub columns: Vec<ServerColumn>,
    /// The columns of the primary key, in its order.
    pub key: Vec<String>,
}

/// Returns the query for tables that the user may read, with a condition on `n`, the schema, and `c`, the table. A partition is a part of its
/// table.
fn tables_sql(condition: &str) -> String {
    format!(
        "SELECT n.nspname, c.relname, obj_description(c.oid, 'pg_class'), \
         (SELECT json_agg(json_build_array(a.attname, CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) \
         ELSE format_type(a.atttypid, a.atttypmod) END, a.attndims) ORDER BY a.attnum) \
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), \
         (SELECT json_agg(a.attname ORDER BY k.place) FROM pg_index i \
         CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) \
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
         WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts) \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND has_table_privilege(c.oid, 'SELECT') AND {condition} \
         ORDER BY 1, 2"
    )
}

/// Returns a table as it is now. Fails when it is gone.
pub async fn table_of(server: &Server, schema: &str, name: &str) -> Result<ServerTable> {
    let condition = format!("n.nspname = {} AND c.relname = {}", quote_literal(schema), quote_literal(name));
    let rows = server.rows(&tables_sql(&condition)).await?;
    let gone = || Error::api(format!("the database has no table '{schema}.{name}' that the user may read; DISCOVER CONNECTION asks again"));
    rows.first().map(table_of_row).ok_or_else(gone)?
}

/// Returns the tables that a connection's options name. Fails when there are none.
pub async fn tables_of(connection: &Connection) -> Result<Vec<FoundObject>> {
    let option = |name: &str| connection.option(name).map_or("", |value| value.expose().trim());
    let list = |name: &str| option(name).split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_string).collect::<Vec<_>>();
    let (schemas, names, cursors) = (list("schema"), list("tables"), list("cursor_columns"));
    let server = Server::connect(connection).await?;
    let quoted: Vec<String> = schemas.iter().map(|schema| quote_literal(schema)).collect();
    let tables: Vec<ServerTable> = match quoted.is_empty() {
        true => Vec::new(),
        false => {
            let rows = server.rows(&tables_sql(&format!("n.nspname IN ({})", quoted.join(", ")))).await?;
            rows.iter().map(table_of_row).collect::<Result<_>>()?
        }
    };
    let is_wanted = |table: &&ServerTable| names.is_empty() || names.iter().any(|name| *name == table.name || *name == table.full_name());
    let has_one = |name: &&String| tables.iter().any(|table| **name == table.name || **name == table.full_name());
    if let Some(missing) = names.iter().find(|name| !has_one(name)) {
        return Err(Error::config(format!(
            "option 'tables' names '{missing}', which is not a table of schema {} that the user may read",
            schemas.join(", ")
        )));
    }
    if tables.is_empty() {
        return Err(Error::config(format!("schema {} has no table that the user may read; check option 'schema'", schemas.join(", "))));
    }
    let is_one_schema = schemas.len() == 1;
    Ok(tables.iter().filter(is_wanted).map(|table| table.object(&cursors, is_one_schema)).collect())
}

fn table_of_row(row: &TextRow) -> Result<ServerTable> {
    let text = |idx: usize| row.get(idx).cloned().flatten();
    let wrong = || Error::internal("PostgreSQL's catalog cannot be read");
    let list = |idx: usize| match text(idx).map(|text| read_json(&text)).transpose() {
        Ok(Some(JsonValue::Array(elements))) => Ok(elements),
        Ok(_) => Ok(Vec::new()),
        Err(_) => Err(wrong()),
    };
    let column = |element: &JsonValue| {
        let parts = element.as_array()?;
        Some(ServerColumn::new(parts.first()?.as_str()?, parts.get(1)?.as_str()?, parts.get(2)?.as_i64()?))
    };
    Ok(ServerTable {
        schema: text(0).ok_or_else(wrong)?,
        name: text(1).ok_or_else(wrong)?,
        description: text(2),
        columns: list(3)?.iter().map(column).collect::<Option<_>>().ok_or_else(wrong)?,
        key: list(4)?.iter().filter_map(JsonValue::as_str).map(str::to_string).collect(),
    })
}

impl ServerTable {
    fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// Returns the first of these columns that says how far the table is. Updates are merged by key: a table without one has none.
    fn cursor(&self, candidates: &[String]) -> Option<&str> {
        let column = |name: &String| self.columns.iter().find(|column| column.name == *name && column.is_cursor());
        let found = candidates.iter().find_map(column).filter(|_| !self.key.is_empty());
        found.map(|column| column.name.as_str())
    }

    /// Returns the object that stands for the table among what was discovered.
    fn object(&self, cursors: &[String], is_one_schema: bool) -> FoundObject {
        let text = |text: &str| JsonValue::String(text.to_string());
        let name = if is_one_schema { self.name.clone() } else { format!("{}_{}", self.schema, self.name) };
        let description = self.description.clone().unwrap_or_else(|| format!("Table {}", self.full_name()));
        let mut values: JsonMap<String, JsonValue> = JsonMap::new();
        values.insert("name".to_string(), JsonValue::String(name));
        values.insert("description".to_string(), JsonValue::String(description));
        values.insert("schema".to_string(), text(&self.schema));
        values.insert("table".to_string(), text(&self.name));
        values.insert("key".to_string(), JsonValue::Array(self.key.iter().map(|name| text(name)).collect()));
        if let Some(cursor) = self.cursor(cursors) {
            values.insert("cursor".to_string(), text(cursor));
        }
        FoundObject { values, fields: Vec::new() }
    }
}
