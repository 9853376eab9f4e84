//! Writes rows of a [`ColumnVector`] into a DuckDB vector.

use super::storage::Storage;
use super::types::OwnedType;
use crate::columns::{ColumnData, ColumnVector, TextColumn, Validity};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::marker::PhantomData;
use std::ops::Range;

/// What a vector's strings point to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strings {
    /// The batch's own memory.
    Borrowed,
    /// Memory of the vector.
    Copied,
}

/// A flat vector that rows are written to.
#[derive(Clone, Copy)]
pub struct Slots<'a> {
    vector: duckdb_vector,
    storage: Storage,
    /// How many rows it can hold.
    capacity: usize,
    _lent: PhantomData<&'a ()>,
}

impl<'a> Slots<'a> {
    /// Borrows a vector.
    ///
    /// # Safety
    /// The vector is valid and flat, has capacity for so many rows, and nobody else uses it, for `'a`.
    pub unsafe fn borrow(vector: duckdb_vector, capacity: usize) -> Slots<'a> {
        // SAFETY: the vector is valid; its type is ours.
        let raw = unsafe { duckdb_vector_get_column_type(vector) };
        // SAFETY: what the call gave is ours.
        let storage = Storage::of(&unsafe { OwnedType::take(raw) });
        Slots { vector, storage, capacity, _lent: PhantomData }
    }

    /// Copies `rows` of `column` to the vector, the first of them to its row `at`. Fails when they are not of its type or do not fit.
    pub fn write(self, column: &ColumnVector, rows: Range<usize>, at: usize) -> Result<()> {
        self.put(column, rows, at, Strings::Copied)
    }

    /// Writes `rows` of `column` as [`Slots::write`] does, but leaves the bytes of texts where they are.
    ///
    /// # Safety
    /// The rows of the vector are not read any more when `column` is changed or dropped.
    pub unsafe fn lend(self, column: &ColumnVector, rows: Range<usize>, at: usize) -> Result<()> {
        self.put(column, rows, at, Strings::Borrowed)
    }

    fn put(self, column: &ColumnVector, rows: Range<usize>, at: usize, strings: Strings) -> Result<()> {
        if at + rows.len() > self.capacity {
            return Err(Error::internal(format!("a vector has capacity for {} rows, not for {}", self.capacity, at + rows.len())));
        }
        if storage_of(&column.data).is_some_and(|storage| storage != self.storage) {
            return Err(Error::internal(format!("a vector of {:?} cannot hold {:?}", self.storage, storage_of(&column.data))));
        }
        self.put_validity(&column.validity, rows.clone(), at);
        match &column.data {
            ColumnData::Undecided => self.put_nulls(at..at + rows.len()),
            ColumnData::Boolean(values) => self.copy(&values[rows], at),
            ColumnData::BigInt(values) | ColumnData::Timestamp(values) | ColumnData::TimestampNs(values) => self.copy(&values[rows], at),
            ColumnData::HugeInt(values) => self.put_hugeints(&values[rows], at),
            ColumnData::Double(values) => self.copy(&values[rows], at),
            ColumnData::Decimal { values, .. } => self.put_decimals(&values[rows], at),
            ColumnData::Date(values) => self.copy(&values[rows], at),
            ColumnData::Varchar(texts) | ColumnData::Json(texts) => match strings {
                Strings::Borrowed => self.lend_texts(texts, rows, at),
                Strings::Copied => self.copy_texts(texts, &column.validity, rows, at),
            },
            ColumnData::List { ends, child } => {
                let (first, last) = (start_of(ends, rows.start), start_of(ends, rows.end));
                let (elements, child_at) = self.more_elements(last - first)?;
                self.put_entries(&ends[rows], first, child_at, at);
                elements.put(child, first..last, child_at, strings)?;
            }
        }
        Ok(())
    }

    fn put_hugeints(self, values: &[i128], at: usize) {
        let halves = values.iter().map(|value| duckdb_hugeint { lower: *value as u64, upper: (*value >> 64) as i64 });
        self.copy(&halves.collect::<Vec<_>>(), at);
    }

    /// Writes decimals, which are whole numbers of as many bytes as their digits need.
    fn put_decimals(self, values: &[i128], at: usize) {
        match self.storage {
            Storage::Signed(2) => self.copy(&values.iter().map(|value| *value as i16).collect::<Vec<_>>(), at),
            Storage::Signed(4) => self.copy(&values.iter().map(|value| *value as i32).collect::<Vec<_>>(), at),
            Storage::Signed(8) => self.copy(&values.iter().map(|value| *value as i64).collect::<Vec<_>>(), at),
            _ => self.put_hugeints(values, at),
        }
    }

    fn put_validity(self, validity: &Validity, rows: Range<usize>, at: usize) {
        if !validity.has_nulls {
            return;
        }
        let mask = self.writable_mask();
        for (to, from) in rows.enumerate() {
            if !validity.is_valid(from) {
                // SAFETY: the row is within the vector's capacity.
                unsafe { duckdb_validity_set_row_invalid(mask, (at + to) as idx_t) };
            }
        }
    }

    fn put_nulls(self, rows: Range<usize>) {
        let mask = self.writable_mask();
        for row_idx in rows {
            // SAFETY: the row is within the vector's capacity.
            unsafe { duckdb_validity_set_row_invalid(mask, row_idx as idx_t) };
        }
    }

    fn writable_mask(self) -> *mut u64 {
        // SAFETY: the vector is valid and writable.
        unsafe { duckdb_vector_ensure_validity_writable(self.vector) };
        // SAFETY: the mask exists now and covers the vector's capacity.
        unsafe { duckdb_vector_get_validity(self.vector) }
    }

    /// Returns where the value of row `at` goes. The vector holds values of type `T`.
    fn place<T>(self, at: usize) -> *mut T {
        // SAFETY: the vector is flat.
        unsafe { duckdb_vector_get_data(self.vector) }.cast::<T>().wrapping_add(at)
    }

    fn copy<T: Copy>(self, values: &[T], at: usize) {
        // SAFETY: the vector holds values of this width and has capacity for the rows, and the slices do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.place(at), values.len()) };
    }

    fn copy_texts(self, texts: &TextColumn, validity: &Validity, rows: Range<usize>, at: usize) {
        let mut start = start_of(&texts.ends, rows.start);
        for (to, from) in rows.enumerate() {
            let end = texts.ends[from] as usize;
            let text = &texts.bytes[start..end];
            start = end;
            if validity.is_valid(from) {
                let to = (at + to) as idx_t;
                // SAFETY: the text is UTF-8, and the row within the vector's capacity.
                unsafe { duckdb_unsafe_vector_assign_string_element_len(self.vector, to, text.as_ptr().cast(), text.len() as idx_t) };
            }
        }
    }

    fn lend_texts(self, texts: &TextColumn, rows: Range<usize>, at: usize) {
        let data = self.place::<duckdb_string_t>(at);
        let mut start = start_of(&texts.ends, rows.start);
        for (to, from) in rows.enumerate() {
            let end = texts.ends[from] as usize;
            // SAFETY: the row is within the vector's capacity.
            unsafe { data.wrapping_add(to).write(string_over(&texts.bytes[start..end])) };
            start = end;
        }
    }

    /// Reserves capacity for more elements of a list. Returns the vector of the elements, and where the new ones go.
    fn more_elements(self, n_elements: usize) -> Result<(Slots<'a>, usize)> {
        // SAFETY: the vector is a list.
        let n_known = unsafe { duckdb_list_vector_get_size(self.vector) } as usize;
        let capacity = n_known + n_elements;
        // SAFETY: as above.
        if unsafe { duckdb_list_vector_reserve(self.vector, capacity as idx_t) } != DuckDBSuccess {
            return Err(Error::database("no memory for the elements of a list"));
        }
        // SAFETY: the capacity was reserved.
        if unsafe { duckdb_list_vector_set_size(self.vector, capacity as idx_t) } != DuckDBSuccess {
            return Err(Error::database("could not set the size of a list"));
        }
        // SAFETY: the vector is a list, so it has a child.
        let child = unsafe { duckdb_list_vector_get_child(self.vector) };
        // SAFETY: the child is as valid as the list, and has capacity for its elements.
        Ok((unsafe { Slots::borrow(child, capacity) }, n_known))
    }

    /// Writes where the elements of each row of a list are: those that ended before at `from` are at `to` in the vector of the elements.
    fn put_entries(self, ends: &[u32], from: usize, to: usize, at: usize) {
        let entries = self.place::<duckdb_list_entry>(at);
        let mut start = from;
        for (idx, end) in ends.iter().enumerate() {
            let end = *end as usize;
            let entry = duckdb_list_entry { offset: (to + start - from) as u64, length: (end - start) as u64 };
            // SAFETY: the row is within the vector's capacity.
            unsafe { entries.wrapping_add(idx).write(entry) };
            start = end;
        }
    }
}

