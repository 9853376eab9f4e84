//! Entries of DuckDB's catalogs.

use super::context::RunningContext;
use super::host::Bridge;
use super::text::{text_of, Text};
use super::value::LentValue;
use crate::session::{Found, Value};
use libduckdb_sys::*;
use std::ffi::{c_void, CStr};
use std::marker::PhantomData;

/// An attached database's catalog as a statement's transaction sees it; it is freed when this is dropped.
pub struct Catalog<'a> {
    catalog: duckdb_catalog,
    context: &'a RunningContext,
}

impl<'a> Catalog<'a> {
    /// Returns the catalog of that name; the empty name is the default one. There must be a transaction.
    pub fn named(context: &'a RunningContext, name: &CStr) -> Option<Catalog<'a>> {
        let mut lent = context.lend();
        // SAFETY: the handle has the C API's layout, and its context is alive; null when there is no catalog of that name.
        let catalog = unsafe { duckdb_client_context_get_catalog(lent.as_raw(), name.as_ptr()) };
        (!catalog.is_null()).then_some(Catalog { catalog, context })
    }

    /// Returns what DuckDB calls the kind of catalog, such as `duckdb`.
    pub fn type_name(&self) -> Option<String> {
        // SAFETY: the text lives as long as the catalog.
        let name = unsafe { duckdb_catalog_get_type_name(self.catalog) };
        // SAFETY: as above.
        unsafe { text_of(name) }
    }

    /// Returns a table, or what shares its names.
    pub fn table(&self, schema: &CStr, name: &CStr) -> Option<Entry<'_>> {
        self.entry(duckdb_catalog_entry_type_DUCKDB_CATALOG_ENTRY_TYPE_TABLE, schema, name)
    }

    /// Returns an order of texts.
    pub fn collation(&self, schema: &CStr, name: &CStr) -> Option<Entry<'_>> {
        self.entry(duckdb_catalog_entry_type_DUCKDB_CATALOG_ENTRY_TYPE_COLLATION, schema, name)
    }

    fn entry(&self, kind: duckdb_catalog_entry_type, schema: &CStr, name: &CStr) -> Option<Entry<'_>> {
        let mut lent = self.context.lend();
        // SAFETY: catalog and context are alive, the names C strings; null when there is no entry of that name.
        let entry = unsafe { duckdb_catalog_get_entry(self.catalog, lent.as_raw(), kind, schema.as_ptr(), name.as_ptr()) };
        (!entry.is_null()).then_some(Entry { entry, _catalog: PhantomData })
    }
}

impl Drop for Catalog<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `named`, freed once.
        unsafe { duckdb_destroy_catalog(&mut self.catalog) };
    }
}

/// An entry of a catalog; it is freed when this is dropped.
pub struct Entry<'a> {
    entry: duckdb_catalog_entry,
    _catalog: PhantomData<&'a Catalog<'a>>,
}

impl Entry<'_> {
    /// Returns what it is, of what shares the names of tables.
    pub fn found(&self) -> Found {
        // SAFETY: the entry is alive.
        let kind = unsafe { duckdb_catalog_entry_get_type(self.entry) };
        if kind == duckdb_catalog_entry_type_DUCKDB_CATALOG_ENTRY_TYPE_VIEW {
            Found::View
        } else {
            Found::Table
        }
    }

    /// Returns whether an open transaction made or changed it.
    pub fn is_uncommitted(&self, bridge: &Bridge) -> bool {
        // SAFETY: the entry is alive.
        unsafe { (bridge.is_uncommitted)(self.as_raw()) }
    }

    /// Returns the comment of a column, with the column's name; `None` when there is no column of that number. One without a comment is null.
    pub fn column_comment(&self, bridge: &Bridge, idx: usize) -> Option<(String, Value)> {
        let mut name = Text::NONE;
        // SAFETY: the entry is alive; the name is written when there is a column of that number.
        let comment = unsafe { (bridge.column_comment)(self.as_raw(), idx, &mut name) };
        if comment.is_null() {
            return None;
        }
        // SAFETY: the comment is a value that lives as long as the entry.
        let comment = unsafe { LentValue::borrow(comment.cast_mut().cast()) };
        // SAFETY: the text lives as long as the entry.
        let name = unsafe { name.as_str() }.to_string();
        Some((name, comment.read().unwrap_or(Value::Null)))
    }

    /// Gives a table function of the schema that this one is in the description that `duckdb_functions()` shows. The schema is one of DuckDB's
    /// own catalogs. Returns whether there is such a function.
    pub fn describe_neighbour(&self, bridge: &Bridge, name: &str, description: &str, example: &str) -> bool {
        let (name, description, example) = (Text::lend(name), Text::lend(description), Text::lend(example));
        // SAFETY: the entry is alive; the texts are copied.
        unsafe { (bridge.describe)(self.as_raw(), name, description, example) }
    }

    fn as_raw(&self) -> *mut c_void {
        self.entry.cast()
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `Catalog::entry`, freed once.
        unsafe { duckdb_destroy_catalog_entry(&mut self.entry) };
    }
}
