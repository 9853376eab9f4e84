//! The shape of a table function: its definition, its arguments, and what a call of it is.

use crate::columns::{Batch, TableSchema};
use crate::load::{Awaited, Loader};
use crate::session::{Database, Settings, TableName, Value};
use crate::{Error, Result};
use std::sync::Arc;

/// What one database instance has: everything a statement works with.
pub struct Instance {
    pub catalog: Arc<crate::catalog::Catalog>,
    pub loader: Loader,
    pub database: Arc<dyn Database>,
}

/// The statement a function is called in.
pub struct StatementContext<'a> {
    pub instance: &'a Instance,
    pub settings: Settings,
    /// The attached database that connections' schemas are in: the one setting `unify_target` names, else the current one of the user's
    /// session. An error when that is not attached, which only matters to who works with the tables.
    pub catalog: Result<String>,
    /// The session of the user who runs the statement.
    pub user: &'a dyn UserSession,
    /// Number of the user's session in the database instance.
    pub session: u64,
    /// Whether the user interrupted the statement.
    pub interrupted: &'a dyn Fn() -> bool,
    /// Whether DuckDB draws a progress bar of its own for the statement.
    pub has_progress_bar: bool,
}

/// What only the user's session knows, while a statement of it is bound or runs.
pub trait UserSession {
    /// Returns what the user made the search path: schemas, each with its database where one was named.
    fn search_path(&self) -> Vec<(Option<String>, String)>;

    /// Returns whether the statement sees a table or view of that full name.
    fn look_up(&self, name: &TableName) -> Seen;
}

/// What a statement sees under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// No table or view.
    Nothing,
    /// One that only this session sees: it is temporary, or the open transaction made or changed it.
    ByItAlone,
    /// One that every session sees.
    ByAll,
    /// The kind of database cannot be asked.
    Unknown,
}

impl StatementContext<'_> {
    /// Returns the attached database that connections' schemas are in. Fails when setting `unify_target` names one that is not attached.
    pub fn catalog(&self) -> Result<&str> {
        self.catalog.as_deref().map_err(Clone::clone)
    }

    /// Returns whether connections' schemas are in the attached database of that name.
    pub fn is_catalog(&self, name: &str) -> bool {
        self.catalog().is_ok_and(|catalog| catalog.eq_ignore_ascii_case(name))
    }
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    Varchar,
    BigInt,
    Boolean,
    /// A map of texts to texts, which may be null. DuckDB casts maps of other types, and structs, to it.
    Map,
    /// A list of texts.
    Texts,
}

impl ParameterType {
    /// Returns the type's name in SQL.
    pub fn sql_name(self) -> &'static str {
        match self {
            ParameterType::Varchar => "VARCHAR",
            ParameterType::BigInt => "BIGINT",
            ParameterType::Boolean => "BOOLEAN",
            ParameterType::Map => "MAP(VARCHAR, VARCHAR)",
            ParameterType::Texts => "VARCHAR[]",
        }
    }
}

/// A parameter of a function.
#[derive(Debug, Clone, Copy)]
pub struct ParameterDef {
    pub name: &'static str,
    pub parameter_type: ParameterType,
}

impl ParameterDef {
    /// Returns the argument that sets a flag: `background := true`.
    pub(super) fn set(&self) -> String {
        format!("{} := true", self.name)
    }
}

/// A table function: what HELP, the docs and DuckDB see of it, and what it does.
#[derive(Debug, Clone, Copy)]
pub struct FunctionDef {
    pub name: &'static str,
    pub description: &'static str,
    pub example: &'static str,
    /// Parameters by position.
    pub positional: &'static [ParameterDef],
    /// Whether the last of them may be left out.
    pub has_optional: bool,
    /// Parameters by name, all optional.
    pub named: &'static [ParameterDef],
    /// Whether a call's text may hold secrets, so that no error may show it.
    pub hides_its_text: bool,
    /// Checks the arguments and decides the columns. Called while DuckDB binds the statement.
    pub bind: Bind,
}

/// What binds a call.
pub type Bind = fn(&Arguments, &StatementContext<'_>) -> Result<Bound>;

impl FunctionDef {
    /// Returns a function without parameters, whose name and descriptions are to be filled in.
    pub const fn calling(bind: Bind) -> FunctionDef {
        let (name, description, example) = ("", "", "");
        FunctionDef { name, description, example, positional: &[], has_optional: false, named: &[], hides_its_text: false, bind }
    }

    /// Returns how a call is written: `unify_load(table [, background := BOOLEAN])`.
    pub fn usage(&self) -> String {
        let mut usage = String::new();
        let n_needed = self.positional.len() - usize::from(self.has_optional);
        let parameters = self.positional.iter().map(|parameter| parameter.name.to_string());
        let named = self.named.iter().map(|parameter| format!("{} := {}", parameter.name, parameter.parameter_type.sql_name()));
        for (idx, parameter) in parameters.chain(named).enumerate() {
            usage += match (idx, idx < n_needed) {
                (0, true) => "",
                (0, false) => "[",
                (_, true) => ", ",
                (_, false) => " [, ",
            };
            usage += &parameter;
            if idx >= n_needed {
                usage.push(']');
            }
        }
        format!("{}({usage})", self.name)
    }
}

/// The arguments of one call.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    pub positional: Vec<Value>,
    pub named: Vec<(String, Value)>,
}

