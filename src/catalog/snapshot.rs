//! The adapters and connections at one moment, kept until a setting or a file changes.

use crate::catalog::adapters::{self, AdapterEntry};
use crate::catalog::config::{self, Environment, Place};
use crate::catalog::connections::{self, ConnectionEntry, ConnectionsFile};
use crate::catalog::hint::hint;
use crate::session::Settings;
use crate::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// The adapters and connections of one database instance.
pub struct Catalog {
    environment: Arc<Environment>,
    bundled: OnceLock<Vec<AdapterEntry>>,
    cached: Mutex<Option<(Stamp, Arc<CatalogSnapshot>)>>,
}

/// The adapters and connections at one moment.
pub struct CatalogSnapshot {
    adapters: Vec<AdapterEntry>,
    adapters_problem: Option<Error>,
    connections: Vec<ConnectionEntry>,
    connections_problem: Option<Error>,
    /// Lower-case name to index; of several entries with one name the first.
    by_name: HashMap<String, usize>,
}

/// What a snapshot was read from: it is valid as long as this stays the same.
#[derive(PartialEq, Eq)]
struct Stamp {
    external_access: bool,
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
        Catalog { environment: Arc::new(environment), bundled: OnceLock::new(), cached: Mutex::new(None) }
    }

    /// Returns the adapters and connections as they are now. Looks at the files' sizes and times, and reads them only when one
    /// changed. What is wrong with a file is told when the snapshot is asked about what stands in it.
    pub fn snapshot(&self, settings: &Settings) -> Arc<CatalogSnapshot> {
        let (stamp, spec_files) = self.stamp(settings);
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, snapshot)) = cached.as_ref() {
            if *of == stamp {
                return Arc::clone(snapshot);
            }
        }
        let snapshot = Arc::new(self.read(&stamp, spec_files));
        *cached = Some((stamp, Arc::clone(&snapshot)));
        snapshot
    }

    /// Returns what the snapshot depends on, and the spec files or why their folder cannot be read.
    fn stamp(&self, settings: &Settings) -> (Stamp, Result<Vec<PathBuf>>) {
        if !settings.external_access {
            return (Stamp { external_access: false, connections: None, specs: None }, Ok(Vec::new()));
        }
        let connections = config::connections_file(settings, &self.environment).map(|place| {
            let stamp = file_stamp(&place.path);
            (place, stamp)
        });
        let Some(folder) = config::spec_folder(settings, &self.environment) else {
            return (Stamp { external_access: true, connections, specs: None }, Ok(Vec::new()));
        };
        let files = adapters::spec_files(&folder);
        let stamps = files.iter().flatten().map(|path| (path.clone(), file_stamp(path))).collect();
        (Stamp { external_access: true, connections, specs: Some((folder, stamps)) }, files)
    }

    fn read(&self, stamp: &Stamp, spec_files: Result<Vec<PathBuf>>) -> CatalogSnapshot {
        let bundled = self.bundled.get_or_init(adapters::bundled);
        let (files, adapters_problem) = match spec_files {
            Ok(files) => (files, None),
            Err(err) => (Vec::new(), Some(err)),
        };
        let adapters = adapters::with_user_files(bundled, &files);
        let ConnectionsFile { entries, problem } = match (&stamp.connections, stamp.external_access) {
            (_, false) => ConnectionsFile { entries: Vec::new(), problem: Some(no_external_access()) },
            (None, true) => ConnectionsFile { entries: Vec::new(), problem: None },
            (Some((place, _)), true) => self.read_connections(place, &adapters),
        };
        let mut by_name = HashMap::new();
        for (idx, entry) in entries.iter().enumerate() {
            by_name.entry(entry.name.to_lowercase()).or_insert(idx);
        }
        CatalogSnapshot { adapters, adapters_problem, connections: entries, connections_problem: problem, by_name }
    }

    fn read_connections(&self, place: &Place, adapters: &[AdapterEntry]) -> ConnectionsFile {
        let source = place.path.display().to_string();
        let text = place.check("connections file").and_then(|()| config::read_text(&place.path, "connections file"));
        match text {
            Ok(text) => connections::parse(&source, &text, adapters, &self.environment),
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

    /// Returns the connections in the order of their file, those that cannot be used included.
    pub fn connections(&self) -> &[ConnectionEntry] {
        &self.connections
    }

    /// Returns why the connections file, or part of it, could not be read.
    pub fn connections_problem(&self) -> Option<&Error> {
        self.connections_problem.as_ref()
    }

    /// Returns why there is no connection at all, when that is because they could not be read: any name may then be one.
    pub fn unreadable(&self) -> Option<&Error> {
        self.connections_problem.as_ref().filter(|_| self.connections.is_empty())
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
        let names = self.connections.iter().map(|entry| entry.name.as_str());
        let hint = hint(name, names, "no connection is defined: list them in ~/.unify/connections.yaml or set 'unify_connections_file'");
        Err(Error::config(format!("{unknown}; {hint}")))
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
