//! Runs sqllogictest files on the built extension: `slt --extension FILE --python FILE [--python FILE] FILE-OR-FOLDER...`.
//!
//! Every file runs in each of the hosts, with a database, a folder and a test API of its own. The last line counts: `N passed,
//! N failed`. The exit code is 0 only when there was something to run and nothing failed.

mod file;
mod host;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::{fs, io, thread};

const USAGE: &str = "usage: slt --extension FILE --python FILE [--python FILE] FILE-OR-FOLDER...";
const N_WORKERS: usize = 3;

/// What to run.
struct Arguments {
    extension: PathBuf,
    pythons: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("slt: {message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let jobs: VecDeque<(&PathBuf, &PathBuf)> =
        arguments.files.iter().flat_map(|file| arguments.pythons.iter().map(move |python| (file, python))).collect();
    let jobs = Mutex::new(jobs);
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let counts = Mutex::new((0, 0));
    thread::scope(|scope| {
        for _ in 0..N_WORKERS {
            scope.spawn(|| {
                while let Some((file, python)) = next() {
                    let outcome = file::run(file, python, &arguments.extension);
                    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                    report(file, python, outcome, &mut counts);
                }
            });
        }
    });
    let (n_passed, n_failed) = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{n_passed} passed, {n_failed} failed");
    if n_passed > 0 && n_failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn report(file: &Path, python: &Path, outcome: Result<(), String>, counts: &mut (usize, usize)) {
    let host = python.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    match outcome {
        Ok(()) => {
            counts.0 += 1;
            println!("ok      {host} {}", file.display());
        }
        Err(message) => {
            counts.1 += 1;
            println!("FAILED  {host} {}\n{message}", file.display());
        }
    }
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let (mut extension, mut pythons, mut files) = (None, Vec::new(), Vec::new());
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("'{argument}' lacks a value"));
            match argument.as_str() {
                "--extension" => extension = Some(existing(&value()?)?),
                "--python" => pythons.push(existing(&value()?)?),
                option if option.starts_with("--") => return Err(format!("unknown option '{option}'")),
                path => files.extend(test_files(&existing(path)?).map_err(|err| format!("cannot list '{path}': {err}"))?),
            }
        }
        match (extension, pythons.is_empty(), files.is_empty()) {
            (None, _, _) => Err("'--extension' is missing".to_string()),
            (_, true, _) => Err("'--python' is missing".to_string()),
            (_, _, true) => Err("there is no '.test' file to run".to_string()),
            (Some(extension), false, false) => Ok(Arguments { extension, pythons, files }),
        }
    }
}

/// Returns an absolute path, symbolic links kept: a virtual environment's Python is one.
fn existing(path: &str) -> Result<PathBuf, String> {
    let path = std::path::absolute(path).map_err(|err| format!("'{path}': {err}"))?;
    path.exists().then_some(path.clone()).ok_or_else(|| format!("there is no '{}'", path.display()))
}

fn test_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?.path();
        if entry.is_dir() || entry.extension().is_some_and(|extension| extension == "test") {
            files.extend(test_files(&entry)?);
        }
    }
    files.sort();
    Ok(files)
}
