//! Where an answer has the token of the next page.

use super::next_at::NextAt;
use crate::document::{quoted, JsonPath};
use crate::source::{Seen, Token};
use crate::yaml::{Fields, Node};
use crate::{Error, Result};

/// Where an answer has the token of the next page.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Path(JsonPath),
    Header(String),
    /// In the last record: the next page has what comes after it.
    LastRow(JsonPath),
}

impl Told {
    /// The keys of a spec, of which it has one.
    pub const KEYS: [&'static str; 3] = ["pager_token_path", "pager_token_header", "last_row"];

    /// Reads the keys.
    pub fn parse(fields: &Fields<'_>) -> Vec<Told> {
        let told = [
            fields.json_path("pager_token_path").map(Told::Path),
            fields.text("pager_token_header").map(Told::Header),
            fields.json_path("last_row").map(Told::LastRow),
        ];
        told.into_iter().flatten().collect()
    }

    /// Reads one of several tokens: a JSONPath, or a mapping with `path`, `header` or `last_row`.
    pub fn parse_one(node: &Node, place: &str, fields: &Fields<'_>) -> Option<Told> {
        let mistakes = fields.mistakes();
        if let Some(text) = node.text() {
            let path = JsonPath::parse(text).map_err(|err| mistakes.at(node, format!("{place}: {err}")));
            return path.ok().map(Told::Path);
        }
        let fields = Fields::of(node, place, &["path", "header", "last_row"], mistakes)?;
        let told = [
            fields.json_path("path").map(Told::Path),
            fields.text("header").map(Told::Header),
            fields.json_path("last_row").map(Told::LastRow),
        ];
        let mut told = told.into_iter().flatten();
        let one = told.next();
        if one.is_none() || told.next().is_some() {
            mistakes.at(node, format!("{place} needs one of 'path', 'header' and 'last_row'"));
        }
        one
    }

    /// Returns whether it looks at the last record.
    pub fn needs_last_row(&self) -> bool {
        matches!(self, Told::LastRow(_))
    }

    /// Returns the token; `None`: the answer has none. `in_hole`: it goes to a hole, which takes lists and objects, too.
    pub fn read(&self, seen: &Seen<'_>, in_hole: bool) -> Result<Option<Token>> {
        let next = match self {
            Told::Path(path) => path.find(seen.root, NextAt::of),
            Told::Header(name) => seen.headers.get(name).map(str::trim).map(|text| match text {
                "" => NextAt::End,
                text => NextAt::Text(text.to_string()),
            }),
            Told::LastRow(path) => match seen.last_row.map(|row| path.find(row, NextAt::of).unwrap_or(NextAt::End)) {
                Some(NextAt::End) => {
                    return Err(Error::api(format!("the last record has no value at '{}'; check 'last_row'", path.as_text())))
                }
                next => next,
            },
        };
        let next = next.unwrap_or(NextAt::End);
        let token = if in_hole { next.token_for_hole() } else { next.token() };
        token.map_err(|kind| self.wrong(kind))
    }

    /// Returns the key of a spec that says so.
    pub fn key(&self) -> &'static str {
        match self {
            Told::Path(_) => "pager_token_path",
            Told::Header(_) => "pager_token_header",
            Told::LastRow(_) => "last_row",
        }
    }

    fn wrong(&self, kind: &str) -> Error {
        let place = match self {
            Told::Path(path) | Told::LastRow(path) => path.as_text(),
            Told::Header(name) => name.as_str(),
        };
        let key = self.key();
        Error::api(format!("the next page's token at '{place}' is {kind}; expected a text or a number; check '{key}'"))
    }

    /// Returns its part of the text of a strategy.
    pub fn identity(&self) -> String {
        match self {
            Told::Path(path) => quoted(path.as_text()),
            Told::Header(name) => format!("header {}", quoted(&name.to_lowercase())),
            Told::LastRow(path) => format!("last row {}", quoted(path.as_text())),
        }
    }
}
