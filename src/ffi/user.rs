//! The session of the user whose statement is bound or runs.

use super::context::RunningContext;
use super::entry::Catalog;
use super::state::State;
use super::text::c_string;
use crate::session::{CatalogKind, TableName};
use crate::sql::{Seen, UserSession};

/// The user's session, behind a ClientContext.
pub struct ContextUser<'a> {
    pub state: &'a State,
    pub context: &'a RunningContext,
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
        let Some(catalog) = Catalog::named(self.context, &catalog_name) else { return Seen::Nothing };
        match catalog.type_name().map(|name| CatalogKind::of_type(&name)) {
            None => Seen::Nothing,
            Some(CatalogKind::DuckDb) => match catalog.table(&schema, &table) {
                None => Seen::Nothing,
                Some(_) if name.catalog.as_deref().is_some_and(|catalog| catalog.eq_ignore_ascii_case("temp")) => Seen::ByItAlone,
                Some(entry) if self.state.is_uncommitted(&entry) => Seen::ByItAlone,
                Some(_) => Seen::ByAll,
            },
            // The database's extension may have to ask a server, whose failure the C API does not contain.
            Some(_) => Seen::Unknown,
        }
    }
}
