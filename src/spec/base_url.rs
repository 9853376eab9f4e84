//! The base URL: which part of it each hole stands in, and what may fill a hole that decides which host is asked.

use super::{AdapterSpec, Connection, ParamValue, ParamValues, Part, Sources, TableDef, Template};
use crate::{Error, Result};
use url::Url;

/// A part of a URL, for holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlPart {
    /// The URL's beginning: its scheme, or all of a URL.
    Start,
    /// The user, the host or the port.
    Host,
    /// The path, the query or what is behind them.
    Path,
}

impl UrlPart {
    /// Returns whether what stands here decides where a request goes, and with it the credentials.
    pub fn names_the_host(self) -> bool {
        self != UrlPart::Path
    }
}

impl Template {
    /// Returns the part of the URL that each of a base URL's pieces begins in.
    pub fn url_parts(&self) -> Vec<UrlPart> {
        let mut parts = Vec::new();
        // What the pieces so far make; an `x` stands for each hole, and a hole at the start is the start of a URL with a host.
        let mut text = String::new();
        let mut pieces = self.parts().iter().peekable();
        while let Some(piece) = pieces.next() {
            parts.push(part_after(&text));
            match piece {
                Part::Literal(literal) => text.push_str(literal),
                Part::Hole(_) if text.is_empty() => {
                    let is_scheme = matches!(pieces.peek(), Some(Part::Literal(next)) if next.starts_with("://"));
                    text.push_str(if is_scheme { "x" } else { "x://x" });
                }
                Part::Hole(_) => text.push('x'),
            }
        }
        parts
    }

    /// Returns the holes of a base URL that decide which host is asked.
    pub fn host_holes(&self) -> Vec<&str> {
        let pieces = self.parts().iter().zip(self.url_parts());
        let names = pieces.filter_map(|(piece, part)| match piece {
            Part::Hole(hole) if part.names_the_host() => Some(hole.name.as_str()),
            _ => None,
        });
        names.collect()
    }

    /// Returns whether the piece at `idx` of a base URL is all of its scheme.
    pub fn is_scheme(&self, idx: usize) -> bool {
        idx == 0 && matches!(self.parts().get(1), Some(Part::Literal(next)) if next.starts_with("://"))
    }
}

fn part_after(text: &str) -> UrlPart {
    match text.split_once("://") {
        None => UrlPart::Start,
        Some((_, rest)) if rest.contains(['/', '\\', '?', '#']) => UrlPart::Path,
        Some(_) => UrlPart::Host,
    }
}

/// Fails, naming the option or param, when a text cannot stand in that part of a URL without ending it. What stands in a path is not
/// checked: it is percent-encoded.
pub fn check_url_part(part: UrlPart, what: &str, is_scheme: bool, text: &str) -> Result<()> {
    let wrong = match part {
        UrlPart::Path => return Ok(()),
        UrlPart::Start if is_scheme && matches!(text, "http" | "https") => return Ok(()),
        UrlPart::Start if is_scheme => "is not a scheme; expected http or https",
        UrlPart::Start if is_base(text) => return Ok(()),
        UrlPart::Start => "is not a base URL; expected one such as https://api.example.com, without '?', '#', blanks and backslashes",
        UrlPart::Host if is_host_text(text) => return Ok(()),
        UrlPart::Host => "is not a host or part of one; expected letters, digits, '.', '-' and ':', without 'https://', '/' and '@'",
    };
    Err(Error::config(format!("{what} {wrong}")))
}

fn is_host_text(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c.is_alphabetic() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'))
}

fn is_base(text: &str) -> bool {
    let has_ends = text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '?' | '#'));
    !has_ends && is_http_url(text)
}

fn is_http_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty()))
}

impl AdapterSpec {
    /// Returns whether the spec lists the origin of `url` as one that may have the credentials.
    pub fn allows_origin(&self, url: &Url) -> bool {
        self.allowed_hosts.iter().any(|host| {
            let full = if host.contains("://") { host.clone() } else { format!("https://{host}") };
            Url::parse(&full).is_ok_and(|allowed| allowed.origin() == url.origin())
        })
    }

