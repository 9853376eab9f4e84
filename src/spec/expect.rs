//! What a loaded table must be like before it takes the place of the one there is.

/// What must hold of all rows of a load. What is not named need not hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expect {
    pub min_rows: Option<u64>,
    /// The greatest part of the rows there were that may be gone, from 0 to 1.
    pub max_drop: Option<f64>,
    /// Columns without nulls.
    pub not_null: Vec<String>,
    pub unique: Option<Unique>,
}

/// What no two rows have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unique {
    /// The table's key, where it has one.
    Key,
    Columns(Vec<String>),
}

impl Expect {
    /// Returns what holds where `other` says what this leaves open.
    #[must_use]
    pub fn or(&self, other: &Expect) -> Expect {
        let not_null = if self.not_null.is_empty() { &other.not_null } else { &self.not_null };
        Expect {
            min_rows: self.min_rows.or(other.min_rows),
            max_drop: self.max_drop.or(other.max_drop),
            not_null: not_null.clone(),
            unique: self.unique.clone().or_else(|| other.unique.clone()),
        }
    }
}
