use super::*;
use crate::spec::{AdapterSpec, Secret};
use expect_test::{expect, Expect};
use std::sync::Arc;

const SPEC: &str = r#"
name: shop
description: A shop
options:
  site: {default: main}
  unused: {default: x}
  hidden: {description: a secret, secret: true}
base_url: https://api.test/{site}
auth: {type: BASIC, params: {username: {description: who, secret: false}, password: the password}}
headers: {X-Version: "2", Accept: application/json}
throttle: {requests_per_second: 5}
tables:
  - name: orders
    description: What was sold
    resource_path: /{team}/orders
    headers: {accept: "text/json"}
    params:
      state: all
      site: ${site}
      hidden: ${hidden}
      team: sql@(SELECT id FROM teams)
      "kind,size": [[b, 2], [a, 1]]
      nothing: null
    paging: {strategy: pageAndCount, page_param: page, count_param: per_page, page_size: 50, total_path: meta.total}
    result_body_path: data.rows
    result_meta_paths: [meta.at]
    copy_params_to_output: [team, state]
    select: [id, "fields_.*"]
    strip_prefixes: [fields_]
    columns:
      id: {type: bigint, key: true, description: The number}
      at: timestamp
      note: {source: a.note, type: varchar}
    nested: 2
    refresh: {strategy: updates, params: {since: "${timestamp}"}, max_staleness: 1h}
  - {name: teams, resource_path: /teams}
"#;

fn connection(spec: &str, options: &[(&str, &str)]) -> Connection {
    let adapter = Arc::new(AdapterSpec::parse("shop.yaml", spec).unwrap().unwrap());
    let given = [("username", "bob"), ("password", "s3cret-word")].iter().chain(options);
    adapter.connect("shop", given.map(|(name, value)| (name.to_string(), Secret::new(*value))).collect()).unwrap()
}

fn text_with(spec: &str, options: &[(&str, &str)]) -> String {
    let connection = connection(spec, options);
    text_of(&connection, connection.adapter.table("orders").unwrap())
}

fn check(spec: &str, table: &str, expected: Expect) {
    let connection = connection(spec, &[]);
    expected.assert_eq(&text_of(&connection, connection.adapter.table(table).unwrap()));
}

/// Returns whether the text stays when `from` becomes `to` in the spec.
fn is_same(from: &str, to: &str) -> bool {
    assert!(SPEC.contains(from), "{from}");
    text_with(&SPEC.replace(from, to), &[]) == text_with(SPEC, &[])
}

