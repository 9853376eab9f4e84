//! What the types of a PostgreSQL database are in a table, and how their texts are those of DuckDB.

use crate::columns::{Column, ColumnType, NativeType, TableSchema};
use crate::session::quote_ident;
use crate::spec::ScalarType;
use crate::{Error, Result};

/// A column of a table of PostgreSQL's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerColumn {
    pub name: String,
    pub column_type: ColumnType,
    pub form: TextForm,
    /// Whether values are asked for as JSON.
    is_json: bool,
    /// The texts of values that the column's type does not have.
    lacking: &'static [&'static str],
}

/// How a value's text becomes one that DuckDB casts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    AsItIs,
    /// Years before Christ are marked behind the day.
    Moment,
    /// Bytes are hexadecimal digits.
    Bytes,
    /// Parts behind a negative one have a plus.
    Span,
}

impl ServerColumn {
    /// Returns the column for a type as the server writes it. `n_dims` is how many dimensions its arrays are declared to have.
    pub fn new(name: &str, server_type: &str, n_dims: i64) -> ServerColumn {
        let (element, is_list) = server_type.strip_suffix("[]").map_or((server_type, false), |element| (element, true));
        let (scalar, form) = scalar_of(element);
        let is_deep = is_list && n_dims > 1;
        let column_type = match (is_list, is_deep, scalar) {
            (_, true, _) => ColumnType::Json,
            (false, _, scalar) => scalar,
            (true, _, ColumnType::Scalar(scalar)) => ColumnType::List(Some(scalar)),
            (true, _, ColumnType::Native(native)) => {
                NativeType::of_sql_name(&format!("{native}[]")).map_or(ColumnType::List(Some(ScalarType::Varchar)), ColumnType::Native)
            }
            (true, _, _) => ColumnType::List(Some(ScalarType::Varchar)),
        };
        let lacking = if is_deep { &[] } else { lacking_in(scalar) };
        ServerColumn { name: name.to_string(), column_type, form, is_json: is_deep, lacking }
    }

    /// Returns whether the column's type does not have a value: that of a row, or an element of its list.
    pub fn lacks(&self, value: &str) -> bool {
        self.lacking.contains(&value)
    }

    /// Makes the column one of texts, which has all values, as the server writes them.
    pub fn become_text(&mut self) {
        self.column_type = self.text_type();
        self.form = TextForm::AsItIs;
        self.lacking = &[];
    }

    /// Makes the column one of texts where it is that in another schema because of a value that its type does not have.
    pub fn become_text_as_in(&mut self, known: &TableSchema) {
        let text_type = self.text_type();
        let is_text = |column: &Column| column.name == self.name && column.column_type == text_type;
        if !self.lacking.is_empty() && known.columns.iter().any(is_text) {
            self.become_text();
        }
    }

    fn text_type(&self) -> ColumnType {
        match self.is_list() {
            true => ColumnType::List(Some(ScalarType::Varchar)),
            false => ColumnType::Scalar(ScalarType::Varchar),
        }
    }

    /// Returns the expression that the server is asked for.
    pub fn sql(&self) -> String {
        let name = quote_ident(&self.name);
        match self.is_json {
            true => format!("to_json({name})"),
            false => name,
        }
    }

    /// Returns whether values are lists of texts.
    pub fn is_list(&self) -> bool {
        match self.column_type {
            ColumnType::List(_) => true,
            ColumnType::Native(native) => native.is_list(),
            _ => false,
        }
    }

    /// Returns whether values are whole numbers.
    pub fn is_number(&self) -> bool {
        match self.column_type {
            ColumnType::Scalar(ScalarType::BigInt) => true,
            ColumnType::Native(native) => native.is_cursor() && !native.is_moment(),
            _ => false,
        }
    }

    /// Returns whether the greatest value says how far a table is.
    pub fn is_cursor(&self) -> bool {
        match self.column_type {
            ColumnType::Scalar(scalar) => matches!(scalar, ScalarType::BigInt | ScalarType::Date | ScalarType::Timestamp),
            ColumnType::Native(native) => native.is_cursor(),
            _ => false,
        }
    }
}

