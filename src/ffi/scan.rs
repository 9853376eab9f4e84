//! Reads a table on a session of its own: the rows a load committed are not visible to the statement that waited for it.

use super::chunk::LentChunk;
use super::database::{HostDatabase, HostSession};
use super::lent::Lent;
use super::own::OwnStatement;
use super::result::QueryResult;
use super::statement::{Rows, Statement};
use crate::session::{quote_ident, Session};
use crate::Result;
use libduckdb_sys::*;

/// A table or query to scan, its columns known.
pub struct ScanPlan {
    /// What stands behind FROM.
    from: String,
    columns: Vec<ScanColumn>,
}

/// A column as the statement was bound with it.
struct ScanColumn {
    name: String,
    /// The type as DuckDB writes it.
    sql_type: String,
}

impl ScanPlan {
    /// Looks the columns up of what `from`, behind FROM, is, and declares them as the function's result.
    pub fn bind(info: Lent<'_, duckdb_bind_info>, database: &HostDatabase, from: String) -> Result<ScanPlan> {
        let described = database.session()?.query(&format!("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {from})"))?;
        let mut columns: Vec<ScanColumn> = Vec::new();
        for row in described {
            let mut texts = row.into_iter().map(|value| value.as_text().unwrap_or_default().to_string());
            columns.push(ScanColumn { name: texts.next().unwrap_or_default(), sql_type: texts.next().unwrap_or_default() });
        }
        let plan = ScanPlan { from, columns };
        for (name, logical_type) in Prepared::new(database, &plan.sql(0..plan.columns.len()))?.statement.columns() {
            // SAFETY: name and type are valid and copied.
            unsafe { duckdb_bind_add_result_column(info.raw(), name.as_raw(), logical_type.as_raw()) };
        }
        Ok(plan)
    }

    /// Returns the SELECT of the columns at these positions, each with the type the statement was bound with: the table may have
    /// been loaded anew since, with others.
    fn sql(&self, positions: impl Iterator<Item = usize>) -> String {
        let column = |idx: usize| {
            self.columns.get(idx).map_or("NULL".to_string(), |column| {
                let name = quote_ident(&column.name);
                format!("CAST({name} AS {}) AS {name}", column.sql_type)
            })
        };
        let columns: Vec<String> = positions.map(column).collect();
        let columns = if columns.is_empty() { "NULL".to_string() } else { columns.join(", ") };
        format!("SELECT {columns} FROM {}", self.from)
    }

    /// Starts reading the columns at the positions in `projection`. Fails when the table changed so that they cannot be had, and
    /// when the user interrupts.
    pub fn start(&self, projection: &[usize], database: &HostDatabase, interrupted: &dyn Fn() -> bool) -> Result<ScanRun> {
        let changed = |words: &str| format!("{words}; the table changed since the statement was bound, run it again");
        let prepared = Prepared::new(database, &self.sql(projection.iter().copied())).map_err(|err| err.in_words(changed))?;
        let result = prepared.stream(interrupted)?;
        Ok(ScanRun { result, _prepared: prepared, n_columns: projection.len() })
    }
}

/// A scan under way.
pub struct ScanRun {
    result: QueryResult,
    /// Keeps statement and session alive as long as the result streams.
    _prepared: Prepared,
    n_columns: usize,
}

impl ScanRun {
    /// Puts the next rows into `output`; none at the end.
    pub fn next(&mut self, output: LentChunk<'_>) -> Result<()> {
        match self.result.next_chunk() {
            Some(chunk) => output.share(chunk.lent(), self.n_columns),
            None => {
                output.set_rows(0);
                self.result.error().map_or(Ok(()), Err)
            }
        }
    }
}

/// A prepared statement, and the session it belongs to.
struct Prepared {
    statement: Statement,
    _session: HostSession,
}

impl Prepared {
    fn new(database: &HostDatabase, sql: &str) -> Result<Prepared> {
        let _own = OwnStatement::begin();
        let session = database.session()?;
        Ok(Prepared { statement: Statement::prepare(session.connection(), sql)?, _session: session })
    }

    /// Runs the statement until its first rows are there, and asks `interrupted` all the while.
    fn stream(&self, interrupted: &dyn Fn() -> bool) -> Result<QueryResult> {
        let _own = OwnStatement::begin();
        self.statement.run(Rows::Streamed, interrupted)
    }
}
