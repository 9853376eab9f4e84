//! Names of pages: what distinguishes one request of a resource from the next, with a text form for resumption.

use crate::{Error, Result};
use url::Url;

/// What a request says to get one certain page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PageKey {
    /// The resource without any page, or its first page where later ones are links.
    Only,
    Page(u64),
    /// Rows from `offset` on; `limit` replaces the page size where only a part is wanted.
    Offset {
        offset: u64,
        limit: Option<u64>,
    },
    /// `None`: the first page.
    Token(Option<String>),
    /// Absolute URL.
    Link(String),
}

impl PageKey {
    /// Returns the text that [`PageKey::from_text`] reads.
    pub fn to_text(&self) -> String {
        match self {
            PageKey::Only => "only".to_string(),
            PageKey::Page(page) => format!("page:{page}"),
            PageKey::Offset { offset, limit: None } => format!("offset:{offset}"),
            PageKey::Offset { offset, limit: Some(limit) } => format!("offset:{offset}+{limit}"),
            PageKey::Token(None) => "token".to_string(),
            PageKey::Token(Some(token)) => format!("token:{token}"),
            PageKey::Link(link) => format!("link:{link}"),
        }
    }

    /// Reads what [`PageKey::to_text`] wrote. Fails on anything else.
    pub fn from_text(text: &str) -> Result<PageKey> {
        let wrong = || Error::data(format!("'{text}' is no place to resume from; reload the table"));
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| wrong());
        match text.split_once(':') {
            None if text == "only" => Ok(PageKey::Only),
            None if text == "token" => Ok(PageKey::Token(None)),
            Some(("page", page)) => Ok(PageKey::Page(number(page)?)),
            Some(("offset", offset)) => match offset.split_once('+') {
                None => Ok(PageKey::Offset { offset: number(offset)?, limit: None }),
                Some((offset, limit)) => Ok(PageKey::Offset { offset: number(offset)?, limit: Some(number(limit)?) }),
            },
            Some(("token", token)) => Ok(PageKey::Token(Some(token.to_string()))),
            Some(("link", link)) => Ok(PageKey::Link(link.to_string())),
            _ => Err(wrong()),
        }
    }

    /// Returns whether this is a link with what looks like a credential that the API gave.
    pub fn holds_credential(&self) -> bool {
        let PageKey::Link(link) = self else { return false };
        let Ok(url) = Url::parse(link) else { return true };
        let is_credential = |name: &str| {
            let name = name.to_ascii_lowercase();
            let words = ["access_token", "signature", "credential", "secret", "password", "api_key", "apikey"];
            words.iter().any(|word| name.contains(word)) || ["sig", "key", "auth", "authorization"].contains(&name.as_str())
        };
        let holds = url.query_pairs().any(|(name, _)| is_credential(&name));
        holds || !url.username().is_empty() || url.password().is_some()
    }

    /// Returns words for messages; links and tokens are not in them, since they may hold anything.
    pub fn description(&self) -> String {
        match self {
            PageKey::Only | PageKey::Token(None) => "the first page".to_string(),
            PageKey::Page(page) => format!("page {page}"),
            PageKey::Offset { offset, .. } => format!("offset {offset}"),
            PageKey::Token(Some(_)) => "a later token".to_string(),
            PageKey::Link(_) => "a later link".to_string(),
        }
    }
}

/// A page to ask for, and its position among the pages of its resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PagePlace {
    pub ordinal: u64,
    pub key: PageKey,
}

/// Where to continue after the pages before were stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumePoint {
    /// How many pages are stored.
    pub ordinal: u64,
    /// What is asked for first: for pages by number or offset the last one stored, for others the next one.
    pub key: PageKey,
    /// Rows of the pages before `key`.
    pub n_rows: u64,
    /// Rows a page of this API really has, where that was learned.
    pub page_size: Option<u64>,
    /// Parts before `key` that are still missing: offset and count.
    pub holes: Vec<(u64, u64)>,
    /// What the page `key` was, where that is a stored one.
    pub stored: Option<PagePrint>,
}

/// Hashes of a page, to know it again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PagePrint {
    /// Of its records: equal however the rest of the body changes, but not once a column has another type.
    pub rows: u64,
    /// Of the bytes of its body.
    pub body: u64,
}

impl PagePrint {
    /// Returns whether the other is the same page, read again.
    pub fn is_same(self, other: PagePrint) -> bool {
        self.rows == other.rows || self.body == other.body
    }
}

impl ResumePoint {
    /// Returns the text that [`ResumePoint::from_text`] reads.
    pub fn to_text(&self) -> String {
        let page_size = self.page_size.map(|size| size.to_string()).unwrap_or_default();
        let holes: Vec<String> = self.holes.iter().map(|(offset, count)| format!("{offset}+{count}")).collect();
        let stored = self.stored.map(|print| format!("{}+{}", print.rows, print.body)).unwrap_or_default();
        format!("{};{};{};{};{};{}", self.ordinal, self.n_rows, page_size, holes.join(","), stored, self.key.to_text())
    }

    /// Reads what [`ResumePoint::to_text`] wrote. Fails on anything else.
    pub fn from_text(text: &str) -> Result<ResumePoint> {
        let wrong = || Error::data(format!("'{text}' is no place to resume from; reload the table"));
        let parts: Vec<&str> = text.splitn(6, ';').collect();
        let [ordinal, n_rows, page_size, holes, stored, key] = parts.as_slice() else {
            return Err(wrong());
        };
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| wrong());
        let mut pairs = Vec::new();
        for pair in holes.split(',').filter(|pair| !pair.is_empty()) {
            let (offset, count) = pair.split_once('+').ok_or_else(wrong)?;
            pairs.push((number(offset)?, number(count)?));
        }
        Ok(ResumePoint {
            ordinal: number(ordinal)?,
            n_rows: number(n_rows)?,
            page_size: if page_size.is_empty() { None } else { Some(number(page_size)?) },
            stored: match stored.split_once('+') {
                Some((rows, body)) => Some(PagePrint { rows: number(rows)?, body: number(body)? }),
                None if stored.is_empty() => None,
                None => return Err(wrong()),
            },
            holes: pairs,
            key: PageKey::from_text(key)?,
        })
    }
}
