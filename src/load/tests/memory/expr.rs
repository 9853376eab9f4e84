//! The value of an expression, for a row or a group of rows.

use super::lists::text;
use super::query::{Reader, RelationColumn};
use super::state::Row;
use super::values::{cast, compare, identity_of};
use crate::session::Value;
use crate::{Error, Result};
use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, OrderByExpr, OrderBySort, UnaryOperator,
    Value as Literal, WindowType,
};
use std::cmp::Ordering;
use std::hash::{Hash as _, Hasher as _};

/// What an expression may name.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub columns: &'s [RelationColumn],
    pub row: &'s [Value],
    /// Those of the group, or all.
    pub rows: &'s [Row],
    /// Whether the value is one of all `rows`.
    pub is_group: bool,
    /// What the row is of the rows.
    pub idx: usize,
    pub outer: Option<&'s Scope<'s>>,
}

const AGGREGATES: [&str; 4] = ["count", "max", "min", "sum"];

pub(super) fn unknown(what: &str, sql: &dyn std::fmt::Display) -> Error {
    Error::internal(format!("the in-memory database does not know {what}: {sql}"))
}

/// Returns whether the value of the expression is one of a group of rows.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) if function.over.is_none() => {
            AGGREGATES.contains(&name_of(function).as_str())
                || arguments(function).is_ok_and(|args| args.into_iter().flatten().any(has_aggregate))
        }
        Expr::Nested(expr) | Expr::UnaryOp { expr, .. } | Expr::Cast { expr, .. } | Expr::Collate { expr, .. } => has_aggregate(expr),
        Expr::BinaryOp { left, right, .. } => has_aggregate(left) || has_aggregate(right),
        _ => false,
    }
}

fn name_of(function: &Function) -> String {
    function.name.to_string().to_lowercase()
}

/// Returns the arguments of a call; `None` is `*`.
fn arguments(function: &Function) -> Result<Vec<Option<&Expr>>> {
    let FunctionArguments::List(list) = &function.args else { return Ok(Vec::new()) };
    let mut arguments = Vec::with_capacity(list.args.len());
    for arg in &list.args {
        arguments.push(match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => None,
            _ => return Err(unknown("the arguments", function)),
        });
    }
    Ok(arguments)
}

