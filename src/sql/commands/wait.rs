//! `WAIT FOR JOB n` and `unify_wait`: waits for a job's end.

use crate::sql::commands::jobs::{find, JOB};
use crate::sql::commands::load::bind_waits;
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::waiting::{Task, Waits};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, TableFunction, Topic};
use crate::{Error, Result};

/// `WAIT FOR JOB n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaitForJob {
    pub job: String,
}

impl WaitForJob {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<WaitForJob> {
        let job = parse::number_of(pair).ok_or_else(|| Error::internal("the grammar gave WAIT FOR JOB without a number"))?;
        Ok(WaitForJob { job })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        format!("SELECT * FROM unify_wait({})", self.job)
    }
}

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::wait,
    syntax: "WAIT FOR JOB n",
    description: "Waits for a job's end and says what it did",
    example: "WAIT FOR JOB 1",
    function: "unify_wait",
    topic: Topic::Jobs,
    call: |pair| WaitForJob::parse(pair).map(|statement| statement.call()),
};

/// `unify_wait(n)`.
pub(crate) struct UnifyWait;

static DEF: FunctionDef = FunctionDef {
    name: "unify_wait",
    description: "Waits for a job's end and says what it did; the error of a job that failed is raised",
    example: "FROM unify_wait(1)",
    positional: &[JOB],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyWait {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
        let id = arguments.integer(0, JOB.name)?;
        Ok(bind_waits(false, move |ctx: &StatementContext<'_>| {
            Ok(Waits { tasks: vec![Task::Job(find(id, ctx)?.job)], side_by_side: false })
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_statement;
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("WAIT FOR JOB 17", expect!["SELECT * FROM unify_wait(17)"]);
    }
}
