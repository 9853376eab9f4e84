//! Requests of a table, without a server.

use super::*;
use crate::http::message::Request;
use crate::http::sample::{adapter, basic, connection, table};
use crate::source::PageKey;
use crate::spec::{ManyForm, Paging, ParamDef, ParamValue, ParamValues, Template};
use crate::{Error, Result};
use proptest::prelude::*;

fn text(value: &str) -> ParamValue {
    ParamValue::Text(value.to_string())
}

fn request(path: &str, paging: Paging, values: &[(&str, ParamValue)], key: &PageKey) -> Result<Request> {
    let connection = connection(adapter(basic()), &[("site", "a/b"), ("password", "s3cr3t")]);
    let values = values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    request_of(&connection, &table(path, paging), &ParamSet { values, from_parent: false, ..ParamSet::default() }, key)
}

fn check(path: &str, values: &[(&str, ParamValue)], expected: &str) {
    assert_eq!(request(path, Paging::None, values, &PageKey::Only).unwrap().url.as_str(), expected);
}

#[test]
fn params_fill_holes_and_the_rest_is_the_query() {
    let values = [
        ("org", text("x")),
        ("n", ParamValue::Integer(3)),
        ("active", ParamValue::Boolean(true)),
        ("gone", ParamValue::Null),
        ("q", text("a b&c=d")),
        ("on", ParamValue::Template(Template::parse_value("site:${site}").unwrap())),
    ];
    check("/orgs/{org}/repos", &values, "https://api.test/v1/orgs/x/repos?n=3&active=true&q=a+b%26c%3Dd&on=site%3Aa%2Fb");
    check("orgs/{site}", &[], "https://api.test/v1/orgs/a%2Fb");
    check("/search?type=x&q={q}", &[("q", text("a&b")), ("z", text("1"))], "https://api.test/v1/search?type=x&q=a%26b&z=1");
    check("", &[], "https://api.test/v1");
}

#[test]
fn a_hole_never_escapes_its_segment() {
    check("/users/{id}/x", &[("id", text("../../admin?x=1#y"))], "https://api.test/v1/users/..%2F..%2Fadmin%3Fx%3D1%23y/x");
    check("/users/{id}", &[("id", text("%2e%2e"))], "https://api.test/v1/users/%252e%252e");
    for id in [".", "..", ""] {
        assert!(request("/users/{id}/x", Paging::None, &[("id", text(id))], &PageKey::Only).is_err(), "{id:?}");
    }
    let dots = [("a", text(".")), ("b", text("."))];
    assert!(request("/users/{a}{b}/x", Paging::None, &dots, &PageKey::Only).is_err());
}

#[test]
fn a_hole_without_value_is_an_error() {
    let err = request("/{org}", Paging::None, &[], &PageKey::Only).err().unwrap();
    assert!(err.to_string().contains("'org'"), "{err}");
    assert!(request("/{org}", Paging::None, &[("org", ParamValue::Null)], &PageKey::Only).is_err());
}

#[test]
fn the_pager_overrides_params() {
    let paging = Paging::of("{strategy: pageAndCount, page_param: page, count_param: per_page, page_size: 100}");
    let url = request("/r", paging, &[("per_page", ParamValue::Integer(5)), ("sort", text("id"))], &PageKey::Page(3)).unwrap().url;
    assert_eq!(url.as_str(), "https://api.test/v1/r?sort=id&page=3&per_page=100");
    let paging = Paging::of("{strategy: offsetAndCount, offset_param: o, count_param: n, page_size: 100}");
    let url = request("/r", paging, &[], &PageKey::Offset { offset: 40, limit: Some(7) }).unwrap().url;
    assert_eq!(url.as_str(), "https://api.test/v1/r?o=40&n=7");
}

