use super::*;
use crate::spec::BUNDLED;
use crate::spec::{LoadValues, NoSources};
use expect_test::{expect, Expect};

const SPEC: &str = "
name: shop
base_url: https://{site}.example.com
options:
  site: {description: Your shop's name, required: true}
  since: Only orders after this date
auth:
  - type: BASIC
    params: {username: {description: Your login, secret: false}, password: A password}
  - type: HEADERS
    headers: {X-Key: {option: api_key, description: The key}}
tables:
  - {name: orders, resource_path: /orders, params: {since: '${since}'}}
";

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    pairs.iter().map(|(name, value)| (name.to_string(), Secret::new(*value))).collect()
}

fn spec_of(text: &str) -> Arc<AdapterSpec> {
    Arc::new(AdapterSpec::parse("shop.yaml", text).unwrap().unwrap())
}

fn check(pairs: &[(&str, &str)], expected: Expect) {
    let shown = match spec_of(SPEC).connect("shop", given(pairs)) {
        Ok(connection) => {
            let names: Vec<&str> = connection.options.values.keys().map(String::as_str).collect();
            format!("{} {} {}", connection.auth().type_name(), names.join(","), connection.fill(&connection.adapter.base_url).unwrap())
        }
        Err(err) => err.to_string(),
    };
    assert!(!shown.contains("s3cr3t"), "{shown}");
    expected.assert_eq(&shown);
}

#[test]
fn the_first_supplied_auth_is_chosen() {
    check(&[("USERNAME", "me"), ("password", ""), ("site", "a")], expect!["BASIC password,site,username https://a.example.com"]);
    check(&[("api_key", "s3cr3t"), ("site", "a")], expect!["HEADERS api_key,site https://a.example.com"]);
    check(&[("api_key", "s3cr3t"), ("username", "me"), ("site", "a")], expect!["HEADERS api_key,site,username https://a.example.com"]);
}

#[test]
fn wrong_options_are_explained_without_their_values() {
    check(
        &[("usrname", "s3cr3t")],
        expect!["connection 'shop': adapter 'shop' has no option 'usrname' (did you mean 'username'?); its options are username, password, api_key, site, since"],
    );
    check(
        &[("username", "me"), ("site", "a")],
        expect!["connection 'shop': adapter 'shop' needs option 'password' (A password), or option 'api_key' (The key)"],
    );
    check(&[("api_key", "s3cr3t")], expect!["connection 'shop': adapter 'shop' needs 'site' (Your shop's name)"]);
    check(&[("api_key", ""), ("site", "a")], expect!["connection 'shop': option 'api_key' (The key) is empty"]);
    check(
        &[("api_key", "s3cr3t"), ("site", " s3cr3t")],
        expect!["connection 'shop': option 'site' is not a host or part of one; expected letters, digits, '.', '-' and ':', without 'https://', '/' and '@'"],
    );
}

#[test]
fn no_auth_is_never_chosen_when_an_auth_option_is_given() {
    let spec = spec_of("name: a\nbase_url: https://a\nauth: [{type: BASIC}, {type: NONE}]\ntables: [{name: t}]");
    assert_eq!(spec.connect("a", given(&[])).unwrap().auth(), &AuthSpec::None);
    let err = spec.connect("a", given(&[("username", "me")])).unwrap_err().to_string();
    assert_eq!(err, "connection 'a': adapter 'a' needs option 'password'");
}

#[test]
fn an_unset_option_alone_leaves_its_param_out() {
    let connection = spec_of(SPEC).connect("shop", given(&[("api_key", "s3cr3t"), ("site", "a")])).unwrap();
    let load = LoadValues { now: Some(1_767_312_000_000_000), ..LoadValues::default() };
    let resolved = |text: &str| connection.resolve(&ParamValue::Template(Template::parse_value(text).unwrap()), &load);
    assert_eq!(resolved("${since}").unwrap(), ParamValue::Null);
    assert_eq!(resolved("${today}").unwrap(), ParamValue::Text("2026-01-02".into()));
    assert_eq!(resolved("${today | epoch}").unwrap(), ParamValue::Integer(1_767_312_000));
    let of_page = resolved("${site}-${page.number}").unwrap();
    assert_eq!(of_page, ParamValue::Template(Template::parse_value("a-${page.number}").unwrap()));
    assert_eq!(resolved("List(${site | raw})").unwrap(), ParamValue::Raw("List(a)".into()));
    assert_eq!(resolved("x${since}").unwrap_err().to_string(), "no value for 'since'");
    assert_eq!(connection.resolve(&ParamValue::Integer(3), &NoSources).unwrap(), ParamValue::Integer(3));
}

#[test]
fn stripes_key_is_a_username_with_an_empty_password() {
    let text = BUNDLED.iter().find(|bundled| bundled.file == "stripe.yaml").unwrap().text().unwrap();
    let spec = spec_of(&text);
    let connection = spec.connect("stripe", given(&[("username", "sk_test"), ("host", "http://127.0.0.1:8420/")])).unwrap();
    assert_eq!(connection.option("password").unwrap().expose(), "");
    assert_eq!(connection.fill(&spec.base_url).unwrap(), "http://127.0.0.1:8420");
    assert_eq!(spec.connect("s", given(&[("bearer_token", "sk")])).unwrap().auth().type_name(), "BEARER");
    assert!(spec.option("username").unwrap().secret);
}
