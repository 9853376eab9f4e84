//! What rows become, without a server.

use super::*;
use crate::http::sample::{adapter, basic, connection, table};
use crate::spec::{AdapterSpec, Paging};
use proptest::prelude::*;
use serde_json::json;

fn plan_of(write: &str, columns: &[&str]) -> Result<WritePlan> {
    let spec = format!("name: a\nbase_url: https://api.test/v1\nauth: {{type: NONE}}\ntables: [{{name: t, write: {write}}}]");
    let spec = AdapterSpec::parse("a.yaml", &spec).unwrap().unwrap();
    let table_def = TableDef { write: spec.tables[0].write.clone(), ..table("/t", Paging::None) };
    let connection = connection(adapter(basic()), &[("site", "main"), ("username", "me"), ("password", "s3cr3t")]);
    let columns: Vec<String> = columns.iter().map(|name| name.to_string()).collect();
    let write_def = table_def.write.as_ref().unwrap().action(None).unwrap();
    WritePlan::new(Arc::new(connection), &table_def, write_def, &columns)
}

fn rows_of(rows: &JsonValue) -> Vec<WriteRow> {
    rows.as_array().unwrap().iter().map(|row| row.as_array().unwrap().clone()).collect()
}

/// Checks the request for rows: method and URL, and the body.
fn check(write: &str, columns: &[&str], rows: JsonValue, expected: &str, body: Option<&str>) {
    let request = plan_of(write, columns).unwrap().request(&rows_of(&rows), |_| 0).unwrap();
    assert_eq!(format!("{} {}", request.request.method, request.request.url), expected);
    assert_eq!(request.request.body.as_deref(), body);
}

fn check_plan_error(write: &str, columns: &[&str], expected: &str) {
    let err = plan_of(write, columns).err().unwrap_or_else(|| panic!("{write} takes {columns:?}"));
    assert!(err.message().contains(expected), "{err}");
}