impl Arguments {
    /// Returns the text of the positional argument `idx`, which `name` names in the message when it is null or missing.
    pub fn text(&self, idx: usize, name: &str) -> Result<&str> {
        match self.positional.get(idx) {
            Some(Value::Text(text)) => Ok(text),
            None | Some(Value::Null) => Err(Error::config(format!("argument '{name}' is NULL or missing; expected a text"))),
            Some(_) => Err(Error::config(format!("argument '{name}' is not a text; expected a text"))),
        }
    }

    /// Returns the text of the positional argument `idx`, `None` when it is null or missing.
    pub fn optional_text(&self, idx: usize, name: &str) -> Result<Option<&str>> {
        self.is_given(idx).then(|| self.text(idx, name)).transpose()
    }

    /// Returns the whole number of the positional argument `idx`, `None` when it is null or missing.
    pub fn optional_integer(&self, idx: usize, name: &str) -> Result<Option<i64>> {
        self.is_given(idx).then(|| self.integer(idx, name)).transpose()
    }

    /// Returns whether the positional argument `idx` is there and not null.
    fn is_given(&self, idx: usize) -> bool {
        !matches!(self.positional.get(idx), None | Some(Value::Null))
    }

    /// Returns the whole number of the positional argument `idx`, which `name` names in the message when it is null or missing.
    pub fn integer(&self, idx: usize, name: &str) -> Result<i64> {
        let number = self.positional.get(idx).and_then(Value::as_integer).and_then(|number| i64::try_from(number).ok());
        number.ok_or_else(|| Error::config(format!("argument '{name}' is NULL, missing or not a number; expected a whole number")))
    }

    fn named_value(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns whether a named argument is given and true.
    pub fn named_flag(&self, name: &str) -> Result<bool> {
        match self.named_value(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Boolean(flag)) => Ok(*flag),
            Some(_) => Err(Error::config(format!("argument '{name}' is not a boolean; expected true or false"))),
        }
    }

    /// Returns the entries of a named argument that is a map, in order; none when it is not given.
    pub fn named_map(&self, name: &str) -> Result<&[(String, Option<String>)]> {
        match self.named_value(name) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Map(entries)) => Ok(entries),
            Some(_) => {
                Err(Error::config(format!("argument '{name}' is not a map; expected a map of texts, such as MAP {{'name': 'value'}}")))
            }
        }
    }

    /// Returns the texts of a named argument that is a list; none when it is not given.
    pub fn named_texts(&self, name: &str) -> Result<&[String]> {
        match self.named_value(name) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Texts(texts)) => Ok(texts),
            Some(_) => Err(Error::config(format!("argument '{name}' is not a list of texts; expected a list such as ['a', 'b']"))),
        }
    }

    /// Returns the text of a named argument that is given and not null.
    pub fn named_text(&self, name: &str) -> Result<Option<&str>> {
        match self.named_value(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Error::config(format!("argument '{name}' is not a text; expected a text"))),
        }
    }
}

/// What a bound call yields.
pub enum Bound {
    /// Rows Unify makes itself.
    Rows(Box<dyn BoundCall>),
    /// Rows Unify makes itself when what they tell of is there: jobs that ended, answers of an API.
    Waiting(Box<dyn WaitingCall>),
    /// The rows of a table or view that exists now, or of a query: what stands behind FROM.
    Scan(String),
}

/// A bound call whose rows Unify makes.
pub trait BoundCall: Send + Sync {
    /// Returns the columns.
    fn schema(&self) -> &TableSchema;

    /// Does the work and returns the rows. Called once for each execution of the statement.
    fn run(&self, ctx: &StatementContext<'_>) -> Result<Vec<Batch>>;
}

/// A bound call that waits. Meanwhile DuckDB asks how far it is, and whether the user interrupted.
pub trait WaitingCall: Send + Sync {
    /// Returns the columns.
    fn schema(&self) -> &TableSchema;

    /// Begins the work of one execution of the statement.
    fn start(&self, ctx: &StatementContext<'_>) -> Result<Box<dyn Work>>;

    /// Returns how far the work is, in percent; `None` when unknown.
    fn progress(&self) -> Option<f64>;
}

/// The work of one execution, done in steps.
pub trait Work: Send {
    /// Goes on until there is something to wait for, or the rows are there. Waits for nothing itself.
    fn step(&mut self, ctx: &StatementContext<'_>) -> Result<Step>;
}

/// What a step of some work came to.
pub enum Step {
    /// The work is done when these are handed on.
    Rows(Vec<Batch>),
    /// The next step is due when these are handed on and the statement wants more.
    More(Batch),
    /// The next step is due when this has ended, and now and then before that.
    Waits(Arc<dyn Awaited>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_by_its_name() {
        let entries = vec![("a".to_string(), Some("1".to_string())), ("b".to_string(), None)];
        let named = vec![("params".to_string(), Value::Map(entries.clone())), ("nothing".to_string(), Value::Null)];
        let arguments = Arguments { positional: Vec::new(), named };
        assert_eq!(arguments.named_map("Params").unwrap(), entries);
        assert!(arguments.named_map("nothing").unwrap().is_empty() && arguments.named_map("other").unwrap().is_empty());
        let wrong = Arguments { named: vec![("params".to_string(), Value::Integer(1))], ..Arguments::default() };
        assert!(wrong.named_map("params").unwrap_err().message().contains("expected a map of texts"));
    }
}
