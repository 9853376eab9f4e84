//! Tests of `discover`: what parses, and each mistake with its place.

use crate::spec::{AdapterSpec, FieldsSource};
use expect_test::{expect, Expect};

fn spec_of(table: &str) -> String {
    let lines: String = table.lines().map(|line| format!("    {line}\n")).collect();
    format!("name: a\nbase_url: https://a.test/{{region}}\noptions: {{region: {{default: eu}}}}\ntables:\n  -\n{lines}")
}

fn check_error(table: &str, expected: Expect) {
    let text = spec_of(table);
    expected.assert_eq(&AdapterSpec::parse("a.yaml", &text).err().unwrap_or_else(|| panic!("{text}")).to_string());
}

#[test]
fn requests_have_columns_for_what_is_taken() {
    let text = spec_of(
        "name: t_${object.name}\ndescription: ${object.label}\ndiscover: {every: 2d, objects: {resource_path: /o}, fields: {resource_path: \
         '/o/{object.id}', name: meta.name}}\nresource_path: /r/{object.links.self}\nparams: {f: \"${fields | join(',')}\"}",
    );
    let spec = AdapterSpec::parse("a.yaml", &text).unwrap().unwrap();
    assert!(spec.tables.is_empty() && spec.discover.len() == 1);
    let discover = &spec.discover[0];
    let objects = discover.objects.as_ref().unwrap();
    assert_eq!(objects.values, ["id", "label", "links.self", "name"]);
    assert!(objects.request.only_columns && objects.request.columns.len() == 4);
    let Some(FieldsSource::Request(request)) = discover.fields.as_ref().map(|fields| &fields.source) else { panic!("no request") };
    assert_eq!(request.copy_params_to_output, ["object.id"]);
    assert_eq!(discover.every.map(|every| every.as_secs()), Some(2 * 86_400));
}

#[test]
fn a_table_of_a_fixed_name_is_there_before_it_is_discovered() {
    let text = spec_of("name: t\ndiscover: {fields: {resource_path: /f, name: name}}\nparams: {fields: \"${fields | join(',')}\"}");
    let spec = AdapterSpec::parse("a.yaml", &text).unwrap().unwrap();
    assert!(spec.table("t").is_some() && spec.discover[0].is_fixed());
}

