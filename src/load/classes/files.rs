//! Which tables a folder or a pattern of files has, decided from the names of the files.

use crate::document::{JsonMap, JsonValue};
use crate::session::{quote_literal, Session, Value};
use crate::spec::{Connection, FoundObject};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Characters that make a name a pattern.
const PATTERN: &[char] = &['*', '?', '['];
/// What a file's name ends with when it is compressed.
const COMPRESSIONS: &[&str] = &["gz", "zst"];
/// The ends of names, each with what such files are.
const EXTENSIONS: &[(&str, FileFormat)] = &[
    ("csv", FileFormat::Csv),
    ("tsv", FileFormat::Csv),
    ("json", FileFormat::Json),
    ("jsonl", FileFormat::Json),
    ("ndjson", FileFormat::Json),
    ("parquet", FileFormat::Parquet),
    ("pq", FileFormat::Parquet),
];

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileFormat {
    Csv,
    Json,
    Parquet,
}

impl FileFormat {
    const ALL: [FileFormat; 3] = [FileFormat::Csv, FileFormat::Json, FileFormat::Parquet];

    /// Returns the name that users write.
    pub fn name(self) -> &'static str {
        match self {
            FileFormat::Csv => "csv",
            FileFormat::Json => "json",
            FileFormat::Parquet => "parquet",
        }
    }

    /// Returns the format that option `format` of a connection asks for; `None` for `auto`.
    pub fn of_option(text: &str) -> Result<Option<FileFormat>> {
        let text = text.trim().to_ascii_lowercase();
        let known = FileFormat::ALL.iter().find(|format| format.name() == text).copied();
        match text == "auto" {
            true => Ok(None),
            false => known.map(Some).ok_or_else(|| Error::config("option 'format' is not one of auto, csv, json, parquet")),
        }
    }

    /// Returns what the name of a file says; `None` when it says nothing.
    pub fn of_name(name: &str) -> Option<FileFormat> {
        split_name(name).1
    }
}

/// Returns the name of a file without what says its format, and that format.
fn split_name(name: &str) -> (&str, Option<FileFormat>) {
    let without =
        |name: &'_ str| -> Option<(usize, String)> { name.rsplit_once('.').map(|(stem, end)| (stem.len(), end.to_ascii_lowercase())) };
    let known = |end: &str| EXTENSIONS.iter().find(|(extension, _)| *extension == end).map(|(_, format)| *format);
    let Some((len, end)) = without(name) else { return (name, None) };
    if !COMPRESSIONS.contains(&end.as_str()) {
        return known(&end).map_or((name, None), |format| (&name[..len], Some(format)));
    }
    match without(&name[..len]).and_then(|(len, end)| Some((len, known(&end)?))) {
        Some((len, format)) => (&name[..len], Some(format)),
        None => (name, None),
    }
}

/// A table of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTable {
    pub name: String,
    /// The pattern of its files.
    pub pattern: String,
    pub description: String,
}

/// Where the files of a connection are.
pub struct FilePlace<'a> {
    /// A folder, a file, or a pattern.
    path: &'a str,
    /// The name of the one table that all files are.
    table: Option<&'a str>,
    /// What all files are, whatever their names say.
    format: Option<FileFormat>,
}

