//! The rules about size, comments, panics, tests, names and places.

use super::source::{Line, Source};
use super::{regex_of, Rule, Violation};

const MOST_LINES: usize = 600;
const CODE_FOLDERS: [&str; 5] = ["src/", "test/", "benchmark/", "packaging/", "demo/"];
const CODE_ENDINGS: [&str; 6] = [".rs", ".cpp", ".h", ".py", ".mjs", ".sh"];

pub const RULES: &[Rule] = &[
    Rule {
        demand: "files stay under 600 lines: split it",
        check: too_long,
        broken: &[("src/a.rs", LONG), ("test/a.py", LONG)],
        kept: &[("src/a.yaml", LONG)],
    },
    Rule {
        demand: "each Rust file starts with a '//!' sentence",
        check: no_first_sentence,
        broken: &[("src/a.rs", "use std::fmt;\n"), ("test/rust/it/a.rs", "\n//! Late.\n"), ("src/b.rs", "//!\n")],
        kept: &[("src/a.rs", "//! What it is.\n"), ("a.py", "import os\n"), ("src/a/tests.rs", "use super::*;\n")],
    },
    Rule {
        demand: "'unsafe' stands in src/ffi only",
        check: |source| found_in_code(source, r"\bunsafe\b", |line| !line.code.trim().is_empty() && source.is_rust_outside("src/ffi/")),
        broken: &[("src/document/mod.rs", "unsafe { f() }\n"), ("packaging/src/lib.rs", "unsafe fn f() {}\n")],
        kept: &[("src/ffi/value.rs", "unsafe { f() }\n"), ("src/document/mod.rs", "// unsafe is elsewhere\nlet a = \"unsafe\";\n")],
    },
    Rule {
        demand: "comments tell the code as it is; history lives in commits",
        check: history,
        broken: &[
            ("src/a.rs", "// Previously a list.\n"),
            ("src/a.rs", "/// No longer needed.\n"),
            ("src/a.rs", "// This used to be faster.\n"),
            ("src/a.cpp", "/* Comes in phase 2 */\n"),
            ("test/a.py", "x = 1 # see issue #12\n"),
            ("src/a.rs", "//! TODO: write it.\n"),
            ("Makefile", "# FIXME\n"),
        ],
        kept: &[
            ("src/a.rs", "// The buffer is used to hold a page; phases of the moon.\nlet a = \"TODO\";\n"),
            ("docs/a.md", "It used to be so.\n"),
        ],
    },
    Rule {
        demand: "only tests may panic: return an error",
        check: |source| {
            let panics = r"\.unwrap\(\)|\.unwrap_err\(\)|\.expect\(|\b(panic|todo|unimplemented|unreachable|dbg)!";
            found_in_code(source, panics, |line| source.is_rust_in("src/") && !line.is_test)
        },
        broken: &[
            ("src/a.rs", "let a = b.unwrap();\n"),
            ("src/a.rs", "let a = b.expect(\"x\");\n"),
            ("src/a.rs", "fn a() { todo!() }\n"),
            ("src/a.rs", "#[cfg(test)]\nmod tests {}\nfn a() { panic!() }\n"),
        ],
        kept: &[
            ("src/a.rs", "let a = b.unwrap_or(1);\n// .unwrap() would panic!\n#[cfg(test)]\nmod tests {\n    fn b() { c.unwrap(); }\n}\n"),
            ("src/a/tests.rs", "fn b() { c.unwrap(); }\n"),
            ("test/rust/it/a.rs", "fn b() { c.unwrap(); }\n"),
        ],
    },
    Rule {
        demand: "no parameter hides others in a tuple: give each a parameter, or what they are together a type",
        check: |source| {
            let hidden = r"(^\s*|, )\((mut )?[a-z_]+(, (mut )?[a-z_]+)+\): &?('[a-z_]+ )?(mut )?\(";
            found_in_code(source, hidden, |line| source.path.ends_with(".rs") && !line.code.contains("let (") && !line.code.contains('|'))
        },
        broken: &[
            ("src/a.rs", "fn a(&self, (b, c): (&str, u64)) {}\n"),
            ("test/api/src/a.rs", "fn a(\n    d: u64,\n    (b, c): &(String, u64),\n) {}\n"),
        ],
        kept: &[(
            "src/a.rs",
            "fn a(b: u64) {\n    let (c, d): (u64, u64) = e();\n    f(|(g, h): (u64, u64)| g + h);\n}\nfn pair((i, j): (&u64, &u64)) {}\n",
        )],
    },
    Rule {
        demand: "a test runs, and passes by what it checks",
        check: |source| found_in_code(source, r"#\[\s*(ignore|should_panic)\b", |_| source.path.ends_with(".rs")),
        broken: &[("src/a.rs", "#[test]\n#[ignore]\nfn a() {}\n"), ("test/rust/it/a.rs", "#[should_panic(expected = \"x\")]\nfn a() {}\n")],
        kept: &[("src/a.rs", "// #[ignore]\nlet ignore = 1;\n")],
    },
    Rule {
        demand: "names come from the glossary: never Connector, Manager, Helper, Handler, Provider, Info, Impl, Mgr",
        check: |source| {
            let names = r"\b(struct|enum|trait|type|union)\s+([A-Z][a-z0-9]+)*(Connector|Manager|Helper|Handler|Provider|Info|Impl|Mgr)([A-Z]\w*)?\b";
            found_in_code(source, names, |_| source.path.ends_with(".rs"))
        },
        broken: &[
            ("src/a.rs", "pub struct TableManager {}\n"),
            ("src/a.rs", "enum ConnectorKind {}\n"),
            ("src/a.rs", "trait Handler {}\n"),
        ],
        kept: &[("src/a.rs", "pub struct Implicit {}\nstruct Information;\nuse other::EventHandler;\n")],
    },
    Rule {
        demand: "a public item has a doc comment",
        check: undocumented,
        broken: &[("src/a.rs", "pub fn a() {}\n"), ("src/a.rs", "/// Doc.\npub fn a() {}\n\n#[derive(Debug)]\npub struct B;\n")],
        kept: &[
            ("src/a.rs", "/// Doc.\n#[derive(\n    Debug\n)]\npub struct B;\n\npub(crate) fn a() {}\npub mod c;\npub use d::E;\n"),
            ("src/ffi/a.rs", "extern \"C\" {\n    pub fn a();\n}\n"),
            ("test/rust/it/a.rs", "pub fn a() {}\n"),
        ],
    },
    Rule {
        demand: "a file names no place or word of the machine it was written on",
        check: machine_words,
        broken: &[
            ("docs/a.md", concat!("See /wor", "k/main.\n")),
            ("a.py", concat!("open('/ro", "ot/x')\n")),
            ("src/a.rs", concat!("//! Built in /tm", "p/target.\n")),
            ("README.md", concat!("Asked by the C", "EO.\n")),
        ],
        kept: &[("docs/a.md", "https://example.com/work/items, /drives/{id}/root/delta and /tmp/x.parquet\n")],
    },
];

