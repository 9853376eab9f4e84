//! The rows as one body, in the formats that APIs export: a line for each row.

use crate::rows;
use serde_json::Value;

/// Returns the rows as NDJSON.
pub fn ndjson(n_rows: usize) -> String {
    (0..n_rows).map(|row_idx| rows::repo(row_idx).to_string() + "\n").collect()
}

/// Returns the rows as CSV (RFC 4180): the fields of the objects in them are columns of their own, lists are JSON.
pub fn csv(n_rows: usize) -> String {
    let names = leaves_of(&rows::widest()).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let mut text = names.join(",") + "\n";
    for row_idx in 0..n_rows {
        let row = rows::repo(row_idx);
        let leaves = leaves_of(&row);
        let value = |name: &String| leaves.iter().find(|(own, _)| own == name).map_or(String::new(), |(_, value)| field(value));
        text += &names.iter().map(value).collect::<Vec<_>>().join(",");
        text.push('\n');
    }
    text
}

/// Returns the values of a row with the names of their columns.
fn leaves_of(row: &Value) -> Vec<(String, &Value)> {
    let Value::Object(fields) = row else { return Vec::new() };
    let mut leaves = Vec::new();
    for (name, value) in fields {
        match value {
            Value::Object(_) => leaves.extend(leaves_of(value).into_iter().map(|(inner, value)| (format!("{name}_{inner}"), value))),
            value => leaves.push((name.clone(), value)),
        }
    }
    leaves
}

fn field(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_line_of_as_many_fields() {
        assert_eq!(ndjson(5).lines().count(), 5);
        let body = csv(20);
        let mut n_quotes = 0;
        // A line ends where no quote is open.
        let n_lines = body.chars().filter(|char| {
            n_quotes += usize::from(*char == '"');
            *char == '\n' && n_quotes % 2 == 0
        });
        assert_eq!(n_lines.count(), 21);
    }
}
