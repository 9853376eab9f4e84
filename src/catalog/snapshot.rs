//! The adapters and connections at one moment, kept until a setting or a file changes.

use crate::catalog::adapters::{self, AdapterEntry};
use crate::catalog::config::{self, Environment, Place};
use crate::catalog::connections::{self, ConnectionEntry, ConnectionsFile, Definition};
use crate::catalog::discoveries::Discoveries;
use crate::catalog::file_change::FileChange;
use crate::catalog::hint::hint;
use crate::files::read_text;
use crate::lock::lock;
use crate::session::{ProgressMode, Settings};
use crate::spec::Tokens;
use crate::yaml::slips;
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use std::time::{Duration, SystemTime};

/// How often the wait for another session's change looks again.
const POLL: Duration = Duration::from_millis(5);

/// The adapters and connections of one database instance.
pub struct Catalog {
    environment: Arc<Environment>,
    bundled: OnceLock<Vec<AdapterEntry>>,
    cached: Mutex<Option<(Stamp, Arc<CatalogSnapshot>)>>,
    defined: Mutex<Defined>,
    /// Held while a connection is created or dropped.
    changing: Mutex<()>,
    tokens: Tokens,
    /// What the APIs of connections were found to have.
    pub discoveries: Discoveries,
}

/// The connections made by statements, in their order.
#[derive(Clone, Default)]
struct Defined {
    /// Counts the changes.
    version: u64,
    definitions: Vec<Definition>,
}

/// The adapters and connections at one moment.
pub struct CatalogSnapshot {
    adapters: Vec<AdapterEntry>,
    adapters_problem: Option<Error>,
    /// Those of the file, then those of statements.
    connections: Vec<ConnectionEntry>,
    connections_problem: Option<Error>,
    /// Whether the problem left no connection of the file.
    is_unreadable: bool,
    /// Where a connections file was looked for, when none was found.
    looked_for: Vec<PathBuf>,
    /// The tokens of all connections.
    tokens: Tokens,
    /// Lower-case name to index; of several entries with one name that of a statement, else the first.
    by_name: HashMap<String, usize>,
}

/// What a snapshot was read from: it is valid as long as this stays the same.
#[derive(PartialEq, Eq)]
struct Stamp {
    external_access: bool,
    defined: u64,
    connections: Option<(Place, Option<FileStamp>)>,
    specs: Option<(Place, Vec<SpecStamp>)>,
}

type SpecStamp = (PathBuf, Option<FileStamp>);

#[derive(PartialEq, Eq)]
struct FileStamp {
    modified: Option<SystemTime>,
    n_bytes: u64,
    /// The file's number on Unix: a file that was replaced is another one, even within the clock's resolution.
    number: u64,
}

impl Default for Catalog {
    fn default() -> Catalog {
        Catalog::new()
    }
}

impl Catalog {
    /// Makes the catalog of a database instance. Reads nothing yet.
    pub fn new() -> Catalog {
        Catalog::with_environment(Environment::of_process())
    }

    /// Makes a catalog that reads another environment than the process's.
    pub(crate) fn with_environment(environment: Environment) -> Catalog {
        Catalog {
            environment: Arc::new(environment),
            bundled: OnceLock::new(),
            cached: Mutex::default(),
            defined: Mutex::default(),
            changing: Mutex::default(),
            tokens: Tokens::default(),
            discoveries: Discoveries::default(),
        }
    }

    /// Returns the settings as they are where the process runs: the progress that is shown by itself is a notebook's in a notebook.
    pub fn in_surroundings(&self, settings: Settings) -> Settings {
        let progress = match settings.progress {
            ProgressMode::Auto if self.environment.is_notebook() => ProgressMode::Notebook,
            progress => progress,
        };
        Settings { progress, ..settings }
    }

    /// Returns the text of a file that a statement names, which `what` names in messages, of at most so many bytes. Fails when
    /// `enable_external_access` is false, as reading files does in DuckDB.
    pub fn read_file(&self, path: &str, what: &str, most: u64, settings: &Settings) -> Result<String> {
        if !settings.external_access {
            return Err(Error::config(format!("{what} '{path}' cannot be read because setting 'enable_external_access' is false")));
        }
        crate::files::read_text_within(&self.environment.expand(path), what, most)
    }

    /// Waits until no other session creates or drops a connection, and keeps others from it. Fails when the user interrupts: the other
    /// one may wait for the file.
    pub fn changing(&self, interrupted: &dyn Fn() -> bool) -> Result<MutexGuard<'_, ()>> {
        loop {
            match self.changing.try_lock() {
                Ok(guard) => return Ok(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if interrupted() => return Err(Error::new(ErrorKind::Interrupted, "interrupted")),
                Err(TryLockError::WouldBlock) => std::thread::park_timeout(POLL),
            }
        }
    }

