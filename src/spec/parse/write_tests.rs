//! What `write` may say, and its mistakes.

use super::tests::{check_table_mistake, table_spec};
use crate::document::JsonValue;
use crate::spec::{Body, JsonTemplate, Method, ParamValue, Template, WriteDef};

fn write_of(lines: &str) -> WriteDef {
    let spec = table_spec(lines).unwrap_or_else(|err| panic!("{err}")).unwrap();
    spec.table("u").unwrap().write.clone().unwrap().action(None).unwrap().clone()
}

#[test]
fn a_path_is_enough() {
    let write_def = write_of("write: {path: things}");
    assert_eq!((write_def.method, write_def.body.clone(), write_def.most_rows()), (Method::Post, Body::Json(JsonTemplate::Row), 1));
    assert_eq!(write_def.path.as_literal(), Some("/things"));
    assert!(write_def.params.is_empty() && write_def.key.is_empty() && !write_def.may_repeat());
}

#[test]
fn every_key_is_read() {
    let write_def = write_of(
        "write: {method: put, path: '/t/{id}', params: {dry: true, q: '${name}'}, batch: 50, key: [a, b], idempotency_header: X-Key, \
         body: {items: '${rows}', by: '${site}', text: 'x ${name}', n: 1.10, odd: 007, none: null, flags: [true, a]}}",
    );
    assert_eq!((write_def.method, write_def.most_rows(), write_def.key.join(",")), (Method::Put, 50, "a,b".to_string()));
    assert_eq!(write_def.idempotency_header.as_deref(), Some("X-Key"));
    assert_eq!(write_def.params[0], ("dry".to_string(), ParamValue::Boolean(true)));
    let Body::Json(template) = &write_def.body else { panic!("{:?}", write_def.body) };
    assert_eq!((template.templates().len(), template.has(&JsonTemplate::Rows)), (2, true));
    let JsonTemplate::Object(entries) = template else { panic!("{template:?}") };
    let value = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap();
    assert_eq!(value("items"), JsonTemplate::Rows);
    assert_eq!(value("by"), JsonTemplate::Text(Template::of_hole("site")));
    assert_eq!(value("n"), JsonTemplate::Value(JsonValue::Number("1.10".parse().unwrap())));
    assert_eq!(value("odd"), JsonTemplate::Value("007".into()));
    assert_eq!(value("none"), JsonTemplate::Value(JsonValue::Null));
}

#[test]
fn a_body_can_be_left_out() {
    assert_eq!(write_of("write: {path: /x, body: none}").body, Body::None);
    assert_eq!(write_of("write: {path: /x, method: DELETE}").body, Body::None);
    let whole = write_of("write: {path: /x, body: '${payload}'}").body;
    assert_eq!(whole, Body::Json(JsonTemplate::Text(Template::of_hole("payload"))));
}

#[test]
fn what_may_be_sent_twice_is_known() {
    let check = |lines: &str, expected: bool| assert_eq!(write_of(lines).may_repeat(), expected, "{lines}");
    check("write: {path: /x, method: PUT}", true);
    check("write: {path: /x, method: Delete}", true);
    check("write: {path: /x, method: PATCH}", false);
    check("write: {path: /x}", false);
    check("write: {path: /x, idempotency_header: Idempotency-Key}", true);
}

#[test]
fn a_table_may_have_several_actions() {
    let spec =
        table_spec("write: {insert: {path: /x}, delete: {method: DELETE, path: '/x/{id}'}, update: {path: '/x/{id}', form: '${row}'}}");
    let spec = spec.unwrap_or_else(|err| panic!("{err}")).unwrap();
    let writes = spec.table("u").unwrap().write.clone().unwrap();
    assert_eq!(writes.names(), ["insert", "update", "delete"]);
    assert_eq!(writes.action(None), None);
    assert_eq!(writes.action(Some("DELETE")).unwrap().method, Method::Delete);
    assert_eq!(writes.action(Some("update")).unwrap().body, Body::Form(JsonTemplate::Row));
    check_table_mistake("write: {insert: {path: /x}, path: /y}", "unknown key 'path' in 'write' of table 'u'");
    check_table_mistake("write: {insert: {pth: /x}}", "unknown key 'pth' in 'insert' in 'write' of table 'u'; did you mean 'path'?");
    check_table_mistake("write: {path: /x, form: {a: 1}, body: {a: 1}}", "it has 'body', 'form'; keep one");
    check_table_mistake("write: {path: /x, form: [1]}", "expected a mapping of names to values with '${...}' holes");
    check_table_mistake("write: {path: /x, body: {a: '${page.number}'}}", "which only requests that read fill");
    check_table_mistake("write: {path: /x, body: {a: 'x ${row}'}}", "'${row}' inside a text; expected it alone");
}

#[test]
fn mistakes_are_found() {
    check_table_mistake("write: {path: /x, metod: PUT}", "unknown key 'metod' in 'write' of table 'u'; did you mean 'method'?");
    check_table_mistake("write: /x", "'write' of table 'u' is the text '/x'; expected a mapping");
    check_table_mistake("write: {method: PUT}", "'write' of table 'u' has no 'path'");
    check_table_mistake("write: {path: 'https://elsewhere/x'}", "expected a path below base_url");
    check_table_mistake(
        "write: {path: /x, method: GET}",
        "method 'GET' of 'write' of table 'u' does not write; expected one of: POST, PUT",
    );
    check_table_mistake("write: {path: /x, method: PSOT}", "did you mean 'POST'?");
    check_table_mistake("write: {path: /x, batch: 0}", "expected a whole number of 1 or more");
    check_table_mistake("write: {path: /x, params: [a]}", "expected a mapping of param names to values");
    check_table_mistake("write: {path: /x, params: {a: [1]}}", "a value of param 'a' of 'write' of table 'u' is a list");
    check_table_mistake("write: {path: /x, body: hello}", "expected a mapping or a list with '${...}' holes");
    check_table_mistake("write: {path: /x, body: 7}", "expected a mapping or a list with '${...}' holes");
    check_table_mistake("write: {path: /x, body: {a: '${rows}'}}", "say with 'batch' how many rows a request may have");
    check_table_mistake("write: {path: /x, batch: 5, body: {a: '${b}'}}", "no place for the rows; put '${rows}' into 'body'");
    check_table_mistake("write: {path: /x, batch: 5, body: none}", "no place for the rows");
    check_table_mistake("write: {path: /x, batch: 5, method: DELETE}", "no place for the rows");
    check_table_mistake("write: {path: /x, batch: 5, body: {a: 'x ${rows}'}}", "'${rows}' inside a text; expected it alone");
    check_table_mistake("write: {path: /x, idempotency_header: 'a b'}", "no valid HTTP header name");
}
