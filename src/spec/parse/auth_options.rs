//! The options of an `auth` whose roles have names of their own.

use super::option::{option_of, Secrecy};
use crate::spec::OptionSpec;
use crate::yaml::{Fields, Node};

/// The options that `params` describes.
pub(super) struct Options<'a> {
    fields: &'a Fields<'a>,
    given: Vec<(String, OptionSpec)>,
}

impl<'a> Options<'a> {
    pub(super) fn of(fields: &'a Fields<'a>) -> Options<'a> {
        let entries = match fields.get("params") {
            None => &[],
            Some(node) => node.mapping().unwrap_or_else(|| {
                fields.wrong("params", node, "a mapping of option names to descriptions");
                &[]
            }),
        };
        let option = |name: &str, node: &Node| (name.to_string(), option_of(name, node, Secrecy::Secret, fields.mistakes()));
        Options { fields, given: entries.iter().map(|(key, node)| option(&key.name, node)).collect() }
    }

    /// Takes the option for `name`: as `params` describes it, else one of that name.
    pub(super) fn take(&mut self, name: &str, description: &str) -> OptionSpec {
        match self.given.iter().position(|(given, _)| given == name) {
            Some(idx) => {
                let (_, mut option) = self.given.remove(idx);
                option.description = option.description.or_else(|| Some(description.to_string()));
                option
            }
            None => OptionSpec {
                name: name.to_string(),
                description: Some(description.to_string()),
                default: None,
                required: true,
                secret: true,
            },
        }
    }

    /// Takes the option for `name`, which old files may call `old`.
    pub(super) fn take_renamed(&mut self, name: &str, old: &str, description: &str) -> OptionSpec {
        let has = |name: &str| self.given.iter().any(|(given, _)| given == name);
        let given = if has(old) && !has(name) { old } else { name };
        self.take(given, description)
    }

    /// Takes an option as [`Options::take`] does, but it is not secret unless `params` says so.
    pub(super) fn take_open(&mut self, name: &str, description: &str) -> OptionSpec {
        let says = |key: &str| self.fields.get("params").and_then(|node| node.get(name)).and_then(|node| node.get(key)).is_some();
        let is_told = says("secret");
        let option = self.take(name, description);
        OptionSpec { secret: is_told && option.secret, ..option }
    }

    /// Makes an option one that only holes name.
    pub(super) fn put_back(&mut self, option: OptionSpec) {
        self.given.push((option.name.clone(), option));
    }

    /// Returns the options that nobody took.
    pub(super) fn rest(self) -> Vec<OptionSpec> {
        self.given.into_iter().map(|(_, option)| option).collect()
    }
}
