use crate::source::paging::{Counted, CountedBy, PagerToken, Size};
use crate::spec::{
    AdapterSpec, AuthFields, AuthSpec, ColumnPattern, DeclaredType, Missing, Nested, Paging, ParamValue, ParamValues, RefreshStrategy,
    RuleVerdict, ScalarType, Template, Total, Unpaged, BUNDLED,
};
use expect_test::{expect, Expect};
use proptest::prelude::*;

pub(super) fn spec_of(text: &str) -> AdapterSpec {
    AdapterSpec::parse("a.yaml", text).unwrap().unwrap()
}

/// Parses a spec whose one table has these lines.
pub(super) fn table_spec(lines: &str) -> crate::Result<Option<AdapterSpec>> {
    let lines = lines.replace('\n', "\n    ");
    AdapterSpec::parse(
        "a.yaml",
        &format!("name: a\nbase_url: https://a\noptions: {{site: x, pin: {{secret: true, required: true}}}}\ntables:\n  - name: t\n  - name: u\n    {lines}"),
    )
}

fn check_mistakes(text: &str, expected: Expect) {
    expected.assert_eq(&AdapterSpec::parse("a.yaml", text).unwrap_err().to_string());
}

pub(super) fn check_table_mistake(lines: &str, expected: &str) {
    let message = match table_spec(lines) {
        Ok(_) => "no mistake".to_string(),
        Err(err) => err.to_string(),
    };
    assert!(message.starts_with("a.yaml:") && message.contains(expected), "{lines}\ngave: {message}");
}

pub(super) const FULL: &str = r#"
name: full
enabled: true
description: Everything at once
version: 2
class: RestAdapter
base_url: https://{site}.example.com/
allowed_hosts: [files.example.com, "https://cdn.example.com"]
options: {site: {default: www}, since: Start date}
auth:
  type: basic
  params: {username: text, password: text}
headers: {X-Site: "${site}"}
paging: {strategy: pageandcount, page_param: page, count_param: count, page_size: 50, first_page: 0, total_path: meta.total}
throttle: {sleep: 0.5, requests_per_second: 3, concurrency: 2, remaining_header: X-Left, reset_header: X-Reset}
retry: {attempts: 3, base: 0.1, max: 5, statuses: [418]}
errors:
  - {when: {status: 403, header: {X-Left: 0}}, do: retry, message: slow down}
  - {when: {body: {error.code: 17}}, do: empty}
queryDateFormat: "%Y-%m-%d"
cacheTTLSecs: 5
tables:
  - name: repos
    description: Repositories
    query_resource: GET /repos
    supports_paging: true
    result_body_path: data.items
    key_column: id
  - name: pulls
    resource_path: repos/{owner}/{*repo}/pulls
    params:
      owner,repo: sql@(SELECT owner_login, name FROM repos)
      state: [open, closed, 3]
      empty: null
      flag: true
      since: ${since}
      version: 1.10
    paging: {strategy: pagerToken, token_param: after, pager_token_path: "data[-1:].id"}
    result_body_path: [data, a.b]
    result_meta_paths: [meta.page, [meta, x.y]]
    copy_params_to_output: [owner, repo]
    select: id, user.login, .*_url, title
    strip_prefixes: data_
    columns:
      - {name: id, type: int, key: true, comment: The id}
      - {name: tags, type: "varchar[]", source: meta.tags}
      - plain
    only_columns: true
    nested: 2
    refresh: {strategy: updates, params: {since: "x${timestamp}"}}
views:
  - {name: open_pulls, from: pulls, query: {duckdb: "SELECT p.id FROM pulls p WHERE state = 'open';", clickhouse: SELECT nonsense}}
  - {name: more, query: SELECT * FROM open_pulls, help: Text}
"#;

