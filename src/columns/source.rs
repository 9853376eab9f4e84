//! Where the values of a column come from, and how that is stored.

use crate::spec::DELETED_AT;

/// Where the values of a column come from: what identifies the column from page to page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ColumnSource {
    /// A copied param.
    Param(String),
    /// The field of this flattened name, wherever that is.
    Named(String),
    /// Keys from the body down.
    Meta(Vec<String>),
    /// Keys from the record down.
    Record(Vec<String>),
    /// The same keys once more, for another declared column, whose name tells them apart.
    Again { column: String, keys: Vec<String> },
}

/// First elements of stored sources that are not keys of the record.
const PARAM: &str = "$param";
const META: &str = "$meta";
const COLUMN: &str = "$column";
const AGAIN: &str = "$again";

/// What the column is called that marks rows as gone at the source.
pub(super) const DELETED: &str = "unify_deleted";

/// Returns the source of the column that marks rows as gone at the source: a param, of which none has this name.
pub(super) fn deleted_source() -> ColumnSource {
    ColumnSource::Param(String::new())
}

/// What the column is called that says which parameter set a row is of.
pub(super) const SET: &str = "unify_set";

/// Returns the source of the column that says which parameter set a row is of: a param, of which none has a name with a blank before it.
pub(super) fn set_source() -> ColumnSource {
    ColumnSource::Param(format!(" {SET}"))
}

/// What the column is called that numbers the rows of a load.
pub(super) const ROW: &str = "unify_row";

/// Returns the source of the column that numbers the rows of a load: a param, as that of the parameter set is.
pub(super) fn row_source() -> ColumnSource {
    ColumnSource::Param(format!(" {ROW}"))
}

/// Returns the source of the column that says since when a row is gone: a param, of which none has a name with a tab before it.
pub(super) fn deleted_at_source() -> ColumnSource {
    ColumnSource::Param(format!("\t{DELETED_AT}"))
}

impl ColumnSource {
    /// Returns whether the column is one that only staging tables have.
    pub(super) fn is_mark(&self) -> bool {
        matches!(self, ColumnSource::Param(name) if name.is_empty() || name.starts_with(' '))
    }

    /// Returns the source that [`ColumnSource::stored`] wrote.
    pub(super) fn of_stored(keys: Vec<String>) -> ColumnSource {
        match keys.as_slice() {
            [marker, name] if marker == PARAM => ColumnSource::Param(name.clone()),
            [marker, name] if marker == COLUMN => ColumnSource::Named(name.clone()),
            [marker, keys @ ..] if marker == META => ColumnSource::Meta(keys.to_vec()),
            [marker, column, keys @ ..] if marker == AGAIN => ColumnSource::Again { column: column.clone(), keys: keys.to_vec() },
            [escaped, rest @ ..] if escaped.starts_with('$') && is_marker_like(&escaped[1..]) => {
                ColumnSource::Record(std::iter::once(escaped[1..].to_string()).chain(rest.iter().cloned()).collect())
            }
            _ => ColumnSource::Record(keys),
        }
    }

    /// Returns the keys that stand for the source in a database. A key of a record that could be taken for a marker has one more `$`.
    pub(super) fn stored(&self) -> Vec<String> {
        let marked = |marker: &str, keys: &[String]| std::iter::once(marker.to_string()).chain(keys.iter().cloned()).collect();
        match self {
            ColumnSource::Param(name) => marked(PARAM, std::slice::from_ref(name)),
            ColumnSource::Named(name) => marked(COLUMN, std::slice::from_ref(name)),
            ColumnSource::Meta(keys) => marked(META, keys),
            ColumnSource::Again { column, keys } => {
                let marks = [AGAIN.to_string(), column.clone()];
                marks.into_iter().chain(keys.iter().cloned()).collect()
            }
            ColumnSource::Record(keys) => {
                let mut keys = keys.clone();
                if let Some(first) = keys.first_mut().filter(|first| is_marker_like(first)) {
                    first.insert(0, '$');
                }
                keys
            }
        }
    }

    /// Returns the source for people: keys joined with dots.
    pub(super) fn path(&self) -> String {
        match self {
            ColumnSource::Param(name) | ColumnSource::Named(name) => name.clone(),
            ColumnSource::Meta(keys) | ColumnSource::Record(keys) | ColumnSource::Again { keys, .. } => keys.join("."),
        }
    }

    /// Returns whether the other source lies in the object that this one leads to.
    pub(super) fn is_above(&self, other: &ColumnSource) -> bool {
        match (self, other) {
            (ColumnSource::Meta(above), ColumnSource::Meta(below)) | (ColumnSource::Record(above), ColumnSource::Record(below)) => {
                below.len() > above.len() && below.starts_with(above)
            }
            _ => false,
        }
    }
}

/// Returns whether the key is a marker, or one with more `$` before it.
fn is_marker_like(key: &str) -> bool {
    key.starts_with('$') && [PARAM, META, COLUMN, AGAIN].contains(&&*format!("${}", key.trim_start_matches('$')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(".*|\\$\\$?\\$?(param|meta|column|again)", 0..4)
    }

    proptest! {
        #[test]
        fn sources_survive_their_stored_form(keys in keys(), name in ".*") {
            let again = ColumnSource::Again { column: name.clone(), keys: keys.clone() };
            let of_names = [ColumnSource::Param(name.clone()), ColumnSource::Named(name)];
            for source in of_names.into_iter().chain([ColumnSource::Meta(keys.clone()), ColumnSource::Record(keys), again]) {
                prop_assert_eq!(ColumnSource::of_stored(source.stored()), source);
            }
        }
    }

    #[test]
    fn the_stored_form_stays_what_databases_have() {
        let check = |source: ColumnSource, keys: &[&str]| {
            let keys: Vec<String> = keys.iter().map(|key| key.to_string()).collect();
            assert_eq!((source.stored(), ColumnSource::of_stored(keys.clone())), (keys, source));
        };
        let keys = |keys: &[&str]| keys.iter().map(|key| key.to_string()).collect::<Vec<_>>();
        check(ColumnSource::Param("a".into()), &["$param", "a"]);
        check(ColumnSource::Named("a".into()), &["$column", "a"]);
        check(ColumnSource::Meta(keys(&["a", "b"])), &["$meta", "a", "b"]);
        check(ColumnSource::Meta(Vec::new()), &["$meta"]);
        check(ColumnSource::Again { column: "x".into(), keys: keys(&["a", "b"]) }, &["$again", "x", "a", "b"]);
        check(ColumnSource::Record(keys(&["a", "$meta"])), &["a", "$meta"]);
        check(ColumnSource::Record(keys(&["$meta", "a"])), &["$$meta", "a"]);
        check(ColumnSource::Record(keys(&["$$column"])), &["$$$column"]);
        check(ColumnSource::Record(keys(&["$other"])), &["$other"]);
        check(ColumnSource::Record(Vec::new()), &[]);
    }
}