/// Returns where what belongs to row `idx` begins, by where each row's ends.
fn start_of(ends: &[u32], idx: usize) -> usize {
    match idx {
        0 => 0,
        idx => ends[idx - 1] as usize,
    }
}

/// Returns how a vector has to store such data; `None` when any vector can hold it.
fn storage_of(data: &ColumnData) -> Option<Storage> {
    match data {
        ColumnData::Undecided => None,
        ColumnData::Boolean(_) => Some(Storage::Boolean),
        ColumnData::BigInt(_) | ColumnData::Timestamp(_) | ColumnData::TimestampNs(_) => Some(Storage::Signed(8)),
        ColumnData::HugeInt(_) => Some(Storage::Signed(16)),
        ColumnData::Double(_) => Some(Storage::Double),
        ColumnData::Decimal { width, .. } => Some(Storage::Signed(match width {
            0..=4 => 2,
            5..=9 => 4,
            10..=18 => 8,
            _ => 16,
        })),
        ColumnData::Date(_) => Some(Storage::Signed(4)),
        ColumnData::Varchar(_) | ColumnData::Json(_) => Some(Storage::Text),
        ColumnData::List { .. } => Some(Storage::List),
    }
}

/// Returns a DuckDB string over `text`: inside itself when short, pointing to `text` otherwise.
///
/// The layout is `duckdb_string_t` of duckdb.h: a length, then twelve bytes or a prefix of four and a pointer.
fn string_over(text: &[u8]) -> duckdb_string_t {
    const INLINE_BYTES: usize = 12;
    // SAFETY: a string of length 0 is all zeros.
    let mut string: duckdb_string_t = unsafe { std::mem::zeroed() };
    let to = std::ptr::addr_of_mut!(string).cast::<u8>();
    let len = text.len() as u32;
    // SAFETY: the length is the first field of both variants.
    unsafe { to.cast::<u32>().write(len) };
    if text.len() <= INLINE_BYTES {
        // SAFETY: twelve bytes follow the length.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), to.wrapping_add(4), text.len()) };
    } else {
        // SAFETY: the prefix is the four bytes after the length.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), to.wrapping_add(4), 4) };
        // SAFETY: the pointer is the last eight bytes, aligned as the string is.
        unsafe { to.wrapping_add(8).cast::<*const u8>().write(text.as_ptr()) };
    }
    string
}
