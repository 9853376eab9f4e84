//! Private files: read whole, written whole or not at all, and locked against other processes.

use crate::{Error, ErrorKind, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Largest file that is read.
const MAX_BYTES: u64 = 4 << 20;
/// How often the wait for a lock looks again.
const POLL: Duration = Duration::from_millis(5);

/// Returns the text of a file, which `what` names in messages. Fails on anything but a plain file of moderate size, and waits for nobody:
/// who opens a pipe or a device could wait for ever.
pub fn read_text(path: &Path, what: &str) -> Result<String> {
    read_text_within(path, what, MAX_BYTES)
}

/// Returns the text of a file as [`read_text`] does, of at most so many bytes.
pub fn read_text_within(path: &Path, what: &str, most: u64) -> Result<String> {
    let wrong = |why: String| Error::config(format!("{what} '{}' cannot be read: {why}", path.display()));
    // Some devices do things when they are opened.
    let metadata = fs::metadata(path).map_err(|err| wrong(err.to_string()))?;
    check_plain(&metadata).map_err(|err| wrong(err.to_string()))?;
    let file = without_waiting(OpenOptions::new().read(true)).open(path).map_err(|err| wrong(err.to_string()))?;
    let metadata = file.metadata().map_err(|err| wrong(err.to_string()))?;
    check_plain(&metadata).map_err(|err| wrong(err.to_string()))?;
    if metadata.len() > most {
        return Err(wrong(format!("it has {} bytes; expected at most {most}", metadata.len())));
    }
    let mut text = String::new();
    file.take(most + 1).read_to_string(&mut text).map_err(|err| wrong(err.to_string()))?;
    if text.len() as u64 > most {
        return Err(wrong(format!("it has more than {most} bytes")));
    }
    Ok(text)
}

/// Makes opening and reading return at once, whatever the file is.
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NONBLOCK);
    options
}

/// Fails when it is not a plain file: a pipe, a device, a folder.
fn check_plain(metadata: &fs::Metadata) -> io::Result<()> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is not a plain file")),
    }
}

/// Makes a folder that only its owner may use, and those above it, where they are missing.
pub fn make_folder(path: &Path) -> Result<()> {
    let mut folder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(path).map_err(|err| Error::config(format!("folder '{}' cannot be made: {err}", path.display())))
}

/// Writes `text` in the place of the file at `path`, readable by its owner only: whoever reads the file sees either the old text or the new
/// one, even when the machine stops meanwhile. `what` names the file in messages.
pub fn replace(path: &Path, text: &str, what: &str) -> Result<()> {
    let new_path = beside(path, ".tmp");
    let written = write_new(&new_path, path, text).and_then(|()| fs::rename(&new_path, path));
    if let Err(err) = written {
        // What is left of it has secrets; that it cannot be removed matters less than why the change failed.
        let _ = fs::remove_file(&new_path);
        return Err(Error::config(format!("{what} '{}' cannot be written: {err}", path.display())));
    }
    sync_folder(path);
    Ok(())
}

/// Returns the hidden file beside `path` that ends in `ending`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().map_or_else(|| "unify".into(), |name| name.to_string_lossy());
    path.with_file_name(format!(".{name}{ending}"))
}

/// Waits until no other process, and nobody else in this one, holds the lock of the file at `path`, and takes it until the result is dropped.
/// It is a file of its own, which stays: the file itself is replaced, and a lock would go with it. Fails after `most_wait`, and when
/// `interrupted` says so.
pub fn locked(path: &Path, what: &str, most_wait: Duration, interrupted: &dyn Fn() -> bool) -> Result<File> {
    let lock_path = beside(path, ".lock");
    let cannot =
        |err: &io::Error| Error::config(format!("{what} '{}' cannot be locked with '{}': {err}", path.display(), lock_path.display()));
    let lock = open_lock(&lock_path).map_err(|err| cannot(&err))?;
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::Error(err)) => return Err(cannot(&err)),
            Err(TryLockError::WouldBlock) if interrupted() => return Err(Error::new(ErrorKind::Interrupted, "interrupted")),
            Err(TryLockError::WouldBlock) if began.elapsed() < most_wait => std::thread::park_timeout(POLL),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::config(format!("{what} '{}' is being changed by another process; try again", path.display())));
            }
        }
    }
}

/// Opens or makes the file that is locked, which must be a plain one: others may write to its folder, and a link would make a file
/// elsewhere, a pipe would wait for ever.
fn open_lock(path: &Path) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => return Err(io::Error::other("it is a link; remove it")),
        Ok(found) => check_plain(&found)?,
        Err(_) => {}
    }
    let mut options = private_file();
    options.create(true).truncate(false);
    // What was looked at may be something else by now.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOFOLLOW);
    let file = options.open(path)?;
    check_plain(&file.metadata()?)?;
    Ok(file)
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

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_not_plain_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [pipe.as_path(), &link, folder.path(), Path::new("/dev/zero")] {
            let err = read_text(path, "spec file").unwrap_err().to_string();
            assert!(err.ends_with("cannot be read: it is not a plain file"), "{err}");
        }
        let large = folder.path().join("large");
        std::fs::write(&large, vec![b'x'; MAX_BYTES as usize + 1]).unwrap();
        assert!(read_text(&large, "spec file").unwrap_err().to_string().contains("expected at most 4194304"));
    }
}
