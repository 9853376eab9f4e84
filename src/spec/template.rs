//! Strings with holes: `{name}` in paths, `${name}` in params and headers.

use crate::{Error, Result};

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Literal(String),
    /// The name between the braces.
    Hole(String),
}

/// A string with named holes, parsed once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// Parses `{name}` holes, as paths and base URLs have them. Braces that enclose no identifier stay as they are.
    pub fn parse_path(text: &str) -> Template {
        Template::parse(text, "{")
    }

    /// Parses `${name}` holes, as params, headers and bodies have them.
    pub fn parse_value(text: &str) -> Template {
        Template::parse(text, "${")
    }

    fn parse(text: &str, open: &str) -> Template {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(open) {
            let after = &rest[start + open.len()..];
            let hole = after.find('}').map(|end| &after[..end]).filter(|name| is_name(name));
            let Some(name) = hole else {
                literal.push_str(&rest[..start + open.len()]);
                rest = after;
                continue;
            };
            literal.push_str(&rest[..start]);
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Hole(name.to_string()));
            rest = &after[name.len() + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Template { parts }
    }

    /// Returns the names of the holes, in order, repeats included.
    pub fn holes(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// Returns the pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Returns the text when there is no hole at all.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Fills the holes. Fails, naming the hole, when `value_of` has no value for one.
    pub fn render(&self, value_of: impl Fn(&str) -> Option<String>) -> Result<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Hole(name) => {
                    text.push_str(&value_of(name).ok_or_else(|| Error::config(format!("no value for '{name}'")))?);
                }
            }
        }
        Ok(text)
    }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_found_and_filled() {
        let template = Template::parse_path("/repos/{owner}/{repo}/pulls");
        assert_eq!(template.holes().collect::<Vec<_>>(), ["owner", "repo"]);
        assert_eq!(template.render(|name| Some(name.to_uppercase())).unwrap(), "/repos/OWNER/REPO/pulls");
    }

    #[test]
    fn what_is_no_hole_stays() {
        for text in ["", "{", "a{b", "{}", "{+x}", "$", "}{", "{{a b}}"] {
            assert_eq!(Template::parse_path(text).as_literal(), Some(text), "{text}");
        }
        assert_eq!(Template::parse_value("{a}").as_literal(), Some("{a}"));
        assert_eq!(Template::parse_value("x${a}y").render(|_| Some("1".into())).unwrap(), "x1y");
    }

    #[test]
    fn a_hole_without_value_is_named() {
        let err = Template::parse_path("/{org}").render(|_| None).unwrap_err();
        assert_eq!(err.to_string(), "no value for 'org'");
    }
}
