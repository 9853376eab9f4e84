//! Reads what a table says about its columns: `columns`, `select`, the keys and `nested`.

use super::text::dotted;
use crate::spec::{ColumnPattern, ColumnReading, ColumnSpec, DeclaredType, MomentFormat, Nested, ScalarType};
use crate::yaml::{Fields, Mistakes, Node};

const COLUMN_KEYS: &[&str] = &["name", "type", "source", "format", "trim", "key", "description", "comment"];

/// Reads `columns`, a list or a mapping.
pub(super) fn columns_of(table: &Fields<'_>) -> Vec<ColumnSpec> {
    let Some(node) = table.get("columns") else { return Vec::new() };
    let mistakes = table.mistakes();
    let columns: Vec<(&Node, Option<ColumnSpec>)> = if let Some(nodes) = node.list() {
        nodes.iter().map(|node| (node, listed_column(node, table, mistakes))).collect()
    } else if let Some(entries) = node.mapping() {
        entries.iter().map(|(key, node)| (node, mapped_column(&key.name, node, table, mistakes))).collect()
    } else {
        table.wrong("columns", node, "a list or a mapping of columns");
        return Vec::new();
    };
    let mut kept: Vec<ColumnSpec> = Vec::new();
    for (node, column) in columns {
        let Some(column) = column else { continue };
        if kept.iter().any(|other| other.name.eq_ignore_ascii_case(&column.name)) {
            mistakes.at(node, format!("column '{}' of {} is declared twice", column.name, table.place()));
        }
        kept.push(column);
    }
    kept
}

fn listed_column(node: &Node, table: &Fields<'_>, mistakes: &Mistakes) -> Option<ColumnSpec> {
    if let Some(name) = node.text() {
        return Some(plain_column(name, None));
    }
    let name = node.get("name").and_then(Node::text).unwrap_or("").to_string();
    let fields = Fields::of(node, format!("column '{name}' of {}", table.place()), COLUMN_KEYS, mistakes)?;
    column(&fields.required_text("name")?, &fields)
}

fn mapped_column(name: &str, node: &Node, table: &Fields<'_>, mistakes: &Mistakes) -> Option<ColumnSpec> {
    let place = format!("column '{name}' of {}", table.place());
    if name.trim().is_empty() {
        mistakes.at(node, format!("a column of {} has an empty name", table.place()));
        return None;
    }
    if node.is_null() || node.text().is_some() {
        let data_type = node.text().and_then(|text| declared_type(text, &place, node, mistakes));
        return Some(plain_column(name, data_type));
    }
    column(name, &Fields::of(node, place, &COLUMN_KEYS[1..], mistakes)?)
}

fn column(name: &str, fields: &Fields<'_>) -> Option<ColumnSpec> {
    let mistakes = fields.mistakes();
    let data_type = match fields.text("type") {
        Some(text) => declared_type(&text, fields.place(), fields.get("type")?, mistakes),
        None => None,
    };
    let source = fields.get("source").and_then(|node| dotted(node, &format!("'source' of {}", fields.place()), mistakes));
    let key = fields.boolean("key").unwrap_or(false);
    let description = fields.text("description").or_else(|| fields.text("comment"));
    let (data_type, reading) = reading_of(fields, data_type);
    Some(ColumnSpec { source, reading, key, description, ..plain_column(name, data_type) })
}

fn plain_column(name: &str, data_type: Option<DeclaredType>) -> ColumnSpec {
    ColumnSpec { name: name.to_string(), data_type, source: None, is_meta: false, reading: None, key: false, description: None }
}

/// Reads `result_meta_paths`: paths from the body down, or columns with their paths. A declared column without a source whose name is that of such
/// a column takes its values; a name that none of `columns` has becomes one of them.
pub(super) fn meta_paths_of(table: &Fields<'_>, columns: &mut Vec<ColumnSpec>) -> Vec<Vec<String>> {
    let Some(node) = table.get("result_meta_paths") else { return Vec::new() };
    let mistakes = table.mistakes();
    let place = format!("an element of 'result_meta_paths' of {}", table.place());
    let named: Vec<(Option<&str>, &Node)> = match (node.mapping(), node.list()) {
        (Some(entries), _) => entries.iter().map(|(key, node)| (Some(key.name.as_str()), node)).collect(),
        (None, Some(nodes)) => nodes.iter().map(|node| (None, node)).collect(),
        (None, None) => vec![(None, node)],
    };
    let mut paths: Vec<Vec<String>> = Vec::new();
    for (given, node) in named {
        let Some(path) = dotted(node, &place, mistakes) else { continue };
        if given.is_some() && paths.contains(&path) {
            mistakes.at(node, format!("{place} is '{}', which another column has already", path.join(".")));
        }
        let name = given.map_or_else(|| path.join("_"), str::to_string);
        match columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(&name)) {
            Some(column) if column.source.is_none() => (column.source, column.is_meta) = (Some(path.clone()), true),
            Some(column) if given.is_some() => {
                mistakes.at(
                    node,
                    format!("column '{}' of {} has a 'source' and is in 'result_meta_paths'; keep one", column.name, table.place()),
                );
            }
            None if given.is_some() => {
                columns.push(ColumnSpec { source: Some(path.clone()), is_meta: true, ..plain_column(&name, None) });
            }
            Some(_) | None => {}
        }
        paths.push(path);
    }
    paths
}

