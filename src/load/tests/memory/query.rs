//! The rows of a query on the in-memory database.

use super::expr::{has_aggregate, in_order, unknown, Scope};
use super::lists::{described, listed};
use super::parse::DESCRIBED;
use super::state::{key_of, Key, Row, State, CATALOG, TEMP};
use super::values::{identity_of, LIST_SEPARATOR};
use super::Nature;
use crate::session::Value;
use crate::{Error, Result};
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderByKind, Query, Select, SelectItem,
    SetExpr, SetOperator, SetQuantifier, TableFactor, TableWithJoins,
};

/// Reads what a transaction sees.
pub(super) struct Reader<'r> {
    pub state: &'r State,
    pub nature: &'r Nature,
}

#[derive(Clone, Debug)]
pub(super) struct RelationColumn {
    /// The table or its alias.
    pub of: String,
    pub name: String,
    /// Whether `*` leaves it out.
    pub is_hidden: bool,
}

/// Rows under names.
#[derive(Clone, Debug, Default)]
pub(super) struct Relation {
    pub columns: Vec<RelationColumn>,
    pub rows: Vec<Row>,
}

/// The rows of a SELECT, each with the one it came of.
struct Selected {
    relation: Relation,
    from: Relation,
}

/// Returns the schema and name that a table's name stands for, and whether its description is meant.
pub(super) fn resolved(name: &ObjectName) -> Result<(Key, bool)> {
    let mut parts: Vec<&str> = name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.as_str()).collect();
    let is_description = parts.last() == Some(&DESCRIBED);
    if is_description {
        parts.pop();
    }
    let key = match parts.as_slice() {
        [name] => key_of(TEMP, name),
        [schema, name] => key_of(schema, name),
        ["temp", "main", name] => key_of(TEMP, name),
        [catalog, schema, name] if catalog.eq_ignore_ascii_case(CATALOG) => key_of(schema, name),
        _ => return Err(no_table(name)),
    };
    Ok((key, is_description))
}

pub(super) fn no_table(name: &dyn std::fmt::Display) -> Error {
    Error::of_database(crate::DatabaseErrorType::Catalog, format!("Catalog Error: Table with name {name} does not exist!"))
}

