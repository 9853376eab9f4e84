//! What a request says to get one certain page, and where it says it.

use super::key::{PageKey, Token};

/// What the name of a hole begins with that takes a part of what names a page.
const PAGE_HOLE: &str = "page.";

/// A part of what names a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagePart {
    Token,
    /// One of several values that an answer gives under the param's name.
    Carried,
    Number,
    Offset,
    /// How many rows the page has.
    Size,
}

impl PagePart {
    const ALL: [PagePart; 4] = [PagePart::Token, PagePart::Number, PagePart::Offset, PagePart::Size];

    /// Returns the part that a hole of that name takes.
    pub fn of_hole(name: &str) -> Option<PagePart> {
        PagePart::ALL.into_iter().find(|part| part.hole() == name)
    }

    /// Returns the strategy that names pages so, as specs write it.
    pub fn strategy(self) -> &'static str {
        match self {
            PagePart::Token | PagePart::Carried => "pagerToken",
            PagePart::Number | PagePart::Size => "pageAndCount",
            PagePart::Offset => "offsetAndCount",
        }
    }

    /// Returns whether the first page is asked for without it.
    pub fn comes_with_answers(self) -> bool {
        matches!(self, PagePart::Token | PagePart::Carried)
    }

    /// Returns the name of the hole that takes it.
    pub fn hole(self) -> &'static str {
        match self {
            PagePart::Token => "page.token",
            // It has a name of its own, and so has its hole.
            PagePart::Carried => "",
            PagePart::Number => "page.number",
            PagePart::Offset => "page.offset",
            PagePart::Size => "page.size",
        }
    }
}

/// What names one page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageValues {
    pub token: Option<Token>,
    pub number: Option<u64>,
    pub offset: Option<u64>,
    pub size: Option<u64>,
    /// The query parameters that take a part each.
    pub params: Vec<(String, PagePart)>,
    /// Query parameters that an answer gave.
    pub carried: Vec<(String, Token)>,
    /// Whether the request has no other query parameter than these.
    pub is_alone: bool,
}

impl PageValues {
    /// Returns what names the page `key`. Pages have `page_size` rows where a request can say so; the parts go to `params`.
    pub fn new(key: &PageKey, page_size: Option<u64>, params: Vec<(String, PagePart)>) -> PageValues {
        let mut values = PageValues { size: page_size, params, ..PageValues::default() };
        match key {
            PageKey::Only | PageKey::Link(_) => {}
            PageKey::Page(number) => values.number = Some(*number),
            PageKey::Offset { offset, limit } => {
                values.offset = Some(*offset);
                values.size = limit.or(page_size);
            }
            PageKey::Token(token) => values.token.clone_from(token),
            PageKey::Params(params) => values.carried.clone_from(params),
            PageKey::Numbered { number, key } => {
                return PageValues { number: Some(*number), ..PageValues::new(key, page_size, values.params) };
            }
        }
        values
    }

    /// Returns a part as a request says it; `None`: it says nothing.
    pub fn text_of(&self, part: PagePart) -> Option<String> {
        match part {
            PagePart::Token => self.token.as_ref().map(|token| token.as_text().to_string()),
            PagePart::Carried => None,
            PagePart::Number => self.number.map(|number| number.to_string()),
            PagePart::Offset => self.offset.map(|offset| offset.to_string()),
            PagePart::Size => self.size.map(|size| size.to_string()),
        }
    }

    /// Returns the query parameters that ask for the page. `is_free`: no hole of that name stands in the request.
    pub fn query(&self, is_free: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let is_sent = |part: PagePart| is_free(part.hole()) && (!self.is_alone || part.comes_with_answers() || part == PagePart::Number);
        let free = self.params.iter().filter(|(_, part)| is_sent(*part));
        let free = free.filter_map(|(name, part)| Some((name.clone(), self.text_of(*part)?)));
        let carried = self.carried.iter().filter(|(name, _)| is_free(&format!("{PAGE_HOLE}{name}")));
        free.chain(carried.map(|(name, token)| (name.clone(), token.as_text().to_string()))).collect()
    }
}
