//! Imports of small descriptions, and of wrong ones.

use super::{compare, import, Description};
use crate::spec::AdapterSpec;
use expect_test::expect_file;
use proptest::prelude::*;

const SHOP: &str = include_str!("../../../test/fixtures/openapi/shop.yaml");
const DESK: &str = include_str!("../../../test/fixtures/openapi/desk.json");
const HOSTILE: &str = include_str!("../../../test/fixtures/openapi/hostile.yaml");

fn imported(file: &str, text: &str, include: &[&str]) -> crate::Result<String> {
    let include: Vec<String> = include.iter().map(|pattern| pattern.to_string()).collect();
    Ok(import(&Description::parse(file, text)?, &include)?.yaml)
}

fn names(yaml: &str) -> Vec<String> {
    AdapterSpec::parse("a.yaml", yaml).unwrap().unwrap().tables.iter().map(|table_def| table_def.name.clone()).collect()
}

#[test]
fn descriptions_become_specs() {
    expect_file!["../../../test/fixtures/openapi/shop.spec.yaml"].assert_eq(&imported("shop.yaml", SHOP, &[]).unwrap());
    expect_file!["../../../test/fixtures/openapi/desk.spec.yaml"].assert_eq(&imported("desk.json", DESK, &[]).unwrap());
}

#[test]
fn what_is_wrong_does_no_harm() {
    let yaml = imported("hostile.yaml", HOSTILE, &[]).unwrap();
    expect_file!["../../../test/fixtures/openapi/hostile.spec.yaml"].assert_eq(&yaml);
}

#[test]
fn chosen_tables_come_with_their_parents() {
    assert_eq!(names(&imported("shop.yaml", SHOP, &["*/lines"]).unwrap()), ["stores", "stores_orders", "stores_orders_lines"]);
    assert_eq!(names(&imported("shop.yaml", SHOP, &["events", "/cat*"]).unwrap()), ["categories", "events"]);
    let message = imported("shop.yaml", SHOP, &["event"]).unwrap_err().to_string();
    assert_eq!(message, "file 'shop.yaml': no list request has the path or name 'event'; did you mean 'events'?");
}

#[test]
fn a_description_without_lists_is_an_error() {
    let message = |paths: &str| imported("a.yaml", &format!("openapi: 3.0.0\npaths: {paths}"), &[]).unwrap_err().to_string();
    assert_eq!(message("{}"), "file 'a.yaml': it has no GET request, so there is nothing to make a table of");
    let one = message("{/a: {get: {responses: {200: {content: {application/json: {schema: {type: string}}}}}}}}");
    assert_eq!(
        one,
        "file 'a.yaml': none of its 1 GET requests answers a list of records, by its schema, so there is nothing to make a table of"
    );
}

#[test]
fn schemas_that_refer_to_one_another_without_end_are_an_error() {
    let n_paths = 4000;
    let parts: String = (0..60).map(|idx| format!("        - {{$ref: '#/components/schemas/s{idx}'}}\n")).collect();
    let schemas: String = (0..60).map(|idx| format!("    s{idx}:\n      allOf:\n{parts}")).collect();
    let answer = "responses: {200: {content: {application/json: {schema: {$ref: '#/components/schemas/s0'}}}}}";
    let paths: String = (0..n_paths).map(|idx| format!("  /a{idx}: {{get: {{{answer}}}}}\n")).collect();
    let text = format!("openapi: 3.0.0\ncomponents:\n  schemas:\n{schemas}paths:\n{paths}");
    assert!(imported("a.yaml", &text, &[]).is_err());
}

/// Returns a description of GET requests: for each the path, its parameters, and the schema of the records or of the answer.
fn described(requests: &[(&str, &str, &str)]) -> String {
    let request = |(path, parameters, schema): &(&str, &str, &str)| {
        let answer = format!("content: {{application/json: {{schema: {schema}}}}}");
        format!("  {path}:\n    get: {{parameters: [{parameters}], responses: {{200: {{{answer}}}}}}}\n")
    };
    format!("openapi: 3.0.0\nservers: [{{url: 'https://a.test'}}]\npaths:\n{}", requests.iter().map(request).collect::<String>())
}