// Every byte counts: another text makes all tables that users refresh by updates load in full.
#[test]
fn the_text_and_its_hash_stay() {
    check(
        SPEC,
        "orders",
        expect![[r#"
        base "https://api.test/{site}"
        path "/{team}/orders"
        account "username" "bob"
        header "accept" "text/json"
        header "x-version" "2"
        param ["hidden"] "{hidden}"
        param ["kind","size"] each ["a",1] ["b",2]
        param ["site"] "main"
        param ["state"] "all"
        param ["team"] query "SELECT id FROM teams"
        paging page "page" first 1 count "per_page" size 50 total "meta.total"
        rows ["data","rows"]
        meta ["meta","at"]
        copy "state"
        copy "team"
        select "id"
        select regex "^(?:fields_.*)$"
        strip "fields_"
        column "at" TIMESTAMP
        column "id" BIGINT
        column "note" VARCHAR from ["a","note"]
        key "id"
        nested 2"#]],
    );
    check(
        SPEC,
        "teams",
        expect![[r#"
        base "https://api.test/main"
        path "/teams"
        account "username" "bob"
        header "accept" "application/json"
        header "x-version" "2""#]],
    );
    expect!["9fd8b7ec148a4f7a262093d17b1114ea"].assert_eq(&hash_of(&text_with(SPEC, &[])));
    assert_eq!(hash_of(""), "e3b0c44298fc1c149afbf4c8996fb924", "it is SHA-256");
}

#[test]
fn what_rows_do_not_depend_on_makes_no_other_load() {
    for (from, to) in [
        ("description: What was sold", "description: All that was sold, and when"),
        ("description: The number", "description: Its number"),
        ("description: A shop", "description: The shop\nhelp: Read this\nversion: 7"),
        ("requests_per_second: 5", "requests_per_second: 50, concurrency: 2"),
        ("throttle:", "retry: {attempts: 9}\nthrottle:"),
        (
            "  - {name: teams, resource_path: /teams}",
            "  - {name: teams, resource_path: /teams}\nviews:\n  - {name: v, from: [teams], query: SELECT 1 FROM teams}",
        ),
        ("    nested: 2", "    # How deep.\n    nested: 2\n    only_columns: false"),
        ("max_staleness: 1h", "max_staleness: 2h, lookback: 5m"),
        ("    nested: 2", "    nested: 2\n    write: {path: /orders}"),
        ("      state: all\n      site: ${site}\n", "      site: ${site}\n      state: all\n"),
        (
            "      at: timestamp\n      note: {source: a.note, type: varchar}\n",
            "      note: {type: varchar, source: a.note}\n      at: timestamp\n",
        ),
        ("[team, state]", "[state, team]"),
        ("[id, \"fields_.*\"]", "[\"fields_.*\", id]"),
        ("[[b, 2], [a, 1]]", "[[a, 1], [b, 2]]"),
        ("X-Version: \"2\", Accept: application/json", "accept: application/xml, x-version: \"2\""),
        ("unused: {default: x}", "unused: {default: y}\n  more: {default: z}"),
        ("    resource_path: /{team}/orders", "    method: GET\n    resource_path: /{team}/orders"),
        ("    nested: 2", "    nested: 2\n    safe: true"),
    ] {
        assert!(is_same(from, to), "{to}");
    }
    assert_eq!(text_with(SPEC, &[("password", "another")]), text_with(SPEC, &[]), "a secret gives the same rows, or is another account");
    assert!(!text_with(SPEC, &[("hidden", "s3cret")]).contains("s3cret"));
    let with_body = SPEC.replace("    nested: 2", "    nested: 2\n    body: {b: 'x ${hidden}', a: '${hidden | upper}'}");
    let line = text_with(&with_body, &[("hidden", "s3cret")]).lines().find(|line| line.starts_with("body")).unwrap().to_string();
    assert_eq!(line, r#"body {"a":fill "{hidden | upper}","b":fill "x {hidden}"}"#);
}

#[test]
fn what_rows_depend_on_makes_another_load() {
    for (from, to) in [
        ("/{team}/orders", "/{team}/sales"),
        ("https://api.test", "https://other.test"),
        ("state: all", "state: open"),
        ("      nothing: null\n", "      nothing: 0\n"),
        ("SELECT id FROM teams", "SELECT id FROM teams WHERE id > 3"),
        ("[a, 1]]", "[a, 1], [c, 3]]"),
        ("page_size: 50", "page_size: 100"),
        ("pageAndCount, page_param", "offsetAndCount, offset_param"),
        ("data.rows", "data"),
        ("[meta.at]", "[meta.by]"),
        ("[team, state]", "[team]"),
        ("[id, \"fields_.*\"]", "[id]"),
        ("strip_prefixes: [fields_]", "strip_prefixes: [f_]"),
        ("at: timestamp", "at: date"),
        ("source: a.note", "source: b.note"),
        ("key: true, ", ""),
        ("    nested: 2", "    nested: json"),
        ("    nested: 2", "    nested: 2\n    only_columns: true"),
        ("X-Version: \"2\"", "X-Version: \"3\""),
        ("default: main", "default: other"),
        ("    nested: 2", "    nested: 2\n    method: POST"),
        ("    nested: 2", "    nested: 2\n    body: {a: ['${site}']}"),
        ("    nested: 2", "    nested: 2\n    form: {a: 1}"),
        ("    nested: 2", "    nested: 2\n    base_url: https://api.test/v2"),
        ("team: sql@(SELECT id FROM teams)", "team: {query: SELECT id FROM teams, as: json}"),
        ("site: ${site}\n      hidden", "site: ${site | upper}\n      hidden"),
    ] {
        assert!(!is_same(from, to), "{to}");
    }
    let base = text_with(SPEC, &[]);
    assert_ne!(text_with(SPEC, &[("site", "other")]), base);
    assert_ne!(text_with(SPEC, &[("username", "carol")]), base, "another account has other rows");
}
