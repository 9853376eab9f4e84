//! What an API was found to have, as it is kept for a connection.

use super::discovered::{stored, StoredObject};
use super::store::Store;
use crate::load::clock::now_micros;
use crate::load::identity::canonical::hash_of;
use crate::load::identity::spec_hash;
use crate::session::Session;
use crate::spec::{Connection, Discover, FieldsDef, FieldsSource, Found};
use crate::Result;

/// What an API was found to have, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Discovery {
    pub found: Found,
    /// Microseconds since 1970.
    pub discovered: i64,
    /// What it was discovered by ([`discovery_spec`]).
    pub spec: String,
}

impl Discovery {
    /// Returns whether it is older than the spec wants it to be.
    pub fn is_stale(&self, connection: &Connection) -> bool {
        let most = connection.adapter.discover.iter().filter_map(|discover| discover.every).min();
        let age = now_micros().saturating_sub(self.discovered);
        most.is_some_and(|most| i64::try_from(most.as_micros()).is_ok_and(|most| age >= most))
    }
}

/// Returns what tells discoveries apart: the requests by which a connection discovers, with its options.
pub fn discovery_spec(connection: &Connection) -> String {
    let of = |discover: &Discover| {
        let requests: Vec<String> = discover.requests().map(|request| spec_hash(connection, request)).collect();
        let within = discover.fields.as_ref().map(FieldsDef::source_text).unwrap_or_default();
        format!("{} {} {within}", discover.table.name, requests.join(" "))
    };
    hash_of(&connection.adapter.discover.iter().map(of).collect::<Vec<_>>().join("\n"))
}

/// Returns what was discovered of a connection and is kept in an attached database; `None` when nothing is, or another
/// spec or other options discovered it.
pub fn stored_discovery(session: &mut dyn Session, connection: &Connection, catalog: &str) -> Result<Option<Discovery>> {
    let store = Store::open(session, catalog, &connection.name, "")?;
    let Some(stored) = stored(&store, session)? else { return Ok(None) };
    let spec = discovery_spec(connection);
    if stored.spec != spec {
        return Ok(None);
    }
    let mut found = Found { objects: vec![Vec::new(); connection.adapter.discover.len()] };
    for StoredObject { template, object, .. } in stored.objects {
        let place = connection.adapter.discover.iter().position(|discover| discover.table.name == template);
        if let Some(objects) = place.and_then(|place| found.objects.get_mut(place)) {
            objects.push(object);
        }
    }
    Ok(Some(Discovery { found, discovered: stored.discovered, spec }))
}

impl FieldsDef {
    /// Returns where fields are taken from, as far as no request tells.
    fn source_text(&self) -> String {
        let FieldsDef { source, name, description, type_path, types: _, record_path: _, chunk: _ } = self;
        let within = match source {
            FieldsSource::Request(_) => String::new(),
            FieldsSource::Within { path, skip_when } => format!("{path:?} {skip_when:?}"),
        };
        format!("{within} {name:?} {description:?} {type_path:?}")
    }
}