fn records(properties: &str) -> String {
    format!("{{type: array, items: {{type: object, properties: {{{properties}}}}}}}")
}

#[test]
fn a_column_that_is_deprecated_is_taken_where_there_is_no_other() {
    let text = "type: string";
    let (evidence, path) = (records("evidence_id: {type: string}"), "{name: dispute_id, in: path, required: true, schema: {type: string}}");
    for mark in ["deprecated: true", "x-release-status: DEPRECATED", "x-deprecated: true", "x-is-deprecated: use id"] {
        let old = format!("dispute_id: {{{text}, {mark}}}");
        let yaml = |properties: &str| {
            let requests = [("/disputes", "", records(properties)), ("/disputes/{dispute_id}/evidence", path, evidence.clone())];
            let requests: Vec<(&str, &str, &str)> =
                requests.iter().map(|(path, params, schema)| (*path, *params, schema.as_str())).collect();
            imported("a.yaml", &described(&requests), &[]).unwrap()
        };
        let found = yaml(&format!("{old}, id: {{{text}}}"));
        assert!(found.contains("dispute_id: sql@(SELECT id FROM disputes)"), "{mark}:\n{found}");
        let found = yaml(&format!("{old}, note: {{{text}}}"));
        assert!(found.contains("dispute_id: sql@(SELECT dispute_id FROM disputes)"), "{mark}:\n{found}");
        let found = yaml(&format!("id: {{{text}, {mark}}}, uuid: {{{text}}}"));
        assert!(found.contains("key_column: uuid"), "{mark}:\n{found}");
        let found = yaml(&format!("id: {{{text}, {mark}}}"));
        assert!(found.contains("key_column: id"), "{mark}:\n{found}");
    }
}

#[test]
fn one_record_with_a_list_is_not_a_table_of_the_list() {
    let fields = ["vcs", "vcs_url", "status", "status_text", "percent", "failed_step", "has_large_files", "html_url", "message"];
    let status: Vec<String> = fields.iter().map(|name| format!("{name}: {{type: string}}")).collect();
    let status = status.join(", ");
    let list = "{type: array, items: {type: object, properties: {name: {type: string}}}}";
    let one = format!("{{type: object, properties: {{{status}, project_choices: {list}}}}}");
    let lists = format!("{{type: object, properties: {{page: {{type: integer}}, per_page: {{type: integer}}, pages: {{type: integer}}, total_count: {{type: integer}}, has_more: {{type: boolean}}, next: {{type: string}}, widgets: {list}}}}}");
    let named = format!("{{type: object, properties: {{{status}, imports: {list}}}}}");
    let text = described(&[("/import", "", &one), ("/things", "", &lists), ("/imports", "", &named)]);
    assert_eq!(names(&imported("a.yaml", &text, &[]).unwrap()), ["things", "imports"]);
}

#[test]
fn values_that_a_parameter_may_have_are_told_or_all_asked_for() {
    let kinds =
        "{name: package_type, in: query, required: true, description: Kind of package, schema: {type: string, enum: [npm, maven, docker]}}";
    let view = "{name: interval, in: query, required: true, schema: {type: string, enum: [minute, hour]}}";
    let groups = "{name: group_by, in: query, required: true, schema: {type: array, items: {enum: [day, shop]}}}";
    let path = "{name: os, in: path, required: true, schema: {enum: [LINUX, MACOS]}}";
    let other = "{name: os, in: path, required: true, schema: {enum: [DOS]}}";
    let actor = "{name: kind, in: path, required: true, schema: {enum: [user, app]}}";
    let more = "{name: os, in: path, required: true, schema: {enum: [A, B]}}";
    let text = described(&[
        ("/packages", kinds, &records("id: {type: integer}, package_type: {type: string}")),
        ("/tests", &format!("{view}, {groups}"), &records("id: {type: integer}")),
        ("/systems/{os}", path, &records("id: {type: integer}, n: {type: integer}")),
        ("/old/{os}", other, &records("id: {type: integer}")),
        ("/new/{os}/x", more, &records("id: {type: integer}")),
        ("/actors/{kind}/{name}/stats", &format!("{actor}, {{name: name, in: path, required: true}}"), &records("n: {type: integer}")),
        ("/policies", &kinds.replace("package_type", "type"), &records("id: {type: integer}, type: {type: string}")),
    ]);
    expect_file!["../../../test/fixtures/openapi/kinds.spec.yaml"].assert_eq(&imported("a.yaml", &text, &[]).unwrap());
}