#[test]
fn every_key_is_read() {
    let spec = spec_of(FULL);
    assert_eq!(spec.base_url, Template::parse_path("https://{site}.example.com").unwrap());
    assert_eq!(spec.version.as_deref(), Some("2"));
    assert_eq!(spec.auth[0].type_name(), "BASIC");
    assert!(spec.option("username").unwrap().secret);
    assert_eq!(spec.option_names(), ["username", "password", "site", "since"]);
    assert_eq!((spec.throttle.sleep, spec.throttle.concurrency, spec.retry.attempts), (0.5, 2, 3));
    assert_eq!(spec.errors[0].when.header, Some(("X-Left".into(), Some("0".into()))));
    assert_eq!(spec.errors[1].when.body, Some((vec!["error".into(), "code".into()], Some("17".into()))));
    assert_eq!(spec.errors[1].verdict, RuleVerdict::Empty);
    let repos = spec.table("REPOS").unwrap();
    assert_eq!(repos.path.as_literal(), Some("/repos"));
    assert_eq!(repos.result_body_path, ["data", "items"]);
    assert!(matches!(
        &repos.paging,
        Paging::Counted(Counted {
            by: CountedBy::Page { first_page: 0 },
            size: Size { page_size: 50, .. },
            total: Some(Total::RowsPath(_)),
            ..
        })
    ));
    assert_eq!(repos.refresh, RefreshStrategy::Reload);
}

#[test]
fn a_tables_keys_are_read() {
    let spec = spec_of(FULL);
    let pulls = spec.table("pulls").unwrap();
    assert_eq!(pulls.path.names().collect::<Vec<_>>(), ["owner", "repo"]);
    assert_eq!(pulls.parents(), ["repos"]);
    assert_eq!(pulls.params[0].names, ["owner", "repo"]);
    let text = |text: &str| ParamValue::Text(text.into());
    assert_eq!(pulls.params[1].values, ParamValues::Each(vec![vec![text("open")], vec![text("closed")], vec![ParamValue::Integer(3)]]));
    assert_eq!(pulls.params[2].values, ParamValues::One(ParamValue::Null));
    assert_eq!(pulls.params[3].values, ParamValues::One(ParamValue::Boolean(true)));
    assert_eq!(pulls.params[4].values, ParamValues::One(ParamValue::Template(Template::parse_value("${since}").unwrap())));
    assert_eq!(pulls.params[5].values, ParamValues::One(text("1.10")));
    assert!(matches!(&pulls.paging, Paging::PagerToken(PagerToken { size: Size { page_size: 100, .. }, token_param: Some(_), .. })));
    assert_eq!(pulls.result_body_path, ["data", "a.b"]);
    assert_eq!(pulls.result_meta_paths, [["meta", "page"], ["meta", "x.y"]]);
    assert_eq!(pulls.strip_prefixes, ["data_"]);
    assert_eq!(pulls.columns[0].data_type, Some(DeclaredType::Scalar(ScalarType::BigInt)));
    assert_eq!(pulls.columns[0].description.as_deref(), Some("The id"));
    assert_eq!(pulls.columns[1].data_type, Some(DeclaredType::List(ScalarType::Varchar)));
    assert_eq!(pulls.columns[1].source, Some(vec!["meta".into(), "tags".into()]));
    assert_eq!(pulls.key_columns, ["id"]);
    assert_eq!((pulls.only_columns, pulls.nested), (true, Nested::Depth(2)));
    assert_eq!(pulls.refresh.updates().map(|updates| updates.params.len()), Some(1));
    assert_eq!(spec.view("open_pulls").unwrap().from, ["pulls"]);
    assert_eq!(spec.view("more").unwrap().from, ["open_pulls"]);
}

#[test]
fn select_takes_names_prefixes_and_regular_expressions() {
    let spec = spec_of(FULL);
    let select = &spec.table("pulls").unwrap().select;
    let is_selected = |name: &str| select.iter().any(|pattern| pattern.matches(name));
    for name in ["id", "id_x", "user_login", "html_url", "title"] {
        assert!(is_selected(name), "{name}");
    }
    for name in ["identity", "user", "html_url_x", "subtitle"] {
        assert!(!is_selected(name), "{name}");
    }
    assert!(matches!(select[2], ColumnPattern::Regex(_)));
}