/// Returns the type of single values. What DuckDB does not have is text.
fn scalar_of(server_type: &str) -> (ColumnType, TextForm) {
    let native = |name: &str| NativeType::of_sql_name(name).map_or(ColumnType::Scalar(ScalarType::Varchar), ColumnType::Native);
    let (name, arguments, rest) = parts_of(server_type);
    let column_type = match (name, rest) {
        ("boolean", _) => ColumnType::Scalar(ScalarType::Boolean),
        ("smallint", _) => native("SMALLINT"),
        ("integer", _) => native("INTEGER"),
        ("bigint", _) => ColumnType::Scalar(ScalarType::BigInt),
        ("real", _) => native("FLOAT"),
        ("double precision", _) => ColumnType::Scalar(ScalarType::Double),
        ("numeric", _) => decimal_of(arguments),
        ("uuid", _) => native("UUID"),
        ("json" | "jsonb", _) => ColumnType::Json,
        ("bytea", _) => return (native("BLOB"), TextForm::Bytes),
        ("date", _) => return (ColumnType::Scalar(ScalarType::Date), TextForm::Moment),
        ("timestamp", "with time zone") => return (native("TIMESTAMP WITH TIME ZONE"), TextForm::Moment),
        ("timestamp", _) => return (ColumnType::Scalar(ScalarType::Timestamp), TextForm::Moment),
        ("time", "with time zone") => native("TIME WITH TIME ZONE"),
        ("time", _) => native("TIME"),
        ("interval", _) => return (native("INTERVAL"), TextForm::Span),
        _ => ColumnType::Scalar(ScalarType::Varchar),
    };
    (column_type, TextForm::AsItIs)
}

/// Returns the texts of values that the server has and the type does not.
fn lacking_in(column_type: ColumnType) -> &'static [&'static str] {
    match column_type {
        ColumnType::Scalar(ScalarType::Decimal { .. }) => &["NaN", "Infinity", "-Infinity"],
        ColumnType::Native(native) if NativeType::of_sql_name("INTERVAL") == Some(native) => &["infinity", "-infinity"],
        _ => &[],
    }
}

/// Splits `timestamp(3) with time zone` into its name, what stands in parentheses, and the rest. A name of two words is one.
fn parts_of(server_type: &str) -> (&str, &str, &str) {
    match server_type.split_once('(').and_then(|(name, rest)| Some((name, rest.split_once(')')?))) {
        Some((name, (arguments, rest))) => (name, arguments, rest.trim_start()),
        None => match server_type.split_once(' ') {
            Some((name @ ("timestamp" | "time"), rest)) => (name, "", rest),
            Some(("interval", rest)) => ("interval", "", rest),
            _ => (server_type, "", ""),
        },
    }
}

/// Returns the type of numbers of that precision and scale. Those without, and those of more digits than DuckDB has, are texts with all digits.
fn decimal_of(arguments: &str) -> ColumnType {
    ColumnType::of_sql_name(&format!("DECIMAL({arguments})")).unwrap_or(ColumnType::Scalar(ScalarType::Varchar))
}

impl TextForm {
    /// Appends a value as DuckDB casts it.
    pub fn write(self, text: &str, out: &mut String) {
        match self {
            TextForm::AsItIs => out.push_str(text),
            TextForm::Span => out.extend(text.chars().filter(|c| *c != '+')),
            TextForm::Moment => match text.strip_suffix(" BC") {
                None => out.push_str(text),
                Some(text) => {
                    let (day, time) = text.split_once(' ').unwrap_or((text, ""));
                    out.push_str(day);
                    out.push_str(" (BC)");
                    if !time.is_empty() {
                        out.push(' ');
                        out.push_str(time);
                    }
                }
            },
            TextForm::Bytes => {
                let digits = text.strip_prefix("\\x").unwrap_or(text);
                for at in (0..digits.len()).step_by(2) {
                    out.push_str("\\x");
                    out.push_str(digits.get(at..at + 2).unwrap_or_default());
                }
            }
        }
    }
}

