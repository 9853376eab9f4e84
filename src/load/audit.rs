//! The audit trail: `unify.loading_jobs` and `unify.loading_log`, in the database the tables are in.

use super::report::LogLine;
use crate::session::{quote_literal, LogLevel, Session, Value};
use crate::Result;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Columns of `loading_jobs`, in order, with their types.
pub const JOBS_COLUMNS: &[(&str, &str)] = &[
    ("id", "BIGINT"),
    ("parent_id", "BIGINT"),
    ("timestamp", "TIMESTAMP"),
    ("table_schema", "VARCHAR"),
    ("table_name", "VARCHAR"),
    ("adapter_name", "VARCHAR"),
    ("action", "VARCHAR"),
    ("numrows", "BIGINT"),
    ("status", "VARCHAR"),
    ("error_message", "VARCHAR"),
];

/// Columns of `loading_log`, in order, with their types.
pub const LOG_COLUMNS: &[(&str, &str)] = &[
    ("loading_job_id", "BIGINT"),
    ("timestamp", "TIMESTAMP"),
    ("table_schema", "VARCHAR"),
    ("table_name", "VARCHAR"),
    ("adapter_name", "VARCHAR"),
    ("message", "VARCHAR"),
    ("level", "VARCHAR"),
];

/// The type of Unify's entries in DuckDB's own log: `CALL enable_logging('Unify')`.
pub const LOG_TYPE: &str = "Unify";

/// The error of a load whose process ended before it did.
pub const ENDED_BEFORE: &str = "the process or database ended before the load did";

/// Whether the user wants Unify's lines in DuckDB's own log. The CLI always logs warnings, by printing them: there it takes an explicit wish.
const IS_LOGGING: &str = "SELECT CAST(current_setting('enable_logging') AS BOOLEAN)
    AND (current_setting('logging_storage') <> 'shell_log_storage' OR contains(lower(current_setting('enabled_log_types')), 'unify'))";

/// What the errors of loads say that ended only because their database or process did.
pub const PROCESS_ENDED: [&str; 2] = ["cancelled because the database or the process ends", ENDED_BEFORE];

/// A statement of many rows takes DuckDB much longer than several of fewer.
const LINES_A_STATEMENT: usize = 500;

/// Returns the time now, in microseconds since 1970-01-01 00:00:00 UTC.
pub fn now_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

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
        format!(
            "INSERT INTO {}.loading_jobs VALUES ({}, {}, make_timestamp({}), {}, {}, {}, {}, {}, {}, {});",
            self.unify_schema,
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
        )
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
        let insert = |rows: &[String]| format!("INSERT INTO {}.loading_log VALUES {};", self.unify_schema, rows.join(", "));
        rows.chunks(LINES_A_STATEMENT).map(insert).collect()
    }
}

/// Closes what an ended process left open: every `_start` without an `_end` gets one with status error. Returns the highest id.
///
/// Only right while no load of this process runs in that database.
pub fn close_open_jobs(session: &mut dyn Session, unify_schema: &str) -> Result<i64> {
    session.execute(&format!(
        "INSERT INTO {unify_schema}.loading_jobs
         SELECT (SELECT max(id) FROM {unify_schema}.loading_jobs) + row_number() OVER (ORDER BY id), id, make_timestamp({now}),
                table_schema, table_name, adapter_name, replace(action, '_start', '_end'), NULL, 'error',
                {ended}
         FROM {unify_schema}.loading_jobs AS started
         WHERE action IN ('load_start', 'refresh_start')
           AND NOT EXISTS (SELECT 1 FROM {unify_schema}.loading_jobs AS ended WHERE ended.parent_id = started.id
                           AND ended.action IN ('load_end', 'refresh_end'));",
        now = now_micros(),
        ended = quote_literal(ENDED_BEFORE)
    ))?;
    Ok(session.count(&format!("SELECT coalesce(max(id), 0) FROM {unify_schema}.loading_jobs"))? as i64)
}

/// Deletes the records and lines that are older than `age`, but for the records of loads that have not ended.
pub fn forget_old(session: &mut dyn Session, unify_schema: &str, age: Duration) -> Result<()> {
    let oldest = now_micros().saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
    session.execute(&format!(
        "DELETE FROM {unify_schema}.loading_log WHERE timestamp < make_timestamp({oldest});
         DELETE FROM {unify_schema}.loading_jobs WHERE timestamp < make_timestamp({oldest})
           AND (action NOT IN ('load_start', 'refresh_start')
                OR id IN (SELECT parent_id FROM {unify_schema}.loading_jobs
                          WHERE action IN ('load_end', 'refresh_end') AND timestamp < make_timestamp({oldest})));"
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
        assert!(sql.starts_with("INSERT INTO \"db\".\"unify\".loading_jobs VALUES (2, 1, make_timestamp("), "{sql}");
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
