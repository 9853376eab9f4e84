//! Which module may name what: dependencies point down, and each foreign crate has one place.

use super::source::Source;
use super::{regex_of, Rule, Violation};

/// The layers, lowest first.
const LAYERS: [&str; 14] =
    ["error", "lock", "files", "document", "yaml", "source", "spec", "columns", "http", "session", "load", "catalog", "sql", "ffi"];

/// A word of the code and where it may stand. Tests may name everything but DuckDB's API.
const PLACES: &[(&str, &str)] = &[
    (r"\blibduckdb_sys\b", "src/ffi/"),
    (r"\breqwest\b", "src/http/transport"),
    (r"\btokio_postgres\b", "src/load/classes/postgres/client"),
    (r"\bsaphyr\w*\b", "src/yaml/"),
    (r"\bsqlparser\b", "src/spec/"),
    (r"\bpest(_derive)?\b", "src/sql/grammar/rules"),
    (r"\b(simd_json|serde_json|serde_json_path|serde)\b", "src/document/"),
    (r"\buse csv::|\bcsv::(Reader|StringRecord|ByteRecord|Position|Error)", "src/document/csv"),
    (r"\bquick_xml\b", "src/document/xml"),
    (r"\bzip::", "src/document/unpack"),
    (r"\bencoding_rs\b", "src/document/charset"),
    (r"\bstd::env\b|\benv::(var|vars|var_os|current_dir|home_dir)\b", "src/catalog/config"),
];

pub const RULES: &[Rule] = &[
    Rule {
        demand:
            "dependencies point down: error < lock < files < document < yaml < source < spec < columns < http < session < load < catalog < \
             sql < ffi",
        check: upward,
        broken: &[
            ("src/document/path.rs", "use crate::spec::Secret;\n"),
            ("src/error.rs", "use crate::document;\n"),
            ("src/http/mod.rs", "fn f() -> crate::sql::Bound { todo() }\n"),
            ("src/columns/batch.rs", "use crate::{\n    document::{Value, x::load},\n    load::Job,\n};\n"),
        ],
        kept: &[
            ("src/spec/model.rs", "use crate::document::JsonPath;\nuse crate::{Error, Result};\n// crate::sql is above\n"),
            ("src/sql/mod.rs", "use crate::{document::{a, b}, load::Job, Error};\nconst A: &str = \"crate::ffi\";\n"),
        ],
    },
    Rule {
        demand: "a module names other layers by 'crate::', where the order can be checked",
        check: super_out,
        broken: &[("src/document/mod.rs", "use super::spec::Secret;\n"), ("src/document/path.rs", "use super::super::spec;\n")],
        kept: &[
            ("src/document/path.rs", "use super::JsonPath;\n"),
            ("src/document/mod.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n}\n"),
            ("src/sql/commands/load.rs", "use super::super::function;\n"),
        ],
    },
    Rule {
        demand: "each foreign crate and the environment have one place (style guide, Structure)",
        check: misplaced,
        broken: &[
            ("src/load/write/writer.rs", "use libduckdb_sys as sys;\n"),
            ("src/http/client.rs", "use reqwest::Client;\n"),
            ("src/load/run/mod.rs", "use tokio_postgres::Client;\n"),
            ("src/catalog/mod.rs", "use saphyr::Yaml;\n"),
            ("src/catalog/views.rs", "use sqlparser::ast;\n"),
            ("src/sql/help.rs", "use pest::Parser;\n"),
            ("src/columns/batch.rs", "use simd_json::Node;\n"),
            ("src/http/told.rs", "fn f() -> serde_json::Value { todo() }\n"),
            ("src/load/convert.rs", "use csv::{Reader, StringRecord};\n"),
            ("src/http/told.rs", "use quick_xml::Reader;\n"),
            ("src/document/body.rs", "use zip::ZipArchive;\n"),
            ("src/session/settings.rs", "let home = std::env::var(\"HOME\");\n"),
        ],
        kept: &[
            ("src/ffi/value.rs", "use libduckdb_sys as sys;\n"),
            ("src/http/transport.rs", "use reqwest::Client;\n"),
            ("src/sql/grammar/rules.rs", "use pest::Parser;\n"),
            ("src/document/csv.rs", "use csv::{Reader, StringRecord};\n"),
            ("src/document/body.rs", "use super::csv::{fields_of, Fields};\nlet pairs = a.iter().zip(b);\n"),
            ("src/sql/help.rs", "// pest makes the caret\nlet text = \"reqwest\";\n"),
            ("src/catalog/config.rs", "let home = std::env::var(\"HOME\");\n"),
            ("build.rs", "let out = std::env::var(\"OUT_DIR\");\n"),
            ("src/load/job/handle.rs", "#[cfg(test)]\nmod tests {\n    use std::env;\n}\n"),
        ],
    },
];

