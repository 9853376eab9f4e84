//! How names and values enter SQL text.

use std::fmt;

/// Returns `name` as a quoted SQL identifier.
pub fn quote_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns `text` as a SQL string literal.
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns what `lower` makes of `text`, in SQL. Of a name without other letters than ASCII's that is a literal: DuckDB need not find the function
/// and call it while it plans a statement.
pub fn lowered(text: &str) -> String {
    match text.is_ascii() {
        true => quote_literal(&text.to_ascii_lowercase()),
        false => format!("lower({})", quote_literal(text)),
    }
}

/// A table's full name. Its `Display` is quoted SQL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    /// The attached database; `None` is the session's current one.
    pub catalog: Option<String>,
    pub schema: String,
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(catalog) = &self.catalog {
            write!(f, "{}.", quote_ident(catalog))?;
        }
        write!(f, "{}.{}", quote_ident(&self.schema), quote_ident(&self.table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_quoted_part_by_part() {
        let name = TableName { catalog: Some("a.b".into()), schema: "my\"s".into(), table: "t".into() };
        assert_eq!(name.to_string(), "\"a.b\".\"my\"\"s\".\"t\"");
    }

    #[test]
    fn letters_that_only_the_database_knows_are_left_to_it() {
        assert_eq!((lowered("It's"), lowered("\u{130}t")), ("'it''s'".to_string(), "lower('\u{130}t')".to_string()));
    }

    proptest! {
        #[test]
        fn quoting_round_trips(text in ".*") {
            let quoted = quote_literal(&text);
            prop_assert_eq!(quoted[1..quoted.len() - 1].replace("''", "'"), text.clone());
            let quoted = quote_ident(&text);
            prop_assert_eq!(quoted[1..quoted.len() - 1].replace("\"\"", "\""), text);
        }
    }
}
