//! What `deletes` says, and its mistakes.

use crate::spec::{AdapterSpec, Deletes};
use expect_test::{expect, Expect};

const CHILDREN: &str = "    children:
      - {name: lines, path: lines, copy: {invoice: id}, key_columns: [invoice, no]}
      - {name: tags, path: tags, copy: {invoice: id}}
      - {name: notes, path: notes, copy: {invoice: id}, key_columns: no, deletes: remove}
";

fn spec(table: &str) -> String {
    format!("name: a\nbase_url: https://a\ntables:\n  - name: invoices\n{table}")
}

fn check(table: &str, expected: Expect) {
    let found = match AdapterSpec::parse("a.yaml", &spec(table)) {
        Ok(_) => "no mistake".to_string(),
        Err(err) => err.message().to_string(),
    };
    expected.assert_eq(&found);
}

#[test]
fn a_child_with_a_key_does_as_its_parent() {
    let of = |deletes: &str| {
        let text = spec(&format!("    key_columns: id\n{deletes}{CHILDREN}"));
        let spec = AdapterSpec::parse("a.yaml", &text).unwrap().unwrap();
        ["invoices", "lines", "tags", "notes"].map(|name| spec.table(name).unwrap().deletes)
    };
    use Deletes::{Mark, Remove};
    assert_eq!(of("    deletes: mark\n"), [Mark, Mark, Remove, Remove]);
    assert_eq!(of("    deletes: remove\n"), [Remove; 4]);
    assert_eq!(of(""), [Remove; 4]);
}

#[test]
fn mistakes_say_where_they_are() {
    check(
        "    key_columns: id\n    deletes: keep\n",
        expect!["a.yaml:6:14: 'deletes' of table 'invoices' is the text 'keep'; expected mark or remove"],
    );
    check(
        "    deletes: mark\n",
        expect!["a.yaml:5:14: table 'invoices' has 'deletes: mark', which needs a key to tell which rows are gone; name its 'key_columns'"],
    );
    check(
        "    key_columns: id\n    deletes: mark\n    columns: {_DELETED_AT: DATE}\n",
        expect!["a.yaml:6:14: table 'invoices' has 'deletes: mark', whose column is '_deleted_at', and one of its own of that name"],
    );
    check(
        "    key_columns: id\n    deletes: mark\n    params: {_deleted_at: 1}\n    copy_params_to_output: _deleted_at\n",
        expect!["a.yaml:6:14: table 'invoices' has 'deletes: mark', whose column is '_deleted_at', and one of its own of that name"],
    );
}
