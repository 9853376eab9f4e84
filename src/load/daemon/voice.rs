//! What the daemon says of what it does, line by line, where somebody listens.

use super::plan::{LoadedTable, MachineLoad, NextRefresh, Why};
use crate::columns::timestamp_text;
use crate::load::job::handle::Job;
use crate::{Error, Result};
use std::sync::Arc;

/// Gets the lines of a daemon that runs in the foreground.
pub type Say = dyn Fn(&str) + Send;

/// Says what is new since it last spoke.
pub(super) struct Voice {
    say: Option<Box<Say>>,
    /// How many tables are kept fresh, once that was said.
    n_tables: Option<usize>,
    is_held_back: bool,
    /// What is refreshed next, and when, as it was said.
    next: Option<String>,
    problem: Option<String>,
    /// Jobs whose end was not said.
    jobs: Vec<Arc<Job>>,
}

impl Voice {
    /// Makes one that speaks to `say`, or keeps quiet.
    pub(super) fn new(say: Option<Box<Say>>) -> Voice {
        Voice { say, n_tables: None, is_held_back: false, next: None, problem: None, jobs: Vec::new() }
    }

    fn say(&self, text: &str) {
        if let Some(say) = &self.say {
            // One line each: an error may have several.
            say(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    /// Says what a look at the tables showed.
    pub(super) fn looked(&mut self, tables: &[LoadedTable], plans: &[NextRefresh], machine: MachineLoad, problem: Option<&Error>) {
        if self.n_tables != Some(tables.len()) {
            self.n_tables = Some(tables.len());
            self.say(&format!("loaded tables that are kept fresh: {}", tables.len()));
        }
        let problem = problem.map(|problem| problem.message().to_string());
        if let Some(problem) = problem.as_ref().filter(|problem| self.problem.as_ref() != Some(*problem)) {
            self.say(&format!("problem: {problem}"));
        }
        self.problem = problem;
        let is_held_back = plans.iter().any(|plan| plan.why == Why::MachineBusy);
        if is_held_back != self.is_held_back {
            self.is_held_back = is_held_back;
            let word = if is_held_back { "waits" } else { "goes on" };
            self.say(&format!("{word}: {}", machine.to_text()));
        }
        let is_idle = plans.iter().all(|plan| matches!(plan.why, Why::Fresh | Why::BackingOff(_)));
        let next = tables.iter().zip(plans).min_by_key(|(_, plan)| plan.due);
        let next = next.filter(|_| is_idle && self.jobs.is_empty());
        let next = next.map(|(table, plan)| format!("next: {}.{} at {} UTC", table.connection, table.table, timestamp_text(plan.due)));
        if let Some(next) = next.filter(|next| self.next.as_ref() != Some(next)) {
            self.say(&next);
            self.next = Some(next);
        }
    }

    /// Says that a refresh started, or that it could not.
    pub(super) fn started(&mut self, outcome: Result<&Arc<Job>>) {
        match outcome {
            Ok(job) => {
                self.say(&format!("refreshes {}, job {}", job.label(), job.id()));
                self.jobs.push(Arc::clone(job));
            }
            Err(err) => self.say(&format!("failed to start a refresh: {err}")),
        }
    }

    /// Says how the refreshes ended that ended meanwhile.
    pub(super) fn hear_of_ends(&mut self) {
        let (ended, running): (Vec<_>, Vec<_>) = self.jobs.drain(..).partition(|job| job.is_ended());
        self.jobs = running;
        for job in ended {
            match job.outcome() {
                Some(Ok(report)) => self.say(&format!(
                    "refreshed {}, job {}: {} rows, {} requests, {:.1} s",
                    job.label(),
                    job.id(),
                    report.rows,
                    report.requests,
                    report.seconds
                )),
                Some(Err(err)) => self.say(&format!("failed to refresh {}, job {}: {err}", job.label(), job.id())),
                None => {}
            }
        }
    }

    /// Says that the daemon ends.
    pub(super) fn ends(&self, n_refreshes: u64) {
        self.say(&format!("stopped; refreshes started: {n_refreshes}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::LoadAction;
    use crate::session::Settings;
    use expect_test::{expect, Expect};
    use std::sync::Mutex;
    use std::time::Duration;

    fn table() -> LoadedTable {
        LoadedTable {
            catalog: "memory".to_string(),
            connection: "shop".to_string(),
            table: "orders".to_string(),
            loaded_at: 0,
            max_staleness: Duration::from_secs(60),
            n_failures: 0,
            failed_at: None,
        }
    }

    fn check(acts: impl FnOnce(&mut Voice), expected: Expect) {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = lines.clone();
        let mut voice = Voice::new(Some(Box::new(move |line| heard.lock().unwrap().push(line.to_string()))));
        acts(&mut voice);
        expected.assert_eq(&lines.lock().unwrap().join("\n"));
    }

    #[test]
    fn each_thing_is_said_once() {
        let (quiet, busy) = (MachineLoad { per_core: 0.5, limit: 4.0 }, MachineLoad { per_core: 4.25, limit: 4.0 });
        let plan = |why| [NextRefresh { due: 60_000_000, why }];
        check(
            |voice| {
                voice.looked(&[], &[], quiet, None);
                voice.looked(&[table()], &plan(Why::Fresh), quiet, None);
                voice.looked(&[table()], &plan(Why::Fresh), busy, None);
                for _ in 0..2 {
                    voice.looked(&[table()], &plan(Why::MachineBusy), busy, Some(&Error::config("odd")));
                }
                voice.looked(&[table()], &plan(Why::Due), quiet, None);
                voice.ends(1);
            },
            expect![[r#"
                loaded tables that are kept fresh: 0
                loaded tables that are kept fresh: 1
                next: shop.orders at 1970-01-01 00:01:00 UTC
                problem: odd
                waits: load 4.25 per core is not below unify_daemon_max_load = 4
                goes on: load 0.50 per core is below unify_daemon_max_load = 4
                stopped; refreshes started: 1"#]],
        );
    }

    #[test]
    fn the_end_of_each_refresh_is_said() {
        let settings = Settings::read(|_| None).unwrap();
        let job = |id| Arc::new(Job::new(id, LoadAction::Refresh, "shop.orders".into(), &settings));
        let (good, bad) = (job(1), job(2));
        check(
            |voice| {
                voice.started(Ok(&good));
                voice.started(Ok(&bad));
                voice.started(Err(Error::config("no").within("table 'x'")));
                voice.hear_of_ends();
                bad.end(Err(Error::api("GET returned 500:\n  down")));
                voice.hear_of_ends();
                voice.hear_of_ends();
            },
            expect![[r#"
                refreshes shop.orders, job 1
                refreshes shop.orders, job 2
                failed to start a refresh: table 'x': no
                failed to refresh shop.orders, job 2: GET returned 500: down"#]],
        );
        let report = crate::load::LoadReport { rows: 3, requests: 1, seconds: 0.25, ..good.report() };
        check(
            |voice| {
                voice.started(Ok(&good));
                good.end(Ok(report));
                voice.hear_of_ends();
            },
            expect![[r#"
                refreshes shop.orders, job 1
                refreshed shop.orders, job 1: 3 rows, 1 requests, 0.2 s"#]],
        );
    }
}
