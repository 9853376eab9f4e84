//! Checks a table as a whole: holes that nothing fills, params that it does not have, steps of its job.

use super::body::BODY_KEYS;
use super::foreign::Known;
use super::foreign_texts::check_texts;
use super::holes::{Discovers, Given, HolePlace};
use super::overwrite::OverwriteCheck;
use super::queries::QueryPlace;
use super::recurse::RecurseCheck;
use super::refresh::RefreshCheck;
use super::Node;
use crate::source::Paging;
use crate::spec::{
    AdapterSpec, AuthSpec, Builtin, JobDef, OptionSpec, ParamDef, ParamValue, ParamValues, ParentQuery, Part, TableDef, Template,
};
use crate::yaml::Mistakes;
use url::Url;

/// A table of a spec, to be checked.
pub(super) struct TableCheck<'a> {
    pub spec: &'a AdapterSpec,
    pub table_def: &'a TableDef,
    pub node: &'a Node,
    pub discovers: Discovers,
    pub options: &'a [&'a OptionSpec],
    /// Whether each request has a moment or place to go on from: those for updates, where no call is new.
    pub has_start: bool,
    pub mistakes: &'a Mistakes,
}

impl TableCheck<'_> {
    /// Checks a table as the file has it.
    pub fn run_with_texts(&self) {
        let options = self.options.iter().map(|option| option.name.as_str()).collect();
        let known = Known { params: self.param_names().collect(), options };
        check_texts(self.node, &format!("table '{}'", self.table_def.name), &known, self.mistakes);
        OverwriteCheck { spec: self.spec, table_def: self.table_def, node: self.node, mistakes: self.mistakes }.run();
        self.run();
    }

    /// Checks a table.
    pub fn run(&self) {
        let place = format!("table '{}'", self.table_def.name);
        let path_node = self.node.get("resource_path").or_else(|| self.node.get("query_resource")).unwrap_or(self.node);
        self.check_host_holes(&place);
        let has_first = self.table_def.request.first.is_some();
        let in_path = |what: &str, node| HolePlace {
            is_later: has_first,
            is_path: true,
            ..self.hole_place(format!("{what} of {place}"), node, Given::Request)
        };
        in_path("the path", path_node).check(&self.table_def.path);
        match (&self.table_def.request.base_url, self.node.get("base_url")) {
            (Some(base_url), node) => in_path("'base_url'", node.unwrap_or(self.node)).check(base_url),
            // What no table fills is told once, where it stands.
            (None, _) if self.spec.base_url.names().any(|name| !may_be_filled(self.spec, self.options, name)) => {}
            (None, _) => in_path("the path", path_node).check(&self.spec.base_url),
        }
        self.check_own_base_url(&place);
        self.check_paging(&place);
        self.check_body(&place);
        self.check_job(&place);
        for (name, template) in &self.table_def.headers {
            let fetch = self.node.get("job").and_then(|job| job.get("fetch"));
            let nodes = || [fetch, Some(self.node)].into_iter().flatten().filter_map(|node| node.get("headers"));
            let node = nodes().find_map(|headers| headers.get(name)).or(nodes().next()).unwrap_or(self.node);
            self.hole_place(format!("header '{name}' of {place}"), node, Given::Request).check(template);
        }
        for name in &self.table_def.copy_params_to_output {
            self.check_copied(name, &place);
            if !self.has_param(name) {
                let hint = self.mistakes.suggestions().hint("; ", name, self.param_names());
                self.mistakes.at(self.copied_node(name), format!("{place} copies param '{name}', which it does not have{hint}"));
            }
        }
        self.check_params(&self.table_def.params, self.node.get("params"), Given::Load, &place);
        if let Some(updates) = self.table_def.refresh.updates() {
            self.check_params(
                &updates.params,
                self.node.get("refresh").and_then(|node| node.get("params")),
                Given::Updates,
                &format!("the refresh of {place}"),
            );
        }
        RefreshCheck { table_def: self.table_def, node: self.node, mistakes: self.mistakes }.run();
        let in_query = |query: &ParentQuery, node: &Node, name: &str| {
            QueryPlace { spec: self.spec, options: self.options, name, node, mistakes: self.mistakes }.check(query);
        };
        RecurseCheck { table_def: self.table_def, node: self.node, mistakes: self.mistakes }.run(&in_query);
        if let (Some(window_def), Some(node)) = (&self.table_def.window, self.node.get("window")) {
            let in_window = self.hole_place(format!("the window of {place}"), node, Given::Now);
            [&window_def.start, &window_def.end].into_iter().flat_map(ParamValue::templates).for_each(|template| in_window.check(template));
        }
    }

    /// A param that a secret option fills is not copied: its column would show the secret.
    fn check_copied(&self, name: &str, place: &str) {
        let refresh_params = self.table_def.refresh.updates().map_or(&[][..], |updates| &updates.params);
        let params = self.table_def.params.iter().chain(refresh_params);
        let filled = params.filter(|param_def| param_def.names.iter().any(|other| other == name));
        let holes: Vec<&str> = filled.flat_map(|param_def| param_def.values.templates()).flat_map(Template::names).collect();
        if let Some(hole) = holes.iter().find(|hole| Builtin::named(hole) == Some(Builtin::Page)) {
            self.mistakes.at(
                self.copied_node(name),
                format!(
                    "{place} copies param '{name}', which '{hole}' makes another for each page; leave it out of 'copy_params_to_output'"
                ),
            );
        }
        let what = |hole: &str| match self.options.iter().find(|option| option.secret && option.name == hole) {
            Some(_) => Some("secret option"),
            None => match Builtin::named(hole) {
                Some(Builtin::Token) => Some("token answer's"),
                Some(Builtin::Setup) => Some("look-up's"),
                _ => None,
            },
        };
        if let Some((what, hole)) = holes.into_iter().find_map(|hole| Some((what(hole)?, hole))) {
            self.mistakes.at(
                self.copied_node(name),
                format!("{place} copies param '{name}', which the {what} '{hole}' fills; leave it out of 'copy_params_to_output'"),
            );
        }
    }

    fn copied_node(&self, name: &str) -> &Node {
        self.node.get("copy_params_to_output").unwrap_or(self.node).naming(name)
    }

    fn param_names(&self) -> impl Iterator<Item = &str> {
        self.table_def.params.iter().flat_map(|param_def| param_def.names.iter().map(String::as_str))
    }

    fn has_param(&self, name: &str) -> bool {
        self.param_names().any(|param| param == name)
    }

    /// Data does not decide which host is asked: a param that stands in the host has the values that the spec lists.
    fn check_host_holes(&self, place: &str) {
        let params_node = |key: &str| self.node.get(key).and_then(|node| if key == "refresh" { node.get("params") } else { Some(node) });
        let refresh_params = self.table_def.refresh.updates().map_or(&[][..], |updates| &updates.params);
        for hole in self.table_def.base_url(self.spec).host_holes() {
            let builtin = Builtin::named(hole).filter(|builtin| !matches!(builtin, Builtin::Token | Builtin::Setup));
            let is_given = self.has_param(hole) || self.options.iter().any(|option| option.name == hole);
            if builtin.is_some_and(|builtin| builtin == Builtin::Discovered || !is_given) {
                let message =
                    format!("the host of 'base_url' has a hole '{hole}'; expected an option, or a param whose values the spec lists");
                self.mistakes.at(self.node, message);
            }
        }
        for (key, params) in [("params", self.table_def.params.as_slice()), ("refresh", refresh_params)] {
            for hole in self.table_def.base_url(self.spec).host_holes() {
                let Some(param_def) = params.iter().find(|param_def| param_def.names.iter().any(|name| name == hole)) else { continue };
                let is_option = self.options.iter().any(|option| option.name == hole);
                let is_listed = !is_option && key == "params" && is_literal(&param_def.values);
                if !is_listed {
                    let message = format!(
                        "param '{hole}' of {place} fills a hole in the host of 'base_url', and data does not decide where credentials go; make \
                         '{hole}' an option, or list its values in the spec"
                    );
                    self.mistakes.at(params_node(key).unwrap_or(self.node), message);
                }
            }
        }
    }

    /// A table's own host may have the credentials only where the spec says so.
    fn check_own_base_url(&self, place: &str) {
        let (Some(base_url), Some(node)) = (&self.table_def.request.base_url, self.node.get("base_url")) else { return };
        check_base_url(base_url, node, self.options, self.mistakes);
        let origin = |template: &Template| Url::parse(template.as_literal()?).ok().map(|url| url.origin());
        let (Some(own), Some(common)) = (origin(base_url), origin(&self.spec.base_url)) else { return };
        let is_allowed = base_url.as_literal().and_then(|text| Url::parse(text).ok()).is_some_and(|url| self.spec.allows_origin(&url));
        if own != common && !is_allowed {
            let host = own.ascii_serialization();
            let host = host.strip_prefix("https://").unwrap_or(&host);
            self.mistakes.at(
                node,
                format!(
                    "'base_url' of {place} is another host than the spec's, which gets the credentials; add '{host}' to 'allowed_hosts'"
                ),
            );
        }
    }

    /// What names a page goes somewhere: to a param, or to a hole.
    fn check_paging(&self, place: &str) {
        let node = self.node.get("paging").unwrap_or(self.node);
        for template in self.table_def.request.first.iter().flat_map(|first| first.templates()) {
            self.hole_place(format!("'first' in the paging of {place}"), node, Given::Request).check(template);
        }
        if let Some(unplaced) = self.table_def.paging.unplaced(&self.table_def.hole_names()) {
            self.mistakes.at(node, format!("the paging of {place} {unplaced}"));
        }
        // How many records there are below others does not tell how far a page leads.
        if let (Some(_), Paging::Counted(_)) = (&self.table_def.answer.tree, &self.table_def.paging) {
            let message = format!("{place} has 'tree', and paging that counts records; expected paging by a token or a link");
            self.mistakes.at(node, message);
        }
    }

    fn check_body(&self, place: &str) {
        let Some((key, node)) = BODY_KEYS.iter().find_map(|key| Some((key, self.node.get(key)?))) else { return };
        let is_later = self.table_def.request.first.is_some();
        let in_body = HolePlace { is_later, ..self.hole_place(format!("'{key}' of {place}"), node, Given::Request) };
        for template in self.table_def.request.body.templates() {
            in_body.check(template);
        }
    }

    /// Returns the names that the steps of the job captured: `create`, and `waited` the one that waits, too.
    fn captured(&self, waited: bool) -> Vec<&str> {
        let Some(job) = &self.table_def.job else {
            // A job with a mistake is none, and captures what it says all the same.
            let steps = ["create", "wait"].into_iter().filter_map(|step| self.node.get("job")?.get(step)?.get("capture")?.mapping());
            return steps.flatten().map(|(key, _)| key.name.as_str()).collect();
        };
        let later = job.wait.step.capture.iter().filter(|_| waited);
        job.create.capture.iter().chain(later).map(|(name, _)| name.as_str()).collect()
    }

    /// A step has what those before it captured.
    fn check_job(&self, place: &str) {
        let (Some(job), Some(node)) = (&self.table_def.job, self.node.get("job")) else { return };
        let check = |key: &str, templates: Vec<&Template>, captured: Vec<&str>, params: Vec<&str>| {
            let name = format!("'{key}' in 'job' of {place}");
            let hole_place = self.hole_place(name, node.get(key).unwrap_or(node), Given::Request);
            let hole_place = HolePlace { captured, params, paging: None, ..hole_place };
            templates.into_iter().for_each(|template| hole_place.check(template));
        };
        let params = || self.param_names().collect::<Vec<&str>>();
        let common = || job.headers.iter().map(|(_, value)| value);
        check("create", job.create.templates().chain(common()).collect(), Vec::new(), params());
        check("wait", job.wait.step.templates().collect(), self.captured(false), params());
        let fetched = job.params.iter().map(|(_, value)| value).chain(&job.urls).collect();
        check("fetch", fetched, self.captured(true), params());
        let cancelled = job.cancel.iter().flat_map(|step| step.templates()).collect();
        check("cancel", cancelled, self.captured(false), Vec::new());
        self.check_names_of_captures(job, node, place);
    }

    /// A step that captures what an earlier one did would change it.
    fn check_names_of_captures(&self, job: &JobDef, node: &Node, place: &str) {
        let created = |name: &str| job.create.capture.iter().any(|(other, _)| other == name);
        if let Some((name, _)) = job.wait.step.capture.iter().find(|(name, _)| created(name)) {
            let message = format!("'wait' in 'job' of {place} captures '{name}', which 'create' does; give it another name");
            self.mistakes.at(node.get("wait").unwrap_or(node), message);
        }
    }

    fn hole_place<'p>(&'p self, name: String, node: &'p Node, given: Given) -> HolePlace<'p> {
        let refresh_params = self.table_def.refresh.updates().map_or(&[][..], |updates| &updates.params);
        HolePlace {
            options: self.options,
            params: self.param_names().collect(),
            given: if self.has_start && matches!(given, Given::Load | Given::Request) { Given::Updates } else { given },
            of_refresh: match given {
                Given::Load | Given::Request => {
                    refresh_params.iter().flat_map(|param_def| param_def.names.iter().map(String::as_str)).collect()
                }
                Given::Now | Given::Updates => Vec::new(),
            },
            updates: self.table_def.refresh.updates().map(|updates| updates.cursor.is_some()),
            has_tokens: has_tokens(self.spec),
            setup: self.spec.setup_names().collect(),
            discovers: self.discovers,
            // The table's own request fetches what its job made.
            captured: if given == Given::Request { self.captured(true) } else { Vec::new() },
            paging: Some(&self.table_def.paging),
            is_later: false,
            has_window: self.table_def.window.is_some() || self.node.get("window").is_some(),
            is_path: false,
            name,
            node,
            mistakes: self.mistakes,
        }
    }

    fn check_params(&self, params: &[ParamDef], node: Option<&Node>, given: Given, place: &str) {
        let node_of = |param_def: &ParamDef| {
            let entries = node.and_then(Node::mapping).unwrap_or_default();
            entries
                .iter()
                .find(|(key, _)| key.name.split(',').any(|name| name.trim() == param_def.names[0]))
                .map_or(self.node, |(_, node)| node)
        };
        for param_def in params {
            let place = format!("param '{}' of {place}", param_def.names.join(","));
            for template in param_def.values.templates() {
                let mut hole_place = self.hole_place(place.clone(), node_of(param_def), given);
                hole_place.params.extend(params.iter().flat_map(|param_def| param_def.names.iter().map(String::as_str)));
                hole_place.params.retain(|name| !param_def.names.iter().any(|own| own == name));
                hole_place.check(template);
            }
            if let ParamValues::Query(query) = &param_def.values {
                let node = node_of(param_def);
                let node = node.get("query").unwrap_or(node);
                QueryPlace { spec: self.spec, options: self.options, name: &place, node, mistakes: self.mistakes }.check(query);
            }
        }
    }
}

