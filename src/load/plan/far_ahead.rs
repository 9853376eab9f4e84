//! A cursor that is a number, and one row far ahead of all others: refreshes would ask from there on, and miss what changes before it.
//!
//! Moments are capped at the start of the last load, and numbers that the spec declares to be moments, too. What another number means is not
//! known, so that the log warns, by rules that ordinary ids do not meet: of many rows, the greatest value is a thousand times the next one, as
//! none is in a sequence, among random numbers, or among ids that begin with a time; or all but the greatest look like moments of the past,
//! and the greatest like one that is more than a year ahead.

use crate::columns::{ColumnType, TableSchema};
use crate::load::job::log::Notes;
use crate::load::plan::named::{column_named, type_named};
use crate::load::records::store::Store;
use crate::session::{quote_ident, LogLevel, Session, Value};
use crate::spec::{ScalarType, Updates};
use crate::Result;

/// Fewer rows do not tell what is usual.
const FEWEST: u64 = 100;
/// How many times the next value the greatest is.
const FACTOR: f64 = 1000.0;
/// 2001-09-09, the first second of ten digits: all moments that APIs tell as numbers are later.
const FIRST_SECOND: f64 = 1e9;
const DAY: f64 = 86_400.0;
const YEAR: f64 = 366.0 * DAY;

/// The values of a cursor's column.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    n_rows: u64,
    least: f64,
    /// The greatest but one.
    next: f64,
    greatest: f64,
}

/// Returns a warning where one value of a cursor that is a number is far ahead of all others. Reads the column.
pub fn far_ahead(session: &mut dyn Session, store: &Store, known: &TableSchema, updates: &Updates, now: i64) -> Result<Notes> {
    let cursor = updates.cursor.as_ref().filter(|_| updates.format.number_unit().is_none());
    let Some(column) = cursor.and_then(|cursor| column_named(known, &cursor.column)) else { return Ok(Notes::new()) };
    let is_number =
        matches!(type_named(known, column), Some(ColumnType::Scalar(ScalarType::BigInt | ScalarType::HugeInt | ScalarType::Double)));
    if !is_number {
        return Ok(Notes::new());
    }
    let (name, target) = (quote_ident(column), &store.target);
    let rows = session.query(&format!(
        "SELECT count({name}), CAST(min({name}) AS DOUBLE), CAST(max({name}) FILTER ({name} < (SELECT max({name}) FROM {target})) AS DOUBLE), \
         CAST(max({name}) AS DOUBLE), CAST(max({name}) AS VARCHAR) FROM {target}"
    ))?;
    let Some([Value::Integer(n_rows), Value::Double(least), Value::Double(next), Value::Double(greatest), Value::Text(shown)]) =
        rows.first().map(Vec::as_slice)
    else {
        return Ok(Notes::new());
    };
    let spread = Spread { n_rows: u64::try_from(*n_rows).unwrap_or_default(), least: *least, next: *next, greatest: *greatest };
    let seconds = now as f64 / 1e6;
    if !spread.is_far_ahead(seconds) {
        return Ok(Notes::new());
    }
    let message = format!(
        "the cursor column '{column}' has {shown}, far ahead of all other values: a refresh asks for what comes after it, and misses what \
         changes before; correct that row at the source and RELOAD, or, where the numbers are moments, say 'format: epoch' or \
         'format: epoch_ms' in the spec's 'refresh'"
    );
    Ok(vec![(LogLevel::Warning, message)])
}

impl Spread {
    fn is_far_ahead(self, now: f64) -> bool {
        let is_many_times = self.next >= 1.0 && self.greatest > self.next * FACTOR;
        // In seconds, milliseconds, microseconds and nanoseconds.
        let looks_like_future = [1.0, 1e3, 1e6, 1e9]
            .iter()
            .any(|unit| self.least >= FIRST_SECOND * unit && self.next <= (now + DAY) * unit && self.greatest > (now + YEAR) * unit);
        self.n_rows >= FEWEST && (is_many_times || looks_like_future)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: f64 = 1_764_000_000.0;

    fn spread(mut values: Vec<i64>) -> Spread {
        values.sort_unstable();
        let greatest = values[values.len() - 1];
        let next = values.iter().rev().find(|value| **value < greatest).copied().unwrap_or(greatest);
        Spread { n_rows: values.len() as u64, least: values[0] as f64, next: next as f64, greatest: greatest as f64 }
    }

    #[test]
    fn one_value_ahead_of_all_others_is_seen() {
        let ids = || (1..=200).collect::<Vec<i64>>();
        let seconds = || (0..200).map(|idx| NOW as i64 - idx * 3600).collect::<Vec<i64>>();
        assert!(spread([ids(), vec![4_102_444_800]].concat()).is_far_ahead(NOW));
        assert!(spread([seconds(), vec![4_102_444_800]].concat()).is_far_ahead(NOW));
        assert!(spread([seconds(), vec![NOW as i64 * 1000]].concat()).is_far_ahead(NOW), "milliseconds among seconds");
        let millis = seconds().iter().map(|second| second * 1000).collect::<Vec<i64>>();
        assert!(spread([millis, vec![4_102_444_800_000]].concat()).is_far_ahead(NOW));
        assert!(!spread(vec![1, 2, 3, 4_102_444_800]).is_far_ahead(NOW), "too few to tell");
        assert!(!spread(ids()).is_far_ahead(NOW) && !spread(seconds()).is_far_ahead(NOW));
    }

    proptest! {
        /// The law of no false alarms: sequences with gaps, random numbers, and ids that begin with a time.
        #[test]
        fn ordinary_ids_are_not(
            gaps in prop::collection::vec(1..1000_i64, 100..300),
            random in prop::collection::vec(any::<u32>(), 100..300),
            ticks in prop::collection::vec(0..100_000_000_i64, 100..300),
        ) {
            let sequence = gaps.iter().scan(0, |last, gap| { *last += gap; Some(*last) }).collect();
            prop_assert!(!spread(sequence).is_far_ahead(NOW));
            prop_assert!(!spread(random.iter().map(|value| i64::from(*value)).collect()).is_far_ahead(NOW));
            let seconds: Vec<i64> = ticks.iter().map(|tick| NOW as i64 - tick).collect();
            prop_assert!(!spread(seconds.iter().map(|second| ((second - 1_288_834_974) * 1000) << 22).collect()).is_far_ahead(NOW));
            prop_assert!(!spread(seconds).is_far_ahead(NOW));
        }
    }
}
