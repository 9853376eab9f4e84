//! What an API is found to have: asked for, and kept in `unify.discovered`.

mod ask;
mod json;

use crate::load::classes::files::{FilePlace, FileTable};
use crate::load::classes::postgres::tables::tables_of;
use crate::load::classes::postgres::waited;
use crate::load::clock::now_micros;
use crate::load::loader::Loader;
use crate::load::records::discovered::{store_discovery, StoredDiscovery, StoredObject};
use crate::load::records::discovery::{discovery_spec, stored_discovery, Discovery};
use crate::load::records::store::Store;
use crate::session::Settings;
use crate::spec::{Class, Connection, Found};
use crate::{Error, ErrorKind, Result};
use ask::Asking;
use std::sync::Arc;

impl Loader {
    /// Returns what was discovered of a connection and is kept in an attached database; `None` when nothing is, or another spec or other
    /// options discovered it.
    pub fn stored_discovery(&self, connection: &Connection, catalog: &str) -> Result<Option<Discovery>> {
        stored_discovery(self.services().database.connect()?.as_mut(), connection, catalog)
    }

    /// Asks a connection's API what it has, and keeps the answer in an attached database, unless that cannot be written. Waits meanwhile. Fails
    /// as a load does, and when the user interrupts.
    pub fn discover(
        &self,
        connection: &Arc<Connection>,
        catalog: &str,
        settings: &Settings,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Discovery> {
        let discovered = now_micros();
        let found = match connection.adapter.class {
            Class::Rest => Asking { loader: self, connection, catalog, settings, interrupted }.found()?,
            Class::Files => {
                let tables = FilePlace::of(connection)?.tables(self.services().database.connect()?.as_mut())?;
                Found { objects: vec![tables.into_iter().map(FileTable::into_object).collect()] }
            }
            Class::Postgres => self.tables_of_server(connection, interrupted)?,
        };
        let discovery = Discovery { found, discovered, spec: discovery_spec(connection) };
        // Who looks each time mostly finds what is kept.
        let is_kept = !connection.adapter.class.has_requests()
            && self.stored_discovery(connection, catalog)?.is_some_and(|stored| stored.found == discovery.found);
        if !is_kept {
            self.keep_discovery(connection, catalog, &discovery)?;
        }
        Ok(discovery)
    }

    /// Asks a PostgreSQL server which tables there are.
    fn tables_of_server(&self, connection: &Arc<Connection>, interrupted: &dyn Fn() -> bool) -> Result<Found> {
        if !self.services().database.has_external_access()? {
            return Err(Error::config("nothing is asked because setting 'enable_external_access' is false"));
        }
        let may_go_on = || match interrupted() {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
            false => Ok(()),
        };
        let connection = Arc::clone(connection);
        let work = async move { tables_of(&connection).await };
        Ok(Found { objects: vec![waited(self.services().workers()?.as_ref(), &may_go_on, work)?] })
    }

    fn keep_discovery(&self, connection: &Connection, catalog: &str, discovery: &Discovery) -> Result<()> {
        let mut session = self.services().database.connect()?;
        let store = Store::open(session.as_mut(), catalog, &connection.name, "")?;
        if store.is_read_only {
            return Ok(());
        }
        drop(session);
        let mut objects = Vec::new();
        for (discover, found) in connection.adapter.discover.iter().zip(&discovery.found.objects) {
            objects.extend(found.iter().map(|object| StoredObject {
                template: discover.table.name.clone(),
                table: discover.table_of(object).map_or(String::new(), |table_def| table_def.name),
                object: object.clone(),
            }));
        }
        let stored = StoredDiscovery { spec: discovery.spec.clone(), discovered: discovery.discovered, objects };
        self.services().transact(&store, |session| store.create_unify_schema(session))?;
        self.services().transact(&store, |session| store_discovery(&store, session, &stored))
    }
}
