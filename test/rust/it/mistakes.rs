//! The list of mistakes that are tested names tests that there are.

use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const LIST: &str = "test/mistakes.txt";

/// Returns what is wrong with the list, a line each.
fn problems(list: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut known = BTreeSet::new();
    let lines = list.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with(['#', '[']));
    for (idx, line) in lines {
        let (mistake, tests) = line.split_once(" | ").unwrap_or((line, ""));
        if !known.insert(mistake) {
            problems.push(format!("line {}: '{mistake}' comes twice", idx + 1));
        }
        for test in tests.split(", ") {
            if let Some(problem) = problem_of(test, &read) {
                problems.push(format!("line {}: {problem}", idx + 1));
            }
        }
    }
    problems
}

fn problem_of(test: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (path, name) = test.split_once("::").unwrap_or((test, ""));
    let Some(text) = read(path) else {
        return Some(format!("there is no file '{path}'"));
    };
    let is_sql = path.starts_with("test/sql/");
    if is_sql != name.is_empty() {
        return Some(format!("'{test}' names no test; expected test/sql/FILE.test, or FILE::TEST"));
    }
    let definition = Regex::new(&format!(r"(?m)^\s*(?:async )?(?:def|fn) {name}\(")).unwrap();
    (!is_sql && !definition.is_match(&text)).then(|| format!("'{path}' has no test '{name}'"))
}

#[test]
fn every_mistake_has_its_tests() {
    let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok();
    let list = read(LIST).unwrap();
    assert_eq!(problems(&list, read), Vec::<String>::new(), "{LIST}");
    assert!(list.lines().filter(|line| line.contains(" | ")).count() > 60);
}

#[test]
fn what_is_missing_is_told() {
    let read = |path: &str| (path != "gone.py").then(|| "def test_it(x):\n#[test]\nfn holds() {".to_string());
    let list = "# mistakes\n[One]\na | a.py::test_it, b.rs::holds, test/sql/a.test\nb | gone.py::test_it\nc | a.py::test\nd | a.py\na | a.py::test_it\ne";
    let expected = [
        "line 4: there is no file 'gone.py'",
        "line 5: 'a.py' has no test 'test'",
        "line 6: 'a.py' names no test; expected test/sql/FILE.test, or FILE::TEST",
        "line 7: 'a' comes twice",
        "line 8: '' names no test; expected test/sql/FILE.test, or FILE::TEST",
    ];
    assert_eq!(problems(list, read), expected);
}
