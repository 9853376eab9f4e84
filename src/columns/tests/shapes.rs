//! Records in other forms than a list of objects, records that are left out, and values as the spec says that they are written.

use super::*;
use crate::document::{BodyStyle, Format, Node, Parser, Weight};
use crate::spec::tests::table;
use proptest::prelude::*;

fn fails(lines: &str, body: &str, expected: &str) {
    let err = load_of(lines, body).unwrap_err();
    assert!(err.message().contains(expected), "{lines}: {err}");
}

fn load_of(lines: &str, body: &str) -> Result<Batch> {
    let table_def = table(lines);
    convert_with(&table_def, body, &RowPlan::new(&table_def).initial_schema(&[]), &[])
}

/// Returns how many records a page has, and how many rows.
fn counts(lines: &str, body: &str) -> (usize, usize) {
    let table_def = table(lines);
    let mut bytes = body.as_bytes().to_vec();
    let document = parse(&mut bytes).unwrap();
    let page = RowPlan::new(&table_def).rows_of(document.root(), &TableSchema::default(), &[]).unwrap();
    let hashes = RowPlan::new(&table_def).record_hashes(document.root()).unwrap();
    assert_eq!(hashes.len(), page.n_records);
    (page.n_records, page.batch.n_rows)
}

#[test]
fn the_values_of_an_object_are_records() {
    let keyed = table("result_body_path: rates\nkeyed_by: currency");
    check(&keyed, &[r#"{"rates":{"EUR":{"n":1},"USD":{"n":2,"currency":"USD"}}}"#], "currency VARCHAR: EUR | USD\n n BIGINT: 1 | 2");
    check(&keyed, &[r#"{"rates":{"EUR":1.5,"USD":null}}"#], "currency VARCHAR: EUR | USD\n value DOUBLE: 1.5 | NULL");
    check(&keyed, &[r#"{"rates":{"a":[{"n":1},{"n":2}],"b":[]}}"#], "currency VARCHAR: a | a\n n BIGINT: 1 | 2");
    // Of equal keys the last one counts, whatever numbers are beside it.
    for number in ["1", "12345678901234567.89"] {
        let body = format!(r#"{{"rates":{{"a":{{"x":1}},"b":{{"y":{number}}},"a":{{"x":2}},"a":[{{"x":3}},{{"x":4}}]}}}}"#);
        let batch = load(&keyed, &[&body]).unwrap();
        let mut rows: Vec<_> = (0..batch.n_rows).map(|row| [cell(&batch.columns[0], row), cell(&batch.columns[1], row)]).collect();
        rows.sort();
        assert_eq!(rows.iter().map(|row| row[0].as_deref().unwrap()).collect::<Vec<_>>(), ["a", "a", "b"], "{number}");
    }
    for empty in [r#"{"rates":{}}"#, r#"{"rates":[]}"#, r#"{"rates":null}"#] {
        assert_eq!(load(&keyed, &[empty]).unwrap().n_rows, 0, "{empty}");
    }
    fails("keyed_by: id", r#"[1]"#, "where the records are is a list; expected an object, since the table has 'keyed_by'");
    fails("keyed_by: id", r#"{"a":{"id":"b"}}"#, "the record of key 'a' has another value in its field 'id'");
    assert_eq!(load_of("keyed_by: id", r#"{"7":{"id":7}}"#).unwrap().n_rows, 1);
}

#[test]
fn rows_get_names_from_the_body_or_the_spec() {
    check(
        &table("result_body_path: rows\nrow_names: columns"),
        &[r#"{"columns":["a","b"],"rows":[[1,"x"],[2],[3,null,"more"]]}"#],
        "a BIGINT: 1 | 2 | 3\n b VARCHAR: x | NULL | NULL\n column_3 VARCHAR: NULL | NULL | more",
    );
    check(&table("row_names: [a, b]"), &["[[1,2]]", "[[3,4]]"], "a BIGINT: 1 | 3\n b BIGINT: 2 | 4");
    check(
        &table("result_body_path: data\nrow_names: meta.rowType"),
        &[r#"{"meta":{"rowType":[{"name":"id"},{"name":"id"},{"name":""}]},"data":[[1,2,3]]}"#],
        "id BIGINT: 1\n id_2 BIGINT: 2\n column_3 BIGINT: 3",
    );
    // The first record is the names.
    check(
        &table("result_body_path: values\nrow_names: values.0"),
        &[r#"{"values":[["a","b"],[1,2],[3]]}"#],
        "a BIGINT: 1 | 3\n b BIGINT: 2 | NULL",
    );
    // Rows of named lists, each value in an object.
    check(
        &table("result_body_path: rows\nrow_names: {dimensions: heads.d, metrics: heads.m}"),
        &[
            r#"{"heads":{"d":[{"name":"day"}],"m":[{"name":"n"},{"name":"day"}]},"rows":[{"dimensions":[{"value":"x"}],"metrics":[{"value":"1"},{"value":2}],"k":true}]}"#,
        ],
        "day VARCHAR: x\n n VARCHAR: 1\n day_2 BIGINT: 2\n k BOOLEAN: true",
    );
    assert_eq!(load_of("result_body_path: rows\nrow_names: columns", r#"{"rows":[]}"#).unwrap().n_rows, 0);
    fails("result_body_path: rows\nrow_names: columns", r#"{"rows":[[1]]}"#, "'row_names' points to 'columns', which is not there");
    fails("result_body_path: rows\nrow_names: columns", r#"{"columns":7,"rows":[[1]]}"#, "is an integer; expected a list of texts");
    fails("row_names: [a]", r#"[{"a":1}]"#, "record 1 of the page is an object; expected a list");
}

#[test]
fn lists_side_by_side_are_rows() {
    let zip = "result_body_path: hourly\nzip: {time: time, heat: t.max}";
    check(&table(zip), &[r#"{"hourly":{"time":["a","b"],"t":{"max":[1,null]}}}"#], "time VARCHAR: a | b\n heat BIGINT: 1 | NULL");
    assert_eq!(load_of(zip, r#"{"hourly":null}"#).unwrap().n_rows, 0);
    fails(
        zip,
        r#"{"hourly":{"time":["a"],"t":{"max":[1,2]}}}"#,
        "the lists of 'zip' have different lengths: 'time' has 1 elements, and 'heat' has 2",
    );
    fails(zip, r#"{"hourly":{"time":["a"]}}"#, "'t.max', the list of column 'heat' in 'zip', is not there");
}

#[test]
fn each_object_of_lists_gives_its_rows() {
    check(
        &table("result_body_path: results\nzip: {time: ts, v: vs}\nresult_meta_paths: {name: results.label, page: page}"),
        &[r#"{"page":7,"results":[{"label":"a","ts":[1,2],"vs":[3,4]},{"label":"b","ts":[],"vs":[]},{"label":"c","ts":[5],"vs":[6]},{}]}"#],
        "name VARCHAR: a | a | c\n page BIGINT: 7 | 7 | 7\n time BIGINT: 1 | 2 | 5\n v BIGINT: 3 | 4 | 6",
    );
    check(
        &table("zip: {v: vs}\nresult_meta_paths: {name: label}"),
        &[r#"{"label":"a","vs":[1,2]}"#, r#"[{"label":"b","vs":[3]},{"label":"c","vs":[4]}]"#],
        "name VARCHAR: a | a | b | c\n v BIGINT: 1 | 2 | 3 | 4",
    );
    // Lists in a list, each at its position.
    check(
        &table("result_body_path: r.values\nzip: {a: '0', b: '1'}"),
        &[r#"{"r":[{"values":[[1],[2]]},{"values":[[3],[4]]}]}"#],
        "a BIGINT: 1 | 3\n b BIGINT: 2 | 4",
    );
    assert_eq!(load_of("zip: {v: vs}", "[]").unwrap().n_rows, 0);
    fails("zip: {a: x}", r#"[{"x":[1]},{"y":[1]}]"#, "'x', the list of column 'a' in 'zip', is not there");
}

#[test]
fn a_number_is_a_position_in_a_list() {
    check(
        &table("result_body_path: '1'\nresult_meta_paths: ['0.page']"),
        &[r#"[{"page":3},[{"id":1},{"id":2}]]"#],
        "0_page BIGINT: 3 | 3\n id BIGINT: 1 | 2",
    );
    check(&table("result_body_path: data.0.items"), &[r#"{"data":[{"items":[{"id":1}]},{"items":[{"id":2}]}]}"#], "id BIGINT: 1");
    // Objects with such a key.
    check(&table("result_body_path: data.2024"), &[r#"{"data":[{"2024":[{"id":1}]},{"2024":[{"id":2}]}]}"#], "id BIGINT: 1 | 2");
    fails("result_body_path: '1'", r#"[{"message":"wrong"}]"#, "no key '1' of result path '1': the body is a list of 1 elements");
    assert_eq!(load_of("result_body_path: '1'\nmissing: empty", "[{}]").unwrap().n_rows, 0);
}

#[test]
fn records_are_left_out_and_counted() {
    let body = r#"[{"id":1,"d":true},{"id":2,"d":false},{"id":3}]"#;
    check(&table("skip_when: {d: true}"), &[body], "id BIGINT: 2 | 3\n d BOOLEAN: false | NULL");
    check(&table("skip_when: d"), &[body], "id BIGINT: 3");
    check(&table("skip_when: {a.b: x}"), &[r#"[{"a":{"b":"x"}},{"a":{"b":"y"}}]"#], "a_b VARCHAR: y");
    assert_eq!(counts("skip_when: {d: true}", body), (3, 2));
    assert_eq!(counts("keyed_by: k\nskip_when: {k: a}", r#"{"a":{"n":1},"b":{"n":2}}"#), (2, 1));
    // What is left out still tells pages apart.
    let skipping = table("skip_when: d");
    assert_ne!(fingerprint(&skipping, r#"[{"d":1}]"#), fingerprint(&skipping, r#"[{"d":2}]"#));
}

#[test]
fn values_are_read_as_the_spec_says_that_they_are_written() {
    let lines = "columns: {at: {type: TIMESTAMP, format: epoch_ms}, day: {type: DATE, format: '%d.%m.%Y'}, n: {type: BIGINT, trim: true}, name: {trim: true}}";
    check(
        &table(lines),
        &[r#"[{"at":1714558830123,"day":"01.05.2024","n":" 7 ","name":" a "},{"at":"","day":null,"n":"  ","name":" "},{"at":"1.0"}]"#],
        "at TIMESTAMP: 2024-05-01 10:20:30.123 | NULL | 1970-01-01 00:00:00.001\n day DATE: 2024-05-01 | NULL | NULL\n n BIGINT: 7 | NULL | NULL\n name VARCHAR: a |  | NULL",
    );
    check(&table("columns: {at: {format: epoch}}"), &[r#"[{"at":1714558830.25}]"#], "at TIMESTAMP: 2024-05-01 10:20:30.25");
    check(
        &table("columns: {at: {type: TIMESTAMP_NS, format: epoch_ns}}"),
        &[r#"[{"at":1714558830000000001}]"#],
        "at TIMESTAMP_NS: 2024-05-01 10:20:30.000000001",
    );
    check(&table("columns: {x: {source: a.b, format: epoch}}"), &[r#"[{"a":{"b":0}}]"#], "x TIMESTAMP: 1970-01-01 00:00:00");
    fails(
        "columns: {day: {type: DATE, format: '%d.%m.%Y'}}",
        r#"[{"day":"2024-05-01"}]"#,
        "column 'day', row 1 of the page: found a text that is not written as '%d.%m.%Y'",
    );
    fails("columns: {at: {format: epoch}}", r#"[{"at":[1]}]"#, "found a list that is not written as 'epoch'");
    fails("columns: {at: {format: epoch}}", r#"[{"at":99999999999999}]"#, "not written as 'epoch'");
}

#[test]
fn records_below_records_are_rows() {
    let body = r#"[{"n":"a","r":[{"v":1},{"n":"b","r":{"v":2},"t":{"v":3}}]},{"v":4,"r":null}]"#;
    check(
        &table("tree: {below: r, also: t, label: n, column: p}"),
        &[body],
        "p VARCHAR[]: [] | [a] | [a] | [a, b] | [a, b] | []\n n VARCHAR: a | NULL | b | NULL | NULL | NULL\n v BIGINT: NULL | 1 | NULL | 2 | 3 | 4",
    );
    check(&table("tree: {below: r.s}\nskip_when: {k: x}"), &[r#"[{"k":"x","r":{"s":[{"v":1}]}}]"#], "v BIGINT: 1");
    assert_eq!(counts("tree: {below: r}", r#"[{"v":1,"r":[{"v":2},{"v":3}]}]"#), (3, 3));
    check(
        &table("tree: {below: r}\nrow_names: {c: {names: h.t, value: v}}\nresult_body_path: x"),
        &[r#"{"h":[{"t":"a"},{"t":"b"}],"x":[{"c":[{"v":1,"i":7},{"v":2}],"r":[{"c":[{"i":8},3]}]}]}"#],
        "a BIGINT: 1 | NULL\n b BIGINT: 2 | 3\n c JSON: [{\"v\":1,\"i\":7},{\"v\":2}] | [{\"i\":8},3]",
    );
    fails("tree: {below: r}", r#"[{"r":[1]}]"#, "a record is an integer; expected an object, since the table has 'tree'");
    fails("tree: {below: r, label: n}", r#"[{"n":[],"r":[{}]}]"#, "the label at 'n' of a record is a list; expected a text");
    fails("tree: {below: r, label: n}", r#"[{"n":"a","path":1}]"#, "a record has a field 'path'");
    fails("row_names: h.t\nresult_body_path: x", r#"{"h":[{"t":"a"},{"u":"b"}],"x":[[1,2]]}"#, "a list with an element without 't'");
}

#[test]
fn what_is_above_records_takes_no_more_memory_than_a_page_may() {
    let rows = vec![r#"{"v":1}"#; 1000].join(",");
    let mut body = format!(r#"[{{"n":"{}","r":[{rows}]}}]"#, "x".repeat(100_000)).into_bytes();
    let plan = RowPlan::new(&table("tree: {below: r, label: n}")).at_most(10 << 20);
    let document = crate::document::parse(&mut body).unwrap();
    let err = plan.rows_of(document.root(), &plan.initial_schema(&[]), &[]).unwrap_err().to_string();
    assert!(err.contains("of its records, with what is above each"), "{err}");
}

#[test]
fn a_field_beside_named_values_is_not_lost() {
    let lines = "result_body_path: rows\nrow_names: {cells: cols}";
    let body = |record: &str| format!("{{\"cols\":[\"id\",\"amount\"],\"rows\":[{record}]}}");
    fails(
        lines,
        &body(r#"{"id":"r1","cells":[7,5]}"#),
        "record 1 of the page has a field 'id', and a value of that name by 'row_names'; write other names in 'row_names'",
    );
    let fails_with_value = "result_body_path: rows\nrow_names: {cells: {names: [cells], value: v}}";
    fails(fails_with_value, &body(r#"{"cells":[{"v":7}]}"#), "has a field 'cells', and a value of that name");
    // The same value is said twice.
    check(&table(lines), &[&body(r#"{"id":7,"cells":[7,5]}"#)], "id BIGINT: 7\n amount BIGINT: 5");
    // Names that no record has a value for are no values.
    check(&table(lines), &[&body(r#"{"amount":7,"cells":["x"]}"#)], "id VARCHAR: x\n amount BIGINT: 7");
}

#[test]
fn a_field_that_is_not_the_list_that_has_names_stays() {
    let lines = "result_body_path: rows\nrow_names: {cells: cols}";
    let body = r#"{"cols":["a"],"rows":[{"cells":[7]},{"cells":"text"},{"cells":null},{},{"cells":[]}]}"#;
    check(&table(lines), &[body], "a BIGINT: 7 | NULL | NULL | NULL | NULL\n cells VARCHAR: NULL | text | NULL | NULL | NULL");
    check(&table(lines), &[r#"{"cols":["a"],"rows":[{"cells":{"x":1}}]}"#], "cells_x BIGINT: 1");
}

/// Returns the rows of pages of XML, as `show` does.
fn rows_of_xml(lines: &str, pages: &[&str]) -> Result<Vec<String>> {
    let style = BodyStyle { format: Some(Format::Xml), ..BodyStyle::default() };
    let plan = RowPlan::new(&table(lines));
    let rows_of = |page: &&str| {
        let body = style.open(page.as_bytes().to_vec(), None, u64::MAX).unwrap();
        let read = |root: Node<'_>| plan.rows_of(root, &plan.initial_schema(&[]), &[]);
        let page = Parser::default().read_body(&body, Weight::of(page.as_bytes(), u64::MAX), u64::MAX, read).unwrap()?;
        Ok(format!("{} rows: {}", page.batch.n_rows, show(&page.batch).trim()))
    };
    pages.iter().map(rows_of).collect()
}

#[test]
fn in_xml_an_only_record_is_one_as_among_others() {
    let check = |lines: &str, pages: &[&str], expected: &[&str]| {
        assert_eq!(
            rows_of_xml(lines, pages).map_err(|err| err.message().to_string()),
            Ok(expected.iter().map(|rows| rows.to_string()).collect())
        )
    };
    check(
        "result_body_path: ids.id",
        &["<ids><id>1</id><id>2</id></ids>", "<ids><id>3</id></ids>", "<ids/>", "<ids><id>x</id></ids>"],
        &["2 rows: value BIGINT: 1 | 2", "1 rows: value BIGINT: 3", "0 rows: ", "1 rows: value VARCHAR: x"],
    );
    check(
        "result_body_path: r.i",
        &["<r><i/><i><a>1</a></i></r>", "<r><i/></r>", "<r><i a='1'/></r>", "<r n='0'><i>5</i></r>"],
        &["2 rows: a BIGINT: NULL | 1", "1 rows: value undecided: NULL", "1 rows: @a BIGINT: 1", "1 rows: value BIGINT: 5"],
    );
    check("result_body_path: a.b.c", &["<a><b><c>1</c></b><b/><b><c>2</c><c>3</c></b></a>"], &["3 rows: value BIGINT: 1 | 2 | 3"]);
    // There is one outermost element, and no list of such.
    check("result_body_path: ids", &["<ids/>"], &["0 rows: "]);
    let message = rows_of_xml("result_body_path: ids", &["<ids>5</ids>"]).unwrap_err().message().to_string();
    assert!(message.starts_with("result path 'ids' is an integer; expected a list or an object"), "{message}");
    check("result_body_path: r.i\nkeyed_by: k", &["<r><i/></r>"], &["0 rows: "]);
}

proptest! {
    /// The law of forms: each record becomes one row.
    #[test]
    fn each_record_is_a_row_whatever_its_form(n_records in 0..20_usize) {
        let numbers: Vec<usize> = (0..n_records).collect();
        let list = |each: &dyn Fn(&usize) -> String| numbers.iter().map(each).collect::<Vec<_>>().join(",");
        let cases = [
            ("keyed_by: k", format!("{{{}}}", list(&|n| format!("\"k{n}\":{{\"n\":{n}}}")))),
            ("result_body_path: r\nrow_names: names", format!("{{\"names\":[\"n\"],\"r\":[{}]}}", list(&|n| format!("[{n}]")))),
            ("zip: {n: ns}", format!("{{\"ns\":[{}]}}", list(&|n| n.to_string()))),
        ];
        for (lines, body) in cases {
            let batch = load_of(lines, &body).unwrap();
            let found: Vec<String> = batch.schema.columns.iter().position(|column| column.name == "n")
                .map_or(Vec::new(), |idx| (0..batch.n_rows).filter_map(|row_idx| cell(&batch.columns[idx], row_idx)).collect());
            prop_assert_eq!(found, numbers.iter().map(usize::to_string).collect::<Vec<_>>(), "{}", lines);
        }
    }

    #[test]
    fn any_body_is_reshaped_without_panic(value in crate::document::tests::json_value(), form in 0..8_usize) {
        let forms = ["keyed_by: a", "row_names: a", "row_names: [a, b]", "zip: {x: a, y: b}", "row_names: {a: b, c: [d]}", "result_body_path: '1.a'\nrow_names: '0'", "tree: {below: a, also: b, label: c}", "tree: {below: a}\nrow_names: {b: {names: c.d, value: e}}"];
        let _ = load_of(forms[form], &value.to_string());
    }
}

#[test]
fn an_object_with_year_month_and_day_is_a_day_where_one_is_declared() {
    let lines = "columns: {day: {type: DATE, source: range.start}, to: DATE}";
    check(
        &table(lines),
        &[
            r#"[{"range":{"start":{"year":2024,"month":2,"day":29}},"to":{"day":1,"month":1,"year":1}},{"range":{"start":null}},{"range":null}]"#,
        ],
        "day DATE: 2024-02-29 | NULL | NULL\n to DATE: 0001-01-01 | NULL | NULL\n range undecided: NULL | NULL | NULL",
    );
    for day in [
        r#"{"year":2023,"month":2,"day":29}"#,
        r#"{"year":2023,"month":2}"#,
        r#"{"year":2023,"month":2,"day":0}"#,
        r#"{"year":2023,"month":2,"day":1,"hour":5}"#,
        r#"{"year":"x","month":2,"day":1}"#,
        r#"{"year":20230,"month":2,"day":1}"#,
        "{}",
    ] {
        fails(lines, &format!(r#"[{{"to":{day}}}]"#), "column 'to', row 1 of the page: found an object that is not a DATE");
    }
}
