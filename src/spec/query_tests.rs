use super::*;
use expect_test::{expect, Expect};
use proptest::prelude::*;

fn check_tables(sql: &str, expected: &[&str]) {
    assert_eq!(ParentQuery::parse(sql).unwrap().tables, expected, "{sql}");
}

fn check_qualified(sql: &str, expected: Expect) {
    expected.assert_eq(&ParentQuery::parse(sql).unwrap().qualified(Some("my db"), "git\"hub", &OptionValues::new()).unwrap());
}

fn check_refused(sql: &str, expected: &str) {
    let err = ParentQuery::parse(sql).unwrap_err().to_string();
    assert!(err.contains(expected), "{sql}: {err}");
}

#[test]
fn tables_are_found_wherever_they_stand() {
    check_tables("SELECT login FROM orgs", &["orgs"]);
    check_tables("select o.login, repos.name from orgs o join repos on repos.owner_login = o.login", &["orgs", "repos"]);
    check_tables("SELECT a FROM t WHERE a IN (SELECT b FROM u) UNION SELECT c FROM (SELECT c FROM v), T", &["t", "u", "v"]);
    check_tables("SELECT (SELECT max(x) FROM m) FROM generate_series(1, 3) g(i)", &["m"]);
    check_tables("FROM repos", &["repos"]);
    check_tables("SELECT DISTINCT ON (a) a FROM \"my repos\" GROUP BY ALL ORDER BY ALL LIMIT 3", &["my repos"]);
    check_tables("SELECT unnest(range(1, 10))", &[]);
    check_tables("SELECT strftime(current_date - INTERVAL 1 DAY, '%Y-%m-%d')", &[]);
}

#[test]
fn common_table_expressions_are_no_tables_where_they_are_seen() {
    check_tables("WITH a AS (SELECT * FROM repos), b AS (SELECT * FROM a) SELECT * FROM a, b", &["repos"]);
    check_tables("WITH repos AS (SELECT * FROM repos) SELECT * FROM repos", &["repos"]);
    check_tables("WITH b AS (SELECT * FROM a), a AS (SELECT 1) SELECT * FROM b", &["a"]);
    check_tables("WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n) SELECT * FROM n", &[]);
    check_tables("SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) t, x", &["x"]);
    check_tables("WITH x AS (SELECT 1) SELECT * FROM (SELECT * FROM X) t", &[]);
    check_tables("WITH a AS (WITH b AS (SELECT 1) SELECT * FROM b), c AS (SELECT * FROM b) SELECT * FROM c", &["b"]);
}

#[test]
fn a_common_table_expression_never_makes_room_for_a_table_of_its_name() {
    let check = |sql: &str| {
        let qualified = ParentQuery::parse(sql).unwrap().qualified(Some("db"), "s", &OptionValues::new()).unwrap();
        for name in ["secret", "'a.csv'", "\"a.csv\""] {
            assert!(!qualified.replace("AS \"a.csv\"", "").contains(&format!("FROM {name}")), "{qualified}");
        }
    };
    check("WITH RECURSIVE secret AS (SELECT * FROM secret) SELECT * FROM secret");
    check("WITH RECURSIVE secret AS (SELECT x FROM secret UNION ALL SELECT y FROM repos) SELECT * FROM secret");
    check("WITH RECURSIVE \"a.csv\" AS (SELECT * FROM \"a.csv\") SELECT * FROM \"a.csv\"");
    check("WITH secret AS (SELECT 1 x), b AS (SELECT * FROM secret) SELECT * FROM b, (WITH secret AS (SELECT 2) SELECT * FROM secret)");
    check("SELECT (WITH RECURSIVE secret AS (SELECT * FROM secret) SELECT max(x) FROM secret) FROM repos");
}

#[test]
fn anything_but_the_connections_tables_is_refused() {
    check_refused("SELECT * FROM github.repos", "without schema");
    check_refused("SELECT * FROM read_csv('/etc/passwd')", "read_csv");
    check_refused("SELECT * FROM '/etc/passwd'", "not a file");
    check_refused("SELECT * FROM 'a.csv' t", "not a file");
    check_refused("SELECT read_text('/etc/passwd')", "read_text");
    check_refused("SELECT GETENV('HOME')", "getenv");
    check_refused("SELECT main.getenv('HOME') FROM repos", "getenv");
    check_refused("SELECT main.lower(a) FROM repos", "the query calls 'main.lower'; write lower(main, ...)");
    check_refused("SELECT memory.main.lower(a) FROM repos", "without a name and a dot");
    check_refused("SELECT enum_range(NULL::main.mood)", "the query names the type main.mood");
    check_refused("SELECT enum_range(CAST(NULL AS memory.main.mood[]))", "expected one of DuckDB's own");
    check_refused("SELECT CONVERT(a, main.mood) FROM repos", "");
    check_refused("SELECT 'HOME'.getenv()", "getenv");
    check_refused("SELECT * FROM repos WHERE x IN (SELECT content FROM read_text('a'))", "read_text");
    check_refused("SELECT * FROM query('SELECT 1')", "query");
    check_refused("SELECT * FROM duckdb_secrets()", "duckdb_secrets");
    check_refused("SELECT 1; SELECT 2", "several statements");
    check_refused("DROP TABLE repos", "not a SELECT");
    check_refused("WITH x AS (SELECT 1) INSERT INTO repos SELECT * FROM x", "");
    check_refused("TABLE repos", "");
    check_refused("", "empty");
    check_refused("SELECT FROM WHERE", "cannot be parsed");
    check_refused("SELECT * FROM (((", "cannot be parsed");
    check_refused("SELECT a FROM t WHERE a = :\nb", "Expected: placeholder, found: at Line: 1, Column: 28");
    check_refused(&format!("SELECT {}1{}", "(".repeat(3000), ")".repeat(3000)), "cannot be parsed");
}

