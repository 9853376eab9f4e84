//! Names of pages: what distinguishes one request of a resource from the next, with a text form for resumption.

use crate::document::{JsonMap, JsonValue};
use crate::{Error, Result};
use url::Url;

/// A token as an answer has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Token {
    /// The text of a text, and the JSON of anything else.
    text: String,
    is_json: bool,
}

impl Token {
    /// Returns the token that a number or a list is; `json` has it.
    pub fn of_json(json: String) -> Token {
        Token { text: json, is_json: true }
    }

    /// Returns the token as a param has it.
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// Returns the token as JSON has it.
    pub fn to_json(&self) -> JsonValue {
        let text = || JsonValue::String(self.text.clone());
        if self.is_json {
            self.text.parse().unwrap_or_else(|_| text())
        } else {
            text()
        }
    }

    fn from_json(value: JsonValue) -> Token {
        match value {
            JsonValue::String(text) => Token { text, is_json: false },
            value => Token::of_json(value.to_string()),
        }
    }
}

impl<T: Into<String>> From<T> for Token {
    fn from(text: T) -> Token {
        Token { text: text.into(), is_json: false }
    }
}

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
    Token(Option<Token>),
    /// Params that an answer gave, with their names; none: the first page.
    Params(Vec<(String, Token)>),
    /// Absolute URL.
    Link(String),
    /// One of the others, where pages are counted besides.
    Numbered {
        number: u64,
        key: Box<PageKey>,
    },
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
            PageKey::Token(Some(Token { text, is_json: false })) => format!("token:{text}"),
            PageKey::Token(Some(Token { text, is_json: true })) => format!("json:{text}"),
            PageKey::Params(params) => {
                let entries: JsonMap<String, JsonValue> = params.iter().map(|(name, token)| (name.clone(), token.to_json())).collect();
                format!("params:{}", JsonValue::Object(entries))
            }
            PageKey::Link(link) => format!("link:{link}"),
            PageKey::Numbered { number, key } => format!("nr:{number}:{}", key.to_text()),
        }
    }

    /// Reads what [`PageKey::to_text`] wrote. Fails on anything else.
    pub fn from_text(text: &str) -> Result<PageKey> {
        let wrong = || Error::data(format!("'{text}' is not a position to resume from; reload the table"));
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| wrong());
        match text.split_once(':') {
            None if text == "only" => Ok(PageKey::Only),
            None if text == "token" => Ok(PageKey::Token(None)),
            Some(("page", page)) => Ok(PageKey::Page(number(page)?)),
            Some(("offset", offset)) => match offset.split_once('+') {
                None => Ok(PageKey::Offset { offset: number(offset)?, limit: None }),
                Some((offset, limit)) => Ok(PageKey::Offset { offset: number(offset)?, limit: Some(number(limit)?) }),
            },
            Some(("token", token)) => Ok(PageKey::Token(Some(token.into()))),
            Some(("json", json)) => Ok(PageKey::Token(Some(Token::of_json(json.to_string())))),
            Some(("params", json)) => match json.parse() {
                Ok(JsonValue::Object(entries)) => {
                    Ok(PageKey::Params(entries.into_iter().map(|(name, value)| (name, Token::from_json(value))).collect()))
                }
                _ => Err(wrong()),
            },
            Some(("link", link)) => Ok(PageKey::Link(link.to_string())),
            Some(("nr", rest)) => {
                let (digits, key) = rest.split_once(':').filter(|(_, key)| !key.starts_with("nr:")).ok_or_else(wrong)?;
                Ok(PageKey::Numbered { number: number(digits)?, key: Box::new(PageKey::from_text(key)?) })
            }
            _ => Err(wrong()),
        }
    }

    /// Returns the key without its number.
    pub fn unnumbered(&self) -> &PageKey {
        match self {
            PageKey::Numbered { key, .. } => key,
            key => key,
        }
    }

    /// Returns the key that an answer gave, as that of the page after `before`: with a number, where that has one.
    pub fn after(self, before: &PageKey) -> PageKey {
        match before {
            PageKey::Numbered { number, .. } => PageKey::Numbered { number: number.saturating_add(1), key: Box::new(self) },
            _ => self,
        }
    }

    /// Returns whether an answer led to the page: it said that the page is there.
    pub fn is_announced(&self) -> bool {
        match self {
            PageKey::Token(Some(_)) | PageKey::Link(_) => true,
            PageKey::Params(params) => !params.is_empty(),
            PageKey::Numbered { key, .. } => key.is_announced(),
            PageKey::Only | PageKey::Token(None) | PageKey::Page(_) | PageKey::Offset { .. } => false,
        }
    }

    /// Returns whether only a part of a page is wanted.
    pub fn is_part(&self) -> bool {
        matches!(self, PageKey::Offset { limit: Some(_), .. })
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
            PageKey::Params(params) if params.is_empty() => "the first page".to_string(),
            PageKey::Params(_) => "later params".to_string(),
            PageKey::Page(page) => format!("page {page}"),
            PageKey::Offset { offset, .. } => format!("offset {offset}"),
            PageKey::Token(Some(_)) => "a later token".to_string(),
            PageKey::Link(_) => "a later link".to_string(),
            PageKey::Numbered { number, .. } => format!("page {number}"),
        }
    }
}

/// A page to ask for, and its position among the pages of its resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PagePosition {
    pub ordinal: u64,
    pub key: PageKey,
}