#[test]
fn the_base_url_may_be_an_option() {
    let check = |base_url: &str, value: &str, expected: Result<&str>| {
        let mut spec = adapter(basic());
        spec.base_url = Template::parse_path(base_url).unwrap();
        let connection = connection(spec, &[("site", value)]);
        let found = request_of(&connection, &table("/x", Paging::None), &ParamSet::default(), &PageKey::Only);
        match (found, expected) {
            (Ok(request), Ok(expected)) => assert_eq!(request.url.as_str(), expected),
            (Err(err), Err(expected)) => assert!(err.to_string().contains(expected.message()), "{err}"),
            (found, expected) => panic!("{:?} for {expected:?}", found.map(|request| request.url.to_string())),
        }
    };
    check("{site}", "https://me.test/jira/", Ok("https://me.test/jira/x"));
    check("https://{site}.api.test/rest", "acme", Ok("https://acme.api.test/rest/x"));
    check("https://api.test/{site}/", "a/../b", Ok("https://api.test/a%2F..%2Fb/x"));
    check("https://{site}.api.test", "evil.test/", Err(Error::config("option 'site' is not a host")));
    check("https://{site}.api.test", "me@evil", Err(Error::config("option 'site' is not a host")));
    check("{site}", "ftp://me.test", Err(Error::config("is not a base URL; expected one such as https")));
    check("{site}", "me.test", Err(Error::config("is not a base URL; expected one such as https")));
}

#[test]
fn table_headers_override_the_specs() {
    let mut spec = adapter(basic());
    spec.headers =
        vec![("accept".into(), Template::parse_value("text/plain").unwrap()), ("X-A".into(), Template::parse_value("${site}").unwrap())];
    let mut table_def = table("/x", Paging::None);
    table_def.headers = vec![("x-a".into(), Template::parse_value("2").unwrap())];
    let request = request_of(&connection(spec, &[("site", "s")]), &table_def, &ParamSet::default(), &PageKey::Only).unwrap();
    assert_eq!(request.headers, [("accept".to_string(), "text/plain".to_string()), ("x-a".to_string(), "2".to_string())]);
}

/// Returns the request of a table for a base URL with the hole `h`, which a param of the spec lists as `param`.
fn request_with_host(base_url: &str, option: Option<&str>, listed: &[&str], filling: Option<&str>) -> Result<Request> {
    let mut spec = adapter(basic());
    spec.base_url = Template::parse_path(base_url).unwrap();
    if option.is_some() {
        spec.options.push(crate::http::sample::option("h", false));
    }
    let mut table_def = table("/x/{id}", Paging::None);
    let values = ParamValues::Each(listed.iter().map(|value| vec![text(value)]).collect());
    table_def.params = vec![ParamDef::new(vec!["h".into()], values)];
    spec.tables = vec![table_def.clone()];
    let options: Vec<(&str, &str)> = option.iter().map(|value| ("h", *value)).chain([("site", "s")]).collect();
    let values = filling.iter().map(|value| ("h".to_string(), text(value))).chain([("id".to_string(), text("1"))]).collect();
    request_of(&connection(spec, &options), &table_def, &ParamSet { values, from_parent: true, ..ParamSet::default() }, &PageKey::Only)
}

#[test]
fn a_listed_value_may_stand_in_the_host() {
    let listed = ["eu", "us"];
    let url = request_with_host("https://{h}.api.test/v1", None, &listed, Some("us")).unwrap().url;
    assert_eq!(url.as_str(), "https://us.api.test/v1/x/1");
    let err = request_with_host("https://{h}.api.test/v1", None, &listed, Some("evil.test/")).err().unwrap().to_string();
    assert!(err.contains("the value of param 'h' is not one that the spec lists"), "{err}");
    assert!(request_with_host("https://{h}.api.test", Some("eu"), &listed, Some("us")).is_err());
    assert!(request_with_host("https://{h}.api.test", None, &["a/b"], Some("a/b")).is_err());
    let dots = request_with_host("https://api.test/%2{h}.", None, &[], Some("e"));
    assert!(dots.is_err_and(|err| err.to_string().contains("'.' or '..'")));
}

/// Returns the request for a page of the table that these lines of a spec make, with the values of its first parameter set.
fn request_of_spec(lines: &str, values: &[(&str, ParamValue)], key: &PageKey) -> Result<Request> {
    let text = format!(
        "name: a\nbase_url: https://api.test/v1\nallowed_hosts: [other.test]\nauth: {{type: NONE}}\noptions: {{site: {{default: s&t}}, unset: x, \
         pin: {{secret: true, default: p4711}}}}\ntables:\n  - name: t\n    {lines}"
    );
    let spec = std::sync::Arc::new(crate::spec::AdapterSpec::parse("a.yaml", &text)?.unwrap());
    let connection = spec.connect("c", Default::default())?;
    let values = values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    request_of(&connection, &connection.adapter.tables[0], &ParamSet { values, ..ParamSet::default() }, key)
}