    /// Fails when connections may not be created or dropped.
    pub fn check_changeable(settings: &Settings) -> Result<()> {
        if !settings.external_access {
            return Err(no_external_access());
        }
        if settings.configuration_locked {
            return Err(Error::config("connections cannot be created or dropped because setting 'lock_configuration' is true"));
        }
        Ok(())
    }

    /// Returns the connection a definition would make.
    pub fn entry_of(&self, definition: &Definition, settings: &Settings) -> ConnectionEntry {
        let snapshot = self.snapshot(settings);
        ConnectionEntry::of_definition(definition, &snapshot.adapters, &self.environment).with_tokens(&snapshot.tokens)
    }

    /// Adds a connection that lives as long as this catalog, in the place of one of its name that does.
    pub fn define(&self, definition: Definition) {
        self.forget(&definition.name);
        let mut defined = lock(&self.defined);
        defined.version += 1;
        defined.definitions.push(definition);
    }

    /// Removes a connection that [`Catalog::define`] added.
    pub fn forget(&self, name: &str) {
        let mut defined = lock(&self.defined);
        defined.version += 1;
        defined.definitions.retain(|known| !known.name.eq_ignore_ascii_case(name));
    }

    /// Begins a change of the connections file. Fails when it cannot be locked or read, or has mistakes.
    pub fn change_file(&self, settings: &Settings, interrupted: &dyn Fn() -> bool) -> Result<FileChange> {
        FileChange::begin(config::writable_connections_file(settings, &self.environment)?, interrupted)
    }

    /// Returns the adapters and connections as they are now. Looks at the files' sizes and times, and reads them only when one
    /// changed. What is wrong with a file is told when the snapshot is asked about what stands in it.
    pub fn snapshot(&self, settings: &Settings) -> Arc<CatalogSnapshot> {
        let defined = lock(&self.defined).clone();
        let (stamp, spec_files) = self.stamp(settings, defined.version);
        let mut cached = lock(&self.cached);
        if let Some((of, snapshot)) = cached.as_ref() {
            if *of == stamp {
                return Arc::clone(snapshot);
            }
        }
        let snapshot = Arc::new(self.read(&stamp, spec_files, &defined.definitions));
        *cached = Some((stamp, Arc::clone(&snapshot)));
        snapshot
    }

    /// Returns what the snapshot depends on, and the spec files or why their folder cannot be read.
    fn stamp(&self, settings: &Settings, defined: u64) -> (Stamp, Result<Vec<PathBuf>>) {
        if !settings.external_access {
            return (Stamp { external_access: false, defined, connections: None, specs: None }, Ok(Vec::new()));
        }
        let connections = config::connections_file(settings, &self.environment).map(|place| {
            let stamp = file_stamp(&place.path);
            (place, stamp)
        });
        let Some(folder) = config::spec_folder(settings, &self.environment) else {
            return (Stamp { external_access: true, defined, connections, specs: None }, Ok(Vec::new()));
        };
        let files = adapters::spec_files(&folder);
        let stamps = files.iter().flatten().map(|path| (path.clone(), file_stamp(path))).collect();
        (Stamp { external_access: true, defined, connections, specs: Some((folder, stamps)) }, files)
    }

    fn read(&self, stamp: &Stamp, spec_files: Result<Vec<PathBuf>>, definitions: &[Definition]) -> CatalogSnapshot {
        let bundled = self.bundled.get_or_init(adapters::bundled);
        let (files, adapters_problem) = match spec_files {
            Ok(files) => (files, None),
            Err(err) => (Vec::new(), Some(err)),
        };
        let adapters = adapters::with_user_files(bundled, &files);
        let definitions = if stamp.external_access { definitions } else { &[] };
        let ConnectionsFile { mut entries, problem } = match (&stamp.connections, stamp.external_access) {
            (_, false) => ConnectionsFile { entries: Vec::new(), problem: Some(no_external_access()) },
            (None, true) => ConnectionsFile { entries: Vec::new(), problem: None },
            (Some((place, _)), true) => self.read_connections(place, &adapters, definitions),
        };
        let default_files = config::default_connections_files(&self.environment);
        let file = stamp.connections.as_ref().map(|(place, _)| &place.path).or(default_files.first());
        let tokens = self.tokens.in_folder(file.map(|file| config::token_folder(file)));
        let n_in_file = entries.len();
        entries.extend(definitions.iter().map(|definition| ConnectionEntry::of_definition(definition, &adapters, &self.environment)));
        let with_known = |entry: ConnectionEntry| entry.with_tokens(&tokens).with_discoveries(&self.discoveries);
        let entries: Vec<ConnectionEntry> = entries.into_iter().map(with_known).collect();
        let mut by_name = HashMap::new();
        for (idx, entry) in entries.iter().enumerate().skip(n_in_file).chain(entries.iter().enumerate().take(n_in_file)) {
            by_name.entry(entry.name.to_lowercase()).or_insert(idx);
        }
        let is_unreadable = problem.is_some() && n_in_file == 0;
        let looked_for = match (&stamp.connections, stamp.external_access) {
            (None, true) => default_files,
            _ => Vec::new(),
        };
        CatalogSnapshot {
            adapters,
            adapters_problem,
            connections: entries,
            connections_problem: problem,
            is_unreadable,
            looked_for,
            tokens,
            by_name,
        }
    }

