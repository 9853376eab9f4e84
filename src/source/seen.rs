//! What a source sees of an answer.

use super::Headers;
use crate::document::Node;
use url::Url;

/// An answer whose body was parsed.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub headers: &'a Headers,
    /// Where the answer came from: what relative links refer to.
    pub url: &'a Url,
    /// The body's outermost value.
    pub root: Node<'a>,
    /// The last of the records, where there is one and the paging looks at it.
    pub last_row: Option<Node<'a>>,
}
