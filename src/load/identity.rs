//! What a load is a load of. Where an unfinished one was of something else, it cannot be continued.

use crate::http::{ParamSet, Redactor};
use crate::json::write_text;
use crate::spec::{Connection, ParamValue, RefreshStrategy, TableDef};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// Hexadecimal digits of a hash.
const HASH_LEN: usize = 16;
/// Digits kept of the hash of secrets.
const ACCOUNT_LEN: usize = 4;

/// Hashes of what a load's rows depend on. They are equal in all processes of one version of Unify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Of the table's definition and the options that are no secrets.
    pub spec: String,
    /// Of the parameter sets, in order.
    sets: String,
    /// Of the options that are secrets: another token may mean another account. So few bits that a guess cannot be checked by them.
    account: String,
}

impl Identity {
    /// Returns what a load of these sets is. `spec` is the [`spec_hash`], `keys` are the names of [`set_keys`].
    pub fn new(spec: String, keys: &[String], connection: &Connection) -> Identity {
        let secrets: Vec<(&str, &str)> = connection.options.values.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        let account = hash_of(&secrets).split_off(HASH_LEN - ACCOUNT_LEN);
        Identity { spec, sets: hash_of(keys), account }
    }

    /// Returns the text that is stored with an unfinished load.
    pub fn to_text(&self) -> String {
        format!("{};{};{}", self.spec, self.sets, self.account)
    }

    /// Returns why a load that was stored with `text` is not this one; `None` when it is.
    pub fn difference(&self, text: &str) -> Option<&'static str> {
        match text.split(';').collect::<Vec<_>>().as_slice() {
            [spec, _, _] if *spec != self.spec => Some("the spec or the options changed"),
            [_, sets, _] if *sets != self.sets => Some("the parameter sets changed"),
            [_, _, account] if *account != self.account => Some("the credentials changed"),
            [_, _, _] => None,
            _ => Some("its state cannot be read"),
        }
    }
}

/// Returns the hash of what a table's rows depend on: its definition, but for how it is refreshed and written back, and the options that are no secrets.
pub fn spec_hash(connection: &Connection, table_def: &TableDef) -> String {
    let adapter = &connection.adapter;
    let secret: Vec<&str> = adapter.all_options().into_iter().filter(|option| option.secret).map(|option| option.name.as_str()).collect();
    let options = connection.options.values.iter().filter(|(name, _)| !secret.contains(&name.as_str()));
    let options: Vec<(&str, &str)> = options.map(|(name, value)| (name.as_str(), value.expose())).collect();
    let table_def = TableDef { refresh: RefreshStrategy::default(), max_staleness: None, write: None, ..table_def.clone() };
    hash_of(&format!("{table_def:?} {:?} {:?} {options:?}", adapter.base_url, adapter.headers))
}

/// Returns a short name of a value, equal in all processes of one version of Unify.
pub fn hash_of(value: &(impl Hash + ?Sized)) -> String {
    format!("{:016x}", foldhash::fast::FixedState::default().hash_one(value))
}

/// Returns the name of each set in `load_state`: its values as JSON, secrets redacted, numbered where several look the same.
pub fn set_keys(sets: &[ParamSet], redactor: &Redactor) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut keys = Vec::with_capacity(sets.len());
    for set in sets {
        let key = redactor.text(&key_of(&set.values));
        let n_seen = seen.entry(key.clone()).or_default();
        *n_seen += 1;
        keys.push(if *n_seen == 1 { key } else { format!("{key} #{n_seen}") });
    }
    keys
}

fn key_of(values: &[(String, ParamValue)]) -> String {
    let mut out = vec![b'{'];
    for (idx, (name, value)) in values.iter().enumerate() {
        if idx > 0 {
            out.push(b',');
        }
        write_text(&mut out, name);
        out.push(b':');
        match value {
            ParamValue::Text(text) => write_text(&mut out, text),
            ParamValue::Template(_) => write_text(&mut out, &value.to_text().unwrap_or_default()),
            other => out.extend_from_slice(other.to_text().unwrap_or_else(|| "null".to_string()).as_bytes()),
        }
    }
    out.push(b'}');
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{AdapterSpec, Secret};
    use std::sync::Arc;

    const SPEC: &str = "
name: shop
options: {site: {default: main}}
base_url: https://api.test
auth: {type: BEARER, params: {bearer_token: the token}}
tables:
  - {name: orders, resource_path: /orders}
";

    fn connection(spec: &str, options: &[(&str, &str)]) -> Connection {
        let adapter = Arc::new(AdapterSpec::parse("shop.yaml", spec).unwrap().unwrap());
        let options = options.iter().map(|(name, value)| (name.to_string(), Secret::new(*value))).collect();
        adapter.connect("shop", options).unwrap()
    }

    fn hash(spec: &str, options: &[(&str, &str)]) -> String {
        let connection = connection(spec, options);
        spec_hash(&connection, connection.adapter.table("orders").unwrap())
    }

    #[test]
    fn what_rows_depend_on_makes_another_load() {
        let base = hash(SPEC, &[("bearer_token", "secret")]);
        assert_eq!(hash(SPEC, &[("bearer_token", "another")]), base, "a new token gives the same rows");
        assert_eq!(hash(&SPEC.replace("/orders}", "/orders, refresh: {max_staleness: 1h}}"), &[("bearer_token", "secret")]), base);
        assert_ne!(hash(&SPEC.replace("/orders}", "/orders, params: {all: true}}"), &[("bearer_token", "secret")]), base);
        assert_ne!(hash(&SPEC.replace("api.test", "other.test"), &[("bearer_token", "secret")]), base);
        assert_ne!(hash(SPEC, &[("bearer_token", "secret"), ("site", "other")]), base);
    }

    #[test]
    fn a_load_of_something_else_cannot_be_continued() {
        let keys = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let mine = connection(SPEC, &[("bearer_token", "mine")]);
        let stored = Identity::new("a".into(), &keys(&["{}", "{}"]), &mine).to_text();
        let difference = |spec: &str, names: &[&str]| Identity::new(spec.into(), &keys(names), &mine).difference(&stored);
        assert_eq!(difference("a", &["{}", "{}"]), None);
        assert_eq!(difference("b", &["{}", "{}"]), Some("the spec or the options changed"));
        assert_eq!(difference("a", &["{}"]), Some("the parameter sets changed"));
        let theirs = connection(SPEC, &[("bearer_token", "theirs")]);
        let other = Identity::new("a".into(), &keys(&["{}", "{}"]), &theirs);
        assert_eq!(other.difference(&stored), Some("the credentials changed"));
        assert_eq!(other.difference("?"), Some("its state cannot be read"));
        assert!(!stored.contains("mine") && stored.len() == "a;;".len() + HASH_LEN + ACCOUNT_LEN, "{stored}");
    }

    #[test]
    fn sets_that_look_the_same_have_names_of_their_own() {
        let connection = connection(SPEC, &[("bearer_token", "secret-token")]);
        let set = |value: ParamValue| ParamSet { values: vec![("a".to_string(), value)], from_parent: false };
        let sets = ["x\"y", "secret-token", "secret-token"].map(|text| set(ParamValue::Text(text.into())));
        let keys =
            set_keys(&[sets.as_slice(), &[set(ParamValue::Integer(7)), set(ParamValue::Null)]].concat(), &Redactor::new(&connection));
        assert_eq!(keys, [r#"{"a":"x\"y"}"#, r#"{"a":"***"}"#, r#"{"a":"***"} #2"#, r#"{"a":7}"#, r#"{"a":null}"#]);
    }
}
