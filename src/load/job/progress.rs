//! How far the work of a job, or of a statement that reads, has come: what was counted, and what is waited for.

use crate::columns::timestamp_text;
use crate::load::clock::now_micros;
use crate::lock::lock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Shorter waits for the API are not worth showing.
const SHOWN_WAIT: Duration = Duration::from_secs(1);

/// Counts that grow while a job runs.
#[derive(Debug, Default)]
pub struct Counters {
    /// Rows written, those that an unfinished load stored before included.
    pub rows: AtomicU64,
    /// Those of them that stay when the job ends now: they are committed, with the place they reach.
    pub stored: AtomicU64,
    pub requests: AtomicU64,
    pub pages: AtomicU64,
    pub retries: AtomicU64,
    /// Bytes of bodies, after decompression.
    pub bytes: AtomicU64,
    /// Pages expected in all, where the API says so; 0 when unknown.
    pub expected_pages: AtomicU64,
    /// Pages that are stored already when a load goes on.
    pub stored_pages: AtomicU64,
    /// Pages that the job fetched before it began to fetch anew.
    pub earlier_pages: AtomicU64,
    /// When it began to fetch, in milliseconds since its start.
    pub fetch_began: AtomicU64,
    /// Parameter sets of the load; 0 before they are known.
    pub sets: AtomicU64,
    /// Parameter sets that are fetched.
    pub sets_done: AtomicU64,
    /// Those of them that are stored already when a load goes on.
    pub stored_sets: AtomicU64,
}

impl Counters {
    /// Notes that so many rows were stored before the job began, or began anew.
    pub fn begins_with(&self, n_rows: u64) {
        self.rows.store(n_rows, Ordering::Relaxed);
        self.stored.store(n_rows, Ordering::Relaxed);
    }

    /// Notes that so many more rows are written.
    pub fn writes(&self, n_rows: usize) {
        self.rows.fetch_add(n_rows as u64, Ordering::Relaxed);
    }

    /// Notes that so many of the rows written were removed again.
    pub fn takes_back(&self, n_rows: u64) {
        self.rows.fetch_sub(n_rows, Ordering::Relaxed);
    }

