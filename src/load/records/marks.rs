//! What a refresh goes on from besides the rows of a table: kept with them, in rows of `load_state` about the table.

use crate::load::clock::now_micros;
use crate::load::records::LOAD_STATE;
use crate::session::{quote_literal, Session, TableName};
use crate::Result;
use std::collections::BTreeMap;

/// The status of the row that says when the table was loaded in full.
const FULL: &str = "full";
/// The status of a row with the token of a parameter set.
const TOKEN: &str = "token";
/// What these rows say.
const COLUMNS: &[&str] = &["table_schema", "table_name", "parameter_set", "status", "place", "updated", "started"];

/// What a refresh goes on from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// When the last load of all rows began, in microseconds since 1970.
    pub full: Option<i64>,
    /// The token that the API gave to ask for later changes with, by the short name of the parameter set.
    pub tokens: BTreeMap<String, String>,
}

impl Marks {
    /// Returns what is stored about a loaded table, which the rows of `load_state` are about that `is_about` says.
    pub fn of(session: &mut dyn Session, unify_schema: &str, is_about: &str) -> Result<Marks> {
        let rows = session.query(&format!(
            "SELECT parameter_set, status, place, started FROM {unify_schema}.load_state WHERE {is_about} AND status IN ('{FULL}', '{TOKEN}')"
        ))?;
        let mut marks = Marks::default();
        for row in &rows {
            let [set, status, place, started] = row.as_slice() else { continue };
            match (status.as_text(), set.as_text(), place.as_text()) {
                (Some(FULL), _, _) => marks.full = started.as_timestamp(),
                (Some(TOKEN), Some(set), Some(token)) => {
                    marks.tokens.insert(set.to_string(), token.to_string());
                }
                _ => {}
            }
        }
        Ok(marks)
    }

    /// Returns the marks after updates: what they brought replaces what there was.
    #[must_use]
    pub fn updated_by(mut self, tokens: BTreeMap<String, String>) -> Marks {
        self.tokens.extend(tokens);
        self
    }

    /// Returns the statement that stores them, for the transaction that publishes the rows, behind the one that replaces all rows about
    /// the table.
    pub fn sql(&self, unify_schema: &str, table: &TableName) -> String {
        let row = |set: &str, status: &str, place: Option<&str>, started: Option<i64>| {
            format!(
                "({}, {}, {}, {}, {}, make_timestamp({}), {})",
                quote_literal(&table.schema),
                quote_literal(&table.table),
                quote_literal(set),
                quote_literal(status),
                place.map_or("NULL".to_string(), quote_literal),
                now_micros(),
                started.map_or("NULL".to_string(), |micros| format!("make_timestamp({micros})")),
            )
        };
        let mut rows: Vec<String> = self.full.iter().map(|full| row(FULL, FULL, None, Some(*full))).collect();
        rows.extend(self.tokens.iter().map(|(set, token)| row(set, TOKEN, Some(token), None)));
        match rows.is_empty() {
            true => String::new(),
            false => LOAD_STATE.insert_sql(unify_schema, COLUMNS, &format!("VALUES {}", rows.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_updates_brought_replaces_what_there_was() {
        let tokens = |pairs: &[(&str, &str)]| pairs.iter().map(|(set, token)| (set.to_string(), token.to_string())).collect();
        let marks = Marks { full: Some(5), tokens: tokens(&[("a", "1"), ("b", "1")]) };
        let updated = marks.updated_by(tokens(&[("b", "2"), ("c", "3")]));
        assert_eq!(updated, Marks { full: Some(5), tokens: tokens(&[("a", "1"), ("b", "2"), ("c", "3")]) });
    }

    #[test]
    fn texts_are_quoted() {
        let table = TableName { catalog: None, schema: "s".to_string(), table: "t".to_string() };
        assert_eq!(Marks::default().sql("unify", &table), "");
        let marks = Marks { full: None, tokens: BTreeMap::from([("set".to_string(), "it's".to_string())]) };
        assert!(marks.sql("unify", &table).contains("('s', 't', 'set', 'token', 'it''s', "), "{}", marks.sql("unify", &table));
    }
}