impl<'a> FilePlace<'a> {
    /// Reads the options of a connection.
    pub fn of(connection: &'a Connection) -> Result<FilePlace<'a>> {
        let option = |name: &str| connection.option(name).map_or("", |value| value.expose());
        let path = option("path");
        if path.trim_matches('/').is_empty() && !path.starts_with('/') {
            return Err(Error::config("option 'path' is empty; expected a folder, a file, or a pattern such as '/data/*.csv'"));
        }
        Ok(FilePlace {
            path: if path.len() > 1 { path.trim_end_matches('/') } else { path },
            table: Some(option("table").trim()).filter(|table| !table.is_empty()),
            format: FileFormat::of_option(option("format"))?,
        })
    }

    /// Looks for the tables. Fails when it finds no file.
    pub fn tables(&self, session: &mut dyn Session) -> Result<Vec<FileTable>> {
        let is_pattern = self.path.contains(PATTERN);
        let below = format!("{}/**", escaped(self.path.trim_end_matches('/')));
        let mut files = names_of(session, if is_pattern { self.path } else { &below })?;
        let mut root = (!is_pattern).then(|| format!("{}/", self.path.trim_end_matches('/')));
        if files.is_empty() && !is_pattern {
            files = names_of(session, &escaped(self.path))?;
            root = None;
        }
        let tables = self.tables_of(root.as_deref(), &files, if root.is_some() { &below } else { self.path });
        match tables.is_empty() {
            true => Err(Error::config(format!(
                "'{}' has no files that can be read: expected a folder, a file, or a pattern of files that end with .csv, .tsv, .json, .jsonl, \
                 .ndjson, .parquet or .pq, or one of these and .gz or .zst; option 'format' reads files with other names",
                self.path
            ))),
            false => Ok(tables),
        }
    }

    /// Returns the tables of these files. In a folder, `root`, each file is one, and so is each folder in it, with all that is below.
    fn tables_of(&self, root: Option<&str>, files: &[String], pattern: &str) -> Vec<FileTable> {
        let files = files.iter().filter(|file| self.is_read(file, root));
        if let Some(table) = self.table {
            let n_files = files.count();
            let one = FileTable { name: table.to_string(), pattern: pattern.to_string(), description: format!("The files {pattern}") };
            return (n_files > 0).then_some(one).into_iter().collect();
        }
        let mut tables = BTreeMap::new();
        for file in files {
            let below = root.and_then(|root| file.strip_prefix(root));
            let table = match below.and_then(|below| below.split_once('/')) {
                Some((folder, _)) => {
                    let path = format!("{}{folder}", root.unwrap_or_default());
                    let description = format!("The files of folder {path}");
                    FileTable { name: folder.to_string(), pattern: format!("{}/**", escaped(&path)), description }
                }
                None => {
                    let name = split_name(file.rsplit('/').next().unwrap_or(file)).0;
                    FileTable { name: name.to_string(), pattern: escaped(file), description: format!("The file {file}") }
                }
            };
            tables.insert(table.pattern.clone(), table);
        }
        tables.into_values().collect()
    }

    /// Returns whether a file is one of a table: it is not hidden below `root`, and it is known what it is.
    fn is_read(&self, file: &str, root: Option<&str>) -> bool {
        let below = root.and_then(|root| file.strip_prefix(root));
        let names = below.unwrap_or_else(|| file.rsplit('/').next().unwrap_or(file));
        let is_hidden = names.split('/').any(|name| name.is_empty() || name.starts_with(['.', '_']));
        !is_hidden && (self.format.is_some() || FileFormat::of_name(file).is_some())
    }

    /// Returns the files of a table, in order, and what they are. Fails when there are none, or when they are not all of one format.
    pub fn files_of(&self, session: &mut dyn Session, pattern: &str) -> Result<(Vec<String>, FileFormat)> {
        let root = pattern.strip_suffix("**").map(unescaped);
        let mut files = names_of(session, pattern)?;
        files.retain(|file| self.is_read(file, root.as_deref()));
        files.sort();
        let mut formats: Vec<FileFormat> = files.iter().filter_map(|file| self.format.or(FileFormat::of_name(file))).collect();
        formats.sort_unstable();
        formats.dedup();
        match formats.as_slice() {
            [format] => Ok((files, *format)),
            [] => Err(Error::data(format!("no file that can be read is at '{}' any more", unescaped(pattern)))),
            _ => {
                let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
                let (names, place) = (names.join(" and "), unescaped(pattern));
                Err(Error::data(format!("the files at '{place}' are {names}, and a table has files of one format; move them apart")))
            }
        }
    }
}

impl FileTable {
    /// Returns the object that stands for the table among what was discovered.
    pub fn into_object(self) -> FoundObject {
        let values = [("name", self.name), ("pattern", self.pattern), ("description", self.description)];
        let values: JsonMap<String, JsonValue> = values.into_iter().map(|(key, text)| (key.to_string(), JsonValue::String(text))).collect();
        FoundObject { values, fields: Vec::new() }
    }
}

/// Returns the names of the files of a pattern, with slashes.
fn names_of(session: &mut dyn Session, pattern: &str) -> Result<Vec<String>> {
    let rows = session.query(&format!("SELECT file FROM glob({})", quote_literal(pattern)))?;
    let name = |row: &Vec<Value>| row.first().and_then(Value::as_text).map(|name| name.replace('\\', "/"));
    Ok(rows.iter().filter_map(name).collect())
}

/// Returns the pattern that only this name fits.
pub fn escaped(name: &str) -> String {
    name.chars().map(|c| if PATTERN.contains(&c) { format!("[{c}]") } else { c.to_string() }).collect()
}

/// Returns what [`escaped`] was given.
fn unescaped(pattern: &str) -> String {
    PATTERN.iter().fold(pattern.to_string(), |text, c| text.replace(&format!("[{c}]"), &c.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{expect, Expect};

    fn check(place: FilePlace<'_>, root: Option<&str>, files: &[&str], expected: Expect) {
        let files: Vec<String> = files.iter().map(|file| file.to_string()).collect();
        let shown = |table: &FileTable| format!("{} = {}\n", table.name, table.pattern);
        expected.assert_eq(&place.tables_of(root, &files, place.path).iter().map(shown).collect::<String>());
    }

    #[test]
    fn files_of_a_folder_and_the_folders_in_it_are_tables() {
        check(
            FilePlace { path: "/d", table: None, format: None },
            Some("/d/"),
            &[
                "/d/orders.csv",
                "/d/Old [1].json.gz",
                "/d/README.md",
                "/d/.hidden.csv",
                "/d/events/2024/a.parquet",
                "/d/events/b.parquet",
                "/d/_tmp/c.parquet",
            ],
            expect![[r#"
                Old [1] = /d/Old [[]1].json.gz
                events = /d/events/**
                orders = /d/orders.csv
            "#]],
        );
    }

    #[test]
    fn files_of_a_pattern_are_tables_or_one() {
        let files = ["/d/2024/a.csv", "/d/2025/b.tsv.zst", "/d/2025/c.txt"];
        check(
            FilePlace { path: "/d/*/*", table: None, format: None },
            None,
            &files,
            expect![[r#"
                a = /d/2024/a.csv
                b = /d/2025/b.tsv.zst
            "#]],
        );
        check(
            FilePlace { path: "/d/*/*", table: Some("all"), format: None },
            None,
            &files,
            expect![[r#"
            all = /d/*/*
        "#]],
        );
        let csv = Some(FileFormat::Csv);
        check(
            FilePlace { path: "/d/*", table: None, format: csv },
            None,
            &["/d/c.txt", "/d/d"],
            expect![[r#"
            c.txt = /d/c.txt
            d = /d/d
        "#]],
        );
        check(FilePlace { path: "/d/*", table: Some("none"), format: None }, None, &["/d/c.txt"], expect![""]);
    }

    #[test]
    fn names_that_look_like_patterns_are_names() {
        for name in ["a", "a*b", "[x]?", "[[]", "a]b"] {
            assert_eq!(unescaped(&escaped(name)), name);
        }
        assert_eq!(split_name("a.b.CSV.GZ"), ("a.b", Some(FileFormat::Csv)));
        assert_eq!(split_name("a.gz"), ("a.gz", None));
        assert_eq!(split_name("csv"), ("csv", None));
    }
}
