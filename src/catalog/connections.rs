//! Connections, from the connections file or from SQL: each with its own outcome, so that a bad one never stops the others.

use crate::catalog::adapters::AdapterEntry;
use crate::catalog::config::Environment;
use crate::catalog::discoveries::Discoveries;
use crate::catalog::hint::hint;
use crate::catalog::option_text::OptionText;
use crate::http::without_secrets;
use crate::lock::lock;
use crate::spec::{header_of, header_option, option_of_credential, AdapterSpec, Connection, Secret, Tokens};
use crate::yaml::{parse_into, Key, Mistakes, Node};
use crate::{Error, Place, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Names of schemas DuckDB or Unify has for itself.
const RESERVED: &[&str] = &["main", "temp", "unify", "information_schema", "pg_catalog", "system"];
/// Keys of an entry. The first three mean the same.
const KEYS: &[&str] = &["adapter", "connector", "spec", "options"];
/// The option below which headers stand, name by name.
const HEADERS: &str = "headers";

/// Returns whether a schema is DuckDB's own or holds Unify's state, so that it is not a connection, whatever the connections file says.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// A connection by name, or what is wrong with its entry.
#[derive(Clone)]
pub struct ConnectionEntry {
    pub name: String,
    /// The adapter's name as the file or statement has it; empty when it has none.
    pub adapter: String,
    pub origin: Origin,
    setup: Result<Setup>,
    environment: Arc<Environment>,
    /// What servers told the connections of this database, and where that is kept.
    tokens: Tokens,
    /// What the APIs of connections were found to have.
    discoveries: Discoveries,
    /// The spec with the options that every connection takes, made once for all who open the connection: loads of one spec share a
    /// client. Nothing else is locked meanwhile.
    own: Arc<Mutex<Option<OwnSpec>>>,
}

/// Options, and the adapter's spec with them.
type OwnSpec = (BTreeMap<String, Secret>, Arc<AdapterSpec>);

/// Where a connection comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An entry of a file, at a line.
    File { path: String, line: usize },
    /// `CREATE CONNECTION`: it lives as long as the database instance.
    Statement,
}

/// A connection as `CREATE CONNECTION` describes it.
#[derive(Debug, Clone)]
pub struct Definition {
    pub name: String,
    pub adapter: String,
    pub options: Vec<(String, OptionText)>,
}

impl Definition {
    /// Reads the options' values. Fails, naming the option, on one that begins with a dollar sign and is not a reference, and on a reserved name.
    pub fn new(name: &str, adapter: &str, options: &[(String, Secret)]) -> Result<Definition> {
        let place = || Place::connection(name);
        check_name(name).map_err(|err| err.at(place()))?;
        let mut parsed = Vec::new();
        for (option, value) in options {
            let text = OptionText::parse_in_statement(value.expose());
            parsed.push((option.clone(), text.map_err(|err| Error::config(format!("option '{option}' {err}")).at(place()))?));
        }
        Ok(Definition { name: name.to_string(), adapter: adapter.to_string(), options: parsed })
    }
}

/// What a connection is made of, environment references unresolved.
#[derive(Clone)]
struct Setup {
    adapter: AdapterEntry,
    options: NamedOptions,
}

/// Names and values of options, in the order they are given.
type NamedOptions = Vec<(String, OptionText)>;

impl ConnectionEntry {
    /// Returns the adapter's spec, or what is wrong with the entry. Reads no environment variable.
    pub fn spec(&self) -> Result<&Arc<AdapterSpec>> {
        self.parts().map(|(spec, _)| spec).map_err(|err| self.placed(&err))
    }

    /// Returns what to say of an adapter whose file stands in the place of a bundled one.
    pub fn replacement(&self) -> Option<String> {
        self.setup.as_ref().ok()?.adapter.replacement()
    }

    /// Returns the adapter's spec, which is parsed when it is asked for first, and the options.
    fn parts(&self) -> Result<(&Arc<AdapterSpec>, &NamedOptions)> {
        let setup = self.setup.as_ref().map_err(Clone::clone)?;
        let spec = setup.adapter.spec().map_err(|err| err.within(format!("adapter '{}'", self.adapter)))?;
        Ok((spec, &setup.options))
    }

    /// Returns the connection that a definition makes.
    pub fn of_definition(definition: &Definition, adapters: &[AdapterEntry], environment: &Arc<Environment>) -> ConnectionEntry {
        let setup = adapter_of(&definition.adapter, adapters).map(|adapter| Setup { adapter, options: definition.options.clone() });
        ConnectionEntry {
            name: definition.name.clone(),
            adapter: definition.adapter.clone(),
            origin: Origin::Statement,
            setup,
            environment: Arc::clone(environment),
            tokens: Tokens::default(),
            discoveries: Discoveries::default(),
            own: Arc::default(),
        }
    }

