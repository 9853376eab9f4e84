//! What a load that ended before its time leaves, and how the next one goes on: at every statement in turn.

use super::bench::{checkpoints, rows_by_page, Bench, ITEMS};
use super::memory::State;
use crate::load::job::handle::Stop;
use crate::load::{Job, JobState, LoadAction};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, OnceLock};

/// A load whose process ended at one statement, and the one that came next.
pub(super) struct Killed {
    /// The last statement at which the process can end and leave this.
    pub(super) last: usize,
    /// What was committed by then.
    pub(super) before: Arc<State>,
    /// Pages that the next load asked for, with one that the first may have been on its way to.
    pub(super) asked: BTreeSet<String>,
    pub(super) after: Arc<State>,
}

/// Ends the process of `run` before each of its statements in turn, and runs it again on what is committed: once for each state that the
/// process can leave, of which there are fewer than statements.
pub(super) fn killed_everywhere(base: &Bench, run: impl Fn(&Bench)) -> Vec<Killed> {
    let mut all: Vec<Killed> = Vec::new();
    let mut n_commits = None;
    for at in 0.. {
        let first = base.reopened();
        first.database.dies_at(at);
        run(&first);
        if !first.database.is_dead() {
            break;
        }
        let n_before = n_commits.replace(first.database.commits().len());
        if n_before == n_commits {
            all.last_mut().unwrap().last = at;
            continue;
        }
        let _ = base.api.asked();
        let next = first.reopened();
        run(&next);
        all.push(Killed {
            last: at,
            before: first.database.state(),
            asked: base.api.asked().into_iter().collect(),
            after: next.database.state(),
        });
    }
    all
}

