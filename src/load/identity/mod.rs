//! What a load is a load of. Where an unfinished one was of something else, it cannot be continued.

pub(super) mod canonical;
pub(super) mod version_0;

use self::canonical::{hash_of, text_of, FORM};
use self::version_0::Identity0;
use crate::document::quoted as text;
use crate::document::write_text;
use crate::http::{ParamSet, Redactor};
use crate::spec::{Builtin, Connection, ParamValue, TableDef, Template, WINDOW_END, WINDOW_START};
use std::collections::HashMap;

/// What the address of the first page is called in the name of a set.
const LINK: &str = "page.link";
/// Digits kept of the hash of secrets.
const ACCOUNT_LEN: usize = 4;

/// Hashes of what a load's rows depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Of the table's definition and the options that are not secret: see [`spec_hash`].
    pub spec: String,
    /// Of the names of the parameter sets.
    sets: String,
    /// Of the options that are secrets, for each credential: another token may mean another account. So few bits that a guess cannot be
    /// checked by them.
    accounts: Vec<String>,
    old: Identity0,
    /// The names of sets that version 0 named otherwise, by its name.
    renamed: HashMap<String, String>,
}

/// What is known about a stored load's spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecMatch {
    Same,
    /// Version 0 stored it: nothing can tell.
    Unknown,
    Other,
}

impl SpecMatch {
    /// Compares a stored hash with a [`spec_hash`].
    pub fn of(stored: &str, spec: &str) -> SpecMatch {
        match stored == spec {
            true => SpecMatch::Same,
            false if version_0::is_hash(stored) => SpecMatch::Unknown,
            false => SpecMatch::Other,
        }
    }
}

impl Identity {
    /// Returns what a load of these sets is. `spec` is the [`spec_hash`].
    pub fn new(spec: String, sets: &[ParamSet], redactor: &Redactor, connection: &Connection) -> Identity {
        let adapter = &connection.adapter;
        let is_secret = |name: &str| adapter.option(name).is_none_or(|option| option.secret);
        let account_of = |one: &Connection| {
            let secrets = one.options.values.iter().filter(|(name, _)| is_secret(name));
            let secrets: Vec<String> = secrets.map(|(name, value)| format!("{} {}", text(name), text(value.expose()))).collect();
            let mut account = hash_of(&secrets.join("\n"));
            account.truncate(ACCOUNT_LEN);
            account
        };
        let accounts: Vec<String> = connection.credentials().iter().map(account_of).collect();
        let (keys, old_keys) = (set_keys(sets, redactor), names_of(sets.iter().map(|set| key_of(&set.values)), redactor));
        let old = Identity0::new(&old_keys, connection);
        let renamed = old_keys.into_iter().zip(&keys).filter(|(old, new)| old != *new).map(|(old, new)| (old, new.clone())).collect();
        // Sets are asked in the order of the spec; what rows there are does not depend on it.
        let mut sorted = keys;
        sorted.sort();
        Identity { spec, sets: hash_of(&sorted.join("\n")), accounts, old, renamed }
    }

    /// Returns the name of the ETag of a load's only answer; `None` where it has several. Another request and another account have another.
    pub fn etag_name(&self, sets: &[ParamSet]) -> Option<String> {
        let [set] = sets else { return None };
        Some(format!("etag {} {}", set_name(&set.values.iter().collect::<Vec<_>>()), self.accounts.first()?))
    }

    /// Returns the text that is stored with an unfinished load.
    pub fn to_text(&self) -> String {
        format!("{};{};{}", self.spec, self.sets, self.accounts.join(","))
    }

    /// Returns why a load that was stored with `text` is not this one; `None` when it is, or when version 0 stored it and nothing that can
    /// be compared is different.
    pub fn difference(&self, text: &str) -> Option<&'static str> {
        match text.split(';').collect::<Vec<_>>().as_slice() {
            [spec, _, _] if version_0::is_hash(spec) => self.old.difference(text),
            [spec, _, _] if *spec != self.spec => Some("the spec or the options changed"),
            [_, sets, _] if *sets != self.sets => Some("the parameter sets changed"),
            // Several credentials of one connection are of one account.
            [_, _, accounts] if !accounts.split(',').any(|stored| self.accounts.iter().any(|own| own == stored)) => {
                Some("the credentials changed")
            }
            [_, _, _] => None,
            _ => Some("its state cannot be read"),
        }
    }

    /// Returns whether the load stored with `text` may be of another spec, since version 0 stored it.
    pub fn is_unproven(text: &str) -> bool {
        text.split(';').next().is_some_and(version_0::is_hash)
    }

    /// Returns the name of the set that is stored under `key`.
    pub fn set_key<'k>(&'k self, key: &'k str) -> &'k str {
        self.renamed.get(key).map_or(key, String::as_str)
    }
}

