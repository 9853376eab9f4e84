//! `unify_spec`: the text of an adapter's spec, to read it or to copy it into a file of one's own.

use crate::catalog::{hint, AdapterEntry};
use crate::session::Value;
use crate::spec::ScalarType;
use crate::sql::rows::{bound_rows, text};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext};
use crate::{Error, Result};

const COLUMNS: &[(&str, ScalarType)] =
    &[("adapter", ScalarType::Varchar), ("source_file", ScalarType::Varchar), ("yaml", ScalarType::Varchar)];

const ADAPTER: ParameterDef = ParameterDef { name: "adapter", parameter_type: ParameterType::Varchar };

/// `unify_spec(adapter)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_spec",
    description: "Returns the text of an adapter's spec and where it comes from, to read it or to copy it into a file of your own",
    example: "FROM unify_spec('github')",
    positional: &[ADAPTER],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let adapter = arguments.text(0, ADAPTER.name)?.to_string();
    rows(&adapter, ctx)?;
    Ok(bound_rows(COLUMNS, move |ctx| rows(&adapter, ctx)))
}

/// Returns a row for each file that has an adapter of that name: the first is the one in use.
fn rows(adapter: &str, ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
    let named: Vec<&AdapterEntry> = snapshot.adapters().iter().filter(|entry| entry.name.eq_ignore_ascii_case(adapter)).collect();
    if named.is_empty() {
        let names = snapshot.adapters().iter().map(|entry| entry.name.as_str());
        return Err(Error::config(format!("there is no adapter '{adapter}'; {}", hint(adapter, names, "SHOW ALL ADAPTERS lists them"))));
    }
    named.iter().map(|entry| Ok(vec![text(Some(&entry.name)), text(Some(&entry.source)), text(entry.text()?.as_deref())])).collect()
}

#[cfg(test)]
mod tests {
    use crate::session::Value;
    use crate::spec::BUNDLED;
    use crate::sql::commands::tests::{check_error, TestInstance};
    use expect_test::expect;

    #[test]
    fn the_text_is_that_of_the_file() {
        let instance = TestInstance::new();
        for bundled in BUNDLED {
            let name = bundled.file.trim_end_matches(".yaml");
            let text = std::fs::read_to_string(format!("{}/rest_specs/{}", env!("CARGO_MANIFEST_DIR"), bundled.file)).unwrap();
            let expected = ["(bundled)".to_string(), text].map(Value::Text);
            assert_eq!(super::rows(&name.to_uppercase(), &instance.context()).unwrap()[0][1..], expected, "{name}");
        }
    }

    #[test]
    fn one_that_cannot_be_used_can_be_read() {
        let rows = super::rows("torn", &TestInstance::new().context()).unwrap();
        assert!(matches!(&rows[0][2], Value::Text(text) if !text.is_empty()), "{rows:?}");
    }

    #[test]
    fn an_unknown_adapter_is_an_error() {
        check_error("unify_spec", &["githb"], expect!["there is no adapter 'githb'; did you mean 'github'?"]);
    }
}
