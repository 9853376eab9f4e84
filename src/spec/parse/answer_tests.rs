//! What a table says about its answers.

use super::tests::{check_table_mistake, table_spec};
use crate::document::{Format, Header};
use crate::spec::{AnswerDef, DeclaredType, FieldCondition, NamedRow, RecordForm, RowNames, ScalarType, TreeDef};

fn answer(lines: &str) -> AnswerDef {
    table_spec(lines).unwrap().unwrap().tables.remove(1).answer
}

#[test]
fn a_table_that_says_nothing_has_plain_answers() {
    assert_eq!(answer("description: x"), AnswerDef::default());
}

#[test]
fn formats_are_read() {
    assert_eq!(answer("format: NDJSON").body.format, Some(Format::Ndjson));
    let body = answer(
        "format: csv\ncsv: {delimiter: tab, quote: none, header: [a, b], skip: 2, encoding: latin1, 'null': [NA, '']}\ncompression: none\nfiles: '*.csv'",
    )
    .body;
    assert_eq!((body.csv.delimiter, body.csv.quote, body.csv.skip), (Some(b'\t'), None, 2));
    assert_eq!(body.csv.header, Header::Given(vec!["a".into(), "b".into()]));
    assert_eq!((body.csv.encoding.as_deref(), body.csv.nulls), (Some("latin1"), vec!["NA".to_string(), String::new()]));
    assert!(body.is_never_packed);
    assert_eq!(body.files.unwrap().as_str(), "*.csv");
    assert_eq!(answer("csv: {header: false, delimiter: ';', quote: \"'\"}").body.csv.header, Header::Absent);
}

#[test]
fn forms_of_records_are_read() {
    assert_eq!(answer("keyed_by: id").records, RecordForm::KeyedBy("id".into()));
    let row = |field: Option<&str>, names| NamedRow { field: field.map(str::to_string), names, value: None };
    let at = |keys: &[&str]| RowNames::At(keys.iter().map(|key| key.to_string()).collect());
    assert_eq!(answer("row_names: meta.columns").records, RecordForm::Rows(vec![row(None, at(&["meta", "columns"]))]));
    let given = RowNames::Given(vec!["a".into(), "b".into()]);
    assert_eq!(answer("row_names: [a, b]").records, RecordForm::Rows(vec![row(None, given)]));
    let rows = vec![row(Some("d"), at(&["heads"])), row(Some("m"), RowNames::Given(vec!["n".into()]))];
    assert_eq!(answer("row_names: {d: heads, m: [n]}").records, RecordForm::Rows(rows));
    let path = |text: &str| text.split('.').map(str::to_string).collect::<Vec<_>>();
    assert_eq!(answer("zip: {a: x.y, b: z}").records, RecordForm::Zip(vec![("a".into(), path("x.y")), ("b".into(), path("z"))]));
    let condition =
        |path: Vec<String>, values: &[&str]| Some(FieldCondition { path, values: values.iter().map(|value| value.to_string()).collect() });
    assert_eq!(answer("skip_when: {a.b: false}").skip_when, condition(path("a.b"), &["false"]));
    assert_eq!(answer("skip_when: gone").skip_when, condition(path("gone"), &[]));
    assert_eq!(answer("skip_when: {a: [x, 1, false]}").skip_when, condition(path("a"), &["x", "1", "false"]));
    assert_eq!(answer("deleted_when: '[\"a.b\"].c'").deleted_when, condition(vec!["a.b".into(), "c".into()], &[]));
    for wrong in ["{a: []}", "{a: [{b: c}]}", "{a: 1, b: 2}", "a..b", "[a]"] {
        check_table_mistake(&format!("skip_when: {wrong}"), "expected a path, or a mapping of one path to a value or a list of values");
    }
}

#[test]
fn the_format_of_a_column_gives_it_a_type() {
    let columns = table_spec("columns: {a: {format: epoch}, b: {type: date, format: '%d.%m.%y'}, c: {trim: true}}");
    let err = columns.unwrap_err();
    assert!(err.message().contains("'%d.%m.%y' is not a format: it does not tell the year, the month and the day"), "{err}");
    let columns = table_spec("columns: {a: {format: epoch}, c: {trim: true}}").unwrap().unwrap().tables.remove(1).columns;
    assert_eq!(columns[0].data_type, Some(DeclaredType::Scalar(ScalarType::Timestamp)));
    assert_eq!(columns[1].reading.as_ref().map(|reading| reading.trim), Some(true));
}

