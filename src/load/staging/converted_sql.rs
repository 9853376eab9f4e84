//! The expressions for stored values as those of a wider type: texts are those that the API sent, as [`crate::columns`] writes them for
//! rows that are not stored yet.

use crate::columns::{Column, ColumnType, Form, FractionStyle, MomentStyle, SecondsStyle, TableSchema};
use crate::session::{quote_ident, quote_literal, CatalogKind};
use crate::spec::ScalarType;

/// The greatest integer up to which a DOUBLE holds each.
const MOST_EXACT: &str = "9007199254740992";

/// A conversion of values of one form.
#[derive(Debug, Clone, Copy)]
pub struct Conversion {
    pub from: ColumnType,
    pub to: ColumnType,
    pub form: Form,
}

/// Returns the expression for the values of `column` in a table of the columns `earlier`; NULL where it does not have it.
pub fn converted(kind: CatalogKind, earlier: &TableSchema, column: &Column) -> String {
    match earlier.columns.iter().find(|known| known.source == column.source) {
        Some(known) => {
            Conversion { from: known.column_type, to: column.column_type, form: known.form }.sql(kind, &quote_ident(&known.name))
        }
        None => "NULL".to_string(),
    }
}

impl Conversion {
    /// Returns the expression for the values of `column`, a quoted name.
    pub fn sql(&self, kind: CatalogKind, column: &str) -> String {
        let sql_type = kind.sql_type(self.to);
        match (self.from, self.to) {
            (from, to) if from == to => column.to_string(),
            (ColumnType::List(element), ColumnType::Json) => {
                let element = self.json_sql(element.unwrap_or(ScalarType::Varchar), "e");
                let elements = format!("list_transform({column}, lambda e: coalesce({element}, 'null'))");
                cast(column, &format!("'[' || array_to_string({elements}, ',') || ']'"), &sql_type)
            }
            (ColumnType::List(Some(element)), ColumnType::List(Some(ScalarType::Varchar))) => {
                format!("list_transform({column}, lambda e: {})", self.text_sql(element, "e"))
            }
            (ColumnType::Scalar(scalar), ColumnType::Json) => cast(column, &self.json_sql(scalar, column), &sql_type),
            (ColumnType::Scalar(scalar), ColumnType::Scalar(ScalarType::Varchar)) => self.text_sql(scalar, column),
            _ => format!("CAST({column} AS {sql_type})"),
        }
    }

    /// Returns the expression for the text of a value.
    fn text_sql(&self, scalar: ScalarType, value: &str) -> String {
        let text = format!("CAST({value} AS VARCHAR)");
        match scalar {
            ScalarType::Double if self.form.has_plain_integers() => format!(
                "CASE WHEN {value} = trunc({value}) AND abs({value}) <= {MOST_EXACT} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE {text} END"
            ),
            ScalarType::Timestamp => moment_sql(
                &self.form.moment_style().unwrap_or_default(),
                value,
                |minutes| format!("make_timestamp(epoch_us({value}) + {})", minutes * 60_000_000),
            ),
            ScalarType::TimestampNs => moment_sql(
                &self.form.moment_style().unwrap_or_default(),
                value,
                |minutes| format!("make_timestamp_ns(epoch_ns({value}) + {})", minutes * 60_000_000_000),
            ),
            ScalarType::Varchar => value.to_string(),
            ScalarType::Boolean
            | ScalarType::BigInt
            | ScalarType::HugeInt
            | ScalarType::Double
            | ScalarType::Decimal { .. }
            | ScalarType::Date => text,
        }
    }

    /// Returns the expression for the JSON text of a value.
    fn json_sql(&self, scalar: ScalarType, value: &str) -> String {
        let text = self.text_sql(scalar, value);
        match scalar {
            ScalarType::Boolean | ScalarType::BigInt | ScalarType::HugeInt | ScalarType::Decimal { .. } => text,
            // DuckDB writes 1e+20 and 1e-05 where JSON of an API has 1e20 and 1e-5.
            ScalarType::Double => format!("replace(replace({text}, 'e+', 'e'), 'e-0', 'e-')"),
            ScalarType::Varchar if self.form.is_bare() => format!("replace(replace({text}, 'e+', 'e'), 'e-0', 'e-')"),
            ScalarType::Date | ScalarType::Timestamp | ScalarType::TimestampNs => format!("'\"' || {text} || '\"'"),
            ScalarType::Varchar => format!("CAST(to_json({text}) AS VARCHAR)"),
        }
    }
}

