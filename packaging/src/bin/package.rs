//! `package LIBRARY EXTENSION`: makes a loadable extension of a shared library by appending the metadata footer.

use packaging::{footer, metadata};
use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

const RELEASES: &str = "extension_config/releases.json";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, extension] = arguments.as_slice() else {
        eprintln!("usage: package LIBRARY EXTENSION, in the project's folder");
        return ExitCode::from(2);
    };
    match run(Path::new(library), Path::new(extension)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("package: {err}");
            ExitCode::FAILURE
        }
    }
}

fn run(library: &Path, extension: &Path) -> io::Result<()> {
    let triple = env!("TARGET_TRIPLE");
    let platform = footer::platform_of(triple).ok_or_else(|| io::Error::other(format!("DuckDB has no platform for target '{triple}'")))?;
    let releases: serde_json::Value = serde_json::from_str(&fs::read_to_string(RELEASES)?)?;
    let c_api = releases["c_api"].as_str().ok_or_else(|| io::Error::other(format!("{RELEASES} has no 'c_api'")))?;
    let version = metadata::version_of(&metadata::cargo_metadata(&["--no-deps", "--offline"])?, "unify")
        .ok_or_else(|| io::Error::other("no package 'unify' in this folder's workspace"))?;
    footer::package(library, extension, &footer::Footer { platform, c_api: c_api.to_string(), version })
}
