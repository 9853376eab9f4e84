//! How many rows a page has, and the param that says so.

use crate::document::quoted;
use crate::source::PagePart;
use crate::yaml::Fields;

/// Size of a page when the spec does not say and the API's answers tell the end anyway.
const PAGE_SIZE: u64 = 100;

/// The size of pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// The param that takes it; `None`: the API decides, and this is what it decides.
    pub count_param: Option<String>,
    pub page_size: u64,
    /// Whether a hole of the table's requests takes it.
    pub is_in_hole: bool,
}

impl Size {
    /// The keys of a spec.
    pub const KEYS: [&'static str; 2] = ["count_param", "page_size"];

    /// Reads a size that the spec may leave out.
    pub fn parse(fields: &Fields<'_>) -> Size {
        Size { count_param: fields.text("count_param"), page_size: fields.count("page_size", 1).unwrap_or(PAGE_SIZE), is_in_hole: false }
    }

    /// Reads the size of a strategy that ends at a short page, and so must know what a full one is.
    pub fn parse_required(fields: &Fields<'_>) -> Option<Size> {
        fields.required_text("page_size")?;
        Some(Size { count_param: fields.text("count_param"), page_size: fields.count("page_size", 1)?, is_in_hole: false })
    }

    /// Returns the param, if there is one.
    pub fn param(&self) -> Option<(&str, PagePart)> {
        self.count_param.as_deref().map(|name| (name, PagePart::Size))
    }

    /// Returns whether a request can say how many rows it wants.
    pub fn is_asked_for(&self) -> bool {
        self.count_param.is_some() || self.is_in_hole
    }

    /// Returns how many pages `n_rows` are where the last one says so, be it full or not.
    pub fn n_pages(&self, n_rows: u64) -> u64 {
        n_rows.div_ceil(self.page_size.max(1)).max(1)
    }

    /// Returns its part of the text of a strategy.
    pub fn identity(&self) -> String {
        match &self.count_param {
            Some(param) => format!(" count {} size {}", quoted(param), self.page_size),
            None => format!(" size {}", self.page_size),
        }
    }
}
