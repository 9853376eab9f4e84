//! A look at a table of a class of its own, which stores nothing: its columns, and what stands behind FROM for its rows.

use crate::columns::TableSchema;
use crate::load::classes::file_rows::{rows_of, FileRows, Sniffing};
use crate::load::classes::files::FilePlace;
use crate::load::classes::postgres::first_rows::first_rows;
use crate::load::classes::postgres::tables::{table_of, ServerTable};
use crate::load::classes::postgres::{waited, Server};
use crate::load::read::reader::Reader;
use crate::load::target::TableTarget;
use crate::spec::Class;
use crate::{Error, ErrorKind, Result};
use std::future::Future;
use std::sync::Arc;

impl Reader {
    /// Returns what stands behind FROM for the first rows of the table. Files are read by who runs that; a server is asked now, and for no more
    /// than a page.
    pub fn look(&self, target: &TableTarget, n_rows: usize, interrupted: &dyn Fn() -> bool) -> Result<String> {
        let from = match target.connection.adapter.class {
            Class::Rest => Err(has_requests()),
            Class::Files => self.file_rows(target, Sniffing::FirstRows).map(|rows| format!("({} LIMIT {n_rows})", rows.query)),
            Class::Postgres => {
                self.of_server(target, interrupted, move |server, table| async move { first_rows(&server, table, n_rows).await })
            }
        };
        from.map_err(|err| err.at(target.place()))
    }

    /// Returns what stands behind FROM for all rows of the table.
    pub fn whole(&self, target: &TableTarget) -> Result<String> {
        let from = match target.connection.adapter.class {
            Class::Rest => Err(has_requests()),
            Class::Files => self.file_rows(target, Sniffing::AllRows).map(|rows| format!("({})", rows.query)),
            Class::Postgres => {
                let table = target.label();
                Err(Error::config(format!(
                    "unify_fetch gives what an API or files give; PEEK {table} shows the first rows, and LOAD TABLE {table} has all"
                )))
            }
        };
        from.map_err(|err| err.at(target.place()))
    }

    /// Reads a row of the table, if there is one. Fails when it cannot be read.
    pub fn try_to_read(&self, target: &TableTarget, interrupted: &dyn Fn() -> bool) -> Result<()> {
        let from = self.look(target, 1, interrupted)?;
        let read = self.services.database.connect()?.query(&format!("SELECT * FROM {from}"));
        read.map(drop).map_err(|err| err.at(target.place()))
    }

    /// Returns the columns that the table has now, as far as the first rows of files tell them.
    pub fn columns_there(&self, target: &TableTarget, interrupted: &dyn Fn() -> bool) -> Result<TableSchema> {
        let schema = match target.connection.adapter.class {
            Class::Rest => Err(has_requests()),
            Class::Files => self.file_rows(target, Sniffing::FirstRows).map(|rows| rows.schema),
            Class::Postgres => self.of_server(target, interrupted, |_, table| async move { Ok(table.table_schema()) }),
        };
        schema.map_err(|err| err.at(target.place()))
    }

    fn file_rows(&self, target: &TableTarget, sniffing: Sniffing) -> Result<FileRows> {
        let connection = &target.connection;
        let pattern = target.table_def()?.discovered_text("pattern")?;
        let mut session = self.services.database.connect()?;
        let (files, format) = FilePlace::of(connection)?.files_of(session.as_mut(), pattern)?;
        rows_of(session.as_mut(), connection, &files, format, sniffing)
    }

    /// Connects to the server of a table and does `work` with what its catalog says of it.
    fn of_server<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
        &self,
        target: &TableTarget,
        interrupted: &dyn Fn() -> bool,
        work: impl FnOnce(Server, ServerTable) -> F + Send + 'static,
    ) -> Result<T> {
        let table_def = target.table_def()?;
        let (schema, name) = (table_def.discovered_text("schema")?.to_string(), table_def.discovered_text("table")?.to_string());
        if !self.services.database.has_external_access()? {
            return Err(Error::config("nothing is read because setting 'enable_external_access' is false"));
        }
        let may_go_on = || match interrupted() {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
            false => Ok(()),
        };
        let connection = Arc::clone(&target.connection);
        waited(self.services.workers()?.as_ref(), &may_go_on, async move {
            let server = Server::connect(&connection).await?;
            let table = table_of(&server, &schema, &name).await?;
            work(server, table).await
        })
    }
}

fn has_requests() -> Error {
    Error::internal("a table of an API is not looked at without a request")
}