#[test]
fn only_functions_that_are_known_to_be_harmless_are_called() {
    for name in
        ["some_new_function", "read_duckdb", "pg_sleep", "current_user", "setval", "json_execute_serialized_sql", "st_read_meta", "shellfs"]
    {
        check_refused(&format!("SELECT {name}(a) FROM t"), &format!("the query calls '{name}', which is not among the functions"));
        check_refused(&format!("SELECT a FROM t WHERE b = (SELECT max({name}(c)) FROM t)"), name);
    }
    check_tables(
        "SELECT lower(a), count(*), row_number() OVER (ORDER BY b), list_transform(l, x -> upper(x)), coalesce(c, now()), \
         strftime(current_date - to_months(3), '%Y'), date_trunc('day', d), json_extract_string(j, '$.a') FROM t",
        &["t"],
    );
    check_tables(
        "SELECT CURRENT_DATE, current_timestamp, EXTRACT(year FROM d), CAST(a AS DATE), TRIM(a), max(a) FILTER (WHERE b) FROM t",
        &["t"],
    );
}

#[test]
fn what_would_mean_something_else_when_written_again_is_refused() {
    check_refused("SELECT - -a FROM t", "cannot be written again");
    check_refused(r"SELECT E'a\nb' FROM t", "double quotes");
    check_refused("SELECT a 'b' FROM t", "double quotes");
    check_refused("SELECT a ISNULL FROM t", "IS NULL");
    check_refused("SELECT 0x1F FROM t", "hexadecimal");
}

