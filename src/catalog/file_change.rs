//! Writes the connections file: one process at a time, all of it or nothing, readable by its owner only.

use crate::catalog::connections::Definition;
use crate::catalog::file_text;
use crate::files::{locked, read_text, replace};
use crate::{Error, Result};
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// What a file gets that would be empty without a connection: whoever opens it sees what it is for, and an entry can follow.
const NOTE: &str = "# The connections of Unify. CREATE PERSISTENT CONNECTION adds one.\n";
/// How long another process may keep the file locked.
const MOST_WAIT: Duration = Duration::from_secs(10);
/// What messages call the file.
const WHAT: &str = "connections file";

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
            Err(err) => return Err(Error::config(format!("{WHAT} '{}' cannot be found: {err}", path.display()))),
        };
        let lock = locked(&path, WHAT, MOST_WAIT, interrupted)?;
        let text = match path.try_exists() {
            Ok(false) => String::new(),
            _ => read_text(&path, WHAT)?,
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

    /// Takes a connection out. Where nothing but blanks is left, a comment says what the file is.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        let mut text = file_text::without_entry(&self.path(), &self.text, name)?;
        if text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}').is_empty() {
            text.push_str(NOTE);
        }
        self.set(text);
        Ok(())
    }

    /// Returns whether the file, changed as it was until now, has no connection.
    pub fn is_empty(&self) -> bool {
        file_text::n_entries(&self.text) == 0
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
        replace(&self.path, &self.text, WHAT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Secret;
    use crate::ErrorKind;
    use std::path::Path;

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

    #[cfg(unix)]
    #[test]
    fn a_lock_that_is_not_a_plain_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (path, lock, elsewhere) = (folder.path().join("c.yaml"), folder.path().join(".c.yaml.lock"), folder.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, &lock).unwrap();
        let err = put(&path, "a").unwrap_err().to_string();
        assert!(err.ends_with("it is a link; remove it"), "{err}");
        assert!(!elsewhere.exists() && !path.exists());
        fs::remove_file(&lock).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
        let err = put(&path, "a").unwrap_err().to_string();
        assert!(err.ends_with("it is not a plain file"), "{err}");
        fs::remove_file(&lock).unwrap();
        put(&path, "a").unwrap();
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
    fn a_file_is_never_left_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.yaml");
        let remove = |text: &str| {
            fs::write(&path, text).unwrap();
            let mut change = FileChange::begin(path.clone(), &|| false).unwrap();
            change.remove("a").unwrap();
            assert!(change.is_empty());
            change.commit().unwrap();
            fs::read_to_string(&path).unwrap()
        };
        assert_eq!(remove("- a: {adapter: shop}\n"), NOTE);
        assert_eq!(remove("\n- a: {adapter: shop}\n\n"), format!("\n\n{NOTE}"));
        assert_eq!(remove("# mine\n- a: {adapter: shop}\n"), "# mine\n");
        // What is left takes an entry again.
        remove("- a: {adapter: shop}");
        put(&path, "b").unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with(&format!("{NOTE}- b:\n")));
        let mut change = FileChange::begin(path.clone(), &|| false).unwrap();
        assert!(!change.is_empty());
        change.remove("b").unwrap();
        assert!(change.is_empty());
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
