//! What `request` of `refresh` may say, `etag`, and the mistakes of both.

use super::tests::{check_table_mistake, spec_of, table_spec};
use crate::spec::{Body, Method, Paging, TableDef};

fn table(lines: &str) -> TableDef {
    let spec = table_spec(lines).unwrap_or_else(|err| panic!("{err}")).unwrap();
    spec.table("u").unwrap().clone()
}

const CURSOR: &str = "refresh: {strategy: updates, cursor: {column: changed}, request: {";

#[test]
fn a_key_of_the_request_replaces_that_of_the_table() {
    let own = table(
        "query_resource: GET /list\nresult_body_path: rows\nheaders: {A: x}\nsupports_paging: false\nselect: [a]\nrefresh:\n  strategy: updates\n  \
         params: {since: '${timestamp}'}\n  request: {method: POST, resource_path: /search, form: {q: '*'}, result_body_path: hits, \
         paging: {strategy: linkHeader}}",
    );
    let updating = own.for_updates();
    assert_eq!(
        (own.path.to_string(), own.request.method, own.result_body_path.as_slice()),
        ("/list".into(), Method::Get, &["rows".into()][..])
    );
    assert_eq!(own.paging, Paging::None);
    assert_eq!((updating.path.to_string(), updating.request.method), ("/search".into(), Method::Post));
    assert!(matches!(updating.request.body, Body::Form(_)));
    assert_eq!(updating.result_body_path, ["hits".to_string()]);
    assert_ne!(updating.paging, Paging::None);
    assert_eq!((updating.headers.len(), updating.select.len(), &updating.refresh), (1, 1, &own.refresh));
    assert!(updating.updating.is_none());
}

#[test]
fn a_body_replaces_one_of_another_kind() {
    let own = table(&format!("body: {{a: 1}}\n{CURSOR}graphql: {{query: x, variables: {{since: '${{cursor}}'}}}}}}}}"));
    assert!(matches!(&own.request.body, Body::Json(_)));
    assert!(own.for_updates().request.graphql_errors.is_some() && own.request.graphql_errors.is_none());
    let none = table(
        &format!("body: {{a: 1}}\n{CURSOR}body: none, method: GET, params: {{since: '${{cursor}}'}}}}}}")
            .replace("params: {since: '${cursor}'}", "headers: {Since: '${cursor}'}"),
    );
    assert_eq!((&none.for_updates().request.body, none.for_updates().request.method), (&Body::None, Method::Get));
}

#[test]
fn each_request_for_updates_has_a_place_to_go_on_from() {
    let in_text = "body: {q: 'changed >= ${cursor}'}}}";
    assert!(table_spec(&format!("{CURSOR}{in_text}")).is_ok());
    check_table_mistake(
        &format!("params: {{site: [a, b]}}\ncopy_params_to_output: [site]\n{CURSOR}{in_text}")
            .replace("site:", "place:")
            .replace("[site]", "[place]"),
        "has a hole 'cursor' inside a text, which has no value at the first load",
    );
}

#[test]
fn mistakes_of_the_request_are_told_with_their_lines_and_once() {
    check_table_mistake(
        &format!("{CURSOR}bodi: {{a: 1}}}}}}"),
        "unknown key 'bodi' in 'request' of 'refresh' of table 'u'; did you mean 'body'?",
    );
    check_table_mistake(&format!("{CURSOR}write: {{path: /x}}}}}}"), "unknown key 'write' in 'request'");
    check_table_mistake("refresh: {request: {method: POST}}", "has 'request', but its strategy is 'reload'; only 'updates' takes it");
    let err = table_spec("nested: deep\nrefresh:\n  strategy: updates\n  cursor: {column: c, param: p}\n  request:\n    missing: x")
        .unwrap_err()
        .to_string();
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(lines[0].starts_with("a.yaml:7:") && lines[1].starts_with("a.yaml:12:"), "{err}");
}

#[test]
fn calls_of_updates_are_those_of_the_table() {
    let varying = |request: &str, refresh: &str| {
        format!("params: {{org: [a, b]}}\ncopy_params_to_output: [org]\nrefresh: {{strategy: updates, {refresh}, request: {{{request}}}}}")
    };
    check_table_mistake(
        &varying("params: {org: a, team: [x, y]}", "params: {since: '${timestamp}'}"),
        "makes several calls by the params 'team', and the table by 'org'; expected the same, or no params",
    );
    check_table_mistake(&varying("params: {org: a}", "sync_token: {path: a, param: b}"), "expected the same params");
    assert!(table_spec(&varying("params: {org: all}", "params: {since: '${timestamp}'}")).is_ok());
    assert!(table_spec(&varying("params: {org: [b]}", "params: {since: '${timestamp}'}")).is_ok());
}

#[test]
fn a_hole_of_the_request_asks_for_what_changed() {
    let own = table("headers: {If-Modified-Since: '${timestamp | http}'}\nrefresh: {strategy: updates}");
    assert!(own.refresh.updates().is_some());
    check_table_mistake(
        "refresh: {strategy: updates}",
        "'refresh' of table 'u' is 'updates', but has none of 'params', 'cursor', 'sync_token' and 'request' to ask for what changed",
    );
}

#[test]
fn an_etag_is_one_of_a_whole_table() {
    assert!(table("etag: true").etag && !table("etag: false").etag && !table("nested: 1").etag);
    check_table_mistake("etag: true\nrefresh: {strategy: updates, cursor: {column: a, param: b}}", "the refresh is by updates");
    check_table_mistake("etag: true\npaging: {strategy: linkHeader}", "the table has pages, each with an ETag of its own; leave it out");
    check_table_mistake("etag: true\nparams: {a: [1, 2]}", "the table is loaded by several calls");
    check_table_mistake("etag: true\nbody: {a: 1}", "it is not asked for by GET");
    check_table_mistake("etag: true\nresource_path: /${today}", "the time is in its request");
    let spec = spec_of(
        "name: a\nbase_url: https://a\netag: true\npaging: {strategy: linkHeader}\ntables:\n  - {name: one, supports_paging: false}\n  \
         - {name: many, supports_paging: true}\n  - {name: own, supports_paging: false, etag: false}",
    );
    assert_eq!(spec.tables.iter().map(|table_def| table_def.etag).collect::<Vec<_>>(), [true, false, false]);
}
