//! A table's columns as text, for the state that a later load reads.

use super::form::Form;
use super::native::NativeType;
use super::source::ColumnSource;
use super::types::{Column, ColumnType, TableSchema};
use crate::document::{parse, write_text, ArrayIter, Node, View};
use crate::spec::ScalarType;
use crate::{Error, Result};
use std::borrow::Cow;

const SCALARS: &[ScalarType] = &[
    ScalarType::Boolean,
    ScalarType::BigInt,
    ScalarType::HugeInt,
    ScalarType::Double,
    ScalarType::Date,
    ScalarType::Timestamp,
    ScalarType::TimestampNs,
    ScalarType::Varchar,
];

impl ColumnType {
    /// Returns the name that tells all types apart: that of DuckDB, but for the undecided ones.
    fn stored_name(self) -> Cow<'static, str> {
        match self {
            ColumnType::Undecided => Cow::Borrowed("undecided"),
            ColumnType::List(None) => Cow::Borrowed("undecided[]"),
            known => known.sql_name(),
        }
    }

    /// Returns the type that DuckDB writes so; `None` for one that no column has.
    pub fn of_sql_name(name: &str) -> Option<ColumnType> {
        let scalars = SCALARS.iter().flat_map(|scalar| [ColumnType::Scalar(*scalar), ColumnType::List(Some(*scalar))]);
        scalars
            .chain([ColumnType::Json])
            .find(|column_type| column_type.stored_name() == name)
            .or_else(|| decimal_named(name))
            .or_else(|| NativeType::of_sql_name(name).map(ColumnType::Native))
    }

    fn of_stored_name(name: &str) -> Option<ColumnType> {
        let undecided = [ColumnType::Undecided, ColumnType::List(None)];
        undecided.into_iter().find(|column_type| column_type.stored_name() == name).or_else(|| ColumnType::of_sql_name(name))
    }
}

/// Returns the DECIMAL of that name, or the list of such.
fn decimal_named(name: &str) -> Option<ColumnType> {
    let (scalar, is_list) = name.strip_suffix("[]").map_or((name, false), |scalar| (scalar, true));
    let (width, scale) = scalar.strip_prefix("DECIMAL(")?.strip_suffix(')')?.split_once(',')?;
    let scalar = ScalarType::Decimal { width: width.parse().ok()?, scale: scale.parse().ok()? };
    let column_type = if is_list { ColumnType::List(Some(scalar)) } else { ColumnType::Scalar(scalar) };
    // Only as it is written here.
    (column_type.sql_name() == name).then_some(column_type)
}

