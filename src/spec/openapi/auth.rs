//! Guesses how an API authenticates, from the security schemes of its description.

use super::alternative::Alternative;
use super::document::Description;
use super::names::{reserved, snake};
use super::oauth;
use super::operation::Operation;
use crate::document::JsonValue;
use crate::yaml::scalar_of;

/// Most alternatives that are written.
const MOST: usize = 4;

/// Returns the ways to authenticate, each once; none when the description does not tell. Relative addresses are put behind `base_url`.
pub fn alternatives(description: &Description, operations: &[Operation<'_>], base_url: &str) -> Vec<Alternative> {
    let schemes = schemes_of(description);
    let mut found: Vec<Alternative> = Vec::new();
    for names in requirements(description, operations, &schemes) {
        let parts: Vec<(&str, &JsonValue)> =
            names.iter().filter_map(|name| schemes.iter().find(|(known, _)| known == name)).copied().collect();
        let fetched = match parts.as_slice() {
            [(name, scheme)] => oauth::of_scheme(description, operations, name, scheme, base_url),
            _ => None,
        };
        let parts: Vec<&JsonValue> = parts.into_iter().map(|(_, node)| node).collect();
        for alternative in fetched.into_iter().chain(alternative(&parts)) {
            let is_there = found.iter().any(|other| {
                other.lines == alternative.lines || other.lines.first() == alternative.lines.first() && other.options == alternative.options
            });
            if !is_there && found.len() < MOST {
                found.push(alternative);
            }
        }
    }
    // An access token is the way that fits least: what somebody made for a program comes before it.
    found.sort_by_key(|alternative| alternative.doubt.is_some());
    found
}

fn schemes_of(description: &Description) -> Vec<(&str, &JsonValue)> {
    let root = description.root();
    let schemes = root["components"]["securitySchemes"].as_object().or_else(|| root["securityDefinitions"].as_object());
    schemes.into_iter().flatten().take(50).map(|(name, node)| (name.as_str(), description.resolved(node))).collect()
}

/// Returns the sets of schemes that requests need: of the whole document, else of its first requests, else each scheme alone.
fn requirements<'a>(description: &'a Description, operations: &[Operation<'a>], schemes: &[(&'a str, &JsonValue)]) -> Vec<Vec<&'a str>> {
    let of = |node: &'a JsonValue| -> Vec<Vec<&'a str>> {
        let sets = node.get("security").and_then(JsonValue::as_array).into_iter().flatten().take(20);
        let names = sets.filter_map(|set| Some(set.as_object()?.keys().map(String::as_str).collect::<Vec<&str>>()));
        names.filter(|names| !names.is_empty()).collect()
    };
    let mut found = of(description.root());
    if found.is_empty() {
        found = operations.iter().take(50).flat_map(|operation| of(operation.node)).collect();
    }
    if found.is_empty() {
        found = schemes.iter().map(|(name, _)| vec![*name]).collect();
    }
    found
}

/// Returns how schemes that are needed together are written; `None` when one of them cannot be said.
fn alternative(schemes: &[&JsonValue]) -> Option<Alternative> {
    let kind_of = |scheme: &JsonValue| -> Option<&'static str> {
        let text = |key: &str| scheme.get(key).and_then(JsonValue::as_str).unwrap_or("").to_ascii_lowercase();
        match (text("type").as_str(), text("scheme").as_str(), text("in").as_str()) {
            ("basic", ..) | ("http", "basic", _) => Some("basic"),
            ("http", "bearer", _) => Some("bearer"),
            ("oauth2" | "openidconnect", ..) => Some("oauth2"),
            ("apikey", _, "header") => Some("header"),
            ("apikey", _, "query") => Some("query"),
            _ => None,
        }
    };
    let kinds: Vec<&str> = schemes.iter().map(|scheme| kind_of(scheme)).collect::<Option<_>>()?;
    let is_all = |kind: &str| !kinds.is_empty() && kinds.iter().all(|found| *found == kind);
    let plain = |kind: &str, options: &[&str], doubt: Option<&str>| Alternative {
        lines: vec![format!("type: {kind}")],
        options: options.iter().map(|option| option.to_string()).collect(),
        doubt: doubt.map(str::to_string),
        headers: vec!["Authorization".to_string()],
    };
    if is_all("header") || is_all("query") {
        return keys(schemes, if is_all("header") { "HEADERS" } else { "PARAMS" });
    }
    match kinds.as_slice() {
        ["basic"] => Some(plain("BASIC", &["username", "password"], None)),
        ["bearer"] => Some(plain("BEARER", &["bearer_token"], None)),
        ["oauth2"] => {
            Some(plain("BEARER", &["bearer_token"], Some("an access token of OAuth 2 that was fetched elsewhere is sent as it is")))
        }
        _ => None,
    }
}

