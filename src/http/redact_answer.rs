//! Takes secrets out of whole answers: headers, and bodies of which JSON stays JSON.

use super::redact::PROBE;
use super::Redactor;
use crate::document::{parse, write_text, Node, View};
use crate::source::Headers;
use std::collections::HashMap;

/// What stands where a secret was.
const MASK: &str = "***";
/// Headers that hand out credentials whatever their values look like.
const CREDENTIAL_HEADERS: [&str; 1] = ["set-cookie"];

impl Redactor {
    /// Returns names and values without secrets.
    pub fn headers(&self, headers: &Headers) -> Vec<(String, String)> {
        let value_of = |name: &str, value: &str| {
            let is_credential = CREDENTIAL_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name));
            if is_credential || self.is_secret_key(name) {
                return MASK.to_string();
            }
            self.text(value)
        };
        headers.pairs().iter().map(|(name, value)| (name.clone(), value_of(name, value))).collect()
    }

    /// Returns a body without secrets: as it is when there are none in it. JSON that has some is written anew.
    pub fn body(&self, body: String) -> String {
        let redacted = self.text(&body);
        // JSON can write any character with a backslash, those of a secret too.
        if redacted == body && !body.contains('\\') {
            return body;
        }
        let mut bytes = body.clone().into_bytes();
        let Ok(document) = parse(&mut bytes) else { return redacted };
        let mut out = Vec::with_capacity(redacted.len());
        let mut mask = JsonMask { redactor: self, keys: HashMap::new(), has_masked: false };
        mask.write(document.root(), &mut out);
        match (mask.has_masked, redacted == body) {
            (false, true) => body,
            _ => String::from_utf8(out).unwrap_or(redacted),
        }
    }
}

/// Writes JSON without secrets.
struct JsonMask<'a> {
    redactor: &'a Redactor,
    /// Whether the values of a key are secrets, by key.
    keys: HashMap<String, bool>,
    has_masked: bool,
}

impl JsonMask<'_> {
    /// Writes a value. Documents are nested no deeper than the parser allows.
    fn write(&mut self, node: Node<'_>, out: &mut Vec<u8>) {
        match node.view() {
            View::Text(text) => self.write_text(text, out),
            View::Array(elements) => {
                out.push(b'[');
                for (idx, element) in elements.enumerate() {
                    if idx > 0 {
                        out.push(b',');
                    }
                    self.write(element, out);
                }
                out.push(b']');
            }
            View::Object(entries) => {
                out.push(b'{');
                for (idx, (key, value)) in entries.enumerate() {
                    if idx > 0 {
                        out.push(b',');
                    }
                    self.write_text(key, out);
                    out.push(b':');
                    let is_plain = matches!(value.view(), View::Text(_) | View::Integer(_) | View::BigNumber(_) | View::Double(_));
                    match is_plain && self.is_secret(key) {
                        true => {
                            self.has_masked = true;
                            write_text(out, MASK);
                        }
                        false => self.write(value, out),
                    }
                }
                out.push(b'}');
            }
            _ => node.write_json(out),
        }
    }

    fn write_text(&mut self, text: &str, out: &mut Vec<u8>) {
        let redacted = self.redactor.text(text);
        self.has_masked |= redacted != text;
        write_text(out, &redacted);
    }

    fn is_secret(&mut self, key: &str) -> bool {
        if let Some(known) = self.keys.get(key) {
            return *known;
        }
        let mut pair = Vec::new();
        write_text(&mut pair, key);
        pair.extend_from_slice(format!(": \"{PROBE}\"").as_bytes());
        let is_secret = self.redactor.text(&String::from_utf8_lossy(&pair)).ends_with("\"***\"");
        self.keys.insert(key.to_string(), is_secret);
        is_secret
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{adapter, basic, connection, option};
    use super::*;
    use crate::spec::{AuthFields, AuthSpec};
    use proptest::prelude::*;

    fn redactor() -> Redactor {
        Redactor::new(&connection(adapter(basic()), &[("username", "me"), ("password", "s3cr3t\"x")]))
    }

    #[test]
    fn a_body_without_secrets_stays_as_it_is() {
        for body in ["{ \"a\" : 1.50, \"code\": 404,\n\"key\": \"mit\" }", "plain text about a token", ""] {
            assert_eq!(redactor().body(body.to_string()), body);
        }
    }

    #[test]
    fn json_with_secrets_stays_json() {
        let body = r#"{"sent": "s3cr3t\"x", "list": ["Bearer abcdefgh123", 1], "access_token": "t", "password": 12, "token": {"id": 1.50}, "s3cr3t\"x": null}"#;
        let expected = r#"{"sent":"***","list":["Bearer ***",1],"access_token":"***","password":"***","token":{"id":1.5},"***":null}"#;
        assert_eq!(redactor().body(body.to_string()), expected);
        let key = Redactor::new(&connection(
            adapter(AuthSpec::Params(AuthFields::of_options(vec![("key".to_string(), option("pin", true))]))),
            &[("pin", "12")],
        ));
        assert_eq!(key.body(r#"{"key": {"a": [1]}, "x": "?key=12&a=1"}"#.to_string()), r#"{"key":{"a":[1]},"x":"?key=***&a=1"}"#);
    }

    #[test]
    fn a_secret_written_with_escapes_is_found() {
        assert_eq!(redactor().body(r#"{"sent": "\u00733cr3t\u0022x", "a": "\/"}"#.to_string()), r#"{"sent":"***","a":"/"}"#);
        assert_eq!(redactor().body(r#"{"a": "\/"}"#.to_string()), r#"{"a": "\/"}"#);
    }

    #[test]
    fn other_bodies_are_redacted_as_text() {
        assert_eq!(redactor().body("you sent s3cr3t\"x, password=y".to_string()), "you sent ***, password=***");
    }

    #[test]
    fn headers_that_hand_out_credentials_are_masked() {
        let pairs = [("content-type", "text/plain"), ("Set-Cookie", "sid=1; Path=/"), ("x-auth-token", "t"), ("location", "/x?sig=1&a=2")];
        let pairs = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let values: Vec<String> = redactor().headers(&Headers::new(pairs)).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, ["text/plain", "***", "***", "/x?sig=***&a=2"]);
    }

    proptest! {
        #[test]
        fn no_secret_survives_in_a_body(before in "[a-z{}\":,]{0,9}", after in "[a-z{}\":,]{0,9}") {
            let mut escaped = Vec::new();
            write_text(&mut escaped, "s3cr3t\"x");
            let escaped = String::from_utf8(escaped).unwrap();
            for body in [format!("{before}s3cr3t\"x{after}"), format!("[{escaped},{{\"{before}\":{escaped}}}]"), format!("{before}{escaped}{after}")] {
                prop_assert!(!redactor().body(body).contains("s3cr3t"));
            }
        }
    }
}
