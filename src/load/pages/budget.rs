//! The memory of pages that are asked for and not yet written, shared by all loads of a database.

use crate::load::pages::read_ahead::{ReadAhead, ReadSlot};
use crate::lock::lock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: u64 = 1024;
/// Pages that are asked for and not yet written share this part of the memory; what is parsed and converted has the rest.
const PAGES_PART: u64 = 4;
/// A page holds its body while it is parsed and its columns until they are written.
const COPIES: u64 = 3;
/// A stream takes this part of the memory that pages may take.
const STREAM_PART: u64 = 4;
/// The most one load takes.
const MOST_FOR_ONE: u64 = 64 << 20;
/// What a page is taken to need before the first one arrived.
const FIRST_PAGE: u64 = 512 * KIB;

/// Bytes that pages under way may take. Waiting for it is what slows fetching down to the speed of writing.
pub struct Budget {
    all: Share,
    converting: Share,
    /// What one load may take, so that it does not run far ahead of its writer.
    each: u64,
    /// By connection, what its loads take together: half of all, so that a slow API leaves memory for the others.
    connections: Mutex<HashMap<String, Share>>,
}

/// The part of a [`Budget`] that one load uses.
pub struct LoadBudget {
    all: Share,
    converting: Share,
    connection: Share,
    own: Share,
    n_waiting: AtomicU64,
    /// Of a stream, which does not run far ahead of its reader.
    read_ahead: Option<Arc<ReadAhead>>,
}

/// Memory for one page; free again when dropped.
pub struct PageMemory {
    all: Option<OwnedSemaphorePermit>,
    connection: Option<OwnedSemaphorePermit>,
    own: Option<OwnedSemaphorePermit>,
    /// Held while nobody knows what pages weigh.
    alone: Option<OwnedSemaphorePermit>,
    _slot: Option<ReadSlot>,
}

impl PageMemory {
    /// Makes the memory as large as a body of `bytes` takes, as far as there is more.
    pub fn fit(&mut self, bytes: u64) {
        self.resize(bytes);
        self.alone = None;
    }

    /// Makes the memory as large as rows of `bytes` take that are larger than their body, as far as there is more.
    pub fn hold(&mut self, bytes: u64) {
        let n_permits = self.own.as_ref().map_or(0, OwnedSemaphorePermit::num_permits) as u64;
        if bytes > n_permits * KIB {
            self.resize(bytes.div_ceil(COPIES));
        }
    }

    fn resize(&mut self, bytes: u64) {
        let kib = usize::try_from(bytes * COPIES / KIB).unwrap_or(usize::MAX).max(1);
        for permit in [&mut self.all, &mut self.connection, &mut self.own].into_iter().flatten() {
            match kib.checked_sub(permit.num_permits()) {
                None => drop(permit.split(permit.num_permits() - kib)),
                Some(n_missing) => {
                    let semaphore = permit.semaphore().clone();
                    let n_more = n_missing.min(semaphore.available_permits()).min(u32::MAX as usize) as u32;
                    if let Ok(more) = semaphore.try_acquire_many_owned(n_more) {
                        permit.merge(more);
                    }
                }
            }
        }
    }
}

#[derive(Clone)]
struct Share {
    semaphore: Arc<Semaphore>,
    total_kib: u64,
}

impl Share {
    fn new(bytes: u64) -> Share {
        let total_kib = (bytes / KIB).clamp(1, Semaphore::MAX_PERMITS as u64).min(u64::from(u32::MAX));
        Share { semaphore: Arc::new(Semaphore::new(total_kib as usize)), total_kib }
    }

    async fn take(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let kib = (bytes / KIB).clamp(1, self.total_kib) as u32;
        self.semaphore.clone().acquire_many_owned(kib).await.ok()
    }
}

impl Budget {
    /// Makes a budget of `bytes` for all loads together, of which one page may take `most_for_page` while it is parsed and converted.
    pub fn new(bytes: u64, most_for_page: u64) -> Budget {
        let of_pages = bytes / PAGES_PART;
        Budget {
            all: Share::new(of_pages),
            converting: Share::new(most_for_page),
            each: of_pages.min(MOST_FOR_ONE),
            connections: Mutex::default(),
        }
    }