/// Writes keys that are sent as headers or in the query string.
fn keys(schemes: &[&JsonValue], kind: &str) -> Option<Alternative> {
    let block = if kind == "HEADERS" { "headers" } else { "params" };
    let mut alternative =
        Alternative { lines: vec![format!("type: {kind}"), format!("{block}:")], options: Vec::new(), doubt: None, headers: Vec::new() };
    for scheme in schemes {
        let name = scheme.get("name").and_then(JsonValue::as_str)?;
        let is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.[]$".contains(&byte));
        if !is_token || kind == "HEADERS" && name.contains(['[', ']']) {
            return None;
        }
        let is_authorization = name.eq_ignore_ascii_case("authorization");
        let option = if is_authorization { "authorization".to_string() } else { snake(name) };
        let option = if reserved().any(|own| own == option) { format!("auth_{option}") } else { option };
        if alternative.options.contains(&option) {
            continue;
        }
        let text = scheme.get("description").and_then(JsonValue::as_str).map(super::text::one_line).unwrap_or_default();
        let text = if text.is_empty() { format!("What is sent as {name}") } else { text };
        alternative.lines.push(format!("  {}: {{option: {option}, description: {}}}", scalar_of(name), scalar_of(&text)));
        if is_authorization {
            alternative.doubt =
                Some("the whole header is the option's value, with a word such as 'Bearer' in front where the API wants one".to_string());
        }
        alternative.options.push(option);
        alternative.headers.push(name.to_string());
    }
    Some(alternative)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{expect, Expect};

    fn check(schemes: &str, security: &str, expected: Expect) {
        let text = format!("openapi: 3.0.0\npaths: {{}}\nsecurity: {security}\ncomponents:\n  securitySchemes: {schemes}\n");
        let description = Description::parse("a.yaml", &text).unwrap();
        let found = alternatives(&description, &description.operations(), "https://{site}.example.com/v1");
        let lines = found.iter().map(|alternative| format!("{}\n", alternative.lines.join("\n")));
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn schemes_become_types() {
        check(
            "{a: {type: http, scheme: bearer}, b: {type: http, scheme: basic}}",
            "[{a: []}, {b: []}]",
            expect![[r#"
            type: BEARER
            type: BASIC
        "#]],
        );
        check(
            "{a: {type: oauth2}, b: {type: apiKey, in: query, name: apiKey}}",
            "[]",
            expect![[r#"
            type: PARAMS
            params:
              apiKey: {option: api_key, description: "What is sent as apiKey"}
            type: BEARER
        "#]],
        );
    }

    #[test]
    fn flows_become_grants() {
        let flow = "authorizationUrl: https://a.example.com/authorize, tokenUrl: https://a.example.com/token";
        check(
            &format!("{{a: {{type: oauth2, flows: {{authorizationCode: {{{flow}}}, clientCredentials: {{tokenUrl: /token}}}}}}}}"),
            "[{a: [read, 'write:a']}]",
            expect![[r#"
                type: OAUTH2
                grant: client_credentials
                token_url: "https://{site}.example.com/token"
                scopes: [read, "write:a"]
                type: BEARER
            "#]],
        );
        check(
            &format!("{{a: {{type: oauth2, flow: accessCode, {flow}}}, b: {{type: oauth2, flow: implicit, {flow}}}}}"),
            "[]",
            expect![[r#"
                type: OAUTH2
                grant: authorization_code
                authorize_url: "https://a.example.com/authorize"
                token_url: "https://a.example.com/token"
                type: BEARER
            "#]],
        );
        // What could not be an address, or would need a placeholder, is left out.
        check(
            "{a: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'http://a.example.com'}, password: {tokenUrl: 'https://{x}.com'}}}}",
            "[]",
            expect![[r#"
                type: BEARER
            "#]],
        );
    }

    #[test]
    fn keys_that_are_needed_together_are_one_type() {
        check(
            "{a: {type: apiKey, in: header, name: DD-KEY}, b: {type: apiKey, in: header, name: DD-APP}, c: {type: apiKey, in: cookie, name: c}}",
            "[{a: [], b: []}, {c: []}]",
            expect![[r#"
                type: HEADERS
                headers:
                  DD-KEY: {option: dd_key, description: "What is sent as DD-KEY"}
                  DD-APP: {option: dd_app, description: "What is sent as DD-APP"}
            "#]],
        );
    }
}
