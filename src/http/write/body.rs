//! Rows as they stand in the body of a request that writes.

use super::{WritePlan, WriteRow};
use crate::document::{JsonMap, JsonValue};
use crate::spec::Rows;

impl WritePlan {
    /// Returns the rows of a request, for its body.
    pub(super) fn written<'a>(&'a self, rows: &'a [WriteRow]) -> impl Rows + 'a {
        Written { plan: self, rows }
    }

    fn list_of(&self, rows: &[WriteRow]) -> JsonValue {
        JsonValue::Array(rows.iter().map(|row| self.object_of(row)).collect())
    }

    /// Returns the columns that no hole takes.
    fn object_of(&self, row: &WriteRow) -> JsonValue {
        let mut object = JsonMap::new();
        for (idx, (name, value)) in self.columns.iter().zip(row).enumerate() {
            if !self.is_taken(idx) {
                object.insert(name.clone(), value.clone());
            }
        }
        JsonValue::Object(object)
    }
}

/// The rows of one request.
struct Written<'a> {
    plan: &'a WritePlan,
    rows: &'a [WriteRow],
}

impl Rows for Written<'_> {
    fn row(&self) -> JsonValue {
        self.rows.first().map_or(JsonValue::Null, |row| self.plan.object_of(row))
    }

    fn rows(&self) -> JsonValue {
        self.plan.list_of(self.rows)
    }
}
