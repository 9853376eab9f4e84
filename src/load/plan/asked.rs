//! What a load asks for: as it is now, or as an unfinished load asked that can be gone on with.

use crate::http::Redactor;
use crate::load::identity::{asked_hash, Identity};
use crate::load::plan::resume::Unfinished;
use crate::load::plan::scope::Scope;
use crate::load::plan::sets::{parameter_sets, Planned, PlannedSets};
use crate::load::plan::updates::Moments;
use crate::load::records::store::{Loaded, Store};
use crate::session::Session;
use crate::spec::{Builtin, TableDef, Template};
use crate::Result;

/// A load whose parameter sets are to be known.
pub struct Asking<'a> {
    pub planned: Planned<'a>,
    pub store: &'a Store,
    pub redactor: &'a Redactor,
    /// What is known of the table as it is, where a load of the same spec made it.
    pub loaded: Option<&'a Loaded>,
    /// Hash of the spec.
    pub spec: &'a str,
    /// Whether the table is brought up to date, rather than loaded.
    pub is_refresh: bool,
    /// When the load begins, in microseconds since 1970.
    pub now: i64,
}

impl Asking<'_> {
    /// Returns what the load asks for, and with which parameter sets. A load that asks up to now goes on up to the moment that it began with.
    pub fn asked(&self, session: &mut dyn Session) -> Result<(Scope, PlannedSets)> {
        if self.planned.table_def.variants().any(names_now) && self.store.is_ours(session, &self.store.staging.table, None)? {
            if let Some(began) = self.unfinished_since(session)? {
                let (scope, planned) = self.asked_at(session, began)?;
                let table_def = scope.table_def(self.planned.table_def);
                let asked = asked_hash(self.spec, self.planned.connection, table_def, &planned.sets);
                let identity = Identity::new(asked, &planned.sets, self.redactor, self.planned.connection);
                if matches!(Unfinished::find(session, self.store, &identity)?, Unfinished::Staged(_)) {
                    return Ok((scope, planned));
                }
            }
        }
        self.asked_at(session, self.now)
    }

    fn asked_at(&self, session: &mut dyn Session, now: i64) -> Result<(Scope, PlannedSets)> {
        let scope = match self.loaded {
            Some(loaded) if self.is_refresh => Scope::of_refresh(session, self.store, self.planned.table_def, loaded.clone(), now)?,
            _ => Scope::Everything(Moments { now, last_start: None }),
        };
        let planned = Planned { table_def: scope.table_def(self.planned.table_def), ..self.planned };
        let planned = parameter_sets(planned, &scope, session)?;
        Ok((scope, planned))
    }

    /// Returns when the unfinished load of the table began.
    fn unfinished_since(&self, session: &mut dyn Session) -> Result<Option<i64>> {
        let about = self.store.is_about(&self.store.staging.table);
        let rows = session
            .query(&format!("SELECT max(started) FROM {}.load_state WHERE {about} AND started IS NOT NULL", self.store.unify_schema))?;
        Ok(rows.first().and_then(|row| row.first()?.as_timestamp()))
    }
}

/// Returns whether the time of a load stands in its requests.
fn names_now(table_def: &TableDef) -> bool {
    let mut names = table_def.hole_names().into_iter().chain(table_def.window_templates().flat_map(Template::names));
    names.any(|name| Builtin::named(name) == Some(Builtin::Now))
}
