//! The jobs that run now in a database that several processes share: `unify.live_jobs`.
//!
//! A row with an empty owner holds the last record id given out; any other is a running job. Who begins a job changes that row, so
//! that of two who begin at once one is in conflict and looks again.

use crate::load::clock::now_micros;
use crate::load::records::audit::{ends_sql, open_jobs_sql, JOB_COLUMNS};
use crate::load::records::heartbeat::Heartbeat;
use crate::load::records::owner::Owner;
use crate::load::records::store::Store;
use crate::load::records::{LIVE_JOBS, LOADING_JOBS};
use crate::session::{quote_literal, Session, Value};
use crate::{Error, Result};

/// Record ids a job may give out, its own included.
pub const IDS_A_JOB: i64 = 8;

/// What beginning a job found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// The job is noted, under this id.
    Entered(i64),
    /// Another process loads the table, in the job of this id.
    Taken(i64),
    /// Another process loaded the table meanwhile.
    Loaded,
}

/// The running jobs of one database.
pub struct LiveJobs<'a> {
    /// The schema `unify`, quoted with its database.
    pub unify_schema: &'a str,
    pub heartbeat: &'a Heartbeat,
}

/// A running job, or one whose process ended.
struct LiveJob {
    id: i64,
    schema: String,
    table: String,
    owner: Owner,
    /// Its last sign of life, in microseconds since 1970.
    beat: i64,
}

impl LiveJobs<'_> {
    /// Notes a job for a table, inside the session's transaction, unless one of another process runs. Closes the records of jobs
    /// whose process has ended.
    pub fn enter(&self, session: &mut dyn Session, schema: &str, table: &str) -> Result<Entry> {
        let (last_id, jobs) = self.read(session)?;
        let now = now_micros();
        let (live, dead): (Vec<LiveJob>, Vec<LiveJob>) = jobs.into_iter().partition(|job| self.is_alive(job, now));
        let is_it = |job: &&LiveJob| job.schema.eq_ignore_ascii_case(schema) && job.table.eq_ignore_ascii_case(table);
        if let Some(job) = live.iter().find(is_it) {
            return Ok(Entry::Taken(job.id));
        }
        let n_closed = self.close(session, last_id, &live, &dead)?;
        let id = last_id + n_closed + 1;
        let values = format!(
            "VALUES ({id}, {}, {}, {}, make_timestamp({now}))",
            quote_literal(schema),
            quote_literal(table),
            quote_literal(&self.heartbeat.owner().to_string())
        );
        session.execute(&format!(
            "UPDATE {unify}.live_jobs SET job_id = {last}, updated = make_timestamp({now}) WHERE coalesce(owner, '') = '';
             {}",
            LIVE_JOBS.insert_sql(self.unify_schema, &["job_id", "table_schema", "table_name", "owner", "updated"], &values),
            unify = self.unify_schema,
            last = id + IDS_A_JOB - 1,
        ))?;
        Ok(Entry::Entered(id))
    }

    /// Returns the id of a record about a table that is emptied or dropped, inside the session's transaction. Fails when another process
    /// loads the table.
    pub fn pass(&self, session: &mut dyn Session, store: &Store) -> Result<i64> {
        match self.enter(session, &store.target.schema, &store.target.table)? {
            Entry::Taken(id) => Err(Error::config(format!("job {id} of another process is loading it; wait for its end, and try again"))),
            Entry::Loaded => Err(Error::internal("clearing a table found it loaded")),
            Entry::Entered(id) => session.execute(&leave_sql(self.unify_schema, id)).map(|()| id),
        }
    }

    /// Returns whether a job is there and its process alive.
    pub fn is_live(&self, session: &mut dyn Session, id: i64) -> Result<bool> {
        let (_, jobs) = self.read(session)?;
        Ok(jobs.iter().any(|job| job.id == id && self.is_alive(job, now_micros())))
    }

    /// Returns whether a job runs. One of this process that could not note its end does not beat.
    fn is_alive(&self, job: &LiveJob, now: i64) -> bool {
        let me = self.heartbeat.owner();
        match job.owner == *me {
            true => self.heartbeat.beats_for(self.unify_schema, job.id),
            false => job.owner.is_alive(me, job.beat, now),
        }
    }

    /// Returns the last id given out, and the jobs.
    fn read(&self, session: &mut dyn Session) -> Result<(i64, Vec<LiveJob>)> {
        let rows =
            session.query(&format!("SELECT job_id, table_schema, table_name, owner, updated FROM {}.live_jobs", self.unify_schema))?;
        let mut last_id = None;
        let mut jobs = Vec::new();
        for row in rows {
            let [Value::Integer(id), schema, table, owner, updated] = row.as_slice() else { continue };
            let text = |value: &Value| value.as_text().unwrap_or_default().to_string();
            let beat = if let Value::Timestamp(at) = updated { *at } else { 0 };
            let id = *id as i64;
            match owner.as_text() {
                None | Some("") => last_id = Some(id),
                Some(owner) => jobs.push(LiveJob { id, schema: text(schema), table: text(table), owner: Owner::from_text(owner), beat }),
            }
        }
        let last_id =
            last_id.ok_or_else(|| Error::database(format!("{}.live_jobs holds no last id; drop the table", self.unify_schema)))?;
        Ok((last_id, jobs))
    }

    /// Closes every `_start` without an `_end` whose job is not live, under ids above `last_id`. Returns how many.
    fn close(&self, session: &mut dyn Session, last_id: i64, live: &[LiveJob], dead: &[LiveJob]) -> Result<i64> {
        if !dead.is_empty() {
            session.execute(&format!("DELETE FROM {}.live_jobs WHERE owner <> '' AND job_id IN ({})", self.unify_schema, ids_of(dead)))?;
        }
        let unify = self.unify_schema;
        let not_live = format!("AND id NOT IN ({})", ids_of(live));
        let n_open = session.count(&format!("SELECT count(*) FROM {}", open_jobs_sql(unify, &not_live)))? as i64;
        if n_open > 0 {
            let ends = ends_sql(unify, &last_id.to_string(), &not_live);
            session.execute(&LOADING_JOBS.insert_sql(unify, JOB_COLUMNS, &ends))?;
        }
        Ok(n_open)
    }
}

