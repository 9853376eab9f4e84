//! Holes as other tools write them.

use super::tests::check_table_mistake;
use crate::spec::AdapterSpec;

const PAGES: &str = "paging: {strategy: pagerToken, token_param: t, pager_token_path: next}";

fn check(line: &str, expected: &str) {
    check_table_mistake(&format!("{PAGES}\n{line}"), expected);
}

/// Fails unless a spec with a table of these lines has no mistakes.
fn is_right(lines: &str) {
    let spec = format!("name: a\nbase_url: https://a\ntables:\n  - name: t\n    {}\n", lines.replace('\n', "\n    "));
    assert!(AdapterSpec::parse("a.yaml", &spec).is_ok(), "{lines}: {:?}", AdapterSpec::parse("a.yaml", &spec).err());
}

#[test]
fn names_of_other_tools_are_told_by_what_they_mean() {
    for name in ["NextPageToken", "next_page_token", "nextToken", "next_cursor", "starting_after"] {
        check(
            &format!("params: {{a: '${{{name}}}'}}"),
            &format!("has a hole '{name}' that no param or option fills; write '${{page.token}}' for what leads to the next page"),
        );
    }
    check("body: {a: '${NextPageToken}'}", "fills; write '${page.token}'");
    check("headers: {a: '${NextPageToken}'}", "fills; write '${page.token}'");
    check("resource_path: '/x/{next_page_token}'", "fills; write '{page.token}'");
    check("params: {a: '${page}'}", "fills; write '${page.number}'");
    check("params: {a: '${offset}'}", "fills; write '${page.offset}'");
    check("params: {a: '${limit}'}", "fills; write '${page.size}'");
    check("params: {a: '${PageSize}'}", "fills; write '${page.size}'");
    check("params: {a: '${replication_key_value}'}", "write '${timestamp}' or '${cursor}' in 'params' of 'refresh'");
    check("params: {a: '${config.start_date}'}", "declare 'start_date' in 'options' and write '${start_date}'");
    check("params: {a: '${config.site}'}", "fills; write '${site}', the option");
    check("params: {a: '${parent.id}'}", "give the table a param 'id', such as 'id: sql@(SELECT id FROM parents)', and write '${id}'");
    check("params: {a: '${last_record.id}'}", "write 'last_row: id' in the table's paging and '${page.token}'");
    check("params: {a: '${something}'}", "fills; give the table a param 'something', or declare 'something' in 'options'");
    check("resource_path: '/x/{id}'", "fills; give the table a param 'id', or declare 'id' in 'options'");
    // What the spec has is nearer.
    check("params: {pages: 1, a: '${page}'}", "did you mean 'pages'?");
}

#[test]
fn double_braces_are_holes_of_other_tools() {
    let told = |written: &str, instead: &str| {
        format!("has '{written}', which is how other tools write a hole (placeholder) and would be sent as it is; {instead}")
    };
    for (written, instead) in [
        ("{{ next_page_token }}", "write '${page.token}'"),
        ("{{next_page_token}}", "write '${page.token}'"),
        ("{{ config[\"start_date\"] }}", "declare 'start_date' in 'options' and write '${start_date}'"),
        ("{{ config.get('start_date') }}", "declare 'start_date' in 'options' and write '${start_date}'"),
        ("{{ config['a'] or 'b' }}", "declare 'a' in 'options' and write '${a}'"),
        ("{{ stream_partition.org }}", "give the table a param 'org', such as 'org: sql@(SELECT id FROM parents)', and write '${org}'"),
        ("{{ stream_interval.start_time }}", "write '${window.start}', with 'window' in the table"),
        ("{{ stream_slice['end_time'] }}", "write '${window.end}', with 'window' in the table"),
        ("{{ response.meta.next }}", "write 'pager_token_path: meta.next' in the table's paging and '${page.token}'"),
        ("{{ now_utc() }}", "write '${now}'"),
        ("{{ today_utc() }}", "write '${today}'"),
        ("{{ day_delta(-25, format='%Y-%m-%d') }}", "write '${today-25d}'"),
        ("{{$timestamp}}", "write '${now | epoch}'"),
        ("{{$isoTimestamp}}", "write '${now | iso8601}'"),
        ("{{site}}", "write '${site}', the option"),
        ("{{var}}", "give the table a param 'var', or declare 'var' in 'options', and write '${var}'"),
        ("${{ secrets.KEY }}", "declare 'KEY' in 'options' and write '${KEY}'"),
    ] {
        let quoted = written.replace('\'', "''");
        for line in
            [format!("params: {{a: '{quoted}'}}"), format!("headers: {{a: 'x {quoted}'}}"), format!("body: {{a: [{{b: '{quoted}'}}]}}")]
        {
            check(&line, &told(written, instead));
        }
        check(&format!("text: 'a {quoted}'"), &told(written, instead));
    }
    check("resource_path: '/x/{{ next_page_token }}'", &told("{{ next_page_token }}", "write '{page.token}'"));
    check("resource_path: '/x/{{id}}/y'\nparams: {id: 1}", &told("{{id}}", "write '{id}'"));
    check("params: {id: 1, a: '{{id}}'}", &told("{{id}}", "write '${id}'"));
}

