//! How files become rows: DuckDB's reader for them, and the columns that it finds.

use super::files::{escaped, FileFormat};
use crate::columns::{Column, ColumnSource, ColumnType, Form, TableSchema};
use crate::load::identity::canonical::hash_of;
use crate::session::{quote_ident, quote_literal, Session, Value};
use crate::spec::{Connection, ScalarType};
use crate::{Error, Result};

/// A second, in microseconds.
const SECOND: i64 = 1_000_000;

/// The rows of some files, as DuckDB reads them.
pub struct FileRows {
    pub schema: TableSchema,
    /// The query for them, with the columns of the schema.
    pub query: String,
}

/// Returns what tells whether files changed: their names, sizes and times. `now` is the moment, in microseconds since 1970. Some releases tell times
/// in seconds, so a file of this very second may change once more unnoticed: then nothing else tells the same.
pub fn fingerprint(session: &mut dyn Session, files: &[String], now: i64) -> Result<String> {
    let sql = format!("SELECT filename, size, epoch_us(last_modified) FROM read_blob({}) ORDER BY filename", list_of(files));
    let rows = session.query(&sql)?;
    Ok(hash_of(&text_of(&rows, now)))
}

fn text_of(rows: &[Vec<Value>], now: i64) -> String {
    let text =
        |value: &Value| value.as_integer().map_or_else(|| value.as_text().unwrap_or_default().to_string(), |number| number.to_string());
    let mut lines: Vec<String> = rows.iter().map(|row| row.iter().map(text).collect::<Vec<_>>().join("\t")).collect();
    let is_new =
        |row: &Vec<Value>| row.last().and_then(Value::as_integer).is_some_and(|time| time >= i128::from(now - now.rem_euclid(SECOND)));
    if rows.iter().any(is_new) {
        lines.push(format!("at {now}"));
    }
    lines.join("\n")
}

/// How many rows DuckDB looks at before it decides about types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sniffing {
    /// As many as it does by itself, which is soon done.
    FirstRows,
    /// All of them, so that a later one does not fail.
    AllRows,
}

/// Asks DuckDB for the columns of files.
pub fn rows_of(
    session: &mut dyn Session,
    connection: &Connection,
    files: &[String],
    format: FileFormat,
    sniffing: Sniffing,
) -> Result<FileRows> {
    let reader = reader_sql(connection, files, format, sniffing)?;
    let rows = session.query(&format!("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {reader})"))?;
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for row in &rows {
        let text = |idx: usize| row.get(idx).and_then(Value::as_text).ok_or_else(|| Error::internal("a column has no name or type"));
        let name = text(0)?;
        let quoted = quote_ident(name);
        let (column_type, value) = column_of(&quoted, text(1)?);
        columns.push(Column {
            name: name.to_string(),
            source: ColumnSource::Record(vec![name.to_string()]),
            column_type,
            declared: true,
            form: Form::default(),
        });
        values.push(format!("{value} AS {quoted}"));
    }
    Ok(FileRows { schema: TableSchema { columns }, query: format!("SELECT {} FROM {reader}", values.join(", ")) })
}

/// Returns the call of DuckDB's reader.
fn reader_sql(connection: &Connection, files: &[String], format: FileFormat, sniffing: Sniffing) -> Result<String> {
    let option = |name: &str| connection.option(name).map_or("", |value| value.expose());
    let files = list_of(files);
    if format == FileFormat::Parquet {
        return Ok(format!("read_parquet({files}, union_by_name := true)"));
    }
    let sample = if sniffing == Sniffing::AllRows { ", sample_size := -1" } else { "" };
    if format == FileFormat::Json {
        return Ok(format!("read_json({files}, union_by_name := true{sample})"));
    }
    let delimiter = match option("delimiter") {
        "" => String::new(),
        delimiter => format!(", delim := {}", quote_literal(delimiter)),
    };
    let header = match option("header").to_ascii_lowercase().as_str() {
        "" | "auto" => "",
        "true" | "yes" => ", header := true",
        "false" | "no" => ", header := false",
        _ => return Err(Error::config("option 'header' is not one of auto, true, false")),
    };
    Ok(format!("read_csv({files}, union_by_name := true{sample}{delimiter}{header})"))
}

fn list_of(files: &[String]) -> String {
    // A name that looks like a pattern is one for DuckDB.
    let files: Vec<String> = files.iter().map(|file| quote_literal(&escaped(file))).collect();
    format!("[{}]", files.join(", "))
}

/// Returns the type of a column in a table, and the expression for its values, where DuckDB reads it as `sql_type`.
fn column_of(name: &str, sql_type: &str) -> (ColumnType, String) {
    if let Some(column_type) = ColumnType::of_sql_name(sql_type) {
        return (column_type, name.to_string());
    }
    if let Some(list) = list_for_array(sql_type) {
        return (list, format!("CAST({name} AS {})", list.sql_name()));
    }
    let is_nested = sql_type.ends_with(']') || ["STRUCT(", "MAP(", "UNION("].iter().any(|begin| sql_type.starts_with(begin));
    match is_nested {
        true => (ColumnType::Json, format!("to_json({name})")),
        false => (ColumnType::Scalar(ScalarType::Varchar), format!("CAST({name} AS VARCHAR)")),
    }
}

/// Returns the list that has the elements of an array such as `FLOAT[3]`.
fn list_for_array(sql_type: &str) -> Option<ColumnType> {
    let (element, len) = sql_type.strip_suffix(']')?.rsplit_once('[')?;
    let is_array = !len.is_empty() && len.bytes().all(|byte| byte.is_ascii_digit());
    ColumnType::of_sql_name(&format!("{element}[]")).filter(|_| is_array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_this_second_may_change_once_more() {
        let rows = [vec![Value::Text("a".to_string()), Value::Integer(5), Value::Integer(7_000_000)]];
        assert_eq!(text_of(&rows, 8_000_000), "a\t5\t7000000");
        assert_eq!(text_of(&rows, 9_500_000), text_of(&rows, 8_000_000));
        assert_ne!(text_of(&rows, 7_999_999), text_of(&rows, 8_000_000));
    }

    #[test]
    fn types_are_those_of_the_reader_where_there_are_such() {
        let shown = |sql_type: &str| {
            let (column_type, value) = column_of("\"a\"", sql_type);
            format!("{} {value}", column_type.sql_name())
        };
        for name in
            ["BIGINT", "INTEGER", "DECIMAL(18,3)", "UUID", "VARCHAR[]", "INTEGER[]", "JSON", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"]
        {
            assert_eq!(shown(name), format!("{name} \"a\""));
        }
        assert_eq!(shown("FLOAT[3]"), "FLOAT[] CAST(\"a\" AS FLOAT[])");
        assert_eq!(shown("STRUCT(a INTEGER, b VARCHAR)"), "JSON to_json(\"a\")");
        assert_eq!(shown("INTEGER[][]"), "JSON to_json(\"a\")");
        assert_eq!(shown("MAP(VARCHAR, INTEGER)"), "JSON to_json(\"a\")");
        assert_eq!(shown("ENUM('x', 'y')"), "VARCHAR CAST(\"a\" AS VARCHAR)");
    }
}