    /// Makes the connection keep its tokens among these.
    #[must_use]
    pub fn with_tokens(self, tokens: &Tokens) -> ConnectionEntry {
        ConnectionEntry { tokens: tokens.clone(), ..self }
    }

    /// Makes the connection have the tables that are known here.
    #[must_use]
    pub fn with_discoveries(self, discoveries: &Discoveries) -> ConnectionEntry {
        ConnectionEntry { discoveries: discoveries.clone(), ..self }
    }

    /// Returns the file the entry is in.
    pub fn file(&self) -> Option<&str> {
        match &self.origin {
            Origin::File { path, .. } => Some(path),
            Origin::Statement => None,
        }
    }

    /// Returns the environment variables the options refer to that are not set, each once.
    pub fn missing_variables(&self) -> Vec<String> {
        let Ok((_, options)) = self.parts() else { return Vec::new() };
        let mut missing: Vec<String> = Vec::new();
        for name in options.iter().flat_map(|(_, text)| text.variables()) {
            if self.environment.variable(name).is_none() && !missing.iter().any(|known| known == name) {
                missing.push(name.to_string());
            }
        }
        missing
    }

    /// Checks what can be checked while environment variables may be missing: the adapter, and that options are known and complete; when
    /// no variable is missing, all that [`ConnectionEntry::open`] does.
    pub fn check(&self) -> Result<()> {
        if self.missing_variables().is_empty() {
            return self.open().map(|_| ());
        }
        let (spec, options) = self.parts().map_err(|err| self.placed(&err))?;
        // What is not known yet is taken not to be empty.
        let value = |text: &OptionText| text.resolve(&self.environment).unwrap_or_else(|_| Secret::new("?"));
        let is_known = |name: &str, text: &OptionText| header_of(name).is_some() || text.resolve(&self.environment).is_ok();
        let own = |name: &str| spec.is_own_option(name);
        let given = options.iter().filter(|(name, text)| !own(name) || is_known(name, text));
        let given = given.map(|(name, text)| (name.clone(), value(text))).collect();
        self.own_spec(spec, &given).and_then(|spec| spec.check_options(given)).map_err(|err| self.placed(&err))
    }

    /// Resolves the environment references and checks the options against the adapter's. The tables are those of the spec, and those that its API
    /// is known to have. Fails with what is wrong with the entry,
    /// naming the connection and its place in the file; never with a value.
    pub fn open(&self) -> Result<Arc<Connection>> {
        self.connect().map(Arc::new).map_err(|err| self.placed(&err))
    }

    /// Returns the options with secrets redacted, those inside others' URLs included: `username=me, password=$GITHUB_TOKEN`.
    pub fn redacted_options(&self) -> String {
        let Ok((spec, options)) = self.parts() else { return String::new() };
        let shown = |name: &str, text: &OptionText| match spec.is_secret_option(name) {
            true => text.shown(true),
            false => without_secrets(&text.shown(false)),
        };
        let shown = options.iter().map(|(name, text)| format!("{name}={}", shown(name, text)));
        shown.collect::<Vec<_>>().join(", ")
    }

    fn connect(&self) -> Result<Connection> {
        let (spec, options) = self.parts()?;
        let mut given: BTreeMap<String, Secret> = BTreeMap::new();
        for (name, text) in options {
            let value = text.resolve(&self.environment).map_err(|err| Error::config(format!("option '{name}': {err}")))?;
            given.insert(name.clone(), value);
        }
        let connection = self.own_spec(spec, &given)?.connect(&self.name, given)?;
        Ok(self.discoveries.resolved(Connection { tokens: self.tokens.clone(), ..connection }))
    }

    /// Returns the adapter's spec with the options that every connection takes: the same one as long as these are.
    fn own_spec(&self, spec: &Arc<AdapterSpec>, given: &BTreeMap<String, Secret>) -> Result<Arc<AdapterSpec>> {
        let own: BTreeMap<String, Secret> =
            given.iter().filter(|(name, _)| spec.is_own_option(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut known = lock(&self.own);
        if let Some((_, laid_over)) = known.as_ref().filter(|(of, _)| *of == own) {
            return Ok(Arc::clone(laid_over));
        }
        let Some(laid_over) = spec.laid_over(&own)?.map(Arc::new) else { return Ok(Arc::clone(spec)) };
        *known = Some((own, Arc::clone(&laid_over)));
        Ok(laid_over)
    }

    /// Names the connection and where it is defined.
    fn placed(&self, err: &Error) -> Error {
        let defined_at = match &self.origin {
            Origin::File { path, line } => Some(format!("{path}:{line}")),
            Origin::Statement => None,
        };
        err.clone().at(Place { defined_at, ..Place::connection(&self.name) })
    }
}

/// The entries of a connections file, and what is wrong with the file as a whole.
pub struct ConnectionsFile {
    pub entries: Vec<ConnectionEntry>,
    pub problem: Option<Error>,
}

/// Returns the nodes of the file's entries. What is wrong with the file becomes a mistake.
pub fn entry_nodes<'a>(root: Option<&'a Node>, mistakes: &Mistakes) -> &'a [Node] {
    match root {
        Some(node) if node.is_null() => &[],
        Some(node) => node.list().unwrap_or_else(|| {
            mistakes.at(node, "expected a list of connections, each '- name:' with 'adapter' and 'options' below it");
            &[]
        }),
        None => &[],
    }
}

