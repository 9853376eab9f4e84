//! What users type: functions, and the statements that turn into calls of them.
//!
//! # Statements
//!
//! A statement of ours, such as `REFRESH TABLE github.repos`, reaches us because DuckDB cannot parse it. One grammar turns it into a
//! call of a function, `unify_refresh('github.repos')`, and the function does the work. Each statement is defined once, with its
//! syntax, description, function and arguments, and each function with its parameters and what binds a call. The parser, `HELP` and the
//! reference read these definitions.
//!
//! DuckDB draws carets at places in a script. It does not tell where in the script a statement of ours begins, so we draw our own. 1.5
//! hands over the statement's text. 2.0 hands over tokens without places and comments, which are the same for different texts. So in
//! 2.0 a mistake is told when the statement is planned, where its text is known. When it is planned without being run, the mistake is
//! shown in the text of its tokens.
//!
//! `LOAD`, `REFRESH`, `RELOAD` and `WAIT FOR JOB` wait in steps. Between the steps the function tells DuckDB that it is blocked. So
//! DuckDB can ask how far the job is, obey an interrupt, and run other parts of the statement. Either DuckDB or the wait notices an
//! interrupt first. In both cases the error says what goes on.

mod caret;
mod commands;
mod copy;
mod cut;
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
pub use cut::{check_end, explained, may_be_cut, parse_cut};
pub use function::{
    Arguments, Bind, Bound, BoundCall, FunctionDef, Instance, ParameterDef, ParameterType, Seen, StatementContext, Step, UserSession,
    WaitingCall, Work,
};
pub use grammar::joined;
pub use parse::{mistake_in, parse_statement, ParsedStatement};
pub use relation::target_catalog;
pub use replacement::{replacement_sql, Asking};
pub use statement::{Definitions, HostStatementDef, StatementDef, Topic};