/// Hands each element of an array's text to `take`. Fails when they are arrays themselves.
pub fn elements_of(text: &str, mut take: impl FnMut(Option<&str>)) -> Result<()> {
    let wrong = || Error::data("an array cannot be read");
    // Arrays that do not begin at 1 have their bounds in front.
    let body = match text.starts_with('[') {
        true => text.split_once('=').map_or(text, |(_, body)| body),
        false => text,
    };
    let body = body.strip_prefix('{').and_then(|body| body.strip_suffix('}')).ok_or_else(wrong)?;
    if body.starts_with('{') {
        return Err(Error::data("a value is an array of several dimensions, and the column is declared as one of one dimension"));
    }
    let mut rest = body;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut element = String::new();
            let mut chars = quoted.char_indices();
            let end = loop {
                match chars.next().ok_or_else(wrong)? {
                    (at, '"') => break at,
                    (_, '\\') => element.push(chars.next().ok_or_else(wrong)?.1),
                    (_, c) => element.push(c),
                }
            };
            take(Some(&element));
            rest = &quoted[end + 1..];
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let element = &rest[..end];
            take(Some(element).filter(|element| *element != "NULL"));
            rest = &rest[end..];
        }
        rest = match rest.strip_prefix(',') {
            Some(rest) => rest,
            None if rest.is_empty() => rest,
            None => return Err(wrong()),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_the_one_that_keeps_its_values() {
        let check = |server_type: &str, n_dims: i64, expected: &str| {
            assert_eq!(ServerColumn::new("a", server_type, n_dims).column_type.sql_name(), expected, "{server_type}");
        };
        check("integer", 0, "INTEGER");
        check("numeric(10,2)", 0, "DECIMAL(10,2)");
        check("numeric(4,-2)", 0, "VARCHAR");
        check("numeric", 0, "VARCHAR");
        check("numeric(50,2)", 0, "VARCHAR");
        check("timestamp(3) with time zone", 0, "TIMESTAMP WITH TIME ZONE");
        check("timestamp without time zone", 0, "TIMESTAMP");
        check("time without time zone", 0, "TIME");
        check("character varying(20)", 0, "VARCHAR");
        check("public.mood", 0, "VARCHAR");
        check("bytea", 0, "BLOB");
        check("jsonb", 0, "JSON");
        check("jsonb[]", 1, "VARCHAR[]");
        check("uuid[]", 1, "UUID[]");
        check("numeric(10,2)[]", 0, "DECIMAL(10,2)[]");
        check("text[]", 1, "VARCHAR[]");
        check("integer[]", 2, "JSON");
        check("interval day to second", 0, "INTERVAL");
    }

    #[test]
    fn texts_are_those_that_duckdb_casts() {
        let written = |form: TextForm, text: &str| {
            let mut out = String::new();
            form.write(text, &mut out);
            out
        };
        assert_eq!(written(TextForm::Bytes, "\\x00ff"), "\\x00\\xff");
        assert_eq!(written(TextForm::Moment, "0044-03-15 BC"), "0044-03-15 (BC)");
        assert_eq!(written(TextForm::Moment, "0044-03-15 10:00:00+00 BC"), "0044-03-15 (BC) 10:00:00+00");
        assert_eq!(written(TextForm::Moment, "infinity"), "infinity");
        assert_eq!(written(TextForm::Span, "-1 days +02:03:00"), "-1 days 02:03:00");
    }

    #[test]
    fn values_that_a_type_does_not_have_make_texts() {
        let lacks = |server_type: &str, value: &str| ServerColumn::new("a", server_type, 1).lacks(value);
        assert!(lacks("numeric(10,2)", "NaN") && lacks("numeric(10,2)[]", "-Infinity") && lacks("interval", "infinity"));
        assert!(
            !lacks("numeric(10,2)", "1.50") && !lacks("numeric", "NaN") && !lacks("double precision", "NaN") && !lacks("date", "infinity")
        );
        let mut column = ServerColumn::new("a", "numeric(10,2)[]", 1);
        let known = |name: &str, column_type: ColumnType| TableSchema::of(&[(name.to_string(), column_type)]);
        column.become_text_as_in(&known("b", ColumnType::List(Some(ScalarType::Varchar))));
        column.become_text_as_in(&known("a", ColumnType::Scalar(ScalarType::Varchar)));
        assert_eq!(column.column_type.sql_name(), "DECIMAL(10,2)[]");
        column.become_text_as_in(&known("a", ColumnType::List(Some(ScalarType::Varchar))));
        assert_eq!((column.column_type.sql_name().as_ref(), column.lacks("NaN")), ("VARCHAR[]", false));
        let mut plain = ServerColumn::new("a", "integer", 0);
        plain.become_text_as_in(&known("a", ColumnType::Scalar(ScalarType::Varchar)));
        assert_eq!(plain.column_type.sql_name(), "INTEGER");
    }

    #[test]
    fn arrays_are_lists() {
        let elements = |text: &str| {
            let mut found = Vec::new();
            elements_of(text, |element| found.push(element.map(str::to_string))).map(|()| found)
        };
        let some = |text: &str| Some(text.to_string());
        assert_eq!(elements("{}").unwrap(), []);
        assert_eq!(
            elements("{1,NULL,\"NULL\",\"\",\"a\\\"b\\\\c,{}\"}").unwrap(),
            [some("1"), None, some("NULL"), some(""), some("a\"b\\c,{}")]
        );
        assert_eq!(elements("[0:1]={5,6}").unwrap(), [some("5"), some("6")]);
        for wrong in ["{{1},{2}}", "", "{", "{\"a}", "{\"a\"b}"] {
            assert!(elements(wrong).is_err(), "{wrong}");
        }
    }
}
