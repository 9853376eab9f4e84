//! The adapter specs that are part of the binary.

// `BUNDLED`, generated from the files in rest_specs.
include!(concat!(env!("OUT_DIR"), "/specs.rs"));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::AdapterSpec;

    /// Tables of which the user's options say what their columns are.
    const WITHOUT_KEYS: &[&str] = &["google_analytics.report", "netsuite.query"];

    #[test]
    fn every_bundled_table_has_a_description_and_a_key() {
        let mut bare = Vec::new();
        for (file, text) in BUNDLED {
            let spec = AdapterSpec::parse(file, text).unwrap().unwrap();
            assert_eq!(format!("{}.yaml", spec.name), *file);
            assert!(spec.description.is_some() && spec.help.is_some(), "{file}");
            for table_def in &spec.tables {
                assert!(table_def.description.is_some(), "{file}: table '{}' has no description", table_def.name);
                let is_free = WITHOUT_KEYS.contains(&format!("{}.{}", spec.name, table_def.name).as_str());
                assert_eq!(table_def.key_columns.is_empty(), is_free, "{file}: the key of table '{}'", table_def.name);
            }
            let without = spec.all_options().into_iter().filter(|option| option.description.is_none());
            bare.extend(without.map(|option| format!("{file}: {}", option.name)));
        }
        assert_eq!(bare, [""; 0], "options without a description");
    }
}
