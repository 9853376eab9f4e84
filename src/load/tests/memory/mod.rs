//! A database in memory that understands the statements that loads send, for tests without DuckDB.
//!
//! Statements are parsed, never compared as texts. One that it does not know fails, and the test with it. Transactions see the state
//! that they began with, and are in each other's way as DuckDB's are. A test can let any statement fail, and see every commit.

mod expr;
mod lists;
mod parse;
mod query;
mod rules;
mod state;
mod statements;
mod values;

pub(crate) use state::{Rule, State};

use self::parse::{parsed, Parsed};
use self::query::no_table;
use self::state::{key_of, TEMP};
use self::statements::Changer;
use crate::columns::Batch;
use crate::lock::lock;
use crate::session::{Database, Session, TableName, Value};
use crate::{Error, ErrorKind, Result};
use sqlparser::ast::Statement;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

/// What kind of database it is.
#[derive(Clone, Debug)]
pub(crate) struct Nature {
    /// The `type` of `duckdb_databases()`.
    pub database_type: &'static str,
    pub is_read_only: bool,
    /// See [`Database::moves_first_rows`].
    pub moves_first_rows: bool,
    /// See [`Session::appends_on_threads`].
    pub appends_on_threads: bool,
    /// See [`Session::is_alone`].
    pub is_alone: bool,
}

impl Default for Nature {
    fn default() -> Nature {
        Nature { database_type: "duckdb", is_read_only: false, moves_first_rows: false, appends_on_threads: false, is_alone: false }
    }
}

/// What became of a statement that would be the next of its transaction: an error that it ends with instead of being run.
pub(crate) type Fault = dyn FnMut(&Transacted) -> Option<Error> + Send;

/// A transaction: the statements that were run in it, a COMMIT among them. An appended batch is `APPEND table rows`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transacted {
    pub statements: Vec<String>,
}

impl Transacted {
    /// Returns whether one of the statements has this text in it.
    pub(crate) fn has(&self, part: &str) -> bool {
        self.statements.iter().any(|statement| statement.contains(part))
    }

    /// Returns whether the last statement, the next to be run, has this text in it.
    pub(crate) fn is_at(&self, part: &str) -> bool {
        self.statements.last().is_some_and(|statement| statement.contains(part))
    }

    /// Returns the place of the last statement that has this text in it.
    pub(crate) fn last_place_of(&self, part: &str) -> Option<usize> {
        self.statements.iter().rposition(|statement| statement.contains(part))
    }

    /// Returns the place of the first statement that has this text in it.
    pub(crate) fn place_of(&self, part: &str) -> usize {
        let place = self.statements.iter().position(|statement| statement.contains(part));
        place.unwrap_or_else(|| panic!("'{part}' is not in {:#?}", self.statements))
    }
}

/// All that was committed, and by what.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub transaction: Transacted,
    pub state: Arc<State>,
}

#[derive(Default)]
struct Shared {
    state: Arc<State>,
    nature: Nature,
    commits: Vec<Commit>,
    /// How many statements were sent.
    n_statements: usize,
    /// The statement from which on nothing is answered, as if the process were gone.
    dies_at: Option<usize>,
    unknown: Vec<String>,
}

/// The database. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct MemoryDatabase {
    shared: Arc<Mutex<Shared>>,
    fault: Arc<Mutex<Option<Box<Fault>>>>,
}

impl MemoryDatabase {
    pub(crate) fn new(nature: Nature) -> MemoryDatabase {
        let database = MemoryDatabase::default();
        lock(&database.shared).nature = nature;
        database
    }

    /// Returns a database with what this one committed, as another process finds it.
    pub(crate) fn reopened(&self) -> MemoryDatabase {
        let shared = lock(&self.shared);
        let database = MemoryDatabase::new(shared.nature.clone());
        lock(&database.shared).state = shared.state.clone();
        database
    }

    /// Lets the process end before that statement is run, counted from 0: nothing is answered from there on.
    pub(crate) fn dies_at(&self, statement: usize) {
        lock(&self.shared).dies_at = Some(statement);
    }

    /// Returns whether the process has ended by [`MemoryDatabase::dies_at`].
    pub(crate) fn is_dead(&self) -> bool {
        let shared = lock(&self.shared);
        shared.dies_at.is_some_and(|at| shared.n_statements > at)
    }

    /// Asks `fault` before each statement from here on, without any lock.
    pub(crate) fn fails(&self, fault: impl FnMut(&Transacted) -> Option<Error> + Send + 'static) {
        *lock(&self.fault) = Some(Box::new(fault));
    }

    pub(crate) fn works_again(&self) {
        *lock(&self.fault) = None;
    }

    /// Returns what is committed.
    pub(crate) fn state(&self) -> Arc<State> {
        lock(&self.shared).state.clone()
    }

