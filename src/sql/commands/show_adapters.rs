//! `SHOW ALL ADAPTERS` and `unify_adapters`: the adapters there are, those with broken specs included.

use crate::catalog::AdapterEntry;
use crate::http::without_secrets;
use crate::session::Value;
use crate::spec::{AdapterSpec, Part, ScalarType};
use crate::sql::grammar::Rule;
use crate::sql::rows::{bound_rows, integer, text};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext, StatementDef, Topic};
use crate::{Error, Result};

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
    ("warnings", ScalarType::Varchar),
];

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::show_adapters,
    syntax: "SHOW ALL ADAPTERS",
    description: "Lists the adapters, those whose spec is broken included",
    example: "SHOW ALL ADAPTERS",
    function: &FUNCTION,
    topic: Topic::Connections,
    arguments: |_| Ok(Vec::new()),
};

/// `unify_adapters()`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_adapters",
    description: "Lists the adapters: what each connects to, the options a connection needs, and the file it comes from",
    example: "FROM unify_adapters()",
    ..FunctionDef::calling(bind)
};

fn bind(_arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    Ok(bound_rows(COLUMNS, rows))
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
    let outcome = entry.spec();
    match &outcome {
        Ok(spec) => row.extend([
            text(Some(spec.class.name())),
            text(spec.class.has_requests().then(|| base_url(spec)).as_deref()),
            text(Some(&spec.auth.iter().map(|auth| auth.type_name()).collect::<Vec<_>>().join(", "))),
            text(Some(&spec.option_names().join(", "))),
            integer(spec.tables.len() as i64),
            text(spec.description.as_deref()),
        ]),
        Err(_) => row.extend(std::iter::repeat_n(Value::Null, 6)),
    }
    let broken = outcome.iter().flat_map(|spec| &spec.broken).map(|table| table.message.as_str()).collect::<Vec<_>>().join("\n");
    let err = outcome.as_ref().err().map(Error::message).or(Some(broken.as_str()).filter(|broken| !broken.is_empty()));
    let own_warnings = outcome.iter().flat_map(|spec| &spec.warnings).map(|warning| warning.message.clone());
    let warnings: Vec<String> = entry.replacement().into_iter().chain(own_warnings).collect();
    let warnings = (!warnings.is_empty()).then(|| warnings.join("\n"));
    row.extend([text(Some(&entry.source)), text(err), text(warnings.as_deref())]);
    row
}

/// Returns the base URL, redacted, with the defaults of its options; an option without one stays a hole.
fn base_url(spec: &AdapterSpec) -> String {
    let part = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        Part::Hole(hole) => {
            let default = spec.option(&hole.name).filter(|option| !option.secret).and_then(|option| option.default.clone());
            default.unwrap_or_else(|| format!("{{{hole}}}"))
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
                adapter | class | base_url | auth | options | tables | description | source_file | error | warnings
                shop | RestAdapter | https://eu.example.com/api | BASIC | username, password, region | 2 | A shop | ~/rest_specs/shop.yaml | NULL | NULL
                torn | NULL | NULL | NULL | NULL | NULL | NULL | ~/rest_specs/torn.yaml | ~/rest_specs/torn.yaml:2:1: invalid YAML: while parsing a node, did not find expected node content | NULL"#]],
        );
    }
}
