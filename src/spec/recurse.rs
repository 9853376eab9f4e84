//! Tables whose rows say what else is to be asked for: folders in folders, blocks in blocks.

use super::ParentQuery;

/// How a table goes on below its own rows: each level of rows gives the parameter sets of the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurseDef {
    /// The names of the param that leads down, as the query's columns have them.
    pub names: Vec<String>,
    /// A query over the rows of one level, which stand under the table's own name.
    pub query: ParentQuery,
    /// The most levels below the first one.
    pub max_depth: u64,
}
