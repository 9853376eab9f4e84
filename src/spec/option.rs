//! An option of a connection, as a spec describes it.

/// An option a connection may set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionSpec {
    pub name: String,
    pub description: Option<String>,
    pub default: Option<String>,
    pub required: bool,
    /// Secret options are redacted wherever they could be printed.
    pub secret: bool,
}
