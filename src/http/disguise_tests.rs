//! A secret is found whatever becomes of it: encoded at random, put into a text at random.

use super::disguise::Finder;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use base64::Engine;
use proptest::prelude::*;

/// A text with a secret in it: what is before it, the part that the secret alone decides, what is after it.
#[derive(Debug, Clone)]
struct Told(String, String, String);

impl Told {
    fn each(&self, written: impl Fn(char, usize) -> String) -> Told {
        let of = |text: &str| text.chars().enumerate().map(|(idx, c)| written(c, idx)).collect();
        Told(of(&self.0), of(&self.1), of(&self.2))
    }

    fn whole(&self) -> String {
        format!("{}{}{}", self.0, self.1, self.2)
    }

    fn base64(&self, is_padded: bool, is_for_urls: bool) -> Told {
        let whole = self.whole();
        let encoded = if is_for_urls { URL_SAFE.encode(&whole) } else { STANDARD.encode(&whole) };
        let from = (self.0.len() * 8).div_ceil(6);
        let to = (self.0.len() + self.1.len()) * 8 / 6;
        let after = &encoded[to..];
        let after = if is_padded { after } else { after.trim_end_matches('=') };
        Told(encoded[..from].to_string(), encoded[from..to].to_string(), after.to_string())
    }
}

