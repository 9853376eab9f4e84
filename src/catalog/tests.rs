//! Tests of the catalog as its callers see it: files in, connections or their errors out.

use crate::catalog::{Catalog, CatalogSnapshot, Environment};
use crate::session::{ProgressMode, Settings};
use crate::ErrorKind;
use expect_test::{expect, Expect};
use std::path::PathBuf;
use std::sync::Arc;

const SPEC: &str = "
name: shop
base_url: https://example.com
auth:
  type: BASIC
  params: {username: Your name, password: Your password}
tables:
  - name: items
    resource_path: /items
";

struct Fixture {
    folder: tempfile::TempDir,
    catalog: Catalog,
    settings: Settings,
}

impl Fixture {
    /// Makes a home of Unify's with the adapter `shop` and these connections.
    fn new(connections: &str) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let variables = [("UNIFY_HOME", folder.path().to_str().unwrap()), ("TOKEN", "t0k3n")];
        let catalog = Catalog::with_environment(Environment::of_test(&variables, None));
        let fixture = Fixture { catalog, settings: Settings::read(|_| None).unwrap(), folder };
        std::fs::create_dir(fixture.path("rest_specs")).unwrap();
        std::fs::write(fixture.path("rest_specs/shop.yaml"), SPEC).unwrap();
        std::fs::write(fixture.path("connections.yaml"), connections).unwrap();
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn snapshot(&self) -> Arc<CatalogSnapshot> {
        self.catalog.snapshot(&self.settings)
    }

    /// Returns `name: username/password` or the error of each connection, and the problem of the file.
    fn shown(&self) -> String {
        let snapshot = self.snapshot();
        let mut lines = Vec::new();
        for entry in snapshot.connections() {
            lines.push(match entry.open() {
                Ok(connection) => {
                    let values = connection.options.values.values().map(|value| value.expose());
                    format!("{}: {}", connection.name, values.collect::<Vec<_>>().join(", "))
                }
                Err(err) => err.to_string(),
            });
        }
        lines.extend(snapshot.connections_problem().map(|problem| format!("problem: {problem}")));
        lines.join("\n").replace(self.folder.path().to_str().unwrap(), "~")
    }
}

fn check(connections: &str, expected: Expect) {
    expected.assert_eq(&Fixture::new(connections).shown());
}

