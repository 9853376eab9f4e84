//! Sessions on the host's database: [`Database`] and [`Session`] over the C API.

use super::comments::column_comments;
use super::connection::Connection;
use super::entry::Catalog;
use super::feed::feed;
use super::host::{done, Bridge};
use super::own::OwnStatement;
use super::result::{QueryResult, Rows};
use super::row_groups::feed_row_groups;
use super::signals::block_sigpipe;
use super::text::c_string;
use crate::columns::{Batch, ColumnType};
use crate::lock::lock;
use crate::session::{quote_ident, Database, Found, HeldBatch, Interrupter, RowSource, Session, TableName, Value};
use crate::spec::ScalarType;
use crate::{Error, ErrorKind, Result};
use libduckdb_sys::{duckdb_connection, duckdb_database, duckdb_interrupt};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};

/// The database, held weakly: it closes when the user closes it.
pub struct HostDatabase {
    shared: Arc<Shared>,
}

/// What the sessions on a database share.
struct Shared {
    bridge: &'static Bridge,
    weak: *mut c_void,
    /// The connections of the sessions that are open now, so that another thread can interrupt them.
    open: Mutex<Vec<OpenSession>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct OpenSession(duckdb_connection);

// SAFETY: the pointer is only compared, and passed to duckdb_interrupt, which any thread may call while the connection is open.
unsafe impl Send for OpenSession {}
// SAFETY: as above.
unsafe impl Sync for OpenSession {}

// SAFETY: the weak pointer is only locked, counted and freed, all of which are thread-safe on the C++ side.
unsafe impl Send for Shared {}
// SAFETY: as above; locking takes the pointer by value.
unsafe impl Sync for Shared {}

impl HostDatabase {
    /// Makes a weak reference to a database.
    pub fn new(bridge: &'static Bridge, database: &DatabaseLease) -> Result<HostDatabase> {
        // SAFETY: the database is open for the length of the call.
        let weak = unsafe { (bridge.weak)(database.as_ptr()) };
        done(!weak.is_null(), "refer to the database")?;
        Ok(HostDatabase { shared: Arc::new(Shared { bridge, weak, open: Mutex::default() }) })
    }

    /// Returns what DuckDB finds wrong with a text that has no statement of ours; `None` when it parses, or nobody can be asked.
    pub fn syntax_error(&self, text: &str) -> Option<String> {
        self.connection().ok()?.syntax_error(text)
    }

    /// Opens a session of the host's own type.
    pub fn session(&self) -> Result<HostSession> {
        let connection = self.connection()?;
        lock(&self.shared.open).push(OpenSession(connection.as_raw()));
        let mut session = HostSession { connection, shared: self.shared.clone(), has_own_names: false };
        session.compare_by_bytes();
        Ok(session)
    }

    fn connection(&self) -> Result<Connection> {
        let shared = &self.shared;
        // SAFETY: `weak` is valid until what is shared is dropped.
        let handle = unsafe { (shared.bridge.lock)(shared.weak) };
        if handle.is_null() {
            return Err(Error::new(ErrorKind::DatabaseGone, "the database was closed"));
        }
        // SAFETY: the handle keeps the database open until it is unlocked.
        let connection = unsafe { DatabaseLease::borrow(handle) }.connect();
        // SAFETY: the handle came from `lock` and is given back once; the connection keeps the database open from here on.
        unsafe { (shared.bridge.unlock)(handle) };
        connection
    }
}

impl Shared {
    /// Returns whether the sessions that are open here are all that keeps the database open.
    fn is_alone(&self) -> bool {
        // A session is listed after it was opened and until it is closed, so while the list is locked all that it holds are counted.
        let open = lock(&self.open);
        // SAFETY: `weak` is valid until what is shared is dropped.
        let n_all = unsafe { (self.bridge.users)(self.weak) };
        usize::try_from(n_all).is_ok_and(|n_all| n_all <= open.len())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: made by `weak`, freed once.
        unsafe { (self.bridge.weak_free)(self.weak) };
    }
}

impl Database for HostDatabase {
    fn connect(&self) -> Result<Box<dyn Session>> {
        Ok(Box::new(self.session()?))
    }

