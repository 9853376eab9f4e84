//! What users type: functions, and the statements that turn into calls of them.

mod function;

pub use function::{Arguments, Bound, BoundCall, FunctionDef, Instance, ParameterDef, ParameterType, StatementContext, TableFunction};
