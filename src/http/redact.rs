//! Takes secrets out of texts before anyone sees them.

use crate::spec::{AuthSpec, Connection, OptionSpec};
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::Engine;
use percent_encoding::{percent_encode, AsciiSet, NON_ALPHANUMERIC};
use regex::Regex;
use std::collections::BTreeSet;
use std::fmt;
use url::Url;

/// What stands where a secret was.
const MASK: &str = "***";
/// Values shorter than this are common words as often as secrets: they are only masked after their key.
const MIN_VALUE_LEN: usize = 4;
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Parts of key names that mark their value as secret.
const SECRET_WORDS: &str =
    "token|secret|password|passwd|pwd|signature|credential|api[_-]?key|apikey|access[_-]?key|private[_-]?key|session[_-]?id|authorization";
/// Key names that mark their value as secret only as a whole.
const SECRET_KEYS: &str = "key|auth|sig|pass|jwt|code";

/// Knows a connection's secrets, and takes them and whatever looks like one out of texts.
pub struct Redactor {
    /// Secrets in every form they may appear in, longest first.
    values: Vec<String>,
    /// Names of secret options and of the parameters and headers they are sent in, in lower case.
    keys: BTreeSet<String>,
    patterns: Vec<(Regex, &'static str)>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Collects the secrets of a connection.
    pub fn new(connection: &Connection) -> Redactor {
        let mut secrets: Vec<String> = Vec::new();
        let mut keys = BTreeSet::new();
        let spec = &connection.adapter;
        let options: Vec<&OptionSpec> = spec.auth.iter().flat_map(AuthSpec::options).chain(&spec.options).collect();
        let value_of = |name: &str| connection.options.values.get(name).map(|value| value.expose().to_string());
        for option in options.iter().filter(|option| option.secret) {
            keys.insert(option.name.to_ascii_lowercase());
            secrets.extend(value_of(&option.name));
        }
        for auth in &spec.auth {
            match auth {
                AuthSpec::Basic { username, password } => {
                    let pair = format!("{}:{}", value_of(&username.name).unwrap_or_default(), value_of(&password.name).unwrap_or_default());
                    secrets.push(pair);
                }
                AuthSpec::Params(pairs) | AuthSpec::Headers(pairs) => {
                    keys.extend(pairs.iter().filter(|(_, option)| option.secret).map(|(name, _)| name.to_ascii_lowercase()));
                }
                AuthSpec::None | AuthSpec::Bearer { .. } => {}
            }
        }
        Redactor { values: forms_of(&secrets), keys, patterns: patterns() }
    }

    /// Returns the text without secrets.
    pub fn text(&self, text: &str) -> String {
        let mut redacted = text.to_string();
        for value in &self.values {
            if redacted.contains(value.as_str()) {
                redacted = redacted.replace(value.as_str(), MASK);
            }
        }
        for key in &self.keys {
            redacted = mask_after(&redacted, key);
        }
        masked(redacted, &self.patterns)
    }

    /// Returns whether one of the connection's secrets is in the text, in any form.
    pub fn is_in(&self, text: &str) -> bool {
        self.values.iter().any(|value| text.contains(value.as_str()))
    }

    /// Returns how many bytes the longest form of a secret has.
    pub(super) fn longest(&self) -> usize {
        self.values.first().map_or(0, String::len)
    }

    /// Returns the URL without user, password and secret parameters.
    pub fn url(&self, url: &Url) -> String {
        self.text(url.as_str())
    }

    /// Returns whether the value of a header or parameter of this name is a secret.
    pub fn is_secret_key(&self, name: &str) -> bool {
        let masked = self.text(&format!("{name}=x"));
        masked.ends_with(MASK)
    }
}

/// Returns the text without what looks like a secret, for texts that belong to no connection: user and password of a URL, values of
/// parameters whose name says that they are secret.
pub fn without_secrets(text: &str) -> String {
    masked(text.to_string(), &patterns())
}

fn masked(mut text: String, patterns: &[(Regex, &'static str)]) -> String {
    for (pattern, replacement) in patterns {
        if pattern.is_match(&text) {
            text = pattern.replace_all(&text, *replacement).into_owned();
        }
    }
    text
}

/// Returns the texts as they are, percent-encoded, as JSON text and in base64; longest first.
fn forms_of(secrets: &[String]) -> Vec<String> {
    let mut forms = BTreeSet::new();
    for secret in secrets.iter().filter(|secret| secret.len() >= MIN_VALUE_LEN) {
        forms.insert(secret.clone());
        forms.insert(percent_encode(secret.as_bytes(), UNRESERVED).to_string());
        forms.insert(percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string());
        forms.extend(
            url::form_urlencoded::byte_serialize(secret.as_bytes())
                .collect::<Vec<_>>()
                .pop()
                .map(|_| url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>()),
        );
        forms.insert(serde_json::Value::from(secret.as_str()).to_string().trim_matches('"').to_string());
        // As those who escape slashes write JSON.
        forms.insert(serde_json::Value::from(secret.as_str()).to_string().trim_matches('"').replace('/', "\\/"));
        forms.insert(STANDARD.encode(secret));
        forms.insert(URL_SAFE_NO_PAD.encode(secret));
    }
    let mut forms: Vec<String> = forms.into_iter().filter(|form| form.len() >= MIN_VALUE_LEN).collect();
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
}

fn patterns() -> Vec<(Regex, &'static str)> {
    let quoted = format!(r#"(?i)("[^"]*(?:{SECRET_WORDS})[^"]*"\s*:\s*")[^"]*"#);
    let pair = format!(r#"(?i)([?&;\s]|^)((?:[\w.%\[\]-]*(?:{SECRET_WORDS})[\w.%\[\]-]*|{SECRET_KEYS})=)[^&\s"'#;,)]*"#);
    let texts = [
        // A password may have an @ of its own.
        (r"(?i)\b(https?://)[^/?#\s]+@".to_string(), "${1}***@"),
        (r"(?i)\b((?:proxy-)?authorization['\x22]?\s*[:=]\s*['\x22]?)(?:(?:basic|bearer|token|digest|negotiate|aws4-hmac-sha256)\s+)?[^\s,'\x22]+".to_string(), "${1}***"),
        (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}".to_string(), "${1} ***"),
        (quoted, "${1}***"),
        (pair, "${1}${2}***"),
    ];
    texts.into_iter().filter_map(|(text, replacement)| Some((Regex::new(&text).ok()?, replacement))).collect()
}

/// Masks what follows `key=`, `key: ` or `"key": "`, up to the end of the value.
fn mask_after(text: &str, key: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut redacted = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(found) = lower[done..].find(key) {
        let key_start = done + found;
        let key_end = key_start + key.len();
        let is_word = lower[..key_start].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        let after = &text[key_end..];
        let separator = after.len() - after.trim_start_matches(['"', '\'']).trim_start_matches(' ').len();
        let sign = after[separator..].chars().next();
        let value_start = match sign {
            Some('=' | ':') if is_word => {
                let rest = &after[separator + 1..];
                key_end + separator + 1 + (rest.len() - rest.trim_start_matches([' ', '"', '\'']).len())
            }
            _ => {
                redacted.push_str(&text[done..key_end]);
                done = key_end;
                continue;
            }
        };
        let value_len =
            text[value_start..].find(|c: char| c.is_whitespace() || matches!(c, '&' | '"' | '\'' | ',' | ';' | '#' | ')' | '}'));
        let value_end = value_start + value_len.unwrap_or(text.len() - value_start);
        redacted.push_str(&text[done..value_start]);
        if value_end > value_start {
            redacted.push_str(MASK);
        }
        done = value_end;
    }
    redacted.push_str(&text[done..]);
    redacted
}

#[cfg(test)]
mod tests {
    use super::super::sample::{adapter, basic, connection, option};
    use super::*;
    use proptest::prelude::*;

    fn redactor(auth: AuthSpec, options: &[(&str, &str)]) -> Redactor {
        Redactor::new(&connection(adapter(auth), options))
    }

    fn check(text: &str, expected: &str) {
        let redactor = redactor(basic(), &[("username", "me"), ("password", "s3/cr t+1"), ("site", "example")]);
        assert_eq!(redactor.text(text), expected);
    }

    #[test]
    fn values_are_masked_in_every_form() {
        check("pw s3/cr t+1 here", "pw *** here");
        check("x=s3%2Fcr%20t%2B1&y=s3%2Fcr+t%2B1", "x=***&y=***");
        check(&STANDARD.encode("me:s3/cr t+1"), "***");
        check(&STANDARD.encode("s3/cr t+1"), "***");
        check("site example stays", "site example stays");
    }

    #[test]
    fn keys_that_look_secret_are_masked() {
        check("https://a.test/x?api_key=123&page=2&access_token=q%20q#f", "https://a.test/x?api_key=***&page=2&access_token=***#f");
        check("https://a.test/x?key=1&monkey=2&sig=3&page_token=4", "https://a.test/x?key=***&monkey=2&sig=***&page_token=***");
        check("{\"client_secret\": \"abc\", \"name\": \"n\"}", "{\"client_secret\": \"***\", \"name\": \"n\"}");
        check("password=x", "password=***");
        check("no secret in a plain sentence about a token", "no secret in a plain sentence about a token");
    }

    #[test]
    fn users_in_urls_and_headers_that_authorise_are_masked() {
        check("https://user:pass@a.test/x", "https://***@a.test/x");
        check("HTTP://user:p@ss@a.test/x?to=b@c.test", "HTTP://***@a.test/x?to=b@c.test");
        check("Authorization: Bearer abc.def", "Authorization: ***");
        check("sent bearer abcdefgh1234", "sent bearer ***");
    }

    #[test]
    fn short_values_are_masked_after_their_key_only() {
        let redactor = redactor(AuthSpec::Params(vec![("k9".to_string(), option("pin", true))]), &[("pin", "12")]);
        assert_eq!(redactor.text("12 rows, k9=12, pin: 12, ?k9=12&a=12"), "12 rows, k9=***, pin: ***, ?k9=***&a=12");
    }

    #[test]
    fn longer_values_go_first() {
        let auth = AuthSpec::Headers(vec![("X-A".to_string(), option("a", true)), ("X-B".to_string(), option("b", true))]);
        let redactor = redactor(auth, &[("a", "abcd"), ("b", "abcdefgh")]);
        assert_eq!(redactor.text("got abcdefgh and abcd"), "got *** and ***");
    }

    #[test]
    fn urls_are_redacted() {
        let redactor = redactor(basic(), &[("password", "s3cr3t")]);
        let url = Url::parse("https://u:p@a.test/s3cr3t/x?token=t&page=1").unwrap();
        assert_eq!(redactor.url(&url), "https://***@a.test/***/x?token=***&page=1");
    }

    proptest! {
        #[test]
        fn a_secret_never_survives(secret in "[A-Z0-9=&;/+%é\"]{4,12}", before in "[a-z ]{0,9}", after in "[a-z ]{0,9}", any in ".*") {
            let redactor = redactor(basic(), &[("password", &secret)]);
            let masked = redactor.text(&format!("{before}{secret}{after}"));
            prop_assert!(!masked.contains(&secret), "{}", masked);
            redactor.text(&any);
        }
    }
}
