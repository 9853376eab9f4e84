//! The address of an API, and what in it a connection has to fill in.

use super::document::Description;
use super::names::{snake, unique};
use super::operation::Operation;
use super::text::one_line;
use crate::document::JsonValue;
use std::collections::HashMap;

/// A placeholder of the address.
pub struct Variable {
    pub name: String,
    pub description: String,
    pub default: Option<String>,
}

/// The address that all paths are put behind.
pub struct Server {
    pub base_url: String,
    /// As the description has it.
    pub written: String,
    pub variables: Vec<Variable>,
    pub doubt: Option<String>,
}

/// Returns the first address that the description gives, else the one that most of its requests have; an option `host` where there is none.
///
/// Its placeholders do not have the names that are `taken`.
pub fn server_of(description: &Description, operations: &[Operation<'_>], taken: &[&str]) -> Server {
    let root = description.root();
    let servers = root["servers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let given = servers.iter().find(|server| server["url"].as_str().is_some_and(is_address)).or(servers.first());
    let doubt = (servers.len() > 1).then(|| format!("the description has {} addresses; this is the first", servers.len()));
    let (url, variables) = match given {
        Some(server) => (server["url"].as_str().unwrap_or("").to_string(), server["variables"].as_object()),
        None if root.get("host").is_none() && root.get("basePath").is_none() => (most_common(operations).unwrap_or("").to_string(), None),
        None => (swagger_address(root), None),
    };
    let written = url.clone();
    let url = url.trim().trim_end_matches('/');
    let url: String = url.chars().filter(|c| !c.is_control() && !c.is_whitespace() && !matches!(*c, '\\' | '$')).take(500).collect();
    if !is_address(&url) {
        let path = url.strip_prefix('/').map(|path| format!("/{}", path.replace(['{', '}', '?', '#'], ""))).unwrap_or_default();
        let name = unique("host", |name| taken.contains(&name));
        let base_url = format!("{{{name}}}{path}");
        let host = Variable { name, description: "Address of the server, such as https://api.example.com".to_string(), default: None };
        let doubt = Some("the description does not say where the API is".to_string());
        return Server { base_url, written, variables: vec![host], doubt };
    }
    let (base_url, variables) = filled(&url, taken, |name| variables.and_then(|variables| variables.get(name)));
    Server { base_url, written, variables, doubt }
}

/// Returns the address that most requests have as their own.
fn most_common<'a>(operations: &[Operation<'a>]) -> Option<&'a str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for url in operations.iter().filter_map(|operation| operation.server) {
        *counts.entry(url).or_default() += 1;
    }
    let most = counts.values().max().copied()?;
    operations.iter().filter_map(|operation| operation.server).find(|url| counts.get(url) == Some(&most))
}

fn is_address(url: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|scheme| url.strip_prefix(scheme).is_some_and(|host| host.len() > 1 && !host.starts_with(['/', ':', '?'])))
}

/// Returns the address of Swagger 2.0, which has its parts.
fn swagger_address(root: &JsonValue) -> String {
    let path = root["basePath"].as_str().unwrap_or("");
    let Some(host) = root["host"].as_str().filter(|host| !host.is_empty()) else { return path.to_string() };
    let is_plain_http =
        root["schemes"].as_array().is_some_and(|schemes| !schemes.iter().any(|scheme| scheme == "https") && !schemes.is_empty());
    format!(
        "{}://{host}{}",
        if is_plain_http { "http" } else { "https" },
        if path.starts_with('/') || path.is_empty() { path.to_string() } else { format!("/{path}") }
    )
}

/// Describes a placeholder of the address. Where credentials go is not guessed: a default that is one example of many is not taken.
fn variable(name: String, written: &str, about: Option<&JsonValue>) -> Variable {
    let text = |key: &str| about.and_then(|about| about.get(key)).and_then(JsonValue::as_str).map(one_line).filter(|text| !text.is_empty());
    let default = text("default");
    let is_one_of_few = about.is_some_and(|about| about.get("enum").is_some()) || matches!(default.as_deref(), Some("api" | "app" | "www"));
    let mut description = text("description").unwrap_or_else(|| format!("'{written}' of the address"));
    match default {
        Some(default) if is_one_of_few => Variable { name, description, default: Some(default) },
        example => {
            description.extend(example.map(|example| format!(", such as {example}")));
            Variable { name, description, default: None }
        }
    }
}

/// Writes an address with placeholders that are options' names, and returns these.
fn filled<'a>(url: &str, taken: &[&str], variable_of: impl Fn(&str) -> Option<&'a JsonValue>) -> (String, Vec<Variable>) {
    let mut base_url = String::new();
    let mut variables: Vec<Variable> = Vec::new();
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((written, after)) = after.split_once('}') else { break };
        let about = variable_of(written);
        let mut name = snake(written);
        if taken.contains(&name.as_str()) {
            name = format!("server_{name}");
        }
        let name = unique(&name, |name| taken.contains(&name) || variables.iter().any(|variable| variable.name == name));
        base_url.push_str(&format!("{before}{{{name}}}"));
        variables.push(variable(name, written, about));
        rest = after;
    }
    base_url.push_str(&rest.replace(['{', '}'], ""));
    (base_url, variables)
}
