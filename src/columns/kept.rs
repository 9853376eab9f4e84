//! Which values become those of a wider type as they came.

use super::form::{Form, BARE, DATE, DIGITS, FAR, INTEGER, QUOTED, UNKNOWN, WHOLE, WIDE};
use super::types::ColumnType;
use crate::spec::ScalarType;

impl Form {
    /// Returns whether values of one type become those of a wider one as they came: no digit is lost, and no text is another.
    pub fn keeps(&self, from: ColumnType, to: ColumnType) -> bool {
        let (from, to) = match (from, to) {
            (from, to) if from == to => return true,
            (ColumnType::Undecided | ColumnType::List(None), _) => return true,
            (ColumnType::List(Some(ScalarType::Varchar)), _) => return true,
            (ColumnType::List(Some(from)), ColumnType::List(Some(to))) => (from, ColumnType::Scalar(to)),
            (ColumnType::Scalar(from) | ColumnType::List(Some(from)), to) => (from, to),
            (ColumnType::Json | ColumnType::Native(_), _) => return false,
        };
        let is_known = !self.has(UNKNOWN);
        let is_near = is_known && !self.has(FAR);
        use ScalarType::{BigInt, Boolean, Date, Decimal, Double, HugeInt, Timestamp, TimestampNs, Varchar};
        match (from, to) {
            (Boolean | HugeInt, _) => true,
            (BigInt, ColumnType::Scalar(Double)) => is_known && !self.has(WIDE),
            (Date | Timestamp, ColumnType::Scalar(TimestampNs)) => is_near,
            (BigInt | Date, _) => true,
            // Zeros at the end of what came are not known.
            (Decimal { .. }, _) => false,
            (Double, _) => is_known && !self.has(DIGITS) && !(self.has(INTEGER) && self.has(WHOLE)),
            (Timestamp | TimestampNs, _) => is_known && !self.has(DATE) && self.moment_style().is_some(),
            (Varchar, _) => is_known && !self.has(DIGITS) && !(self.has(BARE) && self.has(QUOTED)),
        }
    }
}
