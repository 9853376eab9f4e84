//! The documents say what the code says: settings, functions, links.

use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use unify::session::SETTINGS;
use unify::sql::{COPY_STATEMENT, DEFINITIONS};

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
    for statement in DEFINITIONS.statements {
        lines.push(format!("| {} | {} | {} |", code(statement.syntax), code(statement.function.name), statement.description));
    }
    lines.push(format!("| {} | | {} |", code(COPY_STATEMENT.syntax), COPY_STATEMENT.description));
    check_generated("docs/commands.md", "statements", &lines);
    let mut lines = vec!["| Function | What it does | Example |".to_string(), "|---|---|---|".to_string()];
    for function in DEFINITIONS.functions {
        lines.push(format!("| {} | {} | {} |", code(&function.usage()), function.description, code(function.example)));
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

/// Returns the releases that releases.json names, oldest first: `1.5.3`, ...
fn releases() -> Vec<String> {
    let releases: serde_json::Value = serde_json::from_str(&read("extension_config/releases.json")).unwrap();
    let lines = releases["lines"].as_array().unwrap().iter();
    lines
        .flat_map(|line| line["releases"].as_array().unwrap())
        .map(|name| name.as_str().unwrap().trim_start_matches('v').to_string())
        .collect()
}

/// Returns a badge as an SVG picture: a label on grey, a text on blue.
fn badge(label: &str, text: &str) -> String {
    let width_of = |text: &str| 7 * text.chars().count() + 12;
    let (left, right) = (width_of(label), width_of(text));
    let width = left + right;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"20\" role=\"img\" aria-label=\"{label}: {text}\">\n\
         <rect width=\"{left}\" height=\"20\" fill=\"#555\"/><rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"#07c\"/>\n\
         <g fill=\"#fff\" font-family=\"monospace\" font-size=\"11\" text-anchor=\"middle\">\n\
         <text x=\"{}\" y=\"14\">{label}</text><text x=\"{}\" y=\"14\">{text}</text>\n</g>\n</svg>\n",
        left / 2,
        left + right / 2
    )
}

#[test]
fn the_badge_names_the_releases_there_are() {
    let names = releases().join(" ");
    check_generated("README.md", "releases", &[format!("![DuckDB {names}](docs/duckdb.svg)")]);
    let expected = badge("DuckDB", &names);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(root().join("docs/duckdb.svg"), &expected).unwrap();
    }
    assert!(read("docs/duckdb.svg") == expected, "docs/duckdb.svg is not what releases.json says; set UPDATE_EXPECT=1 to rewrite it");
}

/// Returns the anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let bare = Regex::new(r"(?ms)^```.*?^```$").unwrap().replace_all(page, "").into_owned();
    let kept = |letter: &char| letter.is_alphanumeric() || ['-', '_', ' '].contains(letter);
    matches(r"(?m)^#+ (.+)$", &bare)
        .iter()
        .map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-"))
        .collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    let (mut n_links, mut n_anchors) = (0, 0);
    for file in files(root(), ".md") {
        for link in matches(r"\]\(([^)\s]+)\)", &fs::read_to_string(&file).unwrap()) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: '{link}' leads nowhere", file.display());
            n_links += 1;
            if !anchor.is_empty() {
                let known = anchors(&fs::read_to_string(&target).unwrap());
                assert!(known.contains(anchor), "{}: '{link}' names no heading; there are {known:?}", file.display());
                n_anchors += 1;
            }
        }
    }
    assert!(n_links > 10 && n_anchors > 10, "{n_links} links, {n_anchors} of them to headings");
}

#[test]
fn the_start_of_the_documents_lists_every_page() {
    let start = root().join("docs");
    for file in files(&start, ".md") {
        // The page README.md of a folder lists the others of it, and the folders below by theirs.
        let folder = file.parent().unwrap();
        let is_index = file.ends_with("README.md");
        let index = if is_index && folder != start { folder.parent().unwrap() } else { folder }.join("README.md");
        let listed = matches(r"\]\(([\w/-]+\.md)\)", &fs::read_to_string(&index).unwrap());
        let name = file.strip_prefix(index.parent().unwrap()).unwrap().to_string_lossy().into_owned();
        assert!(name == "README.md" || listed.contains(&name), "{} does not list '{name}'", index.display());
    }
}

#[test]
fn every_page_with_blocks_is_run_by_a_test() {
    // Commands for whoever changes the project: what they run is tested, or takes longer than a test may.
    let for_developers = ["CONTRIBUTING.md", "benchmark/README.md", "test/README.md"];
    let mut tests = String::new();
    for folder in ["test/hosts", "src", "test/rust"] {
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
