//! `SHOW ALL JOBS`, `SHOW JOB n` and `unify_jobs`: the jobs of this database, and how far each is.

use crate::load::{Job, KnownJob};
use crate::session::Value;
use crate::spec::ScalarType;
use crate::sql::grammar::{self, Rule};
use crate::sql::rows::{bound_rows_without, integer, text, BRIEF};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, Topic};
use crate::{Error, Result};

/// The most useful columns come first. DuckDB's command line leaves out columns in the middle where there is no room for all of them.
const COLUMNS: &[(&str, ScalarType)] = &[
    ("job", ScalarType::BigInt),
    ("table", ScalarType::Varchar),
    ("state", ScalarType::Varchar),
    ("percent", ScalarType::Double),
    ("rows", ScalarType::BigInt),
    ("eta", ScalarType::Double),
    ("rows_stored", ScalarType::BigInt),
    ("rows_per_second", ScalarType::Double),
    ("bytes", ScalarType::BigInt),
    ("started", ScalarType::Timestamp),
    ("ended", ScalarType::Timestamp),
    ("action", ScalarType::Varchar),
    ("requests", ScalarType::BigInt),
    ("retries", ScalarType::BigInt),
    ("pages", ScalarType::BigInt),
    ("waiting_for", ScalarType::Varchar),
    ("error", ScalarType::Varchar),
];
/// Those that the brief form leaves out, which fits a terminal of 120 columns ...
const DETAILS: &[&str] = &["rows_per_second", "bytes", "started", "ended", "action", "requests", "retries", "pages"];
/// ... and of a list of jobs this one, too: some may wait while others failed, and both texts take room.
const DETAIL_OF_ONE: &str = "rows_stored";

/// The parameter of the functions that take a job.
pub(super) const JOB: ParameterDef = ParameterDef { name: "job", parameter_type: ParameterType::BigInt };

pub(super) static SHOW_ALL_JOBS: StatementDef = StatementDef {
    rule: Rule::show_jobs,
    syntax: "SHOW ALL JOBS",
    description: "Lists the jobs and how far each is",
    example: "SHOW ALL JOBS",
    function: &FUNCTION,
    topic: Topic::Jobs,
    arguments: |_| Ok(vec![BRIEF.set()]),
};

pub(super) static SHOW_JOB: StatementDef = StatementDef {
    rule: Rule::show_job,
    syntax: "SHOW JOB n",
    description: "Shows one job and how far it is",
    example: "SHOW JOB 1",
    function: &FUNCTION,
    topic: Topic::Jobs,
    arguments: |pair| Ok(vec![grammar::number_of(pair)?, BRIEF.set()]),
};

/// `unify_jobs([n])`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_jobs",
    description: "Lists the jobs of this database that run, and the last ones that ended; or one of them",
    example: "FROM unify_jobs()",
    positional: &[JOB],
    has_optional: true,
    named: &[BRIEF],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    let id = arguments.optional_integer(0, JOB.name)?;
    let is_brief = arguments.named_flag(BRIEF.name)?;
    let is_left_out = |name: &str| is_brief && (DETAILS.contains(&name) || (name == DETAIL_OF_ONE && id.is_none()));
    Ok(bound_rows_without(COLUMNS, is_left_out, move |ctx| rows(id, ctx)))
}

fn rows(id: Option<i64>, ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let jobs = match id {
        None => ctx.instance.loader.jobs(),
        Some(id) => with_id(id, ctx)?,
    };
    Ok(jobs.iter().map(|known| row_of(known, ctx)).collect())
}

fn row_of(known: &KnownJob, ctx: &StatementContext<'_>) -> Vec<Value> {
    let job: &Job = &known.job;
    let report = job.report();
    let error = job.outcome().and_then(Result::err);
    let rounded = |number: f64| Value::Double((number * 10.0).round() / 10.0);
    vec![
        integer(job.id()),
        Value::Text(table_of(known, ctx)),
        text(Some(job.state().name())),
        job.percent().map_or(Value::Null, rounded),
        integer(job.rows_written()),
        job.seconds_left().map_or(Value::Null, rounded),
        integer(job.rows_stored()),
        rounded(job.rows_written() as f64 / report.seconds.max(0.001)),
        integer(report.bytes),
        Value::Timestamp(job.started_at()),
        job.ended_at().map_or(Value::Null, Value::Timestamp),
        text(Some(report.action)),
        integer(report.requests),
        integer(job.retries()),
        integer(report.pages),
        text(job.waiting_for().as_deref()),
        text(error.as_ref().map(Error::message)),
    ]
}

/// Returns the table's name, with its database where that is not the current one.
pub(super) fn table_of(known: &KnownJob, ctx: &StatementContext<'_>) -> String {
    let target = &known.target;
    match ctx.is_catalog(&target.catalog) {
        true => known.job.label().to_string(),
        false => format!("{}.{}", target.catalog, known.job.label()),
    }
}

/// Returns the one job with that id. Each database counts its own: one in the current database comes first.
pub(super) fn find(id: i64, ctx: &StatementContext<'_>) -> Result<KnownJob> {
    let mut jobs = with_id(id, ctx)?;
    if jobs.len() > 1 {
        let databases: Vec<&str> = jobs.iter().map(|known| known.target.catalog.as_str()).collect();
        return Err(Error::config(format!("databases {} each have a job {id}; USE the one that is meant", databases.join(", "))));
    }
    jobs.pop().ok_or_else(|| unknown(id))
}

/// Returns the jobs with that id: that of the current database, or those of all others.
fn with_id(id: i64, ctx: &StatementContext<'_>) -> Result<Vec<KnownJob>> {
    let mut jobs = ctx.instance.loader.jobs();
    jobs.retain(|known| known.job.id() == id);
    if let Some(here) = jobs.iter().rfind(|known| ctx.is_catalog(&known.target.catalog)) {
        return Ok(vec![here.clone()]);
    }
    if jobs.is_empty() {
        return Err(unknown(id));
    }
    Ok(jobs)
}

fn unknown(id: i64) -> Error {
    Error::config(format!(
        "there is no job {id}; SHOW ALL JOBS lists those since the database was opened, information_schema.loading_jobs has earlier ones"
    ))
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::TestInstance;
    use crate::sql::commands::tests::{check_rows, check_statement};
    use expect_test::expect;

    #[test]
    fn the_statements_are_calls() {
        check_statement("SHOW ALL JOBS", expect!["SELECT * FROM unify_jobs(brief := true)"]);
        check_statement("show job 17;", expect!["SELECT * FROM unify_jobs(17, brief := true)"]);
    }

    #[test]
    fn without_loads_there_are_none() {
        check_rows(
            "unify_jobs",
            &[],
            expect![[
                r#"job | table | state | percent | rows | eta | rows_stored | rows_per_second | bytes | started | ended | action | requests | retries | pages | waiting_for | error"#
            ]],
        );
    }

    #[test]
    fn an_unknown_job_is_an_error() {
        let instance = TestInstance::new();
        let err = super::find(17, &instance.context()).err().unwrap();
        assert!(err.message().starts_with("there is no job 17; SHOW ALL JOBS lists"), "{err}");
    }
}
