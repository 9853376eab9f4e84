//! Names of a spec that nothing in a table's rows has: most likely they are misspelt.

use crate::columns::TableSchema;
use crate::session::{quote_ident, Session, TableName};
use crate::spec::{ColumnPattern, TableDef};
use crate::yaml::Suggestions;
use crate::Result;

/// Returns warnings about columns of the key, and patterns of `select`, that none of a table's columns is or matches. To be asked when
/// there are rows.
pub fn unknown_names(table_def: &TableDef, schema: &TableSchema) -> Vec<String> {
    let suggestions = Suggestions::default();
    let hint = |name: &str| suggestions.hint("; ", name, schema.columns.iter().map(|column| column.name.as_str()));
    let mut warnings = Vec::new();
    for key in table_def.key_columns.iter().filter(|key| !schema.has_column(key)) {
        warnings.push(format!("the rows have no column '{key}', which 'key_column' names: the table has no key{}", hint(key)));
    }
    let paths: Vec<String> = schema.columns.iter().map(|column| column.source_path()).collect();
    let is_matched = |pattern: &ColumnPattern| paths.iter().any(|path| pattern.matches(path) || pattern.matches(&path.replace('.', "_")));
    for pattern in table_def.select.iter().filter(|pattern| !is_matched(pattern)) {
        let (text, hint) = match pattern {
            ColumnPattern::Name(name) => (name.as_str(), String::new()),
            ColumnPattern::Regex(regex) => (written(regex.as_str()), "; a pattern matches the whole name".to_string()),
        };
        warnings.push(format!("'{text}' of 'select' matches no field of the rows{hint}"));
    }
    warnings
}

/// Returns a pattern as the spec has it.
fn written(anchored: &str) -> &str {
    anchored.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$")).unwrap_or(anchored)
}

/// Returns warnings about declared columns with a source that are null in every row of `staging`.
pub fn empty_sources(session: &mut dyn Session, staging: &TableName, table_def: &TableDef, schema: &TableSchema) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    for column in &table_def.columns {
        let Some(source) = column.source.as_ref().filter(|_| schema.has_column(&column.name)) else { continue };
        let name = quote_ident(&column.name);
        let has_values = session.count(&format!("SELECT count(*) FROM (SELECT 1 FROM {staging} WHERE {name} IS NOT NULL LIMIT 1)"))? > 0;
        if !has_values {
            let source = source.join(".");
            warnings.push(format!("column '{}' is null in all rows: if records have no '{source}', correct its 'source'", column.name));
        }
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::ColumnType;
    use crate::spec::{AdapterSpec, ScalarType};

    fn check(lines: &str, expected: &[&str]) {
        let text = format!("name: a\nbase_url: https://a\ntables:\n  - name: t\n    {lines}\n");
        let spec = AdapterSpec::parse("a.yaml", &text).unwrap().unwrap();
        let columns = ["id", "user_login", "created_at"].map(|name| (name.to_string(), ColumnType::Scalar(ScalarType::Varchar)));
        let warnings = unknown_names(&spec.tables[0], &TableSchema::of(&columns));
        assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.contains(expected), "{warning}");
        }
    }

    #[test]
    fn names_that_nothing_has_are_told() {
        check("key_column: ID", &[]);
        check(
            "key_columns: [id, created]",
            &["no column 'created', which 'key_column' names: the table has no key; did you mean 'created_at'?"],
        );
        check("select: [id, user, creatd, '.*_at', 'x_.*']", &["'creatd' of 'select'", "'x_.*' of 'select' matches no field"]);
    }
}
