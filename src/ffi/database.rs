//! Sessions on the host's database: [`Database`] and [`Session`] over the C API.

use super::appender::{append, Way};
use super::comments::column_comments;
use super::host::{done, Bridge};
use super::own::OwnStatement;
use super::result::{rows_of, take_error, Rows};
use crate::columns::Batch;
use crate::lock::lock;
use crate::session::{quote_ident, CatalogKind, Database, Session, TableName, Value};
use crate::{Error, ErrorKind, Result};
use libduckdb_sys::{
    duckdb_connect, duckdb_connection, duckdb_database, duckdb_destroy_extracted, duckdb_destroy_result, duckdb_disconnect,
    duckdb_extract_statements, duckdb_extracted_statements, duckdb_interrupt, duckdb_query, duckdb_result, DuckDBSuccess,
};
use std::any::Any;
use std::collections::HashMap;
use std::ffi::{c_void, CString};
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

struct OpenSession(duckdb_connection);

// SAFETY: the pointer is only passed to duckdb_interrupt, which any thread may call while the connection is open.
unsafe impl Send for OpenSession {}

// SAFETY: the weak pointer is only locked, counted and freed, all of which are thread-safe on the C++ side.
unsafe impl Send for Shared {}
// SAFETY: as above; locking takes the pointer by value.
unsafe impl Sync for Shared {}

impl HostDatabase {
    /// Makes a weak reference to the database behind a duckdb_database.
    pub fn new(bridge: &'static Bridge, database: *mut c_void) -> Result<HostDatabase> {
        // SAFETY: DuckDB passes a valid database for the length of the call.
        let weak = unsafe { (bridge.weak)(database) };
        done(!weak.is_null(), "refer to the database")?;
        Ok(HostDatabase { shared: Arc::new(Shared { bridge, weak, open: Mutex::default() }) })
    }

    /// Opens a session of the host's own type.
    pub fn session(&self) -> Result<HostSession> {
        let shared = &self.shared;
        // SAFETY: `weak` is valid until what is shared is dropped.
        let handle = unsafe { (shared.bridge.lock)(shared.weak) };
        if handle.is_null() {
            return Err(Error::new(ErrorKind::DatabaseGone, "the database was closed"));
        }
        let session = DatabaseLease::borrow(handle).connect();
        // SAFETY: the handle came from `lock` and is given back once; the session keeps the database open from here on.
        unsafe { (shared.bridge.unlock)(handle) };
        let mut session = session?;
        lock(&shared.open).push(OpenSession(session.connection));
        session.listed_in = Some(shared.clone());
        Ok(session)
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
}

/// A duckdb_database somebody else owns, for the length of a call.
pub struct DatabaseLease {
    database: duckdb_database,
}

impl DatabaseLease {
    /// Borrows the database; the caller keeps it alive as long as the lease.
    pub fn borrow(database: *mut c_void) -> DatabaseLease {
        DatabaseLease { database: database.cast() }
    }

    /// Returns the handle, for the bridge.
    pub fn as_ptr(&self) -> *mut c_void {
        self.database.cast()
    }

    /// Opens a session.
    pub fn connect(&self) -> Result<HostSession> {
        let mut connection: duckdb_connection = std::ptr::null_mut();
        // SAFETY: the lease's database is valid; the connection is written before it is read.
        let state = unsafe { duckdb_connect(self.database, &mut connection) };
        if state != DuckDBSuccess {
            return Err(Error::database("could not open a session on the database"));
        }
        Ok(HostSession { connection, listed_in: None, kinds: HashMap::new() })
    }

    /// Parses `sql`, which holds one statement, into the host's own objects. The caller hands them to the bridge, which frees them.
    pub fn extract(&self, sql: &str) -> Result<duckdb_extracted_statements> {
        let session = self.connect()?;
        let sql = c_string(sql)?;
        let mut extracted: duckdb_extracted_statements = std::ptr::null_mut();
        // SAFETY: connection and text are valid; the result is written.
        let n_statements = unsafe { duckdb_extract_statements(session.connection, sql.as_ptr(), &mut extracted) };
        if n_statements == 1 {
            return Ok(extracted);
        }
        // SAFETY: what was extracted is freed once, here.
        unsafe { duckdb_destroy_extracted(&mut extracted) };
        Err(Error::internal("a statement of Unify's own does not parse"))
    }
}

/// One DuckDB connection, for the length of a piece of work.
pub struct HostSession {
    connection: duckdb_connection,
    /// The list of open sessions it stands in.
    listed_in: Option<Arc<Shared>>,
    /// What kinds the databases are that were appended to.
    kinds: HashMap<String, CatalogKind>,
}

impl HostSession {
    /// Returns the connection, valid while the session lives.
    pub fn connection(&self) -> duckdb_connection {
        self.connection
    }

