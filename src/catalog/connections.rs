//! The connections file: its entries, each with its own outcome, so that a bad one never stops the others.

use crate::catalog::adapters::AdapterEntry;
use crate::catalog::config::Environment;
use crate::catalog::hint::hint;
use crate::catalog::option_text::OptionText;
use crate::spec::yaml::{parse_into, Mistakes, Node};
use crate::spec::{AdapterSpec, Connection, Secret};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names of schemas DuckDB or Unify has for itself.
const RESERVED: &[&str] = &["main", "temp", "unify", "information_schema", "pg_catalog", "system"];
/// Keys of an entry. The first three mean the same.
const KEYS: &[&str] = &["adapter", "connector", "spec", "options"];

/// A connection by name, or what is wrong with its entry.
#[derive(Clone)]
pub struct ConnectionEntry {
    pub name: String,
    /// The adapter's name as the file has it; empty when it has none.
    pub adapter: String,
    /// The file the entry is in.
    pub source: String,
    /// The entry's line in the file.
    pub line: usize,
    setup: Result<Setup>,
    environment: Arc<Environment>,
}

/// What a connection is made of, environment references unresolved.
#[derive(Clone)]
struct Setup {
    spec: Arc<AdapterSpec>,
    options: Vec<(String, OptionText)>,
}

impl ConnectionEntry {
    /// Returns the adapter's spec, or what is wrong with the entry. Reads no environment variable.
    pub fn spec(&self) -> Result<&Arc<AdapterSpec>> {
        match &self.setup {
            Ok(setup) => Ok(&setup.spec),
            Err(err) => Err(self.placed(err)),
        }
    }

    /// Resolves the environment references and checks the options against the adapter's. Fails with what is wrong with the entry,
    /// naming the connection and its place in the file; never with a value.
    pub fn open(&self) -> Result<Arc<Connection>> {
        self.connect().map(Arc::new).map_err(|err| self.placed(&err))
    }

    /// Returns the options with secrets redacted: `username=me, password=$GITHUB_TOKEN`.
    pub fn redacted_options(&self) -> String {
        let Ok(setup) = &self.setup else { return String::new() };
        // A name the adapter does not know may be a misspelt secret.
        let is_secret = |name: &str| setup.spec.option(name).is_none_or(|option| option.secret);
        let shown = setup.options.iter().map(|(name, text)| format!("{name}={}", text.shown(is_secret(name))));
        shown.collect::<Vec<_>>().join(", ")
    }

    fn connect(&self) -> Result<Connection> {
        let setup = self.setup.as_ref().map_err(Error::clone)?;
        let mut given: BTreeMap<String, Secret> = BTreeMap::new();
        for (name, text) in &setup.options {
            let value = text.resolve(&self.environment).map_err(|err| Error::config(format!("option '{name}': {err}")))?;
            given.insert(name.clone(), value);
        }
        setup.spec.connect(&self.name, given)
    }

    /// Names the connection, once, and its place in the file.
    fn placed(&self, err: &Error) -> Error {
        let named = format!("connection '{}': ", self.name);
        let message = err.message().strip_prefix(&named).unwrap_or(err.message());
        Error::new(err.kind(), format!("connection '{}' ({}:{}): {message}", self.name, self.source, self.line))
    }
}

/// The entries of a connections file, and what is wrong with the file as a whole.
pub struct ConnectionsFile {
    pub entries: Vec<ConnectionEntry>,
    pub problem: Option<Error>,
}

/// Reads the entries of the file `source`. `adapters` is sorted so that of several with one name the first is meant.
pub fn parse(source: &str, text: &str, adapters: &[AdapterEntry], environment: &Arc<Environment>) -> ConnectionsFile {
    let mistakes = Mistakes::new(source);
    let root = parse_into(text, &mistakes);
    let nodes = match &root {
        Some(node) if node.is_null() => &[],
        Some(node) => node.list().unwrap_or_else(|| {
            mistakes.at(node, "expected a list of connections, each '- name:' with 'adapter' and 'options' below it");
            &[]
        }),
        None => &[] as &[Node],
    };
    let mut entries: Vec<ConnectionEntry> = Vec::new();
    for (idx, node) in nodes.iter().enumerate() {
        let entry = Entry::of(node, idx);
        let earlier = entries.iter().find(|earlier| earlier.name.eq_ignore_ascii_case(&entry.name));
        let setup = match earlier {
            Some(earlier) => Err(Error::config(format!("the name is taken by the entry at line {}; choose another", earlier.line))),
            None => entry.setup(adapters),
        };
        entries.push(ConnectionEntry {
            name: entry.name,
            adapter: entry.adapter.unwrap_or_default(),
            source: source.to_string(),
            line: node.line,
            setup,
            environment: Arc::clone(environment),
        });
    }
    ConnectionsFile { entries, problem: mistakes.into_result().err() }
}

