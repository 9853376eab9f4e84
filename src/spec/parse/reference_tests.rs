//! Keeps `docs/adapter-spec.md` true: each of its blocks parses, and it names every key.

use super::refresh::{CURSOR_KEYS, REFRESH_KEYS};
use super::table::TABLE_KEYS;
use super::write::WRITE_KEYS;
use super::{IGNORED_KEYS, SPEC_KEYS};
use crate::spec::AdapterSpec;

const REFERENCE: &str = include_str!("../../../docs/adapter-spec.md");

fn yaml_blocks() -> Vec<String> {
    REFERENCE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_string).collect()
}

/// Makes a whole spec of a block: entries of `tables`, or keys of the spec.
fn whole_spec(block: &str) -> String {
    let block = if block.starts_with("- ") { format!("tables:\n{block}") } else { block.to_string() };
    let has = |key: &str| block.lines().any(|line| line.starts_with(key));
    let mut spec = block.clone();
    for (key, line) in
        [("name:", "name: a"), ("base_url:", "base_url: https://a.example.com"), ("tables:", "tables: [{name: t, supports_paging: false}]")]
    {
        if !has(key) {
            spec.push_str(&format!("\n{line}\n"));
        }
    }
    spec
}

#[test]
fn every_block_of_the_reference_parses() {
    let blocks = yaml_blocks();
    assert!(blocks.len() > 10, "found {} blocks", blocks.len());
    for block in blocks {
        let spec = whole_spec(&block);
        if let Err(err) = AdapterSpec::parse("docs/adapter-spec.md", &spec) {
            panic!("{err}\n{spec}");
        }
    }
}

#[test]
fn the_reference_names_every_key() {
    for key in SPEC_KEYS.iter().chain(TABLE_KEYS).chain(REFRESH_KEYS).chain(CURSOR_KEYS).chain(WRITE_KEYS).chain(IGNORED_KEYS) {
        assert!(REFERENCE.contains(&format!("`{key}`")), "'{key}' is not in docs/adapter-spec.md");
    }
    for key in SPEC_KEYS.iter().chain(TABLE_KEYS).chain(REFRESH_KEYS).chain(CURSOR_KEYS).chain(WRITE_KEYS) {
        let is_shown = yaml_blocks().iter().any(|block| block.contains(&format!("{key}:")));
        assert!(is_shown || matches!(*key, "enabled" | "class" | "help"), "'{key}' has no example in docs/adapter-spec.md");
    }
}
