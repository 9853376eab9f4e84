//! Bodies of requests as they are sent: JSON, forms and texts.

use crate::document::JsonValue;
use crate::spec::{Body, Filled, JsonTemplate, Rows, Sources};
use crate::{Error, Result};
use ring::digest::{digest, SHA256};
use url::form_urlencoded::Serializer;

/// A body and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentBody {
    pub text: String,
    pub content_type: String,
}

impl SentBody {
    /// Returns the text; its type is told in the headers unless they have one.
    pub fn told_in(self, headers: &mut Vec<(String, String)>) -> String {
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("Content-Type".to_string(), self.content_type));
        }
        self.text
    }
}

/// Fills a body; `None` when the request has none.
pub fn body_of(body: &Body, sources: &dyn Sources, rows: &dyn Rows) -> Result<Option<SentBody>> {
    let (text, content_type) = match body {
        Body::None => return Ok(None),
        Body::Json(json) => (filled(json, sources, rows)?.to_string(), "application/json".to_string()),
        Body::Form(json) => {
            let pairs = form_pairs(&filled(json, sources, rows)?)?;
            (Serializer::new(String::new()).extend_pairs(pairs).finish(), "application/x-www-form-urlencoded".to_string())
        }
        Body::Multipart(json) => multipart(&filled(json, sources, rows)?)?,
        Body::Text(template) => (template.text(sources)?.unwrap_or_default(), "text/plain; charset=utf-8".to_string()),
    };
    Ok(Some(SentBody { text, content_type }))
}

fn filled(json: &JsonTemplate, sources: &dyn Sources, rows: &dyn Rows) -> Result<JsonValue> {
    Ok(json.fill(sources, rows)?.unwrap_or(JsonValue::Null))
}

/// Returns the pairs of a form: `a[b]` for an object in an object, `a[]` for each scalar of a list, `a[0][b]` for objects in one. Nulls are left
/// out.
fn form_pairs(value: &JsonValue) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for (name, value) in entries_of(value)? {
        add_pairs(name.clone(), value, &mut pairs);
    }
    Ok(pairs)
}

fn entries_of(value: &JsonValue) -> Result<&crate::document::JsonMap<String, JsonValue>> {
    value.as_object().ok_or_else(|| Error::data("a form is made of an object, and its value is none"))
}

fn add_pairs(name: String, value: &JsonValue, pairs: &mut Vec<(String, String)>) {
    match value {
        JsonValue::Object(entries) => {
            for (key, value) in entries {
                add_pairs(format!("{name}[{key}]"), value, pairs);
            }
        }
        JsonValue::Array(elements) => {
            for (idx, element) in elements.iter().enumerate() {
                let place = if element.is_object() || element.is_array() { idx.to_string() } else { String::new() };
                add_pairs(format!("{name}[{place}]"), element, pairs);
            }
        }
        scalar => pairs.extend(text_of(scalar).map(|text| (name, text))),
    }
}

fn text_of(scalar: &JsonValue) -> Option<String> {
    Filled::Json(scalar.clone()).to_text(&crate::spec::DateFormat::default()).ok().flatten()
}

/// Returns a body of parts (RFC 7578), and its type. Lists and objects are JSON.
fn multipart(value: &JsonValue) -> Result<(String, String)> {
    let mut parts: Vec<(String, Option<&str>, String)> = Vec::new();
    for (name, value) in entries_of(value)? {
        // As browsers write names: nothing in one ends its header.
        let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        match value {
            JsonValue::Array(_) | JsonValue::Object(_) => parts.push((name, Some("application/json"), value.to_string())),
            scalar => parts.extend(text_of(scalar).map(|text| (name, None, text))),
        }
    }
    let boundary = boundary_of(&parts);
    let mut text = String::new();
    for (name, content_type, value) in &parts {
        text.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n"));
        if let Some(content_type) = content_type {
            text.push_str(&format!("Content-Type: {content_type}\r\n"));
        }
        text.push_str(&format!("\r\n{value}\r\n"));
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    Ok((text, format!("multipart/form-data; boundary={boundary}")))
}

/// Returns a line that no part holds: the same for the same parts, so that equal requests are equal.
fn boundary_of(parts: &[(String, Option<&str>, String)]) -> String {
    let mut content: Vec<u8> =
        parts.iter().flat_map(|(name, _, value)| [name.as_bytes(), b"=", value.as_bytes(), b"\n"].concat()).collect();
    loop {
        let hash = digest(&SHA256, &content);
        let boundary: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        if !parts.iter().any(|(name, _, value)| value.contains(&boundary) || name.contains(&boundary)) {
            return boundary;
        }
        content.extend_from_slice(hash.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{NoRows, NoSources};
    use proptest::prelude::*;
    use serde_json::json;

    fn sent(body: fn(JsonTemplate) -> Body, value: JsonValue) -> SentBody {
        body_of(&body(JsonTemplate::Value(value)), &NoSources, &NoRows).unwrap().unwrap()
    }

    #[test]
    fn forms_have_brackets_for_what_is_nested() {
        let value = json!({ "a": 1, "b": "x & y", "gone": null, "c": { "d": true, "e f": 2 }, "g": [1, 2], "h": [{ "i": 3 }], "j": "" });
        let body = sent(Body::Form, value);
        assert_eq!(body.content_type, "application/x-www-form-urlencoded");
        let pairs: Vec<String> = url::form_urlencoded::parse(body.text.as_bytes()).map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(pairs, ["a=1", "b=x & y", "c[d]=true", "c[e f]=2", "g[]=1", "g[]=2", "h[0][i]=3", "j="]);
        assert!(body_of(&Body::Form(JsonTemplate::Value(json!([1]))), &NoSources, &NoRows).is_err());
    }

    #[test]
    fn parts_have_a_boundary_that_is_in_none() {
        let value = json!({ "a\"b\r\nc": "x", "list": [1, null], "gone": null });
        let body = sent(Body::Multipart, value.clone());
        let boundary = body.content_type.strip_prefix("multipart/form-data; boundary=").unwrap().to_string();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"a%22b%0D%0Ac\"\r\n\r\nx\r\n--{boundary}\r\nContent-Disposition: form-data; \
             name=\"list\"\r\nContent-Type: application/json\r\n\r\n[1,null]\r\n--{boundary}--\r\n"
        );
        assert_eq!(body.text, expected);
        assert_eq!(sent(Body::Multipart, value), body);
        let hostile = json!({ "a": boundary_of(&[("a".to_string(), None, "x".to_string())]) });
        assert_eq!(sent(Body::Multipart, hostile).text.matches("\r\n--").count(), 1);
    }

    proptest! {
        #[test]
        fn a_form_comes_back_as_it_was(name in "[a-z&=% \u{e9}]{1,8}", value in ".{0,12}") {
            let body = sent(Body::Form, json!({ &name: &value, "Last": 1 }));
            let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body.text.as_bytes()).into_owned().collect();
            prop_assert_eq!(pairs, [(name, value), ("Last".to_string(), "1".to_string())]);
        }
    }
}
