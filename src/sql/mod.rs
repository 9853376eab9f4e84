//! What users type: functions, and the statements that turn into calls of them.

mod caret;
mod commands;
mod copy;
mod discovery;
mod function;
mod grammar;
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
mod terms;
mod waiting;

pub use commands::DEFINITIONS;
pub use copy::{bind_copy, BoundCopy, CopyArguments, COPY_FORMAT, COPY_STATEMENT};
pub use function::{
    Arguments, Bind, Bound, BoundCall, FunctionDef, Instance, ParameterDef, ParameterType, Seen, StatementContext, Step, UserSession,
    WaitingCall, Work,
};
pub use grammar::joined;
pub use parse::{mistake_in, parse_statement, ParsedStatement};
pub use relation::target_catalog;
pub use replacement::{replacement_sql, Asking};
pub use statement::{Definitions, HostStatementDef, StatementDef, Topic};
