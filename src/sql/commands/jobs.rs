//! `SHOW ALL JOBS`, `SHOW JOB n` and `unify_jobs`: the jobs of this database, and how far each is.

use crate::load::{Job, KnownJob};
use crate::session::Value;
use crate::spec::ScalarType;
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::rows::{integer, text, RowsCall};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, TableFunction, Topic};
use crate::{Error, Result};

const COLUMNS: &[(&str, ScalarType)] = &[
    ("job", ScalarType::BigInt),
    ("table", ScalarType::Varchar),
    ("action", ScalarType::Varchar),
    ("state", ScalarType::Varchar),
    ("rows", ScalarType::BigInt),
    ("pages", ScalarType::BigInt),
    ("requests", ScalarType::BigInt),
    ("retries", ScalarType::BigInt),
    ("bytes", ScalarType::BigInt),
    ("rows_per_second", ScalarType::Double),
    ("percent", ScalarType::Double),
    ("eta", ScalarType::Double),
    ("waiting_for", ScalarType::Varchar),
    ("started", ScalarType::Timestamp),
    ("ended", ScalarType::Timestamp),
    ("error", ScalarType::Varchar),
];

/// The parameter of the functions that take a job.
pub(super) const JOB: ParameterDef = ParameterDef { name: "job", parameter_type: ParameterType::BigInt };

/// `SHOW ALL JOBS` or `SHOW JOB n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShowJobs {
    pub job: Option<String>,
}

impl ShowJobs {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> ShowJobs {
        ShowJobs { job: parse::number_of(pair) }
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        format!("SELECT * FROM unify_jobs({})", self.job.as_deref().unwrap_or_default())
    }
}

pub(super) static SHOW_ALL_JOBS: StatementDef = StatementDef {
    rule: Rule::show_jobs,
    syntax: "SHOW ALL JOBS",
    description: "Lists the jobs and how far each is",
    example: "SHOW ALL JOBS",
    function: "unify_jobs",
    topic: Topic::Jobs,
    call: |pair| Ok(ShowJobs::parse(pair).call()),
};

pub(super) static SHOW_JOB: StatementDef = StatementDef {
    rule: Rule::show_job,
    syntax: "SHOW JOB n",
    description: "Shows one job and how far it is",
    example: "SHOW JOB 1",
    function: "unify_jobs",
    topic: Topic::Jobs,
    call: |pair| Ok(ShowJobs::parse(pair).call()),
};

/// `unify_jobs([n])`.
pub(crate) struct UnifyJobs;

static DEF: FunctionDef = FunctionDef {
    name: "unify_jobs",
    description: "Lists the jobs of this database that run, and the last ones that ended; or one of them",
    example: "FROM unify_jobs()",
    positional: &[JOB],
    has_optional: true,
    named: &[],
};

impl TableFunction for UnifyJobs {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
        let id = match arguments.positional.first() {
            None | Some(Value::Null) => None,
            Some(_) => Some(arguments.integer(0, JOB.name)?),
        };
        Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, move |ctx: &StatementContext<'_>| rows(id, ctx)))))
    }
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
    vec![
        integer(report.job_id),
        Value::Text(table_of(known, ctx)),
        text(Some(report.action)),
        text(Some(job.state().name())),
        integer(report.rows),
        integer(report.pages),
        integer(report.requests),
        integer(job.retries()),
        integer(report.bytes),
        Value::Double(report.rows as f64 / report.seconds.max(0.001)),
        job.percent().map_or(Value::Null, Value::Double),
        job.seconds_left().map_or(Value::Null, Value::Double),
        text(job.waiting_for().as_deref()),
        Value::Timestamp(job.started_at()),
        job.ended_at().map_or(Value::Null, Value::Timestamp),
        text(error.as_ref().map(Error::message)),
    ]
}

/// Returns the table's name, with its database where that is not the current one.
fn table_of(known: &KnownJob, ctx: &StatementContext<'_>) -> String {
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
        check_statement("SHOW ALL JOBS", expect!["SELECT * FROM unify_jobs()"]);
        check_statement("show job 17;", expect!["SELECT * FROM unify_jobs(17)"]);
    }

    #[test]
    fn without_loads_there_are_none() {
        check_rows(
            "unify_jobs",
            &[],
            expect![[
                r#"job | table | action | state | rows | pages | requests | retries | bytes | rows_per_second | percent | eta | waiting_for | started | ended | error"#
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
