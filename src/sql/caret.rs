//! Shows where in a statement a mistake is, the way DuckDB does: the line, and a caret below it.
//!
//! DuckDB draws carets itself, into the text it was given, at a place counted from that text's beginning. Where a statement of ours
//! begins there is not known to the parser hook: 1.5 hands over one trimmed statement of a script, 2.0 its tokens. So the caret is drawn here.

use unicode_width::UnicodeWidthChar;

/// Most columns of the line that are shown on each side of the caret.
const MOST: usize = 60;

/// Returns `LINE n: text` and a caret below the byte offset `position`. Lines are counted from the statement's first.
pub(super) fn with_caret(text: &str, position: usize) -> String {
    let (before, after) = text.split_at_checked(position).unwrap_or((text, ""));
    let line_number = before.matches('\n').count() + 1;
    let (before, is_cut_before) = last_columns(before.rsplit('\n').next().unwrap_or(""));
    let (after, is_cut_after) = first_columns(after.split(['\n', '\r']).next().unwrap_or(""));
    let head = format!("LINE {line_number}: {}{before}", if is_cut_before { "..." } else { "" });
    let tail = if is_cut_after { "..." } else { "" };
    format!("{head}{after}{tail}\n{}^", blank(&head))
}

/// Returns blanks as wide as the text.
fn blank(text: &str) -> String {
    let blank = |letter: char| match letter {
        '\t' => "\t".to_string(),
        letter => " ".repeat(letter.width().unwrap_or(0)),
    };
    text.chars().map(blank).collect()
}

fn last_columns(text: &str) -> (&str, bool) {
    let mut n_columns = 0;
    for (idx, letter) in text.char_indices().rev() {
        n_columns += letter.width().unwrap_or(0);
        if n_columns > MOST {
            return (&text[idx + letter.len_utf8()..], true);
        }
    }
    (text, false)
}

fn first_columns(text: &str) -> (&str, bool) {
    let mut n_columns = 0;
    for (idx, letter) in text.char_indices() {
        n_columns += letter.width().unwrap_or(0);
        if n_columns > MOST {
            return (&text[..idx], true);
        }
    }
    (text, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{expect, Expect};

    fn check(text: &str, mistake: &str, expected: Expect) {
        expected.assert_eq(&with_caret(text, text.find(mistake).unwrap()));
    }

    #[test]
    fn the_caret_is_below_the_mistake() {
        check(
            "REFRESH TABLE a.b now",
            "now",
            expect![[r#"
                LINE 1: REFRESH TABLE a.b now
                                          ^"#]],
        );
        check(
            "REFRESH -- a comment\r\nTABLE a.b\r\n  now;\r\n-- more",
            "now",
            expect![[r#"
                LINE 3:   now;
                          ^"#]],
        );
        assert_eq!(with_caret("PEEK", 4), "LINE 1: PEEK\n            ^");
        assert_eq!(with_caret("", 7), "LINE 1: \n        ^");
    }

    #[test]
    fn tabs_stay_tabs() {
        check("REFRESH\tTABLE a.b now", "now", expect!["LINE 1: REFRESH\tTABLE a.b now\n               \t          ^"]);
    }

    #[test]
    fn wide_letters_move_the_caret() {
        check(
            "REFRESH TABLE \"日本\".\"é\" now",
            "now",
            expect![[r#"
                LINE 1: REFRESH TABLE "日本"."é" now
                                                 ^"#]],
        );
    }

    #[test]
    fn only_the_neighbourhood_of_a_long_line_is_shown() {
        let text = format!("REFRESH TABLE {}.b now{}", "a".repeat(200), " and then".repeat(20));
        check(
            &text,
            "now",
            expect![[r#"
                LINE 1: ...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b now and then and then and then and then and then and then an...
                                                                                       ^"#]],
        );
    }
}
