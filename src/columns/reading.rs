//! Values of a column as the spec says that they are written.

use super::temporal::iso_timestamp;
use super::types::ColumnType;
use crate::document::View;
use crate::spec::{ColumnReading, MomentFormat, ScalarType};
use std::borrow::Cow;

/// What is stored of a value.
pub(super) enum Read<'v> {
    AsItIs,
    Null,
    /// Moments are in ISO 8601.
    Text(Cow<'v, str>),
    /// It is not written so.
    Misfit,
}

/// Reads a value for a column of that type. Blank texts are null where the type has none.
pub(super) fn read<'v>(reading: &ColumnReading, column_type: ColumnType, view: &View<'v>) -> Read<'v> {
    match (&reading.moment, view) {
        (_, View::Null) => Read::AsItIs,
        (Some(format), _) => moment(format, view),
        (None, View::Text(text)) => match text.trim() {
            "" if !holds_blanks(column_type) => Read::Null,
            trimmed => Read::Text(Cow::Borrowed(trimmed)),
        },
        (None, _) => Read::AsItIs,
    }
}

fn holds_blanks(column_type: ColumnType) -> bool {
    matches!(column_type, ColumnType::Undecided | ColumnType::Json | ColumnType::Scalar(ScalarType::Varchar))
}

fn moment<'v>(format: &MomentFormat, view: &View<'v>) -> Read<'v> {
    let read = match view {
        View::Text(text) if text.trim().is_empty() => return Read::Null,
        View::Text(text) => format.read(text),
        View::Integer(value) => format.read(&value.to_string()),
        View::BigNumber(number) => {
            let in_full = || format.read(&number.as_double()?.to_string());
            format.read(&number.to_string()).or_else(in_full)
        }
        View::Double(value) => format.read(&value.to_string()),
        _ => None,
    };
    let written = read.and_then(|(seconds, nanos)| iso_timestamp(seconds, nanos));
    written.map_or(Read::Misfit, |written| Read::Text(Cow::Owned(written)))
}
