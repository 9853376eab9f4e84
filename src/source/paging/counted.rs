//! `pageAndCount` and `offsetAndCount`: pages by number, and by the number of rows before them.

use super::ends::Ends;
use super::link_facts::add_links;
use super::numbered::NumberedPager;
use super::size::Size;
use super::strategy::Strategy;
use super::total::{counted_pages, Total};
use super::url_number::number_in;
use crate::document::quoted;
use crate::source::{PageFacts, PagePart, Seen, Source};
use crate::yaml::Fields;
use crate::Result;

/// Pages that are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    pub by: CountedBy,
    /// The param that takes what names a page; `None`: a hole of the request does.
    pub param: Option<String>,
    pub size: Size,
    pub total: Option<Total>,
    pub ends: Ends,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq)]
pub enum CountedBy {
    /// The pages, from this number on.
    Page { first_page: u64 },
    /// The rows before a page, from this number on.
    Offset { first_page: u64 },
}

impl Counted {
    /// The keys of pages by number, besides those of [`Size`], [`Total`] and [`Ends`].
    pub const PAGE_KEYS: [&'static str; 2] = ["page_param", "first_page"];
    /// The keys of pages by offset, besides the same.
    pub const OFFSET_KEYS: [&'static str; 2] = ["offset_param", "first_page"];

    /// Reads the strategy of pages by number.
    pub fn by_page(fields: &Fields<'_>) -> Option<Counted> {
        Counted::parse(fields, CountedBy::Page { first_page: fields.count("first_page", 0).unwrap_or(1) })
    }

    /// Reads the strategy of pages by offset.
    pub fn by_offset(fields: &Fields<'_>) -> Option<Counted> {
        Counted::parse(fields, CountedBy::Offset { first_page: fields.count("first_page", 0).unwrap_or(0) })
    }

    fn parse(fields: &Fields<'_>, by: CountedBy) -> Option<Counted> {
        let param = fields.text(by.param_key());
        Some(Counted { by, param, size: Size::parse_required(fields)?, total: Total::parse(fields), ends: Ends::parse(fields) })
    }
}

impl CountedBy {
    fn param_key(&self) -> &'static str {
        match self {
            CountedBy::Page { .. } => "page_param",
            CountedBy::Offset { .. } => "offset_param",
        }
    }

    /// Returns what names a page.
    fn part(&self) -> PagePart {
        match self {
            CountedBy::Page { .. } => PagePart::Number,
            CountedBy::Offset { .. } => PagePart::Offset,
        }
    }
}

impl Strategy for Counted {
    fn parts(&self) -> &'static [PagePart] {
        match self.by {
            CountedBy::Page { .. } => &[PagePart::Number, PagePart::Size],
            CountedBy::Offset { .. } => &[PagePart::Offset, PagePart::Size],
        }
    }

    fn params(&self) -> Vec<(&str, PagePart)> {
        let own = self.param.as_deref().map(|name| (name, self.by.part()));
        own.into_iter().chain(self.size.param()).collect()
    }

    fn size(&self) -> Option<&Size> {
        Some(&self.size)
    }

    fn size_mut(&mut self) -> Option<&mut Size> {
        Some(&mut self.size)
    }

    fn read(&self, seen: &Seen<'_>, facts: &mut PageFacts) -> Result<()> {
        if let Some(total) = &self.total {
            total.read(seen, facts);
        }
        add_links(seen, facts, &[]);
        self.ends.read(seen, facts);
        if let (CountedBy::Page { first_page }, None, None) = (&self.by, facts.total_rows, facts.total_pages) {
            let last_page = facts.last_link.as_deref().and_then(|link| number_in(link, self.param.as_ref()?));
            facts.total_pages = last_page.and_then(|last| (last + 1).checked_sub(*first_page));
        }
        Ok(())
    }

    fn source(&self, max_pages: u64) -> Box<dyn Source> {
        Box::new(match self.by {
            CountedBy::Page { first_page } => NumberedPager::by_page(first_page, self.size.page_size, max_pages),
            CountedBy::Offset { first_page } => {
                NumberedPager::by_offset(first_page, self.size.is_asked_for(), self.size.page_size, max_pages)
            }
        })
    }

    fn n_pages(&self, n_rows: u64) -> Option<u64> {
        Some(counted_pages(n_rows, &self.size, self.total.as_ref()))
    }

    fn identity(&self) -> String {
        let param = self.param.as_ref().map(|param| format!(" {}", quoted(param))).unwrap_or_default();
        let named = match self.by {
            CountedBy::Page { first_page } => format!("page{param} first {first_page}"),
            CountedBy::Offset { first_page: 0 } => format!("offset{param}"),
            CountedBy::Offset { first_page } => format!("offset{param} first {first_page}"),
        };
        let total = self.total.as_ref().map(Total::identity).unwrap_or_default();
        format!("{named}{}{total}{}", self.size.identity(), self.ends.identity())
    }

    fn unplaced(&self) -> Option<(&'static str, PagePart)> {
        self.param.is_none().then_some((self.by.param_key(), self.by.part()))
    }

    fn is_side_by_side(&self) -> bool {
        true
    }

    /// A short page by offset, or a part of one, is told from others by its records, and so is any page where a request cannot say how many
    /// rows it wants.
    fn needs_records(&self, n_rows: u64) -> bool {
        matches!(self.by, CountedBy::Offset { .. }) && (!self.size.is_asked_for() || n_rows < self.size.page_size)
    }

    fn ends_unsaid(&self, facts: &PageFacts, _: &[String]) -> bool {
        let is_told = facts.has_more == Some(false) || facts.total_rows.is_some() || facts.total_pages.is_some();
        !is_told && facts.n_rows < self.size.page_size
    }

    fn missing_total(&self, facts: &PageFacts) -> Option<String> {
        self.total.as_ref()?.missing(facts)
    }
}
