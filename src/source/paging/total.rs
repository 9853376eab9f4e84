//! Where an API says how much there is.

use super::size::Size;
use crate::document::{quoted, JsonPath};
use crate::source::{PageFacts, Seen};
use crate::yaml::Fields;

/// Where an API says how much there is.
#[derive(Debug, Clone, PartialEq)]
pub enum Total {
    /// Rows, in the body.
    RowsPath(JsonPath),
    /// Rows, in a header.
    RowsHeader(String),
    /// Pages, in the body.
    PagesPath(JsonPath),
}

impl Total {
    /// The keys of a spec, of which it has one at most.
    pub const KEYS: [&'static str; 3] = ["total_path", "total_header", "total_pages_path"];

    /// Reads it.
    pub fn parse(fields: &Fields<'_>) -> Option<Total> {
        let totals = [
            fields.json_path("total_path").map(Total::RowsPath),
            fields.text("total_header").map(Total::RowsHeader),
            fields.json_path("total_pages_path").map(Total::PagesPath),
        ];
        let mut totals = totals.into_iter().flatten();
        let total = totals.next();
        if totals.next().is_some() {
            let several = format!("{} has several of total_path, total_header and total_pages_path; keep one", fields.place());
            fields.mistakes().at(fields.mapping_node(), several);
        }
        total
    }

    /// Adds what an answer tells.
    pub fn read(&self, seen: &Seen<'_>, facts: &mut PageFacts) {
        let natural = |number| u64::try_from(number).ok();
        match self {
            Total::RowsPath(path) => facts.total_rows = path.find_integer(seen.root).and_then(natural),
            Total::PagesPath(path) => facts.total_pages = path.find_integer(seen.root).and_then(natural),
            Total::RowsHeader(name) => facts.total_rows = seen.headers.get(name).and_then(|value| value.trim().parse().ok()),
        }
    }

    /// Returns the place of a total that a page with rows lacks.
    pub fn missing(&self, facts: &PageFacts) -> Option<String> {
        match self {
            _ if facts.n_rows == 0 => None,
            Total::RowsPath(path) if facts.total_rows.is_none() => Some(format!("'{}', its 'total_path'", path.as_text())),
            Total::RowsHeader(name) if facts.total_rows.is_none() => Some(format!("'{name}', its 'total_header'")),
            Total::PagesPath(path) if facts.total_pages.is_none() => Some(format!("'{}', its 'total_pages_path'", path.as_text())),
            _ => None,
        }
    }

    /// Returns its part of the text of a strategy.
    pub fn identity(&self) -> String {
        match self {
            Total::RowsPath(path) => format!(" total {}", quoted(path.as_text())),
            Total::RowsHeader(name) => format!(" total header {}", quoted(&name.to_lowercase())),
            Total::PagesPath(path) => format!(" pages {}", quoted(path.as_text())),
        }
    }
}

/// Returns how many pages `n_rows` are when they are counted.
pub fn counted_pages(n_rows: u64, size: &Size, total: Option<&Total>) -> u64 {
    match total {
        Some(_) => size.n_pages(n_rows),
        // Only a page that is not full ends them.
        None => n_rows / size.page_size.max(1) + 1,
    }
}
