//! Which jobs run, and how those go on that wait: for a parent, or for the API.

use super::bench::{Bench, FIRST};
use crate::load::job::handle::Stop;
use crate::load::{Job, JobState, LoadAction};
use crate::session::{Database, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A job that waits for its parent, whose answer is held back.
struct Waiting {
    bench: Bench,
    child: Arc<Job>,
    parent: Arc<Job>,
}

fn spins_until(done: impl Fn() -> bool) {
    while !done() {
        std::thread::yield_now();
    }
}

impl Waiting {
    fn new() -> Waiting {
        let bench = Bench::new();
        bench.api.has("/items", &[FIRST]);
        bench.api.has("/lines/1", &[r#"{"id": 10}"#]);
        bench.api.holds("/items");
        Waiting::of(bench)
    }

    fn of(bench: Bench) -> Waiting {
        let child = bench.start("lines", LoadAction::Load).unwrap();
        spins_until(|| child.state() == JobState::Waiting);
        let parent = bench.loader.jobs().pop().unwrap().job;
        assert_eq!(child.waiting_for().as_deref(), Some("job 2, shop.items"));
        Waiting { bench, child, parent }
    }

    /// Waits until that many threads are left.
    fn has_threads(&self, n_threads: usize) {
        spins_until(|| self.bench.loader.scheduler().n_threads() == n_threads);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.bench.api.lets_go();
    }
}

fn outcome(job: &Job) -> String {
    match job.wait(&|| false, None) {
        Ok(report) => format!("{} rows", report.rows),
        Err(err) => err.to_string(),
    }
}

#[test]
fn a_job_gives_its_thread_back_while_it_waits_for_its_parent() {
    let waiting = Waiting::new();
    waiting.has_threads(1);
    assert!(Arc::ptr_eq(&waiting.bench.start("lines", LoadAction::Load).unwrap(), &waiting.child));
    waiting.bench.api.lets_go();
    assert_eq!((outcome(&waiting.child).as_str(), outcome(&waiting.parent).as_str()), ("1 rows", "2 rows"));
    waiting.has_threads(0);
    assert_eq!(waiting.bench.rows("lines").len(), 1);
}

#[test]
fn a_job_that_waits_ends_when_it_is_cancelled_and_its_parent_goes_on() {
    let waiting = Waiting::new();
    waiting.has_threads(1);
    let known = waiting.bench.loader.jobs().remove(0);
    waiting.bench.loader.cancel(&known, false, &|| false).unwrap();
    assert_eq!((waiting.child.state(), waiting.parent.state()), (JobState::Cancelled, JobState::Running));
    assert!(outcome(&waiting.child).ends_with("job 1 was cancelled by CANCEL JOB"));
    waiting.bench.api.lets_go();
    assert_eq!(outcome(&waiting.parent), "2 rows");
    let ends = waiting.bench.records().into_iter().filter(|record| record.contains("load_end"));
    assert_eq!(ends.collect::<Vec<_>>(), ["3|1|lines|load_end|NULL|error", "5|2|items|load_end|2|success"]);
}

#[test]
fn a_job_ends_with_the_error_of_its_parent() {
    let waiting = Waiting::new();
    waiting.bench.api.breaks("/items", 0);
    waiting.bench.api.lets_go();
    let (child, parent) = (outcome(&waiting.child), outcome(&waiting.parent));
    assert!(parent.starts_with("connection 'shop', table 'items': "), "{parent}");
    assert_eq!(child, format!("connection 'shop', table 'lines': {parent}"));
    assert!(waiting.bench.database.state().table("shop", "lines").is_none());
}

#[test]
fn closing_ends_a_job_that_waits() {
    let waiting = Waiting::new();
    waiting.has_threads(1);
    waiting.bench.loader.close();
    assert_eq!(waiting.child.state(), JobState::Cancelled);
    assert!(outcome(&waiting.child).contains("because the database or the process ends"));
    assert_eq!((waiting.parent.state(), waiting.bench.loader.scheduler().n_threads()), (JobState::Cancelled, 0));
    assert!(waiting.bench.start("items", LoadAction::Load).is_err());
    // What closing did not record the next load does.
    let next = waiting.bench.reopened();
    waiting.bench.api.lets_go();
    next.load("lines").unwrap();
    assert_eq!(next.records().iter().filter(|record| record.contains("|lines|load_end|NULL|error")).count(), 1);
}

#[test]
fn a_suspended_job_and_one_that_waits_for_it_have_no_thread_and_end_when_it_is_cancelled() {
    let bench = Bench::new().reopened_with(|spec| spec.replace("retry: {attempts: 1}", "retry: {attempts: 3, park: 0.5}"));
    bench.api.has("/items", &[FIRST]);
    bench.api.refuses("/items");
    let waiting = Waiting::of(bench);
    waiting.has_threads(0);
    assert!(waiting.parent.waiting_for().unwrap().starts_with("the API until 20"), "{:?}", waiting.parent.waiting_for());
    let known = waiting.bench.loader.jobs().remove(1);
    waiting.bench.loader.cancel(&known, false, &|| false).unwrap();
    assert!(outcome(&waiting.parent).ends_with("job 2 was cancelled by CANCEL JOB"));
    assert!(outcome(&waiting.child).ends_with("job 2 was cancelled by CANCEL JOB"));
    assert_eq!((waiting.parent.state(), waiting.child.state()), (JobState::Cancelled, JobState::Error));
}

#[test]
fn a_job_that_is_cancelled_while_it_is_suspended_ends_its_child_too() {
    let bench = Bench::new().reopened_with(|spec| spec.replace("retry: {attempts: 1}", "retry: {attempts: 3, park: 0.5}"));
    bench.api.has("/items", &[FIRST]);
    bench.api.refuses("/items");
    bench.api.holds("/items");
    let waiting = Waiting::of(bench);
    let parent = waiting.parent.clone();
    waiting.bench.database.fails(move |transacted| {
        // What it logs when it is suspended.
        if transacted.is_at("loading_log") {
            parent.cancel(Stop::User);
        }
        None
    });
    waiting.bench.api.lets_go();
    let (child, parent) = (outcome(&waiting.child), outcome(&waiting.parent));
    waiting.bench.database.works_again();
    assert!(parent.ends_with("job 2 was cancelled by CANCEL JOB") && child.ends_with(&parent), "{child}");
}

#[test]
fn a_job_that_ends_while_another_begins_has_one_end_and_its_ids_to_itself() {
    let bench = Bench::new();
    bench.api.has("/items", &[FIRST]);
    bench.api.has("/events", &[FIRST]);
    bench.load("items").unwrap();
    // Another job, by hand: it is recorded, and holds the counter of ids.
    let services = bench.loader.services();
    let store = bench.target("items").store(bench.database.connect().unwrap().as_mut()).unwrap();
    let mut ids =
        services.catalog_turn("lake").and_then(|turn| turn.record_ids(bench.database.connect()?.as_mut(), &store)).map(Some).unwrap();
    let (start, end) = ids.as_ref().map(|ids| (ids.next(), ids.next())).unwrap();
    let values = "make_timestamp(1), 'shop', 'other', 'shop'";
    let columns = "id, parent_id, timestamp, table_schema, table_name, adapter_name, action, status";
    bench.database.run(&format!("INSERT INTO unify.loading_jobs ({columns}) VALUES ({start}, NULL, {values}, 'load_start', 'success')"));
    // It ends when the next one has begun its first transaction.
    let (database, mut has_begun) = (bench.database.clone(), false);
    bench.database.fails(move |transacted| {
        if std::mem::replace(&mut has_begun, transacted.is_at("BEGIN")) && ids.take().is_some() {
            let end = format!("INSERT INTO unify.loading_jobs ({columns}) VALUES ({end}, {start}, {values}, 'load_end', 'success')");
            database.aside(&end);
        }
        None
    });
    bench.load("events").unwrap();
    bench.database.works_again();
    let of_it = bench.database.rows(&format!("SELECT action, status FROM unify.loading_jobs WHERE parent_id = {start}"));
    assert_eq!(of_it, ["load_end|success"]);
    let ids = bench.database.rows("SELECT id FROM unify.loading_jobs");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

#[test]
fn records_that_are_read_in_an_old_transaction_end_no_job_that_ended_since() {
    let bench = Bench::new();
    bench.api.has("/items", &[FIRST]);
    bench.load("items").unwrap();
    let record = |id: u8, parent_id: &str, action: &str| {
        let columns = "id, parent_id, timestamp, table_schema, table_name, adapter_name, action, status";
        let values = format!("{id}, {parent_id}, make_timestamp(1), 'shop', 'other', 'shop', '{action}', 'success'");
        bench.database.run(&format!("INSERT INTO unify.loading_jobs ({columns}) VALUES ({values})"));
    };
    record(90, "NULL", "load_start");
    record(91, "NULL", "load_start");
    let mut old = bench.database.connect().unwrap();
    old.execute("BEGIN").unwrap();
    record(92, "91", "load_end");
    let source = bench.loader.jobs_source("lake").unwrap();
    let (_, ends) = source.strip_suffix(')').and_then(|source| source.split_once(" UNION ALL BY NAME ")).unwrap();
    let ended: Vec<Value> = old.query(ends).unwrap().into_iter().map(|mut row| row.swap_remove(1)).collect();
    assert_eq!(ended, [Value::Integer(90)]);
}

#[test]
fn nothing_outlives_a_loader_that_is_closed() {
    let bench = Bench::new();
    bench.api.has("/items", &[FIRST]);
    bench.load("items").unwrap();
    let services = Arc::downgrade(bench.loader.services());
    drop(bench);
    assert_eq!(services.strong_count(), 0);
}