#[test]
fn mistakes_are_told_with_their_place() {
    check_error(
        "name: t\ndiscover: {object: {}, every: often}",
        expect![[r#"
            a.yaml:7:15: 'discover' of table 't' has neither 'objects' nor 'fields'
            a.yaml:7:16: unknown key 'object' in 'discover' of table 't'; did you mean 'objects'?"#]],
    );
    check_error(
        "name: t\ndiscover: {objects: {resource_path: /o, colums: 1}}",
        expect![[r#"
            a.yaml:6:11: the name of table 't' is the same for all objects; write a hole, such as '${object.name | snake}'
            a.yaml:7:45: unknown key 'colums' in 'objects' in 'discover' of table 't'; expected one of: resource_path, query_resource, method, safe, base_url, headers, params, body, form, multipart, text, graphql, post, format, csv, compression, files, tree, keyed_by, row_names, zip, result_body_path, missing, skip_when, paging, supports_paging, throttle"#]],
    );
    check_error(
        "name: t_${object.name}\ndiscover: {fields: {resource_path: /f}}\nresource_path: /{object.name}\nparams: {f: '${fields}'}",
        expect![[r#"
            a.yaml:6:11: the name of table 't_${object.name}' has a hole 'object.name'; it needs 'objects' in 'discover', which tell what fills it
            a.yaml:7:24: 'fields' in 'discover' of table 't_${object.name}' has no 'name', the path of a field's name
            a.yaml:8:20: the path of table 't_${object.name}' has a hole 'object.name', which nothing fills: the table needs 'discover' with 'objects'"#]],
    );
    check_error(
        "name: t_${object.name}_${region}\ndiscover: {objects: {resource_path: /o, params: {x: 'sql@(SELECT a FROM t)'}}, fields: {path: f, \
         resource_path: /x, type: {path: t, as: {int: BIGNUM}}}}\nparams: {f: \"${fields | join(',')}\"}",
        expect![[r#"
            a.yaml:6:11: the name of table 't_${object.name}_${region}' has a hole 'region'; expected holes such as '${object.name}'
            a.yaml:7:57: the query of param 'x' of table 'objects of t_${object.name}_${region}' reads table 't', which the spec does not have
            a.yaml:7:99: 'fields' in 'discover' of table 't_${object.name}_${region}' has both 'path' (the fields are in each object) and 'resource_path' (they are asked for); keep one
            a.yaml:7:147: type 'BIGNUM' of 'type' of 'fields' in 'discover' of table 't_${object.name}_${region}' is unknown; expected BOOLEAN, BIGINT, HUGEINT, DOUBLE, DECIMAL(18,2), DATE, TIMESTAMP, TIMESTAMP_NS, VARCHAR, one of these with [] for a list, or JSON"#]],
    );
}

#[test]
fn rows_of_chunks_can_be_put_together() {
    let check = |rest: &str, expected: Expect| {
        let fields = "discover: {fields: {resource_path: /f, name: n, chunk: 50}}";
        check_error(&format!("name: t\n{fields}\n{rest}"), expected);
    };
    let asks = "params: {f: \"${fields | join(',')}\", org: [a, b]}";
    check(
        "key_column: id",
        expect!["a.yaml:7:60: 'chunk' has several requests ask for the fields of table 't', but no '${fields}' stands in its requests"],
    );
    check(asks, expect!["a.yaml:7:60: 'chunk' has several requests ask for the fields of table 't', but it has no key, by which the rows of all requests are put together; name its 'key_column'"]);
    check(&format!("{asks}\nkey_column: id"), expect!["a.yaml:7:60: 'chunk' has several requests ask for the fields of table 't', but its rows are put together by key within each call of the table; add 'org' to 'copy_params_to_output'"]);
    check(&format!("{asks}\nkey_column: id\ncopy_params_to_output: org\nchildren: [{{name: c, path: c, copy: {{t: id}}}}]"), expect!["a.yaml:7:60: 'chunk' has several requests ask for the fields of table 't', but its 'children' would come with each request; leave out one of the two"]);
    check(
        &format!("{asks}\nkey_column: id\ncopy_params_to_output: org\nrefresh: {{strategy: updates, sync_token: {{path: a, param: b}}}}"),
        expect!["a.yaml:7:60: 'chunk' has several requests ask for the fields of table 't', but its 'sync_token' would be another one for each request; leave out one of the two"],
    );
    check_error(
        "name: t\ndiscover: {fields: {resource_path: /f, name: n, chunk: 0}}",
        expect![[r#"
            a.yaml:7:60: 'chunk' has several requests ask for the fields of table 't', but no '${fields}' stands in its requests
            a.yaml:7:60: 'chunk' of 'fields' in 'discover' of table 't' is the number 0; expected a whole number of 1 or more"#]],
    );
}

#[test]
fn what_is_asked_for_does_not_wait_for_itself() {
    check_error(
        "name: t\ndiscover: {fields: {resource_path: /f, name: n, params: {x: 'sql@(SELECT a FROM t)'}}}\nresource_path: /r\n\
         params: {f: \"${fields | join(',')}\"}",
        expect!["a.yaml:7:61: 'fields' in 'discover' of table 't' queries table 't', which has to be discovered itself"],
    );
}

#[test]
fn what_is_discovered_never_decides_a_host() {
    check_error(
        "name: t_${object.name}\ndiscover: {objects: {resource_path: /o}, fields: {base_url: 'https://{object.host}', name: name}}\n\
         base_url: https://{object.host}/x\nresource_path: /r",
        expect![[r#"
            a.yaml:6:5: the host of 'base_url' has a hole 'object.host'; expected an option, or a param whose values the spec lists
            a.yaml:7:54: the host of 'base_url' has a hole 'object.host'; expected an option, or a param whose values the spec lists"#]],
    );
}

#[test]
fn children_of_objects_have_names_of_their_own() {
    let children = |names: &str| {
        let discover = "name: t_${object.name}\ndiscover: {objects: {resource_path: /o}}\nresource_path: /r\nkey_column: id";
        format!("{discover}\nchildren: [{names}]")
    };
    let text = spec_of(&children("{name: '${object.id}_c', path: p, copy: {x: id}}"));
    let spec = AdapterSpec::parse("a.yaml", &text).unwrap().unwrap();
    assert!(spec.tables.is_empty() && spec.discover[0].children.len() == 1);
    assert_eq!(spec.discover[0].objects.as_ref().unwrap().values, ["id", "name"]);
    check_error(
        &children("{name: c, path: p, copy: {x: id}}, {name: '${object.name}_${region}', path: p, copy: {x: id}}"),
        expect![[r#"
            a.yaml:10:23: the name of child 'c' of table 't_${object.name}' is the same for all objects; write a hole, such as '${object.name | snake}_lines'
            a.yaml:10:58: the name of child '${object.name}_${region}' of table 't_${object.name}' has a hole 'region'; expected holes such as '${object.name}'"#]],
    );
}

#[test]
fn holes_need_a_discovery() {
    check_error(
        "name: t\nparams: {a: '${object.name}', b: '${fields}'}\nresource_path: /{fields}",
        expect![[r#"
        a.yaml:7:17: param 'a' of table 't' has a hole 'object.name', which nothing fills: the table needs 'discover' with 'objects'
        a.yaml:7:38: param 'b' of table 't' has a hole 'fields', which nothing fills: the table needs 'discover' with 'fields'; where it is a param of this name, give that another name
        a.yaml:8:20: the path of table 't' has a hole 'fields', which nothing fills: the table needs 'discover' with 'fields'; where it is a param of this name, give that another name"#]],
    );
}
