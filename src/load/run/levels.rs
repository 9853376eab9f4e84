//! Fetches a table that goes on below its own rows: one level after the other, each with the parameter sets that the one before gives.
//!
//! A level is fetched and stored as a whole before the next one begins, and its rows carry its mark. So a load that goes on finds the same
//! levels again, with the sets of each, and asks only for what is not stored.

use super::{JobRun, Plan};
use crate::http::ParamSet;
use crate::load::flow::fetch::Fetch;
use crate::load::identity::{set_keys, set_mark};
use crate::load::plan::levels::{Level, SeenSets};
use crate::load::plan::resume::SetWork;
use crate::load::plan::sets::{Planned, PlannedSets};
use crate::load::records::checkpoints::Checkpoint;
use crate::load::write::writer::Writer;
use crate::session::LogLevel;
use crate::source::ResumePoint;
use crate::spec::RecurseDef;
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// The levels of one pass.
pub(super) struct Levels<'a> {
    recurse: &'a RecurseDef,
    /// How far the sets are that an earlier load began, by their names.
    known: HashMap<String, Checkpoint>,
    /// What is left of the first level.
    first: Vec<SetWork>,
}

impl<'a> Levels<'a> {
    /// Begins with what is left of the first level.
    pub fn new(recurse: &'a RecurseDef, known: HashMap<String, Checkpoint>, first: Vec<SetWork>) -> Levels<'a> {
        Levels { recurse, known, first }
    }
}

impl JobRun {
    /// Fetches and stores all levels.
    pub(super) fn move_levels(&self, plan: &Plan<'_>, fetch: &Arc<Fetch>, writer: &mut Writer<'_>, levels: Levels<'_>) -> Result<()> {
        let Levels { recurse, known, first } = levels;
        let mut seen = SeenSets::default();
        let mut sets: Vec<ParamSet> = plan.sets.to_vec();
        for set in &sets {
            seen.is_new(set);
        }
        let mut work = first;
        for level in 0.. {
            self.job.check_cancelled()?;
            let name = level_name(level);
            let marked = work.into_iter().map(|work| SetWork { key: Some(name.clone()), ..work });
            self.move_work(fetch, writer, marked.collect())?;
            let n_before = sets.len();
            for set in self.sets_below(plan, recurse, level, writer)? {
                if seen.is_new(&set) {
                    sets.push(set);
                }
            }
            if sets.len() == n_before {
                return Ok(());
            }
            seen.check()?;
            if level >= recurse.max_depth {
                return Err(Error::data(format!(
                    "rows lie more than {level} levels below the first ones, which is the 'max_depth' of 'recurse'; raise it, or check that the \
                     query of 'recurse' leads to an end"
                )));
            }
            let keys = set_keys(&sets, fetch.asker.client.redactor()).split_off(n_before);
            work = work_of(n_before, &sets, &keys, &known);
            let n_sets = keys.len();
            writer.checkpoints.add(keys, &known);
            self.job.counters().sets.fetch_add(n_sets as u64, Ordering::Relaxed);
            self.job.log(LogLevel::Info, || format!("level {} of the rows, parameter sets: {n_sets}", level + 1));
        }
        Ok(())
    }

    /// Returns the sets that the rows of a level lead to.
    fn sets_below(&self, plan: &Plan<'_>, recurse: &RecurseDef, level: u64, writer: &Writer<'_>) -> Result<Vec<ParamSet>> {
        let Some(table) = writer.tables.first() else { return Ok(Vec::new()) };
        let Some(schema) = table.staging.made() else { return Ok(Vec::new()) };
        let planned = Planned { connection: &self.target.connection, table_def: plan.table_def, catalog: &self.target.catalog };
        let mark = set_mark(&level_name(level));
        let level = Level { staging: &table.store.staging, schema, mark: &mark };
        let mut session = self.services.database.connect()?;
        let PlannedSets { sets, notes } = planned.sets_below(recurse, &level, plan.now, session.as_mut())?;
        for (level, note) in notes {
            self.job.log(level, || note);
        }
        Ok(sets)
    }
}

/// Returns what is left to fetch of the sets behind the first ones.
fn work_of(n_before: usize, sets: &[ParamSet], keys: &[String], known: &HashMap<String, Checkpoint>) -> Vec<SetWork> {
    let mut work = Vec::new();
    for ((number, set), key) in sets.iter().enumerate().skip(n_before).zip(keys) {
        let point = match known.get(key) {
            Some(checkpoint) if checkpoint.is_over() => continue,
            Some(Checkpoint::At(text)) => ResumePoint::from_text(text).ok(),
            Some(_) | None => None,
        };
        work.push(SetWork { number, half: Some(Arc::new(set.clone())), key: None, point, is_noted: false });
    }
    work
}

/// Returns the name of a level, by which its rows are marked.
fn level_name(level: u64) -> String {
    format!("level {level}")
}
