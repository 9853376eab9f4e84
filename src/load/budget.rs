//! The memory of pages that are asked for and not yet written, shared by all loads of a database.

use super::pace::{Pace, Turn};
use crate::lock::lock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: u64 = 1024;
/// A page holds its body while it is parsed and its columns until they are written.
const COPIES: u64 = 3;
/// The most one load takes.
const MOST_FOR_ONE: u64 = 64 << 20;
/// What a page is taken to need before the first one arrived.
const FIRST_PAGE: u64 = 512 * KIB;

/// Bytes that pages under way may take. Waiting for it is what slows fetching down to the speed of writing.
pub struct Budget {
    all: Share,
    /// What one load may take, so that it does not run far ahead of its writer.
    each: u64,
    /// By connection, what its loads take together: half of all, so that a slow API leaves room for the others.
    connections: Mutex<HashMap<String, Share>>,
}

/// The part of a [`Budget`] that one load uses.
pub struct LoadBudget {
    all: Share,
    connection: Share,
    own: Share,
    n_waiting: AtomicU64,
    /// Of a stream, which does not run far ahead of its reader.
    pace: Option<Arc<Pace>>,
}

/// Room for one page; free again when dropped.
pub struct PageRoom {
    all: Option<OwnedSemaphorePermit>,
    connection: Option<OwnedSemaphorePermit>,
    own: Option<OwnedSemaphorePermit>,
    /// Held while nobody knows what pages weigh.
    alone: Option<OwnedSemaphorePermit>,
    _turn: Option<Turn>,
}

impl PageRoom {
    /// Makes the room as large as a body of `bytes` takes, as far as there is more.
    pub fn fit(&mut self, bytes: u64) {
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
        self.alone = None;
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
    /// Makes a budget of `bytes` for all loads together.
    pub fn new(bytes: u64) -> Budget {
        Budget { all: Share::new(bytes), each: bytes.min(MOST_FOR_ONE), connections: Mutex::default() }
    }

    /// Returns what one load of a connection may use.
    pub fn for_load(&self, connection: &str) -> LoadBudget {
        let mut connections = lock(&self.connections);
        let half = self.all.total_kib * KIB / 2;
        let connection = connections.entry(connection.to_lowercase()).or_insert_with(|| Share::new(half)).clone();
        LoadBudget { all: self.all.clone(), connection, own: Share::new(self.each), n_waiting: AtomicU64::new(0), pace: None }
    }
}

impl LoadBudget {
    /// Makes the budget of a stream: `bytes` of its own, so that one whose reader takes its time is in nobody's way.
    pub fn for_stream(bytes: u64, pace: Arc<Pace>) -> LoadBudget {
        let share = Share::new(bytes);
        LoadBudget { all: share.clone(), connection: share.clone(), own: share, n_waiting: AtomicU64::new(0), pace: Some(pace) }
    }
}

impl LoadBudget {
    /// Waits until there is room for one more page.
    ///
    /// A load asks in the order it writes, so the page that is written next always has its room and no load waits for itself.
    pub async fn page(&self, size: &PageSize) -> PageRoom {
        if let Some(pace) = &self.pace {
            let turn = pace.turn().await;
            let own = self.own.take(size.estimate() * COPIES).await;
            return PageRoom { all: None, connection: None, own, alone: None, _turn: Some(turn) };
        }
        let alone = size.turn_of_the_first().await;
        let bytes = size.estimate() * COPIES;
        self.n_waiting.fetch_add(1, Ordering::Relaxed);
        let own = self.own.take(bytes).await;
        let connection = self.connection.take(bytes).await;
        // No more than its share, so that what one connection cannot have is there for another.
        let all = self.all.take(bytes.min(self.connection.total_kib * KIB)).await;
        self.n_waiting.fetch_sub(1, Ordering::Relaxed);
        PageRoom { all, connection, own, alone, _turn: None }
    }

    /// Returns whether fetching waits for room that the writer's rows take.
    pub fn is_used_up(&self) -> bool {
        self.n_waiting.load(Ordering::Relaxed) > 0
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

    #[tokio::test]
    async fn pages_wait_when_the_budget_is_used_up() {
        let budget = Budget::new(1 << 20);
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
    async fn one_connection_leaves_room_for_another() {
        let budget = Budget::new(1 << 20);
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
        let budget = Budget::new(1 << 20).for_load("a");
        let size = PageSize::default();
        size.saw(60 << 20);
        let room = budget.page(&size).await;
        assert_eq!(budget.own.semaphore.available_permits(), 0);
        drop(room);
        assert_eq!(budget.own.semaphore.available_permits(), 1024);
    }

    #[tokio::test]
    async fn nobody_asks_for_a_second_page_before_the_first_is_weighed() {
        let budget = Budget::new(48 << 20).for_load("a");
        let size = PageSize::default();
        let mut first = budget.page(&size).await;
        let mut second = std::pin::pin!(budget.page(&size));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), &mut second).await.is_err());
        size.saw(12 << 20);
        first.fit(12 << 20);
        assert_eq!(budget.own.semaphore.available_permits(), (12 << 20) / KIB as usize);
        // It is taken to need as much as the first one, for which there is no room yet.
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), &mut second).await.is_err());
        drop(first);
        second.await;
    }

    #[tokio::test]
    async fn answers_without_a_body_do_not_hold_up_the_others() {
        let budget = Budget::new(64 << 20).for_load("a");
        let size = PageSize::default();
        let first = budget.page(&size).await;
        size.saw(0);
        drop(first);
        let _rooms = (budget.page(&size).await, budget.page(&size).await);
    }
}
