//! A way to authenticate that an API has.

/// One way to authenticate, as lines of the spec, and the options it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    pub lines: Vec<String>,
    pub options: Vec<String>,
    pub doubt: Option<String>,
    /// Headers that it sends.
    pub headers: Vec<String>,
}
