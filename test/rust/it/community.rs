//! The descriptor for DuckDB's repository of community extensions says what Cargo.toml and releases.json say.

use regex::Regex;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|err| panic!("{path}: {err}"))
}

/// Returns the value of `key: value` in a section at the left margin, quotes taken off.
fn value(text: &str, section: &str, key: &str) -> String {
    let section = text.split(&format!("\n{section}:\n")).nth(1).unwrap_or_else(|| panic!("no section '{section}'"));
    let section: String =
        section.lines().take_while(|line| line.is_empty() || line.starts_with(' ')).map(|line| format!("{line}\n")).collect();
    let found = Regex::new(&format!("(?m)^  {key}: (.+)$")).unwrap().captures(&section).map(|found| found[1].trim_matches('"').to_string());
    found.unwrap_or_else(|| panic!("no '{key}' in\n{section}"))
}

fn manifest_value(key: &str) -> String {
    let text = read("Cargo.toml");
    let package = text.split("[package]").nth(1).unwrap();
    Regex::new(&format!("(?m)^{key} = \"(.+)\"$")).unwrap().captures(package).unwrap()[1].to_string()
}

#[test]
fn the_descriptor_says_what_the_manifest_says() {
    let text = format!("\n{}", read("extension_config/description.yml"));
    for (key, expected) in [("name", "name"), ("version", "version"), ("license", "license")] {
        assert_eq!(value(&text, "extension", key), manifest_value(expected), "{key}");
    }
    assert_eq!(value(&text, "repo", "ref"), format!("v{}", manifest_value("version")));
    assert_eq!(value(&text, "extension", "build"), "cargo");
}

#[test]
fn the_descriptor_names_the_releases_there_are() {
    let text = read("extension_config/description.yml");
    let releases: serde_json::Value = serde_json::from_str(&read("extension_config/releases.json")).unwrap();
    let lines = releases["lines"].as_array().unwrap();
    let supported: Vec<&str> =
        lines.iter().flat_map(|line| line["releases"].as_array().unwrap()).map(|release| release.as_str().unwrap()).collect();
    let sentence = Regex::new(r"It serves DuckDB (.*) on Linux\.").unwrap().captures(&text).unwrap()[1].to_string();
    let named: Vec<&str> = sentence.split(", ").flat_map(|part| part.split(" and ")).collect();
    assert_eq!(named, supported);
}

#[test]
fn the_descriptor_excludes_what_is_not_tested() {
    let text = format!("\n{}", read("extension_config/description.yml"));
    let excluded = value(&text, "extension", "excluded_platforms");
    let excluded: Vec<&str> = excluded.split(';').collect();
    for platform in ["osx_arm64", "windows_amd64", "linux_amd64_musl", "wasm_eh"] {
        assert!(excluded.contains(&platform), "{platform}");
    }
    assert!(!excluded.contains(&"linux_amd64") && !excluded.contains(&"linux_arm64"), "{excluded:?}");
}
