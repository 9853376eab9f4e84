//! What the last publication of a table changed.

use crate::load::read::reader::Reader;
use crate::load::records::changed::{stored_changes, stored_rows, ChangedRow, StoredChanges};
use crate::load::records::store::Store;
use crate::load::target::TableTarget;
use crate::session::Session;
use crate::{Error, Result};

impl Reader {
    /// Returns how many rows the last load or refresh of a table added, changed and removed. Fails when the table is not loaded.
    pub fn changes(&self, target: &TableTarget) -> Result<StoredChanges> {
        let mut session = self.services.database.connect()?;
        changes_in(session.as_mut(), target).map(|(_, stored)| stored)
    }

    /// Returns the rows. Fails when they are not kept.
    pub fn changed_rows(&self, target: &TableTarget) -> Result<Vec<ChangedRow>> {
        let mut session = self.services.database.connect()?;
        let (store, stored) = changes_in(session.as_mut(), target)?;
        if !stored.keeps_rows {
            return Err(Error::config(match target.table_def()?.key_columns.is_empty() {
                true => "which of its rows changed is not known: the table has no key; name its 'key_columns' in the spec",
                false => {
                    "which of its rows changed is not known; SET unify_keep_changes = true before the next refresh or reload (a first load only \
                     counts)"
                }
            }));
        }
        stored_rows(&store, session.as_mut())
    }
}

fn changes_in(session: &mut dyn Session, target: &TableTarget) -> Result<(Store, StoredChanges)> {
    let store = target.store(session)?;
    let stored = if store.is_loaded(session)? { stored_changes(&store, session)? } else { None };
    let name = format!("{}.{}", target.connection.name, target.table);
    let missing = || Error::config(format!("it was not loaded since its changes are counted; LOAD or REFRESH TABLE {name}"));
    Ok((store, stored.ok_or_else(missing)?))
}
