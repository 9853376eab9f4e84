//! The connections of statements with the tables that their APIs were found to have, and when an API is asked for that.

use crate::catalog::{Catalog, ConnectionEntry};
use crate::load::{Discovery, Loader, TableTarget};
use crate::session::Settings;
use crate::spec::Connection;
use crate::sql::{Instance, StatementContext};
use crate::{Place, Result};
use std::sync::Arc;

/// What a statement needs of what was discovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// What is known, without a request.
    Known,
    /// What was discovered at any time.
    Ever,
    /// What is not older than the spec wants it to be.
    Fresh,
}

/// Opens a connection with the tables that its API was found to have. Asks the API where that is needed, and waits.
pub(super) fn opened(entry: &ConnectionEntry, need: Need, ctx: &StatementContext<'_>) -> Result<Arc<Connection>> {
    let connection = entry.open()?;
    if connection.adapter.discover.is_empty() {
        return Ok(connection);
    }
    let known = known(&connection, ctx)?;
    // Who has no API to ask looks each time.
    let is_free = connection.adapter.class.looks_each_time();
    let is_enough = |known: &Option<Arc<Discovery>>| match need {
        Need::Known => true,
        Need::Ever | Need::Fresh if is_free => false,
        Need::Ever => known.is_some(),
        Need::Fresh => known.as_ref().is_some_and(|known| !known.is_stale(&connection)),
    };
    if !is_enough(&known) {
        let discoveries = &ctx.instance.catalog.discoveries;
        discoveries.in_turn(&connection.name, ctx.interrupted, || {
            // Another session may have asked meanwhile, and another process.
            if is_enough(&discoveries.of(&connection)) {
                return Ok(());
            }
            if let Some(stored) = ctx.instance.loader.stored_discovery(&connection, ctx.catalog()?)? {
                let stored = Some(Arc::new(stored)).filter(|stored| is_enough(&Some(stored.clone())));
                if let Some(stored) = stored {
                    discoveries.learn(&connection, Arc::unwrap_or_clone(stored));
                    return Ok(());
                }
            }
            ask(&connection, ctx).map(|_| ())
        })?;
    }
    entry.open()
}

/// Asks a connection's API what it has, whatever is known. Returns what was known before, and what it is now.
pub(super) fn renewed(entry: &ConnectionEntry, ctx: &StatementContext<'_>) -> Result<(Option<Arc<Connection>>, Arc<Connection>)> {
    let connection = entry.open()?;
    let before = known(&connection, ctx)?.map(|_| entry.open()).transpose()?;
    let discoveries = &ctx.instance.catalog.discoveries;
    discoveries.in_turn(&connection.name, ctx.interrupted, || ask(&connection, ctx))?;
    Ok((before, entry.open()?))
}

fn ask(connection: &Arc<Connection>, ctx: &StatementContext<'_>) -> Result<()> {
    let Instance { catalog, loader, .. } = ctx.instance;
    let discovery = loader.discover(connection, ctx.catalog()?, &ctx.settings, ctx.interrupted);
    let discovery = discovery.map_err(|err| err.at(Place::connection(&connection.name)))?;
    // Loads share a client as long as the spec with the tables is the same one.
    let is_known = || catalog.discoveries.of(connection).is_some_and(|known| known.found == discovery.found);
    if connection.adapter.class.has_requests() || !is_known() {
        catalog.discoveries.learn(connection, discovery);
    }
    Ok(())
}

/// Returns what is known of a connection, in memory or in the statement's database.
fn known(connection: &Connection, ctx: &StatementContext<'_>) -> Result<Option<Arc<Discovery>>> {
    let discoveries = &ctx.instance.catalog.discoveries;
    if let Some(known) = discoveries.of(connection) {
        return Ok(Some(known));
    }
    // Where no database can be asked, nothing is known.
    let Ok(catalog) = ctx.catalog() else { return Ok(None) };
    let Some(stored) = ctx.instance.loader.stored_discovery(connection, catalog)? else { return Ok(None) };
    discoveries.learn(connection, stored);
    Ok(discoveries.of(connection))
}

/// Returns whether a connection has tables that are not known yet.
pub(super) fn is_open(connection: &Connection, catalog: &Catalog) -> bool {
    !connection.adapter.discover.is_empty() && catalog.discoveries.of(connection).is_none()
}

/// Opens a connection for the daemon. `stored` reads what a database keeps about it.
pub(super) fn for_daemon(
    catalog: &Catalog,
    settings: &Settings,
    name: &str,
    stored: &mut dyn FnMut(&Connection) -> Option<Discovery>,
) -> Option<Arc<Connection>> {
    let snapshot = catalog.snapshot(settings);
    let entry = snapshot.connection(name)?;
    let connection = entry.open().ok()?;
    if !is_open(&connection, catalog) {
        return Some(connection);
    }
    let Some(stored) = stored(&connection) else { return Some(connection) };
    catalog.discoveries.learn(&connection, stored);
    entry.open().ok()
}

/// Asks the API of a table's connection what it has, for the daemon, where what is known is older than the spec wants it to be. Returns the
/// connection as it is then; `None` where nobody was asked.
pub(super) fn renewed_for_daemon(
    catalog: &Catalog,
    loader: &Loader,
    settings: &Settings,
    target: &TableTarget,
    is_over: &dyn Fn() -> bool,
) -> Result<Option<Arc<Connection>>> {
    let snapshot = catalog.snapshot(settings);
    let Some(entry) = snapshot.connection(&target.connection.name) else { return Ok(None) };
    let connection = entry.open()?;
    let discoveries = &catalog.discoveries;
    let is_stale = || discoveries.of(&connection).is_some_and(|known| known.is_stale(&connection));
    if !is_stale() {
        return Ok(None);
    }
    discoveries.in_turn(&connection.name, is_over, || {
        // A statement may have asked meanwhile.
        if is_stale() {
            let discovery = loader.discover(&connection, &target.catalog, settings, is_over);
            discoveries.learn(&connection, discovery.map_err(|err| err.at(Place::connection(&connection.name)))?);
        }
        Ok(())
    })?;
    entry.open().map(Some)
}
