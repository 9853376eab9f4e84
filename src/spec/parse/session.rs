//! Reads an `auth` of type SESSION.

use super::auth_options::Options;
use super::body::body_of;
use super::limits::statuses_of;
use super::oauth2::templates;
use super::text::below_base_url;
use crate::source::{Capture, Captures};
use crate::spec::{duration_of, Body, Method, SessionSpec, SessionStep, Template, DURATION_FORMS, TOKEN_HOLE};
use crate::yaml::Fields;
use std::time::Duration;

pub(super) const KEYS: &[&str] = &["type", "help", "login", "logout", "headers", "life", "params"];
pub(super) const LOGIN_KEYS: &[&str] = &["method", "resource_path", "headers", "body", "form", "multipart", "text", "capture", "status"];
const LOGOUT_KEYS: &[&str] = &["method", "resource_path", "headers", "body", "form", "multipart", "text"];

/// Reads the keys. Adds a mistake for each that is wrong, and returns `None` then.
pub(super) fn session(fields: &Fields<'_>, known: &[&str]) -> Option<SessionSpec> {
    let mut options = Options::of(fields);
    let Some(node) = fields.get("login") else {
        fields.mistakes().at(fields.mapping_node(), "'auth' has no 'login'");
        return None;
    };
    let login = Fields::of(node, "'login' of 'auth'", LOGIN_KEYS, fields.mistakes())?;
    let logout = match fields.get("logout") {
        None => None,
        Some(node) => Some(step(&Fields::of(node, "'logout' of 'auth'", LOGOUT_KEYS, fields.mistakes())?)?),
    };
    let mut session = SessionSpec {
        login: step(&login)?,
        statuses: statuses_of(&login, "status"),
        capture: captures(&login)?,
        life: life(fields)?,
        headers: templates(fields, "headers"),
        logout,
        options: Vec::new(),
    };
    let is_token = |hole: &&str| hole.starts_with(TOKEN_HOLE);
    if let Some(hole) = session.login.values().chain([&session.login.path]).flat_map(Template::names).find(is_token) {
        fields.mistakes().at(node, format!("'login' of 'auth' has a hole '{hole}', which only its answer fills"));
        return None;
    }
    let steps = std::iter::once(&session.login).chain(&session.logout);
    let values = steps.flat_map(SessionStep::values).chain(session.headers.iter().map(|(_, value)| value));
    let holes: Vec<String> = values.flat_map(Template::names).map(str::to_string).collect();
    for hole in holes.iter().filter(|hole| !hole.starts_with(TOKEN_HOLE) && !known.contains(&hole.as_str())) {
        if !session.options.iter().any(|option| option.name == *hole) {
            session.options.push(options.take(hole, "for the login"));
        }
    }
    session.options.extend(options.rest());
    let has_token = session.headers.iter().flat_map(|(_, value)| value.names()).any(|hole| hole.starts_with(TOKEN_HOLE));
    if !has_token {
        let message = format!("'headers' of 'auth' hold nothing of the login; expected one such as 'Cookie: SID=${{{TOKEN_HOLE}sid}}'");
        fields.mistakes().at(fields.get("headers").unwrap_or(fields.mapping_node()), message);
        return None;
    }
    Some(session)
}

/// Reads `life`. The outer `None` is a mistake.
fn life(fields: &Fields<'_>) -> Option<Option<Duration>> {
    let Some(text) = fields.text("life") else { return Some(None) };
    let life = duration_of(&text).filter(|life| !life.is_zero());
    if life.is_none() {
        fields.wrong("life", fields.get("life")?, DURATION_FORMS);
        return None;
    }
    Some(life)
}

/// Reads a request that begins or ends a session.
fn step(fields: &Fields<'_>) -> Option<SessionStep> {
    let path = fields.required_text("resource_path")?;
    let method = match fields.text("method") {
        None => Method::Post,
        Some(text) => match Method::named(&text).filter(|method| *method != Method::Patch) {
            Some(method) => method,
            None => {
                fields.wrong("method", fields.get("method")?, "POST, PUT, GET or DELETE");
                return None;
            }
        },
    };
    let body = body_of(fields, false).unwrap_or_default();
    if method == Method::Get && body != Body::None {
        fields.mistakes().at(fields.mapping_node(), format!("{} has a body, which GET does not send", fields.place()));
        return None;
    }
    let path = below_base_url(&path, fields.get("resource_path").unwrap_or(fields.mapping_node()), fields);
    Some(SessionStep { method, path, headers: templates(fields, "headers"), body })
}

