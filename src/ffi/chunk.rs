//! Data chunks: those that DuckDB lends, and those of Unify's own.

use super::slots::Slots;
use super::vector::Vector;
use crate::{Error, Result};
use libduckdb_sys::*;
use std::marker::PhantomData;

/// Returns how many rows a chunk holds.
pub fn chunk_rows() -> usize {
    // SAFETY: takes no argument.
    unsafe { duckdb_vector_size() as usize }
}

/// A data chunk of flat vectors that somebody else owns.
#[derive(Clone, Copy)]
pub struct LentChunk<'a> {
    chunk: duckdb_data_chunk,
    _lent: PhantomData<&'a ()>,
}

impl<'a> LentChunk<'a> {
    /// Borrows a chunk.
    ///
    /// # Safety
    /// The chunk is valid, its vectors are flat, and no other thread uses it, for `'a`.
    pub unsafe fn borrow(chunk: duckdb_data_chunk) -> LentChunk<'a> {
        LentChunk { chunk, _lent: PhantomData }
    }

    /// Returns how many rows it has.
    pub fn n_rows(self) -> usize {
        // SAFETY: the chunk is valid.
        unsafe { duckdb_data_chunk_get_size(self.chunk) as usize }
    }

    /// Says how many rows it has, after they were written; none ends a scan.
    pub fn set_rows(self, n_rows: usize) {
        // SAFETY: the chunk is valid, and has capacity for so many rows.
        unsafe { duckdb_data_chunk_set_size(self.chunk, n_rows.min(chunk_rows()) as idx_t) };
    }

    /// Returns a column, to be read. Fails when there is none of that number.
    pub fn column(self, idx: usize) -> Result<Vector<'a>> {
        let vector = self.raw_column(idx)?;
        // SAFETY: the chunk's vectors are valid and flat for `'a`.
        Ok(unsafe { Vector::borrow(vector, self.n_rows()) })
    }

    /// Returns a column, to be written. Fails when there is none of that number.
    pub fn slots(self, idx: usize) -> Result<Slots<'a>> {
        let vector = self.raw_column(idx)?;
        // SAFETY: the chunk's vectors are valid and flat for `'a`, and have the capacity of a chunk.
        Ok(unsafe { Slots::borrow(vector, chunk_rows()) })
    }

    /// Makes the first columns those of another chunk, which may go: both own what they point to. The columns are of the same types.
    pub fn share(self, other: LentChunk<'_>, n_columns: usize) -> Result<()> {
        for idx in 0..n_columns {
            let (to, from) = (self.raw_column(idx)?, other.raw_column(idx)?);
            // SAFETY: both are vectors of live chunks; from here on both own what they point to.
            unsafe { duckdb_vector_reference_vector(to, from) };
        }
        self.set_rows(other.n_rows());
        Ok(())
    }

    fn raw_column(self, idx: usize) -> Result<duckdb_vector> {
        // SAFETY: the chunk is valid; null when it does not have the column.
        let vector = unsafe { duckdb_data_chunk_get_vector(self.chunk, idx as idx_t) };
        match vector.is_null() {
            true => Err(Error::internal(format!("a chunk of rows has no column {idx}"))),
            false => Ok(vector),
        }
    }
}

/// A data chunk of ours; it is freed when this is dropped.
pub struct OwnedChunk(duckdb_data_chunk);

impl OwnedChunk {
    /// Takes a chunk; null is `None`.
    ///
    /// # Safety
    /// The chunk is null, or valid, of flat vectors, and the caller's to free, which is given up here.
    pub unsafe fn take(chunk: duckdb_data_chunk) -> Option<OwnedChunk> {
        (!chunk.is_null()).then_some(OwnedChunk(chunk))
    }

    /// Lends the chunk.
    pub fn lent(&self) -> LentChunk<'_> {
        // SAFETY: the chunk is ours and lives as long as the loan; a handle of ours stays on its thread.
        unsafe { LentChunk::borrow(self.0) }
    }
}

impl Drop for OwnedChunk {
    fn drop(&mut self) {
        // SAFETY: the chunk is ours, destroyed once.
        unsafe { duckdb_destroy_data_chunk(&mut self.0) };
    }
}
