//! Takes secrets out of texts before anyone sees them.

use super::disguise::Finder;
use super::own_secrets::OwnSecrets;
use crate::spec::Connection;
use regex::Regex;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use url::Url;

/// What stands where a secret was.
const MASK: &str = "***";
/// A value that is not a secret.
pub(super) const PROBE: char = '\u{1}';
/// Most secrets that a server told and that are looked for.
const MOST_LEARNED: usize = 64;
/// Parts of key names that mark their value as secret.
const SECRET_WORDS: &str =
    "token|secret|password|passwd|pwd|signature|credential|api[_-]?key|apikey|access[_-]?key|private[_-]?key|session[_-]?id|authorization";
/// Key names that mark their value as secret only as a whole.
const SECRET_KEYS: &str = "key|auth|sig|pass|jwt|code";

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

/// The secrets, and what finds them in every form they may appear in.
struct Known {
    /// The connection's own, then those that were learned, oldest first.
    secrets: Vec<String>,
    n_own: usize,
    /// What steps captured, oldest first.
    captured: Vec<String>,
    /// Finds the secrets, and what was captured.
    finder: Arc<Finder>,
    /// Finds the secrets alone.
    of_secrets: Arc<Finder>,
}

impl Known {
    fn renew(&mut self) {
        self.of_secrets = Arc::new(Finder::new(&self.secrets));
        self.finder = match self.captured.is_empty() {
            true => Arc::clone(&self.of_secrets),
            false => Arc::new(Finder::new(&[self.secrets.as_slice(), self.captured.as_slice()].concat())),
        };
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Collects the secrets of a connection.
    pub fn new(connection: &Connection) -> Redactor {
        let OwnSecrets { texts: secrets, keys } = OwnSecrets::of(connection);
        let finder = Arc::new(Finder::new(&secrets));
        let of_secrets = Arc::clone(&finder);
        Redactor { known: RwLock::new(Known { n_own: secrets.len(), secrets, captured: Vec::new(), finder, of_secrets }), keys }
    }

    /// Makes secrets of these texts from now on. Of those that were learned the last ones are kept: a token that was given up long ago is
    /// worth nothing.
    pub fn learn(&self, secrets: Vec<String>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<String> = secrets.into_iter().filter(|secret| !secret.is_empty() && !known.secrets.contains(secret)).collect();
        if new.is_empty() {
            return;
        }
        known.secrets.extend(new);
        let n_old = known.secrets.len().saturating_sub(known.n_own + MOST_LEARNED);
        let own = known.n_own;
        known.secrets.drain(own..own + n_old);
        known.renew();
    }

    /// Takes these texts out of others from now on, as secrets are: steps captured them. The last ones are kept.
    pub fn learn_captured(&self, texts: Vec<String>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let n_known = known.captured.len();
        for text in texts {
            if !known.captured.contains(&text) && !known.secrets.contains(&text) {
                known.captured.push(text);
            }
        }
        if known.captured.len() > n_known {
            let n_old = known.captured.len().saturating_sub(MOST_LEARNED);
            known.captured.drain(..n_old);
            known.renew();
        }
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
            text = pattern.replace_all(&text, *replacement).into_owned();
        }
    }
    text
}

/// Returns what is masked wherever it stands, and what stands there then.
fn patterns() -> [(String, &'static str); 5] {
    let quoted = format!(r#"(?i)("[^"]*(?:{SECRET_WORDS})[^"]*"\s*:\s*")[^"]*"#);
    let pair = format!(r#"(?i)([?&;\s]|^)((?:[\w.%\[\]-]*(?:{SECRET_WORDS})[\w.%\[\]-]*|{SECRET_KEYS})=)[^&\s"'#;,)]*"#);
    [
        // A password may have an @ of its own.
        (r"(?i)\b(https?://)[^/?#\s]+@".to_string(), "${1}***@"),
        (r"(?i)\b((?:proxy-)?authorization['\x22]?\s*[:=]\s*['\x22]?)(?:(?:basic|bearer|token|digest|negotiate|aws4-hmac-sha256)\s+)?[^\s,'\x22]+".to_string(), "${1}***"),
        (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}".to_string(), "${1} ***"),
        (quoted, "${1}***"),
        (pair, "${1}${2}***"),
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
mod tests {
    use super::super::sample::{adapter, basic, connection, option};
    use super::*;
    use crate::spec::{AuthFields, AuthSpec};
    use base64::engine::general_purpose::STANDARD;
    use base64::Engine;
    use proptest::prelude::*;

    fn redactor(auth: AuthSpec, options: &[(&str, &str)]) -> Redactor {
        Redactor::new(&connection(adapter(auth), options))
    }

    fn check(text: &str, expected: &str) {
        let redactor = redactor(basic(), &[("username", "me"), ("password", "s3/cr t+1"), ("site", "example")]);
        assert_eq!(redactor.text(text), expected);
    }

    #[test]
    fn all_patterns_compile() {
        assert_eq!(PATTERNS.len(), patterns().len());
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
    fn users_in_urls_of_options_are_secrets_as_they_are_sent() {
        let check = |site: &str, text: &str, expected: &str| {
            assert_eq!(redactor(basic(), &[("site", site)]).text(text), expected, "{site}: {text}");
        };
        let proxy = "http://me:pr%40xy-pa55@127.0.0.1:3128";
        check(proxy, "pr@xy-pa55, pr%40xy-pa55, me", "***, ***, me");
        check(proxy, &format!("it got >>{}<<", STANDARD.encode("me:pr@xy-pa55")), "it got >>***==<<");
        check("http://me:a1@b.test", &STANDARD.encode("me:a1"), "***");
        check("http://t0k%2Fen:@b.test", &format!("t0k/en {}", STANDARD.encode("t0k/en:")), "*** ***Og==");
        check("http://t0k%2Fen@b.test", "t0k/en", "***");
        check("http://b.test/me", "b.test/me", "b.test/me");
    }

    #[test]
    fn short_values_are_masked_as_words_and_after_their_key() {
        let redactor = redactor(AuthSpec::Params(AuthFields::of_options(vec![("k9".to_string(), option("pin", true))])), &[("pin", "12")]);
        assert_eq!(redactor.text("12 rows, k9=12, pin: 12, ?k9=12&a=12"), "*** rows, k9=***, pin: ***, ?k9=***&a=***");
    }

    #[test]
    fn what_is_learned_is_a_secret_from_then_on() {
        let redactor = redactor(basic(), &[("password", "s3cr3t")]);
        assert_eq!(redactor.text("tok3n-one s3cr3t"), "tok3n-one ***");
        redactor.learn(vec!["tok3n-one".to_string(), String::new()]);
        assert_eq!(redactor.text("tok3n-one s3cr3t, dG9rM24tb25l"), "*** ***, ***");
        for number in 0..MOST_LEARNED {
            redactor.learn(vec![format!("{number:03}-others")]);
        }
        assert_eq!(redactor.text("tok3n-one s3cr3t 000-others 063-others"), "tok3n-one *** *** ***");
    }

    #[test]
    fn longer_values_go_first() {
        let auth =
            AuthSpec::Headers(AuthFields::of_options(vec![("X-A".to_string(), option("a", true)), ("X-B".to_string(), option("b", true))]));
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
