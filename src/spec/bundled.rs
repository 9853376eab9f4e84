//! The adapter specs that are part of the binary, deflated.

use crate::{Error, Result};
use flate2::read::DeflateDecoder;
use std::io::Read;

/// A spec that is part of the binary.
#[derive(Debug)]
pub struct BundledSpec {
    /// The name of its file, such as `github.yaml`.
    pub file: &'static str,
    deflated: &'static [u8],
}

impl BundledSpec {
    /// Returns the text of the file, which is inflated each time.
    pub fn text(&self) -> Result<String> {
        let mut text = String::new();
        let inflated = DeflateDecoder::new(self.deflated).read_to_string(&mut text);
        inflated.map(|_| text).map_err(|err| Error::internal(format!("the bundled spec '{}': {err}", self.file)))
    }
}

// `BUNDLED`, generated from the files in rest_specs.
include!(concat!(env!("OUT_DIR"), "/specs.rs"));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::AdapterSpec;

    /// Tables of which the user's options say what their columns are, and reports, whose totals have no id.
    const WITHOUT_KEYS: &[&str] = &[
        "google_analytics.report",
        "netsuite.query",
        "quickbooks.balance_sheet",
        "quickbooks.payables_aging",
        "quickbooks.profit_and_loss",
        "quickbooks.receivables_aging",
        "quickbooks.trial_balance",
        "xero.balance_sheet",
        "xero.profit_and_loss",
        "xero.trial_balance",
    ];

    #[test]
    fn every_bundled_table_has_a_description_and_a_key() {
        let mut bare = Vec::new();
        for bundled in BUNDLED {
            let file = bundled.file;
            let spec = AdapterSpec::parse(file, &bundled.text().unwrap()).unwrap().unwrap();
            assert_eq!(format!("{}.yaml", spec.name), file);
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
