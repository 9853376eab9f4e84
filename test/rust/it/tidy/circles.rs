//! Files form no circles but those listed: an arrow goes from a file to each file that has something it names, and no way leads back.
//!
//! Names are followed through re-exports to the file that has the item. Tests are left out, and so are the re-exports themselves: a folder's
//! `mod.rs` may hand on what its files have.

use super::regex_of;
use super::source::Source;
use std::collections::{BTreeMap, BTreeSet};

/// The path of a module below `src`, such as `["load", "writer"]`.
type Module = Vec<String>;

/// The modules of the crate and what stands in them.
#[derive(Default)]
struct Modules {
    paths: BTreeMap<Module, String>,
    /// What each module imports: the name it has there, and its path.
    imports: BTreeMap<Module, Vec<Import>>,
    /// Paths in each module's code outside imports.
    named: BTreeMap<Module, Vec<Module>>,
}

struct Import {
    name: String,
    path: Module,
    is_public: bool,
}

impl Modules {
    fn of(sources: &[Source]) -> Modules {
        let mut modules = Modules::default();
        for source in sources.iter().filter(|source| source.is_rust_in("src/") && !source.path.contains("test")) {
            let module = module_of(&source.path);
            // The contents of a test module are blank, its lines stay.
            let code: String = source.lines.iter().filter(|line| !line.is_test).map(|line| format!("{}\n", line.code)).collect();
            let (imports, rest) = imports_of(&code);
            let named = regex_of(r"\b[a-zA-Z_]\w*(?:::\w+)+").find_iter(&rest).map(|found| split(found.as_str())).collect();
            modules.paths.insert(module.clone(), source.path.clone());
            modules.imports.insert(module.clone(), imports);
            modules.named.insert(module, named);
        }
        modules
    }

    fn has(&self, module: &[String]) -> bool {
        self.paths.contains_key(module)
    }

    /// Returns the module that has what `path` names in `module`; `None` for what is not of the crate.
    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut at: Module = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module[..module.len().checked_sub(1)?].to_vec(),
            name => {
                let mut child = module.to_vec();
                child.push(name.to_string());
                if !self.has(&child) {
                    return self.through_import(module, path, depth);
                }
                child
            }
        };
        let mut rest = rest;
        while let Some((name, after)) = rest.split_first() {
            if name == "super" {
                at.pop();
            } else {
                let mut child = at.clone();
                child.push(name.clone());
                if !self.has(&child) {
                    return Some(self.through_import(&at, rest, depth).unwrap_or(at));
                }
                at = child;
            }
            rest = after;
        }
        Some(at)
    }

    /// Returns the module that has what `path`, which begins with a name that `module` imports, leads to.
    fn through_import(&self, module: &[String], path: &[String], depth: usize) -> Option<Module> {
        const MAX_DEPTH: usize = 12;
        let import = self.imports.get(module)?.iter().find(|import| import.name == path[0])?;
        let mut whole = import.path.clone();
        whole.extend_from_slice(&path[1..]);
        if depth == MAX_DEPTH || import.path[..] == path[..1] {
            return None;
        }
        self.resolve(module, &whole, depth + 1)
    }

    /// Returns the modules each one needs.
    fn arrows(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let mut arrows = BTreeMap::new();
        for module in self.paths.keys() {
            let is_handed_on = |import: &&Import| {
                let mut child = module.clone();
                child.push(import.path[0].clone());
                !(import.is_public && self.has(&child))
            };
            let imported = self.imports[module].iter().filter(is_handed_on).map(|import| &import.path);
            let found = imported.chain(&self.named[module]).filter_map(|path| self.resolve(module, path, 0));
            let needed: BTreeSet<Module> = found.filter(|found| found != module && self.has(found)).collect();
            arrows.insert(module.clone(), needed);
        }
        arrows
    }

    /// Returns the circles, each as the files in it.
    fn circles(&self) -> Vec<Vec<&str>> {
        let arrows = self.arrows();
        let reached: BTreeMap<&Module, BTreeSet<&Module>> = arrows.keys().map(|from| (from, reachable(&arrows, from))).collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for from in arrows.keys().filter(|from| reached[from].contains(from)) {
            let circle: BTreeSet<&Module> = reached[from].iter().copied().filter(|to| reached[to].contains(from)).collect();
            if seen.insert(circle.clone()) {
                circles.push(circle.into_iter().map(|module| self.paths[module].as_str()).collect());
            }
        }
        circles
    }
}

