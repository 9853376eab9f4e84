//! `WAIT FOR JOB n` and `unify_wait`: waits for a job's end.

use crate::sql::commands::jobs::{find, JOB};
use crate::sql::commands::load::bind_waits;
use crate::sql::grammar::{self, Rule};
use crate::sql::waiting::{Task, Waits};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, Topic};
use crate::Result;

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::wait,
    syntax: "WAIT FOR JOB n",
    description: "Waits for a job's end and says what it did",
    example: "WAIT FOR JOB 1",
    function: &FUNCTION,
    topic: Topic::Jobs,
    arguments: |pair| grammar::number_of(pair).map(|number| vec![number]),
};

/// `unify_wait(n)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_wait",
    description: "Waits for a job's end and says what it did; the error of a job that failed is raised",
    example: "FROM unify_wait(1)",
    positional: &[JOB],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    let id = arguments.integer(0, JOB.name)?;
    Ok(bind_waits(false, move |ctx| Ok(Waits { tasks: vec![Task::Job(find(id, ctx)?.job)], side_by_side: false })))
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
