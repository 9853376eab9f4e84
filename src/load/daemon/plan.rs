//! Which tables the daemon refreshes, when, and why not sooner: decided from times and counts alone.

use crate::load::known::RunningJob;
use std::time::Duration;

/// The first pause after a failure; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);
/// The most that chance adds to when a table is due.
const MOST_JITTER: Duration = Duration::from_secs(300);
/// How soon to look again at the soonest, and when the machine is busy.
const SOON: Duration = Duration::from_millis(100);
const BUSY: Duration = Duration::from_secs(1);
/// How long a change of settings, connections or attached databases may stay unseen.
const LATEST: Duration = Duration::from_secs(5);

/// A loaded table as the daemon sees it. Moments are microseconds since 1970.
#[derive(Debug, Clone)]
pub struct LoadedTable {
    pub catalog: String,
    /// Name of the connection, and of the schema.
    pub connection: String,
    pub table: String,
    /// When the load began whose rows the table has.
    pub loaded_at: i64,
    pub max_staleness: Duration,
    /// Loads that failed since the last that succeeded, and when the last of them did.
    pub n_failures: u32,
    pub failed_at: Option<i64>,
}

/// How busy the machine is, and how busy it may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MachineLoad {
    /// The load average of the last minute per core.
    pub per_core: f64,
    /// The daemon starts nothing unless it is below this.
    pub limit: f64,
}

/// Why a table is refreshed now, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is past its `max_staleness` and nothing is in the way.
    Due,
    /// It is not as old as it may become.
    Fresh,
    /// Its last loads failed, that many of them.
    BackingOff(u32),
    /// That job loads it.
    Loading(i64),
    /// That job loads another table of the connection.
    ConnectionBusy(i64),
    /// Another table of the connection goes first.
    Queued,
    /// The machine has other work.
    MachineBusy,
    /// Nothing may be sent.
    Forbidden,
}

/// What is planned for a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRefresh {
    /// When it is due, in microseconds since 1970.
    pub due: i64,
    pub why: Why,
}

impl MachineLoad {
    /// Returns whether work may start.
    pub fn is_quiet(&self) -> bool {
        self.per_core < self.limit
    }

    /// Returns how the load compares with what it may be: `load 3.10 per core is not below unify_daemon_max_load = 2`.
    pub fn to_text(&self) -> String {
        let is = if self.is_quiet() { "is below" } else { "is not below" };
        format!("load {:.2} per core {is} unify_daemon_max_load = {}", self.per_core, self.limit)
    }
}

/// Returns what is planned for each table, in their order: of each connection the one that is due longest is refreshed, unless one of its
/// tables is being loaded.
pub fn plan(tables: &[LoadedTable], running: &[RunningJob], machine: MachineLoad, now: i64) -> Vec<NextRefresh> {
    let mut plans: Vec<NextRefresh> = tables.iter().map(|table| plan_alone(table, running, machine, now)).collect();
    for idx in 0..plans.len() {
        let is_first = |other: usize| plans[other].why == Why::Due && (plans[other].due, other) < (plans[idx].due, idx);
        let is_behind = (0..plans.len()).any(|other| is_first(other) && same(&tables[other].connection, &tables[idx].connection));
        if plans[idx].why == Why::Due && is_behind {
            plans[idx].why = Why::Queued;
        }
    }
    plans
}

/// Starts nothing while nothing may be sent: a load would fail, and the table would wait for longer than the policy holds.
pub fn forbid(plans: &mut [NextRefresh]) {
    for plan in plans.iter_mut().filter(|plan| matches!(plan.why, Why::Due | Why::Queued | Why::MachineBusy)) {
        plan.why = Why::Forbidden;
    }
}

/// Returns when to look again: when the next table is due, and neither at once nor late.
pub fn look_again(plans: &[NextRefresh], now: i64) -> i64 {
    let is_held_back = plans.iter().any(|plan| plan.why == Why::MachineBusy);
    let has_started = plans.iter().any(|plan| plan.why == Why::Due);
    let dues = plans.iter().filter(|plan| matches!(plan.why, Why::Fresh | Why::BackingOff(_))).map(|plan| plan.due);
    let mut next = dues.min().unwrap_or(i64::MAX);
    if is_held_back {
        next = next.min(after(now, BUSY));
    }
    if has_started {
        next = next.min(after(now, SOON));
    }
    next.clamp(after(now, SOON), after(now, LATEST))
}

