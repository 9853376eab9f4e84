//! Reads an option.

use crate::spec::OptionSpec;
use crate::yaml::{Fields, Mistakes, Node};

/// Whether an option is secret when the spec does not say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    Open,
    Secret,
    /// Secret, and sent in a header or parameter of the key's name.
    SecretField,
}

const OPTION_KEYS: &[&str] = &["description", "default", "required", "secret"];

/// Reads one option: nothing, its description, or a mapping. An option under `auth` is required unless it has a default.
pub fn option_of(name: &str, node: &Node, secrecy: Secrecy, mistakes: &Mistakes) -> OptionSpec {
    let is_auth = secrecy != Secrecy::Open;
    let mut option = OptionSpec { name: name.to_string(), description: None, default: None, required: is_auth, secret: is_auth };
    if node.is_null() {
        return option;
    }
    if let Some(text) = node.text() {
        option.description = Some(text.to_string());
        return option;
    }
    let more: &[&str] = match secrecy {
        Secrecy::Open => &[],
        Secrecy::Secret => &["option"],
        Secrecy::SecretField => &["option", "prefix"],
    };
    let keys: Vec<&str> = OPTION_KEYS.iter().chain(more).copied().collect();
    let Some(fields) = Fields::of(node, format!("option '{name}'"), &keys, mistakes) else { return option };
    option.description = fields.text("description");
    option.default = fields.text("default");
    option.required = fields.boolean("required").unwrap_or(is_auth && option.default.is_none());
    option.secret = fields.boolean("secret").unwrap_or(is_auth);
    if secrecy == Secrecy::SecretField {
        fields.text("prefix");
    }
    if is_auth {
        option.name = fields.text("option").unwrap_or(option.name);
    }
    option
}
