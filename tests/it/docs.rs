//! The documents say what the code says: settings, functions, links.

use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use unify::session::SETTINGS;
use unify::sql::{functions, statements, COPY_STATEMENT};

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

/// Checks that a document has these lines between `<!-- name -->` and `<!-- end -->`. With UPDATE_EXPECT=1 it rewrites them.
fn check_generated(path: &str, name: &str, lines: &[String]) {
    let text = read(path);
    let begin = format!("<!-- {name}, generated: UPDATE_EXPECT=1 cargo test --no-default-features --test it docs -->\n");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{path} has no line {begin}"));
    let (found, after) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{path}: '{name}' has no end"));
    let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if found == expected {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_EXPECT").is_some(),
        "{path}: '{name}' is not what the definitions say; set UPDATE_EXPECT=1 to rewrite it"
    );
    fs::write(root().join(path), format!("{before}{begin}{expected}<!-- end -->{after}")).unwrap();
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

#[test]
fn statements_and_functions_are_documented_as_they_are_defined() {
    let mut lines = vec!["| Statement | Function | What it does |".to_string(), "|---|---|---|".to_string()];
    for statement in statements() {
        lines.push(format!("| {} | {} | {} |", code(statement.syntax), code(statement.function), statement.description));
    }
    lines.push(format!("| {} | | {} |", code(COPY_STATEMENT.syntax), COPY_STATEMENT.description));
    check_generated("docs/commands.md", "statements", &lines);
    let mut lines = vec!["| Function | What it does | Example |".to_string(), "|---|---|---|".to_string()];
    for function in functions() {
        let def = function.def();
        lines.push(format!("| {} | {} | {} |", code(&def.usage()), def.description, code(def.example)));
    }
    check_generated("docs/commands.md", "functions", &lines);
}

#[test]
fn settings_are_documented_as_they_are_defined() {
    let mut lines = vec!["| Setting | Type | Default | Meaning |".to_string(), "|---|---|---|---|".to_string()];
    for setting in SETTINGS {
        let default = if setting.default.is_empty() { "''" } else { setting.default };
        lines.push(format!(
            "| {} | {} | {} | {} |",
            code(setting.name),
            setting.setting_type.sql_name(),
            code(default),
            setting.description
        ));
    }
    check_generated("docs/settings.md", "settings", &lines);
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

#[test]
fn every_page_with_blocks_is_run_by_a_test() {
    // Commands for whoever changes the project: what they run is tested, or takes longer than a test may.
    let for_developers = ["CONTRIBUTING.md", "benchmark/README.md", "test/README.md"];
    let mut tests = String::new();
    for folder in ["test/hosts", "src", "tests"] {
        for file in files(&root().join(folder), ".py").into_iter().chain(files(&root().join(folder), "tests.rs")) {
            tests.push_str(&fs::read_to_string(file).unwrap());
        }
    }
    let mut n_pages = 0;
    for file in files(root(), ".md") {
        let page = file.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        if !fs::read_to_string(&file).unwrap().contains("\n```") || for_developers.contains(&page.as_str()) {
            continue;
        }
        n_pages += 1;
        let name = page.strip_prefix("docs/").unwrap_or(&page);
        // As a whole path, or as a name below docs/.
        let is_named = [format!("{page}\""), format!("\"{name}\"")].iter().any(|named| tests.contains(named.as_str()));
        assert!(is_named, "{page} has blocks that no test runs: name it in one, such as test/hosts/test_docs_pages.py");
    }
    assert!(n_pages > 10, "only {n_pages} pages have blocks");
}
