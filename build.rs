//! Lists the bundled adapter specs; compiles the C++ bridge once per DuckDB line, against that line's own headers, and generates the table of
//! supported releases.
//!
//! The lines and their releases are listed in `extension_config/releases.json`. No part of DuckDB itself is compiled.

use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const SPECS: &str = "rest_specs";
const RELEASES: &str = "extension_config/releases.json";
const BRIDGE: &str = "src/ffi/bridge";
const FETCH_HEADERS: &str = "extension_config/headers.py";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={SPECS}");
    list_specs();
    println!("cargo:rerun-if-changed={RELEASES}");
    println!("cargo:rerun-if-changed={BRIDGE}");
    println!("cargo:rerun-if-changed=extension_config/headers");
    println!("cargo:rerun-if-changed={FETCH_HEADERS}");
    if std::env::var_os("CARGO_FEATURE_EXTENSION").is_none() {
        return;
    }
    println!("cargo:rustc-cdylib-link-arg=-Wl,--gc-sections");
    // An unresolved DuckDB symbol fails the build, not the LOAD.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,defs");
    let text = std::fs::read_to_string(RELEASES).expect("extension_config/releases.json");
    let releases: Value = serde_json::from_str(&text).expect("releases.json is JSON");
    generate(&releases);
    for line in releases["lines"].as_array().into_iter().flatten() {
        let name = line["name"].as_str().expect("a line has a name");
        compile(name, &family_of(line), &sources_of(name, &line["headers"]), &releases["bridge_flags"]);
    }
}

/// Writes `specs.rs`: the name and the deflated text of each file in the folder of bundled specs, by name.
fn list_specs() {
    let listing = std::fs::read_dir(SPECS).expect("rest_specs");
    let names = listing.map(|file| file.expect("an entry of rest_specs").file_name().into_string().expect("a name in UTF-8"));
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".yaml") && !name.starts_with('.')).collect();
    names.sort();
    let mut code = "/// The bundled specs, by name.\npub static BUNDLED: &[BundledSpec] = &[\n".to_string();
    for name in names {
        let text = std::fs::read(Path::new(SPECS).join(&name)).expect("a spec");
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&text).expect("deflate a spec");
        std::fs::write(out_dir().join(&name), encoder.finish().expect("deflate a spec")).expect("write a deflated spec");
        writeln!(code, "    BundledSpec {{ file: {name:?}, deflated: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")) }},").unwrap();
    }
    code.push_str("];\n");
    std::fs::write(out_dir().join("specs.rs"), code).expect("write specs.rs");
}

/// Writes `lines.rs`: the bridge of each line and the releases it serves.
fn generate(releases: &Value) {
    let mut code = format!("/// The C API version that is asked for.\npub const C_API: &str = {};\n", releases["c_api"]);
    let mut table = String::new();
    for line in releases["lines"].as_array().into_iter().flatten() {
        let name = line["name"].as_str().expect("a line has a name");
        let upper = name.to_uppercase();
        write!(code, "extern \"C\" {{\n    #[link_name = \"unify_bridge_{name}\"]\n    static {upper}: Bridge;\n}}\n").unwrap();
        for release in line["releases"].as_array().into_iter().flatten() {
            writeln!(table, "    // SAFETY: the bridge is a constant of the library.\n    ({release}, unsafe {{ &{upper} }}),").unwrap();
        }
    }
    write!(code, "/// The releases this binary supports, each with the bridge of its line.\npub static RELEASES: &[(&str, &Bridge)] = &[\n{table}];\n").unwrap();
    std::fs::write(out_dir().join("lines.rs"), code).expect("write lines.rs");
}

/// Returns the first two numbers of a line's releases, such as `1_5`: what the bridge distinguishes by hand.
fn family_of(line: &Value) -> String {
    let release = line["releases"][0].as_str().expect("a line has a release");
    release.trim_start_matches('v').split('.').take(2).collect::<Vec<_>>().join("_")
}

/// Returns the folder with DuckDB's sources of a line: out of the crate, or of the Python package where no crate has them.
fn sources_of(line: &str, headers: &Value) -> PathBuf {
    match (headers["crate"].as_str(), headers["python"].as_str()) {
        (Some(manifest), _) => unpack(line, &package_dir(manifest)),
        (None, Some(release)) => fetch(release),
        (None, None) => panic!("line '{line}' of {RELEASES} does not say where its headers come from"),
    }
}

fn fetch(release: &str) -> PathBuf {
    let out = Command::new("python3").args([FETCH_HEADERS, release]).output().expect("run python3");
    assert!(out.status.success(), "{FETCH_HEADERS} {release}: {}", String::from_utf8_lossy(&out.stderr));
    PathBuf::from(String::from_utf8_lossy(&out.stdout).trim())
}

/// Returns where cargo keeps the libduckdb-sys that `manifest` depends on; fetches it if need be.
fn package_dir(manifest: &str) -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let out =
        Command::new(cargo).args(["metadata", "--format-version", "1", "--manifest-path", manifest]).output().expect("run cargo metadata");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let graph: Value = serde_json::from_slice(&out.stdout).expect("cargo metadata prints JSON");
    let package = graph["packages"].as_array().into_iter().flatten().find(|package| package["name"] == "libduckdb-sys");
    let manifest = package.and_then(|package| package["manifest_path"].as_str()).expect("libduckdb-sys in the graph");
    Path::new(manifest).parent().expect("a manifest has a folder").to_path_buf()
}

fn unpack(line: &str, package: &Path) -> PathBuf {
    let to = out_dir().join(line);
    if !to.join("duckdb/src/include/duckdb.h").exists() {
        let file = std::fs::File::open(package.join("duckdb.tar.gz")).expect("open duckdb.tar.gz");
        tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(&to).expect("unpack duckdb.tar.gz");
    }
    to.join("duckdb")
}

fn compile(line: &str, family: &str, sources: &Path, flags: &Value) {
    let mut build = cc::Build::new();
    for flag in flags.as_array().into_iter().flatten() {
        build.flag(flag.as_str().expect("a flag is a text"));
    }
    build
        .cpp(true)
        .warnings(false)
        .include(sources.join("src/include"))
        .include(sources)
        // All lines end up in one library: each has its own namespace, or the linker would merge inline functions of classes
        // that share a name and differ in layout.
        .define("duckdb", Some(format!("duckdb_{line}").as_str()))
        .define("UNIFY_LINE", Some(line))
        .define(format!("UNIFY_DUCKDB_{family}").as_str(), None)
        .file(format!("{BRIDGE}/bridge.cpp"));
    for entry in std::fs::read_dir(sources.join("third_party")).expect("third_party") {
        let dir = entry.expect("third_party entry").path();
        if dir.is_dir() {
            build.include(dir.join("include")).include(dir);
        }
    }
    build.compile(&format!("unify_bridge_{line}"));
}

fn out_dir() -> PathBuf {
    PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"))
}
