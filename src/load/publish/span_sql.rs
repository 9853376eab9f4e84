//! The SQL that finds the rows of a table in the spans that a refresh asked for.

use crate::columns::{date_text, Column, ColumnType, TableSchema};
use crate::load::plan::named::find_column;
use crate::load::plan::spans::{Span, Spans};
use crate::load::publish::gone::moment_sql;
use crate::load::publish::merge_sql::binary;
use crate::session::{quote_ident, quote_literal, CatalogKind};
use crate::spec::{ScalarType, Scale, WindowDef};
use crate::{Error, Result};

/// Returns the condition that a row `t` of a table with the columns of `schema` is in one of the spans. Fails when the table lacks a column, or
/// one has a type that no window has.
pub fn in_spans_sql(spans: &Spans, schema: &TableSchema, kind: CatalogKind) -> Result<String> {
    let column = find_column(schema, &spans.column).ok_or_else(|| lacks(&spans.column))?;
    let params = spans.params.iter().map(|param| param_column(schema, param)).collect::<Result<Vec<&Column>>>()?;
    let name = format!("t.{}", quote_ident(&column.name));
    let mut conditions = Vec::with_capacity(spans.spans.len());
    for span in &spans.spans {
        let [start, end] = [span.start, span.end].map(|at| bound_sql(column, span.scale, at));
        let within = format!("{name} >= {} AND {name} < {}", start?, end?);
        conditions.push(match params.is_empty() {
            true => format!("({within})"),
            false => format!("({within} AND {})", of_calls_sql(span, &params, kind)),
        });
    }
    Ok(format!("({})", conditions.join(" OR ")))
}

/// Returns the condition that a row `t` came from one of the calls that asked for the span.
fn of_calls_sql(span: &Span, params: &[&Column], kind: CatalogKind) -> String {
    let names: Vec<String> = params.iter().map(|column| quote_ident(&column.name)).collect();
    let own: Vec<String> = params.iter().map(|column| binary("t.", column)).collect();
    let asked = |column: &&Column| match column.column_type {
        ColumnType::Undecided | ColumnType::Json | ColumnType::Scalar(ScalarType::Varchar) => binary("r.", column),
        column_type => format!("CAST(r.{} AS {})", quote_ident(&column.name), kind.sql_type(column_type)),
    };
    let asked: Vec<String> = params.iter().map(asked).collect();
    let row = |call: &Vec<String>| format!("({})", call.iter().map(|text| quote_literal(text)).collect::<Vec<_>>().join(", "));
    let rows: Vec<String> = span.calls.iter().map(row).collect();
    format!("({}) IN (SELECT {} FROM (VALUES {}) AS r ({}))", own.join(", "), asked.join(", "), rows.join(", "), names.join(", "))
}

/// Returns a position as a value that the column is compared with.
fn bound_sql(column: &Column, scale: Scale, at: i64) -> Result<String> {
    use ScalarType::{BigInt, Date, Double, HugeInt, Timestamp};
    match (scale, column.column_type) {
        (Scale::Numbers, ColumnType::Scalar(BigInt | HugeInt | Double)) => Ok(at.to_string()),
        (Scale::Days, ColumnType::Scalar(Date)) => {
            let day = i32::try_from(at.div_euclid(WindowDef::DAY)).map_err(|_| Error::internal("a window is of no day"))?;
            Ok(format!("CAST({} AS DATE)", quote_literal(&date_text(day))))
        }
        // Moments of a window of days are those of the zone in which the API counts them.
        (Scale::Days, ColumnType::Scalar(Timestamp)) | (Scale::Moments, ColumnType::Scalar(Date | Timestamp)) => Ok(moment_sql(at)),
        (scale, column_type) => {
            let expected = match scale {
                Scale::Numbers => "windows of numbers need a number",
                Scale::Days => "windows of days need a DATE or TIMESTAMP",
                Scale::Moments => "windows of moments need a DATE or TIMESTAMP",
            };
            Err(Error::config(format!(
                "column '{}', which 'overwrite' names, is {}, and {expected}; correct the type in the spec, or the window's bounds",
                column.name,
                column_type.sql_name()
            )))
        }
    }
}

