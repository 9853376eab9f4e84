//! What tables of the in-memory database demand of their rows, read from statements, and checked as DuckDB words it.

use super::expr::{unknown, Scope};
use super::query::{Reader, RelationColumn};
use super::state::{Rule, State, Table, TableIndex, UniqueKind};
use super::statements::last_part;
use super::values::identity_of;
use super::Nature;
use crate::session::Value;
use crate::{Error, Result};
use sqlparser::ast::{ColumnDef, ColumnOption, CreateIndex, CreateTable, Expr, IndexColumn, TableConstraint};
use std::collections::HashSet;

pub(super) fn rules_of(create: &CreateTable) -> Result<Vec<Rule>> {
    let mut rules = Vec::new();
    for column in &create.columns {
        for option in &column.options {
            match &option.option {
                ColumnOption::NotNull => rules.push(Rule::NotNull(column.name.value.clone())),
                ColumnOption::Default(_) => {}
                other => return Err(unknown("the option", other)),
            }
        }
    }
    for constraint in &create.constraints {
        rules.push(rule_of(constraint)?);
    }
    Ok(rules)
}

pub(super) fn rule_of(constraint: &TableConstraint) -> Result<Rule> {
    Ok(match constraint {
        TableConstraint::PrimaryKey(key) => Rule::Unique(UniqueKind::PrimaryKey, names_of(&key.columns)?),
        TableConstraint::Unique(unique) => Rule::Unique(UniqueKind::Unique, names_of(&unique.columns)?),
        TableConstraint::Check(check) => Rule::Check(match check.expr.as_ref() {
            Expr::Nested(condition) => condition.clone(),
            condition => Box::new(condition.clone()),
        }),
        other => return Err(unknown("the constraint", other)),
    })
}

pub(super) fn default_of(column: &ColumnDef) -> Option<String> {
    column.options.iter().find_map(|option| match &option.option {
        ColumnOption::Default(Expr::Nested(value)) => Some(value.to_string()),
        ColumnOption::Default(value) => Some(value.to_string()),
        _ => None,
    })
}

pub(super) fn index_of(create: &CreateIndex) -> Result<TableIndex> {
    let name = create.name.as_ref().map(last_part).unwrap_or_default();
    Ok(TableIndex { name, is_unique: create.unique, columns: names_of(&create.columns)? })
}

fn names_of(columns: &[IndexColumn]) -> Result<Vec<String>> {
    let name = |column: &IndexColumn| match &column.column.expr {
        Expr::Identifier(name) => Ok(name.value.clone()),
        other => Err(unknown("what is indexed", other)),
    };
    columns.iter().map(name).collect()
}

/// Fails when the table's rows break one of its rules.
pub(super) fn check(table: &Table) -> Result<()> {
    for rule in &table.rules {
        match rule {
            Rule::NotNull(column) => {
                if values_of(table, std::slice::from_ref(column)).any(|row| row.contains(&Value::Null)) {
                    return Err(broken(format!("NOT NULL constraint failed: {}.{column}", table.name)));
                }
            }
            Rule::Unique(kind, columns) => check_unique(table, *kind, columns)?,
            Rule::Check(condition) => check_condition(table, condition)?,
        }
    }
    table.indexes.iter().filter(|index| index.is_unique).try_for_each(|index| check_unique(table, UniqueKind::Unique, &index.columns))
}

fn check_unique(table: &Table, kind: UniqueKind, columns: &[String]) -> Result<()> {
    let mut seen = HashSet::new();
    let kind = if kind == UniqueKind::PrimaryKey { "primary key" } else { "unique" };
    match values_of(table, columns).find(|row| !row.contains(&Value::Null) && !seen.insert(identity_of(row))) {
        None => Ok(()),
        Some(row) => {
            let shown: Vec<String> = columns.iter().zip(row).map(|(column, value)| format!("{column}: {value:?}")).collect();
            Err(broken(format!("Duplicate key \"{}\" violates {kind} constraint.", shown.join(", "))))
        }
    }
}

fn check_condition(table: &Table, condition: &Expr) -> Result<()> {
    let column = |name: &String| RelationColumn { of: table.name.clone(), name: name.clone(), is_hidden: false };
    let columns: Vec<RelationColumn> = table.columns.iter().map(|known| column(&known.name)).collect();
    let (state, nature) = (State::default(), Nature::default());
    let reader = Reader { state: &state, nature: &nature };
    for (_, row) in &table.rows {
        let scope = Scope { columns: &columns, row, rows: &[], is_group: false, idx: 0, outer: None };
        if reader.value(condition, &scope)? == Value::Boolean(false) {
            return Err(broken(format!("CHECK constraint failed on table \"{}\" with expression CHECK(({condition}))", table.name)));
        }
    }
    Ok(())
}

fn values_of<'t>(table: &'t Table, columns: &[String]) -> impl Iterator<Item = Vec<Value>> + 't {
    let places: Vec<usize> = columns.iter().filter_map(|column| table.column(column)).collect();
    table.rows.iter().map(move |(_, row)| places.iter().map(|idx| row[*idx].clone()).collect())
}

fn broken(what: String) -> Error {
    Error::of_database(crate::DatabaseErrorType::Constraint, format!("Constraint Error: {what}"))
}
