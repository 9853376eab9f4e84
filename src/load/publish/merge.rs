//! Publishes updates: gives the table the columns its new rows need, and merges them in.

use crate::columns::{SchemaChange, TableSchema};
use crate::load::job::log::Notes;
use crate::load::plan::named::column_named;
use crate::load::plan::spans::Spans;
use crate::load::publish::compared::{compared_columns, replaced_rows, Compared};
use crate::load::publish::kept::{Kept, NewTable};
use crate::load::publish::mark_sql::Marking;
use crate::load::publish::merge_sql::{Merge, Repeats};
use crate::load::publish::span_sql::in_spans_sql;
use crate::load::records::changed::Changes;
use crate::load::records::store::Store;
use crate::load::staging::changes::{alter_sql, create_sql, is_alterable};
use crate::load::staging::converted_sql::converted;
use crate::session::{quote_ident, CatalogKind, LogLevel, Session, TableName};
use crate::spec::{ChildDef, Deletes, TableDef};
use crate::Result;

/// The merge of one table's staging table into it.
pub struct Updating<'a> {
    pub store: &'a Store,
    pub table_def: &'a TableDef,
    /// The columns of the table as it is.
    pub known: &'a TableSchema,
    /// When the load began, in microseconds since 1970: since then rows count as gone.
    pub since: i64,
    /// Whether the rows that changed are kept.
    pub keeps_changes: bool,
    /// The spans of which all rows came; `None` where rows are replaced by their keys only.
    pub spans: Option<&'a Spans>,
}

/// What a merge made of a table.
pub struct Merged {
    /// Its columns.
    pub schema: TableSchema,
    pub rows: Changes,
    /// Whether its indexes lose entries when DuckDB replays the merge.
    pub may_lose_entries: bool,
}