/// Reads what is taken from the answer to the login: something, at least.
fn captures(login: &Fields<'_>) -> Option<Captures> {
    let captures = Capture::parse_all(login)?;
    if captures.is_empty() {
        let message = "'login' of 'auth' has no 'capture'; expected names with paths, such as 'token: data.token'";
        login.mistakes().at(login.mapping_node(), message);
        return None;
    }
    Some(captures)
}

#[cfg(test)]
mod tests {
    use crate::spec::AdapterSpec;

    #[test]
    fn mistakes_are_told_with_their_line() {
        let check = |auth: &str, more: &str, expected: &str| {
            let spec = format!("name: a\nbase_url: https://a\nauth:\n  type: SESSION\n{auth}{more}tables: [{{name: t}}]\n");
            let said = AdapterSpec::parse("a.yaml", &spec).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        };
        let login = "  login: {resource_path: /l, capture: {t: token}}\n";
        let headers = "  headers: {X: '${token.t}'}\n";
        check(&format!("{login}{headers}  logout: {{method: DELETE}}\n"), "", "a.yaml:7");
        check(&format!("{login}{headers}  logout: {{resource_path: /o, capture: {{a: b}}}}\n"), "", "capture");
        check(&format!("{login}{headers}  logout: {{resource_path: /o, method: PATCH}}\n"), "", "POST, PUT, GET or DELETE");
        check(
            &format!("{headers}  login: {{resource_path: /l, method: GET, form: {{a: b}}, capture: {{t: token}}}}\n"),
            "",
            "which GET does not send",
        );
        check(
            &format!("{headers}  login: {{resource_path: /l, text: x, form: {{a: b}}, capture: {{t: token}}}}\n"),
            "",
            "'text' of 'login' of 'auth' is one body too many: it has 'form', 'text'; keep one",
        );
        check(
            &format!("{headers}  login: {{resource_path: '/l/{{token.t}}', capture: {{t: token}}}}\n"),
            "",
            "'token.t', which only its answer fills",
        );
        check(
            &format!("{headers}  login: {{resource_path: /l, status: 700, capture: {{t: token}}}}\n"),
            "",
            "an HTTP status from 100 to 599",
        );
    }

    #[test]
    fn a_login_has_the_bodies_of_other_requests() {
        let options_of = |body: &str| {
            let headers = "headers: {X: '${token.t}'}";
            let spec = format!(
                "name: a\nbase_url: https://a\nauth:\n  type: SESSION\n  login: {{resource_path: /l, {body}, capture: {{t: t}}}}\n  {headers}\ntables: [{{name: t}}]\n"
            );
            let spec = AdapterSpec::parse("a.yaml", &spec).unwrap_or_else(|err| panic!("{err}")).unwrap();
            spec.option_names().join(" ")
        };
        assert_eq!(options_of("body: {id: {user: '${me}', kinds: [a, '${kind}']}, pass: '${pin}', n: 7}"), "me kind pin");
        assert_eq!(options_of("form: {a: {b: '${me}'}}"), "me");
        assert_eq!(options_of("multipart: {a: '${me}'}"), "me");
        assert_eq!(options_of("text: '<login user=\"${me}\"/>'"), "me");
    }

    #[test]
    fn nobody_logs_in_without_a_server_that_gives_credentials() {
        let spec =
            "name: a\nbase_url: https://a\nauth: {type: BEARER}\nerrors:\n  - {when: {status: 403}, do: login}\ntables: [{name: t}]\n";
        let said = AdapterSpec::parse("a.yaml", spec).unwrap_err().to_string();
        assert!(said.contains("a.yaml:5:") && said.contains("needs an 'auth' whose credentials a server gives"), "{said}");
    }
}