    /// Returns the kind of an attached database; `None` is the session's own.
    fn kind_of(&mut self, catalog: Option<&str>) -> Result<CatalogKind> {
        let Some(catalog) = catalog else { return Ok(CatalogKind::DuckDb) };
        if let Some(kind) = self.kinds.get(catalog) {
            return Ok(*kind);
        }
        let kind = CatalogKind::of(self, catalog)?;
        self.kinds.insert(catalog.to_string(), kind);
        Ok(kind)
    }

    fn run<T>(&mut self, sql: &str, read: impl FnOnce(&mut duckdb_result) -> Result<T>) -> Result<T> {
        let _own = OwnStatement::begin();
        let sql = c_string(sql)?;
        // SAFETY: a result is plain data; the call below fills it.
        let mut result: duckdb_result = unsafe { std::mem::zeroed() };
        // SAFETY: connection and text are valid.
        let state = unsafe { duckdb_query(self.connection, sql.as_ptr(), &mut result) };
        let outcome = if state == DuckDBSuccess { read(&mut result) } else { Err(take_error(&mut result)) };
        // SAFETY: the result was filled by duckdb_query and is freed once.
        unsafe { duckdb_destroy_result(&mut result) };
        outcome
    }
}

impl Session for HostSession {
    fn execute(&mut self, sql: &str) -> Result<()> {
        self.run(sql, |_| Ok(()))
    }

    fn query(&mut self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let columns = match self.run(sql, rows_of)? {
            Rows::Read(rows) => return Ok(rows),
            Rows::Unreadable(columns) => columns,
        };
        let casts: Vec<String> =
            columns.iter().map(|name| quote_ident(name)).map(|name| format!("CAST({name} AS VARCHAR) AS {name}")).collect();
        let as_text = format!("SELECT * REPLACE ({}) FROM ({})", casts.join(", "), sql.trim().trim_end_matches(';'));
        match self.run(&as_text, rows_of)? {
            Rows::Read(rows) => Ok(rows),
            Rows::Unreadable(_) => Err(Error::internal("a result of texts could not be read")),
        }
    }

    fn append(&mut self, table: &TableName, batches: &[Batch]) -> Result<()> {
        let way = if self.kind_of(table.catalog.as_deref())?.has_appender() { Way::Direct } else { Way::Insert };
        let _own = OwnStatement::begin();
        append(self.connection, table, batches, way)
    }

    fn column_comments(&mut self, table: &TableName) -> Result<Vec<(String, String)>> {
        let Some(shared) = &self.listed_in else { return Err(Error::internal("a session without its database")) };
        let _own = OwnStatement::begin();
        column_comments(self.connection, shared.bridge, table)
    }

    fn is_alone(&mut self) -> Result<bool> {
        let Some(shared) = &self.listed_in else { return Ok(false) };
        // A session is listed after it was opened and until it is closed, so while the list is locked all that it holds are counted.
        let open = lock(&shared.open);
        // SAFETY: `weak` is valid until what is shared is dropped.
        let n_all = unsafe { (shared.bridge.users)(shared.weak) };
        Ok(usize::try_from(n_all).is_ok_and(|n_all| n_all <= open.len()))
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Drop for HostSession {
    fn drop(&mut self) {
        if let Some(shared) = &self.listed_in {
            lock(&shared.open).retain(|session| session.0 != self.connection);
        }
        // SAFETY: the connection was opened by this session and is closed once.
        unsafe { duckdb_disconnect(&mut self.connection) };
        super::exit::session_ended();
    }
}

/// Returns `text` as a C string.
pub fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::config("a name or statement holds a NUL character, which SQL cannot"))
}