#[test]
fn a_path_that_looks_like_a_placeholder_of_another_tool_is_a_path() {
    let one = records("id: {type: integer}");
    let text = described(&[("/:batch/things", "", &one), ("/jobs/<all>", "", &one), ("/jobs:list", "", &one)]);
    let yaml = imported("a.yaml", &text, &[]).unwrap();
    for path in ["/%3Abatch/things", "/jobs/%3Call>", "/jobs:list"] {
        assert!(yaml.contains(path), "{path}:\n{yaml}");
    }
    let found = compare(&AdapterSpec::examine("a.yaml", &yaml), &Description::parse("d.yaml", &text).unwrap());
    assert!(found.iter().all(|finding| !finding.message.contains("no path")), "{found:?}");
}

#[test]
fn no_option_has_a_name_that_unify_takes() {
    for name in super::names::reserved().filter(|name| !name.contains('.')) {
        for place in ["path", "query", "header"] {
            let path = if place == "path" { format!("'/things/{{{name}}}/rows'") } else { "/rows".to_string() };
            let parameter = format!("{{name: {name}, in: {place}, required: true, schema: {{type: boolean}}}}");
            let text = described(&[(&path, &parameter, &records("id: {type: integer}"))]);
            let yaml = imported("a.yaml", &text, &[]).unwrap_or_else(|err| panic!("{name} in {place}: {err}"));
            assert!(!yaml.contains(&format!("\n  {name}: ")), "{yaml}");
            assert!(yaml.contains(&format!("{}_{name}: ", if place == "path" { "path" } else { "param" })), "{yaml}");
            if place != "path" {
                let scheme = format!("{{k: {{type: apiKey, in: {place}, name: {name}}}}}");
                let text = format!("{text}components: {{securitySchemes: {scheme}}}\nsecurity: [{{k: []}}]\n");
                let yaml = imported("a.yaml", &text, &[]).unwrap_or_else(|err| panic!("{name} in {place}: {err}"));
                assert!(yaml.contains(&format!("{name}: {{option: auth_{name}")), "{yaml}");
            }
        }
        let host = format!("openapi: 3.0.0\nservers: [{{url: 'https://{{{name}}}.a.test'}}]\n");
        let text = described(&[("/rows", "", &records("id: {type: integer}"))])
            .replace("openapi: 3.0.0\nservers: [{url: 'https://a.test'}]\n", &host);
        let yaml = imported("a.yaml", &text, &[]).unwrap_or_else(|err| panic!("{name} in the address: {err}"));
        assert!(yaml.contains(&format!("  server_{name}: ")), "{yaml}");
    }
}

