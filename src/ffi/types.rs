//! The types of columns as DuckDB's.

use super::value::OwnedText;
use crate::columns::ColumnType;
use crate::spec::ScalarType;
use libduckdb_sys::*;

/// A duckdb_logical_type of ours; it is freed when this is dropped.
pub struct OwnedType(duckdb_logical_type);

impl OwnedType {
    /// Takes a type.
    ///
    /// # Safety
    /// The type is valid and the caller's to free, which is given up here.
    pub unsafe fn take(logical_type: duckdb_logical_type) -> OwnedType {
        OwnedType(logical_type)
    }

    /// Makes the type of that id, which has no parameters.
    pub fn simple(type_id: duckdb_type) -> OwnedType {
        // SAFETY: takes a type id; the type is ours.
        OwnedType(unsafe { duckdb_create_logical_type(type_id) })
    }

    /// Makes the type of maps from texts to texts.
    pub fn map_of_texts() -> OwnedType {
        let text = OwnedType::simple(DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR);
        // SAFETY: the type is valid and copied; the map is ours.
        OwnedType(unsafe { duckdb_create_map_type(text.0, text.0) })
    }

    /// Makes the type of lists of texts.
    pub fn list_of_texts() -> OwnedType {
        let text = OwnedType::simple(DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR);
        // SAFETY: the type is valid and copied; the list is ours.
        OwnedType(unsafe { duckdb_create_list_type(text.0) })
    }

    /// Returns the handle, valid while `self` is.
    pub fn as_raw(&self) -> duckdb_logical_type {
        self.0
    }

    /// Returns which type it is, without its parameters.
    pub fn id(&self) -> duckdb_type {
        // SAFETY: the type is valid.
        unsafe { duckdb_get_type_id(self.0) }
    }

    /// Returns the other name that it goes by, such as `JSON`.
    pub fn alias(&self) -> Option<String> {
        // SAFETY: the type is valid; the text is ours, and null when there is no alias.
        let raw = unsafe { duckdb_logical_type_get_alias(self.0) };
        // SAFETY: what the call gave is ours.
        unsafe { OwnedText::take(raw) }.copy()
    }

    /// Returns which type a DECIMAL or an ENUM is stored as; any other is stored as itself.
    pub fn stored_as(&self) -> duckdb_type {
        match self.id() {
            // SAFETY: the type is a decimal.
            DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => unsafe { duckdb_decimal_internal_type(self.0) },
            // SAFETY: the type is an enum.
            DUCKDB_TYPE_DUCKDB_TYPE_ENUM => unsafe { duckdb_enum_internal_type(self.0) },
            id => id,
        }
    }

    /// Returns how many digits a DECIMAL has behind its point; 0 for any other type.
    pub fn scale(&self) -> usize {
        match self.id() {
            // SAFETY: the type is a decimal.
            DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => unsafe { duckdb_decimal_scale(self.0) }.into(),
            _ => 0,
        }
    }

    /// Returns the texts of an ENUM; none for any other type.
    pub fn enum_texts(&self) -> Vec<String> {
        if self.id() != DUCKDB_TYPE_DUCKDB_TYPE_ENUM {
            return Vec::new();
        }
        // SAFETY: the type is an enum.
        let n_texts = unsafe { duckdb_enum_dictionary_size(self.0) };
        let text = |idx: u32| {
            // SAFETY: the text is there, and ours.
            let raw = unsafe { duckdb_enum_dictionary_value(self.0, idx.into()) };
            // SAFETY: what the call gave is ours.
            unsafe { OwnedText::take(raw) }.copy().unwrap_or_default()
        };
        (0..n_texts).map(text).collect()
    }

    /// Returns the type of the elements of a LIST or an ARRAY.
    pub fn element(&self) -> Option<OwnedType> {
        let raw = match self.id() {
            // SAFETY: the type is a list; the child's type is ours.
            DUCKDB_TYPE_DUCKDB_TYPE_LIST => unsafe { duckdb_list_type_child_type(self.0) },
            // SAFETY: the type is an array; the child's type is ours.
            DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => unsafe { duckdb_array_type_child_type(self.0) },
            _ => return None,
        };
        // SAFETY: what the call gave is ours.
        Some(unsafe { OwnedType::take(raw) })
    }

