//! Writes the flows of an OAuth 2 scheme as types OAUTH2.

use super::alternative::Alternative;
use super::document::Description;
use super::operation::Operation;
use crate::document::JsonValue;
use crate::yaml::scalar_of;

/// Most scopes that are asked for.
const MOST_SCOPES: usize = 100;
/// Longest address that is written.
const LONGEST: usize = 500;

/// A flow: its names in OpenAPI 3 and Swagger 2.0, the grant, and the options that it takes. What needs no person comes first.
const FLOWS: &[(&str, &str, &str, &[&str])] = &[
    ("clientCredentials", "application", "client_credentials", &["client_id", "client_secret"]),
    ("authorizationCode", "accessCode", "authorization_code", &["client_id", "client_secret"]),
    ("password", "password", "password", &["client_id", "client_secret", "username", "password"]),
];

/// Returns a type OAUTH2 for the first flow whose addresses can be written. `base_url` is what relative addresses are put behind.
pub fn of_scheme(
    description: &Description,
    operations: &[Operation<'_>],
    name: &str,
    scheme: &JsonValue,
    base_url: &str,
) -> Option<Alternative> {
    let flow_of = |(new, old, grant, options): &(&str, &str, &'static str, &'static [&'static str])| {
        let node = scheme.get("flows").and_then(|flows| flows.get(new)).or_else(|| (scheme["flow"] == *old).then_some(scheme))?;
        let address = |key: &str| absolute(node.get(key).and_then(JsonValue::as_str)?, base_url);
        let authorize_url = if *grant == "authorization_code" { Some(address("authorizationUrl")?) } else { None };
        Some((*grant, *options, address("tokenUrl")?, authorize_url))
    };
    let mut flows = FLOWS.iter().filter_map(flow_of);
    let (grant, options, token_url, authorize_url) = flows.next()?;
    let mut lines = vec!["type: OAUTH2".to_string(), format!("grant: {grant}")];
    lines.extend(authorize_url.map(|url| format!("authorize_url: {}", scalar_of(&url))));
    lines.push(format!("token_url: {}", scalar_of(&token_url)));
    let scopes: Vec<String> = scopes(description, operations, name).into_iter().map(scalar_of).collect();
    if !scopes.is_empty() {
        lines.push(format!("scopes: [{}]", scopes.join(", ")));
    }
    let others: Vec<&str> = flows.map(|(grant, ..)| grant).collect();
    let others = if others.is_empty() { String::new() } else { format!("; the API has the grants {} too", others.join(", ")) };
    Some(Alternative {
        lines,
        options: options.iter().map(|option| option.to_string()).collect(),
        doubt: Some(format!("the description does not say how a client shows itself: client_auth is basic, body or none{others}")),
        headers: vec!["Authorization".to_string()],
    })
}

/// Returns an address that tokens may be asked for at: by https, with no placeholder but those of the base URL.
fn absolute(written: &str, base_url: &str) -> Option<String> {
    let written = written.trim();
    let is_plain = written.len() < LONGEST && written.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\{}$\"'<>#".contains(&byte));
    if !is_plain {
        return None;
    }
    if let Some(rest) = written.strip_prefix("https://") {
        return (rest.contains('.') && !rest.starts_with('/')).then(|| written.to_string());
    }
    let host = base_url.strip_prefix("https://")?.split('/').next().filter(|host| !host.is_empty())?;
    written.starts_with('/').then(|| format!("https://{host}{written}"))
}

/// Returns the scopes that GET requests need, each once, else those of the whole document.
fn scopes<'a>(description: &'a Description, operations: &[Operation<'a>], scheme: &str) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    let nodes = operations.iter().map(|operation| operation.node).chain([description.root()]);
    for set in nodes.filter_map(|node| node.get("security")?.as_array()).flatten() {
        let texts = set.get(scheme).and_then(JsonValue::as_array).into_iter().flatten().filter_map(JsonValue::as_str);
        for scope in texts.filter(|scope| is_scope(scope)) {
            if found.len() < MOST_SCOPES && !found.contains(&scope) {
                found.push(scope);
            }
        }
    }
    found
}

fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.len() < 200 && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\{}$\"".contains(&byte))
}
