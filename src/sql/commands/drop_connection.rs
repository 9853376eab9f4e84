//! `DROP CONNECTION` and `unify_drop_connection`: takes a connection away, with what Unify made for it.

use crate::catalog::{Catalog, ConnectionEntry};
use crate::load::ConnectionSchema;
use crate::session::{quote_literal, Value};
use crate::spec::ScalarType;
use crate::sql::commands::create_connection::NAME;
use crate::sql::parse::{self, Pair, Rule};
use crate::sql::rows::{text, RowsCall};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, TableFunction, Topic};
use crate::Result;

const COLUMNS: &[(&str, ScalarType)] = &[("kind", ScalarType::Varchar), ("name", ScalarType::Varchar), ("status", ScalarType::Varchar)];

const IF_EXISTS: ParameterDef = ParameterDef { name: "if_exists", parameter_type: ParameterType::Boolean };
/// Whether loaded tables go, too.
const CASCADE: ParameterDef = ParameterDef { name: "cascade", parameter_type: ParameterType::Boolean };

/// `DROP CONNECTION [IF EXISTS] name [CASCADE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DropConnection {
    pub name: String,
    pub if_exists: bool,
    pub cascade: bool,
}

impl DropConnection {
    /// Reads the statement.
    pub(crate) fn parse(pair: Pair<'_>) -> Result<DropConnection> {
        let has = |rule: Rule| pair.clone().into_inner().any(|part| part.as_rule() == rule);
        let (if_exists, cascade) = (has(Rule::if_exists), has(Rule::k_cascade));
        Ok(DropConnection { name: parse::first_name(pair)?, if_exists, cascade })
    }

    /// Returns the call the statement stands for.
    pub(crate) fn call(&self) -> String {
        let flag = |flag: bool, name: &str| if flag { format!(", {name} := true") } else { String::new() };
        let (if_exists, cascade) = (flag(self.if_exists, IF_EXISTS.name), flag(self.cascade, CASCADE.name));
        format!("SELECT * FROM unify_drop_connection({}{if_exists}{cascade})", quote_literal(&self.name))
    }
}

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::drop_connection,
    syntax: "DROP CONNECTION [IF EXISTS] name [CASCADE]",
    description: "Drops a connection and its schema; with CASCADE its loaded tables, too",
    example: "DROP CONNECTION mine",
    function: "unify_drop_connection",
    topic: Topic::Connections,
    call: |pair| DropConnection::parse(pair).map(|statement| statement.call()),
};

/// `unify_drop_connection(name, if_exists := false, cascade := false)`.
pub(crate) struct UnifyDropConnection;

static DEF: FunctionDef = FunctionDef {
    name: "unify_drop_connection",
    description: "Drops a connection and its schema; with cascade its loaded tables, too; returns what was dropped",
    example: "FROM unify_drop_connection('mine', cascade := true)",
    positional: &[NAME],
    has_optional: false,
    named: &[IF_EXISTS, CASCADE],
};

impl TableFunction for UnifyDropConnection {
    fn def(&self) -> &'static FunctionDef {
        &DEF
    }

    fn bind(&self, arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
        let name = arguments.text(0, NAME.name)?.to_string();
        let (if_exists, cascade) = (arguments.named_flag(IF_EXISTS.name)?, arguments.named_flag(CASCADE.name)?);
        Ok(Bound::Rows(Box::new(RowsCall::new(COLUMNS, move |ctx: &StatementContext<'_>| {
            Catalog::check_changeable(&ctx.settings)?;
            let _one_at_a_time = ctx.instance.catalog.changing(ctx.interrupted)?;
            let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
            if snapshot.connection(&name).is_none() && snapshot.unreadable().is_none() && if_exists {
                return Ok(Vec::new());
            }
            let entry = snapshot.expect_connection(&name)?;
            drop_entry(entry, cascade, ctx).map_err(|err| err.within(format!("connection '{}'", entry.name)))
        }))))
    }
}

fn drop_entry(entry: &ConnectionEntry, cascade: bool, ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let catalog = &ctx.instance.catalog;
    // Before anything is dropped it is clear that the file can be changed.
    let change = match entry.file() {
        Some(_) => {
            let mut change = catalog.change_file(&ctx.settings, ctx.interrupted)?;
            change.remove(&entry.name)?;
            Some(change)
        }
        None => None,
    };
    let schema = ConnectionSchema { connection: &entry.name, adapter: &entry.adapter, catalog: ctx.catalog()? };
    let dropped = ctx.instance.loader.drop_schema(schema, cascade)?;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for object in dropped {
        let name = match object.kind {
            "schema" => object.name,
            _ => format!("{}.{}", entry.name, object.name),
        };
        rows.push(vec![text(Some(object.kind)), Value::Text(name), text(Some("dropped"))]);
    }
    let status = match change {
        Some(change) => {
            let path = change.path();
            change.commit().map_err(|err| match rows.is_empty() {
                true => err,
                false => err.within("what it had loaded is dropped, but it stays in its file"),
            })?;
            format!("removed from {path}")
        }
        None => {
            catalog.forget(&entry.name);
            "dropped".to_string()
        }
    };
    rows.push(vec![text(Some("connection")), text(Some(&entry.name)), Value::Text(status)]);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_statement;
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("DROP CONNECTION shop", expect!["SELECT * FROM unify_drop_connection('shop')"]);
        check_statement(
            "drop /* c */ connection if exists \"my shop\" cascade;",
            expect!["SELECT * FROM unify_drop_connection('my shop', if_exists := true, cascade := true)"],
        );
        check_statement("DROP CONNECTION if", expect!["SELECT * FROM unify_drop_connection('if')"]);
        check_statement("DROP CONNECTION if CASCADE", expect!["SELECT * FROM unify_drop_connection('if', cascade := true)"]);
    }
}