/// Returns the hash of what a table's rows depend on, behind the form of the text that was hashed.
pub fn spec_hash(connection: &Connection, table_def: &TableDef) -> String {
    format!("{FORM}{}", hash_of(&text_of(connection, table_def)))
}

/// Returns the hash of what the rows of a load depend on, for the next load to know whether it is the same one. That is the [`spec_hash`]
/// `spec` of the table, unless updates are asked for by requests of their own, or a request says since when otherwise than in a param.
pub fn asked_hash(spec: &str, connection: &Connection, table_def: &TableDef, sets: &[ParamSet]) -> String {
    let is_since = |name: &str| Builtin::named(name) == Some(Builtin::Since);
    let starts: Vec<String> = sets.iter().filter_map(|set| set.load.start_text()).collect();
    let says_since = table_def.request_templates().into_iter().flat_map(Template::names).any(is_since);
    let text = text_of(connection, table_def);
    if format!("{FORM}{}", hash_of(&text)) == spec && (starts.is_empty() || !says_since) {
        return spec.to_string();
    }
    format!("{FORM}{}", hash_of(&format!("{text}\nupdates since {}", starts.join(" "))))
}

/// Returns a short name of a set of values, whatever order they come in.
pub fn set_name(values: &[&(String, ParamValue)]) -> String {
    let mut values: Vec<(String, ParamValue)> = values.iter().map(|value| (*value).clone()).collect();
    values.sort_by(|a, b| a.0.cmp(&b.0));
    hash_of(&key_of(&values))
}

/// Returns the name of each set in `load_state`: its values as JSON, sorted by their names, secrets redacted, numbered where several look the
/// same.
pub fn set_keys(sets: &[ParamSet], redactor: &Redactor) -> Vec<String> {
    let sorted = |set: &ParamSet| {
        let mut values = set.values.clone();
        if let Some(windowed) = &set.window {
            let names = [WINDOW_START, WINDOW_END].into_iter().zip(windowed.window.names());
            values.extend(names.map(|(name, text)| (name.to_string(), ParamValue::Text(text))));
        }
        values.extend(set.link.as_ref().map(|link| (LINK.to_string(), ParamValue::Text(hash_of(link)))));
        values.sort_by(|a, b| a.0.cmp(&b.0));
        key_of(&values)
    };
    names_of(sets.iter().map(sorted), redactor)
}

/// Returns what the rows of the set of this name are marked with while they may have to be found again.
pub fn set_mark(key: &str) -> String {
    hash_of(key)
}