fn parts() -> [(&'static str, &'static [&'static str]); 3] {
    [("a", &[r#"{"id": 1}"#, r#"{"id": 2}"#]), ("b", &[]), ("c", &[r#"{"id": 1, "name": "nut"}"#])]
}

/// Loads of a table of three pages.
static LOADS: LazyLock<Vec<Killed>> = LazyLock::new(|| {
    let base = Bench::new();
    base.api.has("/items", ITEMS);
    killed_everywhere(&base, |bench| drop(bench.load("items")))
});

/// Loads of a table of three parameter sets, one of them without rows.
static SETS: LazyLock<Vec<Killed>> = LazyLock::new(|| {
    let base = Bench::new();
    for (shelf, pages) in parts() {
        base.api.has(&format!("/parts/{shelf}"), pages);
    }
    killed_everywhere(&base, |bench| drop(bench.load("parts")))
});

/// Loads of a table that is there, with other rows.
static RELOADS: LazyLock<Vec<Killed>> = LazyLock::new(|| {
    let base = Bench::new();
    base.api.has("/items", &[r#"{"id": 9, "name": "old", "price": 1}"#]);
    base.load("items").unwrap();
    base.api.has("/items", ITEMS);
    killed_everywhere(&base, |bench| drop(bench.run("items", LoadAction::Reload)))
});

/// Refreshes of a table by what changed.
static UPDATES: LazyLock<Vec<Killed>> = LazyLock::new(|| {
    let base = Bench::new();
    base.api.has("/events", &[r#"{"id": 1, "at": 1}, {"id": 2, "at": 1}"#]);
    base.load("events").unwrap();
    base.api.has("/events?since", &[r#"{"id": 2, "at": 5}"#, r#"{"id": 3, "at": 6}"#]);
    killed_everywhere(&base, |bench| drop(bench.run("events", LoadAction::Refresh)))
});

/// Returns the values of a table's rows, sorted.
pub(super) fn rows(state: &State, table: &str, columns: &[&str]) -> Vec<String> {
    let mut rows: Vec<String> = state.texts("shop", table, columns).iter().map(|row| row.join("|")).collect();
    rows.sort();
    rows
}

fn items(state: &State) -> Vec<String> {
    rows(state, "items", &["id", "name", "price"])
}

const ALL_ITEMS: [&str; 5] = ["1|nail|2", "2|saw|30", "3|plane|45", "4|file|7", "5|rasp|9"];

#[test]
fn a_load_killed_at_any_statement_is_gone_on_with_to_the_same_rows() {
    assert!(LOADS.last().unwrap().last > 40 && LOADS.len() > 4);
    for killed in LOADS.iter() {
        let at = killed.last;
        assert_eq!(items(&killed.after), ALL_ITEMS, "killed at statement {at}");
    }
}

#[test]
fn whatever_was_killed_nothing_of_it_is_left() {
    for killed in LOADS.iter() {
        let at = killed.last;
        assert!(killed.after.table("shop", "items__loading").is_none(), "killed at statement {at}");
        let noted: BTreeSet<Vec<String>> = killed.after.texts("unify", "load_state", &["table_name", "status"]).into_iter().collect();
        let expected = [["", "schema"], ["cheap_items", "complete"], ["items", "complete"]].map(|row| row.map(String::from).to_vec());
        assert_eq!(noted, BTreeSet::from(expected), "killed at statement {at}");
    }
}

#[test]
fn only_the_last_stored_page_is_asked_for_again() {
    let mut starts = BTreeSet::new();
    for killed in LOADS.iter() {
        let at = killed.last;
        let place = checkpoints(&killed.before, "items").into_values().next();
        let n_pages = place.map_or(0, |place| place.n_pages(ITEMS.len()));
        let first =
            if killed.before.table("shop", "items").is_some() || n_pages == ITEMS.len() { ITEMS.len() } else { n_pages.saturating_sub(1) };
        let expected: BTreeSet<String> = (first..ITEMS.len()).map(|page| format!("/items#{page}")).collect();
        assert_eq!(killed.asked, expected, "killed at statement {at}");
        starts.insert(n_pages);
    }
    assert_eq!(starts, BTreeSet::from([0, 1, 2, 3]));
}

#[test]
fn a_killed_load_never_shows_a_part_of_its_rows() {
    for killed in LOADS.iter() {
        let at = killed.last;
        let shown = killed.before.table("shop", "items").map(|_| items(&killed.before));
        assert!(shown.is_none_or(|shown| shown == ALL_ITEMS), "killed at statement {at}");
    }
}

#[test]
fn every_start_gets_its_one_end_and_every_record_an_id_of_its_own() {
    let mut n_killed_in_the_middle = 0;
    for killed in LOADS.iter() {
        let at = killed.last;
        let records = killed.after.texts("unify", "loading_jobs", &["id", "parent_id", "action", "status"]);
        let ids: BTreeSet<&String> = records.iter().map(|record| &record[0]).collect();
        assert_eq!(ids.len(), records.len(), "killed at statement {at}: {records:?}");
        for start in records.iter().filter(|record| record[2] == "load_start") {
            let ends = records.iter().filter(|record| record[2] == "load_end" && record[1] == start[0]);
            assert_eq!(ends.count(), 1, "killed at statement {at}: {records:?}");
        }
        n_killed_in_the_middle += usize::from(records.iter().any(|record| record[3] == "error"));
    }
    assert!(n_killed_in_the_middle > 3);
}

#[test]
fn every_parameter_set_goes_on_where_it_was() {
    for killed in SETS.iter() {
        let at = killed.last;
        assert_eq!(rows(&killed.after, "parts", &["shelf", "id", "name"]), ["a|1|NULL", "a|2|NULL", "c|1|nut"], "killed at statement {at}");
        let known = checkpoints(&killed.before, "parts");
        for (shelf, pages) in parts() {
            let n_stored = known.get(&format!("{{\"shelf\":\"{shelf}\"}}")).map_or(0, |place| place.n_pages(pages.len().max(1)));
            let is_over = n_stored == pages.len().max(1) || killed.before.table("shop", "parts").is_some();
            let asked = killed.asked.iter().filter(|page| page.starts_with(&format!("/parts/{shelf}#"))).count();
            let expected = if is_over { 0 } else { pages.len().max(1) - n_stored.saturating_sub(1) };
            assert_eq!(asked, expected, "killed at statement {at}, shelf {shelf}, {known:?}");
        }
    }
}

#[test]
fn a_killed_reload_leaves_all_old_rows_or_all_new_ones() {
    let mut seen = BTreeSet::new();
    for killed in RELOADS.iter() {
        let at = killed.last;
        let shown = items(&killed.before);
        assert!(shown == ["9|old|1"] || shown == ALL_ITEMS, "killed at statement {at}: {shown:?}");
        assert_eq!(items(&killed.after), ALL_ITEMS, "killed at statement {at}");
        seen.insert(shown.len());
    }
    assert_eq!(seen, BTreeSet::from([1]));
}

#[test]
fn a_killed_refresh_leaves_the_table_as_it_was_and_the_next_one_merges_once() {
    assert!(UPDATES.last().unwrap().last > 35 && UPDATES.len() > 3);
    for killed in UPDATES.iter() {
        let at = killed.last;
        assert_eq!(rows(&killed.before, "events", &["id", "at"]), ["1|1", "2|1"], "killed at statement {at}");
        assert_eq!(rows(&killed.after, "events", &["id", "at"]), ["1|1", "2|5", "3|6"], "killed at statement {at}");
        assert!(killed.after.table("shop", "events__loading").is_none(), "killed at statement {at}");
    }
}

/// Loads the first of three pages and fails at the second.
fn failed_at_second_page() -> Bench {
    let bench = Bench::new();
    bench.api.has("/items", ITEMS);
    bench.api.breaks("/items", 1);
    bench.load("items").unwrap_err();
    assert_eq!(bench.api.asked(), ["/items#0", "/items#1"]);
    bench
}

#[test]
fn a_load_goes_on_where_the_api_failed() {
    let bench = failed_at_second_page();
    bench.api.is_mended();
    let report = bench.load("items").unwrap();
    assert_eq!((report.rows, report.pages, items(&bench.database.state()).as_slice()), (5, 3, ALL_ITEMS.map(String::from).as_slice()));
    assert_eq!(bench.api.asked(), ["/items#0", "/items#1", "/items#2"]);
    assert!(bench.log().contains("going on with an unfinished load, rows: 2, parameter sets done: 0"), "{}", bench.log());
}

#[test]
fn a_load_goes_on_in_the_time_at_which_it_began() {
    let bench = failed_at_second_page();
    let began = |table: &str| {
        bench.database.rows(&format!("SELECT started FROM unify.load_state WHERE table_name = '{table}' AND parameter_set = ''"))
    };
    let first = began("items__loading");
    bench.api.is_mended();
    bench.load("items").unwrap();
    assert_eq!((first.len(), began("items")), (1, first));
}

#[test]
fn where_the_place_itself_fails_twice_the_load_starts_over() {
    let bench = failed_at_second_page();
    bench.api.breaks("/items", 0);
    let err = bench.load("items").unwrap_err();
    assert!(err.message().contains("an unfinished load goes on here; load again"), "{err}");
    let status = "SELECT status FROM unify.load_state WHERE table_name = 'items__loading' AND parameter_set = ''";
    assert_eq!(bench.database.rows(status), ["failed there"]);
    bench.api.is_mended();
    bench.load("items").unwrap();
    assert_eq!(items(&bench.database.state()), ALL_ITEMS);
}

#[test]
fn a_page_that_has_other_rows_by_now_makes_the_load_start_over() {
    let bench = failed_at_second_page();
    bench.api.has("/items", &[r#"{"id": 7, "name": "new", "price": 1}"#]);
    bench.api.is_mended();
    bench.load("items").unwrap();
    assert_eq!(items(&bench.database.state()), ["7|new|1"]);
    assert!(bench.log().contains("the last page that is stored has other rows at the API by now; starting over"), "{}", bench.log());
}

/// Checks that a load starts over, and says why, after statements of somebody else.
fn check_starts_over(sql: &str, reason: &str) {
    let bench = failed_at_second_page();
    bench.database.run(sql);
    bench.api.is_mended();
    bench.load("items").unwrap();
    assert_eq!(bench.api.asked(), ["/items#0", "/items#1", "/items#2"]);
    assert_eq!(items(&bench.database.state()), ALL_ITEMS);
    assert!(bench.log().contains(&format!("an unfinished load cannot be continued: {reason}; starting over")), "{}", bench.log());
}

#[test]
fn an_old_unfinished_load_starts_over() {
    check_starts_over(
        "UPDATE unify.load_state SET updated = make_timestamp(0) WHERE table_name = 'items__loading'",
        "nothing was added to it for more than two days",
    );
}

#[test]
fn a_staging_table_that_somebody_changed_is_made_anew() {
    check_starts_over("ALTER TABLE shop.items__loading ADD COLUMN mine VARCHAR", "'items__loading' is not as it was left");
    check_starts_over("DROP TABLE shop.items__loading", "'items__loading' is not as it was left");
}

#[test]
fn a_place_that_cannot_be_read_makes_the_load_start_over() {
    check_starts_over(
        "UPDATE unify.load_state SET place = 'somewhere' WHERE table_name = 'items__loading' AND parameter_set <> ''",
        "its checkpoint was not stored, since it holds a secret or lies within an answer",
    );
}

#[test]
fn the_load_of_another_spec_is_not_gone_on_with() {
    let bench = failed_at_second_page();
    bench.api.is_mended();
    let other = bench.reopened_with(|spec| spec.replace("resource_path: /items", "resource_path: /items\n    headers: {x-kind: all}"));
    other.load("items").unwrap();
    assert_eq!(items(&other.database.state()), ALL_ITEMS);
    assert!(other.log().contains("the spec or the options changed; starting over"), "{}", other.log());
}

/// Cancels a load while its first page is stored, and returns it when it has stopped.
fn cancelled(stop: Stop) -> (Bench, Arc<Job>) {
    let bench = Bench::new();
    bench.api.has("/items", ITEMS);
    let known: Arc<OnceLock<Arc<Job>>> = Arc::default();
    let job = known.clone();
    bench.database.fails(move |transacted| {
        if transacted.is_at("APPEND items__loading") {
            job.wait().cancel(stop);
        }
        None
    });
    let job = bench.start("items", LoadAction::Load).unwrap();
    let _ = known.set(job.clone());
    job.wait(&|| false, None).unwrap_err();
    bench.database.works_again();
    (bench, job)
}

#[test]
fn a_cancelled_load_keeps_what_is_stored_and_the_next_one_goes_on() {
    let (bench, job) = cancelled(Stop::User);
    assert_eq!(job.state(), JobState::Cancelled);
    let n_stored = bench.rows("items__loading").len();
    let n_pages: usize = checkpoints(&bench.database.state(), "items").values().map(|place| place.n_pages(ITEMS.len())).sum();
    assert!(n_pages >= 1);
    assert_eq!(n_stored, rows_by_page(ITEMS, n_pages));
    let _ = bench.api.asked();
    bench.load("items").unwrap();
    // The cancelled load may have been on its way to a page that comes later.
    assert!((0..n_pages - 1).all(|page| !bench.api.has_been_asked(&format!("/items#{page}"))));
    assert_eq!(items(&bench.database.state()), ALL_ITEMS);
}

#[test]
fn a_cancelled_load_can_be_dropped_with_what_it_stored() {
    let (bench, _) = cancelled(Stop::User);
    let known = bench.loader.jobs().pop().unwrap();
    bench.loader.cancel(&known, true, &|| false).unwrap();
    let state = bench.database.state();
    assert!(state.table("shop", "items__loading").is_none() && checkpoints(&state, "items").is_empty());
    let _ = bench.api.asked();
    bench.load("items").unwrap();
    assert!(bench.api.has_been_asked("/items#0"));
    assert_eq!(items(&bench.database.state()), ALL_ITEMS);
}
