//! Tests of what becomes of objects that were found.

use super::{Found, FoundField, FoundObject};
use crate::document::{json, JsonValue};
use crate::spec::AdapterSpec;
use expect_test::{expect, Expect};
use proptest::prelude::*;

const SPEC: &str = "name: crm
base_url: https://a.test
auth: {type: BEARER}
tables:
  - name: \"${object.name | snake}\"
    description: \"${object.label}\"
    discover:
      objects: {resource_path: /objects}
      fields: {resource_path: \"/objects/{object.name}/fields\", name: name, type: {path: type, as: {int: BIGINT}}, record_path: values}
    resource_path: /query
    params: {q: \"SELECT ${fields | join(', ')} FROM ${object.name | quote(soql)}\"}
    columns: [{name: id, type: VARCHAR, key: true}]
  - name: people
    discover: {fields: {resource_path: /people/fields, name: name}}
    resource_path: /people
    params: {select: \"${fields | join(',')}\"}
  - {name: written, resource_path: /written}
views:
  - {name: seen, query: SELECT * FROM written}
";

fn object(values: JsonValue, fields: &[(&str, Option<&str>)]) -> FoundObject {
    let JsonValue::Object(values) = values else { panic!("not an object") };
    let field = |(name, field_type): &(&str, Option<&str>)| FoundField {
        name: name.to_string(),
        field_type: field_type.map(str::to_string),
        description: None,
    };
    FoundObject { values, fields: fields.iter().map(field).collect() }
}

fn expanded(objects: Vec<FoundObject>, people: Vec<FoundObject>) -> AdapterSpec {
    AdapterSpec::parse("crm.yaml", SPEC).unwrap().unwrap().with_discovered(&Found { objects: vec![objects, people] })
}

fn check(objects: Vec<FoundObject>, people: Vec<FoundObject>, expected: Expect) {
    let spec = expanded(objects, people);
    let column = |column: &crate::spec::ColumnSpec| {
        let source = column.source.as_ref().map_or(String::new(), |keys| format!("={}", keys.join("/")));
        format!("{}{source}{}", column.name, column.data_type.map_or(String::new(), |data_type| format!(":{data_type:?}")))
    };
    let tables = spec.tables.iter().map(|table_def| {
        let columns: Vec<String> = table_def.columns.iter().map(column).collect();
        format!("{} ({}) {}\n", table_def.name, table_def.description.as_deref().unwrap_or("-"), columns.join(", "))
    });
    let broken = spec.broken.iter().map(|broken| format!("broken {}: {}\n", broken.name, broken.message));
    expected.assert_eq(&tables.chain(broken).collect::<String>());
}

#[test]
fn objects_are_tables_and_fields_are_columns() {
    let fields = [("ID", Some("int")), ("Size", Some("int")), ("odd name", Some("blob")), ("a.b", None)];
    check(
        vec![object(json!({ "name": "LineItem__c", "label": "Lines" }), &fields)],
        vec![object(json!({}), &[("email", None)])],
        expect![[r#"
            people (-) email=email
            written (-) 
            line_item_c (Lines) id:Scalar(Varchar), Size=values/Size:Scalar(BigInt), odd name=values/odd name, a.b=values/a.b
        "#]],
    );
}

#[test]
fn what_cannot_be_a_table_says_why_and_harms_nothing_else() {
    let named = |name: JsonValue| object(json!({ "name": name }), &[("id", None)]);
    check(
        vec![
            named(json!("Order")),
            named(json!("Twin One")),
            named(json!("twin_one")),
            named(json!("Written")),
            named(json!("seen")),
            named(json!("--")),
            named(JsonValue::Null),
            named(json!("orders__loading")),
            named(json!("x".repeat(256))),
            object(json!({ "name": "Empty" }), &[]),
        ],
        vec![object(json!({}), &[])],
        expect![[r#"
            written (-) 
            order (-) id:Scalar(Varchar)
            orders_loading (-) id:Scalar(Varchar)
            broken twin_one: objects {"name":"Twin One"} and {"name":"twin_one"} have this name; a 'name' with another hole, such as an id, tells them apart
            broken (object 6): object {"name":"--"} has no name
            broken (object 7): object {"name":null} has no name
            broken (object 9): object {"name":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... has a name of more than 255 bytes
            broken empty: object {"name":"Empty"} has no fields that can be asked for
            broken people: has no fields that can be asked for
        "#]],
    );
}

#[test]
fn children_are_there_with_their_parents() {
    let text = "name: a\nbase_url: https://a.test\ntables:
  - name: ${object.name}
    discover: {objects: {resource_path: /o}}
    resource_path: /r
    children: [{name: '${object.name}_${object.part}', path: p, copy: {x: id}}]
";
    let spec = AdapterSpec::parse("a.yaml", text).unwrap().unwrap();
    let found = |pairs: &[(&str, &str)]| {
        let objects = pairs.iter().map(|(name, part)| object(json!({ "name": name, "part": part }), &[])).collect();
        let spec = spec.with_discovered(&Found { objects: vec![objects] });
        let parent =
            |table_def: &crate::spec::TableDef| table_def.child.as_ref().map_or(String::new(), |child| format!("<{}", child.parent));
        let names: Vec<String> = spec.tables.iter().map(|table_def| format!("{}{}", table_def.name, parent(table_def))).collect();
        let broken: Vec<String> = spec.broken.iter().map(|broken| broken.name.clone()).collect();
        (names.join(" "), broken.join(" "))
    };
    assert_eq!(found(&[("a", "x"), ("b", "x")]), ("a a_x<a b b_x<b".to_string(), String::new()));
    assert_eq!(found(&[("a", "x"), ("A", "y")]), (String::new(), "a".to_string()));
    assert_eq!(found(&[("a", "b_c"), ("a_b", "c")]), ("a a_b".to_string(), "a_b_c".to_string()));
}

#[test]
fn what_was_found_is_stored_as_it_is() {
    let mut found = object(json!({ "name": "it's", "n": 1.50, "deep": { "a": [null, true] } }), &[("Id", Some("id")), ("\u{e9}\"'", None)]);
    found.fields[1].description = Some(String::new());
    assert_eq!(FoundObject::of_texts(&found.values_text(), &found.fields_text()).unwrap(), found);
    for (values, fields) in [("", ""), ("[]", "[]"), ("{}", "{}"), ("{}", "[1]"), ("{}", "[[null]]"), ("{}", "[[]]")] {
        assert!(FoundObject::of_texts(values, fields).is_err(), "{values} {fields}");
    }
}

proptest! {
    // Each object is a table, or is told of, or the spec writes a table of its name; no two tables have one name.
    #[test]
    fn no_object_is_lost(names in proptest::collection::vec("[a-cA-C_ \\-'\"${}\u{e9}]{0,4}", 0..12)) {
        let objects: Vec<FoundObject> = names.iter().map(|name| object(json!({ "name": name }), &[("x", None)])).collect();
        let spec = expanded(objects.clone(), vec![object(json!({}), &[("x", None)])]);
        let mut lower: Vec<String> = spec.tables.iter().map(|table_def| table_def.name.to_lowercase()).collect();
        lower.sort();
        let n_tables = lower.len();
        lower.dedup();
        prop_assert_eq!(n_tables, lower.len());
        let discover = &spec.discover[0];
        for (idx, object) in objects.iter().enumerate() {
            let name = discover.table_of(object).map_or_else(|_| format!("(object {})", idx + 1), |table_def| table_def.name);
            prop_assert!(spec.table(&name).is_some() || spec.mistakes_of(&name).is_some(), "{}", name);
        }
        // What a server says is a value: no hole comes of it.
        for table_def in &spec.tables {
            let written = &spec.discover[0].table;
            prop_assert!(table_def.discovered.is_empty() || table_def.name == "people" || table_def.hole_names() == written.hole_names());
        }
    }
}

#[test]
fn only_columns_that_hold_no_text_take_an_empty_one_as_null() {
    let text = SPEC.replace("{int: BIGINT}", "{int: BIGINT, day: DATE, text: VARCHAR, tree: JSON}");
    let fields = [("a", Some("int")), ("b", Some("day")), ("c", Some("text")), ("d", Some("tree")), ("e", Some("blob")), ("f", None)];
    let found = Found { objects: vec![vec![object(json!({ "name": "Item" }), &fields)], Vec::new()] };
    let spec = AdapterSpec::parse("crm.yaml", &text).unwrap().unwrap().with_discovered(&found);
    let columns = spec.tables.iter().flat_map(|table_def| &table_def.columns);
    let trimmed: Vec<&str> =
        columns.filter(|column| column.reading.as_ref().is_some_and(|reading| reading.trim)).map(|column| &*column.name).collect();
    assert_eq!(trimmed, ["a", "b"]);
}