    /// Returns the values that the spec itself lists for a param, in all its tables: those that may stand in a host.
    pub fn listed_values(&self, param: &str) -> Vec<String> {
        let mut values = Vec::new();
        for param_def in self.tables.iter().flat_map(TableDef::variants).flat_map(|table_def| &table_def.params) {
            let Some(idx) = param_def.names.iter().position(|name| name == param) else { continue };
            match &param_def.values {
                ParamValues::One(value) => values.extend(literal_of(value)),
                ParamValues::Each(rows) => values.extend(rows.iter().filter_map(|row| literal_of(row.get(idx)?))),
                ParamValues::Query(_) => {}
            }
        }
        values
    }
}

fn literal_of(value: &ParamValue) -> Option<String> {
    match value {
        ParamValue::Template(_) | ParamValue::Many { .. } => None,
        literal => literal.to_text(),
    }
}

impl Connection {
    /// Fails, naming the option, when options that stand in the base URL make it another URL than the spec says. With params in it, the
    /// whole of it is only known when a request is made.
    pub(super) fn check_base_url(&self) -> Result<()> {
        let base_url = &self.adapter.base_url;
        for (idx, (piece, part)) in base_url.parts().iter().zip(base_url.url_parts()).enumerate() {
            let Part::Hole(hole) = piece else { continue };
            let Some(value) = self.option(&hole.name).and(hole.fill(self)?) else { continue };
            let text = value.to_text(&self.date_format())?.unwrap_or_default();
            check_url_part(part, &format!("option '{}'", hole.name), base_url.is_scheme(idx), &text)?;
        }
        let holes: Vec<&str> = base_url.names().collect();
        if holes.iter().any(|hole| self.option(hole).is_none()) || is_http_url(&self.fill(base_url)?) {
            return Ok(());
        }
        let from = if holes.is_empty() { String::new() } else { format!(" made from option '{}'", holes.join("', '")) };
        Err(Error::config(format!("the base URL{from} is not an http URL; expected one such as https://api.example.com")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hole_stands_in_one_part() {
        let check =
            |base_url: &str, expected: &[&str]| assert_eq!(Template::parse_path(base_url).unwrap().host_holes(), expected, "{base_url}");
        check("https://{site}.example.com/{path}?a={query}", &["site"]);
        check("{host}/v1/{path}", &["host"]);
        check("{host}{more}/v1", &["host", "more"]);
        check("{scheme}://{user}@{host}:{port}/{path}", &["scheme", "user", "host", "port"]);
        check("http{s}://a/{path}", &["s"]);
        check("https://a?x={query}", &[]);
        check("https://a\\{path}", &[]);
        check("https://a", &[]);
    }

    #[test]
    fn what_could_end_a_host_is_none() {
        for text in ["a.example", "a", "127.0.0.1:80", "[::1]:80", "bücher.example"] {
            assert!(check_url_part(UrlPart::Host, "option 'x'", false, text).is_ok(), "{text}");
        }
        for text in ["", "a/", "a@b", "a#", "a?", "a\\", "a b", " a", "a\n", "https://a", "a%2f", "a\u{2488}", "a\u{ff0f}b"] {
            let err = check_url_part(UrlPart::Host, "option 'x'", false, text).unwrap_err().to_string();
            assert!(err.starts_with("option 'x' is not a host"), "{text}: {err}");
        }
        for text in ["https://a.example/x", "http://127.0.0.1:80", "HTTP://a"] {
            assert!(check_url_part(UrlPart::Start, "option 'x'", false, text).is_ok(), "{text}");
        }
        for text in ["a.example", "ftp://a", "https://a?b", "https://a#b", "https://a b", "https://a\\b", "https:// a", ""] {
            assert!(check_url_part(UrlPart::Start, "option 'x'", false, text).is_err(), "{text}");
        }
        assert!(check_url_part(UrlPart::Start, "option 'x'", true, "https").is_ok());
        assert!(check_url_part(UrlPart::Start, "option 'x'", true, "https://evil.test/").is_err());
    }
}
