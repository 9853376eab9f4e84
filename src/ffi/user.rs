//! The session of the user whose statement is bound or runs.

use super::database::c_string;
use super::result::text_of;
use super::settings::ContextSettings;
use super::state::State;
use crate::session::{CatalogKind, TableName};
use crate::sql::{Seen, UserSession};
use libduckdb_sys::*;

/// The user's session, behind a ClientContext.
pub struct ContextUser<'a> {
    pub state: &'a State,
    pub context: &'a ContextSettings,
}

impl UserSession for ContextUser<'_> {
    fn search_path(&self) -> Vec<(Option<String>, String)> {
        self.context.search_path()
    }

    fn look_up(&self, name: &TableName) -> Seen {
        let catalog = name.catalog.as_deref().unwrap_or_default();
        let (Ok(catalog_name), Ok(schema), Ok(table)) = (c_string(catalog), c_string(&name.schema), c_string(&name.table)) else {
            return Seen::Nothing;
        };
        let mut lent = self.context.lend();
        let context: duckdb_client_context = std::ptr::addr_of_mut!(lent).cast();
        // SAFETY: the context is that of the running statement, the name a C string; null when there is no such catalog.
        let mut catalog = unsafe { duckdb_client_context_get_catalog(context, catalog_name.as_ptr()) };
        // SAFETY: null is allowed; the text lives as long as the catalog.
        let type_name = text_of(unsafe { duckdb_catalog_get_type_name(catalog) });
        let seen = match type_name.map(|name| CatalogKind::of_type(&name)) {
            None => Seen::Nothing,
            Some(CatalogKind::DuckDb) => {
                let kind = duckdb_catalog_entry_type_DUCKDB_CATALOG_ENTRY_TYPE_TABLE;
                // SAFETY: catalog and context are valid, the names C strings; null when there is no such table or view.
                let mut entry = unsafe { duckdb_catalog_get_entry(catalog, context, kind, schema.as_ptr(), table.as_ptr()) };
                let seen = match entry.is_null() {
                    true => Seen::Nothing,
                    false if name.catalog.as_deref().is_some_and(|catalog| catalog.eq_ignore_ascii_case("temp")) => Seen::ByItAlone,
                    false if self.state.is_uncommitted(entry.cast()) => Seen::ByItAlone,
                    false => Seen::ByAll,
                };
                // SAFETY: made above, freed once; null is allowed.
                unsafe { duckdb_destroy_catalog_entry(&mut entry) };
                seen
            }
            // The database's extension may have to ask a server, whose failure the C API does not contain.
            Some(_) => Seen::Unknown,
        };
        // SAFETY: made above, freed once; null is allowed.
        unsafe { duckdb_destroy_catalog(&mut catalog) };
        seen
    }
}