fn reachable<'a>(arrows: &'a BTreeMap<Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<&'a Module> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Module> = arrows[from].iter().collect();
    while let Some(module) = open.pop() {
        if found.insert(module) {
            open.extend(&arrows[module]);
        }
    }
    found
}

fn module_of(path: &str) -> Module {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let parts = inner.split('/').filter(|part| *part != "mod" && *part != "lib");
    parts.map(str::to_string).collect()
}

fn split(path: &str) -> Module {
    path.split("::").map(|part| part.trim().to_string()).collect()
}

/// Returns the imports of a file, and its code without them.
fn imports_of(code: &str) -> (Vec<Import>, String) {
    let mut imports = Vec::new();
    let statement = regex_of(r"(?m)^\s*(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);");
    for found in statement.captures_iter(code) {
        let tree: String = found[2].split_whitespace().collect::<Vec<_>>().join(" ");
        add_tree(&Vec::new(), &tree, found.get(1).is_some(), &mut imports);
    }
    (imports, statement.replace_all(code, "\n").into_owned())
}

/// Adds the names of a tree such as `a::{b, c::{self, d as e}}`.
fn add_tree(prefix: &Module, tree: &str, is_public: bool, imports: &mut Vec<Import>) {
    let Some((path, group)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
        let mut whole = prefix.clone();
        whole.extend(split(path.trim()));
        if whole.last().is_some_and(|last| last == "self") {
            whole.pop();
        }
        if let Some(last) = whole.last() {
            let name = alias.map_or(last.clone(), str::to_string);
            imports.push(Import { name, path: whole, is_public });
        }
        return;
    };
    let mut prefix = prefix.clone();
    prefix.extend(split(path.trim().trim_end_matches("::")).into_iter().filter(|part| !part.is_empty()));
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let (mut depth, mut start) = (0, 0);
    for (position, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let entry = group[start..position].trim();
                if !entry.is_empty() {
                    add_tree(&prefix, entry, is_public, imports);
                }
                start = position + 1;
            }
            _ => {}
        }
    }
}

/// The circles that are left: how many files each has, and the first of them. None is added, and each that is broken up leaves the list.
const LEFT: &[(usize, &str)] = &[];

#[test]
fn files_form_no_new_circles() {
    let modules = Modules::of(&super::sources());
    assert!(modules.arrows().values().map(BTreeSet::len).sum::<usize>() > 100, "the project's imports were not found");
    let circles = modules.circles();
    let found: Vec<(usize, &str)> = circles.iter().map(|files| (files.len(), files[0])).collect();
    let lines: Vec<String> = circles.iter().map(|files| files.join(" ")).collect();
    assert_eq!(found, LEFT, "circles of files, each of which needs the others:\n{}", lines.join("\n"));
}

/// The most folders of `load` in a chain, each of which uses the next.
const LONGEST_CHAIN: usize = 7;

/// Returns the modules of `load` in the order in which its own documentation lists them.
fn listed(text: &str) -> Vec<String> {
    let table = text.split("\n//! # Modules\n").nth(1).unwrap_or_default();
    regex_of(r"(?m)^//! \| `(\w+)` \|").captures_iter(table).map(|row| row[1].to_string()).collect()
}

#[test]
fn modules_of_load_use_those_above_them() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/load/mod.rs")).expect("the module is there");
    let listed = listed(&text);
    let position =
        |module: &Module| listed.iter().position(|name| module.first().map(String::as_str) == Some("load") && module.get(1) == Some(name));
    let arrows = Modules::of(&super::sources()).arrows();
    let unlisted: BTreeSet<&String> = arrows
        .keys()
        .filter(|module| module.len() > 2 && module[0] == "load" && position(module).is_none())
        .map(|module| &module[1])
        .collect();
    assert!(listed.len() > 10 && unlisted.is_empty(), "modules that the documentation of `load` does not list: {unlisted:?}");
    let mut lines = Vec::new();
    for (from, needed) in &arrows {
        let below = |to: &&Module| position(from).zip(position(to)).is_some_and(|(from, to)| from < to);
        lines.extend(needed.iter().filter(below).map(|to| format!("{} uses {}", from.join("/"), to.join("/"))));
    }
    assert!(lines.is_empty(), "modules use those below them:\n{}", lines.join("\n"));
}

