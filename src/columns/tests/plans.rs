//! Where records are found, and what a table's definition makes of their fields.

use super::*;
use crate::spec::{Missing, ScalarType};

#[test]
fn objects_are_flattened_to_any_depth() {
    check(
        &table_def(),
        &[r#"[{"a":{"b":{"c":{"d":1}},"e":"x"}},{"a":{"b":null}},{}]"#],
        "a_b_c_d BIGINT: 1 | NULL | NULL\n a_e VARCHAR: x | NULL | NULL\n a_b undecided: NULL | NULL | NULL",
    );
    check(&with(|t| t.nested = Nested::Json), &[r#"[{"a":{"b":1},"c":[1]}]"#], "a JSON: {\"b\":1}\n c BIGINT[]: [1]");
    check(&with(|t| t.nested = Nested::Depth(1)), &[r#"[{"a":{"b":{"c":1},"d":2}}]"#], "a_b JSON: {\"c\":1}\n a_d BIGINT: 2");
}

#[test]
fn names_are_unique_without_regard_to_case() {
    check(
        &table_def(),
        &[r#"[{"a_b":1,"a":{"b":2},"A_B":3,"a_b_1":4}]"#],
        "a_b BIGINT: 1\n a_b_1 BIGINT: 2\n A_B_2 BIGINT: 3\n a_b_1_1 BIGINT: 4",
    );
    check(&table_def(), &[r#"[{"Name":1,"name":2,"NAME":3}]"#], "Name BIGINT: 1\n name_1 BIGINT: 2\n NAME_2 BIGINT: 3");
}

#[test]
fn names_may_be_anything() {
    let long = "x".repeat(300);
    let body = format!(r#"[{{"":1,"a \"b\" c":2,"a.b":3,"select":4,"rowid":5,"\ud83d\ude00":6,"\u0000z":7,"{long}":8,"$param":9}}]"#);
    let expected = format!("column BIGINT: 1\n a \"b\" c BIGINT: 2\n a.b BIGINT: 3\n select BIGINT: 4\n rowid BIGINT: 5\n \u{1f600} BIGINT: 6\n _z BIGINT: 7\n {long} BIGINT: 8\n $param BIGINT: 9");
    check(&table_def(), &[&body], &expected);
    let batch = load(&table_def(), &[&body, &body]).unwrap();
    assert_eq!(batch.columns.len(), 9);
    assert_eq!(batch.schema.columns[8].source_path(), "$param");
}

#[test]
fn new_fields_append_columns() {
    check(
        &table_def(),
        &[r#"[{"a":1}]"#, r#"[{"b":2,"a":3}]"#, r#"[{"c":{"d":"x"}}]"#],
        "a BIGINT: 1 | 3 | NULL\n b BIGINT: NULL | 2 | NULL\n c_d VARCHAR: NULL | NULL | x",
    );
    let mut pages: Vec<String> = (0..60).map(|idx| format!("[{{\"a\":{idx}}}]")).collect();
    pages[49] = r#"[{"late":true}]"#.into();
    let batch = load(&table_def(), &pages.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    assert_eq!((cell(&batch.columns[1], 49), cell(&batch.columns[1], 48)), (Some("true".into()), None));
}

#[test]
fn an_object_that_is_sometimes_a_scalar_keeps_both() {
    check(&table_def(), &[r#"[{"a":{"b":1}},{"a":"none"},{"a":{"b":2}}]"#], "a_b BIGINT: 1 | NULL | 2\n a VARCHAR: NULL | none | NULL");
}

#[test]
fn empty_objects_are_json_where_nothing_else_is() {
    check(&table_def(), &[r#"[{"a":{}},{"a":null}]"#], "a JSON: {} | NULL");
    check(&table_def(), &[r#"[{"a":{"b":1}},{"a":{}}]"#], "a_b BIGINT: 1 | NULL");
    check(&table_def(), &[r#"[{"a":"x"},{"a":{}}]"#], "a JSON: \"x\" | {}");
    check(&table_def(), &["[{},{}]"], "value undecided: NULL | NULL");
}

#[test]
fn of_equal_keys_the_last_wins() {
    check(&table_def(), &[r#"[{"a":1,"b":0,"a":"x"},{"a":"y","a":null}]"#], "a VARCHAR: x | NULL\n b BIGINT: 0 | NULL");
    check(
        &table_def(),
        &[r#"[{"a":{"x":1},"a":{"y":2}},{"a":{"y":3,"x":4},"a":5}]"#],
        "a_x BIGINT: NULL | NULL\n a_y BIGINT: 2 | NULL\n a BIGINT: NULL | 5",
    );
    check(&table_def(), &[r#"[{"a":[1,2],"a":[3]},{"a":[4]}]"#], "a BIGINT[]: [3] | [4]");
}

#[test]
fn keys_in_any_order_meet_their_columns() {
    let body = r#"[{"a":1,"b":2,"c":{"x":3,"y":4}},{"c":{"y":5,"x":6},"b":7,"a":8},{"b":9},{"a":10,"c":{"y":11}}]"#;
    check(
        &table_def(),
        &[body],
        "a BIGINT: 1 | 8 | NULL | 10\n b BIGINT: 2 | 7 | 9 | NULL\n c_x BIGINT: 3 | 6 | NULL | NULL\n c_y BIGINT: 4 | 5 | NULL | 11",
    );
}

#[test]
fn records_are_found_through_lists() {
    let table_def = with(|t| t.result_body_path = keys("ResultsByTime.Groups"));
    let body = r#"{"ResultsByTime":[{"Groups":[{"a":1},{"a":2}]},{"Groups":[]},{"Groups":null},{"Groups":{"a":3}}]}"#;
    check(&table_def, &[body], "a BIGINT: 1 | 2 | 3");
    check(&table_def, &[r#"{"ResultsByTime":null}"#], "");
    check(&table_def, &[r#"{"ResultsByTime":[]}"#], "");
}

#[test]
fn one_object_is_one_row_and_null_none() {
    check(&table_def(), &[r#"{"a":1}"#], "a BIGINT: 1");
    assert_eq!(load(&table_def(), &["null"]).unwrap().n_rows, 0);
    assert_eq!(load(&table_def(), &["[]"]).unwrap().n_rows, 0);
}

#[test]
fn an_empty_object_in_the_place_of_records_is_no_row() {
    let rows = |table_def: &TableDef, body: &str| load(table_def, &[body]).unwrap().n_rows;
    assert_eq!(rows(&table_def(), "{}"), 0);
    let with_meta = |path: &str| {
        with(|t| {
            t.result_body_path = keys(path);
            t.result_meta_paths = vec![keys("page")];
        })
    };
    assert_eq!(rows(&with_meta("items"), r#"{"items":{},"page":1}"#), 0);
    assert_eq!(rows(&with_meta("orders.lines"), r#"{"orders":[{"lines":{}},{"lines":[{"a":1}]}],"page":1}"#), 1);
    assert_eq!(rows(&with_meta("items"), r#"{"items":[{},{}],"page":1}"#), 2);
    assert_eq!(rows(&with(|t| t.result_object_path = Some("settings".into())), r#"{"settings":{}}"#), 1);
}

#[test]
fn columns_share_a_source() {
    let varchar = Some(DeclaredType::Scalar(ScalarType::Varchar));
    let table_def = with(|t| {
        t.columns = vec![
            column("a", None, None),
            column("b_c", varchar, None),
            column("x", varchar, Some("a")),
            column("y", None, Some("a")),
            column("z", None, Some("b.c")),
        ];
    });
    check(
        &table_def,
        &[r#"[{"a":1,"b":{"c":2}},{"a":"r"}]"#, r#"[{"b":{"c":[3],"c":4},"b":{"d":true}},{"a":{"e":1}}]"#],
        "a JSON: 1 | \"r\" | NULL | {\"e\":1}\n b_c VARCHAR: 2 | NULL | NULL | NULL\n x VARCHAR: 1 | r | NULL | {\"e\":1}\n \
         y JSON: 1 | \"r\" | NULL | {\"e\":1}\n z JSON: 2 | NULL | NULL | NULL\n b_d BOOLEAN: NULL | NULL | true | NULL",
    );
    // A name that flattening gives to an undeclared field is that of the field which had it first.
    let table_def = with(|t| t.columns = vec![column("a_b", None, None)]);
    let page = r#"[{"a_b":1,"a":{"b":2}}]"#;
    check(&table_def, &[page, page], "a_b BIGINT: 1 | 1\n a_b_1 BIGINT: 2 | 2");
}

#[test]
fn prefixes_are_taken_off_meta_columns_too() {
    let table_def = with(|t| {
        t.result_body_path = keys("data");
        t.result_meta_paths = vec![keys("usage.total")];
        t.strip_prefixes = vec!["usage_".into()];
    });
    check(&table_def, &[r#"{"usage":{"total":3},"data":[{"usage_id":1}]}"#], "total BIGINT: 3\nid BIGINT: 1");
}

#[test]
fn a_missing_list_may_be_declared_empty() {
    let table_def = with(|t| {
        t.result_body_path = keys("data.entries");
        t.missing = Missing::Empty;
    });
    let rows = |body: &str| load(&table_def, &[body]).map(|batch| batch.n_rows);
    assert_eq!(rows(r#"{"data":{"page":1}}"#).unwrap(), 0);
    assert_eq!(rows(r#"{"page":1}"#).unwrap(), 0);
    assert_eq!(rows(r#"{"data":{"entries":[{"a":1}]}}"#).unwrap(), 1);
    assert!(rows("5").is_err());
}

#[test]
fn a_missing_path_is_an_error_with_the_keys_there_are() {
    let table_def = with(|t| t.result_body_path = keys("data.items"));
    check_error(
        &table_def,
        r#"{"error":"x","status":1}"#,
        "no key 'data' of result path 'data.items': the body has 'error', 'status'; check 'result_body_path', or write 'missing: empty' where that means that there are no rows",
    );
    check_error(
        &table_def,
        r#"{"data":{}}"#,
        "no key 'items' of result path 'data.items': 'data' is an empty object; check 'result_body_path', or write 'missing: empty' where that means that there are no rows",
    );
    check_error(
        &table_def,
        r#"{"data":[{"x":1},{"y":1}]}"#,
        "no key 'items' of result path 'data.items': 'data' has 'x'; check 'result_body_path', or write 'missing: empty' where that means that there are no rows",
    );
    check_error(&table_def, "5", "no key 'data' of result path 'data.items': the body is an integer; check 'result_body_path'");
}

#[test]
fn records_that_are_no_objects_go_to_a_column() {
    check(&table_def(), &[r#"["a","b"]"#], "value VARCHAR: a | b");
    check(&table_def(), &["[[1,2],[3]]"], "value BIGINT[]: [1, 2] | [3]");
    check(&table_def(), &[r#"[{"a":1},5,null,{"value":6}]"#], "a BIGINT: 1 | NULL | NULL | NULL\n value BIGINT: NULL | 5 | NULL | 6");
}

#[test]
fn an_object_path_gives_one_row_without_flattening() {
    let table_def = with(|t| t.result_object_path = Some("result".into()));
    check(
        &table_def,
        &[r#"{"result":{"a":1,"b":{"c":2},"d":[1],"e":"2023-01-01"}}"#],
        "a BIGINT: 1\n b JSON: {\"c\":2}\n d JSON: [1]\n e DATE: 2023-01-01",
    );
}

#[test]
fn fields_above_the_records_are_copied() {
    let table_def = with(|t| {
        t.result_body_path = keys("ResultsByTime.Groups");
        t.result_meta_paths = vec![keys("ResultsByTime.TimePeriod"), keys("Page.No"), keys("ResultsByTime.Missing")];
    });
    let body = r#"{"Page":{"No":7},"ResultsByTime":[{"TimePeriod":{"Start":"2023-01-01","End":{"x":1}},"Groups":[{"a":1},{"a":2}]},{"TimePeriod":{"Start":"2023-02-01"},"Groups":[{"a":3}]}]}"#;
    check(
        &table_def,
        &[body],
        "ResultsByTime_TimePeriod_Start DATE: 2023-01-01 | 2023-01-01 | 2023-02-01
         ResultsByTime_TimePeriod_End_x BIGINT: 1 | 1 | NULL
         Page_No BIGINT: 7 | 7 | 7
         ResultsByTime_Missing undecided: NULL | NULL | NULL
         a BIGINT: 1 | 2 | 3",
    );
}

#[test]
fn an_ancestor_is_copied_without_the_records() {
    let table_def = with(|t| {
        t.result_body_path = keys("data.items");
        t.result_meta_paths = vec![keys("data")];
    });
    check(&table_def, &[r#"{"data":{"id":9,"items":[{"id":1},{"id":2}]}}"#], "data_id BIGINT: 9 | 9\n id BIGINT: 1 | 2");
}

#[test]
fn only_selected_fields_come_along() {
    let table_def = with(|t| {
        t.select = vec![names_pattern("id"), names_pattern("owner"), ColumnPattern::Regex(regex::Regex::new("^(?:.*_at)$").unwrap())]
    });
    check(
        &table_def,
        &[r#"[{"id":1,"identity":2,"owner":{"id":3,"x":{"y":4}},"created_at":"a","b":5,"c":{}}]"#],
        "id BIGINT: 1\n owner_id BIGINT: 3\n owner_x_y BIGINT: 4\n created_at VARCHAR: a",
    );
}

#[test]
fn pages_differ_in_fields_that_are_left_out() {
    let selected = with(|t| t.select = vec![names_pattern("state")]);
    let day = column("at", Some(DeclaredType::Scalar(ScalarType::Date)), None);
    let declared = with(|t| {
        t.columns = vec![column("state", None, None), day];
        t.only_columns = true;
    });
    let page = |id: &str| format!(r#"[{{"id":{id},"state":"open"}},{{"id":0,"state":"open","none":null}}]"#);
    for table_def in [&selected, &declared] {
        let prints: Vec<u64> =
            ["1", "2", "1.5", "\"1\"", "[1]", "[1,2]", "{\"a\":1}", "{\"b\":1}", "true", "false", "1e400", "[[],1]", "[[1]]"]
                .iter()
                .map(|id| fingerprint(table_def, &page(id)))
                .collect();
        assert_eq!(prints.iter().collect::<std::collections::HashSet<_>>().len(), prints.len(), "{prints:?}");
        let swapped = r#"[{"state":"open","id":0},{"state":"open","id":1}]"#;
        assert_ne!(fingerprint(table_def, swapped), prints[0], "the order of the rows counts");
        let same = r#"[{"state":"open","id":1},{"more":null,"state":"open","id":0}]"#;
        assert_eq!(fingerprint(table_def, same), prints[0], "the order of the keys does not count");
    }
    let at = |time: &str| fingerprint(&declared, &format!(r#"[{{"at":"2024-01-01T{time}Z"}}]"#));
    assert_ne!(at("00:00:00"), at("00:00:01"));
}

#[test]
fn prefixes_are_stripped() {
    let table_def = with(|t| t.strip_prefixes = vec!["fields_".into(), "fields_status_".into()]);
    check(
        &table_def,
        &[r#"[{"fields":{"a":1,"status":{"name":"x"}},"fields_":2,"a":3}]"#],
        "a BIGINT: 1\n name VARCHAR: x\n fields_ BIGINT: 2\n a_1 BIGINT: 3",
    );
}

#[test]
fn declared_columns_come_first_and_keep_their_type() {
    let table_def = with(|t| {
        t.columns = vec![
            column("when", Some(DeclaredType::Scalar(ScalarType::Date)), Some("meta.created")),
            column("owner_login", Some(DeclaredType::Scalar(ScalarType::Varchar)), None),
            column("amount", Some(DeclaredType::Scalar(ScalarType::Double)), None),
            column("raw", Some(DeclaredType::Json), Some("meta")),
            column("plain", None, None),
            column("tags", Some(DeclaredType::List(ScalarType::Varchar)), None),
        ];
    });
    let pages = [
        r#"[{"owner":{"login":1,"id":2},"amount":"12.5","meta":{"created":"2023-01-31T10:00:00Z","x":1},"tags":[1,"a",null]}]"#,
        r#"[{"plain":true,"amount":3,"owner":{"login":{"a":1}}}]"#,
    ];
    let expected = r#"when DATE: 2023-01-31 | NULL
        owner_login VARCHAR: 1 | {"a":1}
        amount DOUBLE: 12.5 | 3.0
        raw JSON: {"created":"2023-01-31T10:00:00Z","x":1} | NULL
        plain BOOLEAN: NULL | true
        tags VARCHAR[]: [1, a, NULL] | NULL"#;
    check(&table_def, &pages, &format!("{expected}\n owner_id BIGINT: 2 | NULL"));
    let only = TableDef { only_columns: true, ..table_def };
    check(&only, &pages, expected);
}

#[test]
fn what_a_declared_type_has_no_room_for_is_an_error() {
    let table_def = with(|t| t.columns = vec![column("n", Some(DeclaredType::Scalar(ScalarType::BigInt)), None)]);
    let message = |kind: &str| {
        format!("column 'n', row 2 of the page: found {kind} that is not a BIGINT, the type the spec declares; declare a wider type")
    };
    for (value, kind) in [
        ("\"secret\"", "a text"),
        ("1.5", "a number"),
        ("[1]", "a list"),
        ("{\"a\":1}", "an object"),
        ("true", "a boolean"),
        ("9223372036854775808", "an integer"),
    ] {
        check_error(&table_def, &format!("[{{\"n\":1}},{{\"n\":{value}}}]"), &message(kind));
    }
    check(&table_def, &[r#"[{"n":"12"},{"n":3.0},{"n":null}]"#], "n BIGINT: 12 | 3 | NULL");
}

#[test]
fn params_are_copied() {
    let table_def = with(|t| t.copy_params_to_output = vec!["org".into(), "n".into(), "day".into()]);
    let plan = RowPlan::new(&table_def);
    let types = [ScalarType::Varchar, ScalarType::BigInt, ScalarType::Date].map(ColumnType::Scalar);
    let params: Vec<(String, ColumnType)> = table_def.copy_params_to_output.iter().cloned().zip(types).collect();
    let values = [ParamValue::Text("2023-01-01".into()), ParamValue::Integer(5), ParamValue::Text("2023-01-01".into())];
    let schema = plan.initial_schema(&params);
    let batch = convert_with(&table_def, r#"[{"a":1,"org":2},{"a":3}]"#, &schema, &values).unwrap();
    let expected = "org VARCHAR: 2023-01-01 | 2023-01-01\nn BIGINT: 5 | 5\nday DATE: 2023-01-01 | 2023-01-01\na BIGINT: 1 | 3\norg_1 BIGINT: 2 | NULL\n";
    assert_eq!(show(&batch), expected);
    let other = [ParamValue::Null, ParamValue::Text("x".into())];
    let later = convert_with(&table_def, r#"[{"a":1}]"#, &batch.schema, &other).unwrap();
    assert_eq!(show(&later), "org VARCHAR: NULL\nn VARCHAR: x\nday DATE: NULL\na BIGINT: 1\norg_1 BIGINT: NULL\n");
}

#[test]
fn a_column_without_a_source_says_what_a_copied_param_is() {
    let table_def = with(|t| {
        t.copy_params_to_output = vec!["Day".into(), "n".into()];
        let day = Some(DeclaredType::Scalar(ScalarType::Date));
        t.columns = vec![column("a", None, None), column("day", day, None), column("n", None, None)];
    });
    let plan = RowPlan::new(&table_def);
    let params = [("Day", ScalarType::Varchar), ("n", ScalarType::BigInt)];
    let params = params.map(|(name, scalar)| (name.to_string(), ColumnType::Scalar(scalar)));
    let schema = plan.initial_schema(&params);
    let values = [ParamValue::Text("2023-01-31".into()), ParamValue::Integer(5)];
    let batch = convert_with(&table_def, r#"[{"a":1,"day":"x"}]"#, &schema, &values).unwrap();
    assert_eq!(show(&batch), "Day DATE: 2023-01-31\nn BIGINT: 5\na BIGINT: 1\nday_1 VARCHAR: x\n");
    let wrong = [ParamValue::Text("January".into()), ParamValue::Null];
    let err = convert_with(&table_def, r#"[{"a":1}]"#, &schema, &wrong).unwrap_err().to_string();
    assert!(err.contains("column 'Day', row 1 of the page: found a text that is not a DATE"), "{err}");
}

#[test]
fn two_thousand_fields_are_columns_and_too_many_an_error() {
    let record = |n: usize| format!("[{{{}}}]", (0..n).map(|idx| format!("\"f{idx}\":{idx}")).collect::<Vec<_>>().join(","));
    let batch = load(&table_def(), &[&record(2_000), &record(2_000)]).unwrap();
    assert_eq!((batch.columns.len(), cell(&batch.columns[1_999], 1)), (2_000, Some("1999".into())));
    check_error(&table_def(), &record(10_001), "more than 10000 columns; set 'nested: json' or 'select' in the table's spec");
}