impl TableSchema {
    /// Returns the text that [`TableSchema::from_text`] reads: JSON, a list of
    /// `[name, type, declared, [form ...], source keys ...]`.
    pub fn to_text(&self) -> String {
        let mut out = Vec::new();
        for (idx, column) in self.columns.iter().enumerate() {
            out.extend_from_slice(if idx == 0 { b"[[" } else { b",[" });
            write_text(&mut out, &column.name);
            out.push(b',');
            write_text(&mut out, &column.column_type.stored_name());
            out.extend_from_slice(if column.declared { b",true" } else { b",false" });
            let (seen, ways, zone) = column.form.parts();
            out.extend_from_slice(format!(",[{seen},{ways},").as_bytes());
            write_text(&mut out, zone);
            out.push(b']');
            for key in column.source.stored() {
                out.push(b',');
                write_text(&mut out, &key);
            }
            out.push(b']');
        }
        out.extend_from_slice(if self.columns.is_empty() { b"[]" } else { b"]" });
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Reads what [`TableSchema::to_text`] wrote. Fails on anything else.
    pub fn from_text(text: &str) -> Result<TableSchema> {
        let mut bytes = text.as_bytes().to_vec();
        let document = parse(&mut bytes)?;
        let wrong = || Error::data("the stored columns of a table cannot be read; reload the table");
        let View::Array(columns) = document.root().view() else { return Err(wrong()) };
        let columns: Option<Vec<Column>> = columns.map(column_of).collect();
        columns.map(|columns| TableSchema { columns }).ok_or_else(wrong)
    }
}

fn column_of(node: Node<'_>) -> Option<Column> {
    let View::Array(mut parts) = node.view() else { return None };
    let name = text_of(parts.next()?)?;
    let column_type = ColumnType::of_stored_name(&text_of(parts.next()?)?)?;
    let View::Boolean(declared) = parts.next()?.view() else { return None };
    let mut rest = parts.clone();
    let form = match rest.next().map(Node::view) {
        Some(View::Array(of_form)) => {
            parts = rest;
            form_of(of_form)?
        }
        _ => Form::unknown(),
    };
    let source: Option<Vec<String>> = parts.map(text_of).collect();
    Some(Column { name, source: ColumnSource::of_stored(source?), column_type, declared, form })
}

fn form_of(mut parts: ArrayIter<'_>) -> Option<Form> {
    let mut number = || match parts.next()?.view() {
        View::Integer(value) => u32::try_from(value).ok(),
        _ => None,
    };
    let (seen, ways) = (u16::try_from(number()?).ok()?, number()?);
    Some(Form::of_parts(seen, ways, &text_of(parts.next()?)?))
}

fn text_of(node: Node<'_>) -> Option<String> {
    match node.view() {
        View::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_type() -> impl Strategy<Value = ColumnType> {
        let decimal =
            (1_u8..=38).prop_flat_map(|width| (Just(width), 0..=width)).prop_map(|(width, scale)| ScalarType::Decimal { width, scale });
        let scalar = prop_oneof![prop::sample::select(SCALARS), decimal];
        prop_oneof![
            Just(ColumnType::Undecided),
            Just(ColumnType::Json),
            Just(ColumnType::List(None)),
            scalar.clone().prop_map(ColumnType::Scalar),
            scalar.prop_map(|scalar| ColumnType::List(Some(scalar))),
        ]
    }

    fn any_form() -> impl Strategy<Value = Form> {
        let zone = prop::sample::select(vec!["?", "*", "", "Z", "+01:00", "-0530", "+02"]);
        (any::<u16>(), any::<u32>(), zone).prop_map(|(seen, ways, zone)| Form::of_parts(seen, ways, zone))
    }

    proptest! {
        #[test]
        fn columns_survive_their_text(columns in prop::collection::vec((".*", prop::collection::vec(".*", 0..4), any_type(), any::<bool>(), any_form()), 0..6)) {
            let column =
                |(name, keys, column_type, declared, form)| Column { name, source: ColumnSource::Record(keys), column_type, declared, form };
            let schema = TableSchema { columns: columns.into_iter().map(column).collect() };
            prop_assert_eq!(TableSchema::from_text(&schema.to_text()).unwrap(), schema);
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".*") {
            let _ = TableSchema::from_text(&text);
        }
    }

    #[test]
    fn of_columns_stored_without_their_form_nothing_is_known() {
        let schema = TableSchema::from_text(r#"[["at","TIMESTAMP",false,"at"],["n","BIGINT",false,"n"],["x","BOOLEAN",false]]"#).unwrap();
        let keeps = |idx: usize, to| schema.columns[idx].form.keeps(schema.columns[idx].column_type, ColumnType::Scalar(to));
        assert_eq!([keeps(0, ScalarType::Varchar), keeps(1, ScalarType::Double), keeps(1, ScalarType::Varchar)], [false, false, true]);
        assert_eq!((schema.columns[0].source_path(), schema.columns[2].source_path()), ("at".to_string(), String::new()));
    }

    #[test]
    fn text_that_is_no_list_of_columns_is_refused() {
        for text in ["", "{}", "[1]", "[[\"a\"]]", "[[\"a\",\"INT\",false]]", "[[\"a\",\"BIGINT\",1]]", "[[\"a\",\"BIGINT\",true,1]]"] {
            assert!(TableSchema::from_text(text).is_err(), "{text}");
        }
    }
}
