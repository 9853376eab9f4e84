//! Texts as literals of query languages, which no character of the text can end.

use crate::{Error, Result};

/// A query language with text literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sql,
    Mysql,
    Soql,
    Jql,
    Gaql,
    Odata,
    Hogql,
    Graphql,
    Kql,
    Lucene,
}

impl Dialect {
    /// All there are, as specs name them.
    pub const NAMES: [&'static str; 10] = ["sql", "mysql", "soql", "jql", "gaql", "odata", "hogql", "graphql", "kql", "lucene"];

    const ALL: [Dialect; 10] = [
        Dialect::Sql,
        Dialect::Mysql,
        Dialect::Soql,
        Dialect::Jql,
        Dialect::Gaql,
        Dialect::Odata,
        Dialect::Hogql,
        Dialect::Graphql,
        Dialect::Kql,
        Dialect::Lucene,
    ];

    /// Returns the dialect of that name.
    pub fn named(name: &str) -> Option<Dialect> {
        Dialect::ALL.into_iter().zip(Dialect::NAMES).find(|(_, own)| own.eq_ignore_ascii_case(name)).map(|(dialect, _)| dialect)
    }

    /// Returns the name that specs have for it.
    pub fn name(self) -> &'static str {
        Dialect::ALL.into_iter().zip(Dialect::NAMES).find(|(dialect, _)| *dialect == self).map_or("", |(_, name)| name)
    }

    /// Returns the literal of a text, quotes included. Fails when the language has none for it.
    pub fn quoted(self, text: &str) -> Result<String> {
        match self {
            // ISO SQL and OData 4.01, section 5.1.1.14.1: a quote is doubled, and nothing else means anything.
            Dialect::Sql | Dialect::Odata => Ok(format!("'{}'", text.replace('\'', "''"))),
            Dialect::Mysql | Dialect::Hogql => Ok(escaped(text, '\'', Controls::Breaks)),
            Dialect::Soql => Ok(escaped(text, '\'', Controls::All)),
            Dialect::Jql | Dialect::Graphql => Ok(escaped(text, '"', Controls::All)),
            Dialect::Kql => Ok(escaped(text, '"', Controls::Breaks)),
            Dialect::Lucene => Ok(escaped(text, '"', Controls::None)),
            Dialect::Gaql => in_other_quotes(text),
        }
    }
}

/// Which control characters a literal has escapes for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Controls {
    /// None: they stand as they are.
    None,
    /// Line breaks and tabs.
    Breaks,
    /// Line breaks and tabs, and the others by their number.
    All,
}

/// Returns a literal whose quotes and backslashes have a backslash before them.
fn escaped(text: &str, quote: char, controls: Controls) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' if controls != Controls::None => out.push_str("\\n"),
            '\r' if controls != Controls::None => out.push_str("\\r"),
            '\t' if controls != Controls::None => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if controls == Controls::All && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// Returns a literal in the quotes that the text does not have. The language's reference names no escape, so nothing here needs one.
fn in_other_quotes(text: &str) -> Result<String> {
    let quote = match (text.contains('\''), text.contains('"')) {
        (false, _) => '\'',
        (true, false) => '"',
        (true, true) => return Err(Error::data("GAQL has no literal for a text with both kinds of quotes")),
    };
    if text.chars().any(|c| c == '\\' || c.is_control()) {
        return Err(Error::data("GAQL has no literal for a text with a backslash, a line break or another control character"));
    }
    Ok(format!("{quote}{text}{quote}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a literal at the start of a text as its language does. Returns the text it holds, and what comes behind it.
    fn read(dialect: Dialect, text: &str) -> Option<(String, &str)> {
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let has_escapes = !matches!(dialect, Dialect::Sql | Dialect::Odata);
        let mut out = String::new();
        let mut chars = text.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if has_escapes => match chars.next()?.1 {
                    'n' => out.push('\n'),
                    'r' => out.push('\r'),
                    't' => out.push('\t'),
                    'u' => {
                        let digits: String = (0..4).map_while(|_| Some(chars.next()?.1)).collect();
                        out.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    c => out.push(c),
                },
                c if c == quote && !has_escapes && chars.peek().is_some_and(|(_, next)| *next == quote) => {
                    chars.next();
                    out.push(quote);
                }
                c if c == quote => return Some((out, &text[at + 1..])),
                // A literal that breaks over lines is an error in these.
                '\n' | '\r' if has_escapes && dialect != Dialect::Lucene => return None,
                c => out.push(c),
            }
        }
        None
    }

    #[test]
    fn literals_are_written() {
        let check = |dialect: Dialect, expected: &str| assert_eq!(dialect.quoted("it's a \\ \"b\"\n").unwrap(), expected, "{dialect:?}");
        check(Dialect::Sql, "'it''s a \\ \"b\"\n'");
        check(Dialect::Odata, "'it''s a \\ \"b\"\n'");
        check(Dialect::Soql, "'it\\'s a \\\\ \"b\"\\n'");
        check(Dialect::Hogql, "'it\\'s a \\\\ \"b\"\\n'");
        check(Dialect::Jql, "\"it's a \\\\ \\\"b\\\"\\n\"");
        assert_eq!(Dialect::Gaql.quoted("it's").unwrap(), "\"it's\"");
        assert!(Dialect::Gaql.quoted("'\"").is_err() && Dialect::Gaql.quoted("a\\").is_err() && Dialect::Gaql.quoted("a\nb").is_err());
        for name in Dialect::NAMES {
            assert_eq!(Dialect::named(name).unwrap().name(), name);
        }
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_literal(text in "(['\"\\\\\n\r\t\u{0}\u{1}\u{2028}\u{e9}nu04a ]|.){0,12}", behind in "['\"\\\\ a]{0,4}") {
            for dialect in Dialect::ALL {
                let Ok(literal) = dialect.quoted(&text) else {
                    prop_assert_eq!(dialect, Dialect::Gaql);
                    continue;
                };
                let behind = format!(" {behind}");
                let whole = format!("{literal}{behind}");
                let (found, rest) = read(dialect, &whole).unwrap();
                prop_assert_eq!(&found, &text, "{:?}", dialect);
                prop_assert_eq!(rest, behind, "{:?}", dialect);
            }
        }
    }
}
