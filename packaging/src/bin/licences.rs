//! `licences`: fails when a dependency's licence is not in `extension_config/licences.json`.

use packaging::{licences, metadata};
use std::process::ExitCode;
use std::{fs, io};

const ALLOWED: &str = "extension_config/licences.json";

fn main() -> ExitCode {
    match run() {
        Ok(lines) if lines.is_empty() => ExitCode::SUCCESS,
        Ok(lines) => {
            eprintln!("licences that {ALLOWED} does not allow:\n  {}", lines.join("\n  "));
            ExitCode::FAILURE
        }
        Err(err) => {
            eprintln!("licences: {err}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<Vec<String>> {
    let allowed: Vec<String> = match serde_json::from_str(&fs::read_to_string(ALLOWED)?)? {
        serde_json::Value::Array(ids) => ids.iter().filter_map(|id| id.as_str().map(str::to_string)).collect(),
        _ => return Err(io::Error::other(format!("{ALLOWED} is not a list of SPDX ids"))),
    };
    let metadata = metadata::cargo_metadata(&["--all-features", "--locked"])?;
    if metadata["packages"].as_array().is_none_or(|packages| packages.is_empty()) {
        return Err(io::Error::other("cargo names no packages"));
    }
    Ok(licences::refused(&metadata, &allowed))
}
