//! The forms of rows, as the API sends them.

use super::quirks::Keys;
use serde_json::{json, Map, Value};

/// From this row on, `code` is a text: the column widens.
const FIRST_TEXT_CODE: usize = 25;

/// From this row on, there is a field `late`.
const FIRST_LATE: usize = 35;

/// From this row on, keys that change their form have another one.
const FIRST_OTHER_KEY: usize = 20;

/// The first integer that a DOUBLE cannot hold.
const BEYOND_DOUBLE: u64 = (1 << 53) + 1;

/// Digits of keys that are equal but for case and accent.
const LETTERS: [char; 4] = ['a', 'A', 'á', 'Á'];

/// Columns of every truth, in its order; those that drift follow where they are there.
pub const COLUMNS: [&str; 6] = ["owner", "id", "revision", "name", "code", "late_size"];

/// Columns whose values have another form later on.
pub const DRIFTING: [&str; 6] = ["amount", "at", "flag", "big", "tiny", "wide"];

/// Returns a row as it is sent.
pub fn row(set: &str, idx: usize, revision: usize, keys: Keys, drift: Option<(usize, usize)>) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("owner".into(), json!(set));
    row.insert("id".into(), key(idx, keys));
    row.insert("revision".into(), json!(revision));
    row.insert("name".into(), json!(format!("row {} of {set}", idx + 1)));
    row.insert("code".into(), if idx < FIRST_TEXT_CODE { json!(idx) } else { json!(format!("code {idx}")) });
    for (name, value) in DRIFTING.into_iter().zip(drift.into_iter().flat_map(|thresholds| drifting(idx, thresholds))) {
        row.insert(name.into(), value);
    }
    if idx >= FIRST_LATE {
        row.insert("late".into(), json!({ "size": idx }));
    }
    row
}

/// Returns the row's values as a table has them once every column is text: each text as it was sent.
pub fn texts(row: &Map<String, Value>) -> Vec<Option<String>> {
    let names = COLUMNS.into_iter().chain(DRIFTING.into_iter().filter(|name| row.contains_key(*name)));
    let value = |name| if name == "late_size" { row.get("late").and_then(|late| late.get("size")) } else { row.get(name) };
    names.map(|name| value(name).map(text)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

fn key(idx: usize, keys: Keys) -> Value {
    match keys {
        Keys::Plain => json!(idx + 1),
        Keys::Case => json!((0..8).map(|digit| LETTERS[idx >> (2 * digit) & 3]).collect::<String>()),
        Keys::Long if idx >= FIRST_OTHER_KEY && idx.is_multiple_of(7) => json!(idx as f64 + 0.5),
        Keys::Long => json!(BEYOND_DOUBLE + idx as u64),
        Keys::Nanos => json!(nanos(2024, idx)),
        Keys::Text if idx >= FIRST_OTHER_KEY => json!(format!("k{idx}")),
        Keys::Text => json!(idx + 1),
    }
}

/// Returns the values of [`DRIFTING`]: a number that gets a point and becomes text, a moment that becomes text, a boolean that does,
/// a number that no DOUBLE holds beside one with a point, a moment that gets nanoseconds, and one that leaves their range.
fn drifting(idx: usize, thresholds: (usize, usize)) -> [Value; 6] {
    let (second, third) = thresholds;
    let form = usize::from(idx >= second) + usize::from(idx >= third);
    let half = idx as f64 + 0.5;
    [
        [json!(idx), json!(half), json!(format!("n/a {idx}"))][form].clone(),
        [json!(moment(idx)), json!(moment(idx)), json!(format!("later {idx}"))][form].clone(),
        [json!(idx.is_multiple_of(2)), json!(format!("maybe {idx}")), json!(idx.is_multiple_of(3))][form].clone(),
        [json!(BEYOND_DOUBLE + 2 * idx as u64), json!(half), json!(BEYOND_DOUBLE + 2 * idx as u64)][form].clone(),
        [json!(moment(idx)), json!(nanos(2024, idx)), json!(nanos(2024, idx))][form].clone(),
        [json!(nanos(2024, idx)), json!(nanos(2024, idx)), json!(nanos(2500, idx))][form].clone(),
    ]
}

fn moment(idx: usize) -> String {
    format!("2024-05-01T{}Z", time(idx))
}

fn nanos(year: usize, idx: usize) -> String {
    format!("{year}-05-01T10:00:00.{:09}Z", idx + 1)
}

/// Returns the time of day of a row.
pub fn time(idx: usize) -> String {
    let (hour, minute, second) = (idx / 3600, idx / 60 % 60, idx % 60);
    format!("{hour:02}:{minute:02}:{second:02}")
}
