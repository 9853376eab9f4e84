//! What each statement does to a transaction's state of the in-memory database.

use super::expr::{unknown, Scope};
use super::query::{no_table, resolved, Reader, Relation, RelationColumn};
use super::state::{key_of, Key, Row, Rule, State, Table, TableColumn, View, TEMP};
use super::values::cast;
use super::{rules, Nature};
use crate::session::Value;
use crate::{Error, Result};
use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation, AssignmentTarget, ColumnDef, CommentObject, CreateTable, Delete, Expr,
    FromTable, Insert, ObjectName, ObjectType, RenameTableNameKind, SchemaName, Statement, TableFactor, TableObject, TableWithJoins,
    Update,
};
use std::sync::Arc;

/// Changes what a transaction sees.
pub(super) struct Changer<'c> {
    pub state: &'c mut State,
    pub nature: &'c Nature,
}

impl Changer<'_> {
    /// Runs a statement. Returns the rows of a query, none of any other.
    pub(super) fn run(&mut self, statement: &Statement) -> Result<Vec<Row>> {
        match statement {
            Statement::Query(query) => return Ok(self.reader().query(query, None)?.rows),
            Statement::Insert(insert) => self.insert(insert)?,
            Statement::Delete(delete) => self.delete(delete)?,
            Statement::Update(update) => self.update(update)?,
            Statement::CreateTable(create) => self.create_table(create)?,
            Statement::AlterTable(alter) => self.alter_table(alter)?,
            Statement::CreateSchema { schema_name: SchemaName::Simple(name), if_not_exists, .. } => {
                let name = last_part(name);
                if !self.state.schemas.insert(name.to_lowercase()) && !if_not_exists {
                    return Err(Error::of_database(
                        crate::DatabaseErrorType::Catalog,
                        format!("Catalog Error: Schema with name \"{name}\" already exists!"),
                    ));
                }
            }
            Statement::CreateIndex(create) => {
                let index = rules::index_of(create)?;
                let table = self.table(&create.table_name)?;
                table.indexes.push(index);
                rules::check(table)?;
            }
            Statement::CreateView(create) if create.or_replace => {
                // Its tables and columns have to be there.
                self.reader().query(&create.query, None)?;
                let (key, _) = resolved(&create.name)?;
                let view = View { name: last_part(&create.name), query: create.query.to_string(), comment: None };
                self.state.views.insert(key, view);
            }
            Statement::Drop { object_type, names, if_exists, .. } => {
                for name in names {
                    self.drop_one(object_type, name, *if_exists)?;
                }
            }
            Statement::Comment { object_type, object_name, comment, .. } => self.comment(object_type, object_name, comment.as_ref())?,
            // Where names are looked up, and how the database ends: nothing of that is told apart here.
            Statement::Set(_) | Statement::Reset(_) | Statement::Pragma { .. } => {}
            other => return Err(unknown("the statement", other)),
        }
        Ok(Vec::new())
    }

    fn reader(&self) -> Reader<'_> {
        Reader { state: self.state, nature: self.nature }
    }

    fn table(&mut self, name: &ObjectName) -> Result<&mut Table> {
        let (key, _) = resolved(name)?;
        self.state.tables.get_mut(&key).map(Arc::make_mut).ok_or_else(|| no_table(name))
    }

    fn insert(&mut self, insert: &Insert) -> Result<()> {
        let (TableObject::TableName(name), Some(source), None) = (&insert.table, &insert.source, &insert.on) else {
            return Err(unknown("the statement", insert));
        };
        let rows = self.reader().query(source, None)?.rows;
        let table = self.table(name)?;
        let mut places = Vec::new();
        for column in &insert.columns {
            let column = last_part(column);
            places.push(table.column(&column).ok_or_else(|| no_column(&column))?);
        }
        if places.is_empty() {
            places = (0..table.columns.len()).collect();
        }
        let mut complete = Vec::with_capacity(rows.len());
        for row in rows {
            if row.len() != places.len() {
                return Err(Error::of_database(
                    crate::DatabaseErrorType::Binder,
                    format!("Binder Error: {} has {} values", insert, row.len()),
                ));
            }
            let mut values = vec![Value::Null; table.columns.len()];
            for (idx, value) in places.iter().zip(row) {
                values[*idx] = cast(value, &table.columns[*idx].sql_type)?;
            }
            complete.push(values);
        }
        table.add(complete);
        rules::check(table)
    }

    /// Returns the places of the table's rows for which the condition holds, and what `made` makes of each.
    fn matching<T>(
        &self,
        name: &ObjectName,
        alias: Option<&str>,
        condition: Option<&Expr>,
        made: impl Fn(&Reader<'_>, &Scope<'_>) -> Result<T>,
    ) -> Result<(Key, Vec<(usize, T)>)> {
        let (key, _) = resolved(name)?;
        let stored = self.state.tables.get(&key).ok_or_else(|| no_table(name))?;
        let of = alias.unwrap_or(&stored.name).to_string();
        let column = |column: &TableColumn| RelationColumn { of: of.clone(), name: column.name.clone(), is_hidden: false };
        let relation = Relation {
            columns: stored.columns.iter().map(column).collect(),
            rows: stored.rows.iter().map(|(_, row)| row.clone()).collect(),
        };
        let reader = self.reader();
        let mut found = Vec::new();
        for (idx, row) in relation.rows.iter().enumerate() {
            let scope = Scope { columns: &relation.columns, row, rows: &relation.rows, is_group: false, idx, outer: None };
            let holds = condition.map_or(Ok(Value::Boolean(true)), |condition| reader.value(condition, &scope))?;
            if holds == Value::Boolean(true) {
                found.push((idx, made(&reader, &scope)?));
            }
        }
        Ok((key, found))
    }

    fn delete(&mut self, delete: &Delete) -> Result<()> {
        let (FromTable::WithFromKeyword(tables), None) = (&delete.from, &delete.using) else {
            return Err(unknown("the statement", delete));
        };
        let [table] = tables.as_slice() else { return Err(unknown("the statement", delete)) };
        let (name, alias) = named(table)?;
        let (key, gone) = self.matching(name, alias, delete.selection.as_ref(), |_, _| Ok(()))?;
        let Some(table) = self.state.tables.get_mut(&key).filter(|_| !gone.is_empty()) else { return Ok(()) };
        let table = Arc::make_mut(table);
        for (idx, ()) in gone.into_iter().rev() {
            table.rows.remove(idx);
        }
        Ok(())
    }

    fn update(&mut self, update: &Update) -> Result<()> {
        if update.from.is_some() {
            return Err(unknown("the statement", update));
        }
        let values = |reader: &Reader<'_>, scope: &Scope<'_>| {
            let mut row = scope.row.to_vec();
            for assignment in &update.assignments {
                let AssignmentTarget::ColumnName(name) = &assignment.target else { return Err(unknown("the statement", update)) };
                let name = last_part(name);
                let idx =
                    scope.columns.iter().position(|column| column.name.eq_ignore_ascii_case(&name)).ok_or_else(|| no_column(&name))?;
                row[idx] = reader.value(&assignment.value, scope)?;
            }
            Ok(row)
        };
        let (name, alias) = named(&update.table)?;
        let (key, replaced) = self.matching(name, alias, update.selection.as_ref(), values)?;
        let Some(table) = self.state.tables.get_mut(&key).filter(|_| !replaced.is_empty()) else { return Ok(()) };
        let table = Arc::make_mut(table);
        table.replace(replaced);
        rules::check(table)
    }

    fn create_table(&mut self, create: &CreateTable) -> Result<()> {
        let (key, _) = if create.temporary { (key_of(TEMP, &last_part(&create.name)), false) } else { resolved(&create.name)? };
        if key.0 != TEMP && !self.state.schemas.contains(&key.0) {
            return Err(Error::of_database(
                crate::DatabaseErrorType::Catalog,
                format!("Catalog Error: Schema with name {} does not exist!", key.0),
            ));
        }
        if self.state.tables.contains_key(&key) {
            let exists = || {
                Error::of_database(
                    crate::DatabaseErrorType::Catalog,
                    format!("Catalog Error: Table with name \"{}\" already exists!", key.1),
                )
            };
            return if create.if_not_exists { Ok(()) } else { Err(exists()) };
        }
        let mut table = Table { schema: key.0.clone(), name: last_part(&create.name), ..Table::default() };
        match &create.query {
            Some(query) => {
                let relation = self.reader().query(query, None)?;
                // Only rows are read of it, so that any type will do.
                table.columns = relation.columns.iter().map(|column| table_column(&column.name, "ANY")).collect();
                table.add(relation.rows);
            }
            None => {
                for column in &create.columns {
                    table.columns.push(column_of(column));
                }
                table.rules = rules::rules_of(create)?;
            }
        }
        self.state.tables.insert(key, Arc::new(table));
        Ok(())
    }

    fn alter_table(&mut self, alter: &AlterTable) -> Result<()> {
        let (key, _) = resolved(&alter.name)?;
        for operation in &alter.operations {
            match operation {
                AlterTableOperation::AddColumn { column_def, .. } => {
                    let table = self.table(&alter.name)?;
                    table.columns.push(column_of(column_def));
                    table.rows.iter_mut().for_each(|(_, row)| row.push(Value::Null));
                }
                AlterTableOperation::DropColumn { column_names, .. } => {
                    let table = self.table(&alter.name)?;
                    for name in column_names {
                        let idx = table.column(&name.value).ok_or_else(|| no_column(&name.value))?;
                        table.columns.remove(idx);
                        table.rows.iter_mut().for_each(|(_, row)| drop(row.remove(idx)));
                    }
                }
                AlterTableOperation::RenameTable { table_name: RenameTableNameKind::To(name) } => {
                    let name = last_part(name);
                    let renamed = key_of(&key.0, &name);
                    if self.state.tables.contains_key(&renamed) {
                        return Err(Error::of_database(
                            crate::DatabaseErrorType::Catalog,
                            format!("Catalog Error: Table with name \"{name}\" already exists!"),
                        ));
                    }
                    let table = self.state.tables.remove(&key).ok_or_else(|| no_table(&alter.name))?;
                    self.state.tables.insert(renamed, Arc::new(Table { name, ..Table::clone(&table) }));
                }
                AlterTableOperation::AddConstraint { constraint, .. } => {
                    let rule = rules::rule_of(constraint)?;
                    let table = self.table(&alter.name)?;
                    table.rules.push(rule);
                    rules::check(table)?;
                }
                AlterTableOperation::AlterColumn { column_name, op } => self.alter_column(&alter.name, &column_name.value, op)?,
                other => return Err(unknown("the change", other)),
            }
        }
        Ok(())
    }

    fn alter_column(&mut self, name: &ObjectName, column: &str, op: &AlterColumnOperation) -> Result<()> {
        match op {
            AlterColumnOperation::SetDefault { value } => {
                let table = self.table(name)?;
                let idx = table.column(column).ok_or_else(|| no_column(column))?;
                table.columns[idx].default = Some(value.to_string());
            }
            AlterColumnOperation::SetNotNull => {
                let table = self.table(name)?;
                let idx = table.column(column).ok_or_else(|| no_column(column))?;
                let rule = Rule::NotNull(table.columns[idx].name.clone());
                table.rules.push(rule);
                rules::check(table)?;
            }
            AlterColumnOperation::SetDataType { data_type, using: Some(using), .. } => {
                let (_, values) = self.matching(name, None, None, |reader, scope| reader.value(using, scope))?;
                let table = self.table(name)?;
                let idx = table.column(column).ok_or_else(|| no_column(column))?;
                if !table.rules.is_empty() || !table.indexes.is_empty() {
                    return Err(Error::database("Dependency Error: Cannot alter a table with constraints or indexes"));
                }
                table.columns[idx].sql_type = data_type.to_string();
                for (row_idx, value) in values {
                    table.rows[row_idx].1[idx] = cast(value, &data_type.to_string())?;
                }
            }
            other => return Err(unknown("the change", other)),
        }
        Ok(())
    }

    fn drop_one(&mut self, object_type: &ObjectType, name: &ObjectName, if_exists: bool) -> Result<()> {
        let (key, _) = resolved(name)?;
        let was_there = match object_type {
            ObjectType::Table => self.state.tables.remove(&key).is_some(),
            ObjectType::View => self.state.views.remove(&key).is_some(),
            _ => return Err(unknown("what is dropped", name)),
        };
        if was_there || if_exists {
            Ok(())
        } else {
            Err(no_table(name))
        }
    }

    fn comment(&mut self, object_type: &CommentObject, name: &ObjectName, comment: Option<&String>) -> Result<()> {
        match object_type {
            CommentObject::Table => self.table(name)?.comment = comment.cloned(),
            CommentObject::View => {
                let (key, _) = resolved(name)?;
                self.state.views.get_mut(&key).ok_or_else(|| no_table(name))?.comment = comment.cloned();
            }
            CommentObject::Column => {
                let mut of = name.clone();
                of.0.pop();
                let column = last_part(name);
                let table = self.table(&of)?;
                let idx = table.column(&column).ok_or_else(|| no_column(&column))?;
                table.columns[idx].comment = comment.cloned();
            }
            other => return Err(unknown("the comment", other)),
        }
        Ok(())
    }
}

/// Returns the name and the alias of the table that a statement changes.
fn named(table: &TableWithJoins) -> Result<(&ObjectName, Option<&str>)> {
    match &table.relation {
        TableFactor::Table { name, alias, args: None, .. } => Ok((name, alias.as_ref().map(|alias| alias.name.value.as_str()))),
        _ => Err(unknown("the table", table)),
    }
}

fn column_of(column: &ColumnDef) -> TableColumn {
    TableColumn { default: rules::default_of(column), ..table_column(&column.name.value, &column.data_type.to_string()) }
}

fn table_column(name: &str, sql_type: &str) -> TableColumn {
    TableColumn { name: name.to_string(), sql_type: sql_type.to_string(), default: None, comment: None }
}

pub(super) fn last_part(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()).unwrap_or_default()
}

fn no_column(name: &str) -> Error {
    Error::of_database(crate::DatabaseErrorType::Binder, format!("Binder Error: Table does not have a column with name \"{name}\""))
}
