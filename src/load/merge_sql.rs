//! The SQL that merges new and changed rows from a staging table into the table they belong to.
//!
//! Only statements that attached catalogs know, too: DELETE, INSERT ... SELECT, EXCEPT ALL.

use crate::columns::{ColumnType, TableSchema};
use crate::session::{quote_ident, TableName};
use crate::spec::yaml::nearest;
use crate::{Error, Result};

/// A merge of one table: both tables have the same columns by name, with the same types.
#[derive(Debug, Clone)]
pub struct Merge<'a> {
    pub target: &'a TableName,
    pub staging: &'a TableName,
    /// The columns, as the tables have them.
    columns: Vec<&'a str>,
    /// Those that identify a row; empty: nothing does.
    keys: Vec<&'a str>,
    cursor: Option<&'a str>,
}

impl<'a> Merge<'a> {
    /// Prepares the merge. Fails when a key column is not among the columns.
    pub fn new(
        (target, staging): (&'a TableName, &'a TableName),
        schema: &'a TableSchema,
        key_columns: &[String],
        cursor: Option<&str>,
    ) -> Result<Merge<'a>> {
        let mut keys = Vec::new();
        for key in key_columns {
            let Some(name) = column_named(schema, key) else {
                let names = schema.columns.iter().map(|column| column.name.as_str());
                let hint = nearest(key, names).map_or(String::new(), |name| format!(" (did you mean '{name}'?)"));
                return Err(Error::config(format!(
                    "the key column '{key}' is not among the table's columns{hint}; correct the key in the spec, or DROP the table to load it anew"
                )));
            };
            keys.push(name);
        }
        let columns = schema.columns.iter().map(|column| column.name.as_str()).collect();
        Ok(Merge { target, staging, columns, keys, cursor: cursor.and_then(|cursor| column_named(schema, cursor)) })
    }

    /// Returns whether rows replace others: without a key they are only added.
    pub fn has_key(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Returns the query for the number of new rows whose key is null in part; `None` without a key.
    pub fn null_keys_sql(&self) -> Option<String> {
        self.has_key().then(|| format!("SELECT count(*) FROM {} WHERE {}", self.staging, self.key_is_null()))
    }

    /// Returns the query for the number of new rows that other new rows with the same key replace; `None` without a key.
    pub fn repeats_sql(&self) -> Option<String> {
        let keys = list_of(&self.keys);
        self.has_key().then(|| {
            format!(
                "SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM {} WHERE NOT ({}) GROUP BY {keys} HAVING count(*) > 1)",
                self.staging,
                self.key_is_null()
            )
        })
    }

    /// Returns the statements that leave one of the staging table's rows that are equal in all columns, where other rows have their key.
    pub fn distinct_sql(&self) -> String {
        let (columns, keys, staging) = (list_of(&self.columns), list_of(&self.keys), self.staging);
        let same_key: Vec<String> = self.keys.iter().map(|key| format!("d.{0} = t.{0}", quote_ident(key))).collect();
        let same_key = same_key.join(" AND ");
        format!(
            "CREATE TEMP TABLE unify_repeated AS SELECT DISTINCT {columns} FROM {staging} AS t WHERE EXISTS \
             (SELECT 1 FROM (SELECT {keys} FROM {staging} GROUP BY {keys} HAVING count(*) > 1) AS d WHERE {same_key});\n\
             DELETE FROM {staging} AS t WHERE EXISTS (SELECT 1 FROM temp.main.unify_repeated AS d WHERE {same_key});\n\
             INSERT INTO {staging} ({columns}) SELECT {columns} FROM temp.main.unify_repeated;\n\
             DROP TABLE temp.main.unify_repeated;"
        )
    }

    /// Returns the statements that merge, for the caller's transaction. `repeats` says what to do about new rows with one key.
    pub fn sql(&self, repeats: Repeats) -> String {
        let columns = list_of(&self.columns);
        let (target, staging) = (self.target, self.staging);
        if !self.has_key() {
            return format!("INSERT INTO {target} ({columns}) {};", self.unknown_rows_sql("true"));
        }
        let is_null = self.key_is_null();
        let same_key: Vec<String> = self.keys.iter().map(|key| format!("d.{0} = t.{0}", quote_ident(key))).collect();
        let rows = match repeats {
            Repeats::None => format!("SELECT {columns} FROM {staging} WHERE NOT ({is_null})"),
            _ => self.last_rows_sql(repeats),
        };
        format!(
            "DELETE FROM {target} AS t WHERE EXISTS (SELECT 1 FROM {staging} AS d WHERE {});\n\
             INSERT INTO {target} ({columns}) {rows};\n\
             INSERT INTO {target} ({columns}) {};",
            same_key.join(" AND "),
            self.unknown_rows_sql(&is_null),
        )
    }

    /// Rows that `condition` picks, but for those the target has already: as many of each as there are more.
    fn unknown_rows_sql(&self, condition: &str) -> String {
        let columns = list_of(&self.columns);
        let (target, staging) = (self.target, self.staging);
        // Equal rows have equal cursors: what lies before all new ones need not be looked at.
        let is_near = self.cursor.map_or(String::new(), |cursor| {
            let cursor = quote_ident(cursor);
            format!(" AND ({cursor} IS NULL OR {cursor} >= (SELECT min({cursor}) FROM {staging}))")
        });
        format!(
            "SELECT {columns} FROM {staging} WHERE ({condition}) EXCEPT ALL SELECT {columns} FROM {target} WHERE ({condition}){is_near}"
        )
    }

    /// Of the rows with one key: the one with the greatest cursor, of those the one that came last.
    fn last_rows_sql(&self, repeats: Repeats) -> String {
        let columns = list_of(&self.columns);
        let (rank, place) = (quote_ident(&self.unused("rank")), quote_ident(&self.unused("place")));
        let order = match repeats {
            Repeats::ByRowId => "rowid".to_string(),
            // In the order of the scan, which is that of writing.
            _ => "row_number() OVER ()".to_string(),
        };
        let newest = self.cursor.map_or(String::new(), |cursor| format!("{} DESC NULLS LAST, ", quote_ident(cursor)));
        format!(
            "SELECT {columns} FROM (SELECT *, row_number() OVER (PARTITION BY {} ORDER BY {newest}{place} DESC) AS {rank} \
             FROM (SELECT *, {order} AS {place} FROM {}) WHERE NOT ({})) WHERE {rank} = 1",
            list_of(&self.keys),
            self.staging,
            self.key_is_null()
        )
    }

    fn key_is_null(&self) -> String {
        self.keys.iter().map(|key| format!("{} IS NULL", quote_ident(key))).collect::<Vec<_>>().join(" OR ")
    }

    /// Returns how to rank rows with one key: by row id, unless a column has that name or the catalog has no such thing.
    pub fn ranking(&self, has_row_ids: bool) -> Repeats {
        let is_taken = self.columns.iter().any(|column| column.eq_ignore_ascii_case("rowid"));
        if has_row_ids && !is_taken {
            Repeats::ByRowId
        } else {
            Repeats::ByScan
        }
    }

    /// Returns a name that no column has.
    fn unused(&self, name: &str) -> String {
        let mut name = format!("unify_{name}");
        while self.columns.iter().any(|column| column.eq_ignore_ascii_case(&name)) {
            name.push('_');
        }
        name
    }
}