    /// Returns every commit that changed something, in order.
    pub(crate) fn commits(&self) -> Vec<Commit> {
        lock(&self.shared).commits.clone()
    }

    /// Returns how many statements were sent.
    pub(crate) fn n_statements(&self) -> usize {
        lock(&self.shared).n_statements
    }

    pub(crate) fn set_nature(&self, change: impl FnOnce(&mut Nature)) {
        change(&mut lock(&self.shared).nature);
    }

    /// Runs statements on a session of their own, as the user would.
    pub(crate) fn run(&self, sql: &str) {
        self.connect().unwrap().execute(sql).unwrap();
    }

    /// Runs statements as the user would, from within a fault: they are not asked about themselves.
    pub(crate) fn aside(&self, sql: &str) {
        MemoryDatabase { shared: self.shared.clone(), fault: Arc::default() }.run(sql);
    }

    /// Returns the rows of a query, each value as it is shown.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.connect().unwrap().query(sql).unwrap();
        rows.iter().map(|row| row.iter().map(state::shown).collect::<Vec<_>>().join("|")).collect()
    }

    /// Returns the statements that the database does not know, which a test has to look at.
    pub(crate) fn unknown(&self) -> Vec<String> {
        lock(&self.shared).unknown.clone()
    }
}

impl Database for MemoryDatabase {
    fn connect(&self) -> Result<Box<dyn Session>> {
        if self.is_dead() {
            return Err(dead());
        }
        Ok(Box::new(MemorySession { database: self.clone(), transaction: None }))
    }

    fn moves_first_rows(&self) -> bool {
        lock(&self.shared).nature.moves_first_rows
    }

    fn interrupt_all(&self) {}

    fn has_external_access(&self) -> Result<bool> {
        if self.is_dead() {
            return Err(dead());
        }
        Ok(true)
    }
}

fn dead() -> Error {
    Error::new(ErrorKind::DatabaseGone, "the process is gone")
}

fn aborted() -> Error {
    Error::of_database(crate::DatabaseErrorType::Transaction, "TransactionContext Error: Current transaction is aborted (please ROLLBACK)")
}

/// What a transaction began with, and what it made of it.
struct Open {
    base: Arc<State>,
    own: State,
    is_aborted: bool,
    transacted: Transacted,
}

impl Open {
    fn begin(database: &MemoryDatabase) -> Open {
        let base = database.state();
        Open { own: State::clone(&base), base, is_aborted: false, transacted: Transacted::default() }
    }
}

pub(crate) struct MemorySession {
    database: MemoryDatabase,
    transaction: Option<Open>,
}

