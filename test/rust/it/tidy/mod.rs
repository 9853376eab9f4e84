//! The rules a machine can judge, over every file of the project. Each rule carries an example that breaks it.

mod circles;
mod layers;
mod rules;
mod source;

use regex::Regex;
use source::Source;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{LazyLock, Mutex};

/// A rule: what it demands, how it looks, a file that breaks it and one that keeps it.
pub struct Rule {
    /// What the rule demands, as the message shows it.
    pub demand: &'static str,
    pub check: fn(&Source) -> Vec<Violation>,
    /// Path and text of files that break the rule once each.
    pub broken: &'static [(&'static str, &'static str)],
    /// Path and text of files that come close and keep it.
    pub kept: &'static [(&'static str, &'static str)],
}

/// Where a file breaks a rule.
#[derive(Debug)]
pub struct Violation {
    pub line: usize,
    pub found: String,
}

/// Returns the compiled pattern. Each is compiled once: there are many files.
fn regex_of(pattern: &'static str) -> Regex {
    static COMPILED: LazyLock<Mutex<HashMap<&str, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().expect("no other test panicked here");
    compiled.entry(pattern).or_insert_with(|| Regex::new(pattern).expect("a pattern")).clone()
}

fn all_rules() -> impl Iterator<Item = &'static Rule> {
    layers::RULES.iter().chain(rules::RULES)
}

/// Returns every file git tracks or would track.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(root).output().expect("git lists the project's files");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok().map(|text| Source::new(path, &text));
    // A file that is deleted and not yet committed, or that is not text, has nothing to judge.
    paths.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect()
}

#[test]
fn the_project_keeps_its_rules() {
    let sources = sources();
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"), "the project's files were not found");
    let mut lines = Vec::new();
    for rule in all_rules() {
        for source in &sources {
            for violation in (rule.check)(source) {
                lines.push(format!("{}:{}: {}; {}", source.path, violation.line, violation.found, rule.demand));
            }
        }
    }
    assert!(lines.is_empty(), "{} violations\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn every_rule_catches_what_it_forbids_and_nothing_close_to_it() {
    for rule in all_rules() {
        assert!(!rule.broken.is_empty(), "no example breaks: {}", rule.demand);
        for (path, text) in rule.broken {
            let violations = (rule.check)(&Source::new(path, text));
            assert_eq!(violations.len(), 1, "'{}' in {path}:\n{text}\n{violations:?}", rule.demand);
        }
        for (path, text) in rule.kept {
            let violations = (rule.check)(&Source::new(path, text));
            assert!(violations.is_empty(), "'{}' in {path}:\n{text}\n{violations:?}", rule.demand);
        }
    }
}