/// An entry of the file before its adapter is looked up.
struct Entry<'a> {
    name: String,
    adapter: Option<String>,
    body: Result<&'a Node>,
}

impl<'a> Entry<'a> {
    fn of(node: &'a Node, idx: usize) -> Entry<'a> {
        let unnamed = |message: &str| Entry {
            name: format!("(entry {})", idx + 1),
            adapter: None,
            body: Err(Error::config(format!("{message}; expected '- name:' with 'adapter' and 'options' below it"))),
        };
        let Some(entries) = node.mapping() else { return unnamed("the entry is no mapping") };
        let Some((key, body)) = entries.first() else { return unnamed("the entry is empty") };
        if key.name.trim().is_empty() {
            return unnamed("the entry has no name");
        }
        let adapter = KEYS[..3].iter().find_map(|key| body.get(key)).and_then(Node::text).map(str::to_string);
        let body = match entries.get(1) {
            Some((second, _)) => Err(Error::config(format!(
                "the entry has the key '{}' beside its name; indent it further, so that it stands below the name",
                second.name
            ))),
            None => Ok(body),
        };
        Entry { name: key.name.clone(), adapter, body }
    }

    fn setup(&self, adapters: &[AdapterEntry]) -> Result<Setup> {
        let body = self.body.clone()?;
        if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(&self.name)) {
            return Err(Error::config(format!("the name is reserved; choose another than {}", RESERVED.join(", "))));
        }
        let keys = body.mapping().ok_or_else(|| Error::config("nothing stands below the name; expected 'adapter' and 'options'"))?;
        for (key, _) in keys {
            if !KEYS.contains(&key.name.as_str()) {
                let hint = hint(&key.name, KEYS.iter().copied(), "");
                return Err(Error::config(format!("unknown key '{}' at line {}; {hint}", key.name, key.line)));
            }
        }
        let adapter = self.adapter.as_deref().ok_or_else(|| Error::config("no 'adapter' is given; SHOW ALL ADAPTERS lists them"))?;
        Ok(Setup { spec: spec_of(adapter, adapters)?, options: options_of(body)? })
    }
}

fn spec_of(adapter: &str, adapters: &[AdapterEntry]) -> Result<Arc<AdapterSpec>> {
    let Some(entry) = adapters.iter().find(|entry| entry.name.eq_ignore_ascii_case(adapter)) else {
        let hint =
            hint(adapter, adapters.iter().map(|entry| entry.name.as_str()), "there is none: put specs into the folder 'unify_spec_path'");
        return Err(Error::config(format!("there is no adapter '{adapter}'; {hint}")));
    };
    entry.outcome.clone().map_err(|err| err.within(format!("adapter '{adapter}'")))
}

fn options_of(body: &Node) -> Result<Vec<(String, OptionText)>> {
    let Some(node) = body.get("options").filter(|node| !node.is_null()) else { return Ok(Vec::new()) };
    let Some(entries) = node.mapping() else {
        return Err(Error::config(format!("'options' at line {} is no mapping; expected 'name: value' below it", node.line)));
    };
    let mut options = Vec::new();
    for (key, node) in entries.iter().filter(|(_, node)| !node.is_null()) {
        let wrong = |why: &str| Error::config(format!("option '{}' at line {} {why}", key.name, key.line));
        let text = node.text().ok_or_else(|| wrong("is a list or a mapping; expected a text"))?;
        options.push((key.name.clone(), OptionText::parse(text).map_err(|err| wrong(err.message()))?));
    }
    Ok(options)
}