impl MemorySession {
    /// Does `work`, which the text stands for, in the open transaction or in one of its own.
    fn step<T>(&mut self, text: String, work: impl FnOnce(&mut Changer<'_>) -> Result<T>) -> Result<T> {
        let is_own = self.transaction.is_none();
        let mut open = self.transaction.take().unwrap_or_else(|| Open::begin(&self.database));
        let outcome = self.try_step(&mut open, text, work);
        if let Err(err) = &outcome {
            // As in DuckDB, what a statement names and is not there leaves the transaction as it is.
            use crate::DatabaseErrorType::{Binder, Catalog, Parser};
            open.is_aborted |= !matches!(err.database_type(), Some(Binder | Catalog | Parser));
        }
        match (is_own, outcome) {
            (true, Ok(done)) => self.commit(open).map(|()| done),
            (true, Err(err)) => Err(err),
            (false, outcome) => {
                self.transaction = Some(open);
                outcome
            }
        }
    }

    fn try_step<T>(&self, open: &mut Open, text: String, work: impl FnOnce(&mut Changer<'_>) -> Result<T>) -> Result<T> {
        open.transacted.statements.push(text);
        self.sent(&open.transacted)?;
        if open.is_aborted {
            return Err(aborted());
        }
        let nature = lock(&self.database.shared).nature.clone();
        work(&mut Changer { state: &mut open.own, nature: &nature })
    }

    /// Counts a statement. Fails where the test wants it to.
    fn sent(&self, transacted: &Transacted) -> Result<()> {
        {
            let mut shared = lock(&self.database.shared);
            shared.n_statements += 1;
            let number = shared.n_statements;
            if shared.dies_at.is_some_and(|at| number > at) {
                return Err(dead());
            }
        }
        let mut fault = lock(&self.database.fault);
        fault.as_mut().and_then(|fault| fault(transacted)).map_or(Ok(()), Err)
    }

    fn commit(&self, open: Open) -> Result<()> {
        let mut shared = lock(&self.database.shared);
        if open.own.tables.keys().any(|key| key.0 == TEMP) {
            return Err(Error::internal("a temporary table outlives its transaction"));
        }
        let state = shared.state.committed(&open.base, &open.own)?;
        let changed = |a: &State, b: &State| {
            a.views != b.views
                || a.schemas != b.schemas
                || a.tables.len() != b.tables.len()
                || a.tables.iter().any(|(key, table)| !b.tables.get(key).is_some_and(|other| Arc::ptr_eq(table, other)))
        };
        if changed(&open.base, &open.own) {
            shared.state = Arc::new(state);
            let state = shared.state.clone();
            shared.commits.push(Commit { transaction: open.transacted, state });
        }
        Ok(())
    }

    fn run(&mut self, parsed: &Parsed) -> Result<Vec<Vec<Value>>> {
        match &parsed.statement {
            Statement::StartTransaction { .. } => {
                self.sent(&Transacted { statements: vec!["BEGIN".to_string()] })?;
                if self.transaction.is_some() {
                    return Err(Error::internal("a transaction begins within another one"));
                }
                self.transaction = Some(Open::begin(&self.database));
                Ok(Vec::new())
            }
            Statement::Commit { .. } => {
                let mut open = self.transaction.take().ok_or_else(|| Error::internal("there is no transaction to commit"))?;
                open.transacted.statements.push("COMMIT".to_string());
                self.sent(&open.transacted)?;
                if open.is_aborted {
                    Err(aborted())
                } else {
                    self.commit(open).map(|()| Vec::new())
                }
            }
            Statement::Rollback { .. } => {
                self.sent(&Transacted { statements: vec!["ROLLBACK".to_string()] })?;
                self.transaction.take().map(|_| Vec::new()).ok_or_else(aborted)
            }
            statement => self.step(parsed.text.clone(), |changer| changer.run(statement)),
        }
    }

    /// Keeps in mind what the database does not know: code that goes on after an error would hide it.
    fn remembered<T>(&self, outcome: Result<T>) -> Result<T> {
        if let Err(err) = outcome.as_ref().map_err(Error::message).map_err(str::to_string) {
            let is_own = outcome.as_ref().is_err_and(|err| err.kind() == ErrorKind::Internal);
            lock(&self.database.shared).unknown.extend(is_own.then_some(err));
        }
        outcome
    }

    fn run_all(&mut self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let mut rows = Vec::new();
        for parsed in parsed(sql)?.iter() {
            rows = self.run(parsed)?;
        }
        Ok(rows)
    }
}

impl Session for MemorySession {
    fn execute(&mut self, sql: &str) -> Result<()> {
        let outcome = self.run_all(sql).map(|_| ());
        self.remembered(outcome)
    }

    fn query(&mut self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let outcome = self.run_all(sql);
        self.remembered(outcome)
    }

    fn table_names(&mut self, sql: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for parsed in parsed(sql)?.iter() {
            let _ = sqlparser::ast::visit_relations(&parsed.statement, |name| {
                names.push(statements::last_part(name));
                ControlFlow::<()>::Continue(())
            });
        }
        Ok(names)
    }

    fn append(&mut self, table: &TableName, batches: &[Batch]) -> Result<()> {
        let n_rows: usize = batches.iter().map(|batch| batch.n_rows).sum();
        let key = key_of(&table.schema, &table.table);
        let outcome = self.step(format!("APPEND {} {n_rows}", table.table), |changer| {
            let stored = changer.state.tables.get_mut(&key).ok_or_else(|| no_table(table))?;
            let stored = Arc::make_mut(stored);
            for batch in batches {
                let names = batch.schema.columns.iter().map(|column| (column.name.as_str(), column.column_type.sql_name()));
                if !names.eq(stored.columns.iter().map(|column| (column.name.as_str(), column.sql_type.as_str().into()))) {
                    return Err(Error::internal(format!("the rows appended to {table} have other columns: {:?}", batch.schema)));
                }
                stored.add(values::rows_of(batch)?);
            }
            rules::check(stored)
        });
        self.remembered(outcome)
    }

    fn appends_on_threads(&mut self) -> bool {
        lock(&self.database.shared).nature.appends_on_threads
    }

    fn column_comments(&mut self, table: &TableName) -> Result<Vec<(String, String)>> {
        if self.transaction.is_none() {
            return self.remembered(Err(Error::internal("comments are read within a transaction")));
        }
        let key = key_of(&table.schema, &table.table);
        self.step(format!("COMMENTS {}", table.table), |changer| {
            let columns = changer.state.tables.get(&key).map(|table| table.columns.clone()).unwrap_or_default();
            Ok(columns.into_iter().filter_map(|column| Some((column.name, column.comment?))).collect())
        })
    }

    fn is_alone(&mut self) -> Result<bool> {
        Ok(lock(&self.database.shared).nature.is_alone)
    }
}
