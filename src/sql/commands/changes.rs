//! `unify_changes('conn.table')`: what the last load or refresh of a table added, changed and removed.

use crate::load::{ChangedRow, StoredChanges};
use crate::session::Value;
use crate::spec::ScalarType;
use crate::sql::commands::load::TABLE;
use crate::sql::grammar;
use crate::sql::relation::Relation;
use crate::sql::rows::{bound_rows, integer, text};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext};
use crate::Result;

const COUNTS: &[(&str, ScalarType)] =
    &[("change", ScalarType::Varchar), ("rows", ScalarType::BigInt), ("job_id", ScalarType::BigInt), ("published", ScalarType::Timestamp)];

const ROWS: &[(&str, ScalarType)] =
    &[("change", ScalarType::Varchar), ("key", ScalarType::Varchar), ("before", ScalarType::Varchar), ("after", ScalarType::Varchar)];

/// Asks for the rows instead of counts.
const WITH_ROWS: ParameterDef = ParameterDef { name: "rows", parameter_type: ParameterType::Boolean };

/// `unify_changes('conn.table')`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_changes",
    description: "Says how many rows the last load or refresh of a table added, changed and removed, or which (rows := true), where \
                  unify_keep_changes was set; sends nothing",
    example: "FROM unify_changes('shop.orders')",
    positional: &[TABLE],
    has_optional: false,
    named: &[WITH_ROWS],
    hides_its_text: false,
    bind,
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let relation = Relation::find(&grammar::table_argument(arguments.text(0, TABLE.name)?)?, ctx)?;
    let target = relation.one_table("is a view; ask for the changes of a table it reads")?;
    if arguments.named_flag(WITH_ROWS.name)? {
        return Ok(bound_rows(ROWS, move |ctx| {
            let rows = ctx.instance.loader.reader().changed_rows(&target).map_err(|err| err.at(target.place()))?;
            Ok(rows.iter().map(row_of).collect())
        }));
    }
    Ok(bound_rows(COUNTS, move |ctx| {
        let stored = ctx.instance.loader.reader().changes(&target).map_err(|err| err.at(target.place()))?;
        Ok(counts_of(&stored))
    }))
}

fn counts_of(stored: &StoredChanges) -> Vec<Vec<Value>> {
    let changes = stored.changes;
    let row = |(change, n_rows): (&str, u64)| {
        vec![text(Some(change)), integer(n_rows as i64), integer(stored.job_id), Value::Timestamp(stored.published)]
    };
    [("added", changes.added), ("changed", changes.changed), ("removed", changes.removed)].map(row).into()
}

fn row_of(row: &ChangedRow) -> Vec<Value> {
    vec![text(Some(&row.change)), text(row.key.as_deref()), text(row.before.as_deref()), text(row.after.as_deref())]
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::check_error;
    use expect_test::expect;

    #[test]
    fn what_has_no_changes_is_an_error() {
        check_error("unify_changes", &["shop.order"], expect!["connection 'shop' has no table 'order'; did you mean 'orders'?"]);
        check_error(
            "unify_changes",
            &["shop.big_orders"],
            expect!["'big_orders' is a view; ask for the changes of a table it reads: orders, customers"],
        );
    }
}
