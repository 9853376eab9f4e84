//! `unify_scan`: the rows of a table or view of a connection, loading it first if need be.

use crate::load::TableTarget;
use crate::session::{quote_literal, Session, TableName};
use crate::sql::name::TablePath;
use crate::sql::relation::{Kind, Relation};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext};
use crate::{Error, Result};

const CONNECTION: ParameterDef = ParameterDef { name: "connection", parameter_type: ParameterType::Varchar };
const TABLE: ParameterDef = ParameterDef { name: "table", parameter_type: ParameterType::Varchar };
/// The attached database a name was qualified with.
pub(super) const CATALOG: ParameterDef = ParameterDef { name: "catalog", parameter_type: ParameterType::Varchar };

/// `unify_scan('conn', 'table', catalog := NULL)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_scan",
    description:
        "Returns the rows of a connection's table or view, loading it first if need be; a SELECT on the table's name does the same",
    example: "FROM unify_scan('shop', 'orders')",
    positional: &[CONNECTION, TABLE],
    named: &[CATALOG],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let path = TablePath {
        catalog: arguments.named_text(CATALOG.name)?.map(str::to_string),
        schema: Some(arguments.text(0, CONNECTION.name)?.to_string()),
        table: arguments.text(1, TABLE.name)?.to_string(),
    };
    let relation = Relation::find(&path, ctx)?;
    if path.catalog.is_none() {
        refuse_hidden(&relation, ctx)?;
    }
    if !is_there(&relation, ctx)? {
        relation.load(ctx.settings.load_timeout, ctx)?;
    }
    if relation.kind == Kind::View && !view_exists(&relation.table_name(), ctx.instance.database.connect()?.as_mut())? {
        create_view(&relation, ctx).map_err(|err| err.at(relation.target.place()))?;
    }
    Ok(Bound::Scan(relation.table_name().to_string()))
}

/// Returns the call that reads a table or view.
pub(crate) fn call(catalog: Option<&str>, connection: &str, table: &str) -> String {
    let catalog = catalog.map_or_else(String::new, |catalog| format!(", catalog := {}", quote_literal(catalog)));
    format!("SELECT * FROM unify_scan({}, {}{catalog})", quote_literal(connection), quote_literal(table))
}

/// Fails when an attached database has the connection's name: DuckDB takes `github.repos` for a table of that database, or for an
/// ambiguous name.
fn refuse_hidden(relation: &Relation, ctx: &StatementContext<'_>) -> Result<()> {
    let name = &relation.target.connection.name;
    let sql = format!("SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower({})", quote_literal(name));
    if ctx.instance.database.connect()?.query(&sql)?.is_empty() {
        return Ok(());
    }
    Err(Error::config(format!(
        "connection '{name}' has the name of an attached database, which DuckDB finds first; rename the connection, attach the \
         database under another name, or write {}",
        relation.table_name()
    )))
}

/// Returns whether all tables it takes are there, so that no job is needed. The session is closed before any load starts.
fn is_there(relation: &Relation, ctx: &StatementContext<'_>) -> Result<bool> {
    let mut session = ctx.instance.database.connect()?;
    for target in relation.targets() {
        if !ctx.instance.loader.is_there(session.as_mut(), &target).map_err(|err| err.at(target.place()))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the view again, or says why it cannot be made.
fn create_view(relation: &Relation, ctx: &StatementContext<'_>) -> Result<()> {
    let TableTarget { connection, table, catalog } = &relation.target;
    let view_def = connection.adapter.view(table).ok_or_else(|| Error::internal("a view without its definition"))?;
    ctx.instance.loader.create_view(connection, view_def, catalog)
}

fn view_exists(name: &TableName, session: &mut dyn Session) -> Result<bool> {
    let sql = format!(
        "SELECT 1 FROM duckdb_views() WHERE database_name = {} AND lower(schema_name) = lower({}) AND lower(view_name) = lower({})",
        quote_literal(name.catalog.as_deref().unwrap_or("")),
        quote_literal(&name.schema),
        quote_literal(&name.table)
    );
    Ok(!session.query(&sql)?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::commands::tests::check_error;
    use expect_test::expect;

    #[test]
    fn names_enter_the_call_quoted() {
        assert_eq!(call(None, "shop", "orders"), "SELECT * FROM unify_scan('shop', 'orders')");
        assert_eq!(call(Some("l'ake"), "s'hop", "o"), "SELECT * FROM unify_scan('s''hop', 'o', catalog := 'l''ake')");
    }

    #[test]
    fn what_cannot_be_read_is_an_error_before_any_load() {
        check_error("unify_scan", &["shop", "order"], expect!["connection 'shop' has no table 'order'; did you mean 'orders'?"]);
        check_error("unify_scan", &["shopp", "orders"], expect!["there is no connection 'shopp'; did you mean 'shop'?"]);
        check_error(
            "unify_scan",
            &["broken", "orders"],
            expect!["connection 'broken' (~/connections.yaml:5): there is no adapter 'shp'; did you mean 'shop'?"],
        );
    }
}
