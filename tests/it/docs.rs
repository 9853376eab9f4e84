//! The documents say what the code says: settings, functions, links.

use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use unify::session::SETTINGS;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|err| panic!("{path}: {err}"))
}

/// Returns every file below `folder` whose name ends so, and is not below a hidden folder or a build's.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') && !["build", "target", "node_modules"].contains(&name.as_str()) {
            found.extend(files(&entry.path(), ending));
        } else if name.ends_with(ending) {
            found.push(entry.path());
        }
    }
    found
}

fn matches(pattern: &str, text: &str) -> BTreeSet<String> {
    Regex::new(pattern).unwrap().captures_iter(text).map(|found| found[1].to_string()).collect()
}

#[test]
fn settings_are_documented_with_their_defaults() {
    let row = Regex::new(r"(?m)^\| `(unify_\w+)` \| `([^`]+)` \| \S").unwrap();
    let text = read("docs/settings.md");
    let default = |text: &str| if text == "''" { String::new() } else { text.to_string() };
    let documented: Vec<(String, String)> = row.captures_iter(&text).map(|found| (found[1].to_string(), default(&found[2]))).collect();
    let defined: Vec<(String, String)> = SETTINGS.iter().map(|setting| (setting.name.to_string(), setting.default.to_string())).collect();
    assert_eq!(documented, defined);
}

#[test]
fn every_function_has_its_row_and_every_row_its_function() {
    let mut defined = BTreeSet::new();
    for file in files(&root().join("src/sql"), ".rs") {
        defined.extend(matches(r#"\bname: "(unify_\w+)""#, &fs::read_to_string(file).unwrap()));
    }
    let documented = matches(r"(?m)^\|[^|]*\| `(unify_\w+)\(", &read("docs/commands.md"));
    assert_eq!(documented, defined);
}

#[test]
fn links_lead_to_files() {
    let mut n_links = 0;
    for file in files(root(), ".md") {
        for link in matches(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", &fs::read_to_string(&file).unwrap()) {
            let is_elsewhere = link.contains("://") || link.starts_with("mailto:");
            let target = file.parent().unwrap().join(&link);
            assert!(is_elsewhere || target.exists(), "{}: '{link}' leads nowhere", file.display());
            n_links += 1;
        }
    }
    assert!(n_links > 10, "{n_links} links found");
}