    fn moves_first_rows(&self) -> bool {
        // SAFETY: it takes nothing.
        unsafe { (self.shared.bridge.moves_first_rows)() }
    }

    fn interrupt_all(&self) {
        for session in lock(&self.shared.open).iter() {
            // SAFETY: a listed connection is open: it leaves the list, under this lock, before it is closed.
            unsafe { duckdb_interrupt(session.0) };
        }
    }

    fn has_external_access(&self) -> Result<bool> {
        // What cannot be read counts as switched off.
        Ok(self.session()?.connection.option(c"enable_external_access").is_some_and(|value| value.eq_ignore_ascii_case("true")))
    }

    fn sees_external_access(&self) -> Option<bool> {
        // SAFETY: `weak` is valid until what is shared is dropped.
        match unsafe { (self.shared.bridge.has_external_access)(self.shared.weak) } {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn enter_thread(&self) {
        block_sigpipe();
    }
}

/// A duckdb_database somebody else owns, for the length of a call.
pub struct DatabaseLease {
    database: duckdb_database,
}

impl DatabaseLease {
    /// Borrows a duckdb_database.
    ///
    /// # Safety
    /// The database stays open as long as the lease.
    pub unsafe fn borrow(database: *mut c_void) -> DatabaseLease {
        DatabaseLease { database: database.cast() }
    }

    /// Returns the handle, for the bridge.
    pub fn as_ptr(&self) -> *mut c_void {
        self.database.cast()
    }

    /// Opens a connection.
    pub fn connect(&self) -> Result<Connection> {
        // SAFETY: the lease's database is open.
        unsafe { Connection::open(self.database) }
    }
}

/// One DuckDB connection, for the length of a piece of work.
pub struct HostSession {
    connection: Connection,
    /// What the sessions on the database share, the list of those that are open among it.
    shared: Arc<Shared>,
    /// Whether names without a schema are DuckDB's own.
    has_own_names: bool,
}

impl HostSession {
    /// Returns the connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Makes names without a schema those of DuckDB's own functions and types, where a macro of the user's would be found first. Where the
    /// configuration is locked, the search path is not.
    fn use_own_names(&mut self) -> Result<()> {
        if self.has_own_names {
            return Ok(());
        }
        self.has_own_names = true;
        self.execute("SET SESSION search_path = 'system.main'")
    }

    /// Makes texts equal when their bytes are, whatever collation the user made the default. Where the configuration is locked, it stays;
    /// what merges rows names the collation itself.
    fn compare_by_bytes(&mut self) {
        if self.connection.option(c"default_collation").is_some_and(|collation| !collation.is_empty()) {
            let _ = self.execute("SET SESSION default_collation = ''");
        }
    }

    fn run(&mut self, sql: &str) -> Result<QueryResult> {
        self.use_own_names()?;
        self.connection.query(sql)
    }
}

impl Session for HostSession {
    fn execute(&mut self, sql: &str) -> Result<()> {
        self.run(sql).map(|_| ())
    }

    fn query(&mut self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let columns = match self.run(sql)?.rows()? {
            Rows::Read(rows) => return Ok(rows),
            Rows::Unreadable(columns) => columns,
        };
        let casts: Vec<String> =
            columns.iter().map(|name| quote_ident(name)).map(|name| format!("CAST({name} AS VARCHAR) AS {name}")).collect();
        let as_text = format!("SELECT * REPLACE ({}) FROM ({})", casts.join(", "), sql.trim().trim_end_matches(';'));
        match self.run(&as_text)?.rows()? {
            Rows::Read(rows) => Ok(rows),
            Rows::Unreadable(_) => Err(Error::internal("a result of texts could not be read")),
        }
    }

    fn default_catalog(&mut self) -> Result<String> {
        self.execute("RESET SESSION search_path")?;
        let name = self.value("SELECT system.main.current_database()")?;
        self.has_own_names = false;
        name.as_text().map(str::to_string).ok_or_else(|| Error::internal("the database has no name"))
    }

    fn table_names(&mut self, sql: &str) -> Result<Vec<String>> {
        self.use_own_names()?;
        match self.connection.table_names(sql)? {
            Some(names) => Ok(names),
            // The C API keeps the reason to itself; binding the query tells it.
            None => match self.execute(&format!("EXPLAIN {sql}")) {
                Err(err) => Err(err),
                Ok(()) => Err(Error::database("DuckDB cannot tell which tables the query reads")),
            },
        }
    }

    fn append(&mut self, table: &TableName, batches: &[Batch]) -> Result<()> {
        self.use_own_names()?;
        feed(&self.connection, &format!("INSERT INTO {table} SELECT *"), batches)
    }

    fn appends_on_threads(&mut self) -> bool {
        self.connection.option(c"threads").and_then(|threads| threads.parse::<u64>().ok()).is_some_and(|threads| threads > 1)
    }

    fn append_as_they_come(&mut self, table: &TableName, first: Vec<HeldBatch>, source: &dyn RowSource) -> Result<()> {
        self.use_own_names()?;
        feed_row_groups(&self.connection, table, first, source)
    }

    fn insert_texts(&mut self, insert: &str, columns: &[&str], rows: &[Vec<Option<&str>>]) -> Result<()> {
        self.use_own_names()?;
        let varchar = ColumnType::Scalar(ScalarType::Varchar);
        let columns: Vec<(&str, ColumnType)> = columns.iter().map(|name| (*name, varchar)).collect();
        feed(&self.connection, insert, &[Batch::of_texts(&columns, rows)])
    }

    fn find(&mut self, table: &TableName) -> Option<Found> {
        let name = |text: &str| c_string(text).ok();
        let (database, schema, table) = (name(table.catalog.as_deref()?)?, name(&table.schema)?, name(&table.table)?);
        let context = self.connection.context().ok()?;
        let find = || {
            let catalog = Catalog::named(&context, &database)?;
            let entry = catalog.table(&schema, &table);
            Some(entry.map_or(Found::Nothing, |entry| entry.found()))
        };
        // Catalogs are seen in a transaction alone, and one for this takes less than a list of all tables.
        if Catalog::named(&context, c"system").is_some() {
            return find();
        }
        self.connection.query("BEGIN TRANSACTION").ok()?;
        let found = find();
        self.connection.query("COMMIT").ok().and(found)
    }

    fn column_comments(&mut self, table: &TableName) -> Result<Vec<(String, String)>> {
        let _own = OwnStatement::begin();
        column_comments(&self.connection.context()?, self.shared.bridge, table)
    }

    fn is_alone(&mut self) -> Result<bool> {
        Ok(self.shared.is_alone())
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupter>> {
        Some(Arc::new(SessionInterrupter { session: OpenSession(self.connection.as_raw()), shared: self.shared.clone() }))
    }
}

/// Interrupts the statements of a session for as long as that is open.
struct SessionInterrupter {
    session: OpenSession,
    shared: Arc<Shared>,
}

impl Interrupter for SessionInterrupter {
    fn interrupt(&self) {
        let open = lock(&self.shared.open);
        if open.contains(&self.session) {
            // SAFETY: a listed connection is open: it leaves the list, under this lock, before it is closed.
            unsafe { duckdb_interrupt(self.session.0) };
        }
    }

    fn is_alone(&self) -> bool {
        self.shared.is_alone()
    }
}

impl Drop for HostSession {
    fn drop(&mut self) {
        // Off the list before the connection is closed, so that nobody interrupts what is closed.
        let raw = self.connection.as_raw();
        lock(&self.shared.open).retain(|session| session.0 != raw);
    }
}
