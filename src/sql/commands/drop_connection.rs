//! `DROP [PERSISTENT] CONNECTION` and `unify_drop_connection`: takes a connection away, with what Unify made for it.

use crate::catalog::{Catalog, ConnectionEntry};
use crate::load::ConnectionSchema;
use crate::session::{quote_literal, Value};
use crate::spec::ScalarType;
use crate::sql::commands::create_connection::NAME;
use crate::sql::grammar::{self, Pair, Rule};
use crate::sql::rows::{bound_rows, text};
use crate::sql::statement::flags_of;
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, Topic};
use crate::{Error, Place, Result};

const COLUMNS: &[(&str, ScalarType)] = &[("kind", ScalarType::Varchar), ("name", ScalarType::Varchar), ("status", ScalarType::Varchar)];

const IF_EXISTS: ParameterDef = ParameterDef { name: "if_exists", parameter_type: ParameterType::Boolean };
/// Whether the connection is one of the connections file.
const PERSISTENT: ParameterDef = ParameterDef { name: "persistent", parameter_type: ParameterType::Boolean };
/// Whether loaded tables go, too.
const CASCADE: ParameterDef = ParameterDef { name: "cascade", parameter_type: ParameterType::Boolean };

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::drop_connection,
    syntax: "DROP [PERSISTENT] CONNECTION [IF EXISTS] name [CASCADE]",
    description: "Drops a connection, PERSISTENT one of the connections file, and its schema; with CASCADE its loaded tables, too",
    example: "DROP CONNECTION mine",
    function: &FUNCTION,
    topic: Topic::Connections,
    arguments: arguments_of,
};

fn arguments_of(pair: Pair<'_>) -> Result<Vec<String>> {
    let flags = flags_of(&pair, &[(Rule::k_persistent, PERSISTENT), (Rule::if_exists, IF_EXISTS), (Rule::k_cascade, CASCADE)]);
    Ok([vec![quote_literal(&grammar::first_name(pair)?)], flags].concat())
}

/// `unify_drop_connection(name, persistent := false, if_exists := false, cascade := false)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_drop_connection",
    description: "Drops a connection, persistent one of the connections file, and its schema; with cascade its loaded tables, too; returns what was dropped",
    example: "FROM unify_drop_connection('mine', cascade := true)",
    positional: &[NAME],
    named: &[PERSISTENT, IF_EXISTS, CASCADE],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    let name = arguments.text(0, NAME.name)?.to_string();
    let persistent = arguments.named_flag(PERSISTENT.name)?;
    let (if_exists, cascade) = (arguments.named_flag(IF_EXISTS.name)?, arguments.named_flag(CASCADE.name)?);
    Ok(bound_rows(COLUMNS, move |ctx| {
        Catalog::check_changeable(&ctx.settings)?;
        let _one_at_a_time = ctx.instance.catalog.changing(ctx.interrupted)?;
        let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
        if snapshot.connection(&name).is_none() && snapshot.unreadable().is_none() && if_exists {
            return Ok(Vec::new());
        }
        let entry = snapshot.expect_connection(&name)?;
        check_kind(entry, persistent)?;
        drop_entry(entry, cascade, ctx).map_err(|err| err.at(Place::connection(&entry.name)))
    }))
}

/// Fails unless the statement says what the connection is: one of the file goes for every database that reads the file.
fn check_kind(entry: &ConnectionEntry, persistent: bool) -> Result<()> {
    let name = &entry.name;
    match (entry.file(), persistent) {
        (Some(path), false) => Err(Error::config(format!(
            "connection '{name}' is kept in '{path}', from where only DROP PERSISTENT CONNECTION removes it (persistent := true in a call)"
        ))),
        (None, true) => Err(Error::config(format!(
            "connection '{name}' is not in the connections file: CREATE CONNECTION made it, and DROP CONNECTION without PERSISTENT drops it"
        ))),
        _ => Ok(()),
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
    catalog.discoveries.forget(&entry.name);
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
            let (path, is_last) = (change.path(), change.is_empty());
            change.commit().map_err(|err| match rows.is_empty() {
                true => err,
                false => err.within("what it had loaded is dropped, but it stays in its file"),
            })?;
            match is_last {
                true => format!("removed from {path}; it was the last connection there, and the file stays"),
                false => format!("removed from {path}"),
            }
        }
        None => {
            catalog.forget(&entry.name);
            "dropped".to_string()
        }
    };
    ctx.instance.loader.log_out(&entry.name);
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
        check_statement("DROP PERSISTENT CONNECTION shop", expect!["SELECT * FROM unify_drop_connection('shop', persistent := true)"]);
        check_statement("DROP CONNECTION if", expect!["SELECT * FROM unify_drop_connection('if')"]);
        check_statement("DROP CONNECTION if CASCADE", expect!["SELECT * FROM unify_drop_connection('if', cascade := true)"]);
    }
}