fn percent(c: char) -> String {
    c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes it in the way of that number; `odd` says which characters are written otherwise where not all have to be.
fn written(told: &Told, way: usize, odd: u32) -> Told {
    let is_odd = |idx: usize| odd >> (idx % 32) & 1 == 1;
    match way {
        0 => told.each(|c, _| if is_plain(c) { c.to_string() } else { percent(c) }),
        1 => told.each(|c, _| if is_plain(c) { c.to_string() } else { percent(c).to_lowercase() }),
        2 => told.each(|c, _| percent(c)),
        3 => told.each(|c, idx| if is_odd(idx) { percent(c) } else { c.to_string() }),
        4 => told.each(|c, _| match c {
            ' ' => "+".to_string(),
            c if is_plain(c) => c.to_string(),
            c => percent(c),
        }),
        5 => told.each(|c, _| match c {
            '&' => "&amp;".to_string(),
            '<' => "&lt;".to_string(),
            '"' => "&quot;".to_string(),
            '\'' => "&#039;".to_string(),
            '/' => "&sol;".to_string(),
            c => c.to_string(),
        }),
        6 => told.each(|c, idx| if is_odd(idx) || !is_plain(c) { format!("&#{};", u32::from(c)) } else { c.to_string() }),
        7 => told.each(|c, idx| if is_odd(idx) { format!("&#x{:X};", u32::from(c)) } else { c.to_string() }),
        8 => told.each(|c, idx| match c {
            '/' | '"' | '\\' => format!("\\{c}"),
            c if is_odd(idx) => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
            c => c.to_string(),
        }),
        9..=12 => told.base64(matches!(way, 10 | 12), way < 11),
        _ => {
            let of = |text: &str| if way == 13 { hex(text) } else { hex(text).to_uppercase() };
            Told(of(&told.0), of(&told.1), of(&told.2))
        }
    }
}

fn masked(secret: &str, text: &str) -> String {
    let mut masked = text.to_string();
    for range in Finder::new(&[secret.to_string()]).ranges(text).into_iter().rev() {
        masked.replace_range(range, "***");
    }
    masked
}

#[test]
fn a_secret_is_found_where_its_escapes_meet_others() {
    for text in ["%ab%2Fcd", "%%61b/cd", "&ab&sol;cd", "\\\\u0061b\\/cd", "x61622f6364a", "%61%62%2F%63%64", "ab%252fcd", "ab&amp;#47;cd"] {
        let left = masked("ab/cd", text);
        assert!(left.contains("***"), "{text}: {left}");
    }
}

#[test]
fn short_secrets_are_masked_as_words() {
    assert_eq!(masked("k9", "k9, xk9, k9x, pin=k9&a=%3Dk9 azk= 6b39"), "***, xk9, k9x, pin=***&a=%3D*** *** ***");
    assert_eq!(masked("1", "1 of 11"), "*** of 11");
}

#[test]
fn long_secrets_are_found_in_other_case_and_by_their_beginning() {
    assert_eq!(masked("Zm9vYmFyWm9v", "ZM9VYMFYWM9V and Zm9vYmFy..."), "*** and ***...");
    assert_eq!(masked("Zm9vYmFyWm9v", "Zm9vYm stays"), "Zm9vYm stays");
    assert_eq!(masked("abcd", "ABCD abc"), "ABCD abc");
}

#[test]
fn a_secret_is_found_where_its_utf8_was_read_as_something_else() {
    for (secret, text) in [
        ("p\u{e4}ssw\u{f6}rd", "p\u{c3}\u{a4}ssw\u{c3}\u{b6}rd"),
        ("geh\u{df}eim", "geh\u{c3}\u{9f}eim"),
        ("geh\u{df}eim", "geh\u{c3}\u{178}eim"),
        ("geh\u{df}eim", "geh%C3%83%C5%B8eim"),
        ("geh\u{20ac}im", "geh\u{e2}\u{201a}\u{ac}im"),
        ("geh\u{e4}im", "geh\u{fffd}im"),
        ("geh\u{20ac}im", "geh\u{fffd}\u{fffd}\u{fffd}im"),
        ("\u{e4}bcd", "\u{fffd}\u{fffd}bcd"),
        ("geh\u{e4}im", "geh%e4im"),
        ("geh\u{e4}imnis", "R2Vow6RpbW5pcw"),
    ] {
        assert_eq!(masked(secret, &format!("<{text}>")), "<***>", "{secret} as {text}");
    }
    assert_eq!(masked("geheim", "geh\u{fffd}im"), "geh\u{fffd}im");
    assert_eq!(masked("\u{e4}b", "\u{fffd}c"), "\u{fffd}c");
}

#[test]
fn a_finder_is_a_small_multiple_of_its_secrets() {
    let secret: String = ('a'..='z').chain('A'..='Z').chain('0'..='9').cycle().take(4000).collect();
    let n_bytes = Finder::new(std::slice::from_ref(&secret)).n_bytes();
    assert!(n_bytes < 20 * secret.len(), "{n_bytes}");
    let wide: String = ('\u{430}'..='\u{44f}').cycle().take(4000).collect();
    let n_bytes = Finder::new(std::slice::from_ref(&wide)).n_bytes();
    assert!(n_bytes < 100 * wide.len(), "{n_bytes}");
}

#[test]
fn what_holds_no_secret_stays() {
    for text in ["", "%", "&", "\\", "a%2", "&#;", "plain words of a sentence, 100 % & more", "\u{e9}\u{1F600}\\u12"] {
        assert_eq!(masked("s3cr3t/x", text), text);
    }
}

proptest! {
    #[test]
    fn a_secret_is_found_in_every_encoding(
        secret in "[A-Za-z0-9=&;/+% <\"'\\\\é]{6,24}",
        (before, after) in ("[ -~é]{0,9}", "[ -~é]{0,9}"),
        misread in 0..3usize,
        ways in prop::collection::vec((0..15usize, any::<u32>()), 0..=2),
        (outer_before, outer_after) in ("[ -~\n]{0,9}", "[ -~\n]{0,9}"),
    ) {
        let told = match misread {
            0 => Told(before, secret.clone(), after),
            1 => Told(before, secret.clone(), after).each(|c, _| c.to_string().bytes().map(char::from).collect()),
            _ => Told(before, secret.clone(), after).each(|c, _| if c.is_ascii() { c.to_string() } else { "\u{fffd}".to_string() }),
        };
        let told = ways.iter().fold(told, |told, (way, odd)| written(&told, *way, *odd));
        let text = format!("{outer_before}{}{outer_after}", told.whole());
        let left = masked(&secret, &text);
        prop_assert!(!left.contains(&told.1), "{} in {} of {}", told.1, left, text);
    }

    #[test]
    fn a_short_secret_is_found_as_a_word_in_every_encoding(
        secret in "[A-Za-z0-9/&]{1,3}",
        ways in prop::collection::vec((0..15usize, any::<u32>()), 0..=2),
    ) {
        let told = ways.iter().fold(Told(String::new(), secret.clone(), String::new()), |told, (way, odd)| written(&told, *way, *odd));
        let text = format!("sent: {} (wrong)", told.whole());
        let left = masked(&secret, &text);
        prop_assert!(left == "sent: *** (wrong)", "{left} of {text}");
    }

    #[test]
    fn nothing_breaks_on_any_text(secret in ".{1,9}", text in ".*") {
        masked(&secret, &text);
    }
}