const LONG: &str = long_text();

/// A text of one line more than a file may have, each line a comment's start.
const fn long_text() -> &'static str {
    const BYTES: [u8; (MOST_LINES + 1) * 3] = {
        let mut bytes = [b'/'; (MOST_LINES + 1) * 3];
        let mut position = 2;
        while position < bytes.len() {
            bytes[position] = b'\n';
            position += 3;
        }
        bytes
    };
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
}

impl Source {
    fn is_rust_outside(&self, folder: &str) -> bool {
        self.path.ends_with(".rs") && !self.path.starts_with(folder)
    }
}

/// Returns each line whose code matches, among those `applies` names.
fn found_in_code(source: &Source, pattern: &'static str, applies: impl Fn(&Line) -> bool) -> Vec<Violation> {
    let regex = regex_of(pattern);
    let lines = source.lines.iter().enumerate().filter(|(_, line)| applies(line));
    lines
        .filter_map(|(line_idx, line)| Some(Violation { line: line_idx + 1, found: format!("'{}'", regex.find(&line.code)?.as_str()) }))
        .collect()
}

fn too_long(source: &Source) -> Vec<Violation> {
    let is_code = CODE_FOLDERS.iter().any(|folder| source.path.starts_with(folder))
        && CODE_ENDINGS.iter().any(|ending| source.path.ends_with(ending));
    match source.lines.len() {
        n_lines if is_code && n_lines > MOST_LINES => vec![Violation { line: MOST_LINES + 1, found: format!("{n_lines} lines") }],
        _ => Vec::new(),
    }
}

fn no_first_sentence(source: &Source) -> Vec<Violation> {
    let is_code = source.path == "build.rs" || CODE_FOLDERS.iter().any(|folder| source.is_rust_in(folder));
    // The tests beside a module are about that module, as their place says.
    let is_beside = source.path.starts_with("src/") && source.path.ends_with("tests.rs");
    let first = source.lines.first().map_or("", |line| line.raw.as_str());
    match is_code && !is_beside && !(first.starts_with("//! ") && first.len() > 5) {
        true => vec![Violation { line: 1, found: format!("'{first}'") }],
        false => Vec::new(),
    }
}

fn history(source: &Source) -> Vec<Violation> {
    let pattern = r"(?i)\bpreviously\b|\bno longer\b|\bformerly\b|\bused to (be|have|do|return|live|fail)\b|\bphase \d|\bissue #?\d|\b(TODO|FIXME|XXX)\b";
    let regex = regex_of(pattern);
    let lines = source.lines.iter().enumerate();
    lines
        .filter_map(|(line_idx, line)| Some(Violation { line: line_idx + 1, found: format!("'{}'", regex.find(&line.comment)?.as_str()) }))
        .collect()
}

fn undocumented(source: &Source) -> Vec<Violation> {
    let regex = regex_of(r"^\s*pub (const |async |unsafe |extern \S+ )*(fn|struct|enum|trait|type|const|static|union) \w+");
    let mut violations = Vec::new();
    for (line_idx, line) in source.lines.iter().enumerate() {
        // What C++ declares is described there.
        let is_foreign = source.path.starts_with("src/ffi/") && line.code.contains(" fn ") && line.code.trim_end().ends_with(';');
        if !source.is_rust_in("src/") || line.is_test || is_foreign || !regex.is_match(&line.code) {
            continue;
        }
        let above = source.lines[..line_idx].iter().rev().map(|line| line.raw.trim());
        // Attributes stand between the comment and the item, sometimes over several lines.
        let nearest = above
            .take_while(|raw| raw.starts_with("///") || !raw.is_empty() && !raw.ends_with('}') && !raw.ends_with(';'))
            .find(|raw| raw.starts_with("///"));
        if nearest.is_none() {
            violations.push(Violation { line: line_idx + 1, found: format!("'{}'", line.code.trim()) });
        }
    }
    violations
}

fn machine_words(source: &Source) -> Vec<Violation> {
    let pattern = concat!(r"(^|[^\w.}])/(wor", r"k|ro", r"ot)/|/tm", r"p/(w|target|target-\w+)(/|\b)|\bC", r"EO\b|\bsub", r"agent");
    let regex = regex_of(pattern);
    let lines = source.lines.iter().enumerate();
    lines
        .filter_map(|(line_idx, line)| {
            Some(Violation { line: line_idx + 1, found: format!("'{}'", regex.find(&line.raw)?.as_str().trim()) })
        })
        .collect()
}
