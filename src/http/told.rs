//! What the body of an error says to a reader: the messages of JSON, the title of HTML, the first line of any other text.

use super::Redactor;
use crate::document::{tree_of, JsonValue};

/// Most bytes of a body that is read as a whole; of a longer one the first line is shown.
const MOST_READ: usize = 64 << 10;
/// Most messages of one body that are shown.
const MOST_MESSAGES: usize = 2;
/// Where APIs put what went wrong, the most telling first. A number is a place in a list.
const PATHS: [&[&str]; 15] = [
    &["error", "message"],
    &["error_description"],
    &["message"],
    &["errors", "0", "message"],
    &["errors", "0", "detail"],
    &["errors", "0", "title"],
    &["errors", "0"],
    &["detail"],
    &["title"],
    &["error"],
    &["error_message"],
    &["errorMessage"],
    &["fault", "faultstring"],
    &["description"],
    &["msg"],
];

impl Redactor {
    /// Returns what a body says went wrong, on one line without secrets, at most `most` characters of it.
    pub(super) fn told(&self, body: &[u8], most: usize) -> String {
        let whole = Some(body).filter(|body| body.len() <= MOST_READ).and_then(|body| std::str::from_utf8(body).ok());
        let Some(text) = whole else { return self.first_line(body, most) };
        let told = match tree_of(text.as_bytes()) {
            Some(document) => match messages_of(&document).as_slice() {
                [] => self.body(text.to_string()),
                messages => self.text(&messages.join(": ")),
            },
            None => match title_of(text) {
                Some(title) => self.text(title),
                None => return self.first_line(body, most),
            },
        };
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        match told.char_indices().nth(most) {
            Some((end, _)) => format!("{}...", &told[..end]),
            None => told,
        }
    }
}

/// Returns the first messages of a document, each once.
fn messages_of(document: &JsonValue) -> Vec<&str> {
    let mut messages: Vec<&str> = Vec::new();
    for path in PATHS {
        let value = path.iter().try_fold(document, |value, key| match value {
            JsonValue::Array(elements) => elements.get(key.parse::<usize>().ok()?),
            other => other.get(key),
        });
        let message = value.and_then(JsonValue::as_str).map(str::trim).unwrap_or_default();
        if !message.is_empty() && !messages.contains(&message) && messages.len() < MOST_MESSAGES {
            messages.push(message);
        }
    }
    messages
}

/// Returns the text between `<title>` and `</title>` of a page.
fn title_of(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    if !lower.trim_start_matches('\u{FEFF}').trim_start().starts_with('<') {
        return None;
    }
    let tag = lower.find("<title")?;
    let start = tag + lower[tag..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(text[start..end].trim()).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{adapter, basic, connection};
    use super::*;
    use proptest::prelude::*;

    fn check(body: &str, expected: &str) {
        let redactor = Redactor::new(&connection(adapter(basic()), &[("username", "me"), ("password", "s3cr3t/x")]));
        assert_eq!(redactor.told(body.as_bytes(), 60), expected, "{body}");
    }

    #[test]
    fn messages_of_json_are_shown() {
        check("{\n  \"error\": {\n    \"code\": 401,\n    \"message\": \"bad\\nkey\"\n  }\n}", "bad key");
        check(
            r#"{"message": "Validation Failed", "errors": [{"field": "a", "message": "is too long"}]}"#,
            "Validation Failed: is too long",
        );
        check(r#"{"errors": [{"detail": "no such thing", "title": "Not found"}]}"#, "no such thing: Not found");
        check(r#"{"errors": ["one", "two"]}"#, "one");
        check(r#"{"error": "invalid_grant", "error_description": "the token is old"}"#, "the token is old: invalid_grant");
        check(r#"{"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "not yours"}"#, "not yours: Forbidden");
        check(r#"{"message": "no", "error": "no"}"#, "no");
        check(r#"{"message": "the key s3cr3t\/x, s3cr3t%2fx and s3cr3t&#47;x"}"#, "the key ***, *** and ***");
    }

    #[test]
    fn json_without_messages_is_shown_on_one_line() {
        check("{\n  \"code\": 7,\n  \"sent\": \"s3cr3t/x\"\n}", "{\"code\":7,\"sent\":\"***\"}");
        check("[\n  1\n]", "[ 1 ]");
    }

    #[test]
    fn the_title_of_a_page_is_shown() {
        check("<!DOCTYPE html>\n<html>\n<head><TITLE lang=en>\n 502 Bad\n Gateway </TITLE></head>\n<body>x</body>", "502 Bad Gateway");
        check("<html><title></title><p>x", "<html><title></title><p>x");
        check("the <title>x</title>", "the <title>x</title>");
    }

    #[test]
    fn secrets_are_taken_out_before_it_is_cut() {
        check(&format!("{{\"message\": \"{}s3cr3t/x\"}}", "a".repeat(56)), &format!("{}***", "a".repeat(56)));
        check(&format!("<title>{}s3cr3t/x</title>", "a".repeat(58)), &format!("{}**...", "a".repeat(58)));
    }

    proptest! {
        #[test]
        fn any_body_is_told_on_one_short_line(body in ".*") {
            let redactor = Redactor::new(&connection(adapter(basic()), &[("password", "s3cr3t/x")]));
            let told = redactor.told(body.as_bytes(), 60);
            prop_assert!(told.chars().count() <= 63 && !told.contains('\n'));
        }
    }
}