impl Updating<'_> {
    /// Merges inside the session's transaction, and drops the staging table, whose columns are `staged`.
    pub fn merge(&self, session: &mut dyn Session, staged: &TableSchema, notes: &mut Notes) -> Result<Merged> {
        let schema = self.known.merged(&staged.clone().without_marks());
        let changes = self.known.changes_to(&schema);
        if changes.is_empty() && self.spans.is_none() && self.brings_nothing(session)? {
            session.execute(&format!("DROP TABLE {}", self.store.staging))?;
            return Ok(Merged { schema, rows: Changes::default(), may_lose_entries: false });
        }
        let kept = Kept::of(session, self.store)?;
        let widens = changes.iter().any(|change| matches!(change, SchemaChange::Widened { .. }));
        let is_alterable = changes.iter().all(|change| is_alterable(self.store.kind, &schema, change));
        let Store { target, staging, .. } = self.store;
        notes.extend(changes.iter().map(|change| (LogLevel::Info, alter_sql(self.store.kind, target, &schema, change).1)));
        let is_made_anew = widens && (kept.fixes_types() || !is_alterable);
        let rows = if is_made_anew {
            let anew = TableName { table: format!("{}__merging", target.table), ..target.clone() };
            session.execute(&copy_sql(self.store.kind, target, &anew, self.known, &schema))?;
            let changed = self.merge_into(session, &anew, staged, notes)?;
            kept.put_in_place(session, self.store, NewTable { name: &anew, schema: &schema }, self.table_def)?;
            changed
        } else {
            for change in &changes {
                session.execute(&alter_sql(self.store.kind, target, &schema, change).0)?;
            }
            kept.read_indexes(session, self.store)?;
            self.merge_into(session, target, staged, notes).map_err(|err| kept.explained(self.store, err))?
        };
        session.execute(&format!("DROP TABLE {staging}"))?;
        Ok(Merged { schema, rows, may_lose_entries: kept.may_lose_entries() && !is_made_anew })
    }

    /// Returns whether no row was staged, as in most refreshes.
    fn brings_nothing(&self, session: &mut dyn Session) -> Result<bool> {
        Ok(session.query(&format!("SELECT 1 FROM {} LIMIT 1", self.store.staging))?.is_empty())
    }

    fn merge_into(&self, session: &mut dyn Session, table: &TableName, staged: &TableSchema, notes: &mut Notes) -> Result<Changes> {
        if let Some(child_def) = &self.table_def.child {
            self.leave_last(session, table, staged, notes)?;
            return self.replace_children(session, table, staged, child_def);
        }
        let mut merge = self.merge_of(table, staged)?;
        merge.span = self.spans.map(|spans| in_spans_sql(spans, staged, self.store.kind)).transpose()?;
        let repeats = self.repeats(session, &mut merge, notes)?;
        if let Some(sql) = merge.deleted_sql() {
            let n_deleted = session.count(&sql)?;
            notes.push((LogLevel::Info, format!("{n_deleted} rows came that say that a row is gone at the source")));
        }
        let changed = self.changed(session, staged, &merge, repeats)?;
        if merge.span.is_some() && changed.removed > 0 {
            let message =
                format!("{} rows of the windows that were asked for did not come again: they are gone at the source", changed.removed);
            notes.push((LogLevel::Info, message));
        }
        match self.marking(staged).filter(|_| merge.has_key()) {
            Some(marking) => session.execute(&marking.merge_sql(&merge, repeats))?,
            None => session.execute(&merge.sql(repeats))?,
        }
        Ok(changed)
    }

    /// Returns how many rows the merge will change by the key of `merge`, and notes the rows where they are kept.
    fn changed(&self, session: &mut dyn Session, staged: &TableSchema, merge: &Merge<'_>, repeats: Repeats) -> Result<Changes> {
        let added = merge.added_rows_sql();
        // Where rows go whatever their key is, those that come are compared with them all.
        let (live, alone) = match (&merge.span, added) {
            (None, added) => (merge.live_rows_sql(repeats), added),
            (Some(_), Some(added)) if merge.has_key() => {
                (format!("{} UNION ALL SELECT * FROM ({added})", merge.live_rows_sql(repeats)), None)
            }
            (Some(_), Some(added)) => (added, None),
            (Some(_), None) => (merge.live_rows_sql(repeats), None),
        };
        let n_added = alone.map_or(Ok(0), |rows| session.count(&format!("SELECT count(*) FROM ({rows})")))?;
        if !merge.has_key() && merge.span.is_none() {
            return Ok(Changes { added: n_added, ..Changes::default() });
        }
        let schema = &compared_columns(staged);
        let compared = Compared {
            store: self.store,
            schema,
            key_columns: &self.table_def.key_columns,
            before: replaced_rows(merge, staged, schema),
            after: live,
            keeps_rows: self.keeps_changes,
        };
        let changed = compared.note(session)?;
        Ok(Changes { added: changed.added + n_added, ..changed })
    }

    /// Returns how rows that are gone are marked, where the table keeps them.
    fn marking<'s>(&self, staged: &'s TableSchema) -> Option<Marking<'s>> {
        let column = staged.deleted_at().filter(|_| self.table_def.deletes == Deletes::Mark)?;
        Some(Marking { column: &column.name, since: self.since })
    }

    fn merge_of<'m>(&'m self, table: &'m TableName, staged: &'m TableSchema) -> Result<Merge<'m>> {
        let cursor = self.table_def.refresh.updates().and_then(|updates| updates.cursor.as_ref());
        Merge::new(table, &self.store.staging, staged, &self.table_def.key_columns, cursor.map(|cursor| cursor.column.as_str()))
    }

    /// Puts the staged rows in the place of all rows of the parents that came.
    fn replace_children(
        &self,
        session: &mut dyn Session,
        table: &TableName,
        staged: &TableSchema,
        child_def: &ChildDef,
    ) -> Result<Changes> {
        let name_of = |name: &String| staged.copied_column(name).unwrap_or(name).to_string();
        let parent_key: Vec<String> = child_def.parent_key.iter().map(name_of).collect();
        let parents = Merge::new(table, &self.store.staging, staged, &parent_key, None)?;
        let changed = self.changed(session, staged, &parents, Repeats::None)?;
        match self.marking(staged) {
            Some(marking) => session.execute(&marking.children_sql(&self.merge_of(table, staged)?, &parents))?,
            None => session.execute(&parents.sql(Repeats::None))?,
        }
        Ok(changed)
    }

    /// Leaves the last of the staged rows of children that have one key.
    fn leave_last(&self, session: &mut dyn Session, table: &TableName, staged: &TableSchema, notes: &mut Notes) -> Result<()> {
        // A key that is not a column of this account's rows tells nothing.
        let Ok(merge) = self.merge_of(table, staged) else { return Ok(()) };
        let Some(repeats) = merge.live_repeats_sql() else { return Ok(()) };
        let n_rows = session.count(&repeats)?;
        if n_rows > 0 {
            session.execute(&merge.newest_sql(merge.ranking(self.store.kind.has_row_ids())))?;
            let (of, key) = (self.table_def.place_of_child(), self.table_def.key_columns.join(", "));
            notes.push((LogLevel::Info, format!("{of}{n_rows} new rows share their key ({key}) with others: the last of each key stays")));
        }
        Ok(())
    }

    /// Returns the query for the numbers of the staged rows, of these columns, that later ones with the same key replace; `None` where none is
    /// replaced so.
    pub fn older_rows_sql(&self, staged: &TableSchema) -> Result<Option<String>> {
        let merge = self.merge_of(&self.store.target, staged)?;
        Ok(merge.older_rows_sql(merge.ranking(self.store.kind.has_row_ids())))
    }

    /// Says what rows without a key, or with one that repeats, become, and tells the merge whether there are some without.
    fn repeats(&self, session: &mut dyn Session, merge: &mut Merge<'_>, notes: &mut Notes) -> Result<Repeats> {
        let replaces_none = merge.span.is_none();
        let (Some(null_keys), Some(repeats)) = (merge.null_keys_sql(), merge.repeats_sql()) else {
            if replaces_none {
                let message = "the table has no key: Unify adds the new rows and replaces none; name its 'key_columns' in the spec";
                notes.push((LogLevel::Warning, message.to_string()));
            }
            return Ok(Repeats::None);
        };
        let key = self.table_def.key_columns.join(", ");
        let n_null_keys = session.count(&null_keys)?;
        merge.may_lack_keys = n_null_keys > 0;
        if merge.may_lack_keys && replaces_none {
            let message = format!("{n_null_keys} new rows have no value for their key ({key}): they are added, and replace none");
            notes.push((LogLevel::Warning, message));
        }
        let n_repeats = session.count(&repeats)?;
        if n_repeats == 0 {
            return Ok(Repeats::None);
        }
        notes.push((LogLevel::Info, format!("{n_repeats} new rows came again later with the same key ({key}): the last of each stays")));
        Ok(merge.ranking(self.store.kind.has_row_ids()))
    }
}

/// Returns the statements that make a table of the columns of `schema`, with the rows of one of the columns `known`.
fn copy_sql(kind: CatalogKind, from: &TableName, to: &TableName, known: &TableSchema, schema: &TableSchema) -> String {
    let values: Vec<String> = schema.columns.iter().map(|column| converted(kind, known, column)).collect();
    format!("{}; INSERT INTO {to} SELECT {} FROM {from};", create_sql(kind, to, schema), values.join(", "))
}

/// Returns the greatest value of the cursor's column as text; `None` where there is none.
pub fn cursor_text(session: &mut dyn Session, store: &Store, table_def: &TableDef, schema: &TableSchema) -> Result<Option<String>> {
    let Some(cursor) = table_def.refresh.updates().and_then(|updates| updates.cursor.as_ref()) else { return Ok(None) };
    let Some(column) = column_named(schema, &cursor.column) else { return Ok(None) };
    let value = session.value(&format!("SELECT CAST(max({}) AS VARCHAR) FROM {}", quote_ident(column), store.target))?;
    Ok(value.as_text().map(str::to_string))
}
