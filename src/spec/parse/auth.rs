//! Reads `auth`: one way to authenticate, or a list of alternatives.

use super::{check_header_name, option_of, Secrecy};
use crate::spec::yaml::{suggestion, Fields, Mistakes, Node};
use crate::spec::{AuthSpec, OptionSpec};

const TYPES: &[&str] = &["NONE", "BASIC", "BEARER", "HEADERS", "PARAMS"];
const LATER: &[&str] = &["OAUTH2", "JWT", "AWS4AUTH", "GOOGLE_AUTH", "CUSTOM_AUTH"];

/// Reads the alternatives. No `auth` at all means that the API needs none.
pub(super) fn auth_of(fields: &Fields<'_>) -> Vec<AuthSpec> {
    let Some(node) = fields.get("auth") else { return vec![AuthSpec::None] };
    let nodes = node.list().unwrap_or(std::slice::from_ref(node));
    if nodes.is_empty() {
        fields.wrong("auth", node, "a mapping with a 'type'");
    }
    nodes.iter().filter_map(|node| alternative(node, fields.mistakes())).collect()
}

fn alternative(node: &Node, mistakes: &Mistakes) -> Option<AuthSpec> {
    let kind = node.get("type").and_then(Node::text).unwrap_or("").to_ascii_uppercase();
    if LATER.contains(&kind.as_str()) {
        mistakes.at(node, format!("auth type '{kind}' is not supported yet; expected one of: {}", TYPES.join(", ")));
        return None;
    }
    let keys: &[&str] = match kind.as_str() {
        "NONE" => &["type", "help"],
        "HEADERS" => &["type", "help", "headers", "params"],
        _ => &["type", "help", "params"],
    };
    let fields = Fields::of(node, "'auth'", keys, mistakes)?;
    let text = fields.required_text("type")?;
    match kind.as_str() {
        "NONE" => Some(AuthSpec::None),
        "BASIC" => basic(&fields),
        "BEARER" => bearer(&fields),
        "HEADERS" => headers(&fields),
        "PARAMS" => Some(AuthSpec::Params(pairs(&fields, "params")?)),
        _ => {
            mistakes.at(node.get("type").unwrap_or(node), format!("auth type '{text}' is unknown; {}", suggestion(&kind, TYPES)));
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
    match (options.pop(), options.is_empty()) {
        (None, _) => Some(AuthSpec::Bearer {
            token: OptionSpec { name: "bearer_token".into(), description: None, default: None, required: true, secret: true },
        }),
        (Some(token), true) => Some(AuthSpec::Bearer { token }),
        (Some(_), false) => {
            fields.mistakes().at(fields.mapping_node(), "BEARER takes one token; found several params");
            None
        }
    }
}

fn headers(fields: &Fields<'_>) -> Option<AuthSpec> {
    let key = if fields.get("headers").is_some() { "headers" } else { "params" };
    let pairs = pairs(fields, key)?;
    for (name, _) in &pairs {
        check_header_name(name, &format!("auth header '{name}'"), fields.mistakes(), fields.get(key)?);
    }
    Some(AuthSpec::Headers(pairs))
}

/// Reads names of headers or query parameters with the options that fill them; at least one.
fn pairs(fields: &Fields<'_>, key: &str) -> Option<Vec<(String, OptionSpec)>> {
    let entries = fields.get(key).and_then(Node::mapping).unwrap_or_default();
    if entries.is_empty() {
        fields.mistakes().at(fields.mapping_node(), format!("'auth' has no '{key}'; expected a mapping of names to descriptions"));
        return None;
    }
    Some(entries.iter().map(|(name, node)| (name.name.clone(), option_of(&name.name, node, Secrecy::Secret, fields.mistakes()))).collect())
}

fn options(fields: &Fields<'_>, key: &str) -> Option<Vec<OptionSpec>> {
    let node = fields.get(key)?;
    let Some(entries) = node.mapping() else {
        fields.wrong(key, node, "a mapping of option names to descriptions");
        return None;
    };
    Some(entries.iter().map(|(name, node)| option_of(&name.name, node, Secrecy::Secret, fields.mistakes())).collect())
}