fn layer_of(path: &str) -> Option<usize> {
    let name = path.strip_prefix("src/")?.split(['/', '.']).next()?;
    LAYERS.iter().position(|layer| *layer == name)
}

fn upward(source: &Source) -> Vec<Violation> {
    let Some(own) = layer_of(&source.path).filter(|_| source.path.ends_with(".rs")) else { return Vec::new() };
    let code = source.code();
    let mut violations = Vec::new();
    for (position, _) in code.match_indices("crate::") {
        let line = code[..position].matches('\n').count() + 1;
        for name in first_names(&code[position + "crate::".len()..]) {
            if LAYERS.iter().position(|layer| *layer == name).is_some_and(|layer| layer > own) {
                violations.push(Violation { line, found: format!("'{}' uses '{name}'", LAYERS[own]) });
            }
        }
    }
    violations
}

/// Returns the first name of a path, or the first names of the paths in its braces.
fn first_names(path: &str) -> Vec<&str> {
    let word = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').len();
    let Some(group) = path.strip_prefix('{') else { return vec![&path[..word(path)]] };
    let mut names = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (position, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                let entry = group[start..position].trim_start();
                names.push(&entry[..word(entry)]);
                start = position + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

fn super_out(source: &Source) -> Vec<Violation> {
    if layer_of(&source.path).is_none() || !source.path.ends_with(".rs") {
        return Vec::new();
    }
    let is_root = source.path.ends_with("/mod.rs") || source.path.matches('/').count() == 1;
    let depth = source.path.matches('/').count() - usize::from(is_root && source.path.ends_with("/mod.rs"));
    let mut violations = Vec::new();
    for (line_idx, line) in source.lines.iter().enumerate() {
        // Test modules stand one level deeper than their file.
        let depth = depth + usize::from(line.is_test && !source.path.ends_with("tests.rs"));
        let mut n_supers = 0;
        let mut rest = line.code.as_str();
        while let Some(position) = rest.find("super::") {
            n_supers = if position == 0 { n_supers + 1 } else { 1 };
            rest = &rest[position + "super::".len()..];
            if n_supers == depth {
                violations.push(Violation { line: line_idx + 1, found: "'super::' reaches another layer".into() });
            }
        }
    }
    violations
}

fn misplaced(source: &Source) -> Vec<Violation> {
    if !source.is_rust_in("src/") {
        return Vec::new();
    }
    let mut violations = Vec::new();
    for (pattern, place) in PLACES {
        let regex = regex_of(pattern);
        for (line_idx, line) in source.lines.iter().enumerate().filter(|_| !source.path.starts_with(place)) {
            let is_allowed = line.is_test && !pattern.contains("libduckdb_sys");
            if let Some(found) = regex.find(&line.code).filter(|_| !is_allowed) {
                violations.push(Violation { line: line_idx + 1, found: format!("'{}' outside {place}", found.as_str()) });
            }
        }
    }
    violations
}
