//! `SHOW ALL ADAPTERS` and `unify_adapters`: the adapters there are, those with broken specs included.

use crate::catalog::AdapterEntry;
use crate::http::without_secrets;
use crate::session::Value;
use crate::spec::{AdapterSpec, Part, ScalarType};
use crate::sql::parse::{Pair, Rule};
use crate::sql::rows::{integer, text, RowsCall};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, TableFunction, Topic};
use crate::Result;

const COLUMNS: &[(&str, ScalarType)] = &[
    ("adapter", ScalarType::Varchar),
    ("class", ScalarType::Varchar),
    ("base_url", ScalarType::Varchar),
    ("auth", ScalarType::Varchar),
    ("options", ScalarType::Varchar),
    ("tables", ScalarType::BigInt),
    ("description", ScalarType::Varchar),
    ("source_file", ScalarType::Varchar),
    ("error", ScalarType::Varchar),
];

/// `SHOW ALL ADAPTERS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShowAdapters;

impl ShowAdapters {
    /// Reads the statement.
    pub(crate) fn parse(_pair: Pair<'_>) -> ShowAdapters {
        ShowAdapters
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        "SELECT * FROM unify_adapters()".to_string()
    }
}

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::show_adapters,
    syntax: "SHOW ALL ADAPTERS",
    description: "Lists the adapters, those whose spec is broken included",
    example: "SHOW ALL ADAPTERS",
    function: "unify_adapters",
    topic: Topic::Connections,
    call: |pair| Ok(ShowAdapters::parse(pair).call()),
};

/// `unify_adapters()`.
pub(crate) struct UnifyAdapters;

static DEF: FunctionDef = FunctionDef {
    name: "unify_adapters",
    description: "Lists the adapters: what each connects to, the options a connection needs, and the file it comes from",
    example: "FROM unify_adapters()",
    positional: &[],
    has_optional: false,
    named: &[],
};

impl TableFunction for UnifyAdapters {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, _arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
        Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, rows))))
    }
}

fn rows(ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
    if let Some(problem) = snapshot.adapters_problem() {
        return Err(problem.clone());
    }
    Ok(snapshot.adapters().iter().map(row).collect())
}

fn row(entry: &AdapterEntry) -> Vec<Value> {
    let mut row = vec![text(Some(&entry.name))];
    match &entry.outcome {
        Ok(spec) => row.extend([
            text(Some("RestAdapter")),
            text(Some(&base_url(spec))),
            text(Some(&spec.auth.iter().map(|auth| auth.type_name()).collect::<Vec<_>>().join(", "))),
            text(Some(&spec.option_names().join(", "))),
            integer(spec.tables.len() as i64),
            text(spec.description.as_deref()),
        ]),
        Err(_) => row.extend(std::iter::repeat_n(Value::Null, 6)),
    }
    let err = entry.outcome.as_ref().err();
    row.extend([text(Some(&entry.source)), text(err.map(|err| err.message()))]);
    row
}

/// Returns the base URL, redacted, with the defaults of its options; an option without one stays a hole.
fn base_url(spec: &AdapterSpec) -> String {
    let part = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        Part::Hole(name) => {
            let default = spec.option(name).filter(|option| !option.secret).and_then(|option| option.default.clone());
            default.unwrap_or_else(|| format!("{{{name}}}"))
        }
    };
    without_secrets(&spec.base_url.parts().iter().map(part).collect::<String>())
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::{check_rows, check_statement};
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("SHOW ALL ADAPTERS", expect!["SELECT * FROM unify_adapters()"]);
        check_statement("show all adapters;", expect!["SELECT * FROM unify_adapters()"]);
    }

    #[test]
    fn broken_specs_are_listed_with_their_error() {
        check_rows(
            "unify_adapters",
            &[],
            expect![[r#"
                adapter | class | base_url | auth | options | tables | description | source_file | error
                shop | RestAdapter | https://eu.example.com/api | BASIC | username, password, region | 2 | A shop | ~/rest_specs/shop.yaml | NULL
                torn | NULL | NULL | NULL | NULL | NULL | NULL | ~/rest_specs/torn.yaml | ~/rest_specs/torn.yaml:2:1: invalid YAML: while parsing a node, did not find expected node content"#]],
        );
    }
}
