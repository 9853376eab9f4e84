//! A table or view of a connection that a statement names, and the loads it takes to have it.

use crate::catalog::hint;
use crate::load::{LoadAction, TableTarget};
use crate::session::{quote_ident, quote_literal, Settings, TableName};
use crate::spec::AdapterSpec;
use crate::sql::discovery::{opened, Need};
use crate::sql::name::{shown, TablePath};
use crate::sql::{Instance, StatementContext};
use crate::{Error, Result};
use std::time::Duration;

/// Whether an adapter's name is a table or a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Table,
    View,
}

/// A table or view of a connection that can be used, in one attached database.
#[derive(Clone)]
pub(super) struct Relation {
    /// Where it is, under the name that the spec has; of a view, too.
    pub target: TableTarget,
    pub kind: Kind,
}

impl Relation {
    /// Looks up a name. Fails when the connection cannot be used, does not have the table or view, or the database is not attached. Where the
    /// connection's API was never asked which tables it has, it is asked, and the statement waits.
    pub(super) fn find(path: &TablePath, ctx: &StatementContext<'_>) -> Result<Relation> {
        Relation::find_with(path, Need::Ever, ctx)
    }

    /// Looks up a name as [`Relation::find`] does, and asks where that is needed.
    pub(super) fn find_with(path: &TablePath, need: Need, ctx: &StatementContext<'_>) -> Result<Relation> {
        let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
        let entry = snapshot.expect_connection(path.connection()?)?;
        let is_written = entry.spec().is_ok_and(|spec| spec.is_written(&path.table));
        let connection = opened(entry, if is_written { Need::Known } else { need }, ctx)?;
        let (kind, table) =
            lookup(&connection.adapter, &connection.name, &path.table).map_err(|err| match connection.adapter.discover.is_empty() {
                true => err,
                false => Error::config(format!("{err}; DISCOVER CONNECTION {} asks again which tables there are", shown(&connection.name))),
            })?;
        let catalog = match &path.catalog {
            Some(catalog) => attached(catalog, ctx)?,
            None => ctx.catalog()?.to_string(),
        };
        Ok(Relation { target: TableTarget { connection, table, catalog }, kind })
    }

    /// Returns the tables that have to be loaded: the table itself, or all that a view reads, through other views too.
    pub(super) fn targets(&self) -> Vec<TableTarget> {
        let target = &self.target;
        match self.kind {
            Kind::Table => vec![target.clone()],
            Kind::View => {
                let tables = tables_of_view(&target.connection.adapter, &target.table);
                tables.into_iter().map(|table| TableTarget { table, ..target.clone() }).collect()
            }
        }
    }

    /// Returns the table that this is. Fails for a view: `'big_orders' {refusal}: orders, customers`.
    pub(super) fn one_table(&self, refusal: &str) -> Result<TableTarget> {
        if self.kind == Kind::View {
            let tables: Vec<String> = self.targets().into_iter().map(|target| target.table).collect();
            return Err(Error::config(format!("'{}' {refusal}: {}", self.target.table, tables.join(", "))));
        }
        Ok(self.target.clone())
    }

    /// Returns the full name in DuckDB.
    pub(super) fn table_name(&self) -> TableName {
        let TableTarget { connection, table, catalog } = &self.target;
        TableName { catalog: Some(catalog.clone()), schema: connection.name.clone(), table: table.clone() }
    }

    /// Loads what is not loaded, one table after the other, and waits for each.
    pub(super) fn load(&self, timeout: Option<Duration>, ctx: &StatementContext<'_>) -> Result<()> {
        for target in self.targets() {
            let started = ctx.instance.loader.start(&target, LoadAction::Load, &ctx.settings).map_err(|err| err.at(target.place()))?;
            started.wait(ctx.interrupted, timeout).map_err(|err| err.at(target.place()))?;
        }
        Ok(())
    }
}

/// Returns whether the adapter's `name` is a table or a view, and its name as the spec has it. Fails with the nearest name.
pub(super) fn lookup(spec: &AdapterSpec, connection: &str, name: &str) -> Result<(Kind, String)> {
    if let Some(table_def) = spec.table(name) {
        return Ok((Kind::Table, table_def.name.clone()));
    }
    if let Some(view_def) = spec.view(name) {
        return Ok((Kind::View, view_def.name.clone()));
    }
    if let Some(mistakes) = spec.mistakes_of(name) {
        return Err(Error::config(format!("table '{name}' of connection '{connection}' cannot be used: {mistakes}")));
    }
    let names = spec.tables.iter().map(|table_def| table_def.name.as_str()).chain(spec.views.iter().map(|view_def| view_def.name.as_str()));
    let hint = hint(name, names, "its adapter offers none");
    Err(Error::config(format!("connection '{connection}' has no table '{name}'; {hint}")))
}

/// Returns the tables a view reads, each once, through other views too.
fn tables_of_view(spec: &AdapterSpec, view: &str) -> Vec<String> {
    let mut tables: Vec<String> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    let mut pending = vec![view.to_string()];
    while let Some(name) = pending.pop() {
        if seen.iter().any(|earlier| earlier.eq_ignore_ascii_case(&name)) {
            continue;
        }
        seen.push(name.clone());
        if let Some(table_def) = spec.table(&name) {
            tables.push(table_def.name.clone());
        } else if let Some(view_def) = spec.view(&name) {
            let read = view_def.from.iter().chain(&view_def.query.tables);
            pending.extend(read.rev().cloned());
        }
    }
    tables
}

/// Returns the name of an attached database as DuckDB has it.
pub(super) fn attached(catalog: &str, ctx: &StatementContext<'_>) -> Result<String> {
    if ctx.is_catalog(catalog) {
        return ctx.catalog().map(str::to_string);
    }
    attached_name(catalog, ctx.instance)?
        .ok_or_else(|| Error::config(format!("no database '{catalog}' is attached; FROM duckdb_databases() lists them")))
}

/// Returns the name of an attached database as DuckDB has it; `None` when there is none of that name.
pub(super) fn attached_name(catalog: &str, instance: &Instance) -> Result<Option<String>> {
    let sql = format!(
        "SELECT database_name FROM duckdb_databases() WHERE NOT internal AND lower(database_name) = lower({})",
        quote_literal(catalog)
    );
    Ok(instance.database.connect()?.value(&sql)?.as_text().map(str::to_string))
}

/// Returns the attached database that setting `unify_target` names, `None` when it is empty. Fails when none of that name is attached.
pub fn target_catalog(instance: &Instance, settings: &Settings) -> Result<Option<String>> {
    let target = &settings.target;
    if target.is_empty() {
        return Ok(None);
    }
    let name = attached_name(target, instance)?;
    name.map(Some).ok_or_else(|| {
        let attach = format!("attach it first, such as with ATTACH '{target}.duckdb' AS {}", quote_ident(target));
        Error::config(format!("setting 'unify_target' names database '{target}', which is not attached; {attach}, or RESET unify_target"))
    })
}
