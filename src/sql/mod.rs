//! What users type: functions, and the statements that turn into calls of them.

mod caret;
mod commands;
mod copy;
mod function;
mod help;
mod literal;
mod name;
mod native;
mod parse;
mod relation;
mod replacement;
mod rows;
mod search_path;
mod statement;
mod waiting;

pub use commands::{functions, statements};
pub use copy::{bind_copy, BoundCopy, CopyArguments, COPY_FORMAT, COPY_STATEMENT};
pub use function::{
    Arguments, Bound, BoundCall, FunctionDef, Instance, ParameterDef, ParameterType, Seen, StatementContext, Step, TableFunction,
    UserSession, WaitingCall, Work,
};
pub use parse::{joined, mistake_in, parse_statement, ParsedStatement};
pub use relation::target_catalog;
pub use replacement::replacement_sql;
pub use statement::{HostStatementDef, StatementDef, Topic};