impl Reader<'_> {
    /// Returns the rows; `outer` is what a correlated query may name.
    pub(super) fn query(&self, query: &Query, outer: Option<&Scope<'_>>) -> Result<Relation> {
        if query.with.is_some() || query.fetch.is_some() || !query.pipe_operators.is_empty() {
            return Err(unknown("the query", query));
        }
        let Selected { mut relation, from } = self.set_expr(&query.body, outer)?;
        if let Some(order_by) = &query.order_by {
            let order = match &order_by.kind {
                OrderByKind::All(_) => Vec::new(),
                OrderByKind::Expressions(order) => order.clone(),
            };
            let mut keyed = Vec::with_capacity(relation.rows.len());
            for (idx, row) in relation.rows.into_iter().enumerate() {
                let below =
                    from.rows.get(idx).map(|row| Scope { columns: &from.columns, row, rows: &from.rows, is_group: false, idx, outer });
                let scope = Scope { columns: &relation.columns, row: &row, rows: &[], is_group: false, idx, outer: below.as_ref() };
                let key = order.iter().map(|by| self.value(&by.expr, &scope)).collect::<Result<Vec<Value>>>()?;
                keyed.push((if order.is_empty() { row.clone() } else { key }, row));
            }
            let mut failure = None;
            keyed.sort_by(|(a, _), (b, _)| match order.is_empty() {
                true => identity_of(a).cmp(&identity_of(b)),
                false => in_order(a, b, &order).unwrap_or_else(|err| {
                    failure = Some(err);
                    std::cmp::Ordering::Equal
                }),
            });
            if let Some(err) = failure {
                return Err(err);
            }
            relation.rows = keyed.into_iter().map(|(_, row)| row).collect();
        }
        match &query.limit_clause {
            None => {}
            Some(LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by }) if limit_by.is_empty() => {
                let nothing = Scope { columns: &[], row: &[], rows: &[], is_group: false, idx: 0, outer };
                let most = self.value(limit, &nothing)?.as_integer().unwrap_or_default();
                relation.rows.truncate(usize::try_from(most).unwrap_or_default());
            }
            Some(_) => return Err(unknown("the limit", query)),
        }
        Ok(relation)
    }

    fn set_expr(&self, body: &SetExpr, outer: Option<&Scope<'_>>) -> Result<Selected> {
        let alone = |relation| Selected { relation, from: Relation::default() };
        match body {
            SetExpr::Select(select) => self.select(select, outer),
            SetExpr::Query(query) => self.query(query, outer).map(alone),
            SetExpr::Values(values) => {
                let nothing = Scope { columns: &[], row: &[], rows: &[], is_group: false, idx: 0, outer };
                let row = |exprs: &Vec<Expr>| exprs.iter().map(|expr| self.value(expr, &nothing)).collect::<Result<Row>>();
                let rows = values.rows.iter().map(|values| row(&values.content)).collect::<Result<Vec<Row>>>()?;
                let column = |idx: usize| RelationColumn { of: String::new(), name: format!("col{idx}"), is_hidden: false };
                let columns = (0..rows.first().map_or(0, Vec::len)).map(column).collect();
                Ok(alone(Relation { columns, rows }))
            }
            SetExpr::SetOperation { left, op, set_quantifier: SetQuantifier::All, right } => {
                let mut relation = self.set_expr(left, outer)?.relation;
                let other = self.set_expr(right, outer)?.relation.rows;
                match op {
                    SetOperator::Union => relation.rows.extend(other),
                    SetOperator::Except => {
                        for gone in other.iter().map(|row| identity_of(row)) {
                            if let Some(idx) = relation.rows.iter().position(|row| identity_of(row) == gone) {
                                relation.rows.remove(idx);
                            }
                        }
                    }
                    _ => return Err(unknown("the operation", body)),
                }
                Ok(alone(relation))
            }
            other => Err(unknown("the query", other)),
        }
    }

    fn select(&self, select: &Select, outer: Option<&Scope<'_>>) -> Result<Selected> {
        let mut from = self.from(&select.from, outer)?;
        let mut kept = Vec::new();
        for (idx, row) in from.rows.iter().enumerate() {
            let scope = Scope { columns: &from.columns, row, rows: &from.rows, is_group: false, idx, outer };
            let holds = select.selection.as_ref().map_or(Ok(Value::Boolean(true)), |condition| self.value(condition, &scope))?;
            kept.extend((holds == Value::Boolean(true)).then(|| row.clone()));
        }
        from.rows = kept;
        let GroupByExpr::Expressions(grouped, _) = &select.group_by else { return Err(unknown("the grouping", select)) };
        let is_grouped = !grouped.is_empty() || select.projection.iter().any(|item| item_expr(item).is_some_and(has_aggregate));
        let mut relation = Relation { columns: self.names(&select.projection, &from)?, rows: Vec::new() };
        if is_grouped {
            for rows in self.groups(grouped, &from, outer)? {
                let nulls = vec![Value::Null; from.columns.len()];
                let row = rows.first().unwrap_or(&nulls);
                let scope = Scope { columns: &from.columns, row, rows: &rows, is_group: true, idx: 0, outer };
                let holds = select.having.as_ref().map_or(Ok(Value::Boolean(true)), |condition| self.value(condition, &scope))?;
                if holds == Value::Boolean(true) {
                    relation.rows.extend(self.projected(&select.projection, &scope)?);
                }
            }
            return Ok(Selected { relation, from: Relation::default() });
        }
        let mut origins = Vec::new();
        for (idx, row) in from.rows.iter().enumerate() {
            let scope = Scope { columns: &from.columns, row, rows: &from.rows, is_group: false, idx, outer };
            for projected in self.projected(&select.projection, &scope)? {
                relation.rows.push(projected);
                origins.push(row.clone());
            }
        }
        from.rows = origins;
        match &select.distinct {
            None => Ok(Selected { relation, from }),
            Some(Distinct::Distinct) => {
                let mut seen = std::collections::HashSet::new();
                relation.rows.retain(|row| seen.insert(identity_of(row)));
                Ok(Selected { relation, from: Relation::default() })
            }
            Some(_) => Err(unknown("the query", select)),
        }
    }

    /// Returns the rows of each group; of no grouping, one of all.
    fn groups(&self, grouped: &[Expr], from: &Relation, outer: Option<&Scope<'_>>) -> Result<Vec<Vec<Row>>> {
        if grouped.is_empty() {
            return Ok(vec![from.rows.clone()]);
        }
        let mut groups: Vec<(String, Vec<Row>)> = Vec::new();
        for (idx, row) in from.rows.iter().enumerate() {
            let scope = Scope { columns: &from.columns, row, rows: &from.rows, is_group: false, idx, outer };
            let key = grouped.iter().map(|expr| self.value(expr, &scope)).collect::<Result<Row>>()?;
            let key = identity_of(&key);
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, rows)) => rows.push(row.clone()),
                None => groups.push((key, vec![row.clone()])),
            }
        }
        Ok(groups.into_iter().map(|(_, rows)| rows).collect())
    }

    /// Returns the rows that one becomes: several where a list is unnested.
    fn projected(&self, items: &[SelectItem], scope: &Scope<'_>) -> Result<Vec<Row>> {
        let mut row = Row::new();
        let mut unnested = None;
        for item in items {
            match item_expr(item) {
                Some(Expr::Function(function)) if function.name.to_string() == "unnest" => {
                    let listed = function.args.to_string();
                    let column = Expr::Identifier(listed.trim_matches(['(', ')']).into());
                    let Value::Text(list) = self.value(&column, scope)? else { return Err(unknown("the list", function)) };
                    unnested = Some((row.len(), list));
                    row.push(Value::Null);
                }
                Some(expr) => row.push(self.value(expr, scope)?),
                None => {
                    let shown = scope.columns.iter().zip(scope.row).filter(|(column, _)| !column.is_hidden);
                    row.extend(shown.map(|(_, value)| value.clone()));
                }
            }
        }
        let Some((place, list)) = unnested else { return Ok(vec![row]) };
        let with = |element: &str| {
            let mut row = row.clone();
            row[place] = Value::Text(element.to_string());
            row
        };
        Ok(list.split(LIST_SEPARATOR).filter(|element| !element.is_empty()).map(with).collect())
    }

    fn names(&self, items: &[SelectItem], from: &Relation) -> Result<Vec<RelationColumn>> {
        let mut columns = Vec::new();
        let column = |name: String| RelationColumn { of: String::new(), name, is_hidden: false };
        for item in items {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => columns.push(column(alias.value.clone())),
                SelectItem::UnnamedExpr(Expr::Identifier(name)) => columns.push(column(name.value.clone())),
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => {
                    columns.push(column(names.last().map(|name| name.value.clone()).unwrap_or_default()));
                }
                SelectItem::UnnamedExpr(expr) => columns.push(column(expr.to_string())),
                SelectItem::Wildcard(_) => columns.extend(from.columns.iter().filter(|column| !column.is_hidden).cloned()),
                other => return Err(unknown("the column", other)),
            }
        }
        Ok(columns)
    }

    fn from(&self, tables: &[TableWithJoins], outer: Option<&Scope<'_>>) -> Result<Relation> {
        match tables {
            [] => Ok(Relation { columns: Vec::new(), rows: vec![Row::new()] }),
            [TableWithJoins { relation, joins }] => match joins.as_slice() {
                [] => self.table(relation, outer),
                [Join { relation: other, join_operator: JoinOperator::FullOuter(JoinConstraint::On(condition)), .. }] => {
                    self.full_join(self.table(relation, outer)?, self.table(other, outer)?, condition, outer)
                }
                _ => {
                    self.table(relation, outer)?;
                    Err(unknown("the join", &tables[0]))
                }
            },
            [table, ..] => Err(unknown("the join", table)),
        }
    }

    /// Returns the rows of both, side by side where the condition holds.
    fn full_join(&self, left: Relation, right: Relation, condition: &Expr, outer: Option<&Scope<'_>>) -> Result<Relation> {
        let columns: Vec<RelationColumn> = left.columns.iter().chain(&right.columns).cloned().collect();
        let (mut rows, mut is_met) = (Vec::new(), vec![false; right.rows.len()]);
        for row in &left.rows {
            let n_before = rows.len();
            for (other, is_met) in right.rows.iter().zip(&mut is_met) {
                let both: Row = row.iter().chain(other).cloned().collect();
                let scope = Scope { columns: &columns, row: &both, rows: &[], is_group: false, idx: 0, outer };
                if self.value(condition, &scope)? == Value::Boolean(true) {
                    *is_met = true;
                    rows.push(both);
                }
            }
            if rows.len() == n_before {
                rows.push(row.iter().cloned().chain(right.columns.iter().map(|_| Value::Null)).collect());
            }
        }
        let alone = right.rows.iter().zip(&is_met).filter(|(_, is_met)| !**is_met);
        rows.extend(alone.map(|(other, _)| left.columns.iter().map(|_| Value::Null).chain(other.iter().cloned()).collect::<Row>()));
        Ok(Relation { columns, rows })
    }

    fn table(&self, factor: &TableFactor, outer: Option<&Scope<'_>>) -> Result<Relation> {
        let (relation, alias) = match factor {
            TableFactor::Derived { subquery, alias, .. } => (self.query(subquery, outer)?, alias),
            TableFactor::Table { name, alias, args: Some(args), .. } if args.args.is_empty() => {
                (relation_of(&name.to_string(), listed(&name.to_string().to_lowercase(), self.state, self.nature)?), alias)
            }
            TableFactor::Table { name, alias, args: None, .. } => (self.named(name, outer)?, alias),
            other => return Err(unknown("the table", other)),
        };
        let Some(alias) = alias else { return Ok(relation) };
        let mut columns: Vec<RelationColumn> =
            relation.columns.into_iter().map(|column| RelationColumn { of: alias.name.value.clone(), ..column }).collect();
        columns.iter_mut().zip(&alias.columns).for_each(|(column, named)| column.name.clone_from(&named.name.value));
        Ok(Relation { columns, ..relation })
    }

    fn named(&self, name: &ObjectName, outer: Option<&Scope<'_>>) -> Result<Relation> {
        let (key, is_description) = resolved(name)?;
        if let Some(view) = self.state.views.get(&key) {
            return match super::parse::parsed(&view.query)?.first().map(|parsed| &parsed.statement) {
                Some(sqlparser::ast::Statement::Query(query)) => self.query(query, outer),
                _ => Err(unknown("the view", &view.query)),
            };
        }
        let table = self.state.tables.get(&key).ok_or_else(|| no_table(name))?;
        if is_description {
            return Ok(relation_of(&table.name, described(table)));
        }
        let named = |name: &str, is_hidden| RelationColumn { of: table.name.clone(), name: name.to_string(), is_hidden };
        let columns = table.columns.iter().map(|column| named(&column.name, false)).chain([named("rowid", true)]).collect();
        let row = |(id, row): &(u64, Row)| row.iter().cloned().chain([Value::Integer((*id).into())]).collect();
        Ok(Relation { columns, rows: table.rows.iter().map(row).collect() })
    }
}

fn relation_of(of: &str, (names, rows): super::lists::Listed) -> Relation {
    let column = |name: &&str| RelationColumn { of: of.to_string(), name: name.to_string(), is_hidden: false };
    Relation { columns: names.iter().map(column).collect(), rows }
}

fn item_expr(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}
