//! Turns a spec file into an [`AdapterSpec`], or into all of its mistakes.

mod auth;
mod check;
mod columns;
mod limits;
mod paging;
mod params;
#[cfg(test)]
mod reference_tests;
mod refresh;
#[cfg(test)]
mod refresh_tests;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod view;
mod write;
#[cfg(test)]
mod write_tests;

use super::yaml::{parse_into, Fields, Mistakes, Node};
use super::{AdapterSpec, OptionSpec, Template};
use crate::Result;
use text::{path_template, value_template};

/// The keys a spec may have, in the order of the reference.
pub(super) const SPEC_KEYS: &[&str] = &[
    "name",
    "enabled",
    "description",
    "help",
    "version",
    "class",
    "base_url",
    "allowed_hosts",
    "auth",
    "options",
    "headers",
    "paging",
    "throttle",
    "retry",
    "errors",
    "queryDateFormat",
    "tables",
    "views",
];
/// Keys of old files that mean nothing here.
const IGNORED_KEYS: &[&str] = &[
    "dateParser",
    "cacheTTLSecs",
    "pageIndexArg",
    "pageMaxArg",
    "pageStartArg",
    "maxPerPage",
    "polling_interval_secs",
    "page_cursor_arg",
    "next_page_token",
];

impl AdapterSpec {
    /// Parses a spec. `None` when it says `enabled: false`. Fails with every mistake of the file, one on each line, as
    /// `file:line:column: message`. What parses is usable as it is.
    pub fn parse(file: &str, text: &str) -> Result<Option<AdapterSpec>> {
        let mistakes = Mistakes::new(file);
        let node = parse_into(text, &mistakes);
        let is_disabled = node.as_ref().and_then(|node| node.get("enabled")).and_then(Node::text).is_some_and(is_no);
        if is_disabled {
            return Ok(None);
        }
        let spec = node.as_ref().and_then(|node| spec_of(file, node, &mistakes));
        mistakes.into_result()?;
        spec.map(Some).ok_or_else(|| crate::Error::internal(format!("{file} has no mistake and no spec")))
    }
}

fn is_no(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "false" | "no" | "off")
}

fn spec_of(file: &str, node: &Node, mistakes: &Mistakes) -> Option<AdapterSpec> {
    let valid: Vec<&str> = SPEC_KEYS.iter().chain(IGNORED_KEYS).copied().collect();
    let fields = Fields::of(node, "the spec", &valid, mistakes)?;
    fields.boolean("enabled");
    check_class(&fields);
    let paging = fields.get("paging").map(|node| paging::paging_of(node, "'paging' of the spec", mistakes));
    let defaults = table::SpecDefaults {
        paging: paging.as_ref().and_then(Option::as_ref),
        date_format: refresh::date_format(&fields, "queryDateFormat").unwrap_or_default(),
    };
    let spec = AdapterSpec {
        name: fields.required_text("name").unwrap_or_default(),
        description: fields.text("description"),
        help: fields.text("help"),
        version: fields.text("version"),
        source: file.to_string(),
        base_url: fields.required_text("base_url").map(|text| path_template(text.trim().trim_end_matches('/'))).unwrap_or_default(),
        allowed_hosts: allowed_hosts(&fields),
        auth: auth::auth_of(&fields),
        options: options_of(&fields),
        headers: headers_of(&fields),
        throttle: limits::throttle_of(&fields),
        retry: limits::retry_of(&fields),
        errors: limits::error_rules_of(&fields),
        tables: table::tables_of(&fields, &defaults),
        views: view::views_of(&fields),
    };
    check::check(&spec, &fields);
    Some(spec)
}

fn check_class(fields: &Fields<'_>) {
    let Some(class) = fields.text("class") else { return };
    if !matches!(class.to_ascii_lowercase().as_str(), "rest" | "restadapter") {
        fields.mistakes().at(
            fields.mapping_node().get("class").unwrap_or(fields.mapping_node()),
            format!("class '{class}' is not supported yet; leave 'class' out for a REST API"),
        );
    }
}

fn allowed_hosts(fields: &Fields<'_>) -> Vec<String> {
    let hosts = fields.texts("allowed_hosts");
    for host in &hosts {
        let is_origin = host.starts_with("https://") || host.starts_with("http://");
        let is_host = !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | ':'));
        if !is_origin && !is_host {
            let node = fields.get("allowed_hosts").unwrap_or(fields.mapping_node());
            fields.mistakes().at(node, format!("allowed host '{host}' is no host; expected one such as 'files.example.com'"));
        }
    }
    hosts
}

/// Reads `options`: names, each with a description or a mapping.
fn options_of(fields: &Fields<'_>) -> Vec<OptionSpec> {
    let mistakes = fields.mistakes();
    let Some(node) = fields.get("options") else { return Vec::new() };
    let Some(entries) = node.mapping() else {
        fields.wrong("options", node, "a mapping of option names");
        return Vec::new();
    };
    entries.iter().map(|(key, node)| option_of(&key.name, node, Secrecy::Open, mistakes)).collect()
}

/// Whether an option is secret when the spec does not say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    Open,
    Secret,
}

const OPTION_KEYS: &[&str] = &["description", "default", "required", "secret"];

/// Reads one option: nothing, its description, or a mapping. An option under `auth` is required unless it has a default.
fn option_of(name: &str, node: &Node, secrecy: Secrecy, mistakes: &Mistakes) -> OptionSpec {
    let is_auth = secrecy == Secrecy::Secret;
    let mut option = OptionSpec { name: name.to_string(), description: None, default: None, required: is_auth, secret: is_auth };
    if node.is_null() {
        return option;
    }
    if let Some(text) = node.text() {
        option.description = Some(text.to_string());
        return option;
    }
    let keys: Vec<&str> = if is_auth { OPTION_KEYS.iter().chain(&["option"]).copied().collect() } else { OPTION_KEYS.to_vec() };
    let Some(fields) = Fields::of(node, format!("option '{name}'"), &keys, mistakes) else { return option };
    option.description = fields.text("description");
    option.default = fields.text("default");
    option.required = fields.boolean("required").unwrap_or(is_auth && option.default.is_none());
    option.secret = fields.boolean("secret").unwrap_or(is_auth);
    if is_auth {
        option.name = fields.text("option").unwrap_or(option.name);
    }
    option
}

/// Reads `headers`: names with values that may hold `${option}`.
fn headers_of(fields: &Fields<'_>) -> Vec<(String, Template)> {
    let Some(node) = fields.get("headers") else { return Vec::new() };
    let Some(entries) = node.mapping() else {
        fields.wrong("headers", node, "a mapping of header names");
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (key, value) in entries {
        check_header_name(&key.name, &format!("header '{}' of {}", key.name, fields.place()), fields.mistakes(), value);
        match value.text() {
            Some(text) if text.chars().any(|c| c.is_control()) => {
                fields.mistakes().at(value, format!("header '{}' of {} has a line break or control character", key.name, fields.place()));
            }
            Some(text) => headers.push((key.name.clone(), value_template(text))),
            None => fields.wrong(&key.name, value, "a text"),
        }
    }
    headers
}

pub(super) fn check_header_name(name: &str, place: &str, mistakes: &Mistakes, node: &Node) {
    let is_token = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
    if !is_token {
        mistakes.at(node, format!("{place} has no valid HTTP header name; expected letters, digits and dashes"));
    }
}
