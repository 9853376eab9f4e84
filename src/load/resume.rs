//! What an unfinished load left in the database, and whether a new one can continue it.

use super::audit::now_micros;
use super::fetch::SetWork;
use super::identity::Identity;
use super::places::SetPlace;
use super::store::Store;
use crate::columns::TableSchema;
use crate::http::ResumePoint;
use crate::session::Session;
use crate::Result;
use std::collections::HashMap;

/// An unfinished load to which nothing was added for so long, in microseconds, starts over: what the API has now would not go with its rows.
/// It is twice the longest wait that an API is believed: one that was parked for that goes on.
const MOST_AGE: i64 = 2 * 24 * 60 * 60 * 1_000_000;

/// An unfinished load that can be continued.
pub struct Staged {
    pub schema: TableSchema,
    /// Whether the staging table exists: none does before the first rows.
    pub has_table: bool,
    /// When the load began, in microseconds since 1970.
    pub started: Option<i64>,
    /// Rows in the staging table.
    pub n_rows: u64,
    /// How far the parameter sets are that were begun, by their names.
    pub sets: HashMap<String, SetPlace>,
}

/// What a load begins with.
#[derive(Default)]
pub struct Start {
    pub schema: TableSchema,
    pub sets: HashMap<String, SetPlace>,
    pub noted: bool,
    pub created: bool,
    pub n_pages: u64,
    /// When the unfinished load began, in microseconds since 1970.
    pub started: Option<i64>,
}

impl Start {
    /// Returns the start of a load from the beginning.
    pub fn new(schema: TableSchema) -> Start {
        Start { schema, ..Start::default() }
    }

    /// Returns the start after what an unfinished load left.
    pub fn after(staged: Staged) -> Start {
        let n_pages = staged.n_pages();
        Start { schema: staged.schema, sets: staged.sets, noted: true, created: staged.has_table, n_pages, started: staged.started }
    }

    /// Returns how many parameter sets are stored as a whole.
    pub fn n_done(&self) -> u64 {
        self.sets.values().filter(|place| matches!(place, SetPlace::Done | SetPlace::Skipped)).count() as u64
    }

    /// Returns what is left to fetch, of all sets by their names.
    pub fn work(&self, keys: &[String]) -> Vec<SetWork> {
        let mut work = Vec::new();
        for (number, key) in keys.iter().enumerate() {
            let point = match self.sets.get(key) {
                Some(SetPlace::Done | SetPlace::Skipped) => continue,
                Some(SetPlace::At(text)) => ResumePoint::from_text(text).ok(),
                Some(SetPlace::Unspoken) | None => None,
            };
            work.push(SetWork { number, point });
        }
        work
    }
}

/// What there is of an unfinished load.
pub enum Unfinished {
    Nothing,
    /// It cannot be continued; why not.
    Useless(String),
    Staged(Box<Staged>),
}

impl Staged {
    /// Returns how many pages are stored.
    pub fn n_pages(&self) -> u64 {
        let stored = |place: &SetPlace| match place {
            SetPlace::At(text) => ResumePoint::from_text(text).map_or(0, |point| point.ordinal),
            SetPlace::Unspoken | SetPlace::Done | SetPlace::Skipped => 0,
        };
        self.sets.values().map(stored).sum()
    }
}

impl Unfinished {
    /// Looks for an unfinished load of the table, and whether it is one of `identity`.
    pub fn find(session: &mut dyn Session, store: &Store, identity: &Identity) -> Result<Unfinished> {
        let rows = session.query(&format!(
            "SELECT parameter_set, status, place, columns, updated, started FROM {}.load_state WHERE {}",
            store.unify_schema,
            store.is_about(&store.staging.table)
        ))?;
        let mut sets = HashMap::new();
        let mut whole = None;
        let mut newest = i64::MIN;
        for row in &rows {
            let [key, status, place, columns, updated, started] = row.as_slice() else { continue };
            newest = newest.max(updated.as_timestamp().unwrap_or(i64::MIN));
            match key.as_text() {
                None | Some("") => whole = Some((place.as_text(), columns.as_text(), started.as_timestamp())),
                Some(key) => {
                    let place = SetPlace::of(status.as_text().unwrap_or_default(), place.as_text());
                    let place = match sets.remove(key) {
                        Some(known) => place.farther(known),
                        None => place,
                    };
                    sets.insert(key.to_string(), place);
                }
            }
        }
        let Some((Some(stored), Some(columns), started)) = whole else {
            return Ok(if rows.is_empty() { Unfinished::Nothing } else { Unfinished::Useless("its state cannot be read".to_string()) });
        };
        if let Some(reason) = identity.difference(stored).or_else(|| unusable(&sets, newest)) {
            return Ok(Unfinished::Useless(reason.to_string()));
        }
        let Ok(schema) = TableSchema::from_text(columns) else {
            return Ok(Unfinished::Useless("its columns cannot be read".to_string()));
        };
        let has_table = store.exists(session, &store.staging)?;
        if has_table == schema.columns.is_empty() || (has_table && !store.has_columns(session, &store.staging.table, &schema)?) {
            return Ok(Unfinished::Useless(format!("'{}' is not as it was left", store.staging.table)));
        }
        let n_rows = if has_table { session.count(&format!("SELECT count(*) FROM {}", store.staging))? } else { 0 };
        Ok(Unfinished::Staged(Box::new(Staged { schema, has_table, started, n_rows, sets })))
    }
}

/// Returns why the places or the age of a load do not let it be continued.
fn unusable(sets: &HashMap<String, SetPlace>, updated: i64) -> Option<&'static str> {
    if now_micros().saturating_sub(updated) > MOST_AGE {
        return Some("nothing was added to it for more than two days");
    }
    let is_lost = |place: &SetPlace| match place {
        SetPlace::Done | SetPlace::Skipped => false,
        SetPlace::At(text) => ResumePoint::from_text(text).is_err(),
        SetPlace::Unspoken => true,
    };
    sets.values().any(is_lost).then_some("its place holds a secret and was not stored")
}
