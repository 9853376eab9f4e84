//! Short pieces of bodies for messages. Secrets are taken out first and the piece is cut then: a part of a secret would not be found.

use super::Redactor;

/// Most bytes of a body that are looked at on each side of what is shown.
const MARGIN: usize = 64 << 10;

impl Redactor {
    /// Returns the first line of a body that has text, at most `most` characters of it.
    pub(super) fn first_line(&self, body: &[u8], most: usize) -> String {
        let text = match body.get(..MARGIN) {
            None => self.body(String::from_utf8_lossy(body).into_owned()),
            Some(start) => {
                let text = self.text(&String::from_utf8_lossy(start));
                let end = boundary_at(&text, text.len().saturating_sub(self.longest()));
                text[..end].to_string()
            }
        };
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let line = on_one_line(line);
        match line.char_indices().nth(most) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => line,
        }
    }

    /// Returns at most `most` characters around byte `offset` of a body, on one line.
    pub(crate) fn around(&self, body: &[u8], offset: usize, most: usize) -> String {
        let offset = offset.min(body.len());
        let (start, end) = (offset.saturating_sub(MARGIN), offset.saturating_add(MARGIN).min(body.len()));
        let text = self.text(&String::from_utf8_lossy(&body[start..end]));
        // What is the same without the rest of the body ends where the offset is now, or where a secret begins that it is in.
        let before = self.text(&String::from_utf8_lossy(&body[start..offset]));
        let n_same = text.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count();
        // A secret that the ends of the piece cut is still there.
        let first = if start > 0 { boundary_after(&text, self.longest()) } else { 0 };
        let last = if end < body.len() { boundary_at(&text, text.len().saturating_sub(self.longest())) } else { text.len() };
        let middle = boundary_at(&text, n_same).clamp(first, last.max(first));
        let n_before = text[first..middle].chars().count().min(most / 2);
        let shown_from = text[first..middle].char_indices().rev().take(n_before).last().map_or(middle, |(idx, _)| first + idx);
        let shown: String = text[shown_from..last.max(shown_from)].chars().take(most).collect();
        on_one_line(&shown).trim_matches(|c: char| c == ' ' || c == char::REPLACEMENT_CHARACTER).to_string()
    }
}

/// Returns the last place at or before `idx` where the text can be cut.
fn boundary_at(text: &str, idx: usize) -> usize {
    (0..=idx.min(text.len())).rev().find(|idx| text.is_char_boundary(*idx)).unwrap_or(0)
}

/// Returns the first place at or after `idx` where the text can be cut.
fn boundary_after(text: &str, idx: usize) -> usize {
    (idx..text.len()).find(|idx| text.is_char_boundary(*idx)).unwrap_or(text.len())
}

fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{adapter, basic, connection};
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "sk_live_ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    fn redactor() -> Redactor {
        Redactor::new(&connection(adapter(basic()), &[("username", "me"), ("password", SECRET)]))
    }

    /// Fails when a part of the secret shows.
    fn check(shown: &str) {
        let leaked = (0..SECRET.len() - 3).map(|idx| &SECRET[idx..idx + 4]).find(|part| shown.contains(part));
        assert_eq!(leaked, None, "{shown}");
    }

    #[test]
    fn a_secret_at_the_end_of_a_line_is_not_cut() {
        for n_before in 0..220 {
            check(&redactor().first_line(format!("{} {SECRET} is wrong", "x".repeat(n_before)).as_bytes(), 200));
        }
        assert_eq!(redactor().first_line(format!("bad {SECRET} here\nmore").as_bytes(), 200), "bad *** here");
        assert_eq!(redactor().first_line(" \n\r\n a\tb \n c".as_bytes(), 200), "a b");
        assert_eq!(redactor().first_line(b"", 200), "");
        assert_eq!(redactor().first_line("\u{e9}".repeat(201).as_bytes(), 200), format!("{}...", "\u{e9}".repeat(200)));
    }

    #[test]
    fn a_secret_at_the_end_of_what_is_looked_at_is_not_cut() {
        for n_shown in [1, 10, SECRET.len() - 1] {
            let body = format!("{}{SECRET} is wrong", " ".repeat(MARGIN - n_shown));
            check(&redactor().first_line(body.as_bytes(), 200));
            let many = "\n".repeat(MARGIN - n_shown) + SECRET;
            check(&redactor().first_line(many.as_bytes(), 200));
        }
    }

    #[test]
    fn a_secret_in_escaped_json_is_found() {
        let connection = connection(adapter(basic()), &[("username", "me"), ("password", "abc/def/ghi")]);
        let redactor = Redactor::new(&connection);
        assert_eq!(redactor.first_line(br#"{"sent": "abc\/def\u002fghi"}"#, 200), r#"{"sent":"***"}"#);
        assert_eq!(redactor.around(br#"sent "abc\/def\/ghi""#, 0, 60), r#"sent "***""#);
    }

    #[test]
    fn the_place_is_in_the_middle() {
        let body = format!("[\"{}\" oops \"{}\"]", "a".repeat(1000), "b".repeat(1000));
        let shown = redactor().around(body.as_bytes(), body.find("oops").unwrap(), 60);
        assert_eq!(shown, format!("{}\" oops \"{}", "a".repeat(28), "b".repeat(24)));
        assert_eq!(redactor().around(b"{\"a\":\n 1,}", 9, 60), "{\"a\":  1,}");
        assert_eq!(redactor().around(b"", 7, 60), "");
        let body = format!("{SECRET} {SECRET} {} oops", "a".repeat(100));
        assert_eq!(redactor().around(body.as_bytes(), body.len() - 4, 60), format!("{} oops", "a".repeat(29)));
    }

    #[test]
    fn a_secret_around_the_place_is_not_cut() {
        let body = format!("{}header: {SECRET} is not known{}", " ".repeat(50), "y".repeat(200));
        for offset in 0..body.len() {
            check(&redactor().around(body.as_bytes(), offset, 60));
        }
        let far = format!("{SECRET}{}{SECRET}", "y".repeat(2 * MARGIN));
        for offset in [MARGIN + 3, MARGIN + 20, far.len() - MARGIN - 10, far.len() - MARGIN - 3] {
            check(&redactor().around(far.as_bytes(), offset, 60));
        }
        // All but the ends of what is looked at is one secret after the other.
        let many = SECRET.repeat(6 * MARGIN / SECRET.len());
        for offset in MARGIN + 1..MARGIN + 40 {
            check(&redactor().around(many.as_bytes(), offset, 60));
        }
    }

    proptest! {
        #[test]
        fn no_part_of_a_secret_shows(parts in prop::collection::vec("[a-z\u{e9}\"\n ]{0,40}", 1..6), offset in 0..300_usize, most in 1..90_usize) {
            let body = parts.join(SECRET);
            check(&redactor().first_line(body.as_bytes(), most));
            check(&redactor().around(body.as_bytes(), offset, most));
        }

        #[test]
        fn any_bytes_have_an_excerpt(body in prop::collection::vec(any::<u8>(), 0..200), offset in 0..300_usize, most in 0..90_usize) {
            prop_assert!(redactor().around(&body, offset, most).chars().count() <= most);
            prop_assert!(redactor().first_line(&body, most).chars().count() <= most + 3);
        }
    }
}