    fn read_connections(&self, place: &Place, adapters: &[AdapterEntry], definitions: &[Definition]) -> ConnectionsFile {
        let is_defined = |name: &str| definitions.iter().any(|definition| definition.name.eq_ignore_ascii_case(name));
        let source = place.path.display().to_string();
        let text = place.check("connections file").and_then(|()| read_text(&place.path, "connections file"));
        match text {
            Ok(text) => connections::parse(&source, &text, adapters, &self.environment, is_defined),
            Err(err) => ConnectionsFile { entries: Vec::new(), problem: Some(err) },
        }
    }
}

impl CatalogSnapshot {
    /// Returns the adapters, by name.
    pub fn adapters(&self) -> &[AdapterEntry] {
        &self.adapters
    }

    /// Returns why the user's spec folder could not be read.
    pub fn adapters_problem(&self) -> Option<&Error> {
        self.adapters_problem.as_ref()
    }

    /// Returns the connections in the order of their file, then those that statements made; those that cannot be used included.
    pub fn connections(&self) -> &[ConnectionEntry] {
        &self.connections
    }

    /// Returns why the connections file, or part of it, could not be read.
    pub fn connections_problem(&self) -> Option<&Error> {
        self.connections_problem.as_ref()
    }

    /// Returns why the file has no connection at all, when that is because it could not be read: any name may then be one.
    pub fn unreadable(&self) -> Option<&Error> {
        self.connections_problem.as_ref().filter(|_| self.is_unreadable)
    }

    /// Returns the connection of that name, whatever its case.
    pub fn connection(&self, name: &str) -> Option<&ConnectionEntry> {
        self.by_name.get(&name.to_lowercase()).map(|idx| &self.connections[*idx])
    }

    /// Returns the connection of that name. Fails with the reason the file could not be read, or with the nearest name.
    pub fn expect_connection(&self, name: &str) -> Result<&ConnectionEntry> {
        if let Some(entry) = self.connection(name) {
            return Ok(entry);
        }
        let unknown = format!("there is no connection '{name}'");
        if let Some(problem) = self.unreadable() {
            return Err(problem.clone().within(unknown));
        }
        if let Some(near) = self.near(name) {
            return Err(Error::config(format!("{unknown}; did you mean '{near}'?")));
        }
        let names = self.connections.iter().map(|entry| entry.name.as_str());
        Err(Error::config(format!("{unknown}; {}", hint(name, names, &self.none_yet()))))
    }

    /// Returns whether a name that is not known may well be meant for a connection: it is a slip away from one, or there are none because
    /// their file was not found.
    pub fn may_mean_a_connection(&self, name: &str) -> bool {
        self.near(name).is_some() || self.connections.is_empty() && !self.looked_for.is_empty()
    }

    /// Returns the connection whose name is one or two letters away.
    fn near(&self, name: &str) -> Option<&str> {
        let names = self.connections.iter().map(|entry| entry.name.as_str());
        names.map(|candidate| (slips(name, candidate), candidate)).filter(|(n_slips, _)| n_slips.is_some()).min().map(|(_, near)| near)
    }

    fn none_yet(&self) -> String {
        let make = "there is none yet: CREATE CONNECTION makes one, or list them in a file that setting 'unify_connections_file' names";
        let files: Vec<String> = self.looked_for.iter().map(|path| format!("'{}'", path.display())).collect();
        match files.as_slice() {
            [] => make.to_string(),
            files => format!("{make}; such a file was not found, looked for {}", files.join(" and ")),
        }
    }
}

fn no_external_access() -> Error {
    Error::config("connections cannot be used because setting 'enable_external_access' is false")
}

fn file_stamp(path: &Path) -> Option<FileStamp> {
    let metadata = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let number = 0;
    Some(FileStamp { modified: metadata.modified().ok(), n_bytes: metadata.len(), number })
}
