//! `COPY ... TO 'conn.table' (FORMAT unify)`: what is written where, decided while DuckDB binds the statement.

use crate::http::WritePlan;
use crate::load::{Loader, TableTarget, WriteBack, WriteMode};
use crate::session::{Settings, Value};
use crate::spec::{AdapterSpec, WriteDef, Writes};
use crate::sql::grammar;
use crate::sql::relation::Relation;
use crate::sql::{HostStatementDef, StatementContext, Topic};
use crate::yaml::Suggestions;
use crate::{Error, Result};
use std::sync::Arc;

/// The name after FORMAT.
pub const COPY_FORMAT: &str = "unify";

/// What HELP and the docs say of it.
pub static COPY_STATEMENT: HostStatementDef = HostStatementDef {
    syntax: "COPY source TO 'conn.table' (FORMAT unify [, action name] [, dry_run true])",
    description: "Writes the rows of a table or query to a table's API; a dry run sends nothing, FROM unify_dry_run() shows its requests",
    example: "COPY (SELECT 'acme' AS owner, 'repo0' AS repo, 'Broken link' AS title) TO 'github.issues' (FORMAT unify, dry_run true)",
    topic: Topic::Requests,
};

/// Makes a COPY plan its requests and send none.
const DRY_RUN: &str = "dry_run";
/// Chooses one of the ways that a spec has to write a table.
const ACTION: &str = "action";

/// What a COPY statement says.
#[derive(Debug, Clone)]
pub struct CopyArguments {
    /// What stands after TO.
    pub path: String,
    /// The columns of what is copied.
    pub columns: Vec<String>,
    /// The options that DuckDB does not take itself; one without a value is null.
    pub options: Vec<(String, Value)>,
}

/// A bound COPY.
pub struct BoundCopy {
    path: String,
    target: TableTarget,
    plan: Arc<WritePlan>,
    is_dry_run: bool,
}

/// Finds the table, and decides what each column becomes. Sends nothing.
pub fn bind_copy(arguments: &CopyArguments, ctx: &StatementContext<'_>) -> Result<BoundCopy> {
    let CopyOptions { is_dry_run, action } = options_of(&arguments.options)?;
    let path = grammar::table_argument(&arguments.path).map_err(|err| err.within("COPY ... TO with FORMAT unify"))?;
    let relation = Relation::find(&path, ctx)?;
    let target = relation.one_table("is a view, which cannot be written; it reads")?;
    let table_def = target.table_def()?;
    let Some(writes) = &table_def.write else {
        let err = Error::config(format!("its spec has no 'write'; {}", writable(&target.connection.adapter)));
        return Err(err.at(target.place()));
    };
    let write_def = action_of(writes, action.as_deref()).map_err(|err| err.at(target.place()))?;
    let plan = WritePlan::new(target.connection.clone(), table_def, write_def, &arguments.columns).map_err(|err| err.at(target.place()))?;
    Ok(BoundCopy { path: arguments.path.clone(), plan: Arc::new(plan), is_dry_run, target })
}

impl BoundCopy {
    /// Begins one execution. `path` is where DuckDB would write now. Fails when DuckDB has made something else of the target, such
    /// as a folder or a file beside it.
    pub fn start(&self, path: &str, loader: &Loader, settings: &Settings, session: u64) -> Result<WriteBack> {
        if path != self.path {
            return Err(Error::config(format!(
                "DuckDB would write to '{path}' instead of '{}'; leave out options about files, and if the current folder has a file of that \
                 name, put the name in double quotes: '\"connection\".\"table\"'",
                self.path
            )));
        }
        let mode = if self.is_dry_run { WriteMode::DryRun { session } } else { WriteMode::Send };
        loader.write_back(&self.target, self.plan.clone(), mode, settings)
    }
}

/// The options of a COPY.
#[derive(Default)]
struct CopyOptions {
    is_dry_run: bool,
    action: Option<String>,
}

/// Reads the options. Fails on any other option.
fn options_of(options: &[(String, Value)]) -> Result<CopyOptions> {
    let mut read = CopyOptions::default();
    for (name, value) in options {
        match name.to_ascii_lowercase().as_str() {
            DRY_RUN => {
                read.is_dry_run = match value {
                    Value::Null => true,
                    Value::Boolean(flag) => *flag,
                    Value::Integer(number) => *number != 0,
                    Value::Text(text) if text.eq_ignore_ascii_case("true") => true,
                    Value::Text(text) if text.eq_ignore_ascii_case("false") => false,
                    _ => return Err(Error::config("option 'dry_run' is not a boolean; expected true or false")),
                }
            }
            ACTION => match value {
                Value::Text(text) => read.action = Some(text.clone()),
                _ => return Err(Error::config(format!("option 'action' is not a name; expected one of: {}", Writes::ACTIONS.join(", ")))),
            },
            lower => {
                let hint = Suggestions::default().suggestion(lower, &[DRY_RUN, ACTION]);
                return Err(Error::config(format!("unknown option '{lower}' for FORMAT unify; {hint}")));
            }
        }
    }
    Ok(read)
}

