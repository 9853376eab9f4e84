//! The audit trail: `unify.loading_jobs` and `unify.loading_log`, in the database the tables are in.

use crate::load::clock::now_micros;
use crate::load::job::handle::CANCELLED_AT_END;
use crate::load::job::report::LogLine;
use crate::load::records::{LOADING_JOBS, LOADING_LOG};
use crate::session::{quote_literal, LogLevel, Session, Value};
use crate::Result;
use std::time::Duration;

/// What a record of a job says.
pub(in crate::load) const JOB_COLUMNS: &[&str] =
    &["id", "parent_id", "timestamp", "table_schema", "table_name", "adapter_name", "action", "numrows", "status", "error_message"];
/// What a line of the log says.
const LINE_COLUMNS: &[&str] = &["loading_job_id", "timestamp", "table_schema", "table_name", "adapter_name", "message", "level"];

/// The type of Unify's entries in DuckDB's own log: `CALL enable_logging('Unify')`.
pub const LOG_TYPE: &str = "Unify";

/// The error of a load whose process ended before it did.
pub const ENDED_BEFORE: &str = "the process or database ended before the load did";

/// Whether the user wants Unify's lines in DuckDB's own log. The CLI always logs warnings, by printing them: there it takes an explicit wish.
const IS_LOGGING: &str = "SELECT CAST(current_setting('enable_logging') AS BOOLEAN)
    AND (current_setting('logging_storage') <> 'shell_log_storage' OR contains(lower(current_setting('enabled_log_types')), 'unify'))";

/// Whether a record of `loading_jobs` with an error is that of a load which ended only because its database or process did. The records
/// have no other sign than these two texts, the second behind its place.
pub fn ended_with_process_sql() -> String {
    let (before, at_end) = (quote_literal(ENDED_BEFORE), quote_literal(&format!(": {CANCELLED_AT_END}")));
    format!("(coalesce(error_message, '') = {before} OR ends_with(coalesce(error_message, ''), {at_end}))")
}

/// A statement of many rows takes DuckDB much longer than several of fewer.
const LINES_A_STATEMENT: usize = 500;
/// The actions of a job's first record, quoted, and those of its last one.
const STARTS: &str = "'load_start', 'refresh_start'";
const ENDS: &str = "'load_end', 'refresh_end'";

/// Whose records these are.
#[derive(Debug, Clone)]
pub struct AuditSubject {
    /// The schema `unify` of the database, quoted, such as `"db"."unify"`.
    pub unify_schema: String,
    pub schema: String,
    pub table: String,
    pub adapter: String,
}

/// A record of `loading_jobs`.
#[derive(Debug, Clone, Copy)]
pub struct JobRecord<'a> {
    pub id: i64,
    /// The `_start` record an `_end` record points to.
    pub parent_id: Option<i64>,
    pub action: &'a str,
    pub n_rows: Option<u64>,
    /// The error that ended the job; `None` is success.
    pub error: Option<&'a str>,
}

impl AuditSubject {
    /// Returns the statement that adds a record to `loading_jobs`.
    pub fn record_sql(&self, record: JobRecord<'_>) -> String {
        let number = |number: Option<i128>| number.map_or("NULL".to_string(), |number| number.to_string());
        let values = format!(
            "VALUES ({}, {}, make_timestamp({}), {}, {}, {}, {}, {}, {}, {})",
            record.id,
            number(record.parent_id.map(i128::from)),
            now_micros(),
            quote_literal(&self.schema),
            quote_literal(&self.table),
            quote_literal(&self.adapter),
            quote_literal(record.action),
            number(record.n_rows.map(i128::from)),
            quote_literal(if record.error.is_some() { "error" } else { "success" }),
            record.error.map_or("NULL".to_string(), quote_literal),
        );
        LOADING_JOBS.insert_sql(&self.unify_schema, JOB_COLUMNS, &values)
    }

    /// Adds the lines to `loading_log`, in the session's transaction, and to DuckDB's own log where the user enabled that.
    pub fn write_log(&self, session: &mut dyn Session, job_id: i64, lines: &[LogLine]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        session.execute(&self.log_sql(job_id, lines))?;
        self.tell_duckdb(session, &format!("job {job_id}"), lines)
    }

    /// Adds the lines of `who` to DuckDB's own log where the user enabled that.
    pub fn tell_duckdb(&self, session: &mut dyn Session, who: &str, lines: &[LogLine]) -> Result<()> {
        if session.value(IS_LOGGING)? == Value::Boolean(true) {
            session.execute(&lines.iter().map(|line| self.duckdb_log_sql(who, line)).collect::<String>())?;
        }
        Ok(())
    }

    /// Returns the statement that writes a line to DuckDB's own log.
    fn duckdb_log_sql(&self, who: &str, line: &LogLine) -> String {
        let level = if line.level == LogLevel::Critical { "FATAL" } else { line.level.name() };
        let message = format!("{}.{}, {who}: {}", self.schema, self.table, line.message);
        format!("SELECT write_log({}, log_type := '{LOG_TYPE}', level := '{level}', scope := 'database');", quote_literal(&message))
    }