/// Returns whether a name has a value in the requests of some table.
pub(super) fn may_be_filled(spec: &AdapterSpec, options: &[&OptionSpec], name: &str) -> bool {
    let discovered = spec.discover.iter().map(|discover| &discover.table);
    let mut params = spec.tables.iter().chain(discovered).flat_map(TableDef::variants).flat_map(|table_def| &table_def.params);
    Builtin::named(name).is_some()
        || options.iter().any(|option| option.name == name)
        || params.any(|param_def| param_def.names.iter().any(|other| other == name))
}

/// Returns whether the spec lists all values, none with a hole.
fn is_literal(values: &ParamValues) -> bool {
    !matches!(values, ParamValues::Query(_)) && values.templates().is_empty()
}

/// Checks the holes of a base URL.
pub(super) fn check_base_url(base_url: &Template, node: &Node, options: &[&OptionSpec], mistakes: &Mistakes) {
    let is_http = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    match base_url.parts().first() {
        None => {}
        Some(Part::Literal(text)) if is_http(text) => {}
        Some(Part::Hole(hole)) => match options.iter().find(|option| option.name == hole.name).map(|option| &option.default) {
            Some(Some(default)) if !is_http(default) => {
                let name = &hole.name;
                mistakes
                    .at(node, format!("base_url begins with option '{name}', whose default is '{default}'; expected http:// or https://"));
            }
            _ => {}
        },
        Some(Part::Literal(text)) => mistakes.at(node, format!("base_url begins with '{text}'; expected http:// or https://")),
    }
}

/// Returns whether a server gives the credentials of some way to authenticate.
pub(super) fn has_tokens(spec: &AdapterSpec) -> bool {
    spec.auth.iter().any(AuthSpec::has_tokens)
}
