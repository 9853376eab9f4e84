//! What look-ups before the first request found, and the holes that it fills.

use super::{AdapterSpec, Connection, SETUP_HOLE};
use std::collections::BTreeMap;

impl AdapterSpec {
    /// Returns the names that look-ups fill.
    pub fn setup_names(&self) -> impl Iterator<Item = &str> {
        self.setup.iter().flat_map(|step| &step.capture).map(|(name, _)| name.as_str())
    }
}

impl Connection {
    /// Returns whether all that is to be looked up is known.
    pub fn is_set_up(&self) -> bool {
        let values = self.tokens.setup_of(&self.name, &self.options.values);
        self.adapter.setup_names().all(|name| values.contains_key(name))
    }

    /// Notes what look-ups found.
    pub fn hold_setup(&self, values: BTreeMap<String, String>) {
        self.tokens.hold_setup(&self.name, &self.options.values, values);
    }

    /// Returns the value that a look-up found for a hole.
    pub(super) fn setup_value(&self, hole: &str) -> Option<String> {
        self.tokens.setup_of(&self.name, &self.options.values).remove(hole.strip_prefix(SETUP_HOLE)?)
    }
}