fn plan_alone(table: &LoadedTable, running: &[RunningJob], machine: MachineLoad, now: i64) -> NextRefresh {
    let due = due_at(table);
    let of_connection = |job: &&RunningJob| same(&job.connection, &table.connection);
    let own = |job: &&RunningJob| of_connection(job) && same(&job.catalog, &table.catalog) && same(&job.table, &table.table);
    let why = if let Some(job) = running.iter().find(own) {
        Why::Loading(job.id)
    } else if due > now && table.n_failures > 0 && due > stale_at(table) {
        Why::BackingOff(table.n_failures)
    } else if due > now {
        Why::Fresh
    } else if let Some(job) = running.iter().find(of_connection) {
        Why::ConnectionBusy(job.id)
    } else if !machine.is_quiet() {
        Why::MachineBusy
    } else {
        Why::Due
    };
    NextRefresh { due, why }
}

/// Returns when a table is to be refreshed: when it is too old, and after a failure not before the pause is over.
fn due_at(table: &LoadedTable) -> i64 {
    let Some(failed_at) = table.failed_at.filter(|_| table.n_failures > 0) else { return stale_at(table) };
    let pause = pause_after(table.n_failures, table.max_staleness);
    let seed = seed_of(table) ^ u64::from(table.n_failures);
    stale_at(table).max(after(after(failed_at, pause), jitter(seed, pause / 10)))
}

/// Returns when a table is older than it may become, and a little later: tables that were loaded together are not due together.
fn stale_at(table: &LoadedTable) -> i64 {
    let most = (table.max_staleness / 10).min(MOST_JITTER);
    after(after(table.loaded_at, table.max_staleness), jitter(seed_of(table), most))
}

/// Returns how long to wait after that many failures in a row: a minute, or the table's `max_staleness` where that is shorter, doubled by
/// each failure after the first.
fn pause_after(n_failures: u32, max_staleness: Duration) -> Duration {
    let factor = 1_u32 << n_failures.saturating_sub(1).min(20);
    FIRST_PAUSE.min(max_staleness).saturating_mul(factor).min(LONGEST_PAUSE)
}

/// Returns a length of time up to `most` that depends on the seed alone.
fn jitter(seed: u64, most: Duration) -> Duration {
    // The finisher of SplitMix64: neighbouring seeds give unrelated numbers.
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    most.mul_f64((mixed >> 11) as f64 / (1_u64 << 53) as f64)
}

/// Returns the seed of a table's chance: the same as long as the table has the same rows.
fn seed_of(table: &LoadedTable) -> u64 {
    let bytes = [&table.catalog, &table.connection, &table.table].into_iter().flat_map(|name| name.bytes().chain([0]));
    // FNV-1a, which is the same in every process.
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash ^ table.loaded_at as u64
}

