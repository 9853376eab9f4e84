//! Reads the values of a flat vector. What it holds is what DuckDB says of its type.

use super::storage::Storage;
use super::types::OwnedType;
use libduckdb_sys::*;
use std::marker::PhantomData;
use std::ops::Range;

/// A flat vector with the vectors below it: the elements of lists, the fields of structs.
pub struct Vector<'a> {
    vector: duckdb_vector,
    storage: Storage,
    n_rows: usize,
    children: Vec<Vector<'a>>,
    _lent: PhantomData<&'a ()>,
}

impl<'a> Vector<'a> {
    /// Borrows a vector.
    ///
    /// # Safety
    /// The vector and those below it are valid, flat and unchanged for `'a`, and have `n_rows` rows.
    pub unsafe fn borrow(vector: duckdb_vector, n_rows: usize) -> Vector<'a> {
        // SAFETY: the vector is valid; its type is ours.
        let raw = unsafe { duckdb_vector_get_column_type(vector) };
        // SAFETY: what the call gave is ours.
        let logical_type = unsafe { OwnedType::take(raw) };
        let storage = Storage::of(&logical_type);
        // SAFETY: the caller vouches for a vector below as for this one.
        let child = |(vector, n_rows): (duckdb_vector, usize)| unsafe { Vector::borrow(vector, n_rows) };
        let children = match storage {
            Storage::List => {
                // SAFETY: the vector is a list.
                let elements = unsafe { duckdb_list_vector_get_child(vector) };
                // SAFETY: as above.
                let n_elements = unsafe { duckdb_list_vector_get_size(vector) };
                vec![child((elements, n_elements as usize))]
            }
            Storage::Array(len) => {
                // SAFETY: the vector is an array.
                let elements = unsafe { duckdb_array_vector_get_child(vector) };
                vec![child((elements, n_rows * len))]
            }
            Storage::Struct => {
                // SAFETY: the vector is a struct with that many fields.
                let field = |idx: usize| unsafe { duckdb_struct_vector_get_child(vector, idx as idx_t) };
                (0..logical_type.fields().len()).map(|idx| child((field(idx), n_rows))).collect()
            }
            _ => Vec::new(),
        };
        Vector { vector, storage, n_rows, children, _lent: PhantomData }
    }

    /// Returns the vector of a list's or array's elements, or of a struct's field.
    pub fn child(&self, idx: usize) -> Option<&Vector<'a>> {
        self.children.get(idx)
    }

    /// Returns whether a row is null. A row that the vector does not have is null, too.
    pub fn is_null(&self, idx: usize) -> bool {
        if idx >= self.n_rows {
            return true;
        }
        // SAFETY: the vector is valid; a null mask means all rows are valid.
        let validity = unsafe { duckdb_vector_get_validity(self.vector) };
        // SAFETY: the mask covers every row of the vector.
        !validity.is_null() && !unsafe { duckdb_validity_row_is_valid(validity, idx as idx_t) }
    }

    /// Returns a truth value; `None` where there is none.
    pub fn boolean(&self, idx: usize) -> Option<bool> {
        (self.storage == Storage::Boolean).then(|| self.bits::<u8>(idx)).flatten().map(|byte| byte != 0)
    }

    /// Returns a whole number with a sign, of whatever width; `None` where there is none.
    pub fn signed(&self, idx: usize) -> Option<i128> {
        match self.storage {
            Storage::Signed(1) => self.bits::<i8>(idx).map(i128::from),
            Storage::Signed(2) => self.bits::<i16>(idx).map(i128::from),
            Storage::Signed(4) => self.bits::<i32>(idx).map(i128::from),
            Storage::Signed(8) => self.bits::<i64>(idx).map(i128::from),
            Storage::Signed(16) => self.bits::<duckdb_hugeint>(idx).map(|huge| (i128::from(huge.upper) << 64) | i128::from(huge.lower)),
            _ => None,
        }
    }

    /// Returns a whole number without a sign, of whatever width; `None` where there is none.
    pub fn unsigned(&self, idx: usize) -> Option<u128> {
        match self.storage {
            Storage::Unsigned(1) => self.bits::<u8>(idx).map(u128::from),
            Storage::Unsigned(2) => self.bits::<u16>(idx).map(u128::from),
            Storage::Unsigned(4) => self.bits::<u32>(idx).map(u128::from),
            Storage::Unsigned(8) => self.bits::<u64>(idx).map(u128::from),
            Storage::Unsigned(16) => self.bits::<duckdb_uhugeint>(idx).map(|huge| (u128::from(huge.upper) << 64) | u128::from(huge.lower)),
            _ => None,
        }
    }

    /// Returns the digits of a whole number; `None` where there is none.
    pub fn digits(&self, idx: usize) -> Option<String> {
        self.signed(idx).map(|number| number.to_string()).or_else(|| self.unsigned(idx).map(|number| number.to_string()))
    }

    /// Returns a FLOAT; `None` where there is none.
    pub fn float(&self, idx: usize) -> Option<f32> {
        (self.storage == Storage::Float).then(|| self.bits(idx)).flatten()
    }

    /// Returns a DOUBLE; `None` where there is none.
    pub fn double(&self, idx: usize) -> Option<f64> {
        (self.storage == Storage::Double).then(|| self.bits(idx)).flatten()
    }

    /// Copies a text; `None` where there is none.
    pub fn text(&self, idx: usize) -> Option<String> {
        if self.storage != Storage::Text || self.is_null(idx) {
            return None;
        }
        let mut string = self.bits::<duckdb_string_t>(idx)?;
        // SAFETY: the string is a valid one of the vector.
        let len = unsafe { duckdb_string_t_length(string) } as usize;
        // SAFETY: the data is inside `string` or in the vector's heap; both outlive the copy below.
        let start = unsafe { duckdb_string_t_data(&mut string) };
        // SAFETY: `len` bytes are readable there.
        let bytes = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), len) };
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Returns where the elements of a list, an array or a map are in the vector of the elements; `None` where there are none.
    pub fn elements(&self, idx: usize) -> Option<Range<usize>> {
        match self.storage {
            Storage::Array(len) if idx < self.n_rows => Some(idx * len..(idx + 1) * len),
            Storage::List if !self.is_null(idx) => {
                let entry = self.bits::<duckdb_list_entry>(idx)?;
                Some(entry.offset as usize..(entry.offset + entry.length) as usize)
            }
            _ => None,
        }
    }

    /// Returns the bytes of a row's value as a `T`, for which any bytes are a value.
    fn bits<T: Bits>(&self, idx: usize) -> Option<T> {
        if idx >= self.n_rows || size_of::<T>() != self.storage.width() {
            return None;
        }
        // SAFETY: the vector is flat and has data.
        let data = unsafe { duckdb_vector_get_data(self.vector) }.cast::<T>();
        // SAFETY: the vector holds values of this width, and the row is one of its.
        let place = unsafe { data.add(idx) };
        // SAFETY: as above.
        Some(unsafe { place.read() })
    }
}

/// Plain data that may have any bits.
trait Bits: Copy {}

impl Bits for u8 {}
impl Bits for u16 {}
impl Bits for u32 {}
impl Bits for u64 {}
impl Bits for i8 {}
impl Bits for i16 {}
impl Bits for i32 {}
impl Bits for i64 {}
impl Bits for f32 {}
impl Bits for f64 {}
impl Bits for duckdb_hugeint {}
impl Bits for duckdb_uhugeint {}
impl Bits for duckdb_string_t {}
impl Bits for duckdb_list_entry {}
