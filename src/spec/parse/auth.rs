//! Reads `auth`: one way to authenticate, or a list of alternatives.

use super::headers::check_header_name;
use super::oauth2::{self, PREFIX};
use super::option::{option_of, Secrecy};
use super::session;
use super::signing;
use super::text::value_template;
use crate::spec::{is_header_value, AuthFields, AuthSpec, OptionSpec, Template};
use crate::yaml::{Fields, Mistakes, Node};
use std::sync::Arc;

const TYPES: &[&str] = &["NONE", "BASIC", "BEARER", "HEADERS", "PARAMS", "OAUTH2", "JWT", "SESSION", "AWS4AUTH", "OAUTH1"];
/// Kinds of old files, and what to write instead.
const OLD_TYPES: &[(&str, &str)] = &[
    ("GOOGLE_AUTH", "write JWT for a service account, or OAUTH2 for a person"),
    ("CUSTOM_AUTH", "write SESSION for a login, or HEADERS or PARAMS for what each request has"),
];

/// Reads the alternatives. No `auth` at all means that the API needs none.
pub(super) fn auth_of(fields: &Fields<'_>) -> Vec<AuthSpec> {
    let Some(node) = fields.get("auth") else { return vec![AuthSpec::None] };
    let nodes = node.list().unwrap_or(std::slice::from_ref(node));
    if nodes.is_empty() {
        fields.wrong("auth", node, "a mapping with a 'type'");
    }
    let known: Vec<&str> =
        fields.get("options").and_then(Node::mapping).unwrap_or_default().iter().map(|(key, _)| key.name.as_str()).collect();
    nodes.iter().filter_map(|node| alternative(node, &known, fields.mistakes())).collect()
}

fn alternative(node: &Node, known: &[&str], mistakes: &Mistakes) -> Option<AuthSpec> {
    let kind = node.get("type").and_then(Node::text).unwrap_or("").to_ascii_uppercase();
    if let Some((_, remedy)) = OLD_TYPES.iter().find(|(old, _)| *old == kind) {
        mistakes.at(node, format!("auth type '{kind}' is not supported; {remedy}"));
        return None;
    }
    let keys: &[&str] = match kind.as_str() {
        "NONE" => &["type", "help"],
        "HEADERS" => &["type", "help", "headers", "params"],
        "BEARER" => &["type", "help", "params", "prefix"],
        "OAUTH2" => oauth2::KEYS,
        "JWT" => oauth2::JWT_KEYS,
        "SESSION" => session::KEYS,
        "AWS4AUTH" => signing::AWS_KEYS,
        "OAUTH1" => signing::OAUTH1_KEYS,
        _ => &["type", "help", "params"],
    };
    let fields = Fields::of(node, "'auth'", keys, mistakes)?;
    let text = fields.required_text("type")?;
    fields.text("help");
    match kind.as_str() {
        "NONE" => Some(AuthSpec::None),
        "BASIC" => basic(&fields),
        "BEARER" => bearer(&fields),
        "HEADERS" => headers(&fields, known).map(AuthSpec::Headers),
        "PARAMS" => auth_fields(&fields, "params", Vec::new(), known).map(AuthSpec::Params),
        "JWT" => oauth2::jwt(&fields),
        "SESSION" => session::session(&fields, known).map(|session| AuthSpec::Session(Arc::new(session))),
        "AWS4AUTH" => signing::aws(&fields).map(|aws| AuthSpec::Aws(Arc::new(aws))),
        "OAUTH1" => signing::oauth1(&fields).map(|oauth1| AuthSpec::OAuth1(Arc::new(oauth1))),
        "OAUTH2" => oauth2::oauth2(&fields).map(|spec| AuthSpec::OAuth2(Arc::new(spec))),
        _ => {
            mistakes.at(
                node.get("type").unwrap_or(node),
                format!("auth type '{text}' is unknown; {}", mistakes.suggestions().suggestion(&kind, TYPES)),
            );
            None
        }
    }
}

