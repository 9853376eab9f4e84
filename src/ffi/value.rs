//! Values of the C API, copied into Unify's own.

use super::text::text_of;
use crate::session::{quote_literal, Value};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ffi::c_char;
use std::marker::PhantomData;

/// A duckdb_value of ours, or none; it is freed when this is dropped.
pub struct OwnedValue(duckdb_value);

impl OwnedValue {
    /// Takes a value.
    ///
    /// # Safety
    /// The value is null, or valid and the caller's to free, which is given up here.
    pub unsafe fn take(value: duckdb_value) -> OwnedValue {
        OwnedValue(value)
    }

    /// Returns whether there is a value, which may be NULL.
    pub fn is_there(&self) -> bool {
        !self.0.is_null()
    }

    /// Lends the value.
    pub fn lent(&self) -> LentValue<'_> {
        LentValue { value: self.0, _lent: PhantomData }
    }

    /// Returns the handle, valid while `self` is.
    pub fn as_raw(&self) -> duckdb_value {
        self.0
    }
}

impl Drop for OwnedValue {
    fn drop(&mut self) {
        // SAFETY: the value is ours, freed once; null is allowed.
        unsafe { duckdb_destroy_value(&mut self.0) };
    }
}

/// A text of the C API that is ours; it is freed when this is dropped.
pub struct OwnedText(*mut c_char);

impl OwnedText {
    /// Takes a text.
    ///
    /// # Safety
    /// The text is null, or a C string that is the caller's to free with duckdb_free, which is given up here.
    pub unsafe fn take(text: *mut c_char) -> OwnedText {
        OwnedText(text)
    }

    /// Returns the C string, valid while `self` is.
    pub fn as_raw(&self) -> *const c_char {
        self.0
    }

    /// Copies the text; null is `None`.
    pub fn copy(&self) -> Option<String> {
        // SAFETY: the text is ours, or null.
        unsafe { text_of(self.0) }
    }
}

impl Drop for OwnedText {
    fn drop(&mut self) {
        // SAFETY: the text is ours, freed once; null is allowed.
        unsafe { duckdb_free(self.0.cast()) };
    }
}

/// A duckdb_value that somebody else owns.
#[derive(Clone, Copy)]
pub struct LentValue<'a> {
    value: duckdb_value,
    _lent: PhantomData<&'a ()>,
}

