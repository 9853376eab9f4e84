//! Names for fields: of a list of names beside the values, and without prefixes.

use std::collections::{HashMap, HashSet};

/// Returns a name for each field: those given, where several are alike with `_2`, `_3` and so on, and `column_N` for one that has none.
pub fn distinct_names<'n>(given: impl Iterator<Item = &'n str>) -> Vec<String> {
    let given: Vec<String> = given.enumerate().map(|(idx, name)| named(name, idx)).collect();
    let all: HashSet<&str> = given.iter().map(String::as_str).collect();
    let mut taken: HashSet<String> = HashSet::new();
    let mut last_numbers: HashMap<&str, usize> = HashMap::new();
    let mut names = Vec::with_capacity(given.len());
    for name in &given {
        let mut own = name.clone();
        while taken.contains(&own) || (own != *name && all.contains(own.as_str())) {
            let number = last_numbers.entry(name).or_insert(1);
            *number += 1;
            own = format!("{name}_{number}");
        }
        taken.insert(own.clone());
        names.push(own);
    }
    names
}

/// Returns the name of the field at a position, the first being 0.
pub fn column_name(idx: usize) -> String {
    format!("column_{}", idx + 1)
}

/// Returns the name without the longest of the prefixes it starts with; a name that would be empty stays.
pub fn stripped(name: &str, prefixes: &[String]) -> String {
    let rests = prefixes.iter().filter_map(|prefix| name.strip_prefix(prefix.as_str()));
    rests.filter(|rest| !rest.is_empty()).min_by_key(|rest| rest.len()).unwrap_or(name).to_string()
}

fn named(name: &str, idx: usize) -> String {
    match name.trim() {
        "" => column_name(idx),
        name => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_are_alike_are_numbered() {
        let names = distinct_names(["a", "", " a ", "b", "a", "a_2"].into_iter());
        assert_eq!(names, ["a", "column_2", "a_3", "b", "a_4", "a_2"]);
    }

    proptest! {
        #[test]
        fn each_field_has_a_name_of_its_own(given in prop::collection::vec("a|b|a_2|a_3|column_2| |", 0..12)) {
            let names = distinct_names(given.iter().map(String::as_str));
            let distinct: HashSet<&String> = names.iter().collect();
            prop_assert_eq!((names.len(), distinct.len()), (given.len(), given.len()));
        }
    }
}
