//! Reads `setup`: what is looked up before the first request.

use super::holes::{Discovers, Given, HolePlace};
use super::oauth2::templates;
use super::text::{below_base_url, url_template};
use crate::source::Capture;
use crate::spec::{AdapterSpec, AuthSpec, OptionSpec, Part, SetupPlace, SetupStep, Template, SETUP_HOLE};
use crate::yaml::{Fields, Node};

/// The keys of a look-up, in the order of the reference.
pub(super) const SETUP_KEYS: &[&str] = &["url", "resource_path", "headers", "capture"];

/// Reads the look-ups: a list of them, or one.
pub(super) fn setup_of(spec: &Fields<'_>) -> Vec<SetupStep> {
    nodes_of(spec).iter().filter_map(|node| step(&Fields::of(node, "the look-up in 'setup'", SETUP_KEYS, spec.mistakes())?)).collect()
}

fn nodes_of<'a>(spec: &Fields<'a>) -> &'a [Node] {
    let Some(node) = spec.get("setup") else { return &[] };
    node.list().unwrap_or(std::slice::from_ref(node))
}

fn step(fields: &Fields<'_>) -> Option<SetupStep> {
    let place = match (fields.text("url"), fields.text("resource_path")) {
        (Some(url), None) => {
            let node = fields.get("url")?;
            let template = url_template(&url, node, "'url' of 'setup'", fields.mistakes());
            let is_url = matches!(template.parts().first(), Some(Part::Hole(_)))
                || matches!(template.parts().first(), Some(Part::Literal(text)) if text.starts_with("https://") || text.starts_with("http://"));
            if !is_url {
                fields.wrong("url", node, "an address that begins with https://; below base_url it is 'resource_path'");
                return None;
            }
            SetupPlace::Url(template)
        }
        (None, Some(path)) => SetupPlace::Path(below_base_url(&path, fields.get("resource_path")?, fields)),
        _ => {
            let message = format!("{} needs 'url' or 'resource_path', one of them", fields.place());
            fields.mistakes().at(fields.mapping_node(), message);
            return None;
        }
    };
    let capture = Capture::parse_all(fields)?;
    if capture.is_empty() {
        let message = format!("{} has no 'capture'; expected names with paths, such as 'cloud: \"[0].id\"'", fields.place());
        fields.mistakes().at(fields.mapping_node(), message);
        return None;
    }
    Some(SetupStep { place, headers: templates(fields, "headers"), capture })
}

/// Adds the mistakes of holes: a look-up fills those of later ones, and of requests.
pub(super) fn check_setup(spec: &AdapterSpec, fields: &Fields<'_>, options: &[&OptionSpec]) {
    let hole_place = |node, name: &str, setup: Vec<_>| HolePlace {
        captured: Vec::new(),
        options,
        params: Vec::new(),
        given: Given::Now,
        of_refresh: Vec::new(),
        updates: None,
        has_tokens: spec.auth.iter().any(AuthSpec::has_tokens),
        setup,
        discovers: Discovers::default(),
        paging: None,
        is_later: false,
        has_window: false,
        is_path: false,
        name: name.to_string(),
        node,
        mistakes: fields.mistakes(),
    };
    let is_setup = |name: &str| name.starts_with(SETUP_HOLE);
    let base_node = fields.get("base_url").unwrap_or(fields.mapping_node());
    for hole in spec.base_url.holes().filter(|hole| is_setup(&hole.name)) {
        hole_place(base_node, "'base_url'", spec.setup_names().collect()).check(&Template::of_hole(&hole.name));
    }
    let mut known: Vec<&str> = Vec::new();
    for (step, node) in spec.setup.iter().zip(nodes_of(fields)) {
        for template in step.templates() {
            hole_place(node, "the look-up in 'setup'", known.clone()).check(template);
        }
        let early = |name: &&str| is_setup(name) && !known.iter().any(|known| name.strip_prefix(SETUP_HOLE) == Some(known));
        if let (SetupPlace::Path(_), Some(hole)) = (&step.place, spec.base_url.names().find(early)) {
            let message = format!("the look-up in 'setup' is below base_url, which has a hole '{hole}' that it fills; give it a 'url'");
            fields.mistakes().at(node, message);
        }
        known.extend(step.capture.iter().map(|(name, _)| name.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::AdapterSpec;

    fn check(base_url: &str, setup: &str, expected: &[&str]) {
        let spec = format!("name: a\nbase_url: {base_url}\nauth: {{type: BEARER}}\nsetup:\n{setup}\ntables: [{{name: t}}]\n");
        let said = AdapterSpec::parse("a.yaml", &spec).err().map(|err| err.to_string()).unwrap_or_default();
        assert_eq!(said.is_empty(), expected.is_empty(), "{said}");
        assert!(expected.iter().all(|part| said.contains(part)), "{said}");
    }

    #[test]
    fn look_ups_are_read_and_their_mistakes_told_with_their_line() {
        let cloud = "  - {url: 'https://api.a.com/sites', capture: {cloud: '[0].id'}}";
        check("'https://api.a.com/x/{setup.cloud}'", cloud, &[]);
        check("https://a", "  {resource_path: /me, headers: {X: '${bearer_token}'}, capture: {id: id}}", &[]);
        check("'https://api.a.com/x/{setup.clod}'", cloud, &["a.yaml:2:", "'setup.clod', which no 'capture' of 'setup' gives"]);
        check("https://a", "  - {capture: {a: b}}", &["a.yaml:5:", "needs 'url' or 'resource_path'"]);
        check("https://a", "  - {url: /x, capture: {a: b}}", &["a.yaml:5:", "begins with https://"]);
        check("https://a", "  - {url: 'https://a/x'}", &["a.yaml:5:", "has no 'capture'"]);
        check(
            "https://a",
            "  - {url: 'https://a/{setup.a}', capture: {a: b}}",
            &["a.yaml:5:", "'setup.a', which no 'capture' of 'setup' gives before"],
        );
        check("'https://{setup.dc}.a.com'", "  - {resource_path: /x, capture: {dc: dc}}", &["a.yaml:5:", "give it a 'url'"]);
        check("https://a", "  - {url: 'https://a/x', capture: {a: b}, method: POST}", &["a.yaml:5:", "method"]);
    }
}
