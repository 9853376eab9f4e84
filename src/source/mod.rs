//! What to ask an API next, decided from what it answered: state machines without sockets or clocks.

mod capture;
mod files;
mod headers;
mod job;
mod key;
mod link;
mod more;
mod next;
mod page;
pub mod paging;
mod point;
mod seen;
mod values;

pub use capture::{Capture, Captures};
pub use files::Files;
pub use headers::Headers;
pub use job::{Captured, CreatedJob};
pub use key::{PageKey, PagePosition, Token};
pub use link::{links_of, Link};
pub use more::Signs;
pub use next::{Next, Source};
pub use page::{PageFacts, PageFailure, PageRows, PageVerdict, Vanished, Vanishing};
pub use paging::Paging;
pub use point::{Amount, Hole, PagePrint, ResumePoint, Shrink};
pub use seen::Seen;
pub use values::{PagePart, PageValues};
