//! `SHOW ALL CONNECTIONS` and `unify_connections`: the connections there are, those that cannot be used included.

use crate::catalog::ConnectionEntry;
use crate::session::Value;
use crate::spec::ScalarType;
use crate::sql::grammar::Rule;
use crate::sql::rows::{bound_rows, text};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, Topic};
use crate::Result;

const COLUMNS: &[(&str, ScalarType)] = &[
    ("connection", ScalarType::Varchar),
    ("adapter", ScalarType::Varchar),
    ("status", ScalarType::Varchar),
    ("error", ScalarType::Varchar),
    ("options", ScalarType::Varchar),
    ("persistent", ScalarType::Boolean),
    ("source_file", ScalarType::Varchar),
];

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::show_connections,
    syntax: "SHOW ALL CONNECTIONS",
    description: "Lists the connections, those that cannot be used included",
    example: "SHOW ALL CONNECTIONS",
    function: &FUNCTION,
    topic: Topic::Connections,
    arguments: |_| Ok(Vec::new()),
};

/// `unify_connections()`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_connections",
    description: "Lists the connections with their options, secrets redacted, and what is wrong with those that cannot be used",
    example: "FROM unify_connections()",
    ..FunctionDef::calling(bind)
};

fn bind(_arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    Ok(bound_rows(COLUMNS, rows))
}

fn rows(ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
    if let Some(problem) = snapshot.unreadable().filter(|_| snapshot.connections().is_empty()) {
        return Err(problem.clone());
    }
    let mut rows: Vec<Vec<Value>> = snapshot.connections().iter().map(row).collect();
    // What is wrong with the file beside its entries.
    if let Some(problem) = snapshot.connections_problem() {
        let error = text(Some(problem.message()));
        rows.push(vec![Value::Null, Value::Null, text(Some("error")), error, Value::Null, Value::Boolean(true), Value::Null]);
    }
    Ok(rows)
}

fn row(entry: &ConnectionEntry) -> Vec<Value> {
    let err = entry.open().err();
    let status = if err.is_some() { "error" } else { "ok" };
    vec![
        text(Some(&entry.name)),
        text(Some(entry.adapter.as_str()).filter(|adapter| !adapter.is_empty())),
        text(Some(status)),
        text(err.as_ref().map(|err| err.message())),
        text(Some(&entry.redacted_options())),
        Value::Boolean(entry.file().is_some()),
        text(entry.file()),
    ]
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::{check_rows, check_statement};
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("SHOW ALL CONNECTIONS", expect!["SELECT * FROM unify_connections()"]);
    }

    #[test]
    fn broken_connections_are_listed_with_their_error() {
        check_rows(
            "unify_connections",
            &[],
            expect![[r#"
            connection | adapter | status | error | options | persistent | source_file
            shop | shop | ok | NULL | username=***, password=*** | true | ~/connections.yaml
            broken | shp | error | connection 'broken' (~/connections.yaml:5): there is no adapter 'shp'; did you mean 'shop'? |  | true | ~/connections.yaml
            away | shop | error | connection 'away' (~/connections.yaml:7): option 'password': environment variable 'SHOP_PASSWORD' is not set | username=***, password=$SHOP_PASSWORD | true | ~/connections.yaml"#]],
        );
    }
}
