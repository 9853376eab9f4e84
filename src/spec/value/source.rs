//! Names that a load fills itself: moments, and places in the data.

use super::{Filled, Moment, Sources};
use crate::document::JsonValue;
use crate::source::Captured;
use crate::spec::DateFormat;
use std::sync::Arc;

/// What the name of a hole begins with that the file of a service account fills.
pub const KEY_HOLE: &str = "key.";
/// What the name of a hole begins with that a token endpoint's answer fills.
pub const TOKEN_HOLE: &str = "token.";
/// What the name of a hole begins with that a look-up before the first request fills.
pub const SETUP_HOLE: &str = "setup.";

/// What the name of a hole begins with that a discovered object fills.
pub const OBJECT_HOLE: &str = "object.";
/// The hole that takes the names of the fields that were discovered.
pub const FIELDS_HOLE: &str = "fields";

/// What the name of a hole begins with that takes what tells one page of a table from another: `page.token`, `page.number`, `page.offset`,
/// `page.size`, and what answers have for the next page under names of their own.
pub const PAGE_HOLE: &str = "page.";
/// What fills a hole with the start of a window.
pub const WINDOW_START: &str = "window.start";
/// What fills a hole with the end of a window.
pub const WINDOW_END: &str = "window.end";
/// What the name of a hole begins with that the answers of a job's steps fill.
pub const JOB_HOLE: &str = "job.";

/// A name with a meaning of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// `now` and `today`: always there.
    Now,
    /// `timestamp`, `timestamp_day` and `cursor`: where a refresh by updates goes on from.
    Since,
    /// What begins with [`PAGE_HOLE`].
    Page,
    /// `window.start` and `window.end`: the bounds of what a request asks for.
    Window,
    /// What begins with [`TOKEN_HOLE`]: the answer of a server that gives tokens.
    Token,
    /// What begins with [`SETUP_HOLE`]: what was looked up before the first request.
    Setup,
    /// `fields`, and what begins with [`OBJECT_HOLE`]: what was discovered.
    Discovered,
    /// What begins with [`JOB_HOLE`]: what the steps of a job captured.
    Job,
}

impl Builtin {
    /// All names there are, but for those that this version has no source for.
    pub const NAMES: [&'static str; 11] = [
        "now",
        "today",
        "timestamp",
        "timestamp_day",
        "cursor",
        "page.token",
        "page.number",
        "page.offset",
        "page.size",
        WINDOW_START,
        WINDOW_END,
    ];

    /// Returns what a name means; `None` for one that params and options have.
    pub fn named(name: &str) -> Option<Builtin> {
        Some(match name {
            "now" | "today" => Builtin::Now,
            "timestamp" | "timestamp_day" | "cursor" => Builtin::Since,
            name if name.strip_prefix(PAGE_HOLE).is_some_and(|rest| !rest.is_empty()) => Builtin::Page,
            WINDOW_START | WINDOW_END => Builtin::Window,
            FIELDS_HOLE => Builtin::Discovered,
            name if name.starts_with(OBJECT_HOLE) => Builtin::Discovered,
            name => match name.split_once('.')?.0 {
                "token" => Builtin::Token,
                "setup" => Builtin::Setup,
                "job" => Builtin::Job,
                _ => return None,
            },
        })
    }
}

/// What a load knows when it fills the holes of a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadValues {
    /// When the load began, in microseconds since 1970.
    pub now: Option<i64>,
    /// From when on a refresh asks for what changed, in microseconds since 1970.
    pub timestamp: Option<i64>,
    pub cursor: Option<Filled>,
    /// The bounds of what the request asks for, where the table's range is cut.
    pub window: Option<[Filled; 2]>,
    /// What was discovered of the table: names of holes, and their values.
    pub discovered: Arc<Vec<(String, JsonValue)>>,
    /// What the steps of a job captured.
    pub job: Captured,
    /// How moments are written that no filter gives a form.
    pub format: DateFormat,
}

impl LoadValues {
    /// Returns the text of what a refresh goes on from: equal for equal ones. `None`: everything is asked for.
    pub fn start_text(&self) -> Option<String> {
        (self.timestamp.is_some() || self.cursor.is_some()).then(|| format!("{:?} {:?}", self.timestamp, self.cursor))
    }
}

impl Sources for LoadValues {
    fn value_of(&self, name: &str) -> Option<Filled> {
        match name {
            "now" => self.now.map(Moment::at).map(Filled::Moment),
            "today" => self.now.map(Moment::day_of).map(Filled::Moment),
            "timestamp" => self.timestamp.map(Moment::at).map(Filled::Moment),
            "timestamp_day" => self.timestamp.map(Moment::day_of).map(Filled::Moment),
            "cursor" => self.cursor.clone(),
            WINDOW_START => self.window.as_ref().map(|[start, _]| start.clone()),
            WINDOW_END => self.window.as_ref().map(|[_, end]| end.clone()),
            name => match name.strip_prefix(JOB_HOLE) {
                Some(captured) => self.job.get(captured).cloned().map(Filled::Json),
                None => self.discovered.iter().find(|(hole, _)| hole == name).map(|(_, value)| Filled::Json(value.clone())),
            },
        }
    }

    fn date_format(&self) -> DateFormat {
        self.format.clone()
    }
}
