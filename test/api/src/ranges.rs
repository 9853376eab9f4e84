//! Lists that are asked for by ranges: `from` and `to` are days or moments of 2024, or numbers.
//!
//! `/ranges/open` leaves `to` out, `/ranges/closed` takes it in: a day as a whole. `/ranges/dated/FROM/TO` is `open` with the range in the path.
//! Four rows a day until 2024-04-09, and forty more on 2024-02-10. A range of more than 31 days is refused, one with more rows than `most`, too;
//! `cap` hides what is more, and the total with it. With `parts`, rows have lists of none, one or two objects. `/ranges/numbers` takes both numbers in. `/ranges/log` has a row for every 30 days since
//! 2020, with the revision that `/__control` sets. A range that begins as `/__control?mode=` says fails.

use crate::control::Control;
use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Value};
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;
/// 2024-01-01 and 2020-01-01, in seconds since 1970.
const START: i64 = 1_704_067_200;
const START_OF_LOG: i64 = 1_577_836_800;
const N_DAYS: i64 = 100;
/// Rows that come every minute from 10:00 on, and on which day.
const N_BUSY: i64 = 40;
const BUSY_DAY: i64 = 40;
/// The widest range.
const MOST_DAYS: i64 = 31;
const MOST_NUMBERS: i64 = 100;
const N_NUMBERS: i64 = 250;

/// Answers a request below `/ranges`.
pub fn answer(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    let (kind, from, to) = match parts {
        ["dated", from, to] => ("open", Some(*from), Some(*to)),
        [kind] => (*kind, asked.value("from"), asked.value("to")),
        _ => return answer::error(404, "no such range"),
    };
    let mode = control.mode();
    if !mode.is_empty() && from.is_some_and(|from| from.starts_with(&mode)) {
        return answer::error(500, "told to fail");
    }
    let (Some(from), Some(to)) = (from, to) else { return answer::error(400, "from and to are needed") };
    if kind == "numbers" {
        let (Ok(from), Ok(to)) = (from.parse::<i64>(), to.parse::<i64>()) else { return answer::error(400, "expected numbers") };
        if to - from >= MOST_NUMBERS {
            return answer::error(400, "at most 100 numbers");
        }
        return listed(asked, &(from.max(1)..=to.min(N_NUMBERS)).map(|id| json!({ "id": id })).collect::<Vec<_>>());
    }
    let (Some((from, _)), Some((to, length))) = (seconds_of(from), seconds_of(to)) else { return answer::error(400, "expected moments") };
    let to = if kind == "closed" { to + length } else { to };
    match kind {
        "log" => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
            let all = (0..).map(|idx| (idx, START_OF_LOG + idx * 30 * DAY)).take_while(|(_, at)| *at < now);
            let rows = all.filter(|(_, at)| (from..to).contains(at));
            listed(asked, &rows.map(|(idx, _)| json!({ "id": idx, "revision": control.revision() })).collect::<Vec<_>>())
        }
        "open" | "closed" if to - from > MOST_DAYS * DAY => answer::error(400, "at most 31 days"),
        "open" | "closed" => {
            let every_day = (0..N_DAYS * 4).map(|idx| START + idx * DAY / 4);
            let busy = (0..N_BUSY).map(|idx| START + BUSY_DAY * DAY + 10 * 3600 + idx * 60);
            let mut moments: Vec<i64> = every_day.chain(busy).filter(|at| (from..to).contains(at)).collect();
            moments.sort_unstable();
            listed(asked, &moments.into_iter().map(|at| row_of(asked, at)).collect::<Vec<_>>())
        }
        _ => answer::error(404, "no such range"),
    }
}

fn row_of(asked: &Asked, at: i64) -> Value {
    let mut row = json!({ "id": at, "hour": at / 3600 % 24 });
    if asked.value("parts").is_some() {
        row["parts"] = (0..at / 60 % 3).map(|no| json!({ "no": no })).collect();
    }
    row
}

/// Returns a page of the rows, or as much as the API gives.
fn listed(asked: &Asked, rows: &[Value]) -> Response {
    if rows.len() > asked.number("most", usize::MAX) {
        return answer::body(400, "application/json", json!({ "name": "RESULTSET_TOO_LARGE" }).to_string());
    }
    let rows = &rows[..rows.len().min(asked.number("cap", usize::MAX))];
    let size = asked.number("size", 10).max(1);
    let page = asked.number("page", 1).max(1);
    let shown = answer::rows(rows.len(), (page - 1) * size, size, |idx| rows[idx].clone());
    answer::json(&json!({ "rows": shown, "total": rows.len() }))
}

/// Returns the seconds since 1970 of a day or a moment in UTC, and how long it is.
fn seconds_of(text: &str) -> Option<(i64, i64)> {
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let numbers = |text: &str, separator: char| text.split(separator).map(|digits| digits.parse::<i64>().ok()).collect::<Option<Vec<_>>>();
    let [year, month, day] = numbers(day, '-')?.try_into().ok()?;
    let months_before = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = months_before * 365 + months_before / 4 - months_before / 100 + months_before / 400 + day_of_year - 719_468;
    let Some(time) = time else { return Some((days * DAY, DAY)) };
    let [hours, minutes, seconds] = numbers(time.strip_suffix('Z')?, ':')?.try_into().ok()?;
    Some((days * DAY + hours * 3600 + minutes * 60 + seconds, 1))
}
