//! The value of an option: literal text, with references to environment variables, files and programs.

use crate::catalog::config::Environment;
use crate::files::read_text;
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
    /// The path of a file that holds the text.
    File(String),
    /// A program and its arguments, which prints the text.
    Command(String),
}

impl Part {
    /// Returns the part that a reference stands for: `file('path')`, `command('program argument')`, `env('NAME')`.
    fn of_reference(text: &str) -> Option<Part> {
        let (kind, rest) = text.trim().split_once('(')?;
        let quoted = rest.trim().strip_suffix(')')?.trim().strip_prefix('\'')?.strip_suffix('\'')?;
        let inner = quoted.replace("''", "\u{0}");
        if inner.is_empty() || inner.contains('\'') {
            return None;
        }
        let inner = inner.replace('\u{0}', "'");
        match kind.trim().to_ascii_lowercase().as_str() {
            "file" => Some(Part::File(inner)),
            "command" => Some(Part::Command(inner)),
            "env" if is_variable_name(&inner) => Some(Part::Variable(inner)),
            _ => None,
        }
    }

    /// Returns the reference as it is written; `None` for literal text.
    fn reference(&self) -> Option<String> {
        let quoted = |kind: &str, text: &str| format!("{kind}('{}')", text.replace('\'', "''"));
        match self {
            Part::Literal(_) => None,
            Part::Variable(name) => Some(format!("${{{name}}}")),
            Part::File(path) => Some(format!("${{{}}}", quoted("file", path))),
            Part::Command(line) => Some(format!("${{{}}}", quoted("command", line))),
        }
    }
}

impl OptionText {
    /// Parses a value as the connections file has it: what [`OptionText::parse`] takes, or `file('path')`, `command('program argument')` or
    /// `env('NAME')` when that is all of it.
    pub fn parse_in_file(text: &str) -> Result<OptionText> {
        match Part::of_reference(text) {
            Some(part) => Ok(OptionText { parts: vec![part] }),
            None => OptionText::parse(text),
        }
    }

    /// Parses a value as a statement has it. Fails on a program: only the connections file may name one; and on a text that the connections
    /// file would take for a reference.
    pub fn parse_in_statement(text: &str) -> Result<OptionText> {
        if Part::of_reference(text).is_some() {
            return Err(Error::config("is a text that looks like a reference; leave out the quotes around file('...') or env('...')"));
        }
        let parsed = OptionText::parse(text)?;
        match parsed.parts.iter().any(|part| matches!(part, Part::Command(_))) {
            true => Err(Error::config("names a program to run; only the connections file may, as command('...')")),
            false => Ok(parsed),
        }
    }

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
            let referred = after.strip_prefix('{').and_then(|inner| inner.split_once("')}"));
            let referred = referred.and_then(|(inner, tail)| Some((Part::of_reference(&format!("{inner}')"))?, tail)));
            if let Some(tail) = after.strip_prefix('$') {
                literal.push('$');
                rest = tail;
            } else if let Some((name, tail)) = braced {
                parts.push(Part::Literal(Secret::new(std::mem::take(&mut literal))));
                parts.push(Part::Variable(name.to_string()));
                rest = tail;
            } else if let Some((part, tail)) = referred {
                parts.push(Part::Literal(Secret::new(std::mem::take(&mut literal))));
                parts.push(part);
                rest = tail;
            } else if at == 0 && rest.len() == text.len() {
                return Err(Error::config("starts with '$' but does not name an environment variable; write '$$' for a dollar sign"));
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
                // A mounted secret often ends in a line break that does not belong to it.
                Part::File(path) => value.push_str(read_text(&environment.expand(path), "file")?.trim_end_matches(['\r', '\n'])),
                Part::Command(line) => value.push_str(environment.output_of(line)?.expose()),
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
            reference => reference.reference().unwrap_or_default(),
        };
        Secret::new(self.parts.iter().map(written).collect::<String>())
    }

    /// Returns the names of the environment variables it refers to.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) | Part::File(_) | Part::Command(_) => None,
        })
    }

    /// Returns what may be shown: the references as they are written, literal text only when the option is not secret.
    pub fn shown(&self, secret: bool) -> String {
        let show = |part: &Part| match part {
            Part::Literal(_) if secret => "***".to_string(),
            Part::Literal(text) => text.expose().to_string(),
            // An argument may be a secret.
            Part::Command(_) => "command(***)".to_string(),
            reference => reference.reference().unwrap_or_default(),
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

    #[test]
    fn files_and_programs_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it's");
        std::fs::write(&path, "s3cr3t\n").unwrap();
        let environment = Environment::of_test(&[("TOKEN", "t0")], Some(folder.path()));
        let value = |text: &str| {
            let value = OptionText::parse_in_file(text).and_then(|parsed| parsed.resolve(&environment));
            value.map(|value| value.expose().to_string()).map_err(|err| err.to_string())
        };
        assert_eq!(value(&format!("file('{}')", path.display().to_string().replace('\'', "''"))).as_deref(), Ok("s3cr3t"));
        assert_eq!(value("file('~/it''s')").as_deref(), Ok("s3cr3t"));
        assert_eq!(value("a-${file('~/it''s')}-b").as_deref(), Ok("a-s3cr3t-b"));
        assert_eq!(value(" env('TOKEN') ").as_deref(), Ok("t0"));
        assert_eq!(value("command('printf \"%s\" \"a b\"')").as_deref(), Ok("a b"));
        assert!(value("file('~/absent')").unwrap_err().contains("absent' cannot be read"));
        assert!(value("command('false')").unwrap_err().starts_with("the program 'false' ended with"));
        assert!(value("command('/nowhere/x s3cr3t')").unwrap_err().starts_with("the program '/nowhere/x' cannot be run"));
        for literal in ["file()", "file('')", "file('a'b')", "files('a')", "xfile('a')"] {
            assert_eq!(value(literal).as_deref(), Ok(literal));
        }
    }

    #[test]
    fn a_statement_names_no_program() {
        let err = |text: &str| OptionText::parse_in_statement(text).unwrap_err().to_string();
        assert!(err("${command('date')}").contains("only the connections file may"));
        assert!(err("command('date')").contains("looks like a reference"));
        let file = OptionText::parse_in_statement("${file('/a''b')}").unwrap();
        assert_eq!((file.source().expose(), file.shown(true).as_str()), ("${file('/a''b')}", "${file('/a''b')}"));
        assert_eq!(OptionText::parse_in_file("command('x s3cr3t')").unwrap().shown(true), "command(***)");
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