#[test]
fn entries_become_connections() {
    check("", expect![]);
    check("# nothing yet\n", expect![]);
    check("- shop:\n    adapter: shop\n    options: {username: me, password: $TOKEN}\n", expect!["shop: t0k3n, me"]);
    check("- a: {connector: Shop, options: {username: 7, password: '${TOKEN}!'}}\n- b: {spec: shop, options: {username: x, password: $$TOKEN}}", expect![[r#"
        a: t0k3n!, 7
        b: $TOKEN, x"#]]);
}

#[test]
fn a_bad_entry_never_stops_the_others() {
    check(
        "
- main: {adapter: shop}
- just a text
- flat:
  adapter: shop
- {}
- empty:
- none: {options: {username: me}}
- strange: {adapter: hsop}
- keys: {adaptor: shop}
- list: {adapter: shop, options: [a]}
- nested: {adapter: shop, options: {username: {a: b}}}
- dollar: {adapter: shop, options: {username: me, password: $s3cr3t!}}
- unset: {adapter: shop, options: {username: me, password: $ABSENT}}
- missing: {adapter: shop, options: {username: me}}
- unknown: {adapter: shop, options: {username: me, password: s3cr3t, pasword: s3cr3t}}
- good: {adapter: shop, options: {username: me, password: x}}
- GOOD: {adapter: shop, options: {username: me, password: y}}
",
        expect![[r#"
            connection 'main' (~/connections.yaml:2): the name is reserved; choose another than main, temp, unify, information_schema, pg_catalog, system
            connection '(entry 2)' (~/connections.yaml:3): the entry is not a mapping; expected '- name:' with 'adapter' and 'options' below it
            connection 'flat' (~/connections.yaml:4): the entry has the key 'adapter' beside its name; indent it further, so that it stands below the name
            connection '(entry 4)' (~/connections.yaml:6): the entry is empty; expected '- name:' with 'adapter' and 'options' below it
            connection 'empty' (~/connections.yaml:7): nothing stands below the name; expected 'adapter' and 'options'
            connection 'none' (~/connections.yaml:8): no 'adapter' is given; SHOW ALL ADAPTERS lists them
            connection 'strange' (~/connections.yaml:9): there is no adapter 'hsop'; did you mean 'shop'?
            connection 'keys' (~/connections.yaml:10): unknown key 'adaptor' at line 10; did you mean 'adapter'?
            connection 'list' (~/connections.yaml:11): 'options' at line 11 is not a mapping; expected 'name: value' below it
            connection 'nested' (~/connections.yaml:12): option 'username' at line 12 is a mapping or a list of such; expected a text, or a list of texts
            connection 'dollar' (~/connections.yaml:13): option 'password' at line 13 starts with '$' but does not name an environment variable; write '$$' for a dollar sign
            connection 'unset' (~/connections.yaml:14): option 'password': environment variable 'ABSENT' is not set
            connection 'missing' (~/connections.yaml:15): adapter 'shop' needs option 'password' (Your password)
            connection 'unknown' (~/connections.yaml:16): adapter 'shop' has no option 'pasword' (did you mean 'password'?); its options are username, password
            good: x, me
            connection 'GOOD' (~/connections.yaml:18): the name is taken by the entry at line 17; choose another"#]],
    );
}

#[test]
fn a_file_that_is_not_a_list_is_a_problem() {
    check(
        "shop: {adapter: shop}",
        expect!["problem: ~/connections.yaml:1:1: expected a list of connections, each '- name:' with 'adapter' and 'options' below it"],
    );
    check("- shop: [", expect!["problem: ~/connections.yaml:2:1: invalid YAML: while parsing a node, did not find expected node content"]);
}

#[test]
fn a_key_given_twice_is_told_without_harm_to_the_entries() {
    let fixture = Fixture::new("- a: {adapter: shop, options: {username: me, password: x, password: y}}");
    let snapshot = fixture.snapshot();
    assert!(snapshot.connection("a").is_some() && snapshot.unreadable().is_none());
    assert!(snapshot.connections_problem().unwrap().to_string().contains("'password'"));
}

#[test]
fn connections_are_found_whatever_their_case() {
    let fixture = Fixture::new("- Shop: {adapter: shop, options: {username: me, password: x}}");
    let snapshot = fixture.snapshot();
    assert_eq!(snapshot.connection("sHOP").unwrap().name, "Shop");
    assert!(snapshot.connection("shops").is_none());
    assert_eq!(snapshot.expect_connection("shops").err().unwrap().to_string(), "there is no connection 'shops'; did you mean 'Shop'?");
}

#[test]
fn options_are_shown_without_secrets() {
    let fixture = Fixture::new(
        "- a: {adapter: shop, options: {username: me, password: s3cr3t, pasword: s3cr3t}}\n- b: {adapter: x, options: {password: s3cr3t}}",
    );
    let snapshot = fixture.snapshot();
    let shown: Vec<String> = snapshot.connections().iter().map(|entry| entry.redacted_options()).collect();
    assert!(shown[0].contains("password=***, pasword=***") && !shown.join("").contains("s3cr3t"), "{shown:?}");
    assert!(!fixture.shown().contains("s3cr3t"));
}

#[test]
fn a_snapshot_is_kept_until_a_file_changes() {
    let mut fixture = Fixture::new("- a: {adapter: shop, options: {username: me, password: x}}");
    let first = fixture.snapshot();
    assert!(Arc::ptr_eq(&first, &fixture.snapshot()));

    std::fs::write(fixture.path("connections.yaml"), "- abc: {adapter: shop, options: {username: me, password: x}}").unwrap();
    let second = fixture.snapshot();
    assert!(second.connection("a").is_none() && second.connection("abc").is_some());

    std::fs::write(fixture.path("rest_specs/own.yml"), SPEC.replace("shop", "own")).unwrap();
    assert!(fixture.snapshot().adapters().iter().any(|entry| entry.name == "own"));

    std::fs::write(fixture.path("rest_specs/shop.yaml"), format!("{SPEC}  - name: orders\n    resource_path: /orders\n")).unwrap();
    assert!(fixture.snapshot().connection("abc").unwrap().spec().unwrap().table("orders").is_some());

    std::fs::remove_file(fixture.path("rest_specs/shop.yaml")).unwrap();
    assert!(fixture.shown().contains("there is no adapter 'shop'"));

    std::fs::write(fixture.path("other.yaml"), "").unwrap();
    fixture.settings.connections_file = fixture.path("other.yaml").display().to_string();
    assert!(fixture.snapshot().connections().is_empty());
}

#[test]
fn progress_that_is_shown_by_itself_is_a_notebooks_in_a_notebook() {
    let in_process = |variables: &[(&str, &str)], mode: &str| {
        let catalog = Catalog::with_environment(Environment::of_test(variables, None));
        let value = |name: &str| (name == "unify_progress").then(|| crate::session::Value::Text(mode.to_string()));
        catalog.in_surroundings(Settings::read(value).unwrap()).progress
    };
    let kernel = [("JPY_PARENT_PID", "12")];
    assert_eq!(in_process(&kernel, "auto"), ProgressMode::Notebook);
    assert_eq!(in_process(&[("JPY_PARENT_PID", "")], "auto"), ProgressMode::Auto);
    assert_eq!(in_process(&[], "auto"), ProgressMode::Auto);
    assert_eq!((in_process(&kernel, "on"), in_process(&kernel, "off")), (ProgressMode::On, ProgressMode::Off));
}

#[test]
fn the_wait_for_another_change_can_be_interrupted() {
    let fixture = Fixture::new("");
    let held = fixture.catalog.changing(&|| false).unwrap();
    assert_eq!(fixture.catalog.changing(&|| true).err().unwrap().kind(), ErrorKind::Interrupted);
    drop(held);
    assert!(fixture.catalog.changing(&|| true).is_ok());
}

#[test]
fn a_place_that_is_named_must_exist() {
    let mut fixture = Fixture::new("- a: {adapter: shop, options: {username: me, password: x}}");
    fixture.settings.spec_path = "/nowhere".to_string();
    let snapshot = fixture.snapshot();
    assert_eq!(
        snapshot.adapters_problem().unwrap().to_string(),
        "setting 'unify_spec_path' names the spec folder '/nowhere', which does not exist"
    );
    fixture.settings.connections_file = "/nowhere.yaml".to_string();
    let expected =
        "there is no connection 'a': setting 'unify_connections_file' names the connections file '/nowhere.yaml', which does not exist";
    assert_eq!(fixture.snapshot().expect_connection("a").err().unwrap().to_string(), expected);
}

#[test]
fn without_external_access_no_file_is_read() {
    let mut fixture = Fixture::new("- a: {adapter: shop, options: {username: me, password: x}}");
    fixture.settings.external_access = false;
    let snapshot = fixture.snapshot();
    assert!(snapshot.connections().is_empty());
    assert!(snapshot.adapters().iter().all(|entry| entry.source == "(bundled)"));
    assert_eq!(
        snapshot.expect_connection("a").err().unwrap().to_string(),
        "there is no connection 'a': connections cannot be used because setting 'enable_external_access' is false"
    );
}

#[test]
fn an_unknown_name_parses_no_bundled_spec_and_a_connection_only_its_own() {
    let fixture = Fixture::new("- a: {adapter: github, options: {username: me, password: x}}\n- b: {adapter: stripe}");
    let snapshot = fixture.snapshot();
    let parsed = || {
        let bundled = snapshot.adapters().iter().filter(|entry| entry.source == "(bundled)" && entry.is_parsed());
        bundled.map(|entry| entry.name.clone()).collect::<Vec<_>>()
    };
    assert!(snapshot.connection("nosuch").is_none() && snapshot.expect_connection("nosuch").is_err());
    assert!(!snapshot.may_mean_a_connection("nosuch"));
    assert_eq!(parsed(), [] as [String; 0]);
    snapshot.connection("a").unwrap().spec().unwrap();
    assert_eq!(parsed(), ["github"]);
}
