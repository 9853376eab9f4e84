//! Tests of parsing, walking and writing JSON.

use super::*;
use proptest::prelude::*;

/// Returns a body's weight, with no limit to it.
fn any_weight(body: &[u8]) -> Weight {
    Weight::of(body, u64::MAX)
}

#[test]
fn a_body_whose_numbers_make_a_tree_is_refused_when_that_is_too_large() {
    let body = format!("[0.1234567890123456789{}]", ",1".repeat(1000)).into_bytes();
    let weight = Weight::of(&body, u64::MAX);
    let most = weight.tree_bytes() - 1;
    assert!(weight.parsed_bytes() < most);
    let fault = Parser::default().read(&body, weight, most, |_| ()).unwrap_err();
    assert!(fault.to_string().contains("the page takes too much memory: 1 MiB with 1002 keys and values"), "{fault}");
    assert!(Parser::default().read(&body, weight, most + 1, |_| ()).is_ok());
}

fn check(body: &str, expected: &str) {
    let mut bytes = body.as_bytes().to_vec();
    let from_parser = Parser::default().read(&bytes, any_weight(&bytes), u64::MAX, |node| node.to_json()).unwrap();
    assert_eq!(from_parser, expected, "{body}");
    assert_eq!(parse(&mut bytes).unwrap().root().to_json(), expected, "{body}");
}

fn check_error(body: &[u8], expected: &str) {
    let err = parse(&mut body.to_vec()).unwrap_err();
    assert_eq!(err.to_string(), expected);
    assert_eq!(Parser::default().read(body, any_weight(body), u64::MAX, |_| ()), Err(err));
}

#[test]
fn integers_keep_all_their_digits() {
    let two_127 = "170141183460469231731687303715884105728";
    let two_128_and_1 = "340282366920938463463374607431768211457";
    let digits_40 = "1234567890123456789012345678901234567890";
    for digits in ["0", "-1", "9223372036854775808", "-9223372036854775809", "18446744073709551617", two_127, two_128_and_1, digits_40] {
        check(digits, digits);
        check(&format!("[{digits},1,\"a\\nb\"]"), &format!("[{digits},1,\"a\\nb\"]"));
        let negative = format!("-{}", digits.trim_start_matches('-'));
        if digits != "0" {
            check(&negative, &negative);
        }
    }
}

#[test]
fn other_numbers_keep_their_value() {
    check("[0.1,-0,-0.0,1.0,1e5,1e400,-1e400,1e-400]", "[0.1,0,-0.0,1.0,100000.0,1e+400,-1e+400,1e-400]");
    check("[0.1,-0,-0.0,1.0,1.5e300]", "[0.1,0,-0.0,1.0,1.5e300]");
}

