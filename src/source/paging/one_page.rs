//! Resources of a single page.

use super::chain::Chain;
use super::strategy::Strategy;
use crate::source::{PageFacts, PageKey, Seen, Source};
use crate::Result;

/// One page, whatever the answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnePage;

impl Strategy for OnePage {
    fn read(&self, _: &Seen<'_>, _: &mut PageFacts) -> Result<()> {
        Ok(())
    }

    fn source(&self, max_pages: u64) -> Box<dyn Source> {
        Box::new(Chain::new(PageKey::Only, max_pages))
    }

    fn n_pages(&self, _: u64) -> Option<u64> {
        Some(1)
    }

    fn identity(&self) -> String {
        String::new()
    }
}
