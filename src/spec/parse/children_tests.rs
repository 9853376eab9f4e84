//! What `children` says, and its mistakes.

use crate::spec::AdapterSpec;
use expect_test::{expect, Expect};

fn spec(table: &str) -> String {
    format!("name: a\nbase_url: https://a\ntables:\n  - name: invoices\n    key_columns: id\n{table}")
}

fn check(table: &str, expected: Expect) {
    let text = spec(table);
    let found = match AdapterSpec::parse("a.yaml", &text) {
        Ok(_) => "no mistake".to_string(),
        Err(err) => err.message().to_string(),
    };
    expected.assert_eq(&found);
}

#[test]
fn a_child_is_a_table_of_its_own() {
    let text =
        spec("    children:\n      - {name: lines, path: data.lines, copy: {invoice: id, day: sent.day}, key_columns: [invoice, no]}\n");
    let spec = AdapterSpec::parse("a.yaml", &text).unwrap().unwrap();
    let lines = spec.table("LINES").unwrap();
    let child_def = lines.child.as_ref().unwrap();
    assert_eq!((lines.filler(), spec.table("invoices").unwrap().filler()), ("invoices", "invoices"));
    assert_eq!((child_def.path.join("."), child_def.parent_key.join(",")), ("data.lines".to_string(), "invoice".to_string()));
    assert_eq!(lines.key_columns, ["invoice", "no"]);
    assert_eq!(spec.children_of("Invoices").len(), 1);
    assert!(spec.children_of("lines").is_empty());
}

#[test]
fn mistakes_say_where_they_are() {
    check(
        "    children:\n      - {nme: lines, path: 'a[0]'}\n      - {name: invoices, path: b, copy: {x: a, X: b}, columns: [x]}\n",
        expect![[r#"
            a.yaml:7:9: a child of table 'invoices' has no 'copy'; expected a mapping of columns to where their values are in the parent's record, such as {invoice_id: id}
            a.yaml:7:9: a child of table 'invoices' has no 'name'
            a.yaml:7:10: unknown key 'nme' in a child of table 'invoices'; did you mean 'name'?
            a.yaml:7:28: 'path' of a child of table 'invoices' is 'a[0]'; expected keys with dots between them, such as 'data.items': lists on the way of 'result_body_path' are gone through by themselves; a position in 'source' is a key, as in 'tags.0'; a key that holds a bracket is written in a list of keys
            a.yaml:8:16: the name 'invoices' is taken by the table or view in line 4
            a.yaml:8:51: 'copy' of child 'invoices' of table 'invoices' has the column 'X' twice, or one without a name
            a.yaml:8:64: column 'x' of child 'invoices' of table 'invoices' is both copied and declared; keep one"#]],
    );
    check(
        "    children: {name: lines}\n",
        expect!["a.yaml:6:15: 'children' of table 'invoices' is a mapping; expected a list of 1 to 20 children, each with 'name', 'path' and 'copy'"],
    );
}

#[test]
fn updates_need_the_parents_key() {
    let child = |copy: &str| {
        format!(
            "    refresh: {{strategy: updates, params: {{since: '${{timestamp}}'}}}}\n    children:\n      - {{name: lines, path: lines, copy: {{{copy}}}}}\n"
        )
    };
    check(&child("invoice: id"), expect!["no mistake"]);
    check(&format!("    strip_prefixes: head_\n{}", child("invoice: head.id")), expect!["no mistake"]);
    check(
        &child("day: day"),
        expect!["a.yaml:8:42: 'copy' of child 'lines' of table 'invoices' lacks a part of the key (id) of table 'invoices', by which a refresh replaces the children of changed rows; copy all of it"],
    );
}

#[test]
fn a_parent_that_cannot_be_used_takes_its_children_along() {
    let text = spec("    nested: maybe\n    children:\n      - {name: lines, path: lines, copy: {invoice: id}}\n  - {name: good}\n");
    let spec = AdapterSpec::parse_usable("a.yaml", &text).unwrap().unwrap();
    assert_eq!(spec.tables.iter().map(|table_def| table_def.name.as_str()).collect::<Vec<_>>(), ["good"]);
    assert!(spec.mistakes_of("lines").unwrap().starts_with("it is filled with 'invoices', which has mistakes: "));
}
