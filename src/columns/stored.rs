//! A table's columns as text, for the state that a later load reads.

use super::types::{Column, ColumnType, TableSchema};
use crate::json::{parse, write_text, Node, View};
use crate::spec::ScalarType;
use crate::{Error, Result};

const SCALARS: &[ScalarType] = &[
    ScalarType::Boolean,
    ScalarType::BigInt,
    ScalarType::HugeInt,
    ScalarType::Double,
    ScalarType::Date,
    ScalarType::Timestamp,
    ScalarType::Varchar,
];

impl ColumnType {
    /// Returns the name that tells all types apart: that of DuckDB, but for the undecided ones.
    fn stored_name(self) -> &'static str {
        match self {
            ColumnType::Undecided => "undecided",
            ColumnType::List(None) => "undecided[]",
            known => known.sql_name(),
        }
    }

    fn of_stored_name(name: &str) -> Option<ColumnType> {
        let scalars = SCALARS.iter().flat_map(|scalar| [ColumnType::Scalar(*scalar), ColumnType::List(Some(*scalar))]);
        scalars
            .chain([ColumnType::Undecided, ColumnType::List(None), ColumnType::Json])
            .find(|column_type| column_type.stored_name() == name)
    }
}

impl TableSchema {
    /// Returns the text that [`TableSchema::from_text`] reads: JSON, a list of `[name, type, declared, source keys ...]`.
    pub fn to_text(&self) -> String {
        let mut out = Vec::new();
        for (idx, column) in self.columns.iter().enumerate() {
            out.extend_from_slice(if idx == 0 { b"[[" } else { b",[" });
            write_text(&mut out, &column.name);
            out.push(b',');
            write_text(&mut out, column.column_type.stored_name());
            out.extend_from_slice(if column.declared { b",true" } else { b",false" });
            for key in &column.source {
                out.push(b',');
                write_text(&mut out, key);
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
    let source: Option<Vec<String>> = parts.map(text_of).collect();
    Some(Column { name, source: source?, column_type, declared })
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
        let scalar = prop::sample::select(SCALARS);
        prop_oneof![
            Just(ColumnType::Undecided),
            Just(ColumnType::Json),
            Just(ColumnType::List(None)),
            scalar.clone().prop_map(ColumnType::Scalar),
            scalar.prop_map(|scalar| ColumnType::List(Some(scalar))),
        ]
    }

    proptest! {
        #[test]
        fn columns_survive_their_text(columns in prop::collection::vec((".*", prop::collection::vec(".*", 0..4), any_type(), any::<bool>()), 0..6)) {
            let column = |(name, source, column_type, declared)| Column { name, source, column_type, declared };
            let schema = TableSchema { columns: columns.into_iter().map(column).collect() };
            prop_assert_eq!(TableSchema::from_text(&schema.to_text()).unwrap(), schema);
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".*") {
            let _ = TableSchema::from_text(&text);
        }
    }

    #[test]
    fn text_that_is_no_list_of_columns_is_refused() {
        for text in ["", "{}", "[1]", "[[\"a\"]]", "[[\"a\",\"INT\",false]]", "[[\"a\",\"BIGINT\",1]]", "[[\"a\",\"BIGINT\",true,1]]"] {
            assert!(TableSchema::from_text(text).is_err(), "{text}");
        }
    }
}
