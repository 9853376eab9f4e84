//! Rows of a [`ColumnVector`] into a DuckDB vector.

use crate::columns::{ColumnData, ColumnVector, TextColumn, Validity};
use crate::{Error, Result};
use libduckdb_sys::*;
use std::ops::Range;

/// What a vector's strings point to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strings {
    /// The batch's own memory: for a chunk that is copied before the batch goes.
    Borrowed,
    /// Memory of the vector.
    Copied,
}

/// Where rows go in a vector, and how.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Row of the vector that gets the first row.
    pub at: usize,
    pub strings: Strings,
}

/// Writes `rows` of `column` to `vector`, whose type is the column's and which has room for them.
pub fn write_rows(vector: duckdb_vector, column: &ColumnVector, rows: Range<usize>, place: Place) -> Result<()> {
    write_validity(vector, &column.validity, rows.clone(), place.at);
    write_data(vector, column, rows, place)
}

fn write_validity(vector: duckdb_vector, validity: &Validity, rows: Range<usize>, at: usize) {
    if !validity.has_nulls {
        return;
    }
    // SAFETY: the vector is valid and writable.
    unsafe { duckdb_vector_ensure_validity_writable(vector) };
    // SAFETY: the mask exists now and covers the vector's capacity.
    let mask = unsafe { duckdb_vector_get_validity(vector) };
    for (to, from) in rows.enumerate() {
        if !validity.is_valid(from) {
            // SAFETY: the row is within the vector's capacity.
            unsafe { duckdb_validity_set_row_invalid(mask, (at + to) as idx_t) };
        }
    }
}

fn write_data(vector: duckdb_vector, column: &ColumnVector, rows: Range<usize>, place: Place) -> Result<()> {
    let at = place.at;
    match &column.data {
        ColumnData::Undecided => write_all_null(vector, rows.len(), at),
        ColumnData::Boolean(values) => copy(vector, &values[rows], at),
        ColumnData::BigInt(values) | ColumnData::Timestamp(values) => copy(vector, &values[rows], at),
        ColumnData::HugeInt(values) => {
            let halves: Vec<duckdb_hugeint> =
                values[rows].iter().map(|value| duckdb_hugeint { lower: *value as u64, upper: (*value >> 64) as i64 }).collect();
            copy(vector, &halves, at);
        }
        ColumnData::Double(values) => copy(vector, &values[rows], at),
        ColumnData::Date(values) => copy(vector, &values[rows], at),
        ColumnData::Varchar(texts) | ColumnData::Json(texts) => write_texts(vector, texts, &column.validity, rows, place),
        ColumnData::List { ends, child } => write_lists(vector, ends, child, rows, place)?,
    }
    Ok(())
}

fn write_all_null(vector: duckdb_vector, n_rows: usize, at: usize) {
    // SAFETY: the vector is valid and writable.
    unsafe { duckdb_vector_ensure_validity_writable(vector) };
    // SAFETY: the mask exists now.
    let mask = unsafe { duckdb_vector_get_validity(vector) };
    for row_idx in at..at + n_rows {
        // SAFETY: the row is within the vector's capacity.
        unsafe { duckdb_validity_set_row_invalid(mask, row_idx as idx_t) };
    }
}

fn copy<T: Copy>(vector: duckdb_vector, values: &[T], at: usize) {
    // SAFETY: the vector is flat and holds values of this width.
    let data = unsafe { duckdb_vector_get_data(vector) }.cast::<T>();
    // SAFETY: the vector has room for the rows, and the slices do not overlap.
    unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), data.wrapping_add(at), values.len()) };
}

fn write_texts(vector: duckdb_vector, texts: &TextColumn, validity: &Validity, rows: Range<usize>, place: Place) {
    // SAFETY: the vector is flat and holds strings.
    let data = unsafe { duckdb_vector_get_data(vector) }.cast::<duckdb_string_t>();
    let Place { at, strings } = place;
    let mut start = if rows.start == 0 { 0 } else { texts.ends[rows.start - 1] as usize };
    for (to, from) in rows.enumerate() {
        let end = texts.ends[from] as usize;
        let text = &texts.bytes[start..end];
        start = end;
        if strings == Strings::Borrowed {
            // SAFETY: the row is within the vector's capacity.
            unsafe { data.wrapping_add(at + to).write(string_over(text)) };
        } else if validity.is_valid(from) {
            // SAFETY: the text is UTF-8, and the row within the vector's capacity.
            unsafe {
                duckdb_unsafe_vector_assign_string_element_len(vector, (at + to) as idx_t, text.as_ptr().cast(), text.len() as idx_t)
            };
        }
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

fn write_lists(vector: duckdb_vector, ends: &[u32], child: &ColumnVector, rows: Range<usize>, place: Place) -> Result<()> {
    let first = if rows.start == 0 { 0 } else { ends[rows.start - 1] as usize };
    let last = if rows.is_empty() { first } else { ends[rows.end - 1] as usize };
    // SAFETY: the vector is a list.
    let child_at = unsafe { duckdb_list_vector_get_size(vector) } as usize;
    let child_len = child_at + (last - first);
    // SAFETY: as above.
    if unsafe { duckdb_list_vector_reserve(vector, child_len as idx_t) } != DuckDBSuccess {
        return Err(Error::database("no room for the elements of a list"));
    }
    // SAFETY: the room was reserved.
    if unsafe { duckdb_list_vector_set_size(vector, child_len as idx_t) } != DuckDBSuccess {
        return Err(Error::database("could not set the size of a list"));
    }
    // SAFETY: the vector is flat and holds list entries.
    let entries = unsafe { duckdb_vector_get_data(vector) }.cast::<duckdb_list_entry>();
    let mut start = first;
    for (to, from) in rows.enumerate() {
        let end = ends[from] as usize;
        let entry = duckdb_list_entry { offset: (child_at + start - first) as u64, length: (end - start) as u64 };
        // SAFETY: the row is within the vector's capacity.
        unsafe { entries.wrapping_add(place.at + to).write(entry) };
        start = end;
    }
    // SAFETY: the vector is a list, so it has a child.
    let child_vector = unsafe { duckdb_list_vector_get_child(vector) };
    write_validity(child_vector, &child.validity, first..last, child_at);
    write_data(child_vector, child, first..last, Place { at: child_at, ..place })
}