    /// Notes that all rows written are committed.
    pub fn commits(&self) {
        self.stored.store(self.rows.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Notes how many of the rows are in the table in the end: of those that came again one is.
    pub fn publishes(&self, n_rows: u64) {
        self.stored.store(n_rows, Ordering::Relaxed);
    }
}

/// The counts and pauses of one piece of work.
#[derive(Debug)]
pub struct Progress {
    pub counters: Counters,
    started: Instant,
    pause: Mutex<Option<Pause>>,
}

/// What is waited for.
#[derive(Debug, Clone)]
struct Pause {
    what: String,
    /// When it ends by itself, in microseconds since 1970.
    until: Option<i64>,
}

/// How many pages or parameter sets there are, and how many of them were stored before and fetched since.
struct Done {
    stored: u64,
    fetched: u64,
    all: u64,
}

impl Progress {
    /// Starts now.
    pub fn new() -> Progress {
        Progress { counters: Counters::default(), started: Instant::now(), pause: Mutex::default() }
    }

    /// Returns when the work started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Returns what is waited for, and until when where that is known.
    pub fn waiting_for(&self) -> Option<String> {
        let pause = lock(&self.pause).clone()?;
        match pause.until {
            None => Some(pause.what),
            Some(until) if until > now_micros() => Some(format!("{} until {}", pause.what, timestamp_text(until))),
            Some(_) => None,
        }
    }

    /// Notes that the work waits that long for something.
    pub fn pauses(&self, what: &str, wait: Duration) {
        if wait < SHOWN_WAIT {
            return;
        }
        let until = now_micros().saturating_add(wait.as_micros() as i64);
        let mut pause = lock(&self.pause);
        // Those that wait for the same moment give different reasons: the first is that of the request that was refused.
        let known = pause.as_ref().and_then(|pause| pause.until).unwrap_or(0);
        if until.saturating_sub(known) >= SHOWN_WAIT.as_micros() as i64 {
            *pause = Some(Pause { what: what.to_string(), until: Some(until) });
        }
    }

    /// Notes that the work waits for something: until that moment, in microseconds since 1970, where that is known.
    pub fn waits(&self, what: String, until: Option<i64>) {
        *lock(&self.pause) = Some(Pause { what, until });
    }

    /// Notes that the work waits for nothing.
    pub fn resumes(&self) {
        *lock(&self.pause) = None;
    }

    /// Notes that the work begins to fetch, or begins anew, when so many pages and parameter sets are stored already.
    pub fn begins_to_fetch(&self, stored_pages: u64, stored_sets: u64) {
        let counters = &self.counters;
        counters.expected_pages.store(0, Ordering::Relaxed);
        counters.stored_pages.store(stored_pages, Ordering::Relaxed);
        counters.earlier_pages.store(counters.pages.load(Ordering::Relaxed), Ordering::Relaxed);
        counters.sets_done.store(stored_sets, Ordering::Relaxed);
        counters.stored_sets.store(stored_sets, Ordering::Relaxed);
        counters.fetch_began.store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Returns how far the work is, in percent: by its parameter sets where it has several, else by its pages where the API said how many
    /// there are.
    pub fn percent(&self) -> Option<f64> {
        let Done { stored, fetched, all } = self.done();
        (all > 0).then(|| ((stored + fetched) as f64 * 100.0 / all as f64).min(100.0))
    }

    /// Returns how long the rest will take, in seconds, if it goes on as since the work began to fetch. What was stored before took no time.
    pub fn seconds_left(&self) -> Option<f64> {
        let Done { stored, fetched, all } = self.done();
        if all == 0 || fetched == 0 {
            return None;
        }
        let began = Duration::from_millis(self.counters.fetch_began.load(Ordering::Relaxed));
        let took = self.started.elapsed().saturating_sub(began).as_secs_f64();
        Some(took * all.saturating_sub(stored + fetched) as f64 / fetched as f64)
    }

    fn done(&self) -> Done {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        match count(&counters.sets) {
            n_sets if n_sets > 1 => {
                let stored = count(&counters.stored_sets);
                Done { stored, fetched: count(&counters.sets_done).saturating_sub(stored), all: n_sets }
            }
            _ => Done {
                stored: count(&counters.stored_pages),
                fetched: count(&counters.pages).saturating_sub(count(&counters.earlier_pages)),
                all: count(&counters.expected_pages),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_that_of_the_pages_and_sets_that_are_missing() {
        let minute = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        let check = |progress: &Progress, percent: f64, seconds: f64| {
            let left = progress.seconds_left().unwrap();
            assert!((left - seconds).abs() < 2.0, "{left} s left, expected {seconds}");
            assert_eq!(progress.percent(), Some(percent));
        };
        // 90 of 100 pages are stored when it goes on; one page took the minute.
        let progress = Progress { started: minute, ..Progress::new() };
        progress.begins_to_fetch(90, 0);
        progress.counters.fetch_began.store(0, Ordering::Relaxed);
        assert_eq!(progress.seconds_left(), None);
        progress.counters.expected_pages.store(100, Ordering::Relaxed);
        progress.counters.pages.store(1, Ordering::Relaxed);
        check(&progress, 91.0, 540.0);
        // It starts over half a minute later: what it fetched and stored before does not count.
        progress.begins_to_fetch(0, 0);
        progress.counters.fetch_began.store(30_000, Ordering::Relaxed);
        assert_eq!((progress.percent(), progress.seconds_left()), (None, None));
        progress.counters.expected_pages.store(100, Ordering::Relaxed);
        progress.counters.pages.store(51, Ordering::Relaxed);
        check(&progress, 50.0, 30.0);
        // Of four parameter sets two were stored.
        progress.begins_to_fetch(7, 2);
        progress.counters.fetch_began.store(0, Ordering::Relaxed);
        progress.counters.sets.store(4, Ordering::Relaxed);
        assert_eq!((progress.percent(), progress.seconds_left()), (Some(50.0), None));
        progress.counters.sets_done.store(3, Ordering::Relaxed);
        check(&progress, 75.0, 60.0);
    }
}