#[test]
fn auth_takes_all_its_forms() {
    let auth_of = |text: &str| spec_of(&format!("name: a\nbase_url: https://a\nauth: {text}\ntables: [{{name: t}}]")).auth;
    let names = |auth: &AuthSpec| auth.options().iter().map(|option| option.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&auth_of("{type: Basic}")[0]), ["username", "password"]);
    assert_eq!(names(&auth_of("{type: BASIC, params: {password: x, username: y}}")[0]), ["username", "password"]);
    assert_eq!(names(&auth_of("{type: BASIC, params: {email: {secret: false}, token: x}}")[0]), ["email", "token"]);
    assert_eq!(auth_of("{type: BASIC, params: {key: x}}")[0].options()[1].default.as_deref(), Some(""));
    assert_eq!(names(&auth_of("{type: bearer, params: {bearer_token: x}}")[0]), ["bearer_token"]);
    assert_eq!(auth_of("{type: NONE}"), [AuthSpec::None]);
    let AuthSpec::Headers(pairs) = &auth_of("{type: HEADERS, headers: {X-Key: _, X-App: {option: app, secret: false}}}")[0] else {
        panic!()
    };
    let shown = |fields: &AuthFields| -> Vec<String> {
        let options = fields.options.iter().map(|option| format!("{} {}", option.name, option.secret));
        fields.fields.iter().map(|(name, value)| format!("{name}: {value}")).chain(options).collect()
    };
    assert_eq!(shown(pairs), ["X-Key: ${X-Key}", "X-App: ${app}", "X-Key true", "app false"]);
    let AuthSpec::Params(pairs) = &auth_of("{type: PARAMS, params: {apiKey: text}}")[0] else { panic!() };
    assert_eq!(shown(pairs), ["apiKey: ${apiKey}", "apiKey true"]);
    let AuthSpec::Headers(pairs) =
        &auth_of("{type: HEADERS, headers: {Authorization: 'SSWS ${api_token}', X-Key: {prefix: Key, option: k}}}")[0]
    else {
        panic!()
    };
    assert_eq!(shown(pairs), ["Authorization: SSWS ${api_token}", "X-Key: Key ${k}", "api_token true", "k true"]);
    let text = "{type: HEADERS, headers: {Authorization: 'Token token=${t}, id=${id}'}, params: {id: {secret: false}}}";
    let AuthSpec::Headers(pairs) = &auth_of(text)[0] else { panic!() };
    assert_eq!(shown(pairs), ["Authorization: Token token=${t}, id=${id}", "id false", "t true"]);
    let AuthSpec::Bearer { prefix, .. } = &auth_of("{type: BEARER, prefix: Zoho-oauthtoken}")[0] else { panic!() };
    assert_eq!(prefix, "Zoho-oauthtoken");
    assert_eq!(auth_of("[{type: BEARER}, {type: NONE}]").len(), 2);
}

#[test]
fn a_disabled_spec_is_none_whatever_else_it_says() {
    assert!(AdapterSpec::parse("a.yaml", "enabled: false\nnonsense: 1").unwrap().is_none());
}