#[test]
fn holes_take_columns_and_the_rest_is_the_body() {
    let (columns, row) = (["owner", "Repo", "title", "labels"], json!([["a b", "x/y", "it's \"so\"", ["bug", null]]]));
    check(
        "{path: '/repos/{owner}/{repo}/issues'}",
        &columns,
        row,
        "POST https://api.test/v1/repos/a%20b/x%2Fy/issues",
        Some(r#"{"title":"it's \"so\"","labels":["bug",null]}"#),
    );
    check("{method: DELETE, path: '/t/{id}'}", &["id"], json!([[7]]), "DELETE https://api.test/v1/t/7", None);
    check("{path: '/lock/{id}'}", &["id"], json!([[7]]), "POST https://api.test/v1/lock/7", Some("{}"));
    check("{path: '/{site}/x', body: none}", &[], json!([[]]), "POST https://api.test/v1/main/x", None);
}

#[test]
fn params_take_columns_and_options() {
    check(
        "{path: /t, params: {a: '${x}', b: 'n ${y}', c: '${site}', d: 1, e: '${z}'}}",
        &["x", "y", "z", "v"],
        json!([["a&b", 2.5, null, true]]),
        "POST https://api.test/v1/t?a=a%26b&b=n+2.5&c=main&d=1",
        Some(r#"{"v":true}"#),
    );
}

#[test]
fn a_template_keeps_types_and_cannot_be_broken_out_of() {
    check(
        "{path: /t, body: {fields: {summary: '${title}', count: '${n}', by: 'from ${site}: ${title}', fixed: [1, x]}, raw: '${j}'}}",
        &["title", "n", "j"],
        r#"[["\"}, \"admin\": true", 1, {"a": [1, 2.50]}]]"#.parse().unwrap(),
        "POST https://api.test/v1/t",
        Some(
            r#"{"fields":{"summary":"\"}, \"admin\": true","count":1,"by":"from main: \"}, \"admin\": true","fixed":[1,"x"]},"raw":{"a":[1,2.50]}}"#,
        ),
    );
    check("{path: /t, body: '${j}'}", &["j"], json!([[[1, 2]]]), "POST https://api.test/v1/t", Some("[1,2]"));
}

#[test]
fn forms_and_texts_take_columns_too() {
    let (columns, row) = (["id", "name", "size"], json!([[7, "a & b", null]]));
    let sent = |write: &str| {
        let request = plan_of(write, &columns).unwrap().request(&rows_of(&row), |_| 0).unwrap().request;
        let content_type = request.headers.iter().find(|(name, _)| name == "Content-Type").unwrap().1.clone();
        (content_type, request.body.unwrap())
    };
    let form = sent("{path: '/t/{id}', form: {name: '${name}', size: '${size}', meta: {by: '${site}'}}}");
    assert_eq!(form, ("application/x-www-form-urlencoded".to_string(), "name=a+%26+b&meta%5Bby%5D=main".to_string()));
    assert_eq!(sent("{path: '/t/{id}', form: '${row}'}").1, "name=a+%26+b");
    assert!(sent("{path: '/t/{id}', multipart: '${row}'}").1.contains("name=\"name\"\r\n\r\na & b\r\n"));
    assert_eq!(sent("{path: '/t/{id}', key: size, text: '<${name}>'}").1, "<a & b>");
    assert_eq!(sent("{path: '/t/{id}', body: {item: '${row}'}}").1, r#"{"item":{"name":"a & b","size":null}}"#);
    let graphql = "{path: '/t/{id}', key: size, graphql: {query: 'mutation($n: String) { add(n: $n) }', variables: {n: '${name}'}}}";
    assert_eq!(sent(graphql).1, r#"{"query":"mutation($n: String) { add(n: $n) }","variables":{"n":"a & b"}}"#);
}

#[test]
fn headers_take_columns_too() {
    let plan = plan_of("{path: /t, headers: {X-Tag: '${tag}', X-None: '${none}'}, body: none}", &["tag", "none"]).unwrap();
    let header = |tag: &str| {
        let request = plan.request(&rows_of(&json!([[tag, null]])), |_| 0).map(|request| request.request)?;
        Ok::<_, crate::Error>(request.headers.into_iter().filter(|(name, _)| name.starts_with("X-")).collect::<Vec<_>>())
    };
    assert_eq!(header("a").unwrap(), [("X-Tag".to_string(), "a".to_string())]);
    assert!(header("a\r\nX-Evil: 1").unwrap_err().message().contains("no HTTP header can"));
}

#[test]
fn batches_are_lists_of_rows_with_the_same_holes() {
    let write = "{path: '/{owner}/t', batch: 3, body: {by: '${site}', items: '${rows}'}}";
    let plan = plan_of(write, &["owner", "id"]).unwrap();
    let rows = rows_of(&json!([["a", 1], ["a", 2], ["b", 3], ["a", 4]]));
    assert!(plan.fits(&rows[..1], &rows[1]) && plan.fits(&rows[..2], &rows[3]));
    assert!(!plan.fits(&rows[..2], &rows[2]), "another path");
    assert!(!plan.fits(&rows_of(&json!([["a", 1], ["a", 2], ["a", 3]])), &rows[3]), "the batch is full");
    check(
        write,
        &["owner", "id"],
        json!([["a", 1], ["a", 2]]),
        "POST https://api.test/v1/a/t",
        Some(r#"{"by":"main","items":[{"id":1},{"id":2}]}"#),
    );
    check("{path: /t, batch: 2}", &["id"], json!([[1]]), "POST https://api.test/v1/t", Some(r#"[{"id":1}]"#));
    let single = plan_of("{path: /t}", &["id"]).unwrap();
    assert!(!single.fits(&rows_of(&json!([[1]])), &vec![json!(1)]));
}

#[test]
fn data_does_not_decide_where_the_base_url_is() {
    let mut spec = adapter(basic());
    spec.base_url = Template::parse_path("https://{site}.test").unwrap();
    let write = WriteDef { path: Template::parse_path("/{site}/t").unwrap(), ..plan_of("{path: /t}", &[]).unwrap().write_def };
    let connection = Arc::new(connection(spec, &[("site", "api")]));
    let plan = WritePlan::new(connection, &table("/t", Paging::None), &write, &["site".to_string()]).unwrap();
    let request = plan.request(&[vec![json!("evil")]], |_| 0).unwrap();
    assert_eq!((request.request.url.as_str(), request.request.base.as_str()), ("https://api.test/evil/t", "https://api.test/"));
}

#[test]
fn columns_that_are_missing_or_go_nowhere_are_named() {
    check_plan_error(
        "{path: '/{ownr}/{repo}/t'}",
        &["owner"],
        "needs columns 'ownr', 'repo', which the query does not have; is it 'owner'?",
    );
    check_plan_error("{path: /t, key: id}", &["name"], "needs column 'id'");
    check_plan_error("{path: /t, body: {a: '${x}'}}", &["x", "y"], "column 'y' goes nowhere");
    check_plan_error("{method: DELETE, path: '/t/{id}'}", &["id", "name"], "column 'name' goes nowhere");
    assert!(plan_of("{path: /t, key: id, body: {a: '${x}'}}", &["x", "id"]).is_ok(), "a key has its use");
}

#[test]
fn values_that_cannot_stand_where_they_go_are_errors() {
    let error = |write: &str, value: JsonValue| {
        let plan = plan_of(write, &["id"]).unwrap();
        plan.request(&[vec![value]], |_| 0).err().unwrap().to_string()
    };
    assert!(error("{path: '/t/{id}'}", JsonValue::Null).contains("column 'id' is NULL"));
    assert!(error("{path: '/t/{id}'}", json!("..")).contains("cannot be part of a URL's path"));
    assert!(error("{path: '/t/{id}'}", json!("")).contains("is empty"));
    assert!(error("{path: '/t/{id}'}", json!([1])).contains("a list or an object"));
    assert!(error("{path: /t, body: {a: 'x ${id}'}}", JsonValue::Null).contains("no value for 'id'"));
}

#[test]
fn equal_content_has_equal_keys_and_repeats_in_a_statement_have_others() {
    let key = |write: &str, row: JsonValue, n_before: u64| {
        let request = plan_of(write, &["id", "name"]).unwrap().request(&rows_of(&json!([row])), |_| n_before).unwrap();
        let (name, value) = request.idempotency.unwrap();
        assert!(request.may_repeat && request.request.headers.contains(&(name, value.clone())));
        value
    };
    let write = "{path: /t, idempotency_header: Idempotency-Key}";
    let first = key(write, json!([1, "a"]), 0);
    assert_eq!(first, "6b4bcb1a9bf4f59c67486d8fae858ab3");
    assert_eq!(key(write, json!([1, "a"]), 0), first);
    assert_ne!(key(write, json!([2, "a"]), 0), first);
    assert_ne!(key(write, json!([1, "a"]), 1), first);
    assert_ne!(key("{path: /u, idempotency_header: Idempotency-Key}", json!([1, "a"]), 0), first);
    assert_ne!(key("{path: /t, idempotency_header: Idempotency-Key, key: id}", json!([1, "a"]), 0), first);
    let body = "{path: /t, idempotency_header: Idempotency-Key, key: id, body: {name: '${name}'}}";
    assert_ne!(key(body, json!([1, "a"]), 0), key(body, json!([2, "a"]), 0), "a key that is not in the body");
    for header in ["X-Id: '${id}'", "x-n: 'n ${id}', X-Name: '${name}'", "X-Site: '${site}', X-Id: '${id | default(0)}'"] {
        let header = format!("{{path: /t, idempotency_header: Idempotency-Key, body: none, headers: {{{header}}}}}");
        let key = |row: JsonValue| key(&format!("{}{}", &header[..header.len() - 1], ", params: {n: '${name}'}}"), row, 0);
        assert_ne!(key(json!([1, "a"])), key(json!([2, "a"])), "{header}");
        assert_eq!(key(json!([1, "a"])), key(json!([1, "a"])), "{header}");
    }
}

#[test]
fn rows_of_a_request_have_the_same_headers() {
    let write = "name: a\nbase_url: https://api.test/v1\nauth: {type: NONE}\ntables: [{name: t, write: {path: /t, batch: 9}}]";
    let spec = AdapterSpec::parse("a.yaml", write).unwrap().unwrap();
    let headers = vec![("X-Org".to_string(), Template::of_hole("org"))];
    let table_def = TableDef { write: spec.tables[0].write.clone(), headers, ..table("/t", Paging::None) };
    let connection = Arc::new(connection(adapter(basic()), &[]));
    let write_def = table_def.write.as_ref().unwrap().action(None).unwrap();
    let plan = WritePlan::new(connection, &table_def, write_def, &["org".to_string(), "id".to_string()]).unwrap();
    let rows = rows_of(&json!([["x", 1], ["x", 2], ["y", 3]]));
    assert!(plan.fits(&rows[..1], &rows[1]) && !plan.fits(&rows[..1], &rows[2]));
}

#[test]
fn rows_are_named_by_their_keys() {
    let rows = rows_of(&json!([[1, "a"], [2, "b"], [3, "c"], [4, "d"], [5, "e"], [6, "f"]]));
    assert_eq!(plan_of("{path: /t, key: id}", &["id", "name"]).unwrap().names_of(&rows), "id 1; id 2; id 3; id 4; id 5; ...");
    assert_eq!(plan_of("{path: /t, key: 'name,id'}", &["id", "name"]).unwrap().names_of(&rows[..1]), "name \"a\", id 1");
    assert_eq!(plan_of("{path: /t}", &["id", "name"]).unwrap().names_of(&rows), "");
}

proptest! {
    #[test]
    fn every_row_is_in_one_request_in_order(owners in prop::collection::vec(0_u8..3, 0..40), batch in 1_usize..5) {
        let plan = plan_of(&format!("{{path: '/{{owner}}/t', batch: {batch}}}"), &["owner", "id"]).unwrap();
        let mut sent: Vec<(String, u64)> = Vec::new();
        let mut rows: Vec<WriteRow> = Vec::new();
        let mut send = |rows: &mut Vec<WriteRow>| {
            if rows.is_empty() {
                return;
            }
            let request = plan.request(rows, |_| 0).unwrap();
            let body: JsonValue = request.request.body.unwrap().parse().unwrap();
            assert!(body.as_array().unwrap().len() <= batch);
            let owner = request.request.url.path().to_string();
            sent.extend(body.as_array().unwrap().iter().map(|row| (owner.clone(), row["id"].as_u64().unwrap())));
            rows.clear();
        };
        for (id, owner) in owners.iter().enumerate() {
            let row = vec![json!(owner.to_string()), json!(id)];
            if !rows.is_empty() && !plan.fits(&rows, &row) {
                send(&mut rows);
            }
            rows.push(row);
        }
        send(&mut rows);
        let expected: Vec<(String, u64)> = owners.iter().enumerate().map(|(id, owner)| (format!("/v1/{owner}/t"), id as u64)).collect();
        prop_assert_eq!(sent, expected);
    }

    #[test]
    fn a_text_comes_back_as_it_was(text in ".*") {
        let plan = plan_of("{path: /t, body: {a: '${x}', b: '<${x}>'}}", &["x"]).unwrap();
        let body: JsonValue = plan.request(&[vec![json!(text)]], |_| 0).unwrap().request.body.unwrap().parse().unwrap();
        prop_assert_eq!(body, json!({ "a": text, "b": format!("<{text}>") }));
    }
}
