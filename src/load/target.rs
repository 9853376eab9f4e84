//! Which table a load is of.

use crate::load::records::audit::AuditSubject;
use crate::load::records::store::Store;
use crate::session::Session;
use crate::spec::{Connection, TableDef};
use crate::{Error, Place, Result};
use std::sync::Arc;

/// A table of a connection, in one attached database.
#[derive(Clone)]
pub struct TableTarget {
    pub connection: Arc<Connection>,
    /// Name of the table in the adapter's spec.
    pub table: String,
    /// The attached database its rows go to.
    pub catalog: String,
}

/// The names by which a table is one and the same, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableKey {
    pub catalog: String,
    pub connection: String,
    pub table: String,
}

impl TableTarget {
    /// Returns the table's definition. Fails when the adapter does not have the table.
    pub fn table_def(&self) -> Result<&TableDef> {
        let missing = || match self.connection.adapter.mistakes_of(&self.table) {
            Some(mistakes) => Error::config(mistakes),
            None => Error::config(format!("connection '{}' has no table '{}'", self.connection.name, self.table)),
        };
        self.connection.adapter.table(&self.table).ok_or_else(missing)
    }

    /// Returns where errors about this table happened.
    pub fn place(&self) -> Place {
        Place::table(&self.connection.name, &self.table)
    }

    /// Returns the table's name as `connection.table`.
    pub fn label(&self) -> String {
        format!("{}.{}", self.connection.name, self.table)
    }

    /// Returns the target of another table of the connection, in the same database.
    pub(in crate::load) fn sibling(&self, table: &str) -> TableTarget {
        TableTarget { table: table.to_string(), ..self.clone() }
    }

    /// Returns the names its load works with. Fails when the database is not attached.
    pub(in crate::load) fn store(&self, session: &mut dyn Session) -> Result<Store> {
        Store::open(session, &self.catalog, &self.connection.name, &self.table)
    }

    /// Returns the table whose load fills this one: itself, or its parent. Fails when the adapter does not have the table.
    pub fn filler(&self) -> Result<TableTarget> {
        self.table_def().map(|table_def| self.sibling(table_def.filler()))
    }

    /// Returns the tables that its load fills besides.
    pub fn children(&self) -> Vec<TableTarget> {
        self.connection.adapter.children_of(&self.table).into_iter().map(|child| self.sibling(&child.name)).collect()
    }

    /// Fails when the table is filled with another one. `what` is what somebody wants to do with it, such as `fetch`.
    pub fn refuse_child(&self, what: &str) -> Result<()> {
        let Some(child_def) = &self.table_def()?.child else { return Ok(()) };
        let (name, parent) = (self.label(), format!("{}.{}", self.connection.name, child_def.parent));
        Err(Error::config(format!("'{name}' is filled with '{parent}', in whose records its rows are; {what} '{parent}' instead")))
    }

    /// Returns whether the table and those that its load fills besides are loaded.
    pub(in crate::load) fn is_all_loaded(&self, session: &mut dyn Session, store: &Store) -> Result<bool> {
        let mut is_loaded = store.is_loaded(session)?;
        for child in self.children() {
            is_loaded = is_loaded && store.sibling(&child.table).is_loaded(session)?;
        }
        Ok(is_loaded)
    }

    /// Returns whom the records of its loads are about.
    pub(in crate::load) fn subject(&self, store: &Store) -> AuditSubject {
        AuditSubject {
            unify_schema: store.unify_schema.clone(),
            schema: self.connection.name.clone(),
            table: self.table.clone(),
            adapter: self.connection.adapter.name.clone(),
        }
    }

    /// Returns the names by which the table is one and the same.
    pub(in crate::load) fn key(&self) -> TableKey {
        TableKey { catalog: self.catalog.to_lowercase(), connection: self.connection.name.to_lowercase(), table: self.table.to_lowercase() }
    }
}
