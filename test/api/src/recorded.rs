//! Recorded answers: public APIs that need no key, below `/hackernews` and `/wikimedia`, and any folder's, below `/replayed`.
//!
//! A fixture is a list of answers, or an object with one under `answers`; the first that matches wins. `{name}` in a path stands for any
//! part of it, and `${name}` in the body for what it stood for. An answer with a `query` is for that query only, one with a `method` for
//! that method, one with `request_headers` for requests with these headers. One with a `request` is for that body: a text as it is, anything else the body read as JSON or as a form. `***` stands
//! for anything in a text of `query`, `request` and `request_headers`. An answer may have `status`, `headers` and, where it is not JSON, `text`.
//! `${base_url}` is the address that the answers are given at. Setting `unify_record` writes such files.
//!
//! `/__stats` counts each answer below `/replayed` as `replayed:NAME:N`, N being its place in the fixture from 0, and a request without one
//! as `unmatched:NAME METHOD PATH?QUERY BODY`.

use crate::control::Control;
use crate::{answer, pairs_of, Asked};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

const HACKERNEWS: &str = include_str!("../../fixtures/hackernews/answers.json");
const WIKIMEDIA: &str = include_str!("../../fixtures/wikimedia/answers.json");

/// Fixtures that were read, each with the time its file was changed at.
#[derive(Default)]
pub struct Fixtures(Mutex<HashMap<PathBuf, Fixture>>);

type Fixture = (SystemTime, Arc<Vec<Value>>);

impl Fixtures {
    /// Returns the answers of the folder's files that end with `.json`, in the order of their names. A file that cannot be read has none.
    fn answers_of(&self, folder: &Path) -> Vec<Arc<Vec<Value>>> {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
        let mut paths: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
        paths.sort();
        paths.iter().map(|path| self.read(path)).collect()
    }

    fn read(&self, path: &Path) -> Arc<Vec<Value>> {
        let changed = path.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, answers)) = known.get(path) {
            if *at == changed {
                return answers.clone();
            }
        }
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let answers = match serde_json::from_str(&text) {
            Ok(Value::Array(answers)) => answers,
            Ok(Value::Object(mut fixture)) => fixture.remove("answers").and_then(|answers| answers.as_array().cloned()).unwrap_or_default(),
            _ => Vec::new(),
        };
        let answers = Arc::new(answers);
        known.insert(path.to_path_buf(), (changed, answers.clone()));
        answers
    }
}

/// Answers below `/replayed/NAME` what the files of a folder's folder `NAME` hold.
pub fn replayed(asked: &Asked, control: &Control, parts: &[&str]) -> Response {
    let Some((name, parts)) = parts.split_first() else { return answer::error(404, "Not found") };
    let files = control.fixtures.answers_of(&control.replayed().join(name));
    let base_url = format!("{}/replayed/{name}", asked.origin);
    let found = files.iter().flat_map(|answers| answers.iter()).enumerate().find_map(|(idx, recorded)| {
        let holes = holes_of(recorded["path"].as_str().unwrap_or_default(), parts)?;
        let is_method = recorded["method"].as_str().is_none_or(|method| method == asked.method);
        let is_method = is_method && has_headers(&recorded["request_headers"], &asked.headers);
        let is_sent = is_method && is_query(&recorded["query"], &asked.query, &base_url) && is_request(&recorded["request"], &asked.body);
        is_sent.then_some((idx, recorded, holes))
    });
    let Some((idx, recorded, mut holes)) = found else {
        let query: Vec<String> = asked.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = parts.join("/");
        control.note(&format!("unmatched:{name} {} /{path}?{} {}", asked.method, query.join("&"), asked.body));
        return answer::error(404, "Not recorded");
    };
    control.note(&format!("replayed:{name}:{idx}"));
    holes.push(("base_url", &base_url));
    response_of(recorded, &holes)
}

/// Returns whether a request has the params that were recorded, and no others.
fn is_query(recorded: &Value, asked: &[(String, String)], base_url: &str) -> bool {
    let Some(recorded) = recorded.as_object() else { return true };
    let n_recorded: usize = recorded.values().map(|value| value.as_array().map_or(1, Vec::len)).sum();
    let is_one = |value: &Value, asked: &str| value.as_str().is_some_and(|text| is_like(&text.replace("${base_url}", base_url), asked));
    let fits = |(name, value): &(String, String)| match recorded.get(name) {
        Some(Value::Array(values)) => values.iter().any(|recorded| is_one(recorded, value)),
        Some(recorded) => is_one(recorded, value),
        None => false,
    };
    n_recorded == asked.len() && asked.iter().all(fits)
}

