//! What stands where an answer names the next page.

use crate::document::{Node, View};
use crate::source::Token;

/// What stands where an answer names the next page.
pub enum NextAt {
    /// Nothing, null, an empty text or false: there is none.
    End,
    Text(String),
    Number(String),
    /// A list of texts and numbers, or an object, as JSON; and which of the two.
    Structure(String, &'static str),
    /// Something of this kind, which names no page.
    Other(&'static str),
}

impl NextAt {
    /// Returns what a value is there.
    pub fn of(node: Node<'_>) -> NextAt {
        match node.view() {
            View::Null | View::Boolean(false) => NextAt::End,
            View::Text("") => NextAt::End,
            View::Text(text) => NextAt::Text(text.to_string()),
            View::Integer(_) | View::BigNumber(_) | View::Double(_) => NextAt::Number(node.to_json()),
            View::Array(elements) if !elements.is_empty() && elements.clone().all(|element| is_scalar(element)) => {
                NextAt::Structure(node.to_json(), "a list")
            }
            View::Object(entries) if entries.clone().next().is_some() => NextAt::Structure(node.to_json(), "an object"),
            view => NextAt::Other(view.kind()),
        }
    }

    /// Returns the token where it goes to a hole, which takes lists and objects, too; `Err` is what else it is.
    pub fn token_for_hole(self) -> std::result::Result<Option<Token>, &'static str> {
        match self {
            NextAt::Structure(json, _) => Ok(Some(Token::of_json(json))),
            next => next.token(),
        }
    }

    /// Returns the token; `Err` is what else it is.
    pub fn token(self) -> std::result::Result<Option<Token>, &'static str> {
        match self {
            NextAt::End => Ok(None),
            NextAt::Text(text) => Ok(Some(text.into())),
            NextAt::Number(json) => Ok(Some(Token::of_json(json))),
            NextAt::Structure(_, kind) | NextAt::Other(kind) => Err(kind),
        }
    }
}

fn is_scalar(node: Node<'_>) -> bool {
    !matches!(node.view(), View::Array(_) | View::Object(_))
}

/// Returns a link for a message that is redacted later: whole, since a part of a secret would not be found, or not at all.
pub fn shown(link: &str) -> String {
    /// Most bytes of a link in a message.
    const MOST: usize = 300;
    if link.len() > MOST {
        String::new()
    } else {
        format!(" ('{link}')")
    }
}
