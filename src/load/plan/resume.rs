//! What an unfinished load left in the database, and whether a new one can continue it.

use crate::columns::{pages_numbered, TableSchema};
use crate::http::ParamSet;
use crate::load::clock::now_micros;
use crate::load::identity::Identity;
use crate::load::plan::windows::halves_of;
use crate::load::records::checkpoints::{half_key, Checkpoint};
use crate::load::records::staging_table::StagingTable;
use crate::load::records::store::{StagedStatus, Store};
use crate::session::{quote_ident, Session, Value};
use crate::source::ResumePoint;
use crate::spec::Connection;
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

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
    pub sets: HashMap<String, Checkpoint>,
    /// Whether the API failed when a load was to go on here.
    pub failed_before: bool,
    /// Whether it may be of another spec, since version 0 stored it.
    pub is_unproven: bool,
}

/// A parameter set that is to be fetched.
pub struct SetWork {
    /// Its number among the sets of the load: behind those of the table are halves of windows.
    pub number: usize,
    /// Its params; `None`: those of the table's set of this number.
    pub half: Option<Arc<ParamSet>>,
    /// What its rows are marked by: its name, where its window may be asked for in halves, or the name of its level.
    pub key: Option<String>,
    /// Where an earlier load was with it.
    pub point: Option<ResumePoint>,
    /// Whether this load has stored the checkpoint: of a set whose job is waited for.
    pub is_noted: bool,
}

/// What a load begins with.
#[derive(Default)]
pub struct Start {
    pub staging: StagingTable,
    pub sets: HashMap<String, Checkpoint>,
    pub n_pages: u64,
    /// When the unfinished load began, in microseconds since 1970.
    pub started: Option<i64>,
    /// Whether the API failed when an earlier load was to go on here.
    pub failed_before: bool,
    /// Rows in the staging table.
    pub n_rows: u64,
    /// The staging tables of the table's children, with their rows.
    pub children: Vec<(StagingTable, u64)>,
    /// Pages whose rows have numbers.
    pub numbered_pages: u64,
}

impl Start {
    /// Returns the start of a load from the beginning.
    pub fn new(schema: TableSchema, child_schemas: Vec<TableSchema>) -> Start {
        let children = child_schemas.into_iter().map(|schema| (StagingTable::Absent(schema), 0)).collect();
        Start { staging: StagingTable::Absent(schema), children, ..Start::default() }
    }

    /// Returns the start after what an unfinished load left, of the table and of its children.
    pub fn after(staged: Staged, children: StagedChildren) -> Start {
        let n_pages = staged.n_pages();
        Start {
            staging: match staged.has_table {
                true => StagingTable::Made(staged.schema),
                false => StagingTable::Noted(staged.schema),
            },
            sets: staged.sets,
            n_pages,
            started: staged.started,
            failed_before: staged.failed_before,
            n_rows: staged.n_rows,
            children: children.tables,
            numbered_pages: children.numbered_pages,
        }
    }

    /// Returns the columns to begin with, of the table and then of its children.
    pub fn schemas(&self) -> Vec<TableSchema> {
        std::iter::once(&self.staging)
            .chain(self.children.iter().map(|(staging, _)| staging))
            .map(|staging| staging.schema().clone())
            .collect()
    }

    /// Returns how many parameter sets are stored as a whole.
    pub fn n_done(&self) -> u64 {
        self.sets.values().filter(|checkpoint| checkpoint.is_over()).count() as u64
    }

    /// Returns what is left to fetch, and the names of all sets: behind those of the table, `sets` and `keys`, there are halves of windows.
    /// Windows may be halved where `may_split` says so.
    pub fn work(
        &self,
        connection: &Connection,
        sets: &[ParamSet],
        mut keys: Vec<String>,
        may_split: bool,
    ) -> Result<(Vec<SetWork>, Vec<String>)> {
        let mut work = Vec::new();
        let mut open: Vec<(usize, Option<Arc<ParamSet>>)> = (0..sets.len()).rev().map(|number| (number, None)).collect();
        while let Some((number, half)) = open.pop() {
            let key = keys.get(number).map_or("", String::as_str);
            let point = match self.sets.get(key) {
                Some(Checkpoint::Split) => {
                    let set = half.as_deref().or_else(|| sets.get(number)).ok_or_else(|| Error::internal("a parameter set is missing"))?;
                    let halves = halves_of(connection, set)?.ok_or_else(|| Error::internal("a window was halved that cannot be"))?;
                    let halved = [half_key(key, 0), half_key(key, 1)];
                    open.extend(halves.into_iter().enumerate().map(|(idx, half)| (keys.len() + idx, Some(Arc::new(half)))).rev());
                    keys.extend(halved);
                    continue;
                }
                Some(checkpoint) if checkpoint.is_over() => continue,
                Some(Checkpoint::At(text)) => ResumePoint::from_text(text).ok(),
                Some(_) | None => None,
            };
            work.push(SetWork { number, half, key: may_split.then(|| key.to_string()), point, is_noted: false });
        }
        Ok((work, keys))
    }
}

/// What an unfinished load left of the table's children.
#[derive(Default)]
pub struct StagedChildren {
    /// Their staging tables, with their rows.
    tables: Vec<(StagingTable, u64)>,
    numbered_pages: u64,
}

