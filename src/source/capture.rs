//! What a step takes from its answer for later requests: values of the body, of headers and of cookies.

use super::Headers;
use crate::document::{JsonPath, JsonValue, Node};
use crate::yaml::{self, Fields};

/// Where a value stands in an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Capture {
    /// At keys of the body, one in the other; in a list a number is a position.
    Keys(Vec<String>),
    /// At a JSONPath of the body.
    Path(JsonPath),
    Header(String),
    Cookie(String),
}

/// Captures by the names that later requests have for their values.
pub type Captures = Vec<(String, Capture)>;

impl Capture {
    /// Reads `capture`: names, each with a path of the body, `{header: NAME}` or `{cookie: NAME}`. `None`, and a mistake, when it is wrong;
    /// without the key there is nothing to capture.
    pub fn parse_all(fields: &Fields<'_>) -> Option<Captures> {
        let Some(node) = fields.get("capture") else { return Some(Vec::new()) };
        let Some(entries) = node.mapping() else {
            fields.wrong("capture", node, "a mapping of names to paths, such as 'id: data.id'");
            return None;
        };
        let mut captures = Vec::new();
        for (name, node) in entries {
            let is_name = name.name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            if !is_name || name.name.starts_with(|letter: char| letter.is_ascii_digit()) {
                let message = format!("'capture' of {} has the name '{}'; expected letters, digits and '_'", fields.place(), name.name);
                fields.mistakes().at(node, message);
                return None;
            }
            captures.push((name.name.clone(), Capture::parse(node, &name.name, fields)?));
        }
        Some(captures)
    }

    fn parse(node: &yaml::Node, name: &str, fields: &Fields<'_>) -> Option<Capture> {
        let of = |key: &str| match node.mapping() {
            Some([(own, value)]) if own.name == key => value.text().map(str::trim).filter(|text| !text.is_empty()).map(str::to_string),
            _ => None,
        };
        let capture = match (node.text(), of("header"), of("cookie")) {
            (Some(path), ..) => Capture::of_path(path.trim()).map_err(|err| {
                fields.mistakes().at(node, format!("'{name}' in 'capture' of {}: {err}", fields.place()));
            }),
            (None, Some(header), _) => Ok(Capture::Header(header)),
            (None, _, Some(cookie)) => Ok(Capture::Cookie(cookie)),
            (None, None, None) => {
                let node = if node.mapping().is_some() { node.first_nested() } else { node };
                fields.wrong(name, node, "a path, {header: NAME} or {cookie: NAME}");
                Err(())
            }
        };
        capture.ok()
    }

    fn of_path(path: &str) -> crate::Result<Capture> {
        if path.contains('[') {
            return JsonPath::parse(path).map(Capture::Path);
        }
        let path = path.strip_prefix("$.").unwrap_or(path);
        let keys: Vec<String> = path.split('.').map(|key| key.trim().to_string()).collect();
        match keys.iter().any(String::is_empty) {
            true => Err(crate::Error::config(format!("'{path}' is not a path; expected keys with dots between them, such as 'data.id'"))),
            false => Ok(Capture::Keys(keys)),
        }
    }

    /// Returns whether the value is in the body.
    pub fn is_in_body(&self) -> bool {
        matches!(self, Capture::Keys(_) | Capture::Path(_))
    }

