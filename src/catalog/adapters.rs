//! The adapters there are: specs in the binary, and specs in the user's folder, which win.

use crate::catalog::config::{read_text, Place};
use crate::spec::{AdapterSpec, BUNDLED};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An adapter by name: its spec, or what is wrong with its file.
#[derive(Debug, Clone)]
pub struct AdapterEntry {
    /// The name its spec gives, or the file's stem when the spec cannot be parsed.
    pub name: String,
    /// The spec's file, or `(bundled)`.
    pub source: String,
    pub outcome: Result<Arc<AdapterSpec>>,
}

/// A spec file, parsed. `None` in `entry`: the spec says `enabled: false`.
struct SpecFile {
    stem: String,
    entry: Option<AdapterEntry>,
}

/// Returns the adapters of the binary, by name.
pub fn bundled() -> Vec<AdapterEntry> {
    let files = BUNDLED.iter().map(|(file, text)| parse_file(stem_of(Path::new(file)), "(bundled)", Ok(text.to_string())));
    files.filter_map(|file| file.entry).collect()
}

/// Returns the adapters of the user's `files` laid over those of the binary, by name. Of two files of the user with one name
/// the first is the adapter; the second is listed with an error.
pub fn with_user_files(bundled: &[AdapterEntry], files: &[PathBuf]) -> Vec<AdapterEntry> {
    let mut entries: Vec<AdapterEntry> = Vec::new();
    let mut hidden: Vec<String> = Vec::new();
    for path in files {
        let file = parse_file(stem_of(path), &path.display().to_string(), read_text(path, "spec file"));
        let Some(mut entry) = file.entry else {
            hidden.push(file.stem);
            continue;
        };
        let earlier = entries.iter().find(|earlier| earlier.name.eq_ignore_ascii_case(&entry.name));
        if let (Some(earlier), Ok(_)) = (earlier, &entry.outcome) {
            let message = format!("{}: adapter '{}' is already defined in '{}'", entry.source, entry.name, earlier.source);
            entry.outcome = Err(Error::config(message));
        }
        entries.push(entry);
    }
    for entry in bundled {
        let is_replaced = entries.iter().any(|own| own.name.eq_ignore_ascii_case(&entry.name))
            || hidden.iter().any(|stem| stem.eq_ignore_ascii_case(&entry.name));
        if !is_replaced {
            entries.push(entry.clone());
        }
    }
    // Stable: of entries with one name the first stays first.
    entries.sort_by_key(|entry| entry.name.to_lowercase());
    entries
}

/// Returns the spec files of a folder in the order of their names, or why the folder cannot be read.
pub fn spec_files(place: &Place) -> Result<Vec<PathBuf>> {
    place.check("spec folder")?;
    let listing = std::fs::read_dir(&place.path)
        .map_err(|err| Error::config(format!("spec folder '{}' cannot be read: {err}", place.path.display())))?;
    let mut files: Vec<PathBuf> = listing.filter_map(|file| file.ok().map(|file| file.path())).filter(|path| is_spec(path)).collect();
    files.sort();
    Ok(files)
}

fn is_spec(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    !is_hidden && matches!(extension.as_deref(), Some("yaml" | "yml")) && path.is_file()
}

fn stem_of(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

fn parse_file(stem: String, source: &str, text: Result<String>) -> SpecFile {
    let entry = |name: &str, outcome| Some(AdapterEntry { name: name.to_string(), source: source.to_string(), outcome });
    let entry = match text.and_then(|text| AdapterSpec::parse(source, &text)) {
        Ok(Some(spec)) => entry(&spec.name.clone(), Ok(Arc::new(spec))),
        Ok(None) => None,
        Err(err) => entry(&stem, Err(err)),
    };
    SpecFile { stem, entry }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str =
        "name: NAME\nbase_url: https://example.com\nauth: {type: NONE}\ntables:\n  - name: items\n    resource_path: /items\n";

    /// Returns `name source-file ok|error` of each adapter, with these files in the user's folder.
    fn listed(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let place = Place { path: folder.path().to_path_buf(), named_by: None };
        let own = vec![parse_file("shop".to_string(), "(bundled)", Ok(SPEC.replace("NAME", "shop"))).entry.unwrap()];
        let show = |entry: &AdapterEntry| {
            let file = entry.source.rsplit('/').next().unwrap_or("");
            format!("{} {file} {}", entry.name, if entry.outcome.is_ok() { "ok" } else { "error" })
        };
        with_user_files(&own, &spec_files(&place).unwrap()).iter().map(show).collect()
    }

    #[test]
    fn the_list_in_the_binary_is_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rest_specs");
        let listing = std::fs::read_dir(folder).into_iter().flatten();
        let mut files: Vec<String> = listing.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect();
        files.sort();
        let mut listed: Vec<String> = BUNDLED.iter().map(|(file, _)| file.to_string()).collect();
        listed.sort();
        assert_eq!(listed, files, "the list of bundled specs must be the files of rest_specs/");
    }

    #[test]
    fn every_bundled_spec_is_an_adapter() {
        let entries = bundled();
        assert_eq!(entries.len(), BUNDLED.len());
        assert!(entries.iter().all(|entry| entry.outcome.is_ok() && entry.source == "(bundled)"), "{entries:?}");
    }

    #[test]
    fn a_file_of_the_user_wins_over_the_bundled_one() {
        assert_eq!(listed(&[]), ["shop (bundled) ok"]);
        assert_eq!(listed(&[("a.yaml", &SPEC.replace("NAME", "Shop"))]), ["Shop a.yaml ok"]);
        assert_eq!(
            listed(&[("b.yml", &SPEC.replace("NAME", "b")), ("notes.txt", "x"), (".b.yaml", "x")]),
            ["b b.yml ok", "shop (bundled) ok"]
        );
    }

    #[test]
    fn a_broken_file_is_listed_by_its_stem_and_harms_nothing_else() {
        assert_eq!(listed(&[("broken.yaml", "name: [")]), ["broken broken.yaml error", "shop (bundled) ok"]);
    }

    #[test]
    fn the_second_file_of_one_name_is_an_error() {
        let spec = SPEC.replace("NAME", "x");
        assert_eq!(listed(&[("1.yaml", &spec), ("2.yaml", &spec)]), ["shop (bundled) ok", "x 1.yaml ok", "x 2.yaml error"]);
    }

    #[test]
    fn a_disabled_file_hides_the_bundled_one() {
        let spec = SPEC.replace("NAME", "shop\nenabled: false");
        assert_eq!(listed(&[("shop.yaml", &spec)]), [] as [String; 0]);
    }
}
