//! Turns a spec file into an [`AdapterSpec`], or into all of its mistakes.

mod answer;
#[cfg(test)]
mod answer_tests;
mod auth;
mod auth_options;
mod body;
mod broken;
mod check;
mod check_table;
mod children;
mod class;
mod columns;
mod condition;
mod deletes;
mod discover;
#[cfg(test)]
mod discover_tests;
mod etag;
mod expect;
mod findings;
mod foreign;
#[cfg(test)]
mod foreign_tests;
mod foreign_texts;
mod headers;
mod holes;
mod job;
#[cfg(test)]
mod job_tests;
mod json;
mod keys;
mod limits;
mod oauth2;
mod option;
mod overwrite;
mod params;
mod path;
#[cfg(test)]
mod place_tests;
mod queries;
mod recurse;
#[cfg(test)]
mod recurse_tests;
#[cfg(test)]
mod reference_tests;
mod refresh;
#[cfg(test)]
mod refresh_tests;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod schema_tests;
mod session;
mod setup;
mod signing;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod throttle;
#[cfg(test)]
mod throttle_tests;
mod updating;
#[cfg(test)]
mod updating_tests;
mod view;
mod window;
#[cfg(test)]
mod window_tests;
mod write;
#[cfg(test)]
mod write_tests;

use super::large_stack::on_large_stack;
use super::{AdapterSpec, OptionSpec, ResultHosts, SpecWarning, Template};
use crate::source::Paging;
use crate::yaml::{parse_into, Fields, Mistakes, Node};
use crate::Result;
pub use findings::{Examined, Finding, FindingLevel};
use headers::headers_of;
use option::{option_of, Secrecy};
pub(super) use text::is_yes;
use text::{is_no, url_template};

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
    "result_hosts",
    "auth",
    "options",
    "headers",
    "paging",
    "throttle",
    "throttles",
    "retry",
    "errors",
    "setup",
    "test",
    "queryDateFormat",
    "strict",
    "etag",
    "tables",
    "views",
];
/// Most tables and views: each is compared with the others.
const MAX_RELATIONS: usize = 2000;
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
        on_large_stack(|| AdapterSpec::parsed(file, text, |_, _, _| ()))?
    }

    /// Parses a spec as [`AdapterSpec::parse`] does, but mistakes within tables keep only those from being used, and what reads them: they
    /// are in [`AdapterSpec::broken`]. A strict spec, and one without another table, fails all the same.
    pub fn parse_usable(file: &str, text: &str) -> Result<Option<AdapterSpec>> {
        on_large_stack(|| AdapterSpec::parsed(file, text, broken::set_aside))?
    }

    /// Parses a spec, on a stack that is large enough for its queries.
    fn parsed(file: &str, text: &str, set_aside: fn(&mut AdapterSpec, &Node, &Mistakes)) -> Result<Option<AdapterSpec>> {
        let mistakes = Mistakes::new(file);
        let node = parse_into(text, &mistakes);
        let is_disabled = node.as_ref().and_then(|node| node.get("enabled")).and_then(Node::text).is_some_and(is_no);
        if is_disabled {
            return Ok(None);
        }
        let mut spec = node.as_ref().and_then(|node| spec_of(file, node, &mistakes));
        if let (Some(spec), Some(node)) = (&mut spec, &node) {
            take_warnings(spec, node, &mistakes);
            set_aside(spec, node, &mistakes);
        }
        mistakes.into_result()?;
        spec.map(Some).ok_or_else(|| crate::Error::internal(format!("{file} has no mistake and no spec")))
    }
}

fn spec_of(file: &str, node: &Node, mistakes: &Mistakes) -> Option<AdapterSpec> {
    let valid: Vec<&str> = SPEC_KEYS.iter().chain(IGNORED_KEYS).copied().collect();
    let node = &*class::with_keys_of_class(node, mistakes);
    let node = &*job::with_fetches(node);
    let fields = Fields::of(node, "the spec", &valid, mistakes)?;
    fields.boolean("enabled");
    let n_relations: usize = ["tables", "views"].iter().filter_map(|key| fields.get(key)?.list()).map(<[Node]>::len).sum();
    if n_relations > MAX_RELATIONS {
        mistakes.at(node, format!("the spec has {n_relations} tables and views; expected at most {MAX_RELATIONS}"));
        return None;
    }
    let class = class::class_of(&fields);
    let paging = fields.get("paging").map(|node| Paging::parse(node, "'paging' of the spec", mistakes));
    let is_strict = fields.boolean("strict").unwrap_or(false);
    let defaults = table::SpecDefaults {
        is_strict,
        paging: paging.as_ref().and_then(Option::as_ref),
        date_format: refresh::date_format(&fields, "queryDateFormat").unwrap_or_default(),
    };
    let mut spec = AdapterSpec {
        name: fields.required_text("name").unwrap_or_default(),
        description: fields.text("description"),
        help: fields.text("help"),
        version: fields.text("version"),
        class,
        source: file.to_string(),
        base_url: base_url_of(&fields),
        allowed_hosts: allowed_hosts(&fields),
        result_hosts: result_hosts(&fields),
        auth: auth::auth_of(&fields),
        options: options_of(&fields),
        headers: headers_of(&fields, ""),
        throttle: throttle::throttle_of(&fields),
        throttles: throttle::throttles_of(&fields),
        retry: limits::retry_of(&fields),
        errors: limits::error_rules_of(&fields),
        setup: setup::setup_of(&fields),
        test: limits::test_of(&fields),
        tables: table::tables_of(&fields, &defaults),
        views: view::views_of(&fields),
        discover: Vec::new(),
        broken: Vec::new(),
        warnings: Vec::new(),
    };
    spec.discover = discover::discovers_of(&fields, &defaults, &mut spec.tables);
    check::check(&spec, &fields);
    Some(spec)
}

/// Puts the warnings into the spec; those of a strict one are mistakes.
fn take_warnings(spec: &mut AdapterSpec, node: &Node, mistakes: &Mistakes) {
    if is_strict(node) {
        mistakes.take_warnings_as_mistakes();
    }
    spec.warnings = mistakes.take_warnings().into_iter().map(|(table, message)| SpecWarning { table, message }).collect();
}

fn is_strict(node: &Node) -> bool {
    node.get("strict").and_then(Node::text).is_some_and(is_yes)
}

fn base_url_of(fields: &Fields<'_>) -> Template {
    let Some(text) = fields.required_text("base_url") else { return Template::default() };
    let node = fields.get("base_url").unwrap_or(fields.mapping_node());
    url_template(&text, node, "'base_url'", fields.mistakes())
}

fn allowed_hosts(fields: &Fields<'_>) -> Vec<String> {
    let hosts = fields.texts("allowed_hosts");
    for host in &hosts {
        let is_origin = host.starts_with("https://") || host.starts_with("http://");
        let is_host = !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | ':'));
        if !is_origin && !is_host {
            let node = fields.get("allowed_hosts").unwrap_or(fields.mapping_node()).naming(host);
            fields.mistakes().at(node, format!("allowed host '{host}' is not a host; expected one such as 'files.example.com'"));
        }
    }
    hosts
}

fn result_hosts(fields: &Fields<'_>) -> ResultHosts {
    let mut hosts = ResultHosts::default();
    for host in fields.texts("result_hosts") {
        if let Err(err) = hosts.add(&host) {
            let node = fields.get("result_hosts").unwrap_or(fields.mapping_node()).naming(&host);
            fields.mistakes().at(node, format!("result host {err}"));
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