    /// Returns the value; `None` where the answer has none, null, or an empty text. A JSONPath that may match several values gives a list.
    /// `root` is the body; `None`: it is not read, or cannot be.
    pub fn read(&self, root: Option<Node<'_>>, headers: &Headers) -> Option<JsonValue> {
        let text = |text: &str| JsonValue::String(text.to_string());
        let value = match self {
            Capture::Keys(keys) => root?.at(keys).map(Node::to_value),
            Capture::Path(path) => path.find_value(root?),
            Capture::Header(name) => headers.get(name).map(str::trim).map(text),
            Capture::Cookie(name) => headers.all("set-cookie").find_map(|cookie| cookie_value(cookie, name)).map(text),
        };
        value.filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    /// Returns the value as [`Capture::read`] does, where it is a text, a number or a boolean.
    pub fn read_text(&self, root: Option<Node<'_>>, headers: &Headers) -> Option<String> {
        match self.read(root, headers)? {
            JsonValue::String(text) => Some(text),
            JsonValue::Array(_) | JsonValue::Object(_) => None,
            other => Some(other.to_string()),
        }
    }

    /// Returns its part of the text of a spec's identity.
    pub fn identity(&self) -> String {
        let (kind, place) = match self {
            Capture::Keys(keys) => ("keys", keys.join(".")),
            Capture::Path(path) => ("path", path.as_text().to_string()),
            Capture::Header(name) => ("header", name.to_lowercase()),
            Capture::Cookie(name) => ("cookie", name.clone()),
        };
        format!("{kind} {}", crate::document::quoted(&place))
    }
}

/// Returns the value that `Set-Cookie` gives a cookie of that name.
fn cookie_value<'h>(cookie: &'h str, name: &str) -> Option<&'h str> {
    let (own, value) = cookie.split(';').next()?.split_once('=')?;
    (own.trim() == name).then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tree_of;
    use crate::yaml::Mistakes;

    fn captures(text: &str) -> std::result::Result<Captures, String> {
        let mistakes = Mistakes::new("step.yaml");
        let node = yaml::parse("step.yaml", text).unwrap();
        let found = Fields::of(&node, "'create'", &["capture"], &mistakes).and_then(|fields| Capture::parse_all(&fields));
        mistakes.into_result().map_err(|err| err.to_string())?;
        Ok(found.unwrap())
    }

    fn check(capture: &str, expected: Option<&str>) {
        let body = tree_of(
            br#"{"id": 7, "name": "", "job": {"id": "a b", "urls": ["u", "v"], "none": null}, "parts": [{"url": "x"}, {"url": "y"}], "d.o": 1}"#,
        );
        let headers = Headers::new(vec![
            ("X-Job".to_string(), " j1 ".to_string()),
            ("Set-Cookie".to_string(), "A=1; Path=/".to_string()),
            ("set-cookie".to_string(), "SID=s=3; HttpOnly".to_string()),
        ]);
        let captures = captures(&format!("capture: {{x: {capture}}}")).unwrap();
        let found = captures[0].1.read(body.as_ref().map(Node::of_tree), &headers);
        assert_eq!(found.map(|value| value.to_string()).as_deref(), expected, "{capture}");
    }

    #[test]
    fn values_are_in_bodies_headers_and_cookies() {
        check("id", Some("7"));
        check("job.id", Some("\"a b\""));
        check("$.job.id", Some("\"a b\""));
        check("job.urls", Some(r#"["u","v"]"#));
        check("parts.1.url", Some("\"y\""));
        check("\"parts[*].url\"", Some(r#"["x","y"]"#));
        check("\"parts[0].url\"", Some("\"x\""));
        check("\"$['d.o']\"", Some("1"));
        check("{header: x-job}", Some("\"j1\""));
        check("{cookie: SID}", Some("\"s=3\""));
        for absent in ["name", "job.none", "nothing", "{header: X-None}", "{cookie: sid}"] {
            check(absent, None);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let mistake = |text: &str, part: &str| {
            let err = captures(text).unwrap_err();
            assert!(err.contains(part), "{err}");
        };
        mistake("capture: id", "a mapping of names to paths");
        mistake("capture: {a: [x]}", "expected a path, {header: NAME} or {cookie: NAME}");
        mistake("capture: {a: {header: X, cookie: Y}}", "expected a path, {header: NAME} or {cookie: NAME}");
        mistake("capture: {a: {headers: X}}", "expected a path, {header: NAME} or {cookie: NAME}");
        mistake("capture: {a.b: x}", "expected letters, digits and '_'");
        mistake("capture: {a: x..y}", "'x..y' is not a path");
        mistake("capture: {a: \"x[\"}", "is not a JSONPath");
    }
}