fn basic(fields: &Fields<'_>) -> Option<AuthSpec> {
    let mut options = options(fields, "params").unwrap_or_default();
    if options.len() > 2 {
        fields.mistakes().at(fields.mapping_node(), format!("BASIC takes a username and a password; found {} params", options.len()));
        return None;
    }
    // By name when the names say which is which, otherwise in the file's order.
    if options.first().is_some_and(|option| option.name == "password") || options.get(1).is_some_and(|option| option.name == "username") {
        options.reverse();
    }
    let plain = |name: &str, default: Option<String>| OptionSpec {
        name: name.to_string(),
        description: None,
        required: default.is_none(),
        default,
        secret: true,
    };
    let mut options = options.into_iter();
    match (options.next(), options.next()) {
        (None, _) => Some(AuthSpec::Basic { username: plain("username", None), password: plain("password", None) }),
        (Some(only), None) if only.name == "password" => Some(AuthSpec::Basic { username: plain("username", None), password: only }),
        // A key sent as the username alone, as Stripe has it.
        (Some(only), None) => Some(AuthSpec::Basic { username: only, password: plain("password", Some(String::new())) }),
        (Some(username), Some(password)) => Some(AuthSpec::Basic { username, password }),
    }
}

fn bearer(fields: &Fields<'_>) -> Option<AuthSpec> {
    let mut options = options(fields, "params").unwrap_or_default();
    let prefix = fields.text("prefix").unwrap_or_else(|| PREFIX.to_string());
    if !is_header_value(&prefix) {
        fields.wrong("prefix", fields.get("prefix")?, "a text that can stand in a header");
        return None;
    }
    match (options.pop(), options.is_empty()) {
        (None, _) => Some(AuthSpec::Bearer { token: secret_option("bearer_token"), prefix }),
        (Some(token), true) => Some(AuthSpec::Bearer { token, prefix }),
        (Some(_), false) => {
            fields.mistakes().at(fields.mapping_node(), "BEARER takes one token; found several params");
            None
        }
    }
}

fn headers(fields: &Fields<'_>, known: &[&str]) -> Option<AuthFields> {
    // Old files have the names of headers under `params`.
    let (key, described) = if fields.get("headers").is_some() { ("headers", options(fields, "params")) } else { ("params", None) };
    let headers = auth_fields(fields, key, described.unwrap_or_default(), known)?;
    for (name, _) in &headers.fields {
        check_header_name(name, &format!("auth header '{name}'"), fields.mistakes(), fields.get(key)?);
    }
    Some(headers)
}

/// Reads names of headers or query parameters, at least one: each with an option that fills it, or with a text whose holes are options.
/// `described` are options that such texts name, and `known` those of the spec.
fn auth_fields(fields: &Fields<'_>, key: &str, described: Vec<OptionSpec>, known: &[&str]) -> Option<AuthFields> {
    let entries = fields.get(key).and_then(Node::mapping).unwrap_or_default();
    if entries.is_empty() {
        fields.mistakes().at(fields.mapping_node(), format!("'auth' has no '{key}'; expected a mapping of names to descriptions"));
        return None;
    }
    let mut found = AuthFields { fields: Vec::new(), options: described };
    for (name, node) in entries {
        let place = format!("'{}' of 'auth'", name.name);
        let text = node.text().filter(|text| text.contains("${")).map(|text| value_template(text, node, &place, fields.mistakes()));
        let template = match text {
            Some(template) => {
                for hole in template.names() {
                    if !known.contains(&hole) && !found.options.iter().any(|option| option.name == hole) {
                        found.options.push(secret_option(hole));
                    }
                }
                template
            }
            None => {
                let option = option_of(&name.name, node, Secrecy::SecretField, fields.mistakes());
                let hole = Template::of_hole(&option.name);
                let template = match node.get("prefix").and_then(|node| Some((node, node.text()?))) {
                    None => hole,
                    Some((node, prefix)) => value_template(&format!("{prefix} "), node, &place, fields.mistakes()).followed_by(hole),
                };
                found.options.push(option);
                template
            }
        };
        found.fields.push((name.name.clone(), template));
    }
    Some(found)
}

/// Returns an option that nothing describes.
fn secret_option(name: &str) -> OptionSpec {
    OptionSpec { name: name.to_string(), description: None, default: None, required: true, secret: true }
}

fn options(fields: &Fields<'_>, key: &str) -> Option<Vec<OptionSpec>> {
    let node = fields.get(key)?;
    let Some(entries) = node.mapping() else {
        fields.wrong(key, node, "a mapping of option names to descriptions");
        return None;
    };
    Some(entries.iter().map(|(name, node)| option_of(&name.name, node, Secrecy::Secret, fields.mistakes())).collect())
}
