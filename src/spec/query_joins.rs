//! Joins of a spec's queries, as DuckDB can tell the tables of.

use super::large_stack::on_large_stack;
use super::query::query_of;
use crate::Result;
use sqlparser::ast::{Expr, Join, JoinConstraint, JoinOperator, ObjectNamePart, Query, Select, TableFactor, Value, VisitMut, VisitorMut};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Returns the SQL of a query with joins that are by no column. It reads the same tables: DuckDB does not see columns when it tells which ones
/// those are, and finds none that two tables have in common. `None` where no join is by columns of the same name.
pub fn with_bare_joins(sql: &str) -> Result<Option<String>> {
    on_large_stack(|| {
        let mut query = query_of(sql)?;
        let mut bare = BareJoins { n_changed: 0, views: &BTreeMap::new() };
        let _ = query.visit(&mut bare);
        Ok((bare.n_changed > 0).then(|| query.to_string()))
    })?
}

/// Returns the SQL of a query in which the queries of these views stand in the places of their names, so that their joins can be seen, too.
pub fn with_queries_of(sql: &str, views: &BTreeMap<String, String>) -> Result<String> {
    on_large_stack(|| {
        let parsed = views.iter().map(|(name, sql)| Ok((name.to_lowercase(), query_of(sql)?))).collect::<Result<BTreeMap<_, _>>>()?;
        let mut query = query_of(sql)?;
        let _ = query.visit(&mut BareJoins { n_changed: 0, views: &parsed });
        Ok(query.to_string())
    })?
}

struct BareJoins<'v> {
    n_changed: usize,
    /// What stands for tables of these names, in small letters.
    views: &'v BTreeMap<String, Box<Query>>,
}

impl BareJoins<'_> {
    /// Puts the query of a view in the place of its name.
    fn open(&mut self, factor: &mut TableFactor) {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return };
        let named = name.0.last().and_then(ObjectNamePart::as_ident).map(|ident| ident.value.to_lowercase());
        if let Some(subquery) = named.and_then(|name| self.views.get(&name)).cloned() {
            *factor = TableFactor::Derived { lateral: false, subquery, alias: alias.take(), sample: None };
            self.n_changed += 1;
        }
    }

    fn change(&mut self, joins: &mut [Join]) {
        for join in joins {
            let Some(constraint) = constraint_of(&mut join.join_operator) else { continue };
            if matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural) {
                *constraint = JoinConstraint::On(Expr::Value(Value::Boolean(true).with_empty_span()));
                self.n_changed += 1;
            }
        }
    }
}

impl VisitorMut for BareJoins<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        select.from.iter_mut().for_each(|tables| self.change(&mut tables.joins));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::NestedJoin { table_with_joins, .. } = factor {
            self.change(&mut table_with_joins.joins);
        }
        self.open(factor);
        ControlFlow::Continue(())
    }
}

fn constraint_of(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint)
        | JoinOperator::AsOf { constraint, .. } => Some(constraint),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_by_columns_become_joins_by_none() {
        let check = |sql: &str, expected: Option<&str>| assert_eq!(with_bare_joins(sql).unwrap().as_deref(), expected, "{sql}");
        check("SELECT id FROM a FULL JOIN b USING (id)", Some("SELECT id FROM a FULL JOIN b ON true"));
        check("SELECT id FROM (a NATURAL LEFT JOIN b)", Some("SELECT id FROM (a LEFT JOIN b ON true)"));
        check(
            "WITH t AS (SELECT 1 FROM a JOIN b USING (id)) SELECT 'x USING (y)' FROM t JOIN c ON t.id = c.id, d SEMI JOIN e USING (x)",
            Some("WITH t AS (SELECT 1 FROM a JOIN b ON true) SELECT 'x USING (y)' FROM t JOIN c ON t.id = c.id, d SEMI JOIN e ON true"),
        );
        check("SELECT 1 WHERE EXISTS (SELECT 1 FROM a JOIN b USING (id))", Some("SELECT 1 WHERE EXISTS (SELECT 1 FROM a JOIN b ON true)"));
        check("SELECT a.id FROM a JOIN b ON a.id = b.id CROSS JOIN c", None);
    }

    #[test]
    fn views_are_opened_where_they_stand() {
        let views = [("V", "SELECT id FROM a JOIN b USING (id)"), ("w", "SELECT id FROM \"v\" AS v")];
        let views = views.map(|(name, sql)| (name.to_string(), sql.to_string())).into();
        assert_eq!(
            with_queries_of("SELECT 1 FROM \"s\".\"w\" AS x NATURAL JOIN c", &views).unwrap(),
            "SELECT 1 FROM (SELECT id FROM (SELECT id FROM a JOIN b ON true) AS v) AS x JOIN c ON true"
        );
    }
}
