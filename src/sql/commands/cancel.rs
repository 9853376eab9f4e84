//! `CANCEL JOB n`, `CANCEL ALL JOBS`, `unify_cancel` and `unify_cancel_all`: ends one job, or all that run.

use crate::load::KnownJob;
use crate::session::Value;
use crate::spec::ScalarType;
use crate::sql::commands::jobs::{find, table_of, JOB};
use crate::sql::grammar::{self, Rule};
use crate::sql::rows::{bound_rows, integer, text};
use crate::sql::statement::flags_of;
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, Topic};
use crate::Result;

const COLUMNS: &[(&str, ScalarType)] = &[
    ("job", ScalarType::BigInt),
    ("table", ScalarType::Varchar),
    ("state", ScalarType::Varchar),
    ("rows", ScalarType::BigInt),
    ("rows_stored", ScalarType::BigInt),
];

/// Whether the rows loaded so far go, too.
const DROP: ParameterDef = ParameterDef { name: "drop", parameter_type: ParameterType::Boolean };
const DROPS: &[(Rule, ParameterDef)] = &[(Rule::k_drop, DROP)];

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::cancel,
    syntax: "CANCEL JOB n [DROP]",
    description: "Ends a job; what it loaded is kept for the next load unless DROP is added",
    example: "CANCEL JOB 1",
    function: &FUNCTION,
    topic: Topic::Jobs,
    arguments: |pair| {
        let flags = flags_of(&pair, DROPS);
        Ok([vec![grammar::number_of(pair)?], flags].concat())
    },
};

/// `unify_cancel(n, drop := false)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_cancel",
    description: "Ends a job and returns its last state; what it loaded is kept for the next load unless it is dropped",
    example: "FROM unify_cancel(1)",
    positional: &[JOB],
    named: &[DROP],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    let id = arguments.integer(0, JOB.name)?;
    let drop_staging = arguments.named_flag(DROP.name)?;
    Ok(bound_rows(COLUMNS, move |ctx| {
        let known = find(id, ctx)?;
        ctx.instance.loader.cancel(&known, drop_staging, ctx.interrupted)?;
        Ok(vec![row_of(&known, ctx)])
    }))
}

pub(super) static ALL: StatementDef = StatementDef {
    rule: Rule::cancel_all,
    syntax: "CANCEL ALL JOBS [DROP]",
    description: "Ends all jobs that run; what they loaded is kept for the next loads unless DROP is added",
    example: "CANCEL ALL JOBS",
    function: &ALL_FUNCTION,
    topic: Topic::Jobs,
    arguments: |pair| Ok(flags_of(&pair, DROPS)),
};

/// `unify_cancel_all(drop := false)`.
pub(super) static ALL_FUNCTION: FunctionDef = FunctionDef {
    name: "unify_cancel_all",
    description: "Ends all jobs that run and returns their last states; what they loaded is kept for the next loads unless it is dropped",
    example: "FROM unify_cancel_all()",
    named: &[DROP],
    ..FunctionDef::calling(bind_all)
};

fn bind_all(arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    let drop_staging = arguments.named_flag(DROP.name)?;
    Ok(bound_rows(COLUMNS, move |ctx| {
        let cancelled = ctx.instance.loader.cancel_all(drop_staging, ctx.interrupted)?;
        Ok(cancelled.iter().map(|known| row_of(known, ctx)).collect())
    }))
}

fn row_of(known: &KnownJob, ctx: &StatementContext<'_>) -> Vec<Value> {
    let job = &known.job;
    vec![
        integer(job.id()),
        Value::Text(table_of(known, ctx)),
        text(Some(job.state().name())),
        integer(job.rows_written()),
        integer(job.rows_stored()),
    ]
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_statement;
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("CANCEL JOB 17", expect!["SELECT * FROM unify_cancel(17)"]);
        check_statement("cancel job 17 drop;", expect!["SELECT * FROM unify_cancel(17, drop := true)"]);
        check_statement("CANCEL ALL JOBS", expect!["SELECT * FROM unify_cancel_all()"]);
        check_statement("cancel all jobs drop;", expect!["SELECT * FROM unify_cancel_all(drop := true)"]);
    }
}
