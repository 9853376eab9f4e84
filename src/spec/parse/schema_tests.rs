//! The JSON Schema of specs, for editors: made of what the parser reads of specs that parse, so that it knows each key that the parser does.
//!
//! `UPDATE_EXPECT=1` writes the file anew.

mod render;
mod shapes;

use super::reference_tests::{blocks_of, whole_spec, AUTHORS_PAGE, HABITS_PAGE, REFERENCE};
use super::tests::FULL;
use crate::document::{json, JsonMap, JsonValue};
use crate::source::Paging;
use crate::spec::large_stack::on_large_stack;
use crate::spec::{number_of, AdapterSpec, BUNDLED};
use crate::yaml::trace::{reads_of, Reads};
use crate::yaml::{parse, Node, NodeKind};
use expect_test::expect_file;
use jsonschema::Validator;
use render::Render;
use shapes::Shapes;
use std::collections::BTreeMap;

/// A spec that parses.
struct Sample {
    name: String,
    root: Node,
    reads: Reads,
}

fn samples() -> Vec<Sample> {
    let blocks = [REFERENCE, AUTHORS_PAGE, HABITS_PAGE].into_iter().flat_map(blocks_of).map(|block| whole_spec(&block));
    let blocks = blocks.map(|text| ("docs".to_string(), text));
    let bundled = BUNDLED.iter().map(|bundled| (bundled.file.to_string(), bundled.text().unwrap()));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/test/specs");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let files = files.into_iter().map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
    let all = blocks.chain(bundled).chain(files).chain([("full".to_string(), FULL.to_string())]);
    let sample = |(name, text): (String, String)| {
        // What is read is noted by thread.
        let parsed = || reads_of(|| drop(AdapterSpec::parse(&name, &text).unwrap_or_else(|err| panic!("{name}: {err}"))));
        let reads = on_large_stack(parsed).unwrap();
        Sample { root: parse(&name, &text).unwrap(), name, reads }
    };
    all.map(sample).collect()
}

fn schema_of(samples: &[Sample]) -> JsonValue {
    let mut shapes = Shapes::default();
    for sample in samples {
        shapes.add(&sample.root, &sample.reads);
    }
    shapes.complete();
    Render::new(&shapes, REFERENCE).schema()
}

/// Returns a spec as JSON; the mapping at `place` has one key more.
pub(super) fn json_of(node: &Node, place: Option<((usize, usize), &str)>) -> JsonValue {
    match &node.kind {
        NodeKind::Null => JsonValue::Null,
        NodeKind::Boolean(value) => JsonValue::Bool(*value),
        NodeKind::Integer(_) | NodeKind::Double(_) => number_of(&node.written),
        NodeKind::Text(text) => JsonValue::String(text.clone()),
        NodeKind::List(nodes) => JsonValue::Array(nodes.iter().map(|node| json_of(node, place)).collect()),
        NodeKind::Mapping(entries) => {
            let mut map: JsonMap<String, JsonValue> = entries.iter().map(|(key, node)| (key.name.clone(), json_of(node, place))).collect();
            if let Some((_, key)) = place.filter(|(place, _)| *place == (node.line, node.column)) {
                map.insert(key.to_string(), json!("x"));
            }
            JsonValue::Object(map)
        }
    }
}

fn validator(schema: &JsonValue) -> Validator {
    jsonschema::draft7::new(schema).unwrap_or_else(|err| panic!("{err}"))
}

#[test]
fn the_file_is_what_the_parser_reads() {
    let text = format!("{:#}\n", schema_of(&samples()));
    expect_file![concat!(env!("CARGO_MANIFEST_DIR"), "/rest_specs/adapter.schema.json")].assert_eq(&text);
}

#[test]
fn specs_that_parse_are_as_the_schema_says_and_misspelt_keys_are_not() {
    let samples = samples();
    let validator = validator(&schema_of(&samples));
    let mut n_tried: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for sample in &samples {
        let json = json_of(&sample.root, None);
        let errors: Vec<String> = validator.iter_errors(&json).map(|err| format!("{}: {err}", err.instance_path)).collect();
        assert!(errors.is_empty(), "{}: {errors:?}\n{json:#}", sample.name);
        for (place, read) in &sample.reads {
            let n_tried = n_tried.entry(read.valid.clone()).or_default();
            let Some(first) = read.valid.first().filter(|_| *n_tried < 5) else { continue };
            *n_tried += 1;
            let misspelt = format!("{first}{}", first.chars().last().unwrap_or('x'));
            let wrong = json_of(&sample.root, Some((*place, &misspelt)));
            assert!(wrong == json || !validator.is_valid(&wrong), "{}: {misspelt} in {:?} is taken", sample.name, read.valid);
        }
    }
    assert!(n_tried.len() > 30, "{}", n_tried.len());
}

#[test]
fn values_of_other_kinds_are_refused() {
    let schema = schema_of(&samples());
    let validator = validator(&schema);
    let check = |lines: &str, is_valid: bool| {
        let text = format!("name: a\nbase_url: https://a\ntables:\n  - name: t\n    {lines}");
        assert_eq!(validator.is_valid(&json_of(&parse("a.yaml", &text).unwrap(), None)), is_valid, "{text}");
    };
    check("nested: 1", true);
    check("supports_paging: yes", true);
    check("supports_paging: perhaps", false);
    check("paging: {strategy: LINKHEADER, page_size: '10'}", true);
    check("paging: {strategy: linkHeader, page_size: ten}", false);
    check("paging: {strategy: linkHeader, page_param: x}", false);
    check("paging: {strategy: links}", false);
    check("refresh: {strategy: updates, request: {paging: {strategy: pageAndCount, page_param: p, page_size: 5}}}", true);
    check("refresh: {strategy: updates, request: {paging: {strategy: pageAndCount, token_param: p, page_size: 5}}}", false);
    check("refresh: {strategy: updates, request: {write: {path: /x}}}", false);
    check("refresh: [updates]", false);
    check("resource_path: {a: b}", false);
    check("columns: [{type: BIGINT}]", false);
    let is_spec = |text: &str| validator.is_valid(&json_of(&parse("a.yaml", text).unwrap(), None));
    assert!(!is_spec("name: a\ntables: [{name: t}]") && !is_spec("name: a\nclass: REST\ntables: [{name: t}]"));
    for class in ["files", "Postgres", "PostgresAdapter"] {
        assert!(is_spec(&format!("name: a\nclass: {class}\noptions: {{path: {{required: true}}}}")), "{class}");
        assert!(!is_spec(&format!("name: a\nclass: {class}\nbase_url: https://a")), "{class}");
        assert!(!is_spec(&format!("name: a\nclass: {class}\ntables: [{{name: t}}]")), "{class}");
    }
    assert!(!is_spec("name: a\nclass: file\nbase_url: https://a\ntables: [{name: t}]"));
    let text = schema.to_string();
    for strategy in Paging::strategies() {
        assert!(text.contains(&format!("\"{strategy}\"")), "no example has the strategy {strategy}");
    }
}