impl Reader<'_> {
    pub(super) fn value(&self, expr: &Expr, scope: &Scope<'_>) -> Result<Value> {
        match expr {
            Expr::Value(literal) => literal_value(&literal.value),
            Expr::Identifier(name) => column_value(&[&name.value], scope).ok_or_else(|| no_column(expr)),
            Expr::CompoundIdentifier(names) => {
                let names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
                column_value(&names, scope).ok_or_else(|| no_column(expr))
            }
            // The comparison is always one of bytes.
            Expr::Nested(expr) | Expr::Collate { expr, .. } => self.value(expr, scope),
            Expr::IsNull(expr) => Ok(Value::Boolean(self.value(expr, scope)? == Value::Null)),
            Expr::IsNotNull(expr) => Ok(Value::Boolean(self.value(expr, scope)? != Value::Null)),
            Expr::IsNotDistinctFrom(a, b) => Ok(Value::Boolean(self.value(a, scope)? == self.value(b, scope)?)),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ok(match self.value(expr, scope)? {
                Value::Boolean(value) => Value::Boolean(!value),
                _ => Value::Null,
            }),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match self.value(expr, scope)? {
                Value::Integer(number) => Ok(Value::Integer(-number)),
                _ => Err(unknown("the expression", expr)),
            },
            Expr::BinaryOp { left, op, right } => self.binary(expr, self.value(left, scope)?, op, self.value(right, scope)?),
            Expr::InList { expr, list, negated } => {
                let values = list.iter().map(|item| self.value(item, scope)).collect::<Result<Vec<Value>>>()?;
                is_in(&self.value(expr, scope)?, &values, *negated)
            }
            Expr::InSubquery { expr, subquery, negated: false } if matches!(expr.as_ref(), Expr::Tuple(_)) => {
                let Expr::Tuple(parts) = expr.as_ref() else { return Err(unknown("the expression", expr)) };
                let values = parts.iter().map(|part| self.value(part, scope)).collect::<Result<Vec<Value>>>()?;
                let is_known = values.iter().all(|value| *value != Value::Null);
                Ok(Value::Boolean(is_known && self.query(subquery, Some(scope))?.rows.contains(&values)))
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let values: Vec<Value> = self.query(subquery, Some(scope))?.rows.into_iter().flatten().collect();
                is_in(&self.value(expr, scope)?, &values, *negated)
            }
            Expr::Exists { subquery, negated } => Ok(Value::Boolean(self.query(subquery, Some(scope))?.rows.is_empty() == *negated)),
            Expr::Subquery(query) => Ok(self.query(query, Some(scope))?.rows.into_iter().flatten().next().unwrap_or(Value::Null)),
            Expr::Cast { expr, data_type, .. } => cast(self.value(expr, scope)?, &data_type.to_string()),
            Expr::Case { operand: None, conditions, else_result, .. } => {
                for when in conditions {
                    if self.value(&when.condition, scope)? == Value::Boolean(true) {
                        return self.value(&when.result, scope);
                    }
                }
                else_result.as_ref().map_or(Ok(Value::Null), |expr| self.value(expr, scope))
            }
            Expr::Function(function) => self.call(function, scope),
            other => Err(unknown("the expression", other)),
        }
    }

    fn binary(&self, expr: &Expr, left: Value, op: &BinaryOperator, right: Value) -> Result<Value> {
        use Value::{Boolean, Integer, Null, Text};
        let compared = |is: fn(Ordering) -> bool| Ok(compare(&left, &right)?.map_or(Null, |ordering| Boolean(is(ordering))));
        match op {
            BinaryOperator::And => Ok(match (&left, &right) {
                (Boolean(false), _) | (_, Boolean(false)) => Boolean(false),
                (Boolean(true), Boolean(true)) => Boolean(true),
                _ => Null,
            }),
            BinaryOperator::Or => Ok(match (&left, &right) {
                (Boolean(true), _) | (_, Boolean(true)) => Boolean(true),
                (Boolean(false), Boolean(false)) => Boolean(false),
                _ => Null,
            }),
            BinaryOperator::Eq => compared(Ordering::is_eq),
            BinaryOperator::NotEq => compared(Ordering::is_ne),
            BinaryOperator::Lt => compared(Ordering::is_lt),
            BinaryOperator::LtEq => compared(Ordering::is_le),
            BinaryOperator::Gt => compared(Ordering::is_gt),
            BinaryOperator::GtEq => compared(Ordering::is_ge),
            _ => match (op, left, right) {
                (_, Null, _) | (_, _, Null) => Ok(Null),
                (BinaryOperator::Plus, Integer(a), Integer(b)) => Ok(Integer(a + b)),
                (BinaryOperator::Minus, Integer(a), Integer(b)) => Ok(Integer(a - b)),
                (BinaryOperator::StringConcat, Text(a), Text(b)) => Ok(Text(a + &b)),
                _ => Err(unknown("the operation", expr)),
            },
        }
    }

    fn call(&self, function: &Function, scope: &Scope<'_>) -> Result<Value> {
        let name = name_of(function);
        if let Some(WindowType::WindowSpec(window)) = &function.over {
            if name != "row_number" || window.window_frame.is_some() {
                return Err(unknown("the window", function));
            }
            return self.row_number(&window.partition_by, &window.order_by, scope);
        }
        let args = arguments(function)?;
        if AGGREGATES.contains(&name.as_str()) {
            return self.aggregate(function, &name, &args, scope);
        }
        let values = args.into_iter().flatten().map(|arg| self.value(arg, scope)).collect::<Result<Vec<Value>>>()?;
        Ok(match (name.as_str(), values.as_slice()) {
            ("coalesce", values) => values.iter().find(|value| **value != Value::Null).cloned().unwrap_or(Value::Null),
            ("current_setting", [Value::Text(setting)]) => text(if setting == "enable_logging" { "false" } else { "" }),
            ("version", []) => text("v2.0.0"),
            ("current_database", []) => text(super::state::CATALOG),
            ("hash", values) => Value::Integer(values.iter().fold(7, |sum, value| hash_of(sum, &format!("{value:?}")))),
            ("make_timestamp", [Value::Integer(micros)]) => Value::Timestamp(*micros as i64),
            (_, values) if values.contains(&Value::Null) => Value::Null,
            ("lower", [Value::Text(value)]) => text(&value.to_lowercase()),
            ("contains", [Value::Text(value), Value::Text(part)]) => Value::Boolean(value.contains(part)),
            ("replace", [Value::Text(value), Value::Text(from), Value::Text(to)]) => text(&value.replace(from, to)),
            _ => return Err(unknown("the function", function)),
        })
    }

    fn aggregate(&self, function: &Function, name: &str, args: &[Option<&Expr>], scope: &Scope<'_>) -> Result<Value> {
        if !scope.is_group || args.len() != 1 {
            return Err(unknown("the aggregate", function));
        }
        let mut values = Vec::new();
        for (idx, row) in scope.rows.iter().enumerate() {
            let of_row = Scope { row, idx, is_group: false, ..*scope };
            let counts = function.filter.as_ref().map_or(Ok(Value::Boolean(true)), |filter| self.value(filter, &of_row))?;
            let value = args[0].map_or(Ok(Value::Boolean(true)), |arg| self.value(arg, &of_row))?;
            values.extend(Some(value).filter(|value| *value != Value::Null && counts == Value::Boolean(true)));
        }
        let mut best: Option<Value> = None;
        for value in &values {
            let wanted = if name == "max" { Ordering::Greater } else { Ordering::Less };
            let is_better = best.as_ref().map_or(Ok(true), |best| Ok::<bool, Error>(compare(value, best)? == Some(wanted)))?;
            best = if is_better { Some(value.clone()) } else { best };
        }
        Ok(match name {
            "count" => Value::Integer(values.len() as i128),
            "sum" if values.is_empty() => Value::Null,
            "sum" => Value::Integer(values.iter().filter_map(Value::as_integer).sum()),
            _ => best.unwrap_or(Value::Null),
        })
    }

    /// Returns which the row is, in that order, of the rows of its partition.
    fn row_number(&self, partition: &[Expr], order: &[OrderByExpr], scope: &Scope<'_>) -> Result<Value> {
        let key = |idx: usize| -> Result<(String, Vec<Value>)> {
            let of_row = Scope { row: &scope.rows[idx], idx, ..*scope };
            let part = partition.iter().map(|expr| self.value(expr, &of_row)).collect::<Result<Vec<Value>>>()?;
            let place = order.iter().map(|by| self.value(&by.expr, &of_row)).collect::<Result<Vec<Value>>>()?;
            Ok((identity_of(&part), place))
        };
        let (own_part, own_place) = key(scope.idx)?;
        let mut number = 1;
        for idx in (0..scope.rows.len()).filter(|idx| *idx != scope.idx) {
            let (part, place) = key(idx)?;
            let ordering = in_order(&place, &own_place, order)?;
            number += i128::from(part == own_part && (ordering.is_lt() || ordering.is_eq() && idx < scope.idx));
        }
        Ok(Value::Integer(number))
    }
}