#[test]
fn names_are_qualified_and_stay_aliases() {
    check_qualified("SELECT repos.name FROM repos", expect![[r#"SELECT repos.name FROM "my db"."git""hub"."repos" AS "repos""#]]);
    check_qualified("FROM repos", expect![[r#"FROM "my db"."git""hub"."repos" AS "repos""#]]);
    check_qualified(
        "SELECT r.name, o.login AS repos FROM repos r LEFT JOIN orgs AS o USING (id) WHERE r.id > 3",
        expect![[
            r#"SELECT r.name, o.login AS repos FROM "my db"."git""hub"."repos" r LEFT JOIN "my db"."git""hub"."orgs" AS o USING(id) WHERE r.id > 3"#
        ]],
    );
    check_qualified(
        "WITH repos AS (SELECT * FROM repos) SELECT repos.id FROM repos UNION ALL SELECT id FROM pulls",
        expect![[
            r#"WITH "unify_with_0_0" AS (SELECT * FROM "my db"."git""hub"."repos" AS "repos") SELECT repos.id FROM "unify_with_0_0" AS "repos" UNION ALL SELECT id FROM "my db"."git""hub"."pulls" AS "pulls""#
        ]],
    );
    check_qualified(
        "SELECT owner_login, name FROM repos WHERE EXISTS (SELECT 1 FROM pulls WHERE pulls.repo = repos.name)",
        expect![[
            r#"SELECT owner_login, name FROM "my db"."git""hub"."repos" AS "repos" WHERE EXISTS (SELECT 1 FROM "my db"."git""hub"."pulls" AS "pulls" WHERE pulls.repo = repos.name)"#
        ]],
    );
}

#[test]
fn duckdbs_own_syntax_survives() {
    for sql in [
        "SELECT * EXCLUDE (a) REPLACE (b + 1 AS b) FROM t QUALIFY row_number() OVER (PARTITION BY a ORDER BY b) = 1",
        "SELECT list_transform(l, x -> x + 1) FROM t",
        "SELECT a.b.c, d['k'], e[1], f::DATE, {'a': 1}, [1, 2] FROM t",
        "SELECT count(*) FILTER (WHERE a) FROM t GROUP BY ALL",
        "SELECT '$.a' || 'it''s', \"select\" FROM t WHERE a ILIKE '%x\\_%'",
        "SELECT date_trunc('day', ts) AS day, CAST(x AS DECIMAL(10,2)) FROM t ORDER BY day DESC NULLS LAST",
    ] {
        let qualified = ParentQuery::parse(sql).unwrap().qualified(None, "s", &OptionValues::new()).unwrap();
        let expected = sql.replace("FROM t", "FROM \"s\".\"t\" AS \"t\"");
        assert_eq!(qualified, expected);
    }
}

#[test]
fn a_backslash_escapes_nothing() {
    let query = ParentQuery::parse("SELECT x FROM t").unwrap();
    assert_eq!(query.qualified(None, "s\\\"", &OptionValues::new()).unwrap(), "SELECT x FROM \"s\\\"\"\".\"t\" AS \"t\"");
}

#[test]
fn columns_are_counted_when_they_can_be() {
    let check = |sql: &str, expected: Option<usize>| assert_eq!(ParentQuery::parse(sql).unwrap().n_columns(), expected, "{sql}");
    check("SELECT a, b AS c FROM t", Some(2));
    check("SELECT * FROM t", None);
    check("FROM t", None);
    check("SELECT unnest(s) FROM t", None);
    check("(SELECT a FROM t) UNION SELECT b FROM u", Some(1));
}

#[test]
fn no_query_takes_the_stack_or_the_evening() {
    let shapes: &[(&str, &str, &str)] = &[
        ("SELECT 1", "+1", ""),
        ("SELECT true", " AND true", ""),
        ("", "SELECT 1 UNION ALL ", "SELECT 1"),
        ("SELECT 1", "::INT", ""),
        ("SELECT 1", " IS NULL", ""),
        ("SELECT a", "[1]", " FROM t"),
        ("SELECT a", "->b", " FROM t"),
        ("SELECT a", " COLLATE b", " FROM t"),
        ("SELECT a", " IS DISTINCT FROM b", " FROM t"),
        ("SELECT a", " AT TIME ZONE 'UTC'", " FROM t"),
        ("SELECT 1 FROM t", " CROSS JOIN t", ""),
        ("SELECT a", ".lower()", " FROM t"),
        ("SELECT ", "NOT ", "true"),
        ("SELECT ", "- ", "1"),
        ("SELECT ", "CASE WHEN ", "1"),
        ("SELECT a", "!", " FROM t"),
        ("SELECT * FROM ", "(", "t"),
        ("SELECT ", "(", "1"),
        ("SELECT ", "lower(", "1"),
        ("SELECT ", "[", "1"),
        ("SELECT ", "CAST(", "1"),
        ("SELECT CAST(a AS ", "STRUCT(a ", "INT"),
        ("", "(SELECT * FROM ", "t"),
        ("SELECT ", "x -> ", "1"),
    ];
    for (start, link, end) in shapes {
        for n_links in [10, 12, 40, 300, 900, 1900, 100_000] {
            let closing = ")".repeat(if link.contains('(') { n_links } else { 0 });
            for closing in [String::new(), closing] {
                let began = std::time::Instant::now();
                let query = ParentQuery::parse(&format!("{start}{}{end}{closing}", link.repeat(n_links)));
                if let Ok(query) = &query {
                    let _ = (query.qualified(None, "s", &OptionValues::new()), query.n_columns());
                }
                assert!(n_links < 5000 || query.is_err(), "{start}{link}");
                assert!(began.elapsed().as_secs() < 5, "{start}{link}{end} of {n_links} took {:?}", began.elapsed());
            }
        }
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,120}") {
        let _ = ParentQuery::parse(&text);
    }

    #[test]
    fn what_is_qualified_reads_no_other_table(table in "[a-z]{1,8}", schema in "[^\0]{1,8}") {
        prop_assume!(sqlparser::keywords::ALL_KEYWORDS.binary_search(&table.to_uppercase().as_str()).is_err());
        let query = ParentQuery::parse(&format!("SELECT x FROM {table}")).unwrap();
        let quoted = format!("\"{}\".\"{table}\" AS \"{table}\"", schema.replace('"', "\"\""));
        prop_assert_eq!(query.qualified(None, &schema, &OptionValues::new()).unwrap(), format!("SELECT x FROM {quoted}"));
    }
}

#[test]
fn options_become_texts_that_no_sign_of_theirs_can_end() {
    let sql = with_placeholders("SELECT unnest(string_split(${ids}, ',')) FROM t WHERE ${since} IS NULL").unwrap();
    let query = ParentQuery::parse(&sql).unwrap();
    assert_eq!(query.options, ["ids", "since"]);
    for (value, literal) in [("a,b", "'a,b'"), ("it's", "'it''s'"), ("\\'; DROP", "'\\''; DROP'"), ("''", "''''''")] {
        let options = OptionValues::from([("ids".to_string(), value.to_string())]);
        let expected = format!("SELECT unnest(string_split({literal}, ',')) FROM \"s\".\"t\" AS \"t\" WHERE CAST(NULL AS VARCHAR) IS NULL");
        assert_eq!(query.qualified(None, "s", &options).unwrap(), expected);
    }
    for wrong in ["SELECT ${a | lower}", "SELECT ${}", "SELECT ${a", "SELECT ${today-1d}"] {
        assert!(with_placeholders(wrong).unwrap_err().to_string().contains("expected the name of an option"), "{wrong}");
    }
    assert!(ParentQuery::parse("SELECT ?").unwrap_err().to_string().contains("expected the name of an option"));
}
