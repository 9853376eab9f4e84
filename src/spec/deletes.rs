//! What becomes of a table's rows that are gone at the source.

/// What becomes of rows that are gone at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deletes {
    /// They go.
    #[default]
    Remove,
    /// They stay, with the moment since which they are gone, in a column of this name: [`DELETED_AT`].
    Mark,
}

/// The column that says since when a row is gone.
pub const DELETED_AT: &str = "_deleted_at";