    /// Returns what one load of a connection may use.
    pub fn for_load(&self, connection: &str) -> LoadBudget {
        let mut connections = lock(&self.connections);
        let half = self.all.total_kib * KIB / 2;
        let connection = connections.entry(connection.to_lowercase()).or_insert_with(|| Share::new(half)).clone();
        LoadBudget {
            all: self.all.clone(),
            converting: self.converting.clone(),
            connection,
            own: Share::new(self.each),
            n_waiting: AtomicU64::new(0),
            read_ahead: None,
        }
    }

    /// Returns what a stream may use: pages of its own, so that one whose reader takes its time is in nobody's way.
    pub fn for_stream(&self, read_ahead: Arc<ReadAhead>) -> LoadBudget {
        let share = Share::new(self.all.total_kib * KIB / STREAM_PART);
        LoadBudget {
            all: share.clone(),
            converting: self.converting.clone(),
            connection: share.clone(),
            own: share,
            n_waiting: AtomicU64::new(0),
            read_ahead: Some(read_ahead),
        }
    }
}

impl LoadBudget {
    /// Waits until there is memory for one more page.
    ///
    /// A load asks in the order it writes, so the page that is written next always has its memory and no load waits for itself.
    pub async fn page(&self, size: &PageSize) -> PageMemory {
        if let Some(read_ahead) = &self.read_ahead {
            let slot = read_ahead.slot().await;
            let own = self.own.take(size.estimate() * COPIES).await;
            return PageMemory { all: None, connection: None, own, alone: None, _slot: Some(slot) };
        }
        let alone = size.turn_of_the_first().await;
        let bytes = size.estimate() * COPIES;
        let waiting = Waiting::begin(&self.n_waiting);
        let own = self.own.take(bytes).await;
        let connection = self.connection.take(bytes).await;
        // No more than its share, so that what one connection cannot have is there for another.
        let all = self.all.take(bytes.min(self.connection.total_kib * KIB)).await;
        drop(waiting);
        PageMemory { all, connection, own, alone, _slot: None }
    }

    /// Waits until a page may be parsed and converted that takes so many bytes meanwhile. Conversions wait for nothing, so this ends.
    pub async fn conversion(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        self.converting.take(bytes).await
    }

    /// Returns whether fetching waits for memory that the writer's rows take.
    pub fn is_used_up(&self) -> bool {
        self.n_waiting.load(Ordering::Relaxed) > 0
    }
}

/// One that waits for memory; dropped when it has it, and when it gives up.
struct Waiting<'a> {
    count: &'a AtomicU64,
}

impl Waiting<'_> {
    fn begin(count: &AtomicU64) -> Waiting<'_> {
        count.fetch_add(1, Ordering::Relaxed);
        Waiting { count }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a table's pages weigh: the largest seen lately.
pub struct PageSize {
    bytes: AtomicU64,
    /// Whether a request was answered.
    is_known: AtomicBool,
    /// Of whoever asks for a page while none has come.
    first: Arc<Semaphore>,
}

impl Default for PageSize {
    fn default() -> PageSize {
        PageSize { bytes: AtomicU64::new(0), is_known: AtomicBool::new(false), first: Arc::new(Semaphore::new(1)) }
    }
}

impl PageSize {
    /// Notes the size of a body that arrived, 0 for an answer without. What was seen before counts less with every body since.
    pub fn saw(&self, bytes: u64) {
        let before = self.bytes.load(Ordering::Relaxed);
        self.bytes.store(bytes.max(before - before / 8), Ordering::Relaxed);
        self.is_known.store(true, Ordering::Release);
    }

    /// Notes the size of a page's rows, where they are larger than its body.
    pub fn held(&self, bytes: u64) {
        self.bytes.fetch_max(bytes.div_ceil(COPIES), Ordering::Relaxed);
    }

