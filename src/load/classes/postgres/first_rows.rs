//! The first rows of a table, as what stands behind FROM: values with the types of its columns.

use super::client::{Server, TextRow};
use super::rows::Reading;
use super::tables::ServerTable;
use super::types::{elements_of, ServerColumn};
use crate::session::{quote_ident, quote_literal};
use crate::{Error, Result};

/// Rows at most: they are a part of a statement's text.
const MOST_ROWS: usize = 1000;

/// Asks for the first rows of a table.
pub async fn first_rows(server: &Server, table: ServerTable, n_rows: usize) -> Result<String> {
    let reading = Reading { table, since: None, resumes: false };
    let rows = server.rows(&format!("{} LIMIT {}", reading.sql(None), n_rows.min(MOST_ROWS))).await?;
    values_sql(reading.table.columns, &rows)
}

/// Returns rows of texts as a query for values.
fn values_sql(mut columns: Vec<ServerColumn>, rows: &[TextRow]) -> Result<String> {
    if columns.is_empty() {
        return Err(Error::data("the table has no columns"));
    }
    let mut lines: Vec<Vec<String>> = rows.iter().map(|_| Vec::new()).collect();
    for (idx, column) in columns.iter_mut().enumerate() {
        let texts: Vec<Option<&str>> = rows.iter().map(|row| row.get(idx)?.as_deref()).collect();
        if has_lacking(column, &texts)? {
            column.become_text();
        }
        for (line, text) in lines.iter_mut().zip(texts) {
            line.push(literal(column, text)?);
        }
    }
    let number = |idx: usize| format!("c{idx}");
    let is_empty = rows.is_empty();
    let value = |(idx, column): (usize, &ServerColumn)| {
        let value = if is_empty { "NULL".to_string() } else { number(idx) };
        format!("CAST({value} AS {}) AS {}", column.column_type.sql_name(), quote_ident(&column.name))
    };
    let values: Vec<String> = columns.iter().enumerate().map(value).collect();
    let values = values.join(", ");
    if is_empty {
        return Ok(format!("(SELECT {values} WHERE false)"));
    }
    let lines: Vec<String> = lines.iter().map(|line| format!("({})", line.join(", "))).collect();
    let names: Vec<String> = (0..columns.len()).map(number).collect();
    Ok(format!("(SELECT {values} FROM (VALUES {}) AS rows ({}))", lines.join(", "), names.join(", ")))
}

/// Returns whether one of the values is one that the column's type does not have.
fn has_lacking(column: &ServerColumn, texts: &[Option<&str>]) -> Result<bool> {
    let mut is_one = false;
    for text in texts.iter().flatten() {
        match column.is_list() {
            true => elements_of(text, |element| is_one |= element.is_some_and(|element| column.lacks(element)))?,
            false => is_one |= column.lacks(text),
        }
    }
    Ok(is_one)
}

/// Returns a value as SQL.
fn literal(column: &ServerColumn, text: Option<&str>) -> Result<String> {
    let written = |text: Option<&str>| {
        text.map_or("NULL".to_string(), |text| {
            let mut written = String::new();
            column.form.write(text, &mut written);
            quote_literal(&written)
        })
    };
    let Some(list) = text.filter(|_| column.is_list()) else { return Ok(written(text)) };
    let mut elements = Vec::new();
    elements_of(list, |element| elements.push(written(element)))?;
    Ok(format!("CAST([{}] AS VARCHAR[])", elements.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{expect, Expect};

    fn check(rows: &[[Option<&str>; 3]], expected: Expect) {
        let columns =
            vec![ServerColumn::new("id", "integer", 0), ServerColumn::new("a\"b", "numeric(4,1)[]", 1), ServerColumn::new("c", "bytea", 0)];
        let rows: Vec<TextRow> = rows.iter().map(|row| row.iter().map(|text| text.map(str::to_string)).collect()).collect();
        expected.assert_eq(&values_sql(columns, &rows).unwrap());
    }

    #[test]
    fn rows_are_values_with_types() {
        check(
            &[[Some("1"), Some("{1.5,NULL}"), Some("\\x00")], [Some("2"), None, None]],
            expect![[
                r#"(SELECT CAST(c0 AS INTEGER) AS "id", CAST(c1 AS DECIMAL(4,1)[]) AS "a""b", CAST(c2 AS BLOB) AS "c" FROM (VALUES ('1', CAST(['1.5', NULL] AS VARCHAR[]), '\x00'), ('2', NULL, NULL)) AS rows (c0, c1, c2))"#
            ]],
        );
        check(
            &[[None, Some("{NaN}"), None]],
            expect![[
                r#"(SELECT CAST(c0 AS INTEGER) AS "id", CAST(c1 AS VARCHAR[]) AS "a""b", CAST(c2 AS BLOB) AS "c" FROM (VALUES (NULL, CAST(['NaN'] AS VARCHAR[]), NULL)) AS rows (c0, c1, c2))"#
            ]],
        );
        check(
            &[],
            expect![[
                r#"(SELECT CAST(NULL AS INTEGER) AS "id", CAST(NULL AS DECIMAL(4,1)[]) AS "a""b", CAST(NULL AS BLOB) AS "c" WHERE false)"#
            ]],
        );
    }
}