#[test]
fn params_that_a_request_needs_are_sent_also_where_they_look_like_those_of_pages() {
    let check = |name: &str, more: &str, others: &str, expected: &str| {
        let parameter = format!("{{name: {name}, in: query, required: true, {more}}}{others}");
        let text = described(&[("/rows", &parameter, &records("id: {type: integer}"))]);
        let yaml = imported("a.yaml", &text, &[]).unwrap();
        assert!(yaml.contains(expected), "{yaml}");
        let found = compare(&AdapterSpec::examine("a.yaml", &yaml), &Description::parse("d.yaml", &text).unwrap());
        assert_eq!(found, [], "{yaml}");
    };
    let count = ", {name: limit, in: query, schema: {type: integer}}";
    check("limit", "schema: {type: integer, maximum: 50}", "", "      limit: 50\n");
    check("limit", "schema: {type: integer, default: 20, maximum: 50}", "", "      limit: 20\n");
    check("offset", "schema: {type: integer}", "", "      offset: 0\n");
    check("offset", "schema: {type: integer}", count, "offset_param: offset, count_param: limit");
    check("page", "schema: {type: integer}", "", "page_param: page");
    check("cursor", "schema: {type: string}", "", "      cursor: \"${param_cursor}\"\n");
    check("pageToken", "schema: {type: string}", "", "      pageToken: \"${page_token}\"\n");
    for format in ["schema: {type: string, format: date-time}", "schema: {type: integer}, description: POSIX timestamp"] {
        check("from", format, count, "      from: \"${from}\"\n");
        check("start", format, "", "      start: \"${start}\"\n");
        check("after", format, "", "      after: \"${after}\"\n");
    }
}

/// A word of a description, or one that ends it.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        Just("id".to_string()),
        Just("page".to_string()),
        Just("data".to_string()),
        Just("next".to_string()),
        proptest::sample::select(super::names::reserved().map(str::to_string).collect::<Vec<_>>()),
        "(\\PC|[\\x01-\\x20\"'$#:\\\\{}\\[\\]-])*",
    ]
}

proptest! {
    #[test]
    fn what_is_imported_parses(words in prop::collection::vec(word(), 12), has_hole: bool) {
        let hole = if has_hole { format!("/{{{}}}", words[1]) } else { String::new() };
        let description = serde_json::json!({
            "openapi": "3.0.0",
            "info": {"title": words[0], "description": words[2], "version": words[3]},
            "servers": [{"url": format!("https://{}.example.com/{{{}}}", words[10].len(), words[11])}],
            "components": {"securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": words[4]}, "q": {"type": "apiKey", "in": "query", "name": words[4]}}},
            "paths": {
                format!("/{}", words[5]): {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "items": {
                    "type": "object", "properties": {"id": {"type": "string"}, words[6].clone(): {"type": "string"}}}}}}}}}},
                format!("/{}{hole}/{}", words[5], words[7]): {"get": {
                    "summary": words[8],
                    "parameters": [
                        {"name": words[9], "in": "query", "required": true, "description": words[8]},
                        {"name": words[4], "in": "header", "required": true, "schema": {"default": words[2]}}
                    ],
                    "responses": {"200": {"content": {"application/json": {"schema": {"type": "object", "properties": {
                        words[9].clone(): {"type": "array", "items": {"properties": {"id": {}}}}, words[10].clone(): {"type": "string"}}}}}}}
                }}
            }
        });
        // An internal error would be a spec that does not parse.
        if let Err(err) = imported("a.json", &description.to_string(), &[]) {
            prop_assert_eq!(err.kind(), crate::ErrorKind::Config, "{}", err);
        }
    }

    #[test]
    fn anything_is_read_or_an_error(text in "(openapi: 3.0.0|paths: |/a: |get: |\\{|\\}|\\[|: |\n  ?|a)*") {
        let _ = imported("a.yaml", &text, &[]);
    }
}

