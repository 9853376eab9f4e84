//! Discovery: tables that a spec describes once, and that an API has as many of as it says itself.

mod chunks;
mod expand;
#[cfg(test)]
mod expand_tests;
mod found;

pub use found::{Found, FoundField, FoundObject, ObjectValues};

use super::{AdapterSpec, Discover, FieldsSource, TableDef, Template, OBJECT_HOLE};
use crate::document::JsonValue;
use crate::{Error, Result};

impl Discover {
    /// Returns whether the table has one name, whatever is discovered.
    pub fn is_fixed(&self) -> bool {
        self.objects.is_none()
    }

    /// Returns the tables that stand for its requests.
    pub fn requests(&self) -> impl Iterator<Item = &TableDef> {
        let of_fields = self.fields.iter().filter_map(|fields| match &fields.source {
            FieldsSource::Request(request) => Some(request.as_ref()),
            FieldsSource::Within { .. } => None,
        });
        self.objects.iter().map(|objects| &objects.request).chain(of_fields)
    }

    /// Returns its table and those that stand for its requests, to change them.
    pub fn table_defs_mut(&mut self) -> impl Iterator<Item = &mut TableDef> {
        let of_fields = self.fields.iter_mut().filter_map(|fields| match &mut fields.source {
            FieldsSource::Request(request) => Some(request.as_mut()),
            FieldsSource::Within { .. } => None,
        });
        std::iter::once(&mut self.table).chain(self.objects.iter_mut().map(|objects| &mut objects.request)).chain(of_fields)
    }
}

impl AdapterSpec {
    /// Returns whether a table or view is what the spec says, and so is all that it reads: nothing of it is discovered.
    pub fn is_written(&self, name: &str) -> bool {
        let is_discovered = |name: &str| self.discover.iter().any(|discover| discover.table.name.eq_ignore_ascii_case(name));
        let reads: Vec<&str> = match (self.table(name), self.view(name)) {
            (Some(table_def), _) if !is_discovered(name) && table_def.discovered.is_empty() => table_def.parents(),
            (None, Some(view_def)) => view_def.from.iter().chain(&view_def.query.tables).map(String::as_str).collect(),
            _ => return false,
        };
        // Tables do not read each other in a circle: that is a mistake of the spec.
        reads.into_iter().all(|name| self.is_written(name))
    }

    /// Returns whether a table is discovered, and was not yet.
    pub fn is_undiscovered(&self, table_def: &TableDef) -> bool {
        table_def.discovered.is_empty() && self.discover.iter().any(|discover| discover.table.name == table_def.name)
    }
}

impl TableDef {
    /// Returns a value of the object that the table was made of.
    pub fn discovered_text(&self, name: &str) -> Result<&str> {
        let value = self.discovered.iter().find(|(hole, _)| hole.strip_prefix(OBJECT_HOLE) == Some(name)).map(|(_, value)| value);
        value.and_then(JsonValue::as_str).ok_or_else(|| Error::internal(format!("table '{}' was discovered without its {name}", self.name)))
    }

    /// Returns the names of all holes of its requests, those for updates and those of a base URL of its own included.
    pub fn all_hole_names(&self) -> Vec<&str> {
        let of_base = self.variants().flat_map(|table_def| &table_def.request.base_url).flat_map(Template::names);
        self.variants().flat_map(TableDef::hole_names).chain(of_base).collect()
    }
}