/// Returns the statement that notes the end of a job.
pub fn leave_sql(unify_schema: &str, id: i64) -> String {
    format!("DELETE FROM {unify_schema}.live_jobs WHERE owner <> '' AND job_id = {id};")
}

/// Fails unless the job is noted: another process took it for dead and may load the table itself.
pub fn check(session: &mut dyn Session, unify_schema: &str, id: i64) -> Result<()> {
    let rows = session.query(&format!("SELECT 1 FROM {unify_schema}.live_jobs WHERE owner <> '' AND job_id = {id}"))?;
    if rows.is_empty() {
        return Err(Error::database(format!(
            "another process ended job {id}, since it gave no sign of life for too long; load the table again, and compare the clocks of both"
        )));
    }
    Ok(())
}

/// Returns an id that no record has, inside the session's transaction.
pub fn take_id(session: &mut dyn Session, unify_schema: &str) -> Result<i64> {
    session.execute(&format!(
        "UPDATE {unify_schema}.live_jobs SET job_id = job_id + 1, updated = make_timestamp({}) WHERE coalesce(owner, '') = ''",
        now_micros()
    ))?;
    let id = session.value(&format!("SELECT job_id FROM {unify_schema}.live_jobs WHERE coalesce(owner, '') = ''"))?;
    id.as_integer()
        .and_then(|id| i64::try_from(id).ok())
        .ok_or_else(|| Error::database(format!("{unify_schema}.live_jobs holds no last id; drop the table")))
}

/// Returns ids for `IN (...)`, which must not be empty.
fn ids_of(jobs: &[LiveJob]) -> String {
    let ids = std::iter::once("-1".to_string()).chain(jobs.iter().map(|job| job.id.to_string()));
    ids.collect::<Vec<_>>().join(", ")
}