fn check_compared(spec: &str, expected: expect_test::Expect) {
    let description = Description::parse("shop.yaml", SHOP).unwrap();
    let found = compare(&AdapterSpec::examine("a.yaml", spec), &description);
    let lines = found.iter().map(|finding| {
        let place = finding.place.map_or(String::new(), |(line, column)| format!("{line}:{column} "));
        format!("{place}{} [{}] {} | {}\n", finding.level.name(), finding.key, finding.message, finding.suggestion.as_deref().unwrap_or(""))
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn a_spec_is_compared_with_its_description() {
    let spec = "name: a
base_url: https://{account}.shop.example.com/v1
options: {account: {required: true}}
tables:
  - name: stores
    resource_path: /stores
    paging: {strategy: linkHeader, count_param: perpage}
    key_column: id
    columns: {address_city: VARCHAR, adress: VARCHAR, town: {source: address.city}}
  - name: orders
    resource_path: /stores/{store}/orders
    params: {store: [1], status: all}
    result_body_path: order
  - {name: shops, resource_path: /store}
  - {name: search, resource_path: /stores/search/now}
  - {name: found, resource_path: /stores/search}
  - {name: refunds, resource_path: /refunds, params: {since: 2020-01-01}, result_body_path: refunds, key_column: refund_id}
  - name: first_orders
    resource_path: /stores/{store}/orders
    params: {store: [1]}
    result_body_path: orders.0
    tree: {below: lines, label: id, column: above}
    columns: {above: JSON, total: DOUBLE}
";
    check_compared(
        spec,
        expect_test::expect![[r#"
        7:49 warning [tables.stores.paging] GET /stores has no parameter 'perpage' | did you mean 'per_page'?
        9:14 warning [tables.stores.columns] the records of GET /stores have no field for column 'adress' | did you mean 'address'?
        12:34 warning [tables.orders.params] GET /stores/{storeId}/orders has no parameter 'status' | did you mean 'state'?
        13:23 warning [tables.orders.result_body_path] the answer of GET /stores/{storeId}/orders has no 'order' | did you mean 'orders'?
        14:34 warning [tables.shops.resource_path] the description has no path '/store' | did you mean '/stores'?
        15:35 warning [tables.search.resource_path] the description has no path '/stores/search/now' | did you mean '/stores'?
        16:34 warning [tables.found.resource_path] the description has '/stores/search', but no GET request for it | 
        17:5 warning [tables.refunds.params] GET /refunds needs parameter 'store_id', which the table does not send | 
        17:114 warning [tables.refunds.key_column] the records of GET /refunds have no field for column 'refund_id' | 
        note [] no table loads the list GET /invoices | unify_import_openapi(..., include := ['/invoices']) writes one
        note [] no table loads the list GET /categories | unify_import_openapi(..., include := ['/categories']) writes one
        note [] no table loads the list GET /events | unify_import_openapi(..., include := ['/events']) writes one
        note [] no table loads the list GET /regions/{region}/cities | unify_import_openapi(..., include := ['/regions/{region}/cities']) writes one
        note [] no table loads the list GET /stores/{storeId}/orders/{order_id}/lines | unify_import_openapi(..., include := ['/stores/{storeId}/orders/{order_id}/lines']) writes one
    "#]],
    );
}

#[test]
fn literals_and_the_prefix_of_an_option_find_their_path() {
    let answer = "responses: {200: {content: {application/json: {schema: {type: array, items: {type: object}}}}}}";
    let path = |path: &str, param: &str| format!("  '{path}': {{get: {{parameters: [{{name: {param}, in: query}}], {answer}}}}}\n");
    let paths = [path("/v2/{kind}/{id}", "kind"), path("/v2/users/{id}", "depth"), path("/v2/{job}:results", "rows")].concat();
    let description =
        Description::parse("a.json", &format!("openapi: 3.0.0\nservers: [{{url: 'https://a.test'}}]\npaths:\n{paths}")).unwrap();
    let spec = "name: a
base_url: \"{host}\"
options: {host: {default: https://a.test/v2/}}
tables:
  - {name: users, resource_path: /users/7, params: {depth: 1}}
  - {name: things, resource_path: \"/{thing}/{id}\", params: {thing: a, id: 1, kind: x}}
  - {name: results, resource_path: \"/nightly:results\", params: {rows: 5}}
  - {name: rows, resource_path: \"/nightly:rows\"}
";
    let found = compare(&AdapterSpec::examine("a.yaml", spec), &description);
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages, ["the description has no path '/nightly:rows'"]);
}

#[test]
fn what_was_imported_agrees_with_its_description() {
    for (file, text) in [("shop.yaml", SHOP), ("desk.json", DESK)] {
        let description = Description::parse(file, text).unwrap();
        let yaml = import(&description, &[]).unwrap().yaml;
        let found = compare(&AdapterSpec::examine(file, &yaml), &description);
        assert_eq!(found, [], "{file}");
    }
}
