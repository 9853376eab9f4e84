//! The memory of pages that are asked for and not yet written, shared by all loads of a database.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: u64 = 1024;
/// A page holds its body while it is parsed and its columns until they are written.
const COPIES: u64 = 3;
/// What a page is taken to need before the first one arrived.
const FIRST_PAGE: u64 = 512 * KIB;

/// Bytes that pages under way may take. Waiting for it is what slows fetching down to the speed of writing.
pub struct Budget {
    semaphore: Arc<Semaphore>,
    total_kib: u64,
}

impl Budget {
    /// Makes a budget of `bytes`.
    pub fn new(bytes: u64) -> Budget {
        let total_kib = (bytes / KIB).clamp(1, Semaphore::MAX_PERMITS as u64).min(u64::from(u32::MAX));
        Budget { semaphore: Arc::new(Semaphore::new(total_kib as usize)), total_kib }
    }

    /// Waits until there is room for one more page; the room is free again when the permit is dropped.
    ///
    /// A load asks in the order it writes, so the page that is written next always has its room and no load waits for itself.
    pub async fn page(&self, size: &PageSize) -> Option<OwnedSemaphorePermit> {
        let kib = (size.estimate() * COPIES / KIB).clamp(1, self.total_kib) as u32;
        self.semaphore.clone().acquire_many_owned(kib).await.ok()
    }
}

/// What a table's pages weigh: the largest seen lately.
#[derive(Default)]
pub struct PageSize {
    bytes: AtomicU64,
}

impl PageSize {
    /// Notes the size of a body that arrived.
    pub fn saw(&self, bytes: u64) {
        self.bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    fn estimate(&self) -> u64 {
        match self.bytes.load(Ordering::Relaxed) {
            0 => FIRST_PAGE,
            bytes => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pages_wait_when_the_budget_is_used_up() {
        let budget = Budget::new(1 << 20);
        let size = PageSize::default();
        size.saw(170 * KIB);
        let first = budget.page(&size).await;
        let second = budget.page(&size).await;
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), budget.page(&size)).await.is_err());
        drop(first);
        assert!(budget.page(&size).await.is_some());
        drop(second);
    }

    #[tokio::test]
    async fn a_page_larger_than_the_budget_gets_all_of_it() {
        let budget = Budget::new(1 << 20);
        let size = PageSize::default();
        size.saw(60 << 20);
        assert!(budget.page(&size).await.is_some());
    }
}
