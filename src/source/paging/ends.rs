//! What says that a page is the last one, whatever the strategy.

use crate::document::{quoted, JsonPath};
use crate::source::{PageFacts, Seen};
use crate::yaml::Fields;
use crate::{Error, Result};

/// What says that a page is the last one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ends {
    /// True where more pages follow.
    pub has_more_path: Option<JsonPath>,
    /// True on the last page.
    pub end_path: Option<JsonPath>,
    /// Whether a page without rows is the last one, though it names a next page.
    pub stop_on_empty: bool,
}

impl Ends {
    /// The keys of a strategy whose pages are counted.
    pub const FLAGS: [&'static str; 2] = ["has_more_path", "end_path"];
    /// The keys of a strategy whose answers name the next page.
    pub const KEYS: [&'static str; 3] = ["has_more_path", "end_path", "stop_on_empty"];

    /// Reads the keys that the strategy has.
    pub fn parse(fields: &Fields<'_>) -> Ends {
        Ends {
            has_more_path: fields.json_path("has_more_path"),
            end_path: fields.json_path("end_path"),
            stop_on_empty: fields.boolean("stop_on_empty").unwrap_or(false),
        }
    }

    /// Notes whether the answer says that more pages follow. Where it says nothing, what is known stays.
    pub fn read(&self, seen: &Seen<'_>, facts: &mut PageFacts) {
        let flag = |path: &Option<JsonPath>| path.as_ref().and_then(|path| path.find_bool(seen.root));
        let (has_more, is_end) = (flag(&self.has_more_path), flag(&self.end_path));
        let says = match (has_more, is_end) {
            _ if self.stop_on_empty && facts.n_rows == 0 => Some(false),
            (Some(false), _) | (_, Some(true)) => Some(false),
            (Some(true), _) | (_, Some(false)) => Some(true),
            (None, None) => None,
        };
        facts.has_more = says.or(facts.has_more);
    }

    /// Fails when the answer says that more pages follow and does not name the next one, by `what` that stands where `key` says.
    pub fn check_next(&self, facts: &PageFacts, what: &str, key: &str) -> Result<()> {
        if facts.next.is_some() || facts.has_more != Some(true) {
            return Ok(());
        }
        let message =
            format!("the API says that more pages follow but gives no {what}; check '{}' and '{key}' of the table's 'paging'", self.key());
        Err(Error::api(message))
    }

    /// Returns the key that says that more pages follow, for messages.
    fn key(&self) -> &'static str {
        if self.has_more_path.is_some() {
            "has_more_path"
        } else {
            "end_path"
        }
    }

    /// Returns its part of the text of a strategy.
    pub fn identity(&self) -> String {
        let path = |word: &str, path: &Option<JsonPath>| path.as_ref().map(|path| format!(" {word} {}", quoted(path.as_text())));
        let empty = if self.stop_on_empty { " stop on empty" } else { "" };
        let (more, end) = (path("more", &self.has_more_path), path("end", &self.end_path));
        format!("{}{}{empty}", more.unwrap_or_default(), end.unwrap_or_default())
    }
}
