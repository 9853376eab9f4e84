//! The value of an option: literal text, with references to environment variables.

use crate::catalog::config::Environment;
use crate::spec::Secret;
use crate::{Error, Result};

/// A parsed option value. References are resolved when the connection is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionText {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(Secret),
    /// The name of an environment variable.
    Variable(String),
}

impl OptionText {
    /// Parses a value: `$NAME` when that is all of it, `${NAME}` anywhere; `$$` is a dollar sign. Fails on any other `$` at its
    /// start, where it was most likely meant as a reference. The message does not show the value.
    pub fn parse(text: &str) -> Result<OptionText> {
        if let Some(name) = text.strip_prefix('$').filter(|name| is_variable_name(name)) {
            return Ok(OptionText { parts: vec![Part::Variable(name.to_string())] });
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            literal.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}')).filter(|(name, _)| is_variable_name(name));
            if let Some(tail) = after.strip_prefix('$') {
                literal.push('$');
                rest = tail;
            } else if let Some((name, tail)) = braced {
                parts.push(Part::Literal(Secret::new(std::mem::take(&mut literal))));
                parts.push(Part::Variable(name.to_string()));
                rest = tail;
            } else if at == 0 && rest.len() == text.len() {
                return Err(Error::config("starts with '$' but names no environment variable; write '$$' for a dollar sign"));
            } else {
                literal.push('$');
                rest = after;
            }
        }
        literal.push_str(rest);
        parts.push(Part::Literal(Secret::new(literal)));
        parts.retain(|part| !matches!(part, Part::Literal(text) if text.expose().is_empty()));
        Ok(OptionText { parts })
    }

    /// Returns the value with its references resolved. Fails with the name of the first variable that is not set.
    pub fn resolve(&self, environment: &Environment) -> Result<Secret> {
        let mut value = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => value.push_str(text.expose()),
                Part::Variable(name) => {
                    let resolved = environment.variable(name);
                    value.push_str(&resolved.ok_or_else(|| Error::config(format!("environment variable '{name}' is not set")))?);
                }
            }
        }
        Ok(Secret::new(value))
    }

    /// Returns the value as [`OptionText::parse`] takes it, and so as the connections file has it.
    pub fn source(&self) -> Secret {
        if let [Part::Variable(name)] = self.parts.as_slice() {
            return Secret::new(format!("${name}"));
        }
        let written = |part: &Part| match part {
            Part::Literal(text) => text.expose().replace('$', "$$"),
            Part::Variable(name) => format!("${{{name}}}"),
        };
        Secret::new(self.parts.iter().map(written).collect::<String>())
    }

    /// Returns the names of the environment variables it refers to.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// Returns what may be shown: the references as they are written, literal text only when the option is not secret.
    pub fn shown(&self, secret: bool) -> String {
        let show = |part: &Part| match part {
            Part::Literal(_) if secret => "***".to_string(),
            Part::Literal(text) => text.expose().to_string(),
            Part::Variable(name) => format!("${{{name}}}"),
        };
        match self.parts.as_slice() {
            [Part::Variable(name)] => format!("${name}"),
            parts => parts.iter().map(show).collect(),
        }
    }
}

/// Returns whether `text` can name an environment variable.
pub fn is_variable_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_') && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resolved(text: &str) -> std::result::Result<String, String> {
        let environment = Environment::of_test(&[("TOKEN", "t0"), ("EMPTY", "")], None);
        let value = OptionText::parse(text).and_then(|option_text| option_text.resolve(&environment));
        value.map(|value| value.expose().to_string()).map_err(|err| err.to_string())
    }

    #[test]
    fn references_are_resolved() {
        let check = |text: &str, expected: &str| assert_eq!(resolved(text).as_deref(), Ok(expected), "{text}");
        check("", "");
        check("me", "me");
        check("$TOKEN", "t0");
        check("${TOKEN}", "t0");
        check("a-${TOKEN}-b", "a-t0-b");
        check("$EMPTY", "");
        check("$$TOKEN", "$TOKEN");
        check("$${TOKEN}", "${TOKEN}");
        check("pa$word", "pa$word");
        check("pa$$word", "pa$word");
        check("5$", "5$");
        check("a${b c}", "a${b c}");
    }

    #[test]
    fn what_is_wrong_is_named_without_the_value() {
        assert_eq!(resolved("$ABSENT").unwrap_err(), "environment variable 'ABSENT' is not set");
        assert_eq!(resolved("x${ABSENT}").unwrap_err(), "environment variable 'ABSENT' is not set");
        assert!(resolved("$s3cr3t!").unwrap_err().contains("write '$$'"));
        assert!(!resolved("$s3cr3t!").unwrap_err().contains("s3cr3t"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = |text: &str, secret| OptionText::parse(text).unwrap().shown(secret);
        assert_eq!(shown("s3cr3t", true), "***");
        assert_eq!(shown("me", false), "me");
        assert_eq!(shown("$TOKEN", true), "$TOKEN");
        assert_eq!(shown("Bearer ${TOKEN}", true), "***${TOKEN}");
    }

    proptest! {
        #[test]
        fn doubled_dollars_round_trip(text in "\\PC*") {
            prop_assert_eq!(resolved(&text.replace('$', "$$")), Ok(text));
        }

        #[test]
        fn the_source_means_the_same(text in "([a$]|[$]\\{|\\}|TOKEN|\\PC)*") {
            if let Ok(parsed) = OptionText::parse(&text) {
                let source = parsed.source();
                prop_assert_eq!(resolved(source.expose()), resolved(&text));
            }
        }
    }
}
