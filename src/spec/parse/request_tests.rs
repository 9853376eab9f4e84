//! What a request may send, and its mistakes.

use super::tests::{check_table_mistake, table_spec};
use crate::spec::{Body, Many, ManyForm, Method, ParamValues, TableDef};

fn table_of(lines: &str) -> TableDef {
    let spec = table_spec(lines).unwrap_or_else(|err| panic!("{err}")).unwrap();
    spec.table("u").unwrap().clone()
}

#[test]
fn a_body_is_posted() {
    let check = |lines: &str, method: Method, is_json: bool| {
        let request = table_of(lines).request;
        assert_eq!((request.method, matches!(request.body, Body::Json(_))), (method, is_json), "{lines}");
    };
    check("method: get", Method::Get, false);
    check("method: POST", Method::Post, false);
    check("body: {a: 1}", Method::Post, true);
    check("body: {a: 1}\nmethod: PUT", Method::Put, true);
    check("post: {a: ['${now}']}", Method::Post, true);
    check("graphql: {query: '{ a }'}", Method::Post, true);
    check("form: {a: 1}", Method::Post, false);
    check("text: a b", Method::Post, false);
    assert!(table_of("body: {a: 1}").request.may_repeat() && !table_of("body: {a: 1}\nsafe: false").request.may_repeat());
}

#[test]
fn many_values_are_read() {
    let params =
        table_of("params: {a: {values: [1, x], as: repeat}, b: {query: SELECT id FROM t, batch: 9}, c: {values: z, as: json}}").params;
    assert_eq!(params[0].many, Some(Many { batch: None, form: ManyForm::Repeat }));
    assert!(matches!(&params[1].values, ParamValues::Query(query) if query.tables == ["t"]));
    assert_eq!(params[1].many.map(|many| (many.batch.map(std::num::NonZeroUsize::get), many.form)), Some((Some(9), ManyForm::Comma)));
    assert_eq!(params.iter().map(|param_def| param_def.varies()).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn mistakes_are_found() {
    check_table_mistake("method: PATCH", "method 'PATCH' of table 'u' does not read; expected one of: GET, POST, PUT");
    check_table_mistake("method: PSOT", "did you mean 'POST'?");
    check_table_mistake("safe: false", "reads by GET, which changes nothing");
    check_table_mistake(
        "body: {a: '${statu}'}\nparams: {status: x}",
        "'body' of table 'u' has a hole 'statu' that no param or option fills; did you mean 'status'?",
    );
    check_table_mistake("body: 7", "'body' of table 'u' is the number 7; expected a mapping or a list");
    check_table_mistake("form: [a]", "'form' of table 'u' is a list; expected a mapping of names to values");
    check_table_mistake("body: {a: 1}\ntext: x", "'text' of table 'u' is one body too many: it has 'body', 'text'; keep one");
    check_table_mistake("graphql: {qury: x}", "unknown key 'qury' in 'graphql' of table 'u'; did you mean 'query'?");
    check_table_mistake("graphql: {query: x, variables: [1]}", "expected a mapping of names to values");
    check_table_mistake("body: {a: '${window.start}'}", "has a hole 'window.start', but the table has no 'window'");
    check_table_mistake(
        "body: {a: '${page.token}'}",
        "which the table's paging does not fill; it needs 'paging' with 'strategy: pagerToken'",
    );
    check_table_mistake("body: {a: '${timestamp}'}", "the table needs 'refresh' with 'strategy: updates'");
    check_table_mistake("headers: {a: 'x ${unset}'}", "has a hole 'unset' that no param or option fills");
    check_table_mistake("base_url: 'https://elsewhere.example'", "add 'elsewhere.example' to 'allowed_hosts'");
    check_table_mistake("base_url: 'ftp://x'", "base_url begins with 'ftp://x'; expected http:// or https://");
    check_table_mistake("params: {a: {values: [1], as: commas}}", "'as' of param 'a' of table 'u' is 'commas'; did you mean 'comma'?");
    check_table_mistake("params: {a: {as: comma}}", "needs 'values' or 'query', one of them");
    check_table_mistake("params: {a: {values: []}}", "'values' of param 'a' of table 'u' is empty");
    check_table_mistake("params: {'a,b': {values: [1]}}", "is a mapping; expected a list of lists of 2 values");
    check_table_mistake("params: {a: {values: [1], bach: 2}}", "unknown key 'bach' in param 'a' of table 'u'; did you mean 'batch'?");
}