    /// Waits until nobody else asks for the first page. Returns nothing once one has come.
    async fn turn_of_the_first(&self) -> Option<OwnedSemaphorePermit> {
        if self.is_known.load(Ordering::Acquire) {
            return None;
        }
        let turn = self.first.clone().acquire_owned().await.ok();
        turn.filter(|_| !self.is_known.load(Ordering::Acquire))
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

    /// Returns a budget whose pages may take so many bytes.
    fn budget_of(of_pages: u64) -> Budget {
        Budget::new(of_pages * PAGES_PART, of_pages)
    }

    #[tokio::test]
    async fn a_conversion_waits_for_those_whose_memory_it_needs() {
        let budget = budget_of(1 << 20);
        let (mine, other) = (budget.for_load("a"), budget.for_stream(ReadAhead::new()));
        let first = mine.conversion(600 * KIB).await;
        let small = other.conversion(100 * KIB).await;
        // It needs more than all: it has all for itself.
        let mut large = std::pin::pin!(other.conversion(9 << 20));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), &mut large).await.is_err());
        drop((first, small));
        assert_eq!(large.await.unwrap().num_permits(), 1024);
    }

    #[tokio::test]
    async fn rows_that_are_larger_than_their_body_take_more_room() {
        let budget = budget_of(1 << 20).for_load("a");
        let mut memory = budget.page(&PageSize::default()).await;
        memory.fit(10 * KIB);
        memory.hold(20 * KIB);
        assert_eq!(budget.own.semaphore.available_permits(), 1024 - 30);
        memory.hold(60 * KIB);
        assert_eq!(budget.own.semaphore.available_permits(), 1024 - 60);
    }

    #[tokio::test]
    async fn pages_wait_when_the_budget_is_used_up() {
        let budget = budget_of(1 << 20);
        let (mine, other) = (budget.for_load("a"), budget.for_load("b"));
        let size = PageSize::default();
        size.saw(170 * KIB);
        let first = mine.page(&size).await;
        let second = other.page(&size).await;
        let mut third = std::pin::pin!(mine.page(&size));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), &mut third).await.is_err());
        assert!(mine.is_used_up() && !other.is_used_up());
        drop(first);
        third.await;
        assert!(!mine.is_used_up());
        drop(second);
    }

    #[tokio::test]
    async fn who_gave_up_does_not_wait() {
        let budget = budget_of(1 << 20).for_load("a");
        let size = PageSize::default();
        size.saw(1 << 20);
        let _first = budget.page(&size).await;
        {
            let mut second = std::pin::pin!(budget.page(&size));
            assert!(tokio::time::timeout(std::time::Duration::from_millis(1), &mut second).await.is_err());
            assert!(budget.is_used_up());
        }
        assert!(!budget.is_used_up());
    }

    #[tokio::test]
    async fn one_connection_leaves_room_for_another() {
        let budget = budget_of(1 << 20);
        let size = PageSize::default();
        size.saw(FIRST_PAGE);
        let (mine, mine_too, other) = (budget.for_load("a"), budget.for_load("A"), budget.for_load("b"));
        let first = mine.page(&size).await;
        let mut second = std::pin::pin!(mine_too.page(&size));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), &mut second).await.is_err());
        drop(other.page(&size).await);
        drop(first);
        second.await;
    }

    #[tokio::test]
    async fn a_page_larger_than_the_budget_gets_all_its_load_may_have() {
        let budget = budget_of(1 << 20).for_load("a");
        let size = PageSize::default();
        size.saw(60 << 20);
        let memory = budget.page(&size).await;
        assert_eq!(budget.own.semaphore.available_permits(), 0);
        drop(memory);
        assert_eq!(budget.own.semaphore.available_permits(), 1024);
    }

    #[tokio::test]
    async fn nobody_asks_for_a_second_page_before_the_first_is_weighed() {
        let budget = budget_of(48 << 20).for_load("a");
        let size = PageSize::default();
        let mut first = budget.page(&size).await;
        let mut second = std::pin::pin!(budget.page(&size));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), &mut second).await.is_err());
        size.saw(12 << 20);
        first.fit(12 << 20);
        assert_eq!(budget.own.semaphore.available_permits(), (12 << 20) / KIB as usize);
        // It is taken to need as much as the first one, for which there is no memory yet.
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), &mut second).await.is_err());
        drop(first);
        second.await;
    }

    #[tokio::test]
    async fn answers_without_a_body_do_not_hold_up_the_others() {
        let budget = budget_of(64 << 20).for_load("a");
        let size = PageSize::default();
        let first = budget.page(&size).await;
        size.saw(0);
        drop(first);
        let _rooms = (budget.page(&size).await, budget.page(&size).await);
    }
}
