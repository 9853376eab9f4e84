//! What `recurse` may say, and its mistakes.

use super::tests::spec_of;
use crate::spec::{AdapterSpec, ParamValue, ParamValues};

fn spec(lines: &str) -> String {
    format!("name: a\nbase_url: https://a\noptions: {{only: {{default: x}}, token: {{secret: true}}}}\ntables:\n  - name: others\n  - name: t\n    resource_path: /t\n{lines}")
}

fn mistake(lines: &str, expected: &str) {
    let err = AdapterSpec::parse("a.yaml", &spec(lines)).unwrap_err().to_string();
    assert!(err.contains(expected), "{lines} gave: {err}");
}

#[test]
fn the_rows_of_a_table_lead_to_its_next_level() {
    let one =
        spec_of(&spec("    params: {p: 0}\n    key_column: id\n    recurse: {params: {p: 'sql@(SELECT id FROM t WHERE k = ${only})'}}\n"));
    let table_def = one.table("t").unwrap();
    let recurse = table_def.recurse.as_deref().unwrap();
    assert_eq!((recurse.names.as_slice(), recurse.max_depth), (["p".to_string()].as_slice(), 100));
    assert_eq!(table_def.params[0].values, ParamValues::One(ParamValue::Integer(0)));
    assert!(table_def.parents().is_empty());
    let several = "    params: {'d,p': 'sql@(SELECT d, id FROM others)', kind: all}\n    key_column: id\n    recurse: {params: {'p,d': 'sql@(SELECT id, d FROM T)'}, max_depth: 3}\n";
    let several = spec_of(&spec(several));
    assert_eq!(several.table("t").unwrap().parents(), ["others"]);
    assert_eq!(several.table("t").unwrap().recurse.as_deref().unwrap().max_depth, 3);
}

#[test]
fn mistakes_of_recurse_are_told() {
    let whole = |params: &str, recurse: &str, rest: &str| format!("    params: {params}\n    recurse: {recurse}\n{rest}");
    let key = "    key_column: id\n";
    let down = "{params: {p: sql@(SELECT id FROM t)}}";
    mistake(&whole("{p: 0}", down, ""), "'recurse' of table 't' needs a key");
    mistake(&whole("{q: 0}", down, key), "gives values to 'p', which is not a param of the table");
    mistake(&whole("{p: 0, q: [1, 2]}", down, key), "param 'q' has several values, too; make them one param, as in 'q,p'");
    mistake(&whole("{p: {values: [1, 2]}}", down, key), "of which a request has many");
    mistake(
        &whole("{p: 0}", "{params: {p: 7}}", key),
        "expected one param and a query over the table's own rows, such as 'folder: sql@(SELECT id FROM t)'",
    );
    mistake(&whole("{p: 0}", "{}", key), "expected one param and a query");
    mistake(&whole("{p: 0}", "{params: {p: sql@(SELECT id FROM others)}}", key), "reads table 'others'; expected only 't'");
    mistake(&whole("{p: 0}", "{params: {p: sql@(SELECT 1)}}", key), "does not read 't'");
    mistake(&whole("{p: 0}", "{params: {p: 'sql@(SELECT id FROM t WHERE k = ${token})'}}", key), "the secret option 'token'");
    mistake(&whole("{p: 0}", "{params: {p: sql@(SELECT id FROM t)}, max_depth: 0}", key), "a whole number of 1 or more");
    mistake(&whole("{p: 0}", "{params: {p: sql@(SELECT id FROM t)}, max_dept: 1}", key), "did you mean 'max_depth'?");
    let updates = format!("{key}    refresh: {{strategy: updates, cursor: {{column: at, param: since}}}}\n");
    mistake(&whole("{p: 0}", down, &updates), "needs a refresh by reload");
    let window = format!("{key}    window: {{start: 2026-01-01, end: '${{now}}', step: 1d}}\n");
    mistake(&whole("{p: 0, from: '${window.start}'}", down, &window), "and 'window' do not go together; leave one out");
}