/// What new rows with one key are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// There are none.
    None,
    ByRowId,
    ByScan,
}

/// Returns the column of that name as the table has it; names compare without case.
pub fn column_named<'s>(schema: &'s TableSchema, name: &str) -> Option<&'s str> {
    schema.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).map(|column| column.name.as_str())
}

/// Returns the type of the column of that name.
pub fn type_named(schema: &TableSchema, name: &str) -> Option<ColumnType> {
    schema.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).map(|column| column.column_type)
}

fn list_of(names: &[&str]) -> String {
    names.iter().map(|name| quote_ident(name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ScalarType;
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
        expected.assert_eq(&Merge::new((&target, &staging), &schema, &keys, cursor).unwrap().sql(repeats));
    }

    #[test]
    fn rows_replace_those_with_their_key() {
        check(
            &["id"],
            None,
            Repeats::None,
            expect![[r#"
                DELETE FROM "s"."t" AS t WHERE EXISTS (SELECT 1 FROM "s"."t__loading" AS d WHERE d."id" = t."id");
                INSERT INTO "s"."t" ("id", "Kind", "at") SELECT "id", "Kind", "at" FROM "s"."t__loading" WHERE NOT ("id" IS NULL);
                INSERT INTO "s"."t" ("id", "Kind", "at") SELECT "id", "Kind", "at" FROM "s"."t__loading" WHERE ("id" IS NULL) EXCEPT ALL SELECT "id", "Kind", "at" FROM "s"."t" WHERE ("id" IS NULL);"#]],
        );
    }

    #[test]
    fn of_rows_with_one_key_the_newest_stays() {
        check(
            &["ID", "kind"],
            Some("AT"),
            Repeats::ByRowId,
            expect![[r#"
                DELETE FROM "s"."t" AS t WHERE EXISTS (SELECT 1 FROM "s"."t__loading" AS d WHERE d."id" = t."id" AND d."Kind" = t."Kind");
                INSERT INTO "s"."t" ("id", "Kind", "at") SELECT "id", "Kind", "at" FROM (SELECT *, row_number() OVER (PARTITION BY "id", "Kind" ORDER BY "at" DESC NULLS LAST, "unify_place" DESC) AS "unify_rank" FROM (SELECT *, rowid AS "unify_place" FROM "s"."t__loading") WHERE NOT ("id" IS NULL OR "Kind" IS NULL)) WHERE "unify_rank" = 1;
                INSERT INTO "s"."t" ("id", "Kind", "at") SELECT "id", "Kind", "at" FROM "s"."t__loading" WHERE ("id" IS NULL OR "Kind" IS NULL) EXCEPT ALL SELECT "id", "Kind", "at" FROM "s"."t" WHERE ("id" IS NULL OR "Kind" IS NULL) AND ("at" IS NULL OR "at" >= (SELECT min("at") FROM "s"."t__loading"));"#]],
        );
    }

    #[test]
    fn without_a_key_rows_are_added() {
        check(
            &[],
            Some("at"),
            Repeats::None,
            expect![[
                r#"INSERT INTO "s"."t" ("id", "Kind", "at") SELECT "id", "Kind", "at" FROM "s"."t__loading" WHERE (true) EXCEPT ALL SELECT "id", "Kind", "at" FROM "s"."t" WHERE (true) AND ("at" IS NULL OR "at" >= (SELECT min("at") FROM "s"."t__loading"));"#
            ]],
        );
    }

    #[test]
    fn of_equal_rows_one_stays() {
        let (target, staging, schema) = (table("t"), table("t__loading"), schema(&["id", "at"]));
        let merge = Merge::new((&target, &staging), &schema, &["id".to_string()], None).unwrap();
        expect![[r#"
            CREATE TEMP TABLE unify_repeated AS SELECT DISTINCT "id", "at" FROM "s"."t__loading" AS t WHERE EXISTS (SELECT 1 FROM (SELECT "id" FROM "s"."t__loading" GROUP BY "id" HAVING count(*) > 1) AS d WHERE d."id" = t."id");
            DELETE FROM "s"."t__loading" AS t WHERE EXISTS (SELECT 1 FROM temp.main.unify_repeated AS d WHERE d."id" = t."id");
            INSERT INTO "s"."t__loading" ("id", "at") SELECT "id", "at" FROM temp.main.unify_repeated;
            DROP TABLE temp.main.unify_repeated;"#]]
        .assert_eq(&merge.distinct_sql());
    }

    #[test]
    fn a_key_that_is_no_column_is_an_error() {
        let (target, staging, schema) = (table("t"), table("t__loading"), schema(&["id", "number"]));
        let err = Merge::new((&target, &staging), &schema, &["numbr".to_string()], None).unwrap_err();
        assert!(err.message().contains("'numbr' is not among the table's columns (did you mean 'number'?)"), "{err}");
    }

    #[test]
    fn names_of_columns_are_never_in_the_way() {
        let (target, staging, schema) = (table("t"), table("t__loading"), schema(&["id", "ROWID", "unify_rank"]));
        let merge = Merge::new((&target, &staging), &schema, &["id".to_string()], None).unwrap();
        assert_eq!(merge.ranking(true), Repeats::ByScan);
        assert!(merge.sql(Repeats::ByScan).contains("AS \"unify_rank_\""));
    }
}