/// Checks method, URL and body.
fn check_spec(lines: &str, values: &[(&str, ParamValue)], key: &PageKey, expected: &str) {
    let request = request_of_spec(lines, values, key).unwrap();
    let body = request.body.map_or(String::new(), |body| format!(" {body}"));
    assert_eq!(format!("{} {}{body}", request.method, request.url), expected, "{lines}");
}

#[test]
fn params_that_fill_a_body_or_header_leave_the_query() {
    let values = [("status", text("open")), ("n", ParamValue::Integer(3)), ("gone", ParamValue::Null), ("x", text("y"))];
    let params = "params: {status: open, n: 3, gone: null, x: y}";
    let lines =
        format!("{params}\n    body: {{s: '${{status}}', n: ['${{n}}', 'n${{n}}'], g: '${{gone}}', u: '${{unset}}', o: '${{site}}'}}");
    check_spec(&lines, &values, &PageKey::Only, r#"POST https://api.test/v1?x=y {"s":"open","n":[3,"n3"],"o":"s&t"}"#);
    check_spec(
        &format!("{params}\n    headers: {{X-S: '${{status}}', X-N: 'v${{n}}'}}"),
        &values,
        &PageKey::Only,
        "GET https://api.test/v1?x=y",
    );
    // A param of an option's name is a param.
    check_spec(
        "params: {site: x}\n    body: {s: '${site}'}",
        &[("site", text("x"))],
        &PageKey::Only,
        r#"POST https://api.test/v1?site=x {"s":"x"}"#,
    );
    // Params may stand in params.
    let lines = "params: {q: 'a ${status}', status: open}";
    check_spec(lines, &[("q", text("a open")), ("status", text("open"))], &PageKey::Only, "GET https://api.test/v1?q=a+open");
}

#[test]
fn what_tells_pages_apart_stands_where_its_hole_is() {
    let numbered = "paging: {strategy: pageAndCount, page_param: page, count_param: size, page_size: 5}";
    check_spec(
        &format!("{numbered}\n    body: {{p: '${{page.number}}'}}"),
        &[],
        &PageKey::Page(3),
        r#"POST https://api.test/v1?size=5 {"p":3}"#,
    );
    check_spec(
        &format!("{numbered}\n    resource_path: /p/${{page.number}}"),
        &[],
        &PageKey::Page(3),
        "GET https://api.test/v1/p/3?size=5",
    );
    let q = ParamValue::Template(Template::parse_value("START ${page.offset} MAX ${page.size}").unwrap());
    let lines = "paging: {strategy: offsetAndCount, offset_param: o, count_param: c, page_size: 5}\n    params: {q: 'START ${page.offset} MAX ${page.size}'}";
    check_spec(lines, &[("q", q)], &PageKey::Offset { offset: 10, limit: None }, "GET https://api.test/v1?q=START+10+MAX+5");
    let lines = "paging: {strategy: pagerToken, token_param: t, pager_token_path: next}\n    headers: {X-T: '${page.token}'}";
    let header = |token: Option<&str>| {
        let request = request_of_spec(lines, &[], &PageKey::Token(token.map(Into::into))).unwrap();
        assert_eq!(request.url.as_str(), "https://api.test/v1");
        request.headers.into_iter().find(|(name, _)| name == "X-T").map(|(_, value)| value)
    };
    assert_eq!((header(None), header(Some("n"))), (None, Some("n".to_string())));
    let evil = request_of_spec(lines, &[], &PageKey::Token(Some("a\r\nX-Evil: 1".into())));
    assert!(evil.is_err_and(|err| err.message().contains("no HTTP header can")));
}

#[test]
fn raw_values_stay_in_their_place() {
    let raw = |value: &str| ParamValue::Raw(value.to_string());
    check_spec(
        "params: {ids: x}",
        &[("ids", raw("List(a,b)&evil=1#x"))],
        &PageKey::Only,
        "GET https://api.test/v1?ids=List(a,b)%26evil=1%23x",
    );
    let path = |value: &str| request_of_spec("resource_path: '/p/${v | raw}/z'\n    params: {v: x}", &[("v", text(value))], &PageKey::Only);
    assert_eq!(path("a/b c?d#e").unwrap().url.as_str(), "https://api.test/v1/p/a/b%20c%3Fd%23e/z");
    for value in ["../admin", "a/..", "..", "%2e%2e/x", "a\\..\\b"] {
        assert!(path(value).is_err(), "{value}");
    }
}

#[test]
fn many_values_stand_in_one_request() {
    let many = |form| ParamValue::Many { values: vec![ParamValue::Integer(1), text("a b"), ParamValue::Null], form };
    let check = |name: &str, form, expected: &str| {
        let lines = format!("params: {{'{name}': {{values: [1, a b], as: comma}}}}");
        check_spec(&lines, &[(name, many(form))], &PageKey::Only, &format!("GET https://api.test/v1?{expected}"));
    };
    check("id", ManyForm::Comma, "id=1%2Ca+b");
    check("id", ManyForm::Repeat, "id=1&id=a+b");
    check("id", ManyForm::Brackets, "id%5B%5D=1&id%5B%5D=a+b");
    check("id[]", ManyForm::Brackets, "id%5B%5D=1&id%5B%5D=a+b");
    check("id", ManyForm::Json, "id=%5B1%2C%22a+b%22%5D");
    let lines = "params: {id: {values: [1], batch: 5}}\n    body: {ids: '${id}', text: \"${id | join(';')}\"}";
    check_spec(lines, &[("id", many(ManyForm::Comma))], &PageKey::Only, r#"POST https://api.test/v1 {"ids":[1,"a b"],"text":"1;a b"}"#);
}

#[test]
fn a_table_may_be_at_another_host() {
    let request = request_of_spec("base_url: https://other.test/v2\n    resource_path: /x", &[], &PageKey::Only).unwrap();
    assert_eq!((request.url.as_str(), request.base.as_str()), ("https://other.test/v2/x", "https://api.test/v1"));
}

#[test]
fn requests_with_secrets_are_known() {
    let has_secrets = |lines: &str| request_of_spec(lines, &[], &PageKey::Only).unwrap().has_secrets;
    assert!(has_secrets("body: {a: {b: 'x ${pin}'}}") && has_secrets("headers: {X-A: '${pin}'}") && has_secrets("params: {a: '${pin}'}"));
    assert!(!has_secrets("body: {a: '${site}'}"));
}

proptest! {
    #[test]
    fn no_filling_decides_which_host_is_asked(
        base in prop::sample::select(vec![
            "{h}", "{h}/v1", "http://{h}", "https://{h}.api.test/v1", "https://api.test:{h}", "https://{h}@api.test", "http{h}://api.test",
            "{h}://api.test", "https://api.test/{h}", "https://api.test/a/.{h}/b", "https://api.test?a={h}", "https://api.test\\\\{h}",
        ]),
        filling in "(https?:|HTTP:)?(//)?[ -~\t\r\n\u{e9}\u{ff0f}\u{2488}]{0,12}",
    ) {
        let n_segments = |request: &Request| request.url.path_segments().map(Iterator::count);
        let is_host = Template::parse_path(base).unwrap().host_holes().contains(&"h");
        for option in [None, Some("a.test"), Some("https://a.test")] {
            let Ok(request) = request_with_host(base, option, &[], Some(&filling)) else { continue };
            prop_assert!(!is_host, "{}", request.url);
            let plain = request_with_host(base, option, &[], Some("1")).unwrap();
            prop_assert_eq!(request.url.origin(), plain.url.origin());
            prop_assert_eq!(request.base.origin(), plain.base.origin());
            prop_assert_eq!(n_segments(&request), n_segments(&plain));
            prop_assert_eq!(request.url.query_pairs().count(), plain.url.query_pairs().count());
            prop_assert_eq!((request.url.username(), request.url.password(), request.url.fragment()), ("", None, None));
        }
        // An option says which host, and nothing but the host.
        if let Ok(request) = request_with_host("https://{h}.api.test/v1", Some(&filling), &[], None) {
            prop_assert!(request.url.host_str().is_some_and(|host| host.ends_with(".api.test")), "{}", request.url);
            prop_assert_eq!((request.url.path(), request.url.query(), request.url.username()), ("/v1/x/1", None, ""));
        }
    }

    #[test]
    fn any_value_stays_one_segment(value in ".{1,20}") {
        if let Ok(request) = request("/a/{id}/z", Paging::None, &[("id", text(&value))], &PageKey::Only) {
            let segments: Vec<&str> = request.url.path_segments().unwrap().collect();
            prop_assert_eq!(segments.len(), 4);
            prop_assert_eq!((segments[0], segments[1], segments[3]), ("v1", "a", "z"));
            let decoded = percent_encoding::percent_decode_str(segments[2]).decode_utf8().unwrap();
            prop_assert_eq!(decoded, value);
            prop_assert_eq!(request.url.query(), None);
        }
    }
}
