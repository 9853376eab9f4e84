//! `unify_check_adapter`: what is wrong with a spec file, and what it and the description of its API do not agree on.

use crate::session::Value;
use crate::spec::openapi::compare;
use crate::spec::{AdapterSpec, Finding, ScalarType};
use crate::sql::commands::import_openapi::description_of;
use crate::sql::rows::{bound_rows, integer, text};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext};
use crate::Result;

const COLUMNS: &[(&str, ScalarType)] = &[
    ("file", ScalarType::Varchar),
    ("line", ScalarType::BigInt),
    ("position", ScalarType::BigInt),
    ("level", ScalarType::Varchar),
    ("key", ScalarType::Varchar),
    ("message", ScalarType::Varchar),
    ("suggestion", ScalarType::Varchar),
];

const FILE: ParameterDef = ParameterDef { name: "file", parameter_type: ParameterType::Varchar };
const OPENAPI: ParameterDef = ParameterDef { name: "openapi", parameter_type: ParameterType::Varchar };
/// Largest file: no larger one can be a spec.
const MAX_BYTES: u64 = 4 << 20;

/// `unify_check_adapter(file, openapi := description)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_check_adapter",
    description:
        "Lists the mistakes and warnings of a spec file, with line, key and what to write; with the API's OpenAPI description also \
                  requests, parameters and fields that it does not have, and lists that no table loads",
    example: "FROM unify_check_adapter('shop.yaml', openapi := 'shop-api.json')",
    positional: &[FILE],
    named: &[OPENAPI],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    let file = arguments.text(0, FILE.name)?.to_string();
    let openapi = arguments.named_text(OPENAPI.name)?.map(str::to_string);
    Ok(bound_rows(COLUMNS, move |ctx| {
        let mut findings = findings(&file, openapi.as_deref(), ctx)?;
        findings.sort_by_key(|finding| (finding.level, finding.place));
        Ok(findings.iter().map(|finding| row_of(&file, finding)).collect())
    }))
}

fn findings(file: &str, openapi: Option<&str>, ctx: &StatementContext<'_>) -> Result<Vec<Finding>> {
    let yaml = ctx.instance.catalog.read_file(file, "spec file", MAX_BYTES, &ctx.settings)?;
    let mut examined = AdapterSpec::examine(file, &yaml);
    if let Some(openapi) = openapi {
        let description = description_of(openapi, ctx)?;
        let compared = compare(&examined, &description);
        description.check_steps()?;
        examined.findings.extend(compared);
    }
    Ok(examined.findings)
}

fn row_of(file: &str, finding: &Finding) -> Vec<Value> {
    let number = |number: Option<usize>| number.map_or(Value::Null, |number| integer(number as i64));
    let some = |value: &str| text(Some(value).filter(|value| !value.is_empty()));
    vec![
        text(Some(file)),
        number(finding.place.map(|(line, _)| line)),
        number(finding.place.map(|(_, column)| column)),
        text(Some(finding.level.name())),
        some(&finding.key),
        text(Some(&finding.message)),
        text(finding.suggestion.as_deref()),
    ]
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::TestInstance;

    #[test]
    fn each_finding_is_a_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, "name: a\nbase_url: https://a\ntables:\n  - {name: stores, resource_path: /store, nested: yes}\n").unwrap();
        let path = path.display().to_string();
        let rows = TestInstance::new().rows("unify_check_adapter", &[&path]).unwrap();
        let rest = "4 | 51 | error | tables.stores.nested | 'nested' of table 'stores' is the text 'yes' | expected flatten, json or a number of levels";
        assert_eq!(rows, ["file | line | position | level | key | message | suggestion".to_string(), format!("{path} | {rest}")]);
    }
}
