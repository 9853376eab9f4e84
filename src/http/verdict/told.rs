//! What an answer tells about the API's limits: how much of each budget is left, and when there is more.

use super::attempt::{Judged, Moment};
use crate::columns::timestamp_of;
use crate::document::{parse, JsonPath, Node};
use crate::source::Headers;
use crate::spec::{AdapterSpec, Amount, BudgetSign, LeftSign, Throttle, Told, WaitSign, WaitUnit};
use std::borrow::Cow;
use std::time::Duration;
use time::format_description::well_known::Rfc2822;
use time::OffsetDateTime;

/// Longer waits are taken for mistakes of the API, in seconds.
const ABSURD: f64 = 86_400.0;
/// Numbers above this are seconds since 1970, below it seconds from now.
const EPOCH_FROM: f64 = 1e9;
/// Headers that most APIs tell by, where a spec does not name others.
const REMAINING_HEADERS: [&str; 2] = ["x-ratelimit-remaining", "ratelimit-remaining"];
const LIMIT_HEADERS: [&str; 2] = ["x-ratelimit-limit", "ratelimit-limit"];
const RESET_HEADERS: [&str; 2] = ["x-ratelimit-reset", "ratelimit-reset"];

/// What an answer tells about one budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetTold {
    pub left: Option<f64>,
    /// How much there is in all.
    pub limit: Option<f64>,
    /// Seconds until it is full again.
    pub resets_in: Option<f64>,
    /// Seconds until the next request may be sent; `None` when it may now, or when nothing tells.
    pub wait: Option<f64>,
    /// Whether less is left than a request needs.
    pub is_used_up: bool,
    /// Whether the spec says where it is told what is left: then requests wait before one is refused.
    pub is_watched: bool,
}

/// The limits that a request is under.
#[derive(Debug, Clone, Copy)]
pub struct Throttles<'a> {
    pub connection: &'a Throttle,
    /// Those of its table, or of the group that its table is in.
    pub own: Option<&'a Throttle>,
}

impl<'a> Throttles<'a> {
    /// Returns the limits of a request, by the name of its own.
    pub fn of(spec: &'a AdapterSpec, own: Option<&str>) -> Throttles<'a> {
        Throttles { connection: &spec.throttle, own: spec.throttle_named(own) }
    }

    /// Returns whether an answer's body tells something about them.
    pub fn read_body(self) -> bool {
        self.connection.reads_body() || self.own.is_some_and(Throttle::reads_body)
    }

    /// Returns what an answer tells about each budget; one that it tells nothing of is left out. What the request's own limits look at counts
    /// for those alone.
    pub fn told(self, answer: Judged<'_>, moment: Moment) -> BudgetsTold {
        let own_signs = self.own.map_or(&[][..], |own| &own.signs);
        let told = |sign: &BudgetSign| budget_told(answer, sign, moment);
        let own = own_signs.iter().filter_map(told).collect();
        if self.connection.signs.is_empty() {
            let standard = standard_budget(answer.headers, moment).filter(|_| own_signs.is_empty());
            return BudgetsTold { own, connection: standard.into_iter().collect() };
        }
        let is_own = |sign: &&BudgetSign| sign.left.is_some() && own_signs.iter().any(|own| own.left == sign.left);
        BudgetsTold { own, connection: self.connection.signs.iter().filter(|sign| !is_own(sign)).filter_map(told).collect() }
    }
}

/// What an answer tells about the budgets that its request is under.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BudgetsTold {
    /// Those of the limits that its table has.
    pub own: Vec<BudgetTold>,
    pub connection: Vec<BudgetTold>,
}

impl BudgetsTold {
    /// Returns all of them.
    pub fn all(&self) -> impl Iterator<Item = &BudgetTold> {
        self.own.iter().chain(&self.connection)
    }
}

/// Returns how long the next request has to wait, where a budget is used up that the spec says where to look for.
pub fn pause_after(told: &[BudgetTold]) -> Option<Duration> {
    let waits = told.iter().filter(|budget| budget.is_watched).filter_map(|budget| budget.wait);
    waits.max_by(f64::total_cmp).map(Duration::from_secs_f64)
}

fn standard_budget(headers: &Headers, moment: Moment) -> Option<BudgetTold> {
    let number = |name: &&str| headers.get(name)?.trim().parse::<f64>().ok();
    let (of_one, resets_of_one) = one_header(headers).unzip();
    let left = REMAINING_HEADERS.iter().find_map(number).or(of_one);
    let resets_in = standard_reset(headers, moment).or(resets_of_one.flatten().filter(|seconds| is_sensible(*seconds)));
    let is_used_up = left.is_some_and(|left| left < 1.0);
    let told = BudgetTold {
        left,
        limit: LIMIT_HEADERS.iter().find_map(number),
        resets_in,
        wait: resets_in.filter(|_| is_used_up),
        is_used_up,
        is_watched: false,
    };
    (left.is_some() || resets_in.is_some()).then_some(told)
}

