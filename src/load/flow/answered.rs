//! A request for a page, and what it came to.

use crate::http::{PageBody, Request};
use crate::source::PagePosition;

/// The answer to a request for a page.
pub(super) struct Answered {
    pub request: Request,
    pub page: PageBody,
}

/// A request for a page, and which one that is.
pub(super) struct Asked<'a> {
    pub request: Request,
    pub position: &'a PagePosition,
    /// Whether an earlier load has rows of the set.
    pub is_resumed: bool,
}

/// What one request for a page came to.
pub(super) enum RequestOutcome {
    Page(Box<Answered>),
    /// The answer has no rows, and that is not an error.
    Empty,
    /// The parameter set is left out.
    Skip,
}
