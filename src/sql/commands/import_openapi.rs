//! `unify_import_openapi`: an adapter spec, written from the description of an API.

use crate::spec::openapi::{import, Description, MAX_BYTES};
use crate::spec::ScalarType;
use crate::sql::rows::{bound_rows, text};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext};
use crate::{Error, Result};

const COLUMNS: &[(&str, ScalarType)] = &[("spec", ScalarType::Varchar)];

const FILE: ParameterDef = ParameterDef { name: "file", parameter_type: ParameterType::Varchar };
const INCLUDE: ParameterDef = ParameterDef { name: "include", parameter_type: ParameterType::Texts };

/// `unify_import_openapi(file, include := [...])`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_import_openapi",
    description:
        "Writes an adapter spec from an OpenAPI 3 or Swagger 2 description: a table for each list, or for those whose path or name \
                  is like one of the patterns",
    example: "FROM unify_import_openapi('shop.json', include := ['/orders*'])",
    positional: &[FILE],
    named: &[INCLUDE],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    let file = arguments.text(0, FILE.name)?.to_string();
    let include = arguments.named_texts(INCLUDE.name)?.to_vec();
    Ok(bound_rows(COLUMNS, move |ctx| {
        let imported = import(&description_of(&file, ctx)?, &include)?;
        Ok(vec![vec![text(Some(&imported.yaml))]])
    }))
}

/// Reads the description in a file.
pub(super) fn description_of(file: &str, ctx: &StatementContext<'_>) -> Result<Description> {
    if file.contains("://") {
        return Err(Error::config(format!("'{file}' is an address; only files are read: download it first")));
    }
    let text = ctx.instance.catalog.read_file(file, "description", MAX_BYTES as u64, &ctx.settings)?;
    Description::parse(file, &text)
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::TestInstance;
    use expect_test::expect;

    const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/test/fixtures/openapi/shop.yaml");

    #[test]
    fn a_description_becomes_a_spec() {
        let instance = TestInstance::new();
        let rows = instance.rows("unify_import_openapi", &[SHOP]).unwrap();
        assert!(rows[0] == "spec" && rows[1].starts_with("# From shop.yaml (OpenAPI 3.0.3)"), "{rows:?}");
    }

    #[test]
    fn what_is_not_a_file_is_an_error() {
        let message = |file: &str| TestInstance::new().rows("unify_import_openapi", &[file]).unwrap_err().to_string();
        expect!["'https://x/y.json' is an address; only files are read: download it first"].assert_eq(&message("https://x/y.json"));
        assert!(message("/nowhere/x.json").starts_with("description '/nowhere/x.json' cannot be read: "));
    }
}