/// Returns whether a request has the headers that were recorded; it may have others.
fn has_headers(recorded: &Value, asked: &[(String, String)]) -> bool {
    let has = |(name, value): (&String, &Value)| {
        let fits = |text: &str| value.as_str().is_some_and(|pattern| is_like(pattern, text));
        asked.iter().any(|(own, text)| own.eq_ignore_ascii_case(name) && fits(text))
    };
    recorded.as_object().into_iter().flatten().all(has)
}

/// Returns whether a body is the one that was recorded.
fn is_request(recorded: &Value, body: &str) -> bool {
    match recorded {
        Value::Null => true,
        Value::String(text) => is_like(text, body),
        other => is_json_like(other, &serde_json::from_str(body).unwrap_or_else(|_| form_of(body))),
    }
}

fn form_of(body: &str) -> Value {
    Value::Object(pairs_of(body).into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>())
}

fn is_json_like(recorded: &Value, asked: &Value) -> bool {
    match (recorded, asked) {
        (Value::String(text), _) if text == "***" => true,
        (Value::String(text), Value::String(asked)) => is_like(text, asked),
        (Value::Array(recorded), Value::Array(asked)) => {
            recorded.len() == asked.len() && recorded.iter().zip(asked).all(|(recorded, asked)| is_json_like(recorded, asked))
        }
        (Value::Object(recorded), Value::Object(asked)) => {
            let fits = |(key, value): (&String, &Value)| asked.get(key).is_some_and(|asked| is_json_like(value, asked));
            recorded.len() == asked.len() && recorded.iter().all(fits)
        }
        _ => recorded == asked,
    }
}

/// Returns whether a text is the pattern, in which each `***` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("***") else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split("***").collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(end)
}

fn response_of(recorded: &Value, holes: &[(&str, &str)]) -> Response {
    let filled = filled(recorded, holes);
    let content = filled["text"].as_str().map_or_else(|| filled["body"].to_string(), str::to_string);
    let status = filled["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    let mut response = answer::body(status, "application/json", content);
    for (name, value) in filled["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name.as_str()), value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

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
        Err(err) => return answer::error(500, &format!("the fixture is not JSON: {err}")),
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
    fn a_query_matches_as_a_whole() {
        let asked = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect::<Vec<_>>();
        let recorded = json!({ "page": "2", "key": "***", "at": "${base_url}/x" });
        assert!(is_query(&recorded, &asked(&[("key", "a"), ("page", "2"), ("at", "http://a/x")]), "http://a"));
        assert!(!is_query(&recorded, &asked(&[("key", "a"), ("page", "3"), ("at", "http://a/x")]), "http://a"));
        assert!(!is_query(&recorded, &asked(&[("key", "a"), ("page", "2")]), "http://a"));
        assert!(!is_query(&json!({}), &asked(&[("page", "2")]), "http://a"));
        assert!(is_query(&Value::Null, &asked(&[("page", "2")]), "http://a"));
        let repeated = json!({ "field": ["a", "b"] });
        assert!(is_query(&repeated, &asked(&[("field", "a"), ("field", "b")]), ""));
        assert!(!is_query(&repeated, &asked(&[("field", "a"), ("field", "c")]), ""));
    }

    #[test]
    fn headers_tell_requests_apart() {
        let asked = [("x-target".to_string(), "Api.List".to_string()), ("accept".to_string(), "*/*".to_string())];
        assert!(has_headers(&Value::Null, &asked) && has_headers(&json!({ "X-Target": "Api.***" }), &asked));
        assert!(!has_headers(&json!({ "x-target": "Api.Get" }), &asked) && !has_headers(&json!({ "x-other": "***" }), &asked));
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text) in [("***", ""), ("a***", "abc"), ("***c", "abc"), ("a***c***e", "abcde"), ("abc", "abc")] {
            assert!(is_like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a***", "ba"), ("a***c***e", "acd"), ("abc", "ab"), ("ab***bc", "abc")] {
            assert!(!is_like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_body_is_compared_as_json_or_as_a_form() {
        assert!(is_request(&json!({ "query": "***issues***", "n": 1 }), r#"{"n": 1, "query": "{ issues { id } }"}"#));
        assert!(!is_request(&json!({ "query": "***" }), r#"{"n": 1, "query": ""}"#));
        assert!(!is_request(&json!({ "ids": [1, 2] }), r#"{"ids": [1]}"#));
        assert!(is_request(&json!({ "cursor": "a b" }), "cursor=a+b"));
        assert!(is_request(&json!("x***"), "xyz"));
        assert!(is_request(&Value::Null, "anything"));
    }

    #[test]
    fn another_path_does_not_match() {
        for parts in [["item", "7"].as_slice(), &["items", "7.json"], &["item"], &["item", "7.json", "x"]] {
            assert_eq!(holes_of("/item/{id}.json", parts), None, "{parts:?}");
        }
    }
}
