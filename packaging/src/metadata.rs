//! What the build tools ask cargo: the packages of the workspace and of everything it depends on.

use serde_json::Value;
use std::io;
use std::process::Command;

/// Runs `cargo metadata` with `arguments` in the current folder and returns its answer.
pub fn cargo_metadata(arguments: &[&str]) -> io::Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(["metadata", "--format-version", "1"]).args(arguments).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_string()));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Returns the version of the package `name`.
pub fn version_of(metadata: &Value, name: &str) -> Option<String> {
    let packages = metadata["packages"].as_array()?;
    let package = packages.iter().find(|package| package["name"] == name)?;
    package["version"].as_str().map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_version_is_found_by_name() {
        let metadata = json!({"packages": [{"name": "a", "version": "1.0.0"}, {"name": "unify", "version": "0.1.0"}]});
        assert_eq!(version_of(&metadata, "unify").as_deref(), Some("0.1.0"));
        assert_eq!(version_of(&metadata, "none"), None);
    }
}