/// Returns what the header `RateLimit` tells of the budget that is tightest: how much is left, and the seconds until it is full again. It is
/// `"name";r=5;t=30` or, in older drafts of the standard, `limit=100, remaining=5, reset=30`.
fn one_header(headers: &Headers) -> Option<(f64, Option<f64>)> {
    let text = headers.get("ratelimit")?;
    let value = |part: &str, names: [&str; 2]| {
        let mut entries = part.split([';', ',']).filter_map(|entry| entry.split_once('='));
        entries.find(|(name, _)| names.contains(&name.trim()))?.1.trim().parse::<f64>().ok()
    };
    // In the older form the commas stand within the one budget.
    let budgets: Vec<&str> = if text.contains(';') { text.split(',').collect() } else { vec![text] };
    let told = budgets.into_iter().filter_map(|part| Some((value(part, ["r", "remaining"])?, value(part, ["t", "reset"]))));
    told.min_by(|(a, _), (b, _)| a.total_cmp(b))
}

fn standard_reset(headers: &Headers, moment: Moment) -> Option<f64> {
    RESET_HEADERS.iter().find_map(|name| seconds_until(headers.get(name)?, WaitUnit::BySize, moment))
}

fn budget_told(answer: Judged<'_>, sign: &BudgetSign, moment: Moment) -> Option<BudgetTold> {
    let resets_in = match &sign.reset {
        Some(reset) => wait_told(answer, reset, moment),
        None => standard_reset(answer.headers, moment),
    };
    let (left, limit) = match &sign.left {
        Some(place) => left_told(answer, sign, place).unzip(),
        None => (REMAINING_HEADERS.iter().find_map(|name| answer.headers.get(name)?.trim().parse().ok()), None),
    };
    let needed =
        sign.cost.as_ref().and_then(|cost| greatest(numbers_told(answer, cost))).map_or(sign.reserve, |cost| cost.max(sign.reserve));
    let missing = left.map_or(0.0, |left| needed - left);
    let is_used_up = missing > 0.0;
    let wait = if is_used_up { wait_for(answer, sign, missing, resets_in) } else { None };
    (left.is_some() || resets_in.is_some()).then_some(BudgetTold {
        left,
        limit: limit.flatten(),
        resets_in,
        wait,
        is_used_up,
        is_watched: sign.left.is_some(),
    })
}

/// Returns how long a budget takes until so much more of it is left.
fn wait_for(answer: Judged<'_>, sign: &BudgetSign, missing: f64, resets_in: Option<f64>) -> Option<f64> {
    let restored = sign.restore.as_ref().and_then(|restore| amount_told(answer, restore)).filter(|rate| *rate > 0.0);
    let wait = restored.map(|rate| missing / rate).or(resets_in).or_else(|| sign.window.map(|window| window.as_secs_f64()));
    wait.filter(|seconds| is_sensible(*seconds))
}

/// Returns how much is left, and of how much. Where an answer tells of several, the tightest counts.
fn left_told(answer: Judged<'_>, sign: &BudgetSign, place: &LeftSign) -> Option<(f64, Option<f64>)> {
    let known = sign.limit.as_ref().and_then(|limit| amount_told(answer, limit));
    let pairs = match place.told() {
        Told::Header(name) => pairs_in(answer.headers.get(name)?),
        told => numbers_told(answer, told).into_iter().map(|number| (number, None)).collect(),
    };
    // Two headers may have lists side by side: `100,2000` of `5,40`.
    let limits = match &sign.limit {
        Some(Amount::Told(told @ Told::Header(_))) => Some(numbers_told(answer, told)).filter(|limits| limits.len() == pairs.len()),
        _ => None,
    };
    let left = |(idx, (number, of)): (usize, (f64, Option<f64>))| {
        let limit = of.or_else(|| limits.as_ref()?.get(idx).copied()).or(known);
        match place {
            LeftSign::Remaining(_) => Some((number, limit)),
            LeftSign::Used(_) => Some((limit? - number, limit)),
        }
    };
    pairs.into_iter().enumerate().filter_map(left).min_by(|(a, _), (b, _)| a.total_cmp(b))
}

fn amount_told(answer: Judged<'_>, amount: &Amount) -> Option<f64> {
    match amount {
        Amount::Fixed(number) => Some(*number),
        Amount::Told(told) => greatest(numbers_told(answer, told)),
    }
}

fn greatest(numbers: Vec<f64>) -> Option<f64> {
    numbers.into_iter().max_by(f64::total_cmp)
}

/// Returns how long an answer tells to wait, in seconds. Where it tells of several waits, the longest counts.
pub fn wait_told(answer: Judged<'_>, sign: &WaitSign, moment: Moment) -> Option<f64> {
    let texts = texts_told(answer, &sign.told);
    greatest(texts.iter().filter_map(|text| seconds_until(text, sign.unit, moment)).collect())
}