/// Reads the entries of the file `source`. `adapters` is sorted so that of several with one name the first is meant; of connections
/// with one name, that of a statement.
pub fn parse(
    source: &str,
    text: &str,
    adapters: &[AdapterEntry],
    environment: &Arc<Environment>,
    is_defined: impl Fn(&str) -> bool,
) -> ConnectionsFile {
    let mistakes = Mistakes::new(source);
    let root = parse_into(text, &mistakes);
    let nodes = entry_nodes(root.as_ref(), &mistakes);
    let mut entries: Vec<ConnectionEntry> = Vec::new();
    for (idx, node) in nodes.iter().enumerate() {
        let entry = Entry::of(node, idx);
        let earlier = entries.iter().position(|earlier| earlier.name.eq_ignore_ascii_case(&entry.name));
        let setup = match earlier.map(|idx| nodes[idx].line) {
            Some(line) => Err(Error::config(format!("the name is taken by the entry at line {line}; choose another"))),
            None if is_defined(&entry.name) => Err(Error::config("the name is taken by a connection that CREATE CONNECTION made")),
            None => entry.setup(adapters),
        };
        entries.push(ConnectionEntry {
            name: entry.name,
            adapter: entry.adapter.unwrap_or_default(),
            origin: Origin::File { path: source.to_string(), line: node.line },
            setup,
            environment: Arc::clone(environment),
            tokens: Tokens::default(),
            discoveries: Discoveries::default(),
            own: Arc::default(),
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
        let Some(entries) = node.mapping() else { return unnamed("the entry is not a mapping") };
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
        check_name(&self.name)?;
        let keys = body.mapping().ok_or_else(|| Error::config("nothing stands below the name; expected 'adapter' and 'options'"))?;
        for (key, _) in keys {
            if !KEYS.contains(&key.name.as_str()) {
                let hint = hint(&key.name, KEYS.iter().copied(), "");
                return Err(Error::config(format!("unknown key '{}' at line {}; {hint}", key.name, key.line)));
            }
        }
        let adapter = self.adapter.as_deref().ok_or_else(|| Error::config("no 'adapter' is given; SHOW ALL ADAPTERS lists them"))?;
        Ok(Setup { adapter: adapter_of(adapter, adapters)?, options: options_of(body)? })
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::config("the name is empty"));
    }
    if is_reserved(name) {
        return Err(Error::config(format!("the name is reserved; choose another than {}", RESERVED.join(", "))));
    }
    Ok(())
}

fn adapter_of(adapter: &str, adapters: &[AdapterEntry]) -> Result<AdapterEntry> {
    let Some(entry) = adapters.iter().find(|entry| entry.name.eq_ignore_ascii_case(adapter)) else {
        let hint =
            hint(adapter, adapters.iter().map(|entry| entry.name.as_str()), "there is none: put specs into the folder 'unify_spec_path'");
        return Err(Error::config(format!("there is no adapter '{adapter}'; {hint}")));
    };
    Ok(entry.clone())
}

fn options_of(body: &Node) -> Result<Vec<(String, OptionText)>> {
    let Some(node) = body.get("options").filter(|node| !node.is_null()) else { return Ok(Vec::new()) };
    let Some(entries) = node.mapping() else {
        return Err(Error::config(format!("'options' at line {} is not a mapping; expected 'name: value' below it", node.line)));
    };
    let mut named: Vec<(String, &Key, &Node)> = Vec::new();
    for (key, node) in entries {
        match node.mapping().filter(|_| key.name == HEADERS) {
            Some(headers) => named.extend(headers.iter().map(|(header, node)| (header_option(&header.name), header, node))),
            None => named.push((key.name.clone(), key, node)),
        }
    }
    let mut options = Vec::new();
    for (name, key, node) in named.into_iter().filter(|(_, _, node)| !node.is_null()) {
        let wrong = |why: &str| Error::config(format!("option '{name}' at line {} {why}", key.line));
        // A list has a value for each of several credentials.
        let values = node.list().unwrap_or(std::slice::from_ref(node));
        if values.is_empty() {
            return Err(wrong("is an empty list; expected a text, or a list of texts"));
        }
        for (idx, value) in values.iter().enumerate() {
            let text = value.text().ok_or_else(|| wrong("is a mapping or a list of such; expected a text, or a list of texts"))?;
            let text = OptionText::parse_in_file(text).map_err(|err| wrong(err.message()))?;
            options.push((option_of_credential(&name, idx + 1), text));
        }
    }
    Ok(options)
}