    /// Returns the statement that adds the lines to `loading_log`; empty when there are none.
    fn log_sql(&self, job_id: i64, lines: &[LogLine]) -> String {
        let rows: Vec<String> = lines
            .iter()
            .map(|line| {
                format!(
                    "({job_id}, make_timestamp({}), {}, {}, {}, {}, {})",
                    line.timestamp,
                    quote_literal(&self.schema),
                    quote_literal(&self.table),
                    quote_literal(&self.adapter),
                    quote_literal(&line.message),
                    quote_literal(line.level.name()),
                )
            })
            .collect();
        let insert = |rows: &[String]| LOADING_LOG.insert_sql(&self.unify_schema, LINE_COLUMNS, &format!("VALUES {}", rows.join(", ")));
        rows.chunks(LINES_A_STATEMENT).map(insert).collect()
    }
}

/// Closes what an ended process left open: every `_start` without an `_end` gets one with status error. Returns the highest id.
///
/// Only right while no load of this process runs in that database.
pub fn close_open_jobs(session: &mut dyn Session, unify_schema: &str) -> Result<i64> {
    // Most often nothing is open: then the ids of all that began are those of all that ended, and one pass over the records tells so.
    let rows = session.query(&format!(
        "SELECT max(id), sum(CASE WHEN action IN ({STARTS}) THEN id WHEN action IN ({ENDS}) THEN -parent_id END)
         FROM {unify_schema}.loading_jobs"
    ))?;
    let of_row = |idx: usize| rows.first().and_then(|row| row.get(idx)).and_then(Value::as_integer).unwrap_or(0);
    if of_row(1) == 0 {
        return Ok(i64::try_from(of_row(0)).unwrap_or(i64::MAX));
    }
    let ends = ends_sql(unify_schema, &format!("(SELECT max(id) FROM {unify_schema}.loading_jobs)"), "");
    session.execute(&LOADING_JOBS.insert_sql(unify_schema, JOB_COLUMNS, &ends))?;
    Ok(session.count(&format!("SELECT coalesce(max(id), 0) FROM {unify_schema}.loading_jobs"))? as i64)
}

/// Returns the query for the records that end every `_start` without an `_end`, of those that `which` leaves, under ids above `last_id`.
pub fn ends_sql(unify_schema: &str, last_id: &str, which: &str) -> String {
    format!(
        "SELECT {last_id} + row_number() OVER (ORDER BY id) AS id, id AS parent_id, make_timestamp({}) AS \"timestamp\", table_schema, table_name,
                adapter_name, replace(action, '_start', '_end') AS action, NULL AS numrows, 'error' AS status, {} AS error_message
         FROM {}",
        now_micros(),
        quote_literal(ENDED_BEFORE),
        open_jobs_sql(unify_schema, which)
    )
}

/// Returns what follows FROM in a query for every `_start` without an `_end`, of those that `which` leaves.
pub fn open_jobs_sql(unify_schema: &str, which: &str) -> String {
    format!(
        "{unify_schema}.loading_jobs AS started
         WHERE action IN ({STARTS}) {which}
           AND NOT EXISTS (SELECT 1 FROM {unify_schema}.loading_jobs AS ended WHERE ended.parent_id = started.id
                           AND ended.action IN ({ENDS}))"
    )
}

/// Deletes the records and lines that are older than `age`, but for the records of loads that have not ended.
pub fn forget_old(session: &mut dyn Session, unify_schema: &str, age: Duration) -> Result<()> {
    let oldest = now_micros().saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
    session.execute(&format!(
        "DELETE FROM {unify_schema}.loading_log WHERE timestamp < make_timestamp({oldest});
         DELETE FROM {unify_schema}.loading_jobs WHERE timestamp < make_timestamp({oldest})
           AND (action NOT IN ({STARTS})
                OR id IN (SELECT parent_id FROM {unify_schema}.loading_jobs
                          WHERE action IN ({ENDS}) AND timestamp < make_timestamp({oldest})));"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> AuditSubject {
        AuditSubject { unify_schema: "\"db\".\"unify\"".into(), schema: "it's".into(), table: "t".into(), adapter: "a".into() }
    }

    #[test]
    fn records_are_quoted() {
        let sql = subject().record_sql(JobRecord { id: 2, parent_id: Some(1), action: "load_end", n_rows: Some(3), error: Some("it's") });
        assert!(sql.starts_with("INSERT INTO \"db\".\"unify\".\"loading_jobs\" (\"id\", \"parent_id\", \"timestamp\", "), "{sql}");
        assert!(sql.contains(") VALUES (2, 1, make_timestamp("), "{sql}");
        assert!(sql.ends_with("), 'it''s', 't', 'a', 'load_end', 3, 'error', 'it''s');"), "{sql}");
    }

    #[test]
    fn lines_become_rows() {
        let line = LogLine { level: crate::session::LogLevel::Warning, message: "it's".into(), timestamp: 5 };
        assert_eq!(subject().log_sql(1, &[]), "");
        let sql = subject().log_sql(1, &[line.clone(), line]);
        assert_eq!(sql.matches("(1, make_timestamp(5), 'it''s', 't', 'a', 'it''s', 'WARNING')").count(), 2, "{sql}");
    }
}