#[test]
fn records_below_records_are_read() {
    let tree = answer("tree: {below: Rows.Row, also: [Summary], label: [Header, a.b]}\nrow_names: {d: {names: c.t, value: v}}");
    let keys = |keys: &[&str]| keys.iter().map(|key| key.to_string()).collect::<Vec<_>>();
    let expected =
        TreeDef { below: keys(&["Rows", "Row"]), also: keys(&["Summary"]), label: Some(keys(&["Header", "a.b"])), column: "path".into() };
    assert_eq!(tree.tree, Some(expected));
    let cells = NamedRow { field: Some("d".into()), names: RowNames::At(keys(&["c", "t"])), value: Some("v".into()) };
    assert_eq!(tree.records, RecordForm::Rows(vec![cells]));
    assert_eq!(answer("tree: {below: r, column: above}").tree.unwrap().column, "above");
}

#[test]
fn what_stands_above_the_records_is_declared_by_its_name() {
    let columns = |lines: &str| -> Vec<(String, Option<String>, bool)> {
        let columns = table_spec(lines).unwrap().unwrap().tables.remove(1).columns;
        columns.into_iter().map(|column| (column.name, column.source.map(|keys| keys.join("/")), column.is_meta)).collect()
    };
    let meta = |name: &str, source: &str| (name.to_string(), Some(source.to_string()), true);
    assert_eq!(columns("result_meta_paths: [a.b, c]\ncolumns: {A_b: DATE}"), [meta("A_b", "a/b")]);
    assert_eq!(columns("result_meta_paths: {x: a.b, y: c}\ncolumns: {y: DATE}"), [meta("y", "c"), meta("x", "a/b")]);
    let own = ("a_b".to_string(), Some("q".to_string()), false);
    assert_eq!(columns("result_meta_paths: a.b\ncolumns: {a_b: {source: q}}"), [own]);
    check_table_mistake(
        "result_meta_paths: {x: a.b}\ncolumns: {x: {source: q}}",
        "column 'x' of table 'u' has a 'source' and is in 'result_meta_paths'; keep one",
    );
    check_table_mistake("result_meta_paths: {x: a.b, y: [a, b]}", "is 'a.b', which another column has already");
    check_table_mistake("result_meta_paths: {x: [{}]}", "expected a dotted path such as 'data.items', or a list of keys");
}

#[test]
fn mistakes_say_what_to_write() {
    check_table_mistake("format: parquet", "'format' of table 'u' is the text 'parquet'; expected json, ndjson, csv or xml");
    check_table_mistake("format: xml\ncsv: {skip: 1}", "table 'u' has 'csv', and its format is another");
    check_table_mistake("csv: {delimiters: ';'}", "unknown key 'delimiters' in 'csv' of table 'u'; did you mean 'delimiter'?");
    check_table_mistake("csv: {delimiter: ';;'}", "expected one character of ASCII, or 'tab'");
    check_table_mistake("csv: {delimiter: '\"'}", "expected another character than 'quote'");
    check_table_mistake("csv: {header: [a, a]}", "expected a list of names that are all different");
    check_table_mistake("csv: {encoding: utf-9}", "expected the name of a charset");
    check_table_mistake("csv: {skip: -1}", "expected a whole number of 0 or more");
    check_table_mistake("compression: gzip", "expected auto (gzip and zip are unpacked) or none");
    check_table_mistake("files: 'a***'", "'files' of table 'u' is not a pattern");
    check_table_mistake("keyed_by: id\nzip: {a: b}", "table 'u' has both 'keyed_by' and 'zip'; keep one");
    check_table_mistake("result_object_path: x\nrow_names: y", "table 'u' has both 'row_names' and 'result_object_path'; keep one");
    check_table_mistake("zip: [a]", "expected a mapping of columns to the paths of their lists");
    check_table_mistake("row_names: {d: {value: v}}", "'d' in 'row_names' of table 'u' has no 'names'");
    check_table_mistake("row_names: {d: {names: n, key: v}}", "unknown key 'key' in 'd' in 'row_names' of table 'u'");
    check_table_mistake("tree: {label: x}", "'tree' of table 'u' has no 'below'; expected where the records below a record are");
    check_table_mistake("tree: {below: x}\nkeyed_by: id", "table 'u' has both 'tree' and 'keyed_by'; keep one");
    let counted = "tree: {below: x}\npaging: {strategy: offsetAndCount, offset_param: o, page_size: 5}";
    check_table_mistake(counted, "table 'u' has 'tree', and paging that counts records; expected paging by a token or a link");
    check_table_mistake("row_names: []", "expected a list of names");
    check_table_mistake("columns: {a: {type: BIGINT, format: epoch}}", "has 'format', which is for types DATE, TIMESTAMP and TIMESTAMP_NS");
    check_table_mistake("columns: {a: {format: '%H:%M'}}", "does not tell the year");
}
