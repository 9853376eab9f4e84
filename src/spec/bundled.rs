//! The adapter specs that are part of the binary.

/// File name and text of each bundled spec.
pub const BUNDLED: &[(&str, &str)] = &[
    ("github.yaml", include_str!("../../rest_specs/github.yaml")),
    ("hackernews.yaml", include_str!("../../rest_specs/hackernews.yaml")),
    ("stripe.yaml", include_str!("../../rest_specs/stripe.yaml")),
    ("wikimedia.yaml", include_str!("../../rest_specs/wikimedia.yaml")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::AdapterSpec;

    #[test]
    fn every_bundled_table_has_a_description_and_a_key() {
        for (file, text) in BUNDLED {
            let spec = AdapterSpec::parse(file, text).unwrap().unwrap();
            assert_eq!(format!("{}.yaml", spec.name), *file);
            assert!(spec.description.is_some() && spec.help.is_some(), "{file}");
            for table_def in &spec.tables {
                assert!(table_def.description.is_some(), "{file}: table '{}' has no description", table_def.name);
                assert!(!table_def.key_columns.is_empty(), "{file}: table '{}' has no key", table_def.name);
            }
            for option in spec.all_options() {
                assert!(option.description.is_some(), "{file}: option '{}' has no description", option.name);
            }
        }
    }
}