/// Returns the expression for a text as a type, null where the column is.
fn cast(column: &str, text: &str, sql_type: &str) -> String {
    format!("CASE WHEN {column} IS NOT NULL THEN CAST({text} AS {sql_type}) END")
}

/// Returns the expression for the text of a moment. `moved` is the moment so many minutes later.
fn moment_sql(style: &MomentStyle, value: &str, moved: impl Fn(i64) -> String) -> String {
    let local = if style.offset_minutes == 0 { value.to_string() } else { moved(style.offset_minutes) };
    // `YYYY-MM-DD HH:MM:SS[.fraction without zeros at its end]`
    let text = format!("CAST({local} AS VARCHAR)");
    let digits = format!("substr({text}, 21)");
    let padded = |n_digits: usize| format!("'.' || rpad({digits}, {n_digits}, '0')");
    let fraction = match style.fraction {
        FractionStyle::Fixed(0) => String::new(),
        FractionStyle::Fixed(n_digits) => format!(" || {}", padded(n_digits)),
        FractionStyle::Trimmed => format!(" || substr({text}, 20)"),
        FractionStyle::NoneOr(n_digits) => format!(" || CASE {digits} WHEN '' THEN '' ELSE {} END", padded(n_digits)),
        FractionStyle::Groups => format!(
            " || CASE {digits} WHEN '' THEN '' ELSE '.' || rpad({digits}, CAST(ceil(length({digits}) / 3.0) * 3 AS INTEGER), '0') END"
        ),
    };
    let seconds = format!("substr({text}, 17, 3){fraction}");
    let seconds = match style.seconds {
        SecondsStyle::Always => format!(" || {seconds}"),
        SecondsStyle::Never => String::new(),
        SecondsStyle::UnlessZero => format!(" || CASE substr({text}, 17) WHEN ':00' THEN '' ELSE {seconds} END"),
    };
    let zone = if style.zone.is_empty() { String::new() } else { format!(" || {}", quote_literal(&style.zone)) };
    format!("substr({text}, 1, 10) || '{}' || substr({text}, 12, 5){seconds}{zone}", style.separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{expect, Expect};

    /// Checks how a column, stored with this form, becomes one of another type.
    fn check(stored: &str, to: ColumnType, expected: Expect) {
        let earlier = TableSchema::from_text(&format!("[[\"a\",{stored},\"a\"]]")).unwrap();
        let later = Column { column_type: to, ..earlier.columns[0].clone() };
        expected.assert_eq(&converted(CatalogKind::DuckDb, &earlier, &later));
    }

    #[test]
    fn texts_are_those_that_came() {
        const VARCHAR: ColumnType = ColumnType::Scalar(ScalarType::Varchar);
        check(r#""BOOLEAN",false,[1,67108863,"?"]"#, VARCHAR, expect![[r#"CAST("a" AS VARCHAR)"#]]);
        // `1` and `2.5`.
        check(
            r#""DOUBLE",false,[18,67108863,"?"]"#,
            VARCHAR,
            expect![[
                r#"CASE WHEN "a" = trunc("a") AND abs("a") <= 9007199254740992 THEN CAST(CAST("a" AS BIGINT) AS VARCHAR) ELSE CAST("a" AS VARCHAR) END"#
            ]],
        );
        // `2026-01-01T00:00:00.000+05:30`.
        check(
            r#""TIMESTAMP",false,[128,261,"+05:30"]"#,
            VARCHAR,
            expect![[
                r#"substr(CAST(make_timestamp(epoch_us("a") + 19800000000) AS VARCHAR), 1, 10) || 'T' || substr(CAST(make_timestamp(epoch_us("a") + 19800000000) AS VARCHAR), 12, 5) || substr(CAST(make_timestamp(epoch_us("a") + 19800000000) AS VARCHAR), 17, 3) || '.' || rpad(substr(CAST(make_timestamp(epoch_us("a") + 19800000000) AS VARCHAR), 21), 3, '0') || '+05:30'"#
            ]],
        );
        check(
            r#""BIGINT[]",false,[2,67108863,"?"]"#,
            ColumnType::Json,
            expect![[
                r#"CASE WHEN "a" IS NOT NULL THEN CAST('[' || array_to_string(list_transform("a", lambda e: coalesce(CAST(e AS VARCHAR), 'null')), ',') || ']' AS JSON) END"#
            ]],
        );
    }
}