fn after(moment: i64, wait: Duration) -> i64 {
    moment.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;
    const QUIET: MachineLoad = MachineLoad { per_core: 0.1, limit: 0.5 };

    fn table(connection: &str, name: &str, loaded_at: i64) -> LoadedTable {
        LoadedTable {
            catalog: "db".into(),
            connection: connection.into(),
            table: name.into(),
            loaded_at,
            max_staleness: Duration::from_secs(100),
            n_failures: 0,
            failed_at: None,
        }
    }

    fn job(id: i64, connection: &str, table: &str) -> RunningJob {
        RunningJob { id, catalog: "DB".into(), connection: connection.into(), table: table.into() }
    }

    fn whys(tables: &[LoadedTable], running: &[RunningJob], machine: MachineLoad, seconds: i64) -> Vec<Why> {
        plan(tables, running, machine, seconds * SECOND).iter().map(|plan| plan.why).collect()
    }

    #[test]
    fn a_table_is_due_when_it_is_too_old() {
        let tables = [table("shop", "orders", 0)];
        assert_eq!(whys(&tables, &[], QUIET, 100), [Why::Fresh]);
        assert_eq!(whys(&tables, &[], QUIET, 110), [Why::Due]);
        let due = plan(&tables, &[], QUIET, 0)[0].due;
        assert!((100 * SECOND..110 * SECOND).contains(&due), "{due}");
    }

    #[test]
    fn of_a_connection_the_oldest_goes_first_and_connections_go_side_by_side() {
        let tables = [table("shop", "new", 9 * SECOND), table("Shop", "old", -50 * SECOND), table("bank", "rates", 0)];
        assert_eq!(whys(&tables, &[], QUIET, 200), [Why::Queued, Why::Due, Why::Due]);
        let running = [job(7, "SHOP", "OLD")];
        assert_eq!(whys(&tables, &running, QUIET, 200), [Why::ConnectionBusy(7), Why::Loading(7), Why::Due]);
        // A fresh table waits for nothing.
        assert_eq!(whys(&tables, &running, QUIET, 20), [Why::Fresh, Why::Loading(7), Why::Fresh]);
    }

    #[test]
    fn tables_as_old_as_each_other_go_one_after_the_other() {
        let tables = [table("shop", "a", 0), table("shop", "a", 0)];
        assert_eq!(whys(&tables, &[], QUIET, 200), [Why::Due, Why::Queued]);
    }

    #[test]
    fn a_busy_machine_holds_back_and_a_quiet_one_catches_up() {
        let tables = [table("shop", "orders", 0), table("bank", "rates", 500 * SECOND)];
        let busy = MachineLoad { per_core: 0.5, limit: 0.5 };
        assert_eq!(whys(&tables, &[], busy, 550), [Why::MachineBusy, Why::Fresh]);
        assert_eq!(look_again(&plan(&tables, &[], busy, 550 * SECOND), 550 * SECOND), 551 * SECOND);
        assert_eq!(whys(&tables, &[], QUIET, 551), [Why::Due, Why::Fresh]);
        assert!(!MachineLoad { per_core: 0.0, limit: 0.0 }.is_quiet());
    }

    #[test]
    fn failures_are_waited_out_ever_longer() {
        let pauses: Vec<u64> = [1, 2, 3, 9, 10, 99].iter().map(|n| pause_after(*n, Duration::from_secs(100)).as_secs()).collect();
        assert_eq!(pauses, [60, 120, 240, 15_360, 21_600, 21_600]);
        assert_eq!(pause_after(2, Duration::from_secs(1)), Duration::from_secs(2));
        let failed = LoadedTable { n_failures: 2, failed_at: Some(200 * SECOND), ..table("shop", "orders", 0) };
        assert_eq!(whys(std::slice::from_ref(&failed), &[], QUIET, 320), [Why::BackingOff(2)]);
        assert_eq!(whys(std::slice::from_ref(&failed), &[], QUIET, 332), [Why::Due]);
        // A failed RELOAD of a table that is fresh does not make it due sooner.
        let fresh = LoadedTable { loaded_at: 1000 * SECOND, ..failed };
        assert_eq!(whys(&[fresh], &[], QUIET, 1010), [Why::Fresh]);
    }

    #[test]
    fn the_next_look_is_when_a_table_is_due() {
        let again = |tables: &[LoadedTable], now: i64| look_again(&plan(tables, &[], QUIET, now), now);
        let tables = [table("shop", "orders", 0)];
        let due = plan(&tables, &[], QUIET, 0)[0].due;
        assert_eq!(again(&tables, due - 3 * SECOND), due);
        assert_eq!(again(&tables, due - 1), due - 1 + SECOND / 10);
        assert_eq!(again(&tables, 0), 5 * SECOND);
        assert_eq!(again(&tables, due), due + SECOND / 10);
        assert_eq!(again(&[], 0), 5 * SECOND);
    }

    proptest! {
        #[test]
        fn chance_stays_within_its_bounds_and_is_the_same_again(seed: u64, most in 0_u64..1_000_000) {
            let most = Duration::from_millis(most);
            prop_assert!(jitter(seed, most) <= most);
            prop_assert_eq!(jitter(seed, most), jitter(seed, most));
        }

        #[test]
        fn a_connection_has_at_most_one_table_at_a_time(ages in proptest::collection::vec((0_usize..3, 0_i64..300), 0..20), now in 0_i64..400) {
            let names = ["a", "b", "c"];
            let tables: Vec<LoadedTable> = ages.iter().map(|(idx, loaded_at)| table(names[*idx], "t", loaded_at * SECOND)).collect();
            let plans = plan(&tables, &[], QUIET, now * SECOND);
            for name in names {
                let of_name = || tables.iter().zip(&plans).filter(|(table, _)| table.connection == name);
                let n_due = of_name().filter(|(_, plan)| plan.why == Why::Due).count();
                let is_any_late = of_name().any(|(_, plan)| plan.due <= now * SECOND);
                prop_assert_eq!(n_due, usize::from(is_any_late));
            }
        }

        #[test]
        fn no_length_of_time_overflows(loaded_at: i64, seconds: u32, n_failures: u32, failed_at: Option<i64>) {
            let max_staleness = Duration::from_secs(u64::from(seconds));
            let tables = [LoadedTable { max_staleness, n_failures, failed_at, ..table("shop", "orders", loaded_at) }];
            let plans = plan(&tables, &[], QUIET, 0);
            prop_assert!(look_again(&plans, 0) > 0);
        }
    }
}
