//! What a load is a load of. Where an unfinished one was of something else, it cannot be continued.

use crate::http::{ParamSet, Redactor};
use crate::json::write_text;
use crate::spec::{Connection, ParamValue, RefreshStrategy, TableDef};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// Hashes of what a load's rows depend on. They are equal in all processes of one version of Unify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Of the table's definition and the options that are no secrets.
    pub spec: String,
    /// Of the parameter sets, in order.
    sets: String,
}

impl Identity {
    /// Returns what a load of these sets is. `spec` is the [`spec_hash`], `keys` are the names of [`set_keys`].
    pub fn new(spec: String, keys: &[String]) -> Identity {
        Identity { spec, sets: hash_of(keys) }
    }

    /// Returns the text that is stored with an unfinished load.
    pub fn to_text(&self) -> String {
        format!("{};{}", self.spec, self.sets)
    }

    /// Returns why a load that was stored with `text` is not this one; `None` when it is.
    pub fn difference(&self, text: &str) -> Option<&'static str> {
        match text.split_once(';') {
            Some((spec, _)) if spec != self.spec => Some("the spec or the options changed"),
            Some((_, sets)) if sets != self.sets => Some("the parameter sets changed"),
            Some(_) => None,
            None => Some("its state cannot be read"),
        }
    }
}

/// Returns the hash of what a table's rows depend on: its definition, but for how it is refreshed, and the options that are no secrets.
pub fn spec_hash(connection: &Connection, table_def: &TableDef) -> String {
    let adapter = &connection.adapter;
    let secret: Vec<&str> = adapter.all_options().into_iter().filter(|option| option.secret).map(|option| option.name.as_str()).collect();
    let options = connection.options.values.iter().filter(|(name, _)| !secret.contains(&name.as_str()));
    let options: Vec<(&str, &str)> = options.map(|(name, value)| (name.as_str(), value.expose())).collect();
    let table_def = TableDef { refresh: RefreshStrategy::default(), max_staleness: None, ..table_def.clone() };
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