/// Returns the longest chain of folders in `load`, each of which uses the next. A file beside the folders leads on and does not count.
fn longest_chain(modules: &Modules) -> Vec<String> {
    let part = |module: &Module| Some(module.get(1)?.clone()).filter(|_| module[0] == "load");
    let folders: BTreeSet<String> = modules.paths.keys().filter(|module| module.len() > 2).filter_map(part).collect();
    let mut needed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in modules.arrows() {
        let Some(from) = part(&from) else { continue };
        needed.entry(from.clone()).or_default().extend(to.iter().filter_map(part).filter(|to| *to != from));
    }
    // A chain has no part twice, since no parts form a circle; so this ends after as many rounds as there are parts.
    let mut longest: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for _ in 0..needed.len() {
        for (from, needed) in &needed {
            let rest = needed.iter().filter_map(|to| longest.get(to)).max_by_key(|chain| chain.len()).cloned().unwrap_or_default();
            longest.insert(from, folders.get(from).cloned().into_iter().chain(rest).collect());
        }
    }
    longest.into_values().max_by_key(Vec::len).unwrap_or_default()
}

#[test]
fn no_chain_of_folders_in_load_is_long() {
    let chain = longest_chain(&Modules::of(&super::sources()));
    assert!(chain.len() > 3, "the folders of 'load' were not found: {chain:?}");
    assert!(chain.len() <= LONGEST_CHAIN, "{} folders in a chain: {}", chain.len(), chain.join(" > "));
}

#[test]
fn a_chain_leads_through_files_beside_the_folders() {
    let file = |path: &str, text: &str| Source::new(path, text);
    let sources = [
        file("src/load/mod.rs", "mod a;\nmod between;\nmod c;\nmod d;\n"),
        file("src/load/a/mod.rs", "mod x;\n"),
        file("src/load/c/mod.rs", "mod y;\n"),
        file("src/load/d/mod.rs", "mod z;\n"),
        file("src/load/a/x.rs", "use crate::load::between::B;\n"),
        file("src/load/between.rs", "use crate::load::c::y::C;\n"),
        file("src/load/c/y.rs", "use crate::load::d::z::D;\nuse crate::http::E;\n"),
        file("src/load/d/z.rs", ""),
        file("src/http/mod.rs", "pub struct E;\n"),
    ];
    assert_eq!(longest_chain(&Modules::of(&sources)), ["a", "c", "d"]);
}

#[test]
fn a_circle_is_found_through_re_exports_and_paths_in_code() {
    let check = |files: &[(&str, &str)], expected: &[&[&str]]| {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        assert_eq!(Modules::of(&sources).circles(), expected, "{files:?}");
    };
    let (a, b) = ("src/x/a.rs", "src/x/b.rs");
    let facade = ("src/x/mod.rs", "mod a;\nmod b;\npub use a::A;\npub use b::{B, c};\n");
    check(&[facade, (a, "use super::b::B;\n"), (b, "use super::a::{self, A};\n")], &[&[a, b]]);
    check(&[facade, (a, "use crate::x::B;\n"), (b, "fn f() { super::a::g() }\n")], &[&[a, b]]);
    check(&[facade, (a, "use crate::x;\nfn f() { x::c() }\n"), (b, "use {super::a::A};\n")], &[&[a, b]]);
    check(&[facade, (a, "use super::b::B;\n"), (b, "#[cfg(test)]\nmod tests {\n    use super::super::a::A;\n}\n")], &[]);
    check(&[facade, (a, "use super::b::B;\n// super::a\n"), (b, "const T: &str = \"crate::x::A\";\n")], &[]);
    check(&[("src/x/mod.rs", "mod a;\nuse a::A;\npub struct X;\n"), (a, "use super::X;\n")], &[&["src/x/mod.rs", a]]);
    check(&[("src/x/mod.rs", "mod a;\npub use a::A;\npub struct X;\n"), (a, "use super::X;\n")], &[]);
}
