//! The statements that give the staging table other columns, in the SQL of each kind of database.

use crate::columns::TableSchema;
use crate::load::records::store::Store;
use crate::load::staging::changes::{alter_sql, create_sql, is_alterable};
use crate::load::staging::converted_sql::converted;
use crate::session::{quote_ident, TableName};

/// Returns the statements that give the staging table the columns and types of `later`, and what the log says about each change.
pub fn change_sql(store: &Store, earlier: &TableSchema, later: &TableSchema) -> (String, Vec<String>) {
    let changes = earlier.changes_to(later);
    let (altered, messages): (Vec<String>, Vec<String>) =
        changes.iter().map(|change| alter_sql(store.kind, &store.staging, later, change)).unzip();
    if changes.iter().all(|change| is_alterable(store.kind, later, change)) {
        return (altered.concat(), messages);
    }
    (remake_sql(store, earlier, later), messages)
}

/// Returns the statements that make the staging table ready: it has the columns it was `made` with, gets those of `staged`, and is left those of
/// them that `later` has.
pub fn complete_sql(store: &Store, made: Option<&TableSchema>, staged: &TableSchema, later: &TableSchema) -> String {
    let Some(made) = made else { return create_sql(store.kind, &store.staging, later) };
    if store.kind.changes_types() {
        return change_sql(store, made, staged).0 + &drop_columns_sql(store, staged, later);
    }
    // A DuckLake whose table gets or loses a column, and is renamed, in one transaction has the table twice from then on, and nothing of it can be
    // read.
    let is_as_made = made.columns.len() == later.columns.len() && made.changes_to(later).is_empty();
    if is_as_made {
        String::new()
    } else {
        remake_sql(store, made, later)
    }
}

fn drop_columns_sql(store: &Store, earlier: &TableSchema, later: &TableSchema) -> String {
    let goes = |name: &str| later.columns.iter().all(|column| column.name != name);
    let dropped = earlier.columns.iter().filter(|column| goes(&column.name));
    dropped.map(|column| format!("ALTER TABLE {} DROP COLUMN {};", store.staging, quote_ident(&column.name))).collect()
}

/// Returns the statements that make the staging table anew and keep its rows.
fn remake_sql(store: &Store, earlier: &TableSchema, later: &TableSchema) -> String {
    let made = TableName { table: format!("{}__new", store.staging.table), ..store.staging.clone() };
    let values: Vec<String> = later.columns.iter().map(|column| converted(store.kind, earlier, column)).collect();
    format!(
        "{}; INSERT INTO {made} SELECT {} FROM {staging}; DROP TABLE {staging}; ALTER TABLE {made} RENAME TO {};",
        create_sql(store.kind, &made, later),
        values.join(", "),
        quote_ident(&store.staging.table),
        staging = store.staging,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::ColumnType;
    use crate::session::CatalogKind;
    use crate::spec::ScalarType;
    use expect_test::{expect, Expect};

    const BIGINT: ColumnType = ColumnType::Scalar(ScalarType::BigInt);
    const HUGEINT: ColumnType = ColumnType::Scalar(ScalarType::HugeInt);

    fn schema(columns: &[(&str, ColumnType)]) -> TableSchema {
        TableSchema::of(&columns.iter().map(|(name, column_type)| (name.to_string(), *column_type)).collect::<Vec<_>>())
    }

    fn check(kind: CatalogKind, earlier: &[(&str, ColumnType)], later: &[(&str, ColumnType)], expected: Expect) {
        let store = Store::new("lake", "shop", "t", kind);
        expected.assert_eq(&change_sql(&store, &schema(earlier), &schema(later)).0.replace(';', ";\n"));
    }

    #[test]
    fn where_types_cannot_be_changed_the_table_is_made_anew() {
        let (earlier, later) = ([("a", BIGINT), ("b", BIGINT)], [("a", HUGEINT), ("b", ColumnType::Json), ("c", BIGINT)]);
        check(
            CatalogKind::DuckDb,
            &earlier,
            &later,
            expect![[r#"
                CREATE TABLE "lake"."shop"."t__loading__new" ("a" HUGEINT, "b" JSON, "c" BIGINT);
                 INSERT INTO "lake"."shop"."t__loading__new" SELECT CAST("a" AS HUGEINT), CASE WHEN "b" IS NOT NULL THEN CAST(CAST("b" AS VARCHAR) AS JSON) END, NULL FROM "lake"."shop"."t__loading";
                 DROP TABLE "lake"."shop"."t__loading";
                 ALTER TABLE "lake"."shop"."t__loading__new" RENAME TO "t__loading";
            "#]],
        );
        check(
            CatalogKind::DuckLake,
            &earlier,
            &later,
            expect![[r#"
                CREATE TABLE "lake"."shop"."t__loading__new" ("a" DECIMAL(38,0), "b" JSON, "c" BIGINT);
                 INSERT INTO "lake"."shop"."t__loading__new" SELECT CAST("a" AS DECIMAL(38,0)), CASE WHEN "b" IS NOT NULL THEN CAST(CAST("b" AS VARCHAR) AS JSON) END, NULL FROM "lake"."shop"."t__loading";
                 DROP TABLE "lake"."shop"."t__loading";
                 ALTER TABLE "lake"."shop"."t__loading__new" RENAME TO "t__loading";
            "#]],
        );
    }

    #[test]
    fn a_new_column_is_added_everywhere() {
        check(
            CatalogKind::Postgres,
            &[("a", BIGINT)],
            &[("a", BIGINT), ("b", ColumnType::Json)],
            expect![[r#"
                ALTER TABLE "lake"."shop"."t__loading" ADD COLUMN "b" VARCHAR;
            "#]],
        );
    }

    #[test]
    fn a_column_that_holds_nothing_goes_and_one_that_is_missing_comes() {
        let made = schema(&[("a", BIGINT), ("b", ColumnType::Undecided)]);
        let staged = schema(&[("a", BIGINT), ("b", ColumnType::Undecided), ("c", BIGINT)]);
        let later = schema(&[("a", BIGINT), ("c", BIGINT)]);
        let sql = |kind, made: Option<&TableSchema>| complete_sql(&Store::new("lake", "shop", "t", kind), made, &staged, &later);
        let table = "\"lake\".\"shop\".\"t__loading\"";
        assert_eq!(
            sql(CatalogKind::DuckDb, Some(&made)),
            format!("ALTER TABLE {table} ADD COLUMN \"c\" BIGINT;ALTER TABLE {table} DROP COLUMN \"b\";")
        );
        let of_lake = sql(CatalogKind::DuckLake, Some(&made));
        assert!(of_lake.contains("SELECT \"a\", NULL FROM") && !of_lake.contains("COLUMN"), "{of_lake}");
        for kind in [CatalogKind::DuckDb, CatalogKind::DuckLake] {
            assert!(sql(kind, None).starts_with(&format!("CREATE TABLE {table} (\"a\" BIGINT, \"c\" BIGINT)")), "{}", sql(kind, None));
        }
        assert_eq!(sql(CatalogKind::DuckLake, Some(&later)), "");
    }
}
