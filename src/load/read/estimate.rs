//! How many requests a load takes, and how long: from the rows there are, the load before it, and the connection's budget.

use crate::load::clock::now_micros;
use crate::load::job::report::{JobState, LoadAction};
use crate::load::known::KnownJob;
use crate::load::records::store::Store;
use crate::load::target::TableTarget;
use crate::session::{quote_literal, Session, Value};
use crate::source::Paging;
use crate::Result;
use std::time::Duration;

/// Ended loads that are looked at.
const MOST_LOOKED_AT: usize = 50;

/// The last load of a table that did the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LastLoad {
    pub n_rows: u64,
    pub seconds: f64,
    /// Known only of loads since the database was opened.
    pub n_requests: Option<u64>,
}

/// What loads of the same kind are called in `loading_jobs`, and whether they ask for everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Everything,
    Updates,
}

impl LastLoad {
    /// Returns the last load of the table of that kind that succeeded.
    pub fn find(session: &mut dyn Session, store: &Store, target: &TableTarget, jobs: &[KnownJob], kind: Kind) -> Result<Option<LastLoad>> {
        let has_updates = target.table_def()?.refresh.updates().is_some();
        let is_same = |action: LoadAction| match action {
            LoadAction::Refresh if has_updates => kind == Kind::Updates,
            LoadAction::Load | LoadAction::Refresh | LoadAction::Reload => kind == Kind::Everything,
        };
        let known = jobs.iter().rev().find(|known| {
            let is_it = known.target.table == target.table
                && known.target.catalog == target.catalog
                && known.target.connection.name == target.connection.name;
            is_it && known.job.state() == JobState::Success && is_same(known.job.action())
        });
        if let Some((job, report)) = known.map(|known| (&known.job, known.job.report())).filter(|(_, report)| report.requests > 0) {
            return Ok(Some(LastLoad { n_rows: job.rows_stored(), seconds: report.seconds, n_requests: Some(report.requests) }));
        }
        if !store.is_ours(session, &store.target.table, None)? {
            return Ok(None);
        }
        let rows = session.query(&format!(
            "SELECT ended.action, ended.numrows, started.timestamp, ended.timestamp FROM {unify}.loading_jobs AS ended
             JOIN {unify}.loading_jobs AS started ON started.id = ended.parent_id
             WHERE lower(ended.table_schema) = lower({schema}) AND lower(ended.table_name) = lower({table})
               AND ended.action IN ('load_end', 'refresh_end') AND ended.status = 'success'
             ORDER BY ended.timestamp DESC LIMIT {MOST_LOOKED_AT}",
            unify = store.unify_schema,
            schema = quote_literal(&store.target.schema),
            table = quote_literal(&store.target.table),
        ))?;
        Ok(rows.iter().find_map(|row| {
            let [Value::Text(action), n_rows, Value::Timestamp(began), Value::Timestamp(ended)] = row.as_slice() else { return None };
            let action = if action == "load_end" { LoadAction::Load } else { LoadAction::Refresh };
            let n_rows = n_rows.as_integer().and_then(|number| u64::try_from(number).ok())?;
            let seconds = ended.saturating_sub(*began) as f64 / 1e6;
            is_same(action).then_some(LastLoad { n_rows, seconds, n_requests: None })
        }))
    }

    /// Returns how many requests that load took, by what is known of it.
    pub fn requests(&self, paging: &Paging, n_sets: u64) -> Option<u64> {
        self.n_requests.or_else(|| paging.n_pages(self.n_rows, n_sets))
    }
}

/// Returns how long so many requests take: as long as they took, and no shorter than the connection's budget allows.
pub fn seconds(n_requests: u64, last: Option<(f64, u64)>, spacing: Duration, pause: Duration) -> Option<f64> {
    let as_last = last.filter(|(_, n_last)| *n_last > 0).map(|(seconds, n_last)| seconds * n_requests as f64 / n_last as f64);
    let least = spacing.as_secs_f64() * n_requests.saturating_sub(1) as f64 + pause.as_secs_f64();
    match as_last {
        Some(seconds) => Some(seconds.max(least)),
        None => (least > 0.0).then_some(least),
    }
}

/// Returns how long ago a moment is, for people.
pub fn age_text(moment: i64) -> String {
    let seconds = (now_micros().saturating_sub(moment) / 1_000_000).max(0);
    duration_text(seconds as u64)
}

/// Returns a length of time in the unit that suits it.
pub fn duration_text(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_that_of_the_last_load_and_no_less_than_the_budget_asks_for() {
        let (none, second) = (Duration::ZERO, Duration::from_secs(1));
        assert_eq!(seconds(10, None, none, none), None);
        assert_eq!(seconds(10, None, second, none), Some(9.0));
        assert_eq!(seconds(10, Some((2.0, 4)), none, none), Some(5.0));
        assert_eq!(seconds(10, Some((2.0, 4)), second, second), Some(10.0));
        assert_eq!(seconds(10, Some((2.0, 0)), none, second), Some(1.0));
    }

    #[test]
    fn lengths_of_time_are_short_to_read() {
        let shown: Vec<String> = [0, 119, 120, 7_200, 172_800].into_iter().map(duration_text).collect();
        assert_eq!(shown, ["0 s", "119 s", "2 min", "2 h", "2 d"]);
    }
}