/// The table whose unfinished load can be continued, with the columns it was left with.
pub struct StagedParent<'a> {
    pub store: &'a Store,
    pub schema: &'a TableSchema,
}

impl StagedChildren {
    /// Looks for the staging tables of the children of an unfinished load of their parent. `None` when they are not as the load left them, or it asked for all rows where this one `is_update`, or the other way round.
    pub fn find(
        session: &mut dyn Session,
        StagedParent { store: parent, schema }: StagedParent<'_>,
        children: &[Store],
        identity: &Identity,
        is_update: bool,
    ) -> Result<Option<StagedChildren>> {
        let mut found = StagedChildren::default();
        for store in children {
            let rows = session.query(&format!(
                "SELECT place, columns FROM {}.load_state WHERE {}",
                store.unify_schema,
                store.is_about(&store.staging.table)
            ))?;
            let [row] = rows.as_slice() else { return Ok(None) };
            let text = |idx: usize| row.get(idx).and_then(Value::as_text);
            let columns = text(1).and_then(|columns| TableSchema::from_text(columns).ok());
            let Some(columns) = columns.filter(|_| text(0).is_some_and(|place| identity.difference(place).is_none())) else {
                return Ok(None);
            };
            let is_as_left = store.exists(session, &store.staging)? && store.has_columns(session, &store.staging.table, &columns)?;
            if !is_as_left || columns.deleted().is_some() != is_update {
                return Ok(None);
            }
            let n_rows = session.count(&format!("SELECT count(*) FROM {}", store.staging))?;
            found.tables.push((StagingTable::Made(columns), n_rows));
        }
        if let Some(number) = schema.row_number().filter(|_| !children.is_empty()) {
            let greatest = session.value(&format!("SELECT max({}) FROM {}", quote_ident(number), parent.staging))?;
            found.numbered_pages = greatest.as_integer().map_or(0, |greatest| pages_numbered(i64::try_from(greatest).unwrap_or(i64::MAX)));
        }
        Ok(Some(found))
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
        let stored = |checkpoint: &Checkpoint| match checkpoint {
            Checkpoint::At(text) => ResumePoint::from_text(text).map_or(0, |point| point.ordinal),
            _ => 0,
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
        let mut failed_before = false;
        let mut lost_texts = false;
        for row in &rows {
            let [key, status, place, columns, updated, started] = row.as_slice() else { continue };
            newest = newest.max(updated.as_timestamp().unwrap_or(i64::MIN));
            match key.as_text() {
                None | Some("") => {
                    failed_before = status.as_text() == Some(StagedStatus::FailedThere.as_text());
                    whole = Some((place.as_text(), columns.as_text(), started.as_timestamp()));
                    // Unify writes an empty text there.
                    lost_texts = *key == Value::Null;
                }
                Some(key) => {
                    let key = identity.set_key(key);
                    let checkpoint = Checkpoint::of(status.as_text().unwrap_or_default(), place.as_text());
                    let checkpoint = match sets.remove(key) {
                        Some(known) => checkpoint.farther(known),
                        None => checkpoint,
                    };
                    sets.insert(key.to_string(), checkpoint);
                }
            }
        }
        let Some((Some(stored), Some(columns), started)) = whole else {
            return Ok(if rows.is_empty() { Unfinished::Nothing } else { Unfinished::Useless("its state cannot be read".to_string()) });
        };
        if let Some(reason) = identity.difference(stored).or_else(|| unusable(&sets, newest)) {
            return Ok(Unfinished::Useless(reason.to_string()));
        }
        if lost_texts {
            return Ok(Unfinished::Useless("its rows came through CSV, which makes empty texts null".to_string()));
        }
        let Ok(schema) = TableSchema::from_text(columns) else {
            return Ok(Unfinished::Useless("its columns cannot be read".to_string()));
        };
        let has_table = store.exists(session, &store.staging)?;
        if has_table == schema.columns.is_empty() || (has_table && !store.has_columns(session, &store.staging.table, &schema)?) {
            return Ok(Unfinished::Useless(format!("'{}' is not as it was left", store.staging.table)));
        }
        let is_unproven = Identity::is_unproven(stored);
        let n_rows = if has_table { session.count(&format!("SELECT count(*) FROM {}", store.staging))? } else { 0 };
        Ok(Unfinished::Staged(Box::new(Staged { schema, has_table, started, n_rows, sets, failed_before, is_unproven })))
    }
}

/// Returns why the checkpoints or the age of a load do not let it be continued.
fn unusable(sets: &HashMap<String, Checkpoint>, updated: i64) -> Option<&'static str> {
    if now_micros().saturating_sub(updated) > MOST_AGE {
        return Some("nothing was added to it for more than two days");
    }
    let is_lost = |checkpoint: &Checkpoint| match checkpoint {
        Checkpoint::Done | Checkpoint::Synced(_) | Checkpoint::Lacking | Checkpoint::Skipped | Checkpoint::Split => false,
        Checkpoint::At(text) => ResumePoint::from_text(text).is_err(),
        Checkpoint::Unspoken => true,
    };
    sets.values().any(is_lost).then_some("its checkpoint was not stored, since it holds a secret or lies within an answer")
}
