//! One try of a request, as it is judged.

use crate::source::Headers;

/// The circumstances that pure code is given: how late it is, and a roll of the dice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub now: f64,
    /// From 0 up to 1, evenly distributed.
    pub random: f64,
}

/// One try of a request: what verdicts depend on besides the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attempt {
    /// Tries so far, this one included.
    pub number: u32,
    /// Whether the parameter set came from a parent query.
    pub from_parent: bool,
    /// Whether it asks for a page that may lie after the last one.
    pub may_be_past_end: bool,
    pub moment: Moment,
}

/// An answer as it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    pub status: u16,
    pub headers: &'a Headers,
    pub body: &'a [u8],
}
