//! The metadata footer: what DuckDB reads at the end of an extension file before it loads it.
//!
//! DuckDB looks at the last 512 bytes of the file: eight fields of 32 bytes, the last field first, then 256 bytes of
//! signature. Before them stands the header of a WebAssembly custom section, which the same layout needs in wasm files.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

const SECTION_NAME: &[u8] = b"duckdb_signature";
const FIELD_LEN: usize = 32;
const N_FIELDS: usize = 8;
const SIGNATURE_LEN: usize = 256;
const METADATA_LEN: usize = N_FIELDS * FIELD_LEN + SIGNATURE_LEN;

/// Length of the whole footer: section id, section length, name with its length, content length, content.
pub const FOOTER_LEN: usize = 1 + 2 + 1 + SECTION_NAME.len() + 2 + METADATA_LEN;

/// What the footer tells a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// DuckDB's name of the platform, such as `linux_amd64`.
    pub platform: String,
    /// The C API version the extension asks for, such as `v1.2.0`.
    pub c_api: String,
    /// The extension's own version.
    pub version: String,
}

impl Footer {
    /// Returns the footer's bytes. Fails when a field does not fit its 32 bytes.
    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(FOOTER_LEN);
        bytes.push(0);
        let content_len = leb128(METADATA_LEN);
        bytes.extend(leb128(1 + SECTION_NAME.len() + content_len.len() + METADATA_LEN));
        bytes.extend(leb128(SECTION_NAME.len()));
        bytes.extend(SECTION_NAME);
        bytes.extend(content_len);
        for text in ["", "", "", "C_STRUCT", &self.version, &self.c_api, &self.platform, "4"] {
            bytes.extend(field(text)?);
        }
        bytes.extend([0; SIGNATURE_LEN]);
        Ok(bytes)
    }
}

/// Returns a number in the variable-length form of WebAssembly: seven bits a byte, lowest first.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn field(text: &str) -> io::Result<[u8; FIELD_LEN]> {
    let mut bytes = [0; FIELD_LEN];
    match bytes.get_mut(..text.len()) {
        Some(start) => start.copy_from_slice(text.as_bytes()),
        None => return Err(io::Error::other(format!("'{text}' is longer than the {FIELD_LEN} bytes of a footer field"))),
    }
    Ok(bytes)
}

/// Returns DuckDB's name of the platform a Rust target triple means, or `None` for one DuckDB has no name for.
pub fn platform_of(triple: &str) -> Option<String> {
    let arch = match triple.split('-').next()? {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        _ => return None,
    };
    let (os, suffix) = match triple {
        _ if triple.contains("-linux-musl") => ("linux", "_musl"),
        _ if triple.contains("-linux-gnu") => ("linux", ""),
        _ if triple.contains("-apple-darwin") => ("osx", ""),
        _ if triple.contains("-windows-gnu") => ("windows", "_mingw"),
        _ if triple.contains("-windows-msvc") => ("windows", ""),
        _ => return None,
    };
    Some(format!("{os}_{arch}{suffix}"))
}

/// Writes `library` followed by the footer to `extension`. A reader sees the old file or the new one, never a part: a host that
/// has the old one open keeps it.
pub fn package(library: &Path, extension: &Path, footer: &Footer) -> io::Result<()> {
    let footer = footer.to_bytes()?;
    let code = fs::read(library).map_err(|err| io::Error::new(err.kind(), format!("{}: {err}", library.display())))?;
    if let Some(folder) = extension.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = extension.with_extension(format!("{}.partial", std::process::id()));
    let written = write_both(&unfinished, &code, &footer).and_then(|()| fs::rename(&unfinished, extension));
    if written.is_err() {
        // The first error is the one worth reporting; the file may not even exist.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn write_both(path: &Path, code: &[u8], footer: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(code)?;
    file.write_all(footer)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footer() -> Footer {
        Footer { platform: "linux_amd64".into(), c_api: "v1.2.0".into(), version: "0.1.0".into() }
    }

    #[test]
    fn the_layout_is_what_a_host_reads_from_the_end() {
        let bytes = footer().to_bytes().unwrap();
        assert_eq!(bytes.len(), FOOTER_LEN);
        assert_eq!(FOOTER_LEN, 534);
        assert_eq!(&bytes[..4], &[0, 0x93, 0x04, 16]);
        assert_eq!(&bytes[4..22], b"duckdb_signature\x80\x04");
        let metadata = &bytes[bytes.len() - 512..];
        let text =
            |field_idx: usize| String::from_utf8(metadata[field_idx * 32..][..32].to_vec()).unwrap().trim_end_matches('\0').to_string();
        let fields: Vec<String> = (0..8).map(text).collect();
        assert_eq!(fields, ["", "", "", "C_STRUCT", "0.1.0", "v1.2.0", "linux_amd64", "4"]);
        assert!(metadata[256..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn the_section_length_counts_the_bytes_after_it() {
        let bytes = footer().to_bytes().unwrap();
        let len = usize::from(bytes[1] & 0x7f) | usize::from(bytes[2]) << 7;
        assert_eq!(len, bytes.len() - 3);
    }

    #[test]
    fn numbers_take_seven_bits_a_byte() {
        assert_eq!(leb128(0), [0]);
        assert_eq!(leb128(127), [127]);
        assert_eq!(leb128(128), [0x80, 1]);
        assert_eq!(leb128(512), [0x80, 4]);
    }

    #[test]
    fn a_field_that_does_not_fit_is_an_error() {
        let fits = Footer { version: "x".repeat(32), ..footer() };
        assert!(fits.to_bytes().is_ok());
        let too_long = Footer { version: "x".repeat(33), ..footer() };
        assert!(too_long.to_bytes().unwrap_err().to_string().contains("longer than the 32 bytes"));
    }

    #[test]
    fn platforms_have_duckdbs_names() {
        let check = |triple: &str, expected: Option<&str>| assert_eq!(platform_of(triple).as_deref(), expected, "{triple}");
        check("x86_64-unknown-linux-gnu", Some("linux_amd64"));
        check("aarch64-unknown-linux-gnu", Some("linux_arm64"));
        check("x86_64-unknown-linux-musl", Some("linux_amd64_musl"));
        check("aarch64-apple-darwin", Some("osx_arm64"));
        check("x86_64-pc-windows-msvc", Some("windows_amd64"));
        check("x86_64-pc-windows-gnu", Some("windows_amd64_mingw"));
        check("riscv64gc-unknown-linux-gnu", None);
        check("", None);
    }

    #[test]
    fn the_extension_is_the_library_and_the_footer() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libunify.so");
        let extension = folder.path().join("out/unify.duckdb_extension");
        fs::write(&library, b"code").unwrap();
        package(&library, &extension, &footer()).unwrap();
        let bytes = fs::read(&extension).unwrap();
        assert_eq!(&bytes[..4], b"code");
        assert_eq!(bytes[4..], footer().to_bytes().unwrap());
        let left: Vec<_> = fs::read_dir(folder.path().join("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["unify.duckdb_extension"]);
    }

    #[test]
    fn a_missing_library_is_named_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let extension = folder.path().join("unify.duckdb_extension");
        let err = package(&folder.path().join("none.so"), &extension, &footer()).unwrap_err();
        assert!(err.to_string().contains("none.so"), "{err}");
        assert!(!extension.exists());
    }
}
