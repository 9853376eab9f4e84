//! The SQL of merges.

use super::*;
use crate::columns::ColumnSource;
use expect_test::{expect, Expect};

fn table(name: &str) -> TableName {
    TableName { catalog: None, schema: "s".into(), table: name.into() }
}

fn schema(names: &[&str]) -> TableSchema {
    let columns: Vec<_> = names.iter().map(|name| (name.to_string(), ColumnType::Scalar(ScalarType::BigInt))).collect();
    TableSchema::of(&columns)
}

fn check(keys: &[&str], cursor: Option<&str>, repeats: Repeats, expected: Expect) {
    let (target, staging, schema) = (table("t"), table("t__loading"), schema(&["id", "Kind", "at"]));
    let keys: Vec<String> = keys.iter().map(|key| key.to_string()).collect();
    expected.assert_eq(&Merge::new(&target, &staging, &schema, &keys, cursor).unwrap().sql(repeats));
}

#[test]
fn rows_replace_those_with_their_key() {
    check(
        &["id"],
        None,
        Repeats::None,
        expect![[r#"
            DELETE FROM "s"."t" AS t WHERE (t."id") IN (SELECT d."id" FROM "s"."t__loading" AS d);
            INSERT INTO "s"."t" ("id", "Kind", "at") SELECT "id", "Kind", "at" FROM "s"."t__loading" WHERE NOT ("id" IS NULL);
            INSERT INTO "s"."t" ("id", "Kind", "at") SELECT "id", "Kind", "at" FROM "s"."t__loading" WHERE ("id" IS NULL) EXCEPT ALL SELECT "id", "Kind", "at" FROM "s"."t" AS t WHERE ("id" IS NULL);"#]],
    );
}

#[test]
fn where_all_rows_have_keys_the_table_is_not_searched_for_others() {
    let (target, staging, schema) = (table("t"), table("t__loading"), schema(&["id", "at"]));
    let mut merge = Merge::new(&target, &staging, &schema, &["id".to_string()], None).unwrap();
    merge.may_lack_keys = false;
    assert_eq!(merge.sql(Repeats::None).matches("INSERT INTO").count(), 1);
    assert!(merge.added_rows_sql().is_none() && Merge::new(&target, &staging, &schema, &[], None).unwrap().added_rows_sql().is_some());
}

#[test]
fn of_rows_with_one_key_the_newest_stays() {
    check(
        &["ID", "kind"],
        Some("AT"),
        Repeats::ByRowId,
        expect![[r#"
            DELETE FROM "s"."t" AS t WHERE (t."id", t."Kind") IN (SELECT d."id", d."Kind" FROM "s"."t__loading" AS d);
            INSERT INTO "s"."t" ("id", "Kind", "at") SELECT "id", "Kind", "at" FROM (SELECT *, row_number() OVER (PARTITION BY "id", "Kind" ORDER BY "at" DESC NULLS LAST, "unify_place" DESC) AS "unify_rank" FROM (SELECT *, rowid AS "unify_place" FROM "s"."t__loading") WHERE NOT ("id" IS NULL OR "Kind" IS NULL)) WHERE "unify_rank" = 1;
            INSERT INTO "s"."t" ("id", "Kind", "at") SELECT "id", "Kind", "at" FROM "s"."t__loading" WHERE ("id" IS NULL OR "Kind" IS NULL) EXCEPT ALL SELECT "id", "Kind", "at" FROM "s"."t" AS t WHERE ("id" IS NULL OR "Kind" IS NULL) AND ("at" IS NULL OR "at" >= (SELECT min("at") FROM "s"."t__loading"));"#]],
    );
}

#[test]
fn texts_are_compared_by_their_bytes() {
    let (target, staging) = (table("t"), table("t__loading"));
    let types = [("id", ColumnType::Scalar(ScalarType::Varchar)), ("raw", ColumnType::Json), ("n", ColumnType::Scalar(ScalarType::Double))];
    let schema = TableSchema::of(&types.map(|(name, column_type)| (name.to_string(), column_type)));
    let merge = Merge::new(&target, &staging, &schema, &["id".to_string()], None).unwrap();
    let distinct = "\"id\" COLLATE \"binary\" AS \"id\", CAST(\"raw\" AS VARCHAR) COLLATE \"binary\" AS \"raw\", \"n\"";
    for (sql, part) in [
        (merge.sql(Repeats::ByRowId), "WHERE (t.\"id\" COLLATE \"binary\") IN (SELECT d.\"id\" COLLATE \"binary\" FROM"),
        (merge.sql(Repeats::ByRowId), "PARTITION BY \"id\" COLLATE \"binary\" ORDER BY"),
        (merge.sql(Repeats::None), &format!("EXCEPT ALL SELECT {distinct} FROM")),
        (merge.repeats_sql().unwrap(), "GROUP BY \"id\" COLLATE \"binary\" HAVING"),
        (merge.distinct_sql(), &format!("SELECT DISTINCT {distinct} FROM")),
    ] {
        assert!(sql.contains(part), "{sql}");
    }
}

#[test]
fn without_a_key_rows_are_added() {
    check(
        &[],
        Some("at"),
        Repeats::None,
        expect![[
            r#"INSERT INTO "s"."t" ("id", "Kind", "at") SELECT "id", "Kind", "at" FROM "s"."t__loading" WHERE (true) EXCEPT ALL SELECT "id", "Kind", "at" FROM "s"."t" AS t WHERE (true) AND ("at" IS NULL OR "at" >= (SELECT min("at") FROM "s"."t__loading"));"#
        ]],
    );
}

#[test]
fn of_equal_rows_one_stays() {
    let (target, staging, schema) = (table("t"), table("t__loading"), schema(&["id", "at"]));
    let merge = Merge::new(&target, &staging, &schema, &["id".to_string()], None).unwrap();
    expect![[r#"
        CREATE TEMP TABLE unify_repeated AS SELECT DISTINCT "id", "at" FROM "s"."t__loading" AS t WHERE (t."id") IN (SELECT d."id" FROM (SELECT "id" FROM "s"."t__loading" GROUP BY "id" HAVING count(*) > 1) AS d);
        DELETE FROM "s"."t__loading" AS t WHERE (t."id") IN (SELECT d."id" FROM temp.main.unify_repeated AS d);
        INSERT INTO "s"."t__loading" ("id", "at") SELECT "id", "at" FROM temp.main.unify_repeated;
        DROP TABLE temp.main.unify_repeated;"#]]
    .assert_eq(&merge.distinct_sql());
}

#[test]
fn of_staged_rows_with_one_key_the_newest_stays() {
    let (target, staging, schema) = (table("t"), table("t__loading"), schema(&["id", "at"]));
    let merge = Merge::new(&target, &staging, &schema, &["id".to_string()], Some("at")).unwrap();
    expect![[r#"
        CREATE TEMP TABLE unify_repeated AS SELECT "id", "at" FROM (SELECT *, row_number() OVER (PARTITION BY "id" ORDER BY "at" DESC NULLS LAST, "unify_place" DESC) AS "unify_rank" FROM (SELECT *, rowid AS "unify_place" FROM "s"."t__loading" AS t WHERE (t."id") IN (SELECT d."id" FROM (SELECT "id" FROM "s"."t__loading" GROUP BY "id" HAVING count(*) > 1) AS d)) WHERE NOT ("id" IS NULL)) WHERE "unify_rank" = 1;
        DELETE FROM "s"."t__loading" AS t WHERE (t."id") IN (SELECT d."id" FROM temp.main.unify_repeated AS d);
        INSERT INTO "s"."t__loading" ("id", "at") SELECT "id", "at" FROM temp.main.unify_repeated;
        DROP TABLE temp.main.unify_repeated;"#]].assert_eq(&merge.newest_sql(Repeats::ByRowId));
}

#[test]
fn a_key_that_is_no_column_is_an_error() {
    let (target, staging, schema) = (table("t"), table("t__loading"), schema(&["id", "number"]));
    let err = Merge::new(&target, &staging, &schema, &["numbr".to_string()], None).unwrap_err();
    assert!(err.message().contains("'numbr' is not among the table's columns (did you mean 'number'?)"), "{err}");
}

#[test]
fn names_of_columns_are_never_in_the_way() {
    let (target, staging, schema) = (table("t"), table("t__loading"), schema(&["id", "ROWID", "unify_rank"]));
    let merge = Merge::new(&target, &staging, &schema, &["id".to_string()], None).unwrap();
    assert_eq!(merge.ranking(true), Repeats::ByScan);
    assert!(merge.sql(Repeats::ByScan).contains("AS \"unify_rank_\""));
}

#[test]
fn a_record_that_says_that_a_row_is_gone_needs_no_cursor() {
    let (target, staging, mut schema) = (table("t"), table("t__loading"), schema(&["id", "at", "unify_deleted"]));
    schema.columns[2].source = ColumnSource::Param(String::new());
    let merge = Merge::new(&target, &staging, &schema, &["id".to_string()], Some("at")).unwrap();
    expect![[r#"SELECT "id", "at" FROM (SELECT *, row_number() OVER (PARTITION BY "id" ORDER BY "unify_reached" DESC NULLS LAST, "unify_place" DESC) AS "unify_rank" FROM (SELECT *, CASE WHEN "at" IS NULL AND "unify_deleted" THEN max("at") OVER (PARTITION BY "id" ORDER BY "unify_place") ELSE "at" END AS "unify_reached" FROM (SELECT *, rowid AS "unify_place" FROM "s"."t__loading")) WHERE NOT ("id" IS NULL)) WHERE "unify_rank" = 1 AND "unify_deleted" IS NULL"#]]
    .assert_eq(&merge.live_rows_sql(Repeats::ByRowId));
}

#[test]
fn rows_in_a_span_are_replaced_whatever_their_key_is() {
    let (target, staging, schema) = (table("t"), table("t__loading"), schema(&["id", "at"]));
    let merge_of = |keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|key| key.to_string()).collect();
        Merge { span: Some("(t.\"at\" >= 5)".to_string()), ..Merge::new(&target, &staging, &schema, &keys, None).unwrap() }
    };
    expect![[r#"
        DELETE FROM "s"."t" AS t WHERE (t."at" >= 5);
        DELETE FROM "s"."t" AS t WHERE (t."id") IN (SELECT d."id" FROM "s"."t__loading" AS d);
        INSERT INTO "s"."t" ("id", "at") SELECT "id", "at" FROM "s"."t__loading" WHERE NOT ("id" IS NULL);
        INSERT INTO "s"."t" ("id", "at") SELECT "id", "at" FROM "s"."t__loading" WHERE ("id" IS NULL) EXCEPT ALL SELECT "id", "at" FROM "s"."t" AS t WHERE ("id" IS NULL) AND NOT coalesce((t."at" >= 5), false);"#]]
    .assert_eq(&merge_of(&["id"]).sql(Repeats::None));
    expect![[r#"
        DELETE FROM "s"."t" AS t WHERE (t."at" >= 5);
        INSERT INTO "s"."t" ("id", "at") SELECT "id", "at" FROM "s"."t__loading" WHERE (true) EXCEPT ALL SELECT "id", "at" FROM "s"."t" AS t WHERE (true) AND NOT coalesce((t."at" >= 5), false);"#]]
    .assert_eq(&merge_of(&[]).sql(Repeats::None));
    assert_eq!(merge_of(&[]).is_replaced(), "(t.\"at\" >= 5)");
}
