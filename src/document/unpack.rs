//! Bodies that are files: unpacked by how they begin, whatever the headers say.

use super::fault::Fault;
use super::weight::{short_of_memory, too_much};
use flate2::bufread::MultiGzDecoder;
use glob::{MatchOptions, Pattern};
use std::io::{Cursor, ErrorKind, Read};
use zip::ZipArchive;

/// The most that a byte of gzip or zip becomes.
const MOST_RATIO: u64 = 1100;
/// The most members of a zip, and the most that an error names.
const MOST_MEMBERS: usize = 10_000;
const MOST_NAMED: usize = 10;

/// A file, or the body itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// The name that it has in a zip.
    pub name: Option<String>,
    pub bytes: Vec<u8>,
}

/// Returns whether a body begins as gzip or zip does.
pub(super) fn is_packed(body: &[u8]) -> bool {
    is_gzip(body) || is_zip(body)
}

fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b, 8])
}

/// Returns whether a zip begins here, an empty one included.
fn is_zip(body: &[u8]) -> bool {
    body.starts_with(b"PK\x03\x04") || body.starts_with(b"PK\x05\x06")
}

/// Returns at most how many bytes a packed body becomes.
pub(super) fn most_unpacked(body: &[u8]) -> u64 {
    (body.len() as u64).saturating_mul(MOST_RATIO)
}

/// Unpacks a body to at most `most` bytes: gzip to one file, a zip to its members that `files` matches, in the order of their names. Without
/// `files` a zip has one member. Members that are gzip are unpacked, too.
pub(super) fn unpacked(body: Vec<u8>, files: Option<&Pattern>, most: u64) -> Result<Vec<File>, Fault> {
    let body = if is_gzip(&body) { gunzipped(&body, most)? } else { body };
    if !is_zip(&body) {
        return Ok(vec![File { name: None, bytes: body }]);
    }
    let mut members = members_of(&body, files, most)?;
    let mut left = most;
    for file in &mut members {
        if is_gzip(&file.bytes) {
            file.bytes = gunzipped(&file.bytes, left)?;
        }
        left = left.saturating_sub(file.bytes.len() as u64);
    }
    Ok(members)
}

fn gunzipped(body: &[u8], most: u64) -> Result<Vec<u8>, Fault> {
    read_all(MultiGzDecoder::new(body), most, |err| format!("the body begins as gzip does, and is not gzip: {err}"))
}

/// Reads at most `most` bytes.
fn read_all(reader: impl Read, most: u64, broken: impl Fn(std::io::Error) -> String) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    match reader.take(most.saturating_add(1)).read_to_end(&mut out) {
        Err(err) if err.kind() == ErrorKind::OutOfMemory => Err(Fault::whole(short_of_memory(2 * out.len() as u64))),
        Err(err) => Err(Fault::whole(broken(err))),
        Ok(_) if out.len() as u64 > most => Err(Fault::whole(too_much("the files in the body", most.saturating_add(1), most))),
        Ok(_) => Ok(out),
    }
}

fn members_of(body: &[u8], files: Option<&Pattern>, most: u64) -> Result<Vec<File>, Fault> {
    let broken = |err: String| Fault::whole(format!("the body begins as a zip does, and cannot be read as one: {err}"));
    let mut archive = ZipArchive::new(Cursor::new(body)).map_err(|err| broken(err.to_string()))?;
    if archive.len() > MOST_MEMBERS {
        return Err(Fault::whole(format!("the zip has {} members; expected at most {MOST_MEMBERS}", archive.len())));
    }
    let mut names = Vec::new();
    for idx in 0..archive.len() {
        let member = archive.by_index_raw(idx).map_err(|err| broken(err.to_string()))?;
        let name = member.name().map_err(|err| broken(err.to_string()))?.into_owned();
        if !member.is_dir() && !name.starts_with("__MACOSX/") {
            names.push((name, idx));
        }
    }
    names.sort();
    let chosen = chosen(&names, files)?;
    let mut left = most;
    let mut members = Vec::with_capacity(chosen.len());
    for (name, idx) in chosen {
        let member = archive.by_index(*idx).map_err(|err| Fault::whole(format!("'{name}' of the zip cannot be read: {err}")))?;
        let bytes = read_all(member, left, |err| format!("'{name}' of the zip cannot be unpacked: {err}"))?;
        left -= bytes.len() as u64;
        members.push(File { name: Some(name.clone()), bytes });
    }
    Ok(members)
}