#[test]
fn a_hole_with_one_brace_stands_in_paths_alone() {
    check(
        "params: {a: '{state}'}",
        "has '{state}', which is a hole in paths alone and would be sent as it is; give the table a param 'state'",
    );
    check("params: {id: 1, a: '{id}'}", "would be sent as it is; write '${id}'");
    check("params: {a: '{today}'}", "would be sent as it is; write '${today}'");
    check("headers: {a: 'Bearer {token}'}", "has '{token}', which is a hole in paths alone");
    check("body: {a: '{next_page_token}'}", "would be sent as it is; write '${page.token}'");
    check("params: {id: 1}\nbody: {a: '{id}'}", "would be sent as it is; write '${id}'");
}

#[test]
fn a_hole_in_two_braces_is_one_mistake() {
    let found =
        AdapterSpec::examine("a.yaml", "name: a\nbase_url: https://a\ntables:\n  - {name: t, resource_path: '/x/{{id}}/y'}\n").findings;
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn requests_of_discovery_and_of_refreshes_are_looked_through_once() {
    let objects = "discover: {objects: {resource_path: '/x/{{a}}', name: id}}";
    for (lines, n_found) in [
        (format!("name: '${{object.name}}'\n{objects}\nresource_path: '/y/{{{{b}}}}'"), 2),
        ("name: t\nresource_path: /x\nkey_column: id\nrefresh: {strategy: updates, params: {since: '${timestamp}', a: '{{b}}'}}".to_string(), 1),
        ("name: t\nresource_path: /x\nparams: {a: '{{b}}'}\nkey_column: id\nrefresh: {strategy: updates, request: {resource_path: /y}, params: {since: '${timestamp}'}}".to_string(), 1),
    ] {
        let text = format!("name: a\nbase_url: https://a\ntables:\n  - {}\n", lines.replace('\n', "\n    "));
        let found = AdapterSpec::examine("a.yaml", &text).findings;
        let foreign: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).filter(|message| message.contains("other tools")).collect();
        assert_eq!(foreign.len(), n_found, "{text}{found:?}");
    }
}

#[test]
fn parts_of_a_path_may_be_holes_of_other_tools() {
    check("resource_path: /x/:id/y", "has ':id', which is how other tools write a hole (placeholder) and would be sent as it is; give the table a param 'id', or declare 'id' in 'options', and write '{id}'");
    check("resource_path: /x/:id\nparams: {id: 1}", "would be sent as it is; write '{id}'");
    check("resource_path: '/x/<id>'", "has '<id>', which is how other tools write a hole");
    check("resource_path: '/x/<int:id>'", "has '<int:id>', which is how other tools write a hole");
}

#[test]
fn texts_that_are_no_holes_stay() {
    is_right("resource_path: '/x:search'\nparams: {a: '{\"b\": {\"c\": {}}}'}");
    is_right("resource_path: '/x?at=12:30'");
    is_right("params: {q: '{job=\"x\"} | line_format \"{{.msg}} {{ .x }} {{ upper .y }}\"'}");
    is_right("params: {a: 'adcreatives{id}', id: 1}");
    is_right("graphql: {query: '{ items {id} }'}\nparams: {id: 1}");
    is_right("graphql: {query: '{me}'}");
    is_right("text: '{{ if .x }}a{{ end }}'");
    is_right("headers: {a: '{\"a\": 1}'}");
    is_right("params: {a: '{}', b: '{{}}', c: '{{ }}', d: '{1,2}', e: '<b>', f: ':id'}");
}
