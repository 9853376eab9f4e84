//! Takes secrets out of texts before anyone sees them.

use super::disguise::Finder;
use super::known::{Holder, Known};
use super::own_secrets::OwnSecrets;
use crate::spec::Connection;
use regex::{Captures, Regex};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock, PoisonError, RwLock, RwLockWriteGuard};
use url::Url;

/// What stands where a secret was.
const MASK: &str = "***";
/// A value that is not a secret.
pub(super) const PROBE: char = '\u{1}';
/// Parts of key names that mark their value as secret.
const SECRET_WORDS: &str =
    "token|secret|password|passwd|pwd|signature|credential|api[_-]?key|apikey|access[_-]?key|private[_-]?key|session[_-]?id|authorization";
/// Key names that mark their value as secret only as a whole.
const SECRET_KEYS: &str = "key|auth|sig|pass|jwt|code";
/// How names end, by their letters, that have such a part and tell how something was made.
const PUBLIC_ENDS: [&str; 2] = ["signaturemethod", "signatureversion"];

/// The [`patterns`], each of which compiles, as a test shows.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let compiled = |(text, replacement): (String, &'static str)| Some((Regex::new(&text).ok()?, replacement));
    patterns().into_iter().filter_map(compiled).collect()
});

/// Knows a connection's secrets, and takes them and whatever looks like one out of texts.
pub struct Redactor {
    known: RwLock<Known>,
    /// Names of secret options and of the parameters and headers they are sent in, in lower case.
    keys: BTreeSet<String>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Collects the secrets of a connection.
    pub fn new(connection: &Connection) -> Redactor {
        let OwnSecrets { texts, keys } = OwnSecrets::of(connection);
        Redactor { known: RwLock::new(Known::new(texts)), keys }
    }

    /// Makes secrets of these texts from now on. Of those that nothing uses the last ones are kept: a token that was given up long ago is
    /// worth nothing.
    pub fn learn(&self, secrets: Vec<String>) {
        self.changed().learn(secrets);
    }

    /// Makes secrets of what a holder has now. It stays one however many others are learned; what the holder had before does not.
    pub fn learn_of(&self, holder: Holder, secrets: Vec<String>) {
        self.changed().hold(holder, secrets);
    }

    /// Takes these texts out of others from now on, as secrets are: steps captured them. The last ones are kept.
    pub fn learn_captured(&self, texts: Vec<String>) {
        self.changed().learn_captured(texts);
    }

    fn changed(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn finder(&self) -> Arc<Finder> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner).finder)
    }

    /// Returns the text without secrets.
    pub fn text(&self, text: &str) -> String {
        let mut redacted = String::with_capacity(text.len());
        let mut done = 0;
        for range in self.finder().ranges(text) {
            redacted.push_str(&text[done..range.start]);
            redacted.push_str(MASK);
            done = range.end;
        }
        redacted.push_str(&text[done..]);
        for key in &self.keys {
            redacted = mask_after(&redacted, key);
        }
        masked(redacted)
    }

    /// Returns whether one of the connection's secrets is in the text, in any form of at least four bytes. What steps captured is not among
    /// them: where a load goes on from has it.
    pub fn is_in(&self, text: &str) -> bool {
        let of_secrets = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner).of_secrets);
        of_secrets.is_in(text)
    }

    /// Returns how many bytes the longest form of a secret has.
    pub(super) fn longest(&self) -> usize {
        self.finder().longest()
    }

    /// Returns the URL without user, password and secret parameters.
    pub fn url(&self, url: &Url) -> String {
        self.text(url.as_str())
    }

    /// Returns whether the value of a header or parameter of this name is a secret.
    pub fn is_secret_key(&self, name: &str) -> bool {
        let masked = self.text(&format!("{name}={PROBE}"));
        masked.ends_with(MASK)
    }
}

/// Returns the text without what looks like a secret, for texts that belong to no connection: user and password of a URL, values of
/// parameters whose name says that they are secret.
pub fn without_secrets(text: &str) -> String {
    masked(text.to_string())
}

fn masked(mut text: String) -> String {
    for (pattern, replacement) in PATTERNS.iter() {
        if pattern.is_match(&text) {
            let masked = |found: &Captures<'_>| match found.name("name") {
                Some(name) if is_public(name.as_str()) => found[0].to_string(),
                _ => {
                    let mut masked = String::new();
                    found.expand(replacement, &mut masked);
                    masked
                }
            };
            text = pattern.replace_all(&text, masked).into_owned();
        }
    }
    text
}

/// Returns whether the value of a name with one of [`SECRET_WORDS`] is known to everybody.
fn is_public(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    let letters = letters.to_ascii_lowercase();
    PUBLIC_ENDS.iter().any(|end| letters.ends_with(end))
}

/// Returns what is masked wherever it stands, and what stands there then.
fn patterns() -> [(String, &'static str); 7] {
    let named = format!(r"(?<name>[\w.%\[\]-]*(?:{SECRET_WORDS})[\w.%\[\]-]*)");
    // A value up to the quote that ends it, which one in a text of JSON has a backslash before.
    let in_json = r#"(?:(")(?:[^"\\]|\\.)*|(\\")(?:[^"\\]|\\[^"])*)"#;
    // In other texts a quote after a sign may be the end of something else.
    let in_quotes = r#"(?:(")(?:[^"\\\s,>}\]]|\\.)(?:[^"\\]|\\.)*|(\\")(?:[^"\\\s,>}\]]|\\[^"])(?:[^"\\]|\\[^"])*|(')(?:[^'\\\s,>}\]]|\\.)(?:[^'\\]|\\.)*)"#;
    let key = format!(r#"(?is)((?<name>"[^"]*(?:{SECRET_WORDS})[^"]*")\s*:\s*){in_json}"#);
    let key_in_single = format!(r"(?is)('{named}'\s*:\s*')(?:[^'\\]|\\.)*");
    let quoted = format!(r"(?is)([?&;,{{(\s]|^)({named}\s*[:=]\s*){in_quotes}");
    let pair = format!(r#"(?is)([?&;\s]|^)((?:{named}|{SECRET_KEYS})=)(?:{in_quotes}|[^&\s"'#;,)]*)"#);
    [
        // A password may have an @ of its own.
        (r"(?i)\b(https?://)[^/?#\s]+@".to_string(), "${1}***@"),
        (r"(?i)\b((?:proxy-)?authorization['\x22]?\s*[:=]\s*['\x22]?)(?:(?:basic|bearer|token|digest|negotiate|aws4-hmac-sha256)\s+)?[^\s,'\x22]+".to_string(), "${1}***"),
        (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}".to_string(), "${1} ***"),
        // Groups in the order of their brackets: `name` is one of them.
        (key, "${1}${3}${4}***"),
        (key_in_single, "${1}***"),
        (quoted, "${1}${2}${4}${5}${6}***"),
        (pair, "${1}${2}${4}${5}${6}***"),
    ]
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
#[path = "redact_tests.rs"]
mod tests;