/// Returns the members to read.
fn chosen<'n>(names: &'n [(String, usize)], files: Option<&Pattern>) -> Result<Vec<&'n (String, usize)>, Fault> {
    let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
    let listed = || {
        let named: Vec<String> = names.iter().take(MOST_NAMED).map(|(name, _)| format!("'{name}'")).collect();
        let more = if names.len() > MOST_NAMED { ", ..." } else { "" };
        format!("{}{more}", named.join(", "))
    };
    match files {
        _ if names.is_empty() => Err(Fault::whole("the zip has no files")),
        None if names.len() > 1 => {
            Err(Fault::whole(format!("the zip has {}; choose some with 'files' in the table's spec, such as 'files: \"*.csv\"'", listed())))
        }
        None => Ok(names.iter().collect()),
        Some(pattern) => {
            let chosen: Vec<_> = names.iter().filter(|(name, _)| pattern.matches_with(name, options)).collect();
            match chosen.is_empty() {
                true => Err(Fault::whole(format!("no file of the zip matches 'files', which is '{pattern}'; it has {}", listed()))),
                false => Ok(chosen),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn names(body: Vec<u8>, files: Option<&str>) -> Result<Vec<(String, String)>, String> {
        let pattern = files.map(|files| Pattern::new(files).unwrap());
        let files = unpacked(body, pattern.as_ref(), 1 << 20).map_err(|fault| fault.to_string())?;
        Ok(files.into_iter().map(|file| (file.name.unwrap_or_default(), String::from_utf8(file.bytes).unwrap())).collect())
    }

    #[test]
    fn members_are_chosen_by_a_pattern() {
        let body = zip_of(&[("b.csv", b"2"), ("a.csv", b"1"), ("read.me", b"x"), ("d/c.csv", b"3"), ("z.csv.gz", &gzip(b"4"))]);
        let pair = |name: &str, text: &str| (name.to_string(), text.to_string());
        assert_eq!(names(body.clone(), Some("*.csv")).unwrap(), [pair("a.csv", "1"), pair("b.csv", "2")]);
        assert_eq!(names(body.clone(), Some("**/*.csv")).unwrap().len(), 3);
        assert_eq!(names(body.clone(), Some("*.gz")).unwrap(), [pair("z.csv.gz", "4")]);
        let err = names(body.clone(), Some("*.json")).unwrap_err();
        assert!(err.contains("no file of the zip matches 'files', which is '*.json'; it has 'a.csv', 'b.csv'"), "{err}");
        let err = names(body, None).unwrap_err();
        assert!(err.contains("choose some with 'files'"), "{err}");
        assert_eq!(names(zip_of(&[("only.csv", b"1")]), None).unwrap(), [pair("only.csv", "1")]);
        assert_eq!(names(gzip(&zip_of(&[("only.csv", b"1")])), None).unwrap(), [pair("only.csv", "1")]);
        assert!(names(zip_of(&[]), None).unwrap_err().contains("no files"));
    }

    #[test]
    fn what_unpacks_to_more_than_allowed_is_refused() {
        let long = vec![b' '; 1 << 20];
        let packed =
            [gzip(&long), zip_of(&[("a", &long)]), zip_of(&[("a", &long[..1 << 19]), ("b", &long[..1 << 19])]), gzip(&gzip(&long))];
        let pattern = Pattern::new("*").unwrap();
        for (idx, body) in packed.into_iter().take(3).enumerate() {
            assert!(most_unpacked(&body) >= 1 << 20);
            assert!(unpacked(body.clone(), Some(&pattern), 1 << 20).is_ok(), "{idx}");
            let err = unpacked(body, Some(&pattern), (1 << 20) - 1).unwrap_err();
            assert!(err.to_string().contains("the page takes too much memory: the files in the body"), "{err}");
        }
    }

    #[test]
    fn what_only_begins_so_is_an_error() {
        assert!(names(b"PK\x03\x04abc".to_vec(), None).unwrap_err().contains("begins as a zip does"));
        assert!(names(b"\x1f\x8b\x08abc".to_vec(), None).unwrap_err().contains("begins as gzip does"));
        let mut cut = gzip(&[b'x'; 5000]);
        cut.truncate(20);
        assert!(names(cut, None).is_err());
        let mut torn = zip_of(&[("a.csv", b"id\n1\n2\n3\n")]);
        let place = torn.windows(5).position(|bytes| bytes == b"a.csv").unwrap() + 6;
        torn[place] ^= 0x55;
        assert!(names(torn, None).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end(start in "PK\u{3}\u{4}|PK\u{5}\u{6}|", body in prop::collection::vec(any::<u8>(), 0..200), flip in any::<prop::sample::Index>()) {
            let _ = unpacked([start.as_bytes(), &body].concat(), None, 1 << 16);
            let mut packed = zip_of(&[("a", &body)]);
            let idx = flip.index(packed.len());
            packed[idx] ^= 1;
            let _ = unpacked(packed, None, 1 << 16);
        }
    }
}
