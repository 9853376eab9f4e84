//! Mistakes are told at the line of the value that has them: values of specs that parse are made wrong, one at a time, each in a line of its own.

use super::reference_tests::{blocks_of, whole_spec, AUTHORS_PAGE, HABITS_PAGE, REFERENCE};
use super::schema_tests::json_of;
use super::tests::FULL;
use crate::document::{json, JsonValue};
use crate::spec::large_stack::on_large_stack;
use crate::spec::AdapterSpec;
use crate::yaml::parse;
use std::collections::BTreeSet;

/// What marks the value that is made wrong.
const MARK: &str = "nothing";

fn specs() -> Vec<JsonValue> {
    let blocks = [REFERENCE, AUTHORS_PAGE, HABITS_PAGE].into_iter().flat_map(blocks_of).map(|block| whole_spec(&block));
    blocks.chain([FULL.to_string()]).map(|text| json_of(&parse("a.yaml", &text).unwrap(), None)).collect()
}

/// Returns the ways to all texts and numbers in a value, as JSON pointers.
fn ways_to_scalars(value: &JsonValue, way: &str, found: &mut Vec<String>) {
    match value {
        JsonValue::Object(entries) => {
            for (key, value) in entries {
                let key = key.replace('~', "~0").replace('/', "~1");
                ways_to_scalars(value, &format!("{way}/{key}"), found);
            }
        }
        JsonValue::Array(elements) => {
            for (idx, value) in elements.iter().enumerate() {
                ways_to_scalars(value, &format!("{way}/{idx}"), found);
            }
        }
        JsonValue::Null => {}
        _ => found.push(way.to_string()),
    }
}

/// What looks at the way to a value, its line, and the mistakes told, each with its line.
type Check<'a> = dyn FnMut(&str, usize, &[(usize, String)]) + Send + 'a;

/// Makes each value of each spec another one, by itself, and calls `check` with the way to it, its line, and the mistakes with their lines.
fn with_each_value(changed: impl Fn(&JsonValue) -> JsonValue + Sync, check: &mut Check<'_>) {
    on_large_stack(|| {
        let mut n_tried = 0;
        for spec in specs() {
            let mut ways = Vec::new();
            ways_to_scalars(&spec, "", &mut ways);
            for way in ways {
                let mut spec = spec.clone();
                let value = spec.pointer_mut(&way).unwrap();
                *value = changed(value);
                // JSON is YAML, and this writing of it has a line for each value.
                let text = format!("{spec:#}");
                let line = 1 + text.lines().position(|line| line.contains(MARK)).unwrap();
                let found = AdapterSpec::examine("a.yaml", &text).findings;
                let found: Vec<_> = found.into_iter().map(|finding| (finding.place.unwrap_or_default().0, finding.message)).collect();
                check(&way, line, &found);
                n_tried += 1;
            }
        }
        assert!(n_tried > 1000, "{n_tried}");
    })
    .unwrap();
}

fn key_of(way: &str) -> Vec<&str> {
    way.split('/').skip(1).filter(|key| key.parse::<usize>().is_err()).collect()
}

/// Returns whether one of the keys is on the way to a value.
fn has_any(way: &str, keys: &[&str]) -> bool {
    key_of(way).iter().any(|key| keys.contains(key))
}

#[test]
fn an_unknown_hole_is_told_in_the_line_of_the_value_that_holds_it() {
    let mut n_told = 0;
    let mut wrong = BTreeSet::new();
    let with_hole = |value: &JsonValue| json!(format!("{}${{{MARK}}}", value.as_str().map_or_else(|| value.to_string(), str::to_string)));
    with_each_value(with_hole, &mut |way, line, found| {
        // A table of another name is another table.
        if way.ends_with("/name") {
            return;
        }
        let told: Vec<_> = found.iter().filter(|(_, message)| message.contains(MARK)).collect();
        n_told += told.len();
        for (told, message) in told.iter().filter(|(told, _)| *told != line) {
            wrong.insert(format!("{way}: line {told} for {line}: {message}"));
        }
        let has_holes =
            ["resource_path", "base_url", "url", "urls", "params", "headers", "body", "form", "multipart", "text", "query", "window"];
        // A write takes its values from columns, a login from options, and the SQL of other databases is not read.
        let is_told = has_any(way, &has_holes) && !has_any(way, &["write", "auth", "capture", "when", "expect", "clickhouse"]);
        if is_told && !found.iter().any(|(told, _)| *told == line) {
            wrong.insert(format!("{way}: not told"));
        }
    });
    assert!(wrong.is_empty() && n_told > 500, "{n_told} {wrong:#?}");
}

#[test]
fn a_list_or_mapping_in_place_of_a_text_is_told_in_its_line() {
    // Where any value may stand, and what is not read.
    let free = ["body", "form", "multipart", "post", "variables", "params", "clickhouse", "cacheTTLSecs"];
    for (value, n_lines, also_free) in [(json!([[MARK]]), 2, &[][..]), (json!({ MARK: ["x"] }), 1, &["row_names", "deleted_when"])] {
        let mut wrong = BTreeSet::new();
        with_each_value(|_| value.clone(), &mut |way, line, found| {
            // The mark stands some lines behind the beginning of the value.
            let lines = line - n_lines..=line;
            if !found.iter().any(|(told, _)| lines.contains(told)) && !has_any(way, &free) && !has_any(way, also_free) {
                wrong.insert(format!("{way} in line {line}: {found:?}"));
            }
        });
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
