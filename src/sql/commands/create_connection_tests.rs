use crate::session::Value;
use crate::sql::commands::tests::{check_statement, TestInstance};
use crate::sql::{parse_statement, Arguments, Bound, ParsedStatement, DEFINITIONS};
use expect_test::{expect, Expect};
use proptest::prelude::*;

#[test]
fn the_statement_is_a_call() {
    check_statement("CREATE CONNECTION mine (ADAPTER shop)", expect!["SELECT * FROM unify_create_connection('mine', 'shop')"]);
    check_statement(
        "create or replace persistent connection \"my \"\"c\" (username 'it''s', adapter 'My Shop', \"X-Key\" env('KEY'));",
        expect![[
            r#"SELECT * FROM unify_create_connection('my "c', 'My Shop', options := MAP {'username': 'it''s', 'X-Key': '${KEY}'}, or_replace := true, persistent := true)"#
        ]],
    );
    check_statement(
        "CREATE CONNECTION IF NOT EXISTS if (ADAPTER shop, a -1.5E3, b true, c 'pa$$word', d E'a\\'b', e $$it's$$, f $x$$$x$ /* end */)",
        expect!["SELECT * FROM unify_create_connection('if', 'shop', options := MAP {'a': '-1.5e3', 'b': 'true', 'c': 'pa$$$$word', 'd': 'a''b', 'e': 'it''s', 'f': '$$'}, if_not_exists := true)"],
    );
    check_statement(
        "CREATE CONNECTION c (\"adapter\" 'x', ADAPTER env, env 'y', true false)",
        expect!["SELECT * FROM unify_create_connection('c', 'env', options := MAP {'adapter': 'x', 'env': 'y', 'true': 'false'})"],
    );
}