fn numbers_told(answer: Judged<'_>, told: &Told) -> Vec<f64> {
    match told {
        Told::Header(name) => answer.headers.get(name).map(pairs_in).unwrap_or_default().into_iter().map(|(number, _)| number).collect(),
        Told::HeaderJson(name, path) => {
            answer.headers.all(name).flat_map(|text| in_json(text.as_bytes(), path, JsonPath::find_numbers)).collect()
        }
        Told::Body(path) => in_json(answer.body, path, JsonPath::find_numbers),
    }
}

fn texts_told<'a>(answer: Judged<'a>, told: &Told) -> Vec<Cow<'a, str>> {
    let owned = |texts: Vec<String>| texts.into_iter().map(Cow::Owned).collect();
    match told {
        Told::Header(name) => answer.headers.get(name).map(Cow::Borrowed).into_iter().collect(),
        Told::HeaderJson(name, path) => {
            owned(answer.headers.all(name).flat_map(|text| in_json(text.as_bytes(), path, JsonPath::find_texts)).collect())
        }
        Told::Body(path) => owned(in_json(answer.body, path, JsonPath::find_texts)),
    }
}

fn in_json<T>(json: &[u8], path: &JsonPath, find: impl FnOnce(&JsonPath, Node<'_>) -> Vec<T>) -> Vec<T> {
    let mut bytes = json.to_vec();
    parse(&mut bytes).map(|document| find(path, document.root())).unwrap_or_default()
}

/// Returns the numbers of a header, each with the one that stands behind a slash: `32/40`, `used=18/5000, own=7/250`, `41`, `5,40`, `100;w=60`.
fn pairs_in(text: &str) -> Vec<(f64, Option<f64>)> {
    if let Ok(number) = text.trim().parse::<f64>() {
        return Some((number, None)).filter(|(number, _)| number.is_finite()).into_iter().collect();
    }
    if !text.contains('/') {
        let listed = text.split(',').map(|part| part.split(';').next().unwrap_or_default().trim().parse::<f64>().ok());
        let numbers: Option<Vec<f64>> = listed.map(|number| number.filter(|number| number.is_finite())).collect();
        return numbers.unwrap_or_default().into_iter().map(|number| (number, None)).collect();
    }
    let is_digit = |c: char| c.is_ascii_digit() || c == '.';
    let mut pairs = Vec::new();
    for (at, _) in text.match_indices('/') {
        let (before, after) = (text[..at].trim_end(), text[at + 1..].trim_start());
        let number =
            &before[before.rfind(|c| !is_digit(c)).map_or(0, |idx| idx + before[idx..].chars().next().map_or(1, char::len_utf8))..];
        let limit = &after[..after.find(|c| !is_digit(c)).unwrap_or(after.len())];
        if let (Ok(number), Ok(limit)) = (number.parse::<f64>(), limit.parse::<f64>()) {
            pairs.push((number, Some(limit)));
        }
    }
    pairs
}

/// Reads a wait; `None` when it is not in the next 24 hours.
pub fn seconds_until(text: &str, unit: WaitUnit, moment: Moment) -> Option<f64> {
    let text = text.trim();
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let seconds = match (unit, number) {
        (WaitUnit::BySize, Some(number)) if number >= EPOCH_FROM * 1000.0 => number / 1000.0 - moment.now,
        (WaitUnit::BySize, Some(number)) if number >= EPOCH_FROM => number - moment.now,
        (WaitUnit::BySize | WaitUnit::Seconds, Some(number)) => number,
        (WaitUnit::Minutes, Some(number)) => number * 60.0,
        (WaitUnit::Millis, Some(number)) => number / 1000.0,
        (WaitUnit::Epoch, Some(number)) => number - moment.now,
        (WaitUnit::EpochMillis, Some(number)) => number / 1000.0 - moment.now,
        (WaitUnit::BySize, None) => length_of(text).or_else(|| Some(date_seconds(text)? - moment.now))?,
        (WaitUnit::Date, _) => date_seconds(text)? - moment.now,
        (_, None) => return None,
    };
    Some(seconds).filter(|seconds| is_sensible(*seconds))
}

/// Returns the seconds of a length of time with units, such as `6m0s`, `1.5s` or `20ms`.
fn length_of(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 5] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];
    let (mut seconds, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number = rest[..end].parse::<f64>().ok()?;
        let (unit, size) = UNITS.iter().find(|(unit, _)| rest[end..].starts_with(unit))?;
        seconds += number * size;
        rest = &rest[end + unit.len()..];
    }
    (!text.is_empty()).then_some(seconds)
}

/// Returns the seconds since 1970 of an HTTP date, or of one in ISO 8601.
fn date_seconds(text: &str) -> Option<f64> {
    match OffsetDateTime::parse(text, &Rfc2822) {
        Ok(date) => Some(date.unix_timestamp() as f64),
        Err(_) => timestamp_of(text).map(|micros| micros as f64 / 1e6),
    }
}

fn is_sensible(seconds: f64) -> bool {
    seconds > 0.0 && seconds <= ABSURD
}
