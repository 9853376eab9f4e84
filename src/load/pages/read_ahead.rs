//! How far a stream runs ahead of the statement that reads it: never more pages than were read already, so that a statement which stops
//! early has not asked for much more than it read.

use crate::lock::lock;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// How far one stream is ahead. At first one page at a time.
pub struct ReadAhead {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    /// Pages asked for.
    n_begun: u64,
    /// Of these, pages that were read, or had no rows.
    n_done: u64,
    /// Most pages under way and not read.
    most_ahead: u64,
}

/// The slot of one page, which is done with when this is dropped.
pub struct ReadSlot {
    read_ahead: Arc<ReadAhead>,
}

impl ReadAhead {
    /// Makes what counts for a stream that nobody reads yet.
    pub fn new() -> Arc<ReadAhead> {
        let state = State { n_begun: 0, n_done: 0, most_ahead: 1 };
        Arc::new(ReadAhead { state: Mutex::new(state), changed: Notify::new() })
    }

    /// Lets up to `most_ahead` pages be under way, as soon as so many were read.
    pub fn widen(&self, most_ahead: usize) {
        lock(&self.state).most_ahead = most_ahead.max(1) as u64;
        self.changed.notify_waiters();
    }

    /// Waits for the slot of one more page.
    pub async fn slot(self: &Arc<ReadAhead>) -> ReadSlot {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            if self.begin() {
                return ReadSlot { read_ahead: self.clone() };
            }
            changed.await;
        }
    }

    fn begin(&self) -> bool {
        let mut state = lock(&self.state);
        let may_begin = state.n_begun < state.n_done + state.n_done.clamp(1, state.most_ahead);
        state.n_begun += u64::from(may_begin);
        may_begin
    }
}

impl Drop for ReadSlot {
    fn drop(&mut self) {
        lock(&self.read_ahead.state).n_done += 1;
        self.read_ahead.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how many slots there are at once.
    async fn n_slots(read_ahead: &Arc<ReadAhead>) -> Vec<ReadSlot> {
        let mut slots = Vec::new();
        while let Ok(slot) = tokio::time::timeout(std::time::Duration::from_millis(1), read_ahead.slot()).await {
            slots.push(slot);
        }
        slots
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_pages_are_asked_for_as_were_read() {
        let read_ahead = ReadAhead::new();
        for _ in 0..3 {
            assert_eq!(n_slots(&read_ahead).await.len(), 1);
        }
        read_ahead.widen(8);
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(n_slots(&read_ahead).await.len());
        }
        assert_eq!(seen, [3, 6, 8]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_done_is_the_next_ones() {
        let read_ahead = ReadAhead::new();
        let first = read_ahead.slot().await;
        let mut second = std::pin::pin!(read_ahead.slot());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), &mut second).await.is_err());
        drop(first);
        second.await;
    }
}
