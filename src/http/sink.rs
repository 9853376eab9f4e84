//! Takes the body of an answer while it arrives, so that it never stands in memory as a whole.

use crate::source::Headers;
use crate::Result;
use std::future::Future;
use std::pin::Pin;

/// The taking of a piece, which may wait.
pub type Taking<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Takes bodies in pieces. A request may be tried several times: each try begins a body anew.
pub trait BodySink: Send + Sync {
    /// Begins a body that came with these headers. Returns whether it is taken: else it is read as a whole.
    fn begin(&self, headers: &Headers) -> bool;

    /// Takes the next piece. Waits until there is memory for it. Fails when the body is not what was expected.
    fn take<'a>(&'a self, piece: &'a [u8]) -> Taking<'a>;
}