    /// Returns how many elements each value of an ARRAY has; 0 for any other type.
    pub fn array_len(&self) -> usize {
        match self.id() {
            // SAFETY: the type is an array.
            DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => unsafe { duckdb_array_type_array_size(self.0) as usize },
            _ => 0,
        }
    }

    /// Returns the fields of a STRUCT, each with its name; none for any other type.
    pub fn fields(&self) -> Vec<(String, OwnedType)> {
        if self.id() != DUCKDB_TYPE_DUCKDB_TYPE_STRUCT {
            return Vec::new();
        }
        // SAFETY: the type is a struct.
        let n_fields = unsafe { duckdb_struct_type_child_count(self.0) };
        let field = |idx| {
            // SAFETY: the field is there; its name is ours.
            let raw = unsafe { duckdb_struct_type_child_name(self.0, idx) };
            // SAFETY: what the call gave is ours.
            let name = unsafe { OwnedText::take(raw) };
            // SAFETY: the field is there; its type is ours.
            let raw = unsafe { duckdb_struct_type_child_type(self.0, idx) };
            // SAFETY: what the call gave is ours.
            (name.copy().unwrap_or_default(), unsafe { OwnedType::take(raw) })
        };
        (0..n_fields).map(field).collect()
    }

    /// Returns the types of a MAP's keys and values.
    pub fn map_parts(&self) -> Option<(OwnedType, OwnedType)> {
        if self.id() != DUCKDB_TYPE_DUCKDB_TYPE_MAP {
            return None;
        }
        // SAFETY: the type is a map; the key's type is ours.
        let key = unsafe { duckdb_map_type_key_type(self.0) };
        // SAFETY: the type is a map; the value's type is ours.
        let value = unsafe { duckdb_map_type_value_type(self.0) };
        // SAFETY: what the call gave is ours.
        let key = unsafe { OwnedType::take(key) };
        // SAFETY: as above.
        Some((key, unsafe { OwnedType::take(value) }))
    }
}

impl Drop for OwnedType {
    fn drop(&mut self) {
        // SAFETY: the type is ours, freed once.
        unsafe { duckdb_destroy_logical_type(&mut self.0) };
    }
}

/// Makes the type of a column.
pub fn logical_type_of(column_type: ColumnType) -> OwnedType {
    let scalar = |scalar: ScalarType| {
        let type_id = match scalar {
            ScalarType::Boolean => DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN,
            ScalarType::BigInt => DUCKDB_TYPE_DUCKDB_TYPE_BIGINT,
            ScalarType::HugeInt => DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT,
            ScalarType::Double => DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE,
            // SAFETY: takes numbers; the type is ours.
            ScalarType::Decimal { width, scale } => return OwnedType(unsafe { duckdb_create_decimal_type(width, scale) }),
            ScalarType::Date => DUCKDB_TYPE_DUCKDB_TYPE_DATE,
            ScalarType::Timestamp => DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP,
            ScalarType::TimestampNs => DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS,
            ScalarType::Varchar => DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR,
        };
        OwnedType::simple(type_id)
    };
    match column_type {
        ColumnType::Undecided => scalar(ScalarType::Varchar),
        ColumnType::Scalar(scalar_type) => scalar(scalar_type),
        ColumnType::List(child) => {
            let child = scalar(child.unwrap_or(ScalarType::Varchar));
            // SAFETY: the child type is valid and copied; the list is ours.
            OwnedType(unsafe { duckdb_create_list_type(child.0) })
        }
        ColumnType::Json => {
            let json = scalar(ScalarType::Varchar);
            // SAFETY: the type is valid; the alias is a static text and copied.
            unsafe { duckdb_logical_type_set_alias(json.0, c"JSON".as_ptr()) };
            json
        }
        // Its values are handed over as texts.
        ColumnType::Native(native) if native.is_list() => OwnedType::list_of_texts(),
        ColumnType::Native(_) => scalar(ScalarType::Varchar),
    }
}