fn check_wrong(text: &str, expected: Expect) {
    match parse_statement(text) {
        ParsedStatement::Wrong { message } => {
            assert!(!message.contains("s3cr3t"), "{message}");
            expected.assert_eq(&message);
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_mistake_is_told_without_the_text() {
    check_wrong("CREATE CONNECTION", expect!["syntax error in CREATE CONNECTION before the connection's name; expected a name"]);
    check_wrong("CREATE CONNECTION c", expect!["syntax error in CREATE CONNECTION after the connection's name; expected '('"]);
    check_wrong(
        "CREATE CONNECTION c ()",
        expect!["syntax error in CREATE CONNECTION after the connection's name; expected ADAPTER or an option's name"],
    );
    check_wrong(
        "CREATE CONNECTION c (TYPE a)",
        expect!["syntax error in CREATE CONNECTION after option 'TYPE'; expected its value: a text in single quotes, a number, TRUE, FALSE or env('NAME'), or a list of such; ADAPTER name is missing, as in (ADAPTER github, option 'value')"],
    );
    check_wrong("CREATE CONNECTION c (ADAPTER a", expect!["syntax error in CREATE CONNECTION after ADAPTER; expected ')' or ','"]);
    check_wrong(
        "CREATE CONNECTION c (ADAPTER a, password s3cr3t)",
        expect!["syntax error in CREATE CONNECTION after option 'password'; expected its value: a text in single quotes, a number, TRUE, FALSE or env('NAME'), or a list of such"],
    );
    check_wrong(
        "CREATE CONNECTION c (ADAPTER a, password \"s3cr3t\")",
        expect!["syntax error in CREATE CONNECTION after option 'password'; expected its value: a text in single quotes, a number, TRUE, FALSE or env('NAME'), or a list of such"],
    );
    check_wrong(
        "CREATE CONNECTION c (ADAPTER a, password 's3cr3t' x 5)",
        expect!["syntax error in CREATE CONNECTION after option 'password'; expected ')' or ','"],
    );
    check_wrong(
        "CREATE CONNECTION c (ADAPTER a, password env(s3cr3t))",
        expect!["syntax error in CREATE CONNECTION after option 'password'; expected a text in single quotes"],
    );
    check_wrong("CREATE CONNECTION c (ADAPTER a, password 's3cr3t", expect!["syntax error in CREATE CONNECTION after option 'password'; expected its value: a text in single quotes, a number, TRUE, FALSE or env('NAME'), or a list of such"]);
    check_wrong(
        "CREATE CONNECTION c (ADAPTER a) s3cr3t",
        expect!["syntax error in CREATE CONNECTION after ADAPTER; expected the end of the statement"],
    );
    check_wrong(
        "CREATE CONNECTION c (ADAPTER a, password E's3cr3t\\xff')",
        expect![[r#"the escapes in the text of option 'password' are not valid; expected those of DuckDB, such as E'\n'"#]],
    );
    check_wrong(
        "CREATE CONNECTION c (ADAPTER a, password env('s3cr3t!'))",
        expect!["option 'password': env(...) does not name an environment variable; expected a name such as env('TOKEN')"],
    );
    check_wrong("CREATE CONNECTION c (password 's3cr3t')", expect!["no ADAPTER is given; expected (ADAPTER name, option value, ...)"]);
    check_wrong("CREATE CONNECTION c (ADAPTER a, ADAPTER b)", expect!["ADAPTER is given twice; expected one adapter"]);
    check_wrong("CREATE CONNECTION c (ADAPTER a, p 's3cr3t', P 'x')", expect!["option 'P' is given twice"]);
}

#[test]
fn other_things_that_can_be_created_are_not_ours() {
    for text in [
        "CREATE TABLE connection (a INT)",
        "CREATE OR REPLACE TABLE t (a INT)",
        "CREATE PERSISTENT SECRET s (TYPE s3)",
        "DROP TABLE connection",
    ] {
        assert_eq!(parse_statement(text), ParsedStatement::NotOurs, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_is_shown_that_may_be_a_secret(front in "[(), a='env-]{0,8}", back in "[(), a='-]{0,8}") {
        let text = format!("CREATE CONNECTION c (ADAPTER a, password '{front}s3cr3t{back}");
        if let ParsedStatement::Wrong { message } = parse_statement(&text) {
            // An option's name is not a secret.
            let told: String = message.split("option '").enumerate().map(|(idx, part)| part.split('\'').skip(usize::from(idx > 0)).collect::<String>()).collect();
            prop_assert!(!told.contains("s3cr3t"), "{}", message);
        }
    }
}

/// Runs a call and returns its row, or its error, without the folder's path.
fn create(instance: &TestInstance, name: &str, adapter: &str, options: &[(&str, &str)], flags: &[&str]) -> String {
    let function = DEFINITIONS.functions.iter().find(|function| function.name == "unify_create_connection").unwrap();
    let options = options.iter().map(|(name, value)| (name.to_string(), Some(value.to_string()))).collect();
    let mut named = vec![("options".to_string(), Value::Map(options))];
    named.extend(flags.iter().map(|flag| (flag.to_string(), Value::Boolean(true))));
    let arguments = Arguments { positional: vec![Value::Text(name.into()), Value::Text(adapter.into())], named };
    let Ok(Bound::Rows(call)) = (function.bind)(&arguments, &instance.context()) else { panic!("binding fails") };
    let shown = match call.run(&instance.context()) {
        Ok(batches) => batches.iter().map(|batch| crate::sql::commands::tests::shown_row(batch, 0)).collect::<String>(),
        Err(err) => err.to_string(),
    };
    assert!(!shown.contains("s3cr3t"), "{shown}");
    instance.without_paths(&shown)
}

/// An instance whose database is writable and takes any statement.
fn instance() -> TestInstance {
    TestInstance::new()
        .answer("SELECT type, readonly", vec![vec![Value::Text("duckdb".into()), Value::Boolean(false), Value::Text(String::new())]])
        .accept_statements()
}

const GOOD: &[(&str, &str)] = &[("username", "me"), ("password", "s3cr3t")];

#[test]
fn a_connection_is_there_once_it_is_created() {
    let instance = instance();
    assert_eq!(
        create(&instance, "mine", "SHOP", &[("UserName", "me"), ("password", "$SHOP_PASSWORD")], &[]),
        "mine | shop | created; not set in the environment: SHOP_PASSWORD"
    );
    let snapshot = instance.instance().catalog.snapshot(&instance.settings());
    let entry = snapshot.connection("MINE").unwrap();
    assert_eq!(entry.redacted_options(), "username=***, password=$SHOP_PASSWORD");
    assert_eq!(
        entry.open().unwrap_err().to_string(),
        "connection 'mine': option 'password': environment variable 'SHOP_PASSWORD' is not set"
    );
    assert_eq!(create(&instance, "mine", "shop", GOOD, &["or_replace"]), "mine | shop | replaced");
    assert_eq!(create(&instance, "Mine", "shop", GOOD, &["if_not_exists"]), "mine | shop | exists already");
}

#[test]
fn what_is_wrong_is_told_without_values() {
    let instance = instance();
    let check = |name: &str, adapter: &str, options: &[(&str, &str)], flags: &[&str], expected: Expect| {
        expected.assert_eq(&create(&instance, name, adapter, options, flags));
    };
    check("a", "shp", GOOD, &[], expect!["connection 'a': there is no adapter 'shp'; did you mean 'shop'?"]);
    check(
        "a",
        "shop",
        &[("usrname", "s3cr3t")],
        &[],
        expect![
            "connection 'a': adapter 'shop' has no option 'usrname' (did you mean 'username'?); its options are username, password, region"
        ],
    );
    check("a", "shop", &[("username", "s3cr3t")], &[], expect!["connection 'a': adapter 'shop' needs option 'password' (Your password)"]);
    check(
        "a",
        "shop",
        &[("username", "$UNSET"), ("paswort", "s3cr3t")],
        &[],
        expect![
            "connection 'a': adapter 'shop' has no option 'paswort' (did you mean 'password'?); its options are username, password, region"
        ],
    );
    check(
        "a",
        "shop",
        &[("username", "me"), ("password", "$s3cr3t!")],
        &[],
        expect![
            "connection 'a': option 'password' starts with '$' but does not name an environment variable; write '$$' for a dollar sign"
        ],
    );
    check(
        "Main",
        "shop",
        GOOD,
        &[],
        expect!["connection 'Main': the name is reserved; choose another than main, temp, unify, information_schema, pg_catalog, system"],
    );
    check("", "shop", GOOD, &[], expect!["connection '': the name is empty"]);
    check(
        "Shop",
        "shop",
        GOOD,
        &[],
        expect!["connection 'shop' exists already; choose another name, drop it first, or use OR REPLACE or IF NOT EXISTS"],
    );
    check(
        "shop",
        "shop",
        GOOD,
        &["or_replace"],
        expect!["connection 'shop' is kept in '~/connections.yaml', where only CREATE OR REPLACE PERSISTENT CONNECTION replaces it"],
    );
    check("a", "shop", GOOD, &["or_replace", "if_not_exists"], expect!["OR REPLACE and IF NOT EXISTS exclude each other; leave one out"]);
}

#[test]
fn a_persistent_connection_is_in_the_file() {
    let instance = instance();
    assert_eq!(create(&instance, "mine", "shop", GOOD, &[]), "mine | shop | created");
    assert_eq!(create(&instance, "mine", "shop", GOOD, &["persistent", "or_replace"]), "mine | shop | replaced in ~/connections.yaml");
    assert!(instance
        .connections_file()
        .ends_with("\n- mine:\n    adapter: shop\n    options:\n      username: me\n      password: s3cr3t\n"));
    let snapshot = instance.instance().catalog.snapshot(&instance.settings());
    assert!(snapshot.connection("mine").unwrap().file().is_some());
}

#[test]
fn nothing_is_created_where_the_configuration_is_locked() {
    let instance = instance();
    let mut settings = instance.settings();
    settings.configuration_locked = true;
    let err = crate::catalog::Catalog::check_changeable(&settings).unwrap_err().to_string();
    assert_eq!(err, "connections cannot be created or dropped because setting 'lock_configuration' is true");
}