/// Returns how two rows of values of `order` stand to each other. As in DuckDB, nulls are last unless the order says otherwise.
pub(super) fn in_order(a: &[Value], b: &[Value], order: &[OrderByExpr]) -> Result<Ordering> {
    for ((a, b), by) in a.iter().zip(b).zip(order) {
        let is_descending = matches!(by.options.sort, Some(OrderBySort::Desc));
        let ordering = match (a, b) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Greater,
            (_, Value::Null) => Ordering::Less,
            (a, b) => compare(a, b)?.map_or(Ordering::Equal, |ordering| if is_descending { ordering.reverse() } else { ordering }),
        };
        if ordering.is_ne() {
            return Ok(ordering);
        }
    }
    Ok(Ordering::Equal)
}

fn is_in(value: &Value, values: &[Value], negated: bool) -> Result<Value> {
    for other in values {
        if compare(value, other)?.is_some_and(Ordering::is_eq) {
            return Ok(Value::Boolean(!negated));
        }
    }
    Ok(if *value == Value::Null || values.contains(&Value::Null) { Value::Null } else { Value::Boolean(negated) })
}

fn literal_value(literal: &Literal) -> Result<Value> {
    Ok(match literal {
        Literal::Null => Value::Null,
        Literal::Boolean(value) => Value::Boolean(*value),
        Literal::SingleQuotedString(value) => text(value),
        Literal::Number(digits, _) => match digits.parse() {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Double(digits.parse().map_err(|_| unknown("the number", literal))?),
        },
        other => return Err(unknown("the literal", other)),
    })
}

/// Returns the value of the column of that name, looked up from the innermost query out.
fn column_value(names: &[&str], scope: &Scope<'_>) -> Option<Value> {
    let is_it = |column: &RelationColumn| match names {
        [name] => column.name.eq_ignore_ascii_case(name),
        [of, name] => column.of.eq_ignore_ascii_case(of) && column.name.eq_ignore_ascii_case(name),
        _ => false,
    };
    match scope.columns.iter().position(is_it) {
        Some(idx) => Some(scope.row.get(idx).cloned().unwrap_or(Value::Null)),
        None => column_value(names, scope.outer?),
    }
}

fn no_column(expr: &Expr) -> Error {
    Error::of_database(crate::DatabaseErrorType::Binder, format!("Binder Error: Referenced column \"{expr}\" not found in FROM clause!"))
}

/// Returns a number that other texts do not have, behind another one.
fn hash_of(sum: i128, text: &str) -> i128 {
    let mut hasher = std::hash::DefaultHasher::new();
    (sum, text).hash(&mut hasher);
    i128::from(hasher.finish())
}