#[test]
fn all_mistakes_of_a_file_are_reported_together() {
    check_mistakes(
        "nam: x\nbase_url: ftp://x\nauth: {type: BASICC, params: {username: a}}\npaging: {strategy: pageAndCont}\nthrottle: {sleep: long}\ntables:\n  - name: t\n    pagin: {}\n    supports_paging: true\n    params: {a: {b: c}}\n  - resource_path: /x\n  - name: T\n    description: [x]\n",
        expect![[r#"
            a.yaml:1:1: the spec has no 'name'
            a.yaml:1:1: unknown key 'nam' in the spec; did you mean 'name'?
            a.yaml:2:11: base_url begins with 'ftp://x'; expected http:// or https://
            a.yaml:3:14: auth type 'BASICC' is unknown; did you mean 'BASIC'?
            a.yaml:4:20: paging strategy 'pageAndCont' is unknown; did you mean 'pageAndCount'?
            a.yaml:5:19: 'sleep' of 'throttle' is the text 'long'; expected a number of 0 or more
            a.yaml:8:5: unknown key 'pagin' in table 't'; did you mean 'paging'?
            a.yaml:10:17: param 'a' of table 't' needs 'values' or 'query', one of them
            a.yaml:10:18: unknown key 'b' in param 'a' of table 't'; expected one of: values, query, batch, as
            a.yaml:11:5: a table has no 'name'
            a.yaml:12:11: the name 'T' is taken by the table or view in line 7
            a.yaml:13:18: 'description' of table 'T' is a list; expected a text"#]],
    );
}

#[test]
fn what_a_file_cannot_be_is_said() {
    check_mistakes("", expect!["a.yaml:1:1: the spec is empty; expected a mapping"]);
    check_mistakes("- a", expect!["a.yaml:1:1: the spec is a list; expected a mapping"]);
    check_mistakes("name: a\nbase_url: https://a", expect!["a.yaml:1:1: the spec has no 'tables'"]);
    check_mistakes(
        "name: a\nclass: sap\nbase_url: https://a\ntables: [{name: t}]",
        expect!["a.yaml:2:8: there is no class 'sap'; the classes are rest, files, postgres; leave 'class' out for a REST API"],
    );
    check_mistakes(
        "name: a\nbase_url: https://{sit}.x\noptions: {site: {}}\nauth: {type: CUSTOM_AUTH, flow: x}\ntables: [{name: t}]",
        expect![[r#"
            a.yaml:2:11: 'base_url' has a hole 'sit' that no param or option fills; did you mean 'site'?
            a.yaml:4:7: auth type 'CUSTOM_AUTH' is not supported; write SESSION for a login, or HEADERS or PARAMS for what each request has"#]],
    );
}

#[test]
fn old_files_call_the_secret_of_a_signature_otherwise() {
    let options = |params: &str| {
        let auth = format!("{{type: AWS4Auth, service: ce, region: eu, params: {params}}}");
        let adapter =
            AdapterSpec::parse("a.yaml", &format!("name: a\nbase_url: https://a\nauth: {auth}\ntables: [{{name: t}}]")).unwrap().unwrap();
        let required: Vec<String> =
            adapter.all_options().iter().filter(|option| option.required).map(|option| option.name.clone()).collect();
        required.join(" ")
    };
    assert_eq!(options("{access_key_id: {}, secret_key: {}}"), "access_key_id secret_key");
    assert_eq!(options("{}"), "access_key_id secret_access_key");
}

#[test]
fn a_file_of_any_size_makes_an_error_that_can_be_read() {
    let error = |text: String| {
        let began = std::time::Instant::now();
        let err = AdapterSpec::parse("a.yaml", &text).unwrap_err().to_string();
        assert!(err.len() < 100_000 && began.elapsed().as_secs() < 10, "{} bytes after {:?}", err.len(), began.elapsed());
        err
    };
    let head = "name: a\nbase_url: https://a\ntables:\n";
    let key = "k".repeat(60_000);
    let twice = error(format!("{head}  - name: t\n{}", format!("    ? {key}\n    : 1\n").repeat(60)));
    assert!(twice.contains("is there twice in this mapping") && twice.ends_with("more mistakes; correct these first"), "{twice}");
    let wrong: String = (0..4000).map(|idx| format!("    k{idx}: 1\n")).collect();
    assert!(error(format!("{head}  - name: t\n{wrong}")).ends_with("a.yaml: 3950 more mistakes; correct these first"));
    assert!(error(format!("{head}  - name: t\n{}", wrong.repeat(2).replace("k", "q") + &wrong)).contains("more mistakes"));
    assert!(error(format!("{head}{}", "  - name: t\n".repeat(50_000))).contains("expected at most 2000"));
    let many: String = (0..6000).map(|idx| format!("    k{idx}: 1\n")).collect();
    assert!(error(format!("{head}  - name: t\n{many}")).contains("a mapping has more than 5000 keys"));
    assert!(error(format!("{head}  - name: {}", "t".repeat(70_000))).contains("expected at most 65536"));
    assert!(error(format!("{head}  - name: t\n    params: {{p: 'sql@(SELECT {})'}}", "1+".repeat(30_000))).contains("cannot be parsed"));
}

#[test]
fn a_param_in_the_host_has_the_values_that_the_spec_lists() {
    let mistakes = |base_url: &str, rest: &str| {
        let text = format!("name: a\nbase_url: '{base_url}'\ntables:\n  - name: t\n  - name: u\n    {}", rest.replace('\n', "\n    "));
        AdapterSpec::parse("a.yaml", &text).err().map_or(String::new(), |err| err.to_string())
    };
    for base_url in ["{h}", "https://{h}", "https://a:{h}/b", "https://{h}@a"] {
        for rest in ["params: {h: 'sql@(SELECT x FROM t)'}", "params: {'h,i': 'sql@(SELECT x, y FROM t)'}"] {
            let err = mistakes(base_url, rest);
            assert!(err.contains("param 'h' of table 'u' fills a hole in the host of 'base_url'") && err.contains("a.yaml:6:"), "{err}");
        }
        let options = "params: {h: b}\noptions: {h: {default: x}}";
        assert!(mistakes(base_url, options).contains("unknown key 'options'"));
    }
    let refresh = "params: {h: b}\nkey_columns: [id]\nrefresh: {strategy: updates, params: {h: '${timestamp}'}}";
    assert!(mistakes("https://{h}", refresh).contains("fills a hole in the host"), "{}", mistakes("https://{h}", refresh));
    let listed = mistakes("https://{h}", "params: {h: [b, c]}");
    assert!(!listed.contains("fills a hole in the host"), "{listed}");
    let path = mistakes("https://a/{h}", "params: {h: 'sql@(SELECT x FROM t)'}");
    assert!(!path.contains("fills a hole in the host"), "{path}");
}

#[test]
fn mistakes_of_tables_are_found() {
    check_table_mistake(
        "resource_path: /x/{orgg}\nparams: {org: 1}",
        "has a hole 'orgg' that no param or option fills; did you mean 'org'?",
    );
    check_table_mistake("resource_path: /x/{site}", "give it 'default' or 'required: true'");
    check_table_mistake("resource_path: https://other/x", "expected a path below base_url");
    check_table_mistake("query_resource: DELETE /x", "method 'DELETE' of table 'u' does not read");
    check_table_mistake("params: {org: sql@(SELECT x FROM nosuch)}", "reads table 'nosuch', which the spec does not have");
    check_table_mistake("params: {org: sql@(SELECT x FROM u)}", "tables need each other to load: u reads u");
    check_table_mistake("params: {org: 'sql@(SELECT x, y FROM t)'}", "yields 2 columns; expected 1");
    check_table_mistake("params: {org: sql@(SELECT x FROM main.t)}", "without schema");
    check_table_mistake("params: {org: sql@SELECT x FROM t}", "expected sql@(SELECT ...)");
    check_table_mistake("params: {'a,b': [[1, 2], [3]]}", "has 1 values; expected a list of 2 values");
    check_table_mistake("params: {'a,b': 1}", "expected a list of lists of 2 values");
    check_table_mistake("params: {a: 1, 'b,a': [[1, 2]]}", "param 'a' of table 'u' is there twice");
    check_table_mistake("params: {a: '${sit}'}", "has a hole 'sit' that no param or option fills; did you mean 'site'?");
    check_table_mistake("params: {a: 'x${site}'}", "give it 'default' or 'required: true'");
    check_table_mistake("params: {a: '${timestamp}'}", "has a hole 'timestamp', which only a refresh fills");
    check_table_mistake("copy_params_to_output: [og]\nparams: {org: 1}", "copies param 'og', which it does not have");
    check_table_mistake("copy_params_to_output: [a]\nparams: {a: 'x${pin}'}", "copies param 'a', which the secret option 'pin' fills");
    check_table_mistake(
        "copy_params_to_output: ['b']\nparams: {'a,b': [[1, '${pin}']]}",
        "copies param 'b', which the secret option 'pin' fills",
    );
    check_table_mistake("supports_paging: true", "neither it nor the spec has 'paging'");
    check_table_mistake("paging: {strategy: relay}", "has no 'page_info_path'");
    check_table_mistake(
        "paging: {strategy: pageAndCount, page_size: 5}",
        "has no 'page_param', and no '${page.number}' stands in its requests",
    );
    check_table_mistake("paging: {strategy: pagerToken, pager_token_path: a}", "has no 'token_param', and no '${page.token}'");
    check_table_mistake("paging: {strategy: pagerToken, token_param: a}", "has none of 'pager_token_path', 'pager_token_header'");
    check_table_mistake("paging: {strategy: pagerToken, token_param: a, last_row: id, carry: x}", "has several of 'pager_token_path'");
    check_table_mistake("paging: {strategy: pagerToken, token_param: a, carry: x}", "has 'token_param', but the answer has several params");
    check_table_mistake("paging: {strategy: pagerToken, tokens: {a: {file: x}}}", "unknown key 'file'");
    check_table_mistake("paging: {strategy: pagerToken, tokens: [a]}", "expected a mapping of params to JSONPaths");
    check_table_mistake("paging: {strategy: linkHeader, link_attribute: results}", "expected a mapping of attributes to texts");
    check_table_mistake(
        "paging: {strategy: pageAndCount, page_param: p, page_size: 5, stop_on_empty: true}",
        "unknown key 'stop_on_empty'",
    );
    check_table_mistake("paging: {strategy: linkHeader, first: {path: /x}}", "unknown key 'path' in 'first' in the paging");
    check_table_mistake("paging: {strategy: pageAndCount, page_param: p, page_size: 0}", "expected a whole number of 1 or more");
    check_table_mistake("paging: {strategy: pageAndCount, page_param: p}", "has no 'page_size'");
    check_table_mistake("paging: {strategy: linkHeader, page_param: p}", "unknown key 'page_param'");
    check_table_mistake("paging: {strategy: nextLink, pager_link_path: 'a[[['}", "is not a JSONPath");
    check_table_mistake("select: '*_url'", "neither a name nor a regular expression");
    check_table_mistake("columns: {a: VARCHARR}", "type 'VARCHARR' of column 'a' of table 'u' is unknown");
    check_table_mistake("columns: [{name: a}, {name: A}]", "column 'A' of table 'u' is declared twice");
    check_table_mistake("nested: deep", "expected flatten, json or a number of levels");
    check_table_mistake("headers: {'X Y': 1}", "no valid HTTP header name");
    check_table_mistake("result_body_path: a..b", "expected a dotted path");
    check_table_mistake("name: x", "key 'name' is there twice");
}

#[test]
fn circles_of_tables_and_views_of_unknown_ones_are_found() {
    check_mistakes(
        "name: a\nbase_url: https://a\ntables:\n  - {name: t, params: {x: sql@(SELECT x FROM u)}}\n  - {name: u, params: {x: sql@(SELECT x FROM v)}}\n  - {name: v, params: {x: sql@(SELECT x FROM t)}}\n  - {name: w, params: {x: sql@(SELECT x FROM v)}}\nviews:\n  - {name: t, query: SELECT * FROM later}\n  - {name: later, query: DROP TABLE t}\n",
        expect![[r#"
            a.yaml:4:5: tables need each other to load: t reads u reads v reads t
            a.yaml:9:12: the name 't' is taken by the table or view in line 4
            a.yaml:9:22: view 't' reads 'later', which is neither a table nor an earlier view
            a.yaml:10:26: view 'later': the query is not a SELECT"#]],
    );
}

/// Changes a text at one place in ways that keep much of it meaningful.
fn mutated(text: &str, at: usize, change: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let idx = at % lines.len();
    let mut lines: Vec<String> = lines.into_iter().map(str::to_string).collect();
    match change % 8 {
        0 => lines[idx].clear(),
        1 => lines[idx] = format!("  {}", lines[idx]),
        2 => lines[idx] = lines[idx].trim_start().to_string(),
        3 => lines[idx] = lines[idx].replace(':', ""),
        4 => lines[idx] = lines[idx].split(':').next().unwrap_or("").to_string() + ": [{a: [1, null]}]",
        5 => lines[idx] = lines[idx].split(':').next().unwrap_or("").to_string() + ":",
        6 => {
            let next = (idx + 1) % lines.len();
            lines.swap(idx, next);
        }
        _ => lines[idx] = lines[idx].chars().rev().collect(),
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn mutated_specs_never_panic(which in 0_usize..3, places in proptest::collection::vec((any::<usize>(), any::<usize>()), 1..6)) {
        let mut text = [FULL.to_string(), BUNDLED[0].text().unwrap(), BUNDLED[1].text().unwrap()][which].clone();
        for (at, change) in places {
            text = mutated(&text, at, change);
        }
        if let Err(err) = AdapterSpec::parse("a.yaml", &text) {
            prop_assert!(err.to_string().lines().all(|line| line.starts_with("a.yaml:")), "{err}");
        }
    }
}

#[test]
fn tables_that_leave_paging_open_are_a_warning_or_an_error() {
    let text = |top: &str| {
        format!(
            "name: a\n{top}base_url: https://a\npaging: {{strategy: linkHeader}}\ntables:\n  - {{name: t}}\n  - {{name: u, supports_paging: false}}\n  \
             - {{name: v, paging: {{strategy: none}}}}\n  - {{name: w, result_object_path: x}}\n"
        )
    };
    let spec = spec_of(&text(""));
    assert_eq!(spec.warnings.len(), 1);
    assert!(spec.warnings_of("T")[0].starts_with("a.yaml:5:12: table 't' loads one page"), "{:?}", spec.warnings);
    assert!(spec.warnings_of("u").is_empty());
    let unpaged: Vec<Unpaged> = spec.tables.iter().map(|table_def| table_def.unpaged).collect();
    assert_eq!(unpaged, [Unpaged::Warns, Unpaged::Warns, Unpaged::Wanted, Unpaged::Warns]);
    let err = AdapterSpec::parse("a.yaml", &text("strict: true\n")).unwrap_err().to_string();
    assert!(err.starts_with("a.yaml:6:12: table 't' loads one page") && err.lines().count() == 1, "{err}");
}

#[test]
fn environment_variables_in_headers_are_told() {
    let warnings = |value: &str| {
        let text = format!("name: a\nbase_url: https://a\nheaders: {{X: '{value}'}}\ntables: [{{name: t, headers: {{Y: '{value}'}}}}]\n");
        spec_of(&text).warnings.into_iter().map(|warning| warning.message).collect::<Vec<_>>()
    };
    let told = warnings("Bearer $API_TOKEN");
    assert_eq!(told.len(), 2);
    assert!(told[0].contains("header 'X' of the spec is sent with '$API_TOKEN' as it is"), "{told:?}");
    assert!(told[1].contains("header 'Y' of table 't'"), "{told:?}");
    for harmless in ["$", "5$", "$5", "a $b", "$select=x"] {
        assert!(warnings(harmless).is_empty(), "{harmless}");
    }
}

#[test]
fn a_test_is_a_path_and_what_is_expected() {
    let spec = |test: &str| AdapterSpec::parse("a.yaml", &format!("name: a\nbase_url: https://a\ntest: {test}\ntables: [{{name: t}}]\n"));
    let test = spec("{resource_path: /me, expect: {status: [200, 204], body: {user.ok: true}}}").unwrap().unwrap().test.unwrap();
    assert_eq!((test.path.as_str(), test.expected.statuses.as_slice()), ("/me", &[200, 204][..]));
    for (wrong, expected) in [
        ("{expect: {status: 200}}", "has no 'resource_path'"),
        ("{resource_path: 'https://b/me'}", "a path below base_url without holes"),
        ("{resource_path: /me, expect: {code: 200}}", "unknown key 'code'"),
    ] {
        let message = spec(wrong).unwrap_err().to_string();
        assert!(message.contains(expected), "{wrong}: {message}");
    }
}

#[test]
fn positions_in_brackets_are_refused_with_their_right_form() {
    for lines in ["result_body_path: data[0].items", "columns: {x: {source: 'value[1]'}}", "result_meta_paths: ['a[0]']"] {
        check_table_mistake(lines, "lists on the way of 'result_body_path' are gone through");
    }
    assert!(table_spec("columns: {x: {source: ['a[0]']}}").is_ok());
}

#[test]
fn missing_is_error_or_empty() {
    check_table_mistake("missing: none", "'missing' of table 'u'");
    assert_eq!(table_spec("missing: empty").unwrap().unwrap().tables[1].missing, Missing::Empty);
}

#[test]
fn a_spec_full_of_wrong_names_is_answered() {
    // To compare the letters of all 40 million pairs of names takes minutes.
    let name = |begin: &str, idx: usize| format!("{begin}_of_the_customers_of_the_shops_of_the_year_{idx:05}");
    let mut text = String::from("name: a\nbase_url: https://a\noptions:\n");
    text.extend((0..2000).map(|idx| format!("  {}: {{description: d, default: x}}\n", name("orders", idx))));
    text += "tables:\n";
    for table_idx in 0..40 {
        let holes: String = (0..500).map(|idx| format!("/{{{}}}", name("ordres", idx))).collect();
        text += &format!("  - name: t{table_idx}\n    resource_path: {holes}\n");
    }
    let message = AdapterSpec::parse("a.yaml", &text).unwrap_err().to_string();
    assert!(message.contains("did you mean 'orders_of") && message.contains("more mistakes"), "{message}");
}