impl LentValue<'_> {
    /// Borrows a value.
    ///
    /// # Safety
    /// The value is null, or valid for as long as the result is used.
    pub unsafe fn borrow<'a>(value: duckdb_value) -> LentValue<'a> {
        LentValue { value, _lent: PhantomData }
    }

    /// Copies the value. Types that Unify's functions and settings do not have become their text. Fails when a text holds a NUL character.
    pub fn read(self) -> Result<Value> {
        let Some(type_id) = self.type_id() else { return Ok(Value::Null) };
        let value = self.value;
        Ok(match type_id {
            // SAFETY: the value has the type.
            DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => Value::Boolean(unsafe { duckdb_get_bool(value) }),
            DUCKDB_TYPE_DUCKDB_TYPE_TINYINT
            | DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT
            | DUCKDB_TYPE_DUCKDB_TYPE_INTEGER
            | DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => {
                // SAFETY: the value is a whole number that fits.
                Value::Integer(unsafe { duckdb_get_int64(value) }.into())
            }
            DUCKDB_TYPE_DUCKDB_TYPE_FLOAT | DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => {
                // SAFETY: the value is a number.
                Value::Double(unsafe { duckdb_get_double(value) })
            }
            DUCKDB_TYPE_DUCKDB_TYPE_MAP => Value::Map(self.map_entries()?),
            DUCKDB_TYPE_DUCKDB_TYPE_LIST => {
                Value::Texts(self.list_texts()?.iter().filter_map(|element| element.as_text().map(str::to_string)).collect())
            }
            _ => self.text()?,
        })
    }

    /// Copies the value as its text. Fails when that holds a NUL character, where the C API cuts it off.
    pub fn text(self) -> Result<Value> {
        let Some(type_id) = self.type_id() else { return Ok(Value::Null) };
        // SAFETY: any value can be cast to text, which is ours.
        let raw = unsafe { duckdb_get_varchar(self.value) };
        // SAFETY: what the call gave is ours.
        let text = unsafe { OwnedText::take(raw) };
        match text.copy() {
            Some(text) if type_id == DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR && self.is_cut(&text) => {
                Err(Error::config("a text holds a NUL character, which no text for Unify may"))
            }
            copy => Ok(copy.map_or(Value::Null, Value::Text)),
        }
    }

    /// Copies the entries of a list, as texts. What is not a list has none.
    pub fn list_texts(self) -> Result<Vec<Value>> {
        if self.type_id() != Some(DUCKDB_TYPE_DUCKDB_TYPE_LIST) {
            return Ok(Vec::new());
        }
        // SAFETY: the value is a list.
        let n_entries = unsafe { duckdb_get_list_size(self.value) };
        let entry = |idx| {
            // SAFETY: the list has that many entries.
            let raw = unsafe { duckdb_get_list_child(self.value, idx) };
            // SAFETY: what the call gave is ours.
            unsafe { OwnedValue::take(raw) }.lent().text()
        };
        (0..n_entries).map(entry).collect()
    }

    /// Copies the fields of a struct, each with its name. NULL and what is not there has none.
    pub fn struct_fields(self) -> Result<Vec<(String, Value)>> {
        if self.type_id() != Some(DUCKDB_TYPE_DUCKDB_TYPE_STRUCT) {
            return Ok(Vec::new());
        }
        // SAFETY: the value is valid; the type belongs to it and is not freed.
        let struct_type = unsafe { duckdb_get_value_type(self.value) };
        // SAFETY: the type is a struct.
        let n_fields = unsafe { duckdb_struct_type_child_count(struct_type) };
        let field = |idx| {
            // SAFETY: the field is there; its name is ours.
            let raw = unsafe { duckdb_struct_type_child_name(struct_type, idx) };
            // SAFETY: what the call gave is ours.
            let name = unsafe { OwnedText::take(raw) };
            // SAFETY: the field is there; its value is ours.
            let raw = unsafe { duckdb_get_struct_child(self.value, idx) };
            // SAFETY: what the call gave is ours.
            let value = unsafe { OwnedValue::take(raw) };
            Ok((name.copy().unwrap_or_default(), value.lent().read()?))
        };
        (0..n_fields).map(field).collect()
    }

    /// Copies the entries of a map, as texts. What is not a map has none.
    fn map_entries(self) -> Result<Vec<(String, Option<String>)>> {
        if self.type_id() != Some(DUCKDB_TYPE_DUCKDB_TYPE_MAP) {
            return Ok(Vec::new());
        }
        // SAFETY: the value is a map.
        let n_entries = unsafe { duckdb_get_map_size(self.value) };
        let mut entries = Vec::new();
        for idx in 0..n_entries {
            // SAFETY: the entry exists; the key is ours.
            let raw = unsafe { duckdb_get_map_key(self.value, idx) };
            // SAFETY: what the call gave is ours.
            let key = unsafe { OwnedValue::take(raw) };
            // SAFETY: the entry exists; the value is ours.
            let raw = unsafe { duckdb_get_map_value(self.value, idx) };
            // SAFETY: what the call gave is ours.
            let value = unsafe { OwnedValue::take(raw) };
            if let (Value::Text(name), text) = (key.lent().text()?, value.lent().text()?) {
                entries.push((name, text.as_text().map(str::to_string)));
            }
        }
        Ok(entries)
    }

    /// Returns the type; `None` where there is no value or it is NULL.
    fn type_id(self) -> Option<duckdb_type> {
        // SAFETY: a value that is not null is valid.
        if self.value.is_null() || unsafe { duckdb_is_null_value(self.value) } {
            return None;
        }
        // SAFETY: the value is valid; the type belongs to it and is not freed.
        let logical_type = unsafe { duckdb_get_value_type(self.value) };
        // SAFETY: the type is valid.
        Some(unsafe { duckdb_get_type_id(logical_type) })
    }

    /// Returns whether a text is longer than what the C API gave of it. The C API tells no lengths; as a literal, too, a text ends where it
    /// is cut, and then has no closing quote.
    fn is_cut(self, text: &str) -> bool {
        // SAFETY: the value is valid; the text is ours.
        let raw = unsafe { duckdb_value_to_string(self.value) };
        // SAFETY: what the call gave is ours.
        let literal = unsafe { OwnedText::take(raw) };
        literal.copy().is_some_and(|literal| literal != quote_literal(text))
    }
}
