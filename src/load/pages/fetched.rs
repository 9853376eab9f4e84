//! What fetching hands to the writer.

use crate::columns::Batch;
use crate::load::pages::budget::PageMemory;
use crate::load::records::checkpoints::Checkpoint;

/// What fetching hands to the writer, in the order of each set.
pub enum Fetched {
    Rows(Box<FetchedRows>),
    /// The set is there, and there are no rows of it yet.
    Reached {
        set: usize,
        checkpoint: Checkpoint,
    },
    /// All rows of the set were handed on.
    Done {
        set: usize,
        checkpoint: Checkpoint,
    },
    /// The set is left out.
    Skipped {
        set: usize,
    },
    /// The set's window is asked for in halves, which are the next sets: its rows go.
    Split {
        set: usize,
    },
}

impl Fetched {
    /// Returns about how many bytes of memory its rows take.
    pub fn approximate_bytes(&self) -> usize {
        match self {
            Fetched::Rows(page) => page.batches.approximate_bytes(),
            _ => 0,
        }
    }
}

/// The rows of one page: of the table, and of each of its children.
pub struct PageBatches {
    pub own: Batch,
    pub children: Vec<Batch>,
}

impl PageBatches {
    /// Returns about how many bytes of memory they take.
    pub fn approximate_bytes(&self) -> usize {
        self.own.approximate_bytes() + self.children.iter().map(Batch::approximate_bytes).sum::<usize>()
    }
}

impl From<Batch> for PageBatches {
    fn from(own: Batch) -> PageBatches {
        PageBatches { own, children: Vec::new() }
    }
}

/// Rows of one page, with the memory they take in the memory budget.
pub struct FetchedRows {
    pub batches: PageBatches,
    /// Free again when the rows are written.
    pub memory: PageMemory,
    pub set: usize,
    /// Where the set is when the rows are stored.
    pub checkpoint: Checkpoint,
}
