//! Public APIs that need no key, below `/hackernews` and `/wikimedia`: answers of their shape from `test/fixtures`.
//!
//! A fixture is a list of answers, the first whose path matches wins. `{name}` in a path stands for any part of it, and `${name}`
//! in the body for what it stood for.

use crate::{answer, Asked};
use axum::response::Response;
use serde_json::Value;

const HACKERNEWS: &str = include_str!("../../test/fixtures/hackernews.json");
const WIKIMEDIA: &str = include_str!("../../test/fixtures/wikimedia.json");

/// Answers below `/hackernews`, `parts` being what follows.
pub fn hackernews(parts: &[&str]) -> Response {
    answer_from(HACKERNEWS, parts)
}

/// Answers below `/wikimedia`. Clients that do not say how to reach who runs them are refused.
pub fn wikimedia(asked: &Asked, parts: &[&str]) -> Response {
    match &asked.user_agent {
        Some(name) if name.contains('@') => answer_from(WIKIMEDIA, parts),
        _ => answer::error(403, "Please say how to reach you in the user agent"),
    }
}

fn answer_from(fixture: &str, parts: &[&str]) -> Response {
    let answers: Value = match serde_json::from_str(fixture) {
        Ok(answers) => answers,
        Err(err) => return answer::error(500, &format!("the fixture is no JSON: {err}")),
    };
    let found = answers.as_array().into_iter().flatten().find_map(|recorded| {
        let holes = holes_of(recorded["path"].as_str()?, parts)?;
        Some(filled(&recorded["body"], &holes))
    });
    found.map_or_else(|| answer::error(404, "Not found"), |body| answer::json(&body))
}

/// Returns what the holes of the path stand for, or `None` when it is another path.
fn holes_of<'a>(path: &'a str, parts: &[&'a str]) -> Option<Vec<(&'a str, &'a str)>> {
    let pattern: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if pattern.len() != parts.len() {
        return None;
    }
    let mut holes = Vec::new();
    for (wanted, part) in pattern.iter().zip(parts) {
        match wanted.split_once('{').and_then(|(before, rest)| rest.split_once('}').map(|(name, after)| (before, name, after))) {
            Some((before, name, after)) => holes.push((name, part.strip_prefix(before)?.strip_suffix(after)?)),
            None if wanted == part => {}
            None => return None,
        }
    }
    Some(holes)
}

fn filled(body: &Value, holes: &[(&str, &str)]) -> Value {
    match body {
        Value::String(text) => {
            Value::String(holes.iter().fold(text.clone(), |text, (name, part)| text.replace(&format!("${{{name}}}"), part)))
        }
        Value::Array(elements) => elements.iter().map(|element| filled(element, holes)).collect(),
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), filled(value, holes))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_parts_that_holes_stand_for_are_put_into_the_body() {
        let holes = holes_of("/item/{id}.json", &["item", "7.json"]).unwrap();
        assert_eq!(holes, [("id", "7")]);
        assert_eq!(filled(&json!({ "a": ["x${id}", 1] }), &holes), json!({ "a": ["x7", 1] }));
    }

    #[test]
    fn another_path_does_not_match() {
        for parts in [["item", "7"].as_slice(), &["items", "7.json"], &["item"], &["item", "7.json", "x"]] {
            assert_eq!(holes_of("/item/{id}.json", parts), None, "{parts:?}");
        }
    }
}
