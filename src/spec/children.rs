//! Tables that are filled from lists inside the records of another table.

use super::{AdapterSpec, TableDef};

/// How a table is filled from a list inside each record of its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildDef {
    /// The table whose load fills this one.
    pub parent: String,
    /// Keys from the parent's record down to the list.
    pub path: Vec<String>,
    /// Columns of this table, and the keys from the parent's record down to their values.
    pub copy: Vec<(String, Vec<String>)>,
    /// The columns of this table that hold the parent's key; empty where the parent has none, or the copies lack a part of it.
    pub parent_key: Vec<String>,
    /// Whether the list is a column of the parent, too.
    pub keep: bool,
}

impl AdapterSpec {
    /// Returns the tables that the load of a table fills besides, in the order of the spec.
    pub fn children_of(&self, parent: &str) -> Vec<&TableDef> {
        let is_child = |child_def: &ChildDef| child_def.parent.eq_ignore_ascii_case(parent);
        self.tables.iter().filter(|table_def| table_def.child.as_ref().is_some_and(is_child)).collect()
    }
}

impl TableDef {
    /// Returns the table whose load fills this one: itself, or the one in whose records its lists are.
    pub fn filler(&self) -> &str {
        self.child.as_ref().map_or(&self.name, |child_def| &child_def.parent)
    }
}