/// Reads what is done with a column's values, and the type that its format needs.
fn reading_of(fields: &Fields<'_>, data_type: Option<DeclaredType>) -> (Option<DeclaredType>, Option<ColumnReading>) {
    let trim = fields.boolean("trim").unwrap_or(false);
    let moment = fields.text("format").and_then(|text| {
        let format = MomentFormat::parse(&text);
        format.map_err(|err| fields.mistakes().at(fields.get("format").unwrap_or(fields.mapping_node()), err.message().to_string())).ok()
    });
    let is_moment = |data_type: &DeclaredType| {
        matches!(data_type, DeclaredType::Scalar(ScalarType::Date | ScalarType::Timestamp | ScalarType::TimestampNs))
    };
    if let (Some(node), false) = (fields.get("format"), data_type.as_ref().is_none_or(is_moment)) {
        let message = format!("{} has 'format', which is for types DATE, TIMESTAMP and TIMESTAMP_NS, and another type", fields.place());
        fields.mistakes().at(node, message);
    }
    let data_type = data_type.or(moment.as_ref().map(|_| DeclaredType::Scalar(ScalarType::Timestamp)));
    let has_reading = trim || moment.is_some();
    (data_type, has_reading.then_some(ColumnReading { trim, moment }))
}

/// Reads a type as DuckDB, JSON Schema or Python name it.
pub(super) fn declared_type(text: &str, place: &str, node: &Node, mistakes: &Mistakes) -> Option<DeclaredType> {
    let lower = text.trim().to_ascii_lowercase();
    let parsed = match lower.as_str() {
        "json" | "object" => Some(DeclaredType::Json),
        _ => match lower.strip_suffix("[]") {
            Some(element) => scalar_type(element.trim()).map(DeclaredType::List),
            None => scalar_type(&lower).map(DeclaredType::Scalar),
        },
    };
    if parsed.is_none() {
        let expected = "BOOLEAN, BIGINT, HUGEINT, DOUBLE, DECIMAL(18,2), DATE, TIMESTAMP, TIMESTAMP_NS, VARCHAR, one of these with [] for a list, or JSON";
        mistakes.at(node, format!("type '{text}' of {place} is unknown; expected {expected}"));
    }
    parsed
}

fn scalar_type(name: &str) -> Option<ScalarType> {
    match name {
        "boolean" | "bool" => Some(ScalarType::Boolean),
        "bigint" | "int" | "integer" | "int8" | "int64" | "long" => Some(ScalarType::BigInt),
        "hugeint" | "int128" => Some(ScalarType::HugeInt),
        "double" | "float" | "real" | "number" | "numeric" => Some(ScalarType::Double),
        "date" => Some(ScalarType::Date),
        "timestamp" | "datetime" => Some(ScalarType::Timestamp),
        "timestamp_ns" => Some(ScalarType::TimestampNs),
        "varchar" | "text" | "string" | "str" => Some(ScalarType::Varchar),
        _ => decimal_type(name),
    }
}

/// Reads `decimal(p,s)`: at most 38 digits, so many of them behind the point.
fn decimal_type(name: &str) -> Option<ScalarType> {
    let rest = name.strip_prefix("decimal").or_else(|| name.strip_prefix("numeric"))?.trim();
    let numbers = rest.strip_prefix('(')?.strip_suffix(')')?;
    let (width, scale) = numbers.split_once(',').unwrap_or((numbers, "0"));
    let (width, scale) = (width.trim().parse().ok()?, scale.trim().parse().ok()?);
    ((1..=38).contains(&width) && scale <= width).then_some(ScalarType::Decimal { width, scale })
}

/// Reads `select`: patterns separated by commas, or a list of them.
pub(super) fn select_of(table: &Fields<'_>) -> Vec<ColumnPattern> {
    let Some(node) = table.get("select") else { return Vec::new() };
    let items = if node.list().is_some() { table.texts("select") } else { table.comma_texts("select") };
    items.iter().filter_map(|item| pattern(item.trim(), node, table)).collect()
}

fn pattern(item: &str, node: &Node, table: &Fields<'_>) -> Option<ColumnPattern> {
    if item.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ' ')) {
        // `fields.created` is the way down to the value; its flattened name has underscores.
        return Some(ColumnPattern::Name(item.replace('.', "_")));
    }
    match regex::RegexBuilder::new(&format!("^(?:{item})$")).size_limit(1 << 20).build() {
        Ok(regex) => Some(ColumnPattern::Regex(regex)),
        Err(err) => {
            let reason = err.to_string().lines().last().unwrap_or("").trim_start_matches("error: ").to_string();
            table.mistakes().at(
                node.naming(item),
                format!("'{item}' in 'select' of {} is neither a name nor a regular expression: {reason}", table.place()),
            );
            None
        }
    }
}

/// Reads the merge key: `key_column`, `key_columns`, or the columns declared with `key: true`.
pub(super) fn key_columns_of(table: &Fields<'_>, columns: &[ColumnSpec]) -> Vec<String> {
    let mut names = table.comma_texts("key_column");
    names.extend(table.comma_texts("key_columns"));
    names.extend(columns.iter().filter(|column| column.key).map(|column| column.name.clone()));
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        if !kept.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
            kept.push(name);
        }
    }
    kept
}

/// Reads `nested`.
pub(super) fn nested_of(table: &Fields<'_>) -> Nested {
    let Some(node) = table.get("nested") else { return Nested::default() };
    let text = node.text().unwrap_or("").to_ascii_lowercase();
    match (text.as_str(), text.parse::<usize>()) {
        ("flatten", _) => Nested::Flatten,
        ("json", _) => Nested::Json,
        (_, Ok(depth)) => Nested::Depth(depth),
        _ => {
            table.wrong("nested", node, "flatten, json or a number of levels");
            Nested::default()
        }
    }
}