#[test]
fn of_equal_keys_the_last_wins() {
    check(r#"{"a":1,"b":2,"a":3}"#, r#"{"b":2,"a":3}"#);
    let many: String = (0..40).map(|idx| format!("\"k{}\":{idx},", idx % 20)).collect();
    let body = format!("{{{}}}", many.trim_end_matches(','));
    let expected: Vec<String> = (20..40).map(|idx| format!("\"k{}\":{idx}", idx % 20)).collect();
    check(&body, &format!("{{{}}}", expected.join(",")));
    let mut bytes = br#"{"a":1,"a":{"b":2}}"#.to_vec();
    let document = parse(&mut bytes).unwrap();
    assert_eq!(document.root().at(&["a".into(), "b".into()]).unwrap().to_json(), "2");
}

#[test]
fn a_byte_order_mark_is_skipped() {
    check("\u{feff}{\"a\":null}", r#"{"a":null}"#);
}

#[test]
fn texts_are_unescaped_and_escaped() {
    check(r#"["\u00e9\ud83d\ude00\n\u0000\"\\\/"]"#, "[\"\u{e9}\u{1f600}\\n\\u0000\\\"\\\\/\"]");
    check(r#"{"\"k\"":""}"#, r#"{"\"k\"":""}"#);
}

#[test]
fn lone_surrogates_become_replacement_characters() {
    check(r#"["cut \ud83d","\ude00\\ud83d",1]"#, "[\"cut \u{fffd}\",\"\u{fffd}\\\\ud83d\",1]");
}

#[test]
fn what_is_no_json_is_an_error_that_says_where() {
    check_error(b"", "the body is empty; expected JSON");
    check_error(b"\xEF\xBB\xBF \n", "the body is empty; expected JSON");
    check_error(b"{\"a\":1} x", "the body is not JSON: trailing characters at line 1, column 9");
    check_error(b"{\"a\":\n 1,}", "the body is not JSON: trailing comma at line 2, column 4");
    check_error(b"<html><b>no</b></html>", "the body is not JSON: expected value at line 1, column 1");
    check_error(b"[\"\xff\"]", "the body is not UTF-8 at line 1, column 3; expected JSON in UTF-8");
    check_error(b"[1, 2", "the body is not JSON: EOF while parsing a list at line 1, column 5");
}

#[test]
fn an_error_knows_the_byte() {
    let offset = |body: &[u8]| parse(&mut body.to_vec()).unwrap_err().offset();
    assert_eq!(offset(b"{\"a\":\n 1,}"), Some(9));
    assert_eq!(offset(b"\xEF\xBB\xBF[\"\xff\"]"), Some(5));
    assert_eq!(offset(b"\xEF\xBB\xBF[1]x"), Some(6));
    assert_eq!(offset(b" "), None);
}

#[test]
fn deep_nesting_is_an_error_and_no_stack_overflow() {
    check_error("[".repeat(100_000).as_bytes(), "the body is nested deeper than 128 levels; expected fewer");
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    check(&nested(120), &nested(120));
    assert!(parse(&mut nested(130).into_bytes()).is_err());
    let objects = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    check_error(objects.as_bytes(), "the body is nested deeper than 128 levels; expected fewer");
}

#[test]
fn a_parser_is_usable_after_an_error() {
    let mut parser = Parser::default();
    assert!(parser.read(b"[1,", any_weight(b"[1,"), u64::MAX, |_| ()).is_err());
    assert_eq!(parser.read(b"[1]", any_weight(b"[1]"), u64::MAX, |node| node.to_json()).unwrap(), "[1]");
}

fn check_path(path: &str, body: &str, expected: Option<&str>) {
    let mut bytes = body.as_bytes().to_vec();
    let document = parse(&mut bytes).unwrap();
    assert_eq!(JsonPath::parse(path).unwrap().find(document.root(), |node| node.to_json()).as_deref(), expected, "{path} in {body}");
}

#[test]
fn paths_find_the_first_match() {
    let body = r#"{"data":[{"id":"x1"},{"id":"x2"}],"next":null,"n":12,"more":true,"a b":{"c":1.5},"big":18446744073709551617}"#;
    for (path, expected) in [
        ("data[-1:].id", Some("\"x2\"")),
        ("$.data[-1].id", Some("\"x2\"")),
        ("data[0].id", Some("\"x1\"")),
        ("data[-2].id", Some("\"x1\"")),
        ("data[*].id", Some("\"x1\"")),
        ("$..id", Some("\"x1\"")),
        ("data[5].id", None),
        ("data[-3].id", None),
        ("next", Some("null")),
        ("missing.deep", None),
        ("n", Some("12")),
        ("more", Some("true")),
        ("big", Some("18446744073709551617")),
        ("['a b'].c", Some("1.5")),
    ] {
        check_path(path, body, expected);
    }
    check_path("[-1].id", r#"[{"id":1},{"id":2}]"#, Some("2"));
    check_path("[-1:].id", "[]", None);
    assert!(JsonPath::parse("a[").is_err());
}

#[test]
fn paths_find_integers_and_booleans() {
    let mut bytes = br#"{"n":12,"t":"34","d":5.0,"b":false,"one":1,"s":"True","x":null}"#.to_vec();
    let document = parse(&mut bytes).unwrap();
    let integer = |path: &str| JsonPath::parse(path).unwrap().find_integer(document.root());
    assert_eq!([integer("n"), integer("t"), integer("d"), integer("b"), integer("x")], [Some(12), Some(34), Some(5), None, None]);
    let boolean = |path: &str| JsonPath::parse(path).unwrap().find_bool(document.root());
    assert_eq!([boolean("b"), boolean("one"), boolean("s"), boolean("n"), boolean("x")], [Some(false), Some(true), Some(true), None, None]);
    assert!(!JsonPath::parse("x").unwrap().is_present(document.root()));
}

proptest! {
    #[test]
    fn the_parser_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&mut body.clone());
        let _ = Parser::default().read(&body, any_weight(&body), u64::MAX, |node| node.to_json());
    }

    #[test]
    fn near_json_never_panics(body in "[\\[\\]{}:,\"0-9eE.\\-+a-f\\\\u ]{0,60}") {
        let parsed = parse(&mut body.clone().into_bytes()).map(|document| document.root().to_json());
        let strict = serde_json::from_str::<serde_json::Value>(&body);
        prop_assert_eq!(parsed.is_ok(), strict.is_ok(), "{}", body);
    }

    #[test]
    fn trees_and_tapes_agree(value in super::tests::json_value()) {
        let text = value.to_string();
        let mut bytes = text.clone().into_bytes();
        let document = parse(&mut bytes).unwrap();
        prop_assert_eq!(document.root().to_value().to_string(), text);
    }
}

/// Any JSON of texts, integers, booleans and null.
pub(crate) fn json_value() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{json, Value};
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c\u{e9}\"\\\\\n]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|values| json!(values)),
            proptest::collection::btree_map("[a-d]{0,2}", inner, 0..5).prop_map(|entries| json!(entries)),
        ]
    })
}

#[test]
fn keys_that_begin_with_an_at_sign_are_taken_as_they_are() {
    let body = r#"{"@odata.nextLink":"https://a/2","@count":3}"#;
    let found = |path: &str| {
        let mut bytes = body.as_bytes().to_vec();
        let document = parse(&mut bytes).unwrap();
        JsonPath::parse(path).map(|path| path.find(document.root(), |node| node.to_json()))
    };
    assert_eq!(found("@odata.nextLink").unwrap().as_deref(), Some("\"https://a/2\""));
    assert_eq!(found("@count").unwrap().as_deref(), Some("3"));
    assert_eq!(found(r#"$["@odata.nextLink"]"#).unwrap().as_deref(), Some("\"https://a/2\""));
    let message = found("next-page").unwrap_err().to_string();
    assert!(message.contains(r#"["the key"]"#), "{message}");
}
