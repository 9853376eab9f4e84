//! The adapters there are: specs in the binary, and specs in the user's folder, which win.

use crate::catalog::config::Place;
use crate::files::read_text;
use crate::spec::{AdapterSpec, BundledSpec, BUNDLED};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Where the adapters of the binary come from.
const BUNDLED_SOURCE: &str = "(bundled)";

/// An adapter by name: its spec, or what is wrong with its file.
#[derive(Debug, Clone)]
pub struct AdapterEntry {
    /// The name its spec gives, or the file's stem when the spec cannot be parsed.
    pub name: String,
    /// The spec's file, or `(bundled)`.
    pub source: String,
    text: SpecText,
    /// Whether a file of the user stands in the place of an adapter of the binary.
    pub replaces_bundled: bool,
    /// The parsed text, or what is wrong with the file. All copies of the entry share it.
    outcome: Arc<OnceLock<Result<Arc<AdapterSpec>>>>,
}

/// Where the text of a spec is.
#[derive(Debug, Clone)]
enum SpecText {
    Bundled(&'static BundledSpec),
    /// What the user's file has; `None` when it could not be read.
    OfFile(Option<Arc<str>>),
}

impl AdapterEntry {
    /// Returns the text of the spec; `None` when its file could not be read.
    pub fn text(&self) -> Result<Option<String>> {
        match &self.text {
            SpecText::Bundled(bundled) => bundled.text().map(Some),
            SpecText::OfFile(text) => Ok(text.as_deref().map(str::to_string)),
        }
    }

    /// Returns the spec, or what is wrong with its file. One of the binary is parsed when it is asked for first.
    pub fn spec(&self) -> Result<&Arc<AdapterSpec>> {
        let disabled = || Error::config(format!("adapter '{}' is disabled in its spec", self.name));
        let parse = || AdapterSpec::parse_usable(&self.source, &self.text()?.unwrap_or_default())?.map(Arc::new).ok_or_else(disabled);
        self.outcome.get_or_init(parse).as_ref().map_err(Clone::clone)
    }

    /// Returns what to say of a file that stands in the place of an adapter of the binary: it decides where the credentials go.
    pub fn replacement(&self) -> Option<String> {
        self.replaces_bundled.then(|| format!("'{}' is used instead of the bundled adapter '{}'", self.source, self.name))
    }

    /// Returns whether the spec was parsed.
    #[cfg(test)]
    pub(crate) fn is_parsed(&self) -> bool {
        self.outcome.get().is_some()
    }
}

/// A spec file, parsed. `None` in `entry`: the spec says `enabled: false`.
struct SpecFile {
    stem: String,
    entry: Option<AdapterEntry>,
}

/// Returns the adapters of the binary, by name, which is that of their file. Parses none of them.
pub fn bundled() -> Vec<AdapterEntry> {
    BUNDLED.iter().map(|bundled| unparsed(stem_of(Path::new(bundled.file)), SpecText::Bundled(bundled))).collect()
}

fn unparsed(name: String, text: SpecText) -> AdapterEntry {
    AdapterEntry { name, source: BUNDLED_SOURCE.to_string(), text, replaces_bundled: false, outcome: Arc::default() }
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
        entry.replaces_bundled = bundled.iter().any(|own| own.name.eq_ignore_ascii_case(&entry.name));
        let is_usable = entry.spec().is_ok();
        if let Some(earlier) = earlier.filter(|_| is_usable) {
            let message = format!("{}: adapter '{}' is already defined in '{}'", entry.source, entry.name, earlier.source);
            entry.outcome = Arc::new(OnceLock::from(Err(Error::config(message))));
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
    !is_hidden && matches!(extension.as_deref(), Some("yaml" | "yml")) && !path.is_dir()
}

fn stem_of(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

fn parse_file(stem: String, source: &str, text: Result<String>) -> SpecFile {
    let kept: Option<Arc<str>> = text.as_deref().ok().map(Arc::from);
    let entry = |name: &str, outcome| {
        let outcome = Arc::new(OnceLock::from(outcome));
        let text = SpecText::OfFile(kept.clone());
        Some(AdapterEntry { name: name.to_string(), source: source.to_string(), text, replaces_bundled: false, outcome })
    };
    let entry = match text.and_then(|text| AdapterSpec::parse_usable(source, &text)) {
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
        let own = vec![unparsed("shop".to_string(), SpecText::OfFile(Some(SPEC.replace("NAME", "shop").into())))];
        let show = |entry: &AdapterEntry| {
            let file = entry.source.rsplit('/').next().unwrap_or("");
            let replaces = if entry.replaces_bundled { " replaces" } else { "" };
            format!("{} {file} {}{replaces}", entry.name, if entry.spec().is_ok() { "ok" } else { "error" })
        };
        with_user_files(&own, &spec_files(&place).unwrap()).iter().map(show).collect()
    }

    #[test]
    fn every_file_of_the_folder_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rest_specs");
        let listing = std::fs::read_dir(folder).into_iter().flatten();
        let mut files: Vec<String> = listing.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect();
        files.retain(|file| file != "adapter.schema.json");
        files.sort();
        assert_eq!(BUNDLED.iter().map(|bundled| bundled.file.to_string()).collect::<Vec<_>>(), files, "a spec is a file NAME.yaml");
    }

    #[test]
    fn every_bundled_spec_is_an_adapter() {
        let entries = bundled();
        assert_eq!(entries.len(), BUNDLED.len());
        assert!(entries.iter().all(|entry| !entry.is_parsed()), "{entries:?}");
        assert!(entries.iter().all(|entry| entry.spec().is_ok() && entry.source == "(bundled)"), "{entries:?}");
        // All copies share what was parsed.
        let copy = entries[0].clone();
        assert!(Arc::ptr_eq(copy.spec().unwrap(), entries[0].spec().unwrap()));
    }

    #[test]
    fn a_file_of_the_user_wins_over_the_bundled_one() {
        assert_eq!(listed(&[]), ["shop (bundled) ok"]);
        assert_eq!(listed(&[("a.yaml", &SPEC.replace("NAME", "Shop"))]), ["Shop a.yaml ok replaces"]);
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
    fn a_broken_file_hides_the_bundled_one_of_its_name() {
        assert_eq!(listed(&[("Shop.yaml", "name: [")]), ["Shop Shop.yaml error replaces"]);
    }

    #[test]
    fn a_disabled_file_hides_the_bundled_one() {
        let spec = SPEC.replace("NAME", "shop\nenabled: false");
        assert_eq!(listed(&[("shop.yaml", &spec)]), [] as [String; 0]);
    }
}
