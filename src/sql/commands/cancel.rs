//! `CANCEL JOB n` and `unify_cancel`: ends a job.

use crate::spec::ScalarType;
use crate::sql::commands::jobs::{find, JOB};
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::rows::{integer, text, RowsCall};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, TableFunction, Topic};
use crate::{Error, Result};

const COLUMNS: &[(&str, ScalarType)] =
    &[("job", ScalarType::BigInt), ("table", ScalarType::Varchar), ("state", ScalarType::Varchar), ("rows", ScalarType::BigInt)];

/// Whether the rows loaded so far go, too.
const DROP: ParameterDef = ParameterDef { name: "drop", parameter_type: ParameterType::Boolean };

/// `CANCEL JOB n [DROP]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CancelJob {
    pub job: String,
    pub drop: bool,
}

impl CancelJob {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<CancelJob> {
        let drop = pair.clone().into_inner().any(|part| part.as_rule() == Rule::k_drop);
        let job = parse::number_of(pair).ok_or_else(|| Error::internal("the grammar gave CANCEL JOB without a number"))?;
        Ok(CancelJob { job, drop })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        format!("SELECT * FROM unify_cancel({}{})", self.job, if self.drop { ", drop := true" } else { "" })
    }
}

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::cancel,
    syntax: "CANCEL JOB n [DROP]",
    description: "Ends a job; what it loaded is kept for the next load unless DROP is added",
    example: "CANCEL JOB 1",
    function: "unify_cancel",
    topic: Topic::Jobs,
    call: |pair| CancelJob::parse(pair).map(|statement| statement.call()),
};

/// `unify_cancel(n, drop := false)`.
pub(crate) struct UnifyCancel;

static DEF: FunctionDef = FunctionDef {
    name: "unify_cancel",
    description: "Ends a job and returns its last state; what it loaded is kept for the next load unless it is dropped",
    example: "FROM unify_cancel(1)",
    positional: &[JOB],
    has_optional: false,
    named: &[DROP],
};

impl TableFunction for UnifyCancel {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
        let id = arguments.integer(0, JOB.name)?;
        let drop_staging = arguments.named_flag(DROP.name)?;
        Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, move |ctx: &StatementContext<'_>| {
            let known = find(id, ctx)?;
            ctx.instance.loader.cancel(&known, drop_staging, ctx.interrupted)?;
            let job = &known.job;
            Ok(vec![vec![integer(job.id()), text(Some(job.label())), text(Some(job.state().name())), integer(job.report().rows)]])
        }))))
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_statement;
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("CANCEL JOB 17", expect!["SELECT * FROM unify_cancel(17)"]);
        check_statement("cancel job 17 drop;", expect!["SELECT * FROM unify_cancel(17, drop := true)"]);
    }
}