/// Returns the way to write that a statement names, or the only one there is.
fn action_of<'w>(writes: &'w Writes, action: Option<&str>) -> Result<&'w WriteDef> {
    let names = writes.names();
    writes.action(action).ok_or_else(|| match action {
        None => Error::config(format!("its spec has several ways to write; choose one with 'action': {}", names.join(", "))),
        Some(action) if names.is_empty() => {
            Error::config(format!("its spec has one way to write, without a name; leave 'action {action}' out"))
        }
        Some(action) => {
            let hint = Suggestions::default().suggestion(action, &names);
            Error::config(format!("its spec has no action '{action}' in 'write'; {hint}"))
        }
    })
}

/// Returns which tables of the adapter can be written.
fn writable(spec: &AdapterSpec) -> String {
    let tables: Vec<&str> =
        spec.tables.iter().filter(|table_def| table_def.write.is_some()).map(|table_def| table_def.name.as_str()).collect();
    match tables.is_empty() {
        true => format!("no table of adapter '{}' can be written", spec.name),
        false => format!("tables that can be written: {}", tables.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::commands::tests::TestInstance;
    use expect_test::{expect, Expect};

    fn bind(path: &str, columns: &[&str], options: &[(&str, Value)]) -> Result<BoundCopy> {
        let arguments = CopyArguments {
            path: path.to_string(),
            columns: columns.iter().map(|name| name.to_string()).collect(),
            options: options.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        };
        bind_copy(&arguments, &TestInstance::new().context())
    }

    fn check_error(path: &str, columns: &[&str], options: &[(&str, Value)], expected: Expect) {
        expected.assert_eq(bind(path, columns, options).err().unwrap_or_else(|| panic!("{path} can be written")).message());
    }

    #[test]
    fn a_table_with_write_can_be_written() {
        let bound = bind("shop.customers", &["name"], &[]).unwrap();
        assert!(!bound.is_dry_run && bound.target.table == "customers");
        assert!(bind("SHOP.\"customers\"", &["name"], &[("DRY_RUN", Value::Null)]).unwrap().is_dry_run);
        assert!(bind("shop.customers", &["name"], &[("dry_run", Value::Integer(1))]).unwrap().is_dry_run);
        assert!(!bind("shop.customers", &["name"], &[("dry_run", Value::Text("false".into()))]).unwrap().is_dry_run);
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        check_error(
            "shop.orders",
            &["id"],
            &[],
            expect!["connection 'shop', table 'orders': its spec has no 'write'; tables that can be written: customers"],
        );
        check_error(
            "shop.big_orders",
            &["id"],
            &[],
            expect!["'big_orders' is a view, which cannot be written; it reads: orders, customers"],
        );
        check_error("shop.custmers", &[], &[], expect!["connection 'shop' has no table 'custmers'; did you mean 'customers'?"]);
        check_error("shp.customers", &[], &[], expect!["there is no connection 'shp'; did you mean 'shop'?"]);
        check_error("customers", &["name"], &[], expect!["COPY ... TO with FORMAT unify: 'customers' is not a table name: syntax error at end of input; expected '.'; expected 'connection.table', parts quoted where need be"]);
        check_error(
            "shop.customers",
            &["name"],
            &[("dryrun", Value::Null)],
            expect!["unknown option 'dryrun' for FORMAT unify; did you mean 'dry_run'?"],
        );
        check_error(
            "shop.customers",
            &["name"],
            &[("dry_run", Value::Text("maybe".into()))],
            expect!["option 'dry_run' is not a boolean; expected true or false"],
        );
    }

    #[test]
    fn a_name_that_cannot_be_a_table_is_an_error() {
        let err = bind("shop customers.csv", &["name"], &[]).err().unwrap();
        assert!(err.message().starts_with("COPY ... TO with FORMAT unify: "), "{err}");
    }

    #[test]
    fn another_path_than_the_one_given_is_refused() {
        let instance = TestInstance::new();
        let bound = bind("shop.customers", &["name"], &[]).unwrap();
        let err = bound.start("tmp_shop.customers", &instance.instance().loader, &instance.settings(), 1).err().unwrap();
        assert!(err.message().contains("'tmp_shop.customers' instead of 'shop.customers'"), "{err}");
    }
}
