//! `relay`: pages of a GraphQL connection, as Relay's specification has them.

use super::chain::Chain;
use super::next_at::NextAt;
use super::size::Size;
use super::strategy::Strategy;
use crate::document::{quoted, JsonPath};
use crate::source::{PageFacts, PageKey, PagePart, Seen, Source};
use crate::yaml::Fields;
use crate::{Error, Result};

/// Pages of a GraphQL connection: `pageInfo` says whether there is a next one, and its cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct Relay {
    /// The variable that takes the cursor; `None`: a hole of the request does.
    pub cursor_variable: Option<String>,
    /// The variable that takes the page's size.
    pub count_variable: Option<String>,
    pub size: Size,
    /// Where `pageInfo` is, as the spec says.
    page_info: String,
    has_next: JsonPath,
    end_cursor: JsonPath,
}

impl Relay {
    /// The keys of a spec.
    pub const KEYS: [&'static str; 4] = ["page_info_path", "cursor_variable", "count_variable", "page_size"];

    /// Reads the strategy.
    pub fn parse(fields: &Fields<'_>) -> Option<Relay> {
        let page_info = fields.required_json_path("page_info_path")?.as_text().to_string();
        Some(Relay {
            cursor_variable: fields.text("cursor_variable"),
            count_variable: fields.text("count_variable"),
            size: Size::parse(fields),
            has_next: JsonPath::parse(&format!("{page_info}.hasNextPage")).ok()?,
            end_cursor: JsonPath::parse(&format!("{page_info}.endCursor")).ok()?,
            page_info,
        })
    }
}

impl Strategy for Relay {
    fn parts(&self) -> &'static [PagePart] {
        &[PagePart::Token, PagePart::Size]
    }

    fn variables(&self) -> Vec<(&str, PagePart)> {
        let cursor = self.cursor_variable.as_deref().map(|name| (name, PagePart::Token));
        let count = self.count_variable.as_deref().map(|name| (name, PagePart::Size));
        cursor.into_iter().chain(count).collect()
    }

    fn size(&self) -> Option<&Size> {
        Some(&self.size)
    }

    fn size_mut(&mut self) -> Option<&mut Size> {
        Some(&mut self.size)
    }

    fn read(&self, seen: &Seen<'_>, facts: &mut PageFacts) -> Result<()> {
        let path = &self.page_info;
        facts.has_more = self.has_next.find_bool(seen.root);
        match facts.has_more {
            Some(false) => return Ok(()),
            Some(true) => {}
            // An object on the way is null, such as a repository that is not there: it has no records, either.
            None if facts.n_rows == 0 => return Ok(()),
            None => {
                return Err(Error::api(format!(
                    "the answer has no 'hasNextPage' at '{path}'; ask for 'pageInfo' in the query, and check 'page_info_path'"
                )))
            }
        }
        match self.end_cursor.find(seen.root, NextAt::of).unwrap_or(NextAt::End).token() {
            Ok(Some(cursor)) => facts.next = Some(PageKey::Token(Some(cursor))),
            Ok(None) => return Err(Error::api(format!("the API says that more pages follow but gives no 'endCursor' at '{path}'"))),
            Err(kind) => return Err(Error::api(format!("'endCursor' at '{path}' is {kind}; expected a text"))),
        }
        Ok(())
    }

    fn source(&self, max_pages: u64) -> Box<dyn Source> {
        Box::new(Chain::new(PageKey::Token(None), max_pages))
    }

    fn n_pages(&self, n_rows: u64) -> Option<u64> {
        Some(self.size.n_pages(n_rows))
    }

    fn identity(&self) -> String {
        format!("relay {}{}", quoted(&self.page_info), self.size.identity())
    }

    fn unplaced(&self) -> Option<(&'static str, PagePart)> {
        Some(("cursor_variable", PagePart::Token))
    }
}
