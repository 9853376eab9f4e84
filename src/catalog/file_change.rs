//! Writes the connections file: one process at a time, all of it or nothing, readable by its owner only.

use crate::catalog::config::read_text;
use crate::catalog::connections::Definition;
use crate::catalog::file_text;
use crate::{Error, ErrorKind, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long another process may keep the file locked.
const MOST_WAIT: Duration = Duration::from_secs(10);
/// How often the wait for it looks again.
const POLL: Duration = Duration::from_millis(5);

/// A change of the connections file. Other processes that want to change it wait until this is dropped.
pub struct FileChange {
    /// The file itself, where the path the user gave is a link to it.
    path: PathBuf,
    text: String,
    /// Whether `text` is not what the file has.
    is_changed: bool,
    _lock: File,
}

impl FileChange {
    /// Locks and reads the file; one that does not exist counts as empty. Fails, and changes nothing, when it has mistakes.
    pub fn begin(path: PathBuf, interrupted: &dyn Fn() -> bool) -> Result<FileChange> {
        let path = match fs::canonicalize(&path) {
            Ok(path) => path,
            Err(err) if err.kind() == io::ErrorKind::NotFound => path,
            Err(err) => return Err(failed(&path, "cannot be found", &err)),
        };
        let lock = locked(&path, interrupted)?;
        let text = match path.try_exists() {
            Ok(false) => String::new(),
            _ => read_text(&path, "connections file")?,
        };
        file_text::check(&path.display().to_string(), &text)?;
        Ok(FileChange { path, text, is_changed: false, _lock: lock })
    }

    /// Returns the file's path.
    pub fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// Puts a connection in the place of the one of its name, or behind the others.
    pub fn put(&mut self, definition: &Definition) -> Result<()> {
        self.set(file_text::with_entry(&self.path(), &self.text, definition)?);
        Ok(())
    }

    /// Takes a connection out.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        self.set(file_text::without_entry(&self.path(), &self.text, name)?);
        Ok(())
    }

    fn set(&mut self, text: String) {
        self.is_changed |= text != self.text;
        self.text = text;
    }

    /// Makes the change: whoever reads the file sees either the old text or the new one, even when the machine stops meanwhile.
    pub fn commit(self) -> Result<()> {
        if !self.is_changed {
            return Ok(());
        }
        let new_path = beside(&self.path, ".tmp");
        let written = write_new(&new_path, &self.path, &self.text).and_then(|()| fs::rename(&new_path, &self.path));
        if let Err(err) = written {
            // What is left of it has secrets; that it cannot be removed is no better reason than the one it failed for.
            let _ = fs::remove_file(&new_path);
            return Err(failed(&self.path, "cannot be written", &err));
        }
        sync_folder(&self.path);
        Ok(())
    }
}

fn failed(path: &Path, what: &str, err: &io::Error) -> Error {
    Error::config(format!("connections file '{}' {what}: {err}", path.display()))
}

/// Returns the hidden file beside `path` that ends in `ending`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().map_or_else(|| "connections.yaml".into(), |name| name.to_string_lossy());
    path.with_file_name(format!(".{name}{ending}"))
}

/// Locks a file of its own, which stays: the connections file is replaced, and a lock would go with it.
fn locked(path: &Path, interrupted: &dyn Fn() -> bool) -> Result<File> {
    let lock_path = beside(path, ".lock");
    let cannot = |err: &io::Error| {
        Error::config(format!("connections file '{}' cannot be locked with '{}': {err}", path.display(), lock_path.display()))
    };
    let lock = private_file().create(true).truncate(false).open(&lock_path).map_err(|err| cannot(&err))?;
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::Error(err)) => return Err(cannot(&err)),
            Err(TryLockError::WouldBlock) if interrupted() => return Err(Error::new(ErrorKind::Interrupted, "interrupted")),
            Err(TryLockError::WouldBlock) if began.elapsed() < MOST_WAIT => std::thread::park_timeout(POLL),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::config(format!("connections file '{}' is being changed by another process; try again", path.display())));
            }
        }
    }
}

/// Opens files for writing that only their owner may read.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes `text` to the new file at `path`, which gets the owner of `model`.
fn write_new(path: &Path, model: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    let mut file = private_file().create_new(true).open(path)?;
    #[cfg(unix)]
    keep_owner(&file, model)?;
    #[cfg(not(unix))]
    let _ = model;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Gives the file the owner and group that `model` has, if it exists: who could read the connections still can.
#[cfg(unix)]
fn keep_owner(file: &File, model: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let (Ok(wanted), found) = (fs::metadata(model), file.metadata()?) else { return Ok(()) };
    if (wanted.uid(), wanted.gid()) == (found.uid(), found.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(wanted.uid()), Some(wanted.gid()))
}

/// Makes a rename in the folder of `path` last. Some file systems cannot, and need not.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Secret;

    fn definition(name: &str) -> Definition {
        Definition::new(name, "shop", &[("password".to_string(), Secret::new("$TOKEN"))]).unwrap()
    }

    fn put(path: &Path, name: &str) -> Result<()> {
        let mut change = FileChange::begin(path.to_path_buf(), &|| false)?;
        change.put(&definition(name))?;
        change.commit()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_made_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.yaml");
        put(&path, "a").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "- a:\n    adapter: shop\n    options:\n      password: $TOKEN\n");
        assert_eq!(names(folder.path()), [".c.yaml.lock", "c.yaml"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(), 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            put(&path, "b").unwrap();
            assert_eq!(mode(), 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("c.yaml"), folder.path().join("elsewhere"));
        fs::write(&target, "# mine\n").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        put(&path, "a").unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        assert!(fs::read_to_string(&target).unwrap().starts_with("# mine\n- a:\n"));
    }

    #[test]
    fn a_file_with_mistakes_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.yaml");
        for text in ["- a: [", "a: {adapter: shop}", "- a: {adapter: x}\n- a: {adapter: x, adapter: y}\n"] {
            fs::write(&path, text).unwrap();
            let err = put(&path, "b").unwrap_err().to_string();
            assert!(err.contains("correct it first") && err.contains("c.yaml:"), "{err}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn what_was_not_changed_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.yaml");
        FileChange::begin(path.clone(), &|| false).unwrap().commit().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn who_changes_it_at_once_waits_for_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.yaml");
        let threads: Vec<_> = (0..8)
            .map(|idx| {
                let path = path.clone();
                std::thread::spawn(move || (0..5).for_each(|n| put(&path, &format!("c{idx}_{n}")).unwrap()))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap().matches("adapter: shop").count(), 40);
        assert_eq!(names(folder.path()), [".c.yaml.lock", "c.yaml"]);
    }

    #[test]
    fn a_wait_can_be_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.yaml");
        let held = FileChange::begin(path.clone(), &|| false).unwrap();
        let err = FileChange::begin(path.clone(), &|| true).err().unwrap();
        assert_eq!(err.kind(), ErrorKind::Interrupted);
        drop(held);
        assert!(FileChange::begin(path, &|| true).is_ok());
    }
}
