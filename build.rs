//! Compiles the C++ bridge once per DuckDB line, against that line's own headers, and generates the table of supported releases.
//!
//! The lines and their releases are listed in `extension_config/releases.json`. No part of DuckDB itself is compiled.

use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const RELEASES: &str = "extension_config/releases.json";
const BRIDGE: &str = "src/ffi/bridge";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={RELEASES}");
    println!("cargo:rerun-if-changed={BRIDGE}");
    println!("cargo:rerun-if-changed=extension_config/headers");
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
        let manifest = line["headers_manifest"].as_str().expect("a line says where its headers come from");
        compile(name, &unpack(name, &package_dir(manifest)));
    }
}

/// Writes `lines.rs`: the bridge of each line and the releases it serves.
fn generate(releases: &Value) {
    let mut code = format!("/// The C API version that is asked for.\npub const C_API: &str = {};\n", releases["c_api"]);
    let mut table = String::new();
    for line in releases["lines"].as_array().into_iter().flatten() {
        let name = line["name"].as_str().expect("a line has a name");
        let upper = name.to_uppercase();
        write!(code, "bridge_line!({upper}, {name}").unwrap();
        for function in [
            "register",
            "weak",
            "weak_free",
            "users",
            "moves_first_rows",
            "lock",
            "unlock",
            "interrupted",
            "run_in_steps",
            "make_optional",
            "check_setting_of",
            "name_parameter",
            "describe",
            "copy_path",
            "copy_column",
            "is_uncommitted",
            "column_comment",
        ] {
            write!(code, ", \"unify_{function}_{name}\"").unwrap();
        }
        code.push_str(");\n");
        for release in line["releases"].as_array().into_iter().flatten() {
            writeln!(table, "    ({release}, &{upper}),").unwrap();
        }
    }
    write!(code, "/// The releases this binary supports, each with the bridge of its line.\npub const RELEASES: &[(&str, &Bridge)] = &[\n{table}];\n").unwrap();
    std::fs::write(out_dir().join("lines.rs"), code).expect("write lines.rs");
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

fn compile(line: &str, sources: &Path) {
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .warnings(false)
        .opt_level(2)
        .include(sources.join("src/include"))
        .include(sources)
        .flag("-ffunction-sections")
        .flag("-fdata-sections")
        .flag("-fvisibility=hidden")
        // Both lines end up in one library: each has its own namespace, or the linker would merge inline functions of classes
        // that share a name and differ in layout.
        .define("duckdb", Some(format!("duckdb_{line}").as_str()))
        .define("UNIFY_LINE", Some(line))
        .define(format!("UNIFY_DUCKDB_{}", line.trim_start_matches('v')).as_str(), None)
        .file(format!("{BRIDGE}/bridge.cpp"));
    for entry in std::fs::read_dir(sources.join("third_party")).expect("third_party") {
        let dir = entry.expect("third_party entry").path();
        build.include(dir.join("include")).include(dir);
    }
    build.compile(&format!("unify_bridge_{line}"));
}

fn out_dir() -> PathBuf {
    PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"))
}
