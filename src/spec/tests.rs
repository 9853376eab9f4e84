//! Specs for tests, made as files are: a key that tests do not name has its default.

use super::{AdapterSpec, TableDef};

/// Returns an adapter at that address, whose one table `t` has these lines.
pub(crate) fn spec(base_url: &str, lines: &str) -> AdapterSpec {
    let text = format!("name: sample\nbase_url: {base_url}\ntables:\n  - name: t\n    {}\n", lines.replace('\n', "\n    "));
    match AdapterSpec::parse("(test)", &text) {
        Ok(spec) => spec.unwrap_or_else(|| panic!("the adapter is not enabled\n{text}")),
        Err(err) => panic!("{err}\n{text}"),
    }
}

/// Returns a table `t` with these lines.
pub(crate) fn table(lines: &str) -> TableDef {
    spec("https://api.test", lines).tables.remove(0)
}
