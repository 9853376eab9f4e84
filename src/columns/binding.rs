//! The fields of records and the columns that name no source: which value of a row such a column takes.

use super::field_tree::{FieldId, Objects, Route, NONE, RECORD_ROOT};
use super::flatten::Flattener;
use super::named::Candidate;
use super::names;
use crate::document::View;
use crate::Result;

impl<'d> Flattener<'_, 'd> {
    /// Gives a new field the column that is called so.
    pub(super) fn bind(&mut self, id: FieldId) {
        let route = self.tree.field(id).route;
        if self.named.is_empty() || matches!(route, Route::Skipped { .. }) {
            return;
        }
        let keys = self.tree.keys(id);
        let flattened = names::flattened(&keys);
        let is_declared = matches!(route, Route::Column(first) if self.plan.declares(&self.schema.columns[first as usize].source));
        // A field that another column has as its source is looked for by its whole name.
        let stripped = if is_declared { flattened.clone() } else { self.plan.column_name(&flattened) };
        let columns = &mut self.named.columns;
        let name = [&stripped, &flattened].into_iter().map(|name| name.to_lowercase()).find(|name| columns.contains_key(name));
        let Some(column) = name.and_then(|name| columns.get_mut(&name)) else { return };
        let (idx, is_taken) = (column.idx, std::mem::replace(&mut column.is_taken, true));
        if self.named.waits {
            let name = &self.schema.columns[idx as usize].name;
            let is_spelt_so = *name == stripped || *name == flattened;
            let candidate = self.named.candidates.len() as u32;
            self.named.candidates.push(Candidate { id, idx, is_spelt_so, keys, own: route, is_declared });
            let field = self.tree.field_mut(id);
            (field.route, field.objects) = (Route::Waiting(candidate), Objects::Whole);
        } else if is_taken || (matches!(route, Route::Column(_)) && !is_declared) {
            self.named.has_rivals = true;
        } else {
            self.share(id, idx);
        }
    }

    /// Keeps a value until it is known what else the row has.
    pub(super) fn put_off(&mut self, candidate: u32, view: View<'d>) -> Result<()> {
        let Candidate { own, is_declared, .. } = self.named.candidates[candidate as usize];
        if let (Route::Column(idx), true) = (own, is_declared) {
            self.push_shared(idx, view.clone())?;
        }
        self.named.waiting.push((candidate, view));
        Ok(())
    }

    /// Gives the values of a row that waited their columns.
    #[inline]
    pub(super) fn settle(&mut self) -> Result<()> {
        if self.named.waiting.is_empty() {
            return Ok(());
        }
        let mut waiting = std::mem::take(&mut self.named.waiting);
        let candidates = &self.named.candidates;
        let of = |candidate: u32| &candidates[candidate as usize];
        waiting.sort_by(|(a, _), (b, _)| of(*a).idx.cmp(&of(*b).idx).then_with(|| of(*a).compare(of(*b))));
        let mut last = None;
        for (candidate, view) in waiting.drain(..) {
            let Candidate { id, idx, own, is_declared, .. } = self.named.candidates[candidate as usize];
            if last.replace(idx) != Some(idx) {
                self.push_column(idx as usize, view)?;
            } else if !is_declared {
                let own = match own {
                    Route::Unknown => self.route_of(id)?,
                    known => known,
                };
                self.named.candidates[candidate as usize].own = own;
                self.push_routed(own, view)?;
            }
        }
        // For the next row, so that it need not be made anew.
        self.named.waiting = waiting;
        Ok(())
    }

    /// Gives the field of the record itself that is called as a key column its column, before one further down takes the name.
    #[cold]
    pub(super) fn prefer_key(&mut self, name: &str, keys: &[String]) -> Result<()> {
        let Some(key) = self.plan.key_named(name) else { return Ok(()) };
        let is_itself = matches!(keys, [only] if only == key);
        let value = self.record.and_then(|record| record.get(key));
        if is_itself || value.is_none_or(|value| matches!(value.view(), View::Object(_))) {
            return Ok(());
        }
        match self.entry(RECORD_ROOT, NONE, key)? {
            Some(id) if self.tree.field(id).route == Route::Unknown => self.decide(id).map(drop),
            _ => Ok(()),
        }
    }
}
