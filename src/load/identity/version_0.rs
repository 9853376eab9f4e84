//! How version 0 of the tables of schema `unify` named what it stored, as far as that can be known again.
//!
//! It hashed the debug text of its own structs. Names of parameter sets and hashes of options can be made again from what they stand for.
//! The hash of a spec cannot: a table of version 0 counts as one of the spec that there is, and the log says so.

use crate::http::ParamSet;
use crate::spec::{Connection, ParamValue};
use std::hash::{BuildHasher, Hash};

/// What a load of version 0 is known by, besides its spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity0 {
    sets: String,
    account: String,
}

impl Identity0 {
    /// Returns what a load of sets with these names, in order, is.
    pub fn new(keys: &[String], connection: &Connection) -> Identity0 {
        let options: Vec<(&str, &str)> = connection.options.values.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        let account = hash_of(&options).split_off(HASH_LEN - 4);
        Identity0 { sets: hash_of(keys), account }
    }

    /// Returns why a load that version 0 stored as `text` is not this one; `None` when nothing tells so.
    pub fn difference(&self, text: &str) -> Option<&'static str> {
        match text.split(';').collect::<Vec<_>>().as_slice() {
            [_, sets, _] if *sets != self.sets => Some("the parameter sets changed"),
            [_, _, account] if *account != self.account => Some("the options changed"),
            [_, _, _] => None,
            _ => Some("its state cannot be read"),
        }
    }
}

/// Hexadecimal digits of a hash.
const HASH_LEN: usize = 16;

/// Returns whether a spec or a name of a set was hashed by version 0.
pub fn is_hash(text: &str) -> bool {
    text.len() == HASH_LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the name of a set's values.
pub fn set_name(values: &[&(String, ParamValue)]) -> String {
    let shown: Vec<String> = values.iter().map(|(name, value)| format!("({name:?}, {})", shown(value))).collect();
    hash_of(&format!("[{}]", shown.join(", ")))
}

/// Returns the set's values by name, in the order of the spec.
pub fn values_of<'s>(set: &'s ParamSet, params: &[String]) -> Vec<&'s (String, ParamValue)> {
    set.values.iter().filter(|(name, _)| params.contains(name)).collect()
}

fn shown(value: &ParamValue) -> String {
    match value {
        ParamValue::Null => "Null".to_string(),
        ParamValue::Boolean(value) => format!("Boolean({value})"),
        ParamValue::Integer(value) => format!("Integer({value})"),
        ParamValue::Double(value) => format!("Double({value:?})"),
        ParamValue::Text(text) | ParamValue::Raw(text) => format!("Text({text:?})"),
        // Version 0 knew no param of many values.
        ParamValue::Many { .. } => format!("Text({:?})", value.to_text().unwrap_or_default()),
        // A set's templates were filled before it got its name.
        ParamValue::Template(template) => format!("Text({:?})", template.as_literal().unwrap_or_default()),
    }
}

fn hash_of(value: &(impl Hash + ?Sized)) -> String {
    format!("{:016x}", foldhash::fast::FixedState::default().hash_one(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_the_names_that_version_0_stored() {
        // As in the database that test/fixtures keeps.
        let value = |number: i128| ("team".to_string(), ParamValue::Integer(number));
        assert_eq!([set_name(&[&value(1)]), set_name(&[&value(2)])], ["1d9f1146b707e842", "4b80447cf8a2b1d2"]);
    }

    #[test]
    fn a_load_has_the_hash_that_version_0_stored() {
        assert_eq!(hash_of(&["{}".to_string()][..]), "5948c7a0d5cd53d9");
        assert_eq!(hash_of(&vec![("bearer_token", "token-of-the-past")]).split_off(HASH_LEN - 4), "d27f");
    }

    #[test]
    fn hashes_of_version_0_are_known_by_their_form() {
        assert!(is_hash("9b56a2e4683f74b7"));
        assert!(!is_hash("1:9b56a2e4683f74b7") && !is_hash("9b56a2e4683f74b79b56a2e4683f74b7") && !is_hash(""));
    }
}