fn names_of(keys: impl Iterator<Item = String>, redactor: &Redactor) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let name = |key: String| {
        let key = redactor.text(&key);
        let n_seen = seen.entry(key.clone()).or_default();
        *n_seen += 1;
        if *n_seen == 1 {
            key
        } else {
            format!("{key} #{n_seen}")
        }
    };
    keys.map(name).collect()
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
            ParamValue::Text(text) | ParamValue::Raw(text) => write_text(&mut out, text),
            ParamValue::Template(_) | ParamValue::Many { .. } => write_text(&mut out, &value.to_text().unwrap_or_default()),
            other => out.extend_from_slice(other.to_text().unwrap_or_else(|| "null".to_string()).as_bytes()),
        }
    }
    out.push(b'}');
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{AdapterSpec, LoadValues, Secret};
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

    fn set(values: &[(&str, ParamValue)]) -> ParamSet {
        ParamSet {
            values: values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
            from_parent: false,
            ..ParamSet::default()
        }
    }

    fn identity(spec: &str, sets: &[ParamSet], connection: &Connection) -> Identity {
        Identity::new(spec.to_string(), sets, &Redactor::new(connection), connection)
    }

    #[test]
    fn a_load_of_something_else_cannot_be_continued() {
        let mine = connection(SPEC, &[("bearer_token", "mine")]);
        let (one, two) = (set(&[("a", ParamValue::Integer(1))]), set(&[("a", ParamValue::Integer(2))]));
        let sets = [one.clone(), two.clone()];
        let stored = identity("1:a", &sets, &mine).to_text();
        let difference = |spec: &str, sets: &[ParamSet]| identity(spec, sets, &mine).difference(&stored);
        assert_eq!(difference("1:a", &sets), None);
        assert_eq!(difference("1:a", &[two, one.clone()]), None, "the order in which sets are asked does not matter");
        assert_eq!(difference("1:b", &sets), Some("the spec or the options changed"));
        assert_eq!(difference("1:a", &[one]), Some("the parameter sets changed"));
        let other = identity("1:a", &sets, &connection(SPEC, &[("bearer_token", "theirs")]));
        assert_eq!(other.difference(&stored), Some("the credentials changed"));
        assert_eq!(other.difference("?"), Some("its state cannot be read"));
        // Several credentials of one connection are of one account, and each may go on.
        let both = [("bearer_token", "theirs"), ("bearer_token 2", "mine")];
        let spec = mine.adapter.laid_over(&both.map(|(name, value)| (name.to_string(), Secret::new(value))).into());
        let spec = Arc::new(spec.unwrap().unwrap());
        let both = spec.connect("c", both.map(|(name, value)| (name.to_string(), Secret::new(value))).into()).unwrap();
        let both = identity("1:a", &sets, &both);
        assert_eq!((both.difference(&stored), other.difference(&both.to_text())), (None, None));
        assert!(!stored.contains("mine") && stored.len() == "1:a;;".len() + 32 + ACCOUNT_LEN, "{stored}");
    }

    #[test]
    fn a_load_of_version_0_goes_on_unless_something_tells_otherwise() {
        let mine = connection(SPEC, &[("bearer_token", "token-of-the-past")]);
        // Version 0 wrote params in the order of the spec.
        let sets = [set(&[("b", ParamValue::Integer(1)), ("a", ParamValue::Integer(2))])];
        let identity = identity("1:any", &sets, &mine);
        let old = Identity0::new(&[r#"{"b":1,"a":2}"#.to_string()], &mine);
        assert_eq!(identity.old, old);
        assert_eq!(identity.difference("0123456789abcdef;0;0"), Some("the parameter sets changed"));
        assert_eq!(identity.set_key(r#"{"b":1,"a":2}"#), r#"{"a":2,"b":1}"#);
        assert_eq!(identity.set_key("another"), "another");
        assert!(Identity::is_unproven("0123456789abcdef;0;0") && !Identity::is_unproven(&identity.to_text()));
        assert_eq!(SpecMatch::of("0123456789abcdef", "1:x"), SpecMatch::Unknown);
        assert_eq!((SpecMatch::of("1:x", "1:x"), SpecMatch::of("1:y", "1:x")), (SpecMatch::Same, SpecMatch::Other));
    }

    #[test]
    fn sets_are_known_by_their_values_in_any_order() {
        let (a, b) = (("a".to_string(), ParamValue::Integer(1)), ("b".to_string(), ParamValue::Text("x".into())));
        assert_eq!(set_name(&[&a, &b]), set_name(&[&b, &a]));
        assert_ne!(set_name(&[&a]), set_name(&[&b]));
        let redactor = Redactor::new(&connection(SPEC, &[("bearer_token", "secret-token")]));
        assert_eq!(
            set_keys(&[ParamSet { values: vec![b, a], from_parent: false, ..ParamSet::default() }], &redactor),
            [r#"{"a":1,"b":"x"}"#]
        );
    }

    #[test]
    fn sets_that_look_the_same_have_names_of_their_own() {
        let connection = connection(SPEC, &[("bearer_token", "secret-token")]);
        let set = |value: ParamValue| ParamSet { values: vec![("a".to_string(), value)], from_parent: false, ..ParamSet::default() };
        let sets = ["x\"y", "secret-token", "secret-token"].map(|text| set(ParamValue::Text(text.into())));
        let keys =
            set_keys(&[sets.as_slice(), &[set(ParamValue::Integer(7)), set(ParamValue::Null)]].concat(), &Redactor::new(&connection));
        assert_eq!(keys, [r#"{"a":"x\"y"}"#, r#"{"a":"***"}"#, r#"{"a":"***"} #2"#, r#"{"a":7}"#, r#"{"a":null}"#]);
    }

    #[test]
    fn a_load_that_says_since_when_is_another_than_one_from_another_moment() {
        let since = |timestamp| ParamSet { load: Arc::new(LoadValues { timestamp, ..LoadValues::default() }), ..set(&[]) };
        let in_body = SPEC.replace("/orders}", "/orders, body: {a: '${timestamp}'}, refresh: {strategy: updates}}");
        let request = "{strategy: updates, cursor: {column: a, param: b}, request: {resource_path: /changed}}";
        let apart = SPEC.replace("/orders}", &format!("/orders, refresh: {request}}}"));
        for (spec, of_all, of_updates) in [(SPEC, true, true), (&in_body, true, false), (&apart, true, false)] {
            let connection = connection(spec, &[("bearer_token", "secret-token")]);
            let table_def = &connection.adapter.tables[0];
            let hash = spec_hash(&connection, table_def);
            let asked = |timestamp| asked_hash(&hash, &connection, table_def.for_updates(), &[since(timestamp)]);
            assert_eq!(asked_hash(&hash, &connection, table_def, &[since(None)]) == hash, of_all);
            assert_eq!(asked(Some(5)) == hash, of_updates, "{spec}");
            assert_eq!(asked(Some(5)), asked(Some(5)));
            assert_eq!(asked(Some(5)) == asked(Some(6)), of_updates, "{spec}");
        }
    }
}
