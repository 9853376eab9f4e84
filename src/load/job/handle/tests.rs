//! Tests of jobs: how they stand, and how others wait for them.

use super::*;
use std::sync::Arc;

fn job() -> Job {
    Job::new(7, LoadAction::Load, "github.repos".into(), &settings())
}

fn settings() -> Settings {
    Settings::read(|_| None).unwrap()
}

#[test]
fn an_interrupted_wait_says_that_the_job_goes_on() {
    let job = job();
    let err = job.wait(&|| true, None).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Interrupted);
    assert!(err.message().contains("job 7 goes on loading github.repos"), "{err}");
    assert!(!job.is_ended() && !job.is_cancelled());
}

#[test]
fn a_wait_past_its_timeout_names_the_setting() {
    let err = job().wait(&|| false, Some(Duration::from_millis(1))).unwrap_err();
    assert!(err.message().contains("unify_load_timeout"), "{err}");
}

#[test]
fn everybody_who_waits_gets_the_outcome() {
    let job = Arc::new(job());
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let job = job.clone();
            std::thread::spawn(move || job.wait(&|| false, None))
        })
        .collect();
    job.counters().rows.store(5, Ordering::Relaxed);
    job.end(Ok(job.report()));
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap().unwrap().rows, 5);
    }
}

#[test]
fn a_job_says_how_it_stands() {
    let job = job();
    assert_eq!((job.state(), job.waiting_for(), job.ended_at()), (JobState::Running, None, None));
    job.activity().progress.pauses("the connection's request budget", Duration::from_millis(999));
    assert_eq!(job.state(), JobState::Running);
    job.activity().progress.pauses("the connection's request budget", Duration::from_secs(60));
    assert_eq!(job.state(), JobState::Waiting);
    assert!(job.waiting_for().unwrap().starts_with("the connection's request budget until 20"), "{:?}", job.waiting_for());
    job.cancel(Stop::User);
    job.cancel(Stop::Closing);
    let err = job.check_cancelled().unwrap_err();
    assert_eq!(err.to_string(), "job 7 was cancelled by CANCEL JOB");
    job.end(Err(err));
    assert_eq!((job.state(), job.waiting_for()), (JobState::Cancelled, None));
    assert!(job.ended_at() >= Some(job.started_at()) && job.wait_at_most(Duration::ZERO));
}

#[test]
fn who_waits_for_another_job_names_it() {
    let (child, parent) = (job(), Job::new(8, LoadAction::Load, "github.owners".into(), &settings()));
    child.waits_for(&parent);
    assert_eq!((child.state(), child.waiting_for().as_deref()), (JobState::Waiting, Some("job 8, github.owners")));
    child.resumes();
    assert_eq!((child.state(), child.waiting_for()), (JobState::Running, None));
}

#[test]
fn percent_is_known_only_with_a_total() {
    let job = job();
    job.counters().pages.store(3, Ordering::Relaxed);
    assert_eq!(job.percent(), None);
    job.counters().expected_pages.store(12, Ordering::Relaxed);
    assert_eq!(job.percent(), Some(25.0));
    assert!(job.seconds_left().is_some());
    job.counters().sets.store(2, Ordering::Relaxed);
    assert_eq!((job.percent(), job.seconds_left()), (Some(0.0), None));
    job.counters().sets_done.store(1, Ordering::Relaxed);
    assert_eq!(job.percent(), Some(50.0));
    job.end(Ok(job.report()));
    assert_eq!((job.percent(), job.seconds_left()), (Some(100.0), None));
}
