//! Whether the staging table of a load is there, and with which columns.

use crate::columns::TableSchema;

/// The staging table of a load. Each state has the columns that the rows so far need.
#[derive(Debug, Clone, PartialEq)]
pub enum StagingTable {
    /// Neither it nor the note of the load is there.
    Absent(TableSchema),
    /// `load_state` has the note of the load. Rows without columns, or none, need no table.
    Noted(TableSchema),
    /// It is there, with these columns.
    Made(TableSchema),
}

impl StagingTable {
    /// Returns what there is after a transaction that notes the load, and makes the table where it has columns.
    pub fn prepared(schema: TableSchema) -> StagingTable {
        match schema.columns.is_empty() {
            true => StagingTable::Noted(schema),
            false => StagingTable::Made(schema),
        }
    }

    /// Returns the columns that the rows so far need.
    pub fn schema(&self) -> &TableSchema {
        match self {
            StagingTable::Absent(schema) | StagingTable::Noted(schema) | StagingTable::Made(schema) => schema,
        }
    }

    /// Returns whether `load_state` has the note of the load.
    pub fn is_noted(&self) -> bool {
        !matches!(self, StagingTable::Absent(_))
    }

    /// Returns the columns of the table, where it is there.
    pub fn made(&self) -> Option<&TableSchema> {
        match self {
            StagingTable::Made(schema) => Some(schema),
            StagingTable::Absent(_) | StagingTable::Noted(_) => None,
        }
    }
}

impl Default for StagingTable {
    fn default() -> StagingTable {
        StagingTable::Absent(TableSchema::default())
    }
}