fn param_column<'s>(schema: &'s TableSchema, param: &str) -> Result<&'s Column> {
    schema.param_column(param).and_then(|name| find_column(schema, name)).ok_or_else(|| lacks(param))
}

fn lacks(column: &str) -> Error {
    Error::config(format!(
        "the table has no column '{column}', which 'overwrite' needs; correct the spec, or DROP the table to load it anew"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn schema(columns: &[(&str, ScalarType)]) -> TableSchema {
        let columns: Vec<_> = columns.iter().map(|(name, scalar)| (name.to_string(), ColumnType::Scalar(*scalar))).collect();
        TableSchema::of(&columns)
    }

    fn span(scale: Scale, start: i64, end: i64, calls: &[&[&str]]) -> Span {
        Span { scale, start, end, calls: calls.iter().map(|call| call.iter().map(|text| text.to_string()).collect()).collect() }
    }

    fn spans(params: &[&str], spans: Vec<Span>) -> Spans {
        Spans { column: "day".into(), params: params.iter().map(|param| param.to_string()).collect(), spans }
    }

    #[test]
    fn days_are_compared_as_days() {
        let days = spans(&[], vec![span(Scale::Days, 0, 2 * WindowDef::DAY, &[&[]])]);
        let of = |scalar| in_spans_sql(&days, &schema(&[("Day", scalar)]), CatalogKind::DuckDb);
        expect![[r#"((t."Day" >= CAST('1970-01-01' AS DATE) AND t."Day" < CAST('1970-01-03' AS DATE)))"#]]
            .assert_eq(&of(ScalarType::Date).unwrap());
        expect![[r#"((t."Day" >= make_timestamp(0) AND t."Day" < make_timestamp(172800000000)))"#]]
            .assert_eq(&of(ScalarType::Timestamp).unwrap());
        let err = of(ScalarType::BigInt).unwrap_err();
        assert!(
            err.message().contains("column 'Day', which 'overwrite' names, is BIGINT, and windows of days need a DATE or TIMESTAMP"),
            "{err}"
        );
        let moments = spans(&[], vec![span(Scale::Moments, 0, 5, &[&[]])]);
        expect![[r#"((t."day" >= make_timestamp(0) AND t."day" < make_timestamp(5)))"#]]
            .assert_eq(&in_spans_sql(&moments, &schema(&[("day", ScalarType::Timestamp)]), CatalogKind::DuckDb).unwrap());
        let err = in_spans_sql(&days, &schema(&[("id", ScalarType::Date)]), CatalogKind::DuckDb).unwrap_err();
        assert!(err.message().contains("the table has no column 'day', which 'overwrite' needs"), "{err}");
    }

    #[test]
    fn calls_are_told_apart_by_their_params() {
        let mut schema = schema(&[("org", ScalarType::Varchar), ("team", ScalarType::BigInt), ("day", ScalarType::BigInt)]);
        for (idx, param) in ["org", "team"].into_iter().enumerate() {
            schema.columns[idx].source = crate::columns::ColumnSource::Param(param.into());
        }
        let numbers = spans(
            &["org", "team"],
            vec![span(Scale::Numbers, 3, 9, &[&["it's", "1"], &["b", "2"]]), span(Scale::Numbers, 0, 9, &[&["new", "3"]])],
        );
        expect![[r#"((t."day" >= 3 AND t."day" < 9 AND (t."org" COLLATE "binary", t."team") IN (SELECT r."org" COLLATE "binary", CAST(r."team" AS BIGINT) FROM (VALUES ('it''s', '1'), ('b', '2')) AS r ("org", "team"))) OR (t."day" >= 0 AND t."day" < 9 AND (t."org" COLLATE "binary", t."team") IN (SELECT r."org" COLLATE "binary", CAST(r."team" AS BIGINT) FROM (VALUES ('new', '3')) AS r ("org", "team"))))"#]]
            .assert_eq(&in_spans_sql(&numbers, &schema, CatalogKind::DuckDb).unwrap());
    }
}
