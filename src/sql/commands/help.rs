//! `HELP [topic]` and `unify_help`: what there is, from the definitions of statements, functions and settings, and from adapter specs.

use crate::session::{quote_literal, Value};
use crate::spec::ScalarType;
use crate::sql::grammar::{joined, Pair, Rule};
use crate::sql::help::{self, Entry};
use crate::sql::rows::{bound_rows_without, text, BRIEF};
use crate::sql::{Arguments, Bind, Bound, Definitions, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, Topic};
use crate::Result;

const COLUMNS: &[(&str, ScalarType)] = &[
    ("topic", ScalarType::Varchar),
    ("kind", ScalarType::Varchar),
    ("syntax", ScalarType::Varchar),
    ("description", ScalarType::Varchar),
    ("example", ScalarType::Varchar),
];

/// Those that the brief form leaves out, so that a terminal of 120 columns has room for the descriptions.
const DETAILS: &[&str] = &["syntax", "example"];

const TOPIC: ParameterDef = ParameterDef { name: "topic", parameter_type: ParameterType::Varchar };

/// Returns the statement, which calls `function`.
pub(super) const fn statement(function: &'static FunctionDef) -> StatementDef {
    StatementDef {
        rule: Rule::help,
        syntax: "HELP [topic]",
        description: "Says what there is, or what there is to say on a statement, function, setting, term, connection, table or adapter",
        example: "HELP REFRESH TABLE",
        function,
        topic: Topic::Help,
        arguments: |pair| Ok(vec![topic_of(pair).map_or_else(|| BRIEF.set(), |topic| quote_literal(&topic))]),
    }
}

/// Returns the topic as it is written, comments left out.
fn topic_of(pair: Pair<'_>) -> Option<String> {
    let topic = pair.into_inner().find(|part| part.as_rule() == Rule::topic)?;
    Some(joined(&topic.into_inner().map(|part| part.as_str()).collect::<Vec<_>>()))
}

/// Returns `unify_help([topic])`, which lists what `bind` gives to [`bind_all`].
pub(super) const fn function(bind: Bind) -> FunctionDef {
    FunctionDef {
        name: "unify_help",
        description:
            "Lists statements, functions, settings, terms, connections and adapters with a description each; or what there is to say on one",
        example: "FROM unify_help('unify_load')",
        positional: &[TOPIC],
        has_optional: true,
        named: &[BRIEF],
        hides_its_text: false,
        bind,
    }
}

/// Binds a call that lists all that is defined.
pub(super) fn bind_all(all: Definitions, arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let topic = arguments.optional_text(0, TOPIC.name)?.filter(|topic| !topic.trim().is_empty()).map(str::to_string);
    rows(topic.as_deref(), all, ctx)?;
    let is_brief = arguments.named_flag(BRIEF.name)?;
    let is_left_out = |name: &str| is_brief && DETAILS.contains(&name);
    Ok(bound_rows_without(COLUMNS, is_left_out, move |ctx| rows(topic.as_deref(), all, ctx)))
}

fn rows(topic: Option<&str>, all: Definitions, ctx: &StatementContext<'_>) -> Result<Vec<Vec<Value>>> {
    let snapshot = ctx.instance.catalog.snapshot(&ctx.settings);
    let entries = match topic {
        None => help::index(&snapshot, all),
        Some(topic) => help::on(topic, &snapshot, all)?,
    };
    Ok(entries.iter().map(row).collect())
}

fn row(entry: &Entry) -> Vec<Value> {
    vec![
        text(Some(&entry.topic)),
        text(Some(entry.kind)),
        text(entry.syntax.as_deref()),
        text(entry.description.as_deref()),
        text(entry.example.as_deref()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SETTINGS;
    use crate::sql::commands::tests::{check_error, check_rows, check_statement, TestInstance};
    use crate::sql::terms::TERMS;
    use crate::sql::{parse_statement, ParsedStatement, DEFINITIONS};
    use expect_test::{expect, Expect};

    fn check(topic: &str, expected: Expect) {
        check_rows("unify_help", &[topic], expected);
    }

    #[test]
    fn the_statement_is_a_call() {
        check_statement("HELP", expect!["SELECT * FROM unify_help(brief := true)"]);
        check_statement("help;", expect!["SELECT * FROM unify_help(brief := true)"]);
        check_statement("HELP load -- it\n table;", expect!["SELECT * FROM unify_help('load table')"]);
        check_statement("HELP \"my shop\". \"it's\"", expect![[r#"SELECT * FROM unify_help('"my shop"."it''s"')"#]]);
    }

    #[test]
    fn a_topic_is_what_statements_begin_with_or_are_about() {
        check(
            "refresh",
            expect![[r#"
                topic | kind | syntax | description | example
                REFRESH TABLE | statement | REFRESH TABLE conn.table [IN BACKGROUND] | Brings a table up to date by its refresh strategy, loading it if need be | REFRESH TABLE shop.orders
                REFRESH SCHEMA | statement | REFRESH SCHEMA conn [IN BACKGROUND] | Brings all loaded tables of a connection up to date, side by side | REFRESH SCHEMA shop
                unify_refresh | function | unify_refresh(table [, background := BOOLEAN]) | Brings a table up to date by its refresh strategy, loading it if need be; given a connection, all its loaded tables | FROM unify_refresh('shop.orders')"#]],
        );
        check(
            "daemon",
            expect![[r#"
                topic | kind | syntax | description | example
                START DAEMON | statement | START DAEMON | Keeps loaded tables fresh in the background | START DAEMON
                STOP DAEMON | statement | STOP DAEMON | Stops the daemon; loads that run go on | STOP DAEMON
                SYSTEM STATUS | statement | SYSTEM STATUS | Shows the daemon, the machine's load, the loads that run and the next refreshes | SYSTEM STATUS
                unify_start_daemon | function | unify_start_daemon() | Keeps loaded tables fresh in the background, until it is stopped or the database closed | FROM unify_start_daemon()
                unify_stop_daemon | function | unify_stop_daemon() | Stops the daemon; loads that run go on | FROM unify_stop_daemon()
                unify_daemon | function | unify_daemon() | Keeps loaded tables fresh in the foreground and says on stderr what it does, until it is interrupted or stopped by another session | CALL unify_daemon()
                unify_status | function | unify_status() | Says whether the daemon runs, how busy the machine is, which loads run, and when each table is refreshed next and why | FROM unify_status()"#]],
        );
        check(
            "UNIFY_LOAD",
            expect![[r#"
            topic | kind | syntax | description | example
            LOAD TABLE | statement | LOAD TABLE conn.table [IN BACKGROUND] | Loads a table, or the tables of a view, unless it is loaded; in the background it only starts the load | LOAD TABLE shop.orders
            unify_load | function | unify_load(table [, background := BOOLEAN]) | Loads a table, or the tables of a view, and waits unless it is done in the background; a loaded table is left alone | FROM unify_load('shop.orders')"#]],
        );
        check(
            "unify_target",
            expect![[r#"
            topic | kind | syntax | description | example
            unify_target | setting | SET unify_target = VARCHAR | Attached database that tables, views and the state of loads go to; empty: the session's current one | SET unify_target = ''"#]],
        );
    }

    #[test]
    fn a_word_of_the_field_leads_to_what_it_is_about() {
        check(
            "Incremental",
            expect![[r#"
            topic | kind | syntax | description | example
            incremental | term | NULL | Loading only what is new or changed. The adapter spec says so with refresh: {strategy: updates}. REFRESH TABLE then asks the API for the changes and merges them by key. RELOAD TABLE loads everything. | HELP incremental
            REFRESH TABLE | statement | REFRESH TABLE conn.table [IN BACKGROUND] | Brings a table up to date by its refresh strategy, loading it if need be | REFRESH TABLE shop.orders
            RELOAD TABLE | statement | RELOAD TABLE conn.table [IN BACKGROUND] | Loads a table anew and swaps it in when it is complete | RELOAD TABLE shop.orders
            EXPLAIN REFRESH TABLE | statement | EXPLAIN REFRESH TABLE conn.table | Says what a refresh would do: parents, requests, an estimate and the budget; sends nothing | EXPLAIN REFRESH TABLE shop.orders"#]],
        );
        check(
            "cron",
            expect![[r#"
            topic | kind | syntax | description | example
            schedule | term | NULL | Loads at fixed times. The daemon refreshes each loaded table when it is older than its max_staleness. cron and systemd can run REFRESH SCHEMA or CALL unify_daemon(). | HELP schedule
            START DAEMON | statement | START DAEMON | Keeps loaded tables fresh in the background | START DAEMON
            STOP DAEMON | statement | STOP DAEMON | Stops the daemon; loads that run go on | STOP DAEMON
            SYSTEM STATUS | statement | SYSTEM STATUS | Shows the daemon, the machine's load, the loads that run and the next refreshes | SYSTEM STATUS
            REFRESH SCHEMA | statement | REFRESH SCHEMA conn [IN BACKGROUND] | Brings all loaded tables of a connection up to date, side by side | REFRESH SCHEMA shop
            unify_max_staleness | setting | SET unify_max_staleness = VARCHAR | How old the daemon lets a table become whose adapter spec has no max_staleness: seconds, or such as 90s, 30m, 4h, 1d, 2w, 1h 30m | SET unify_max_staleness = '4h'
            unify_daemon_max_load | setting | SET unify_daemon_max_load = DOUBLE | The daemon refreshes only while the machine's load average of the last minute, per core, is below this; 0: never | SET unify_daemon_max_load = 4"#]],
        );
    }

    #[test]
    fn every_word_of_the_field_leads_to_a_topic() {
        let instance = TestInstance::new();
        for term in TERMS {
            for name in term.names() {
                let found = rows(Some(name), DEFINITIONS, &instance.context()).unwrap();
                assert!(found[0][0] == text(Some(term.name)) && found[0][1] == text(Some("term")), "{name}: {found:?}");
                assert!(matches!(parse_statement(&format!("HELP {name}")), ParsedStatement::Call(_)), "HELP {name}");
            }
            for related in term.related {
                let found = rows(Some(related), DEFINITIONS, &instance.context()).unwrap();
                assert!(found.iter().any(|row| row[0] == text(Some(related))), "{}: no topic '{related}'", term.name);
            }
        }
    }

    #[test]
    fn a_word_in_a_text_is_found() {
        check(
            "terminal notebook",
            expect![[r#"
            topic | kind | syntax | description | example
            unify_progress | setting | SET unify_progress = VARCHAR | Progress line on stderr while a statement waits for a load: auto (when it is a terminal or a notebook, unless DuckDB shows a bar of its own), on, off | SET unify_progress = 'auto'"#]],
        );
    }

    #[test]
    fn a_statement_of_duckdb_that_writes_back_has_help() {
        check(
            "copy",
            expect![[r#"
            topic | kind | syntax | description | example
            COPY | statement | COPY source TO 'conn.table' (FORMAT unify [, action name] [, dry_run true]) | Writes the rows of a table or query to a table's API; a dry run sends nothing, FROM unify_dry_run() shows its requests | COPY (SELECT 'acme' AS owner, 'repo0' AS repo, 'Broken link' AS title) TO 'github.issues' (FORMAT unify, dry_run true)"#]],
        );
    }

    #[test]
    fn a_connection_has_the_help_of_its_adapter() {
        check(
            "shop",
            expect![[r#"
            topic | kind | syntax | description | example
            shop | connection | NULL | A shop | NULL
            shop | option | username | Your name | NULL
            shop | option | password | Your password | NULL
            shop | option | region | Where the shop is; default: eu | NULL
            shop | table | shop.orders | What was ordered | FROM shop.orders
            shop | table | shop.customers | NULL | FROM shop.customers
            shop | view | shop.big_orders | Orders of more than 100 | FROM shop.big_orders"#]],
        );
        check(
            "shop . orders",
            expect![[r#"
            topic | kind | syntax | description | example
            shop.orders | table | shop.orders | What was ordered | FROM shop.orders
            shop.orders | column | id BIGINT | The order's number | NULL
            shop.orders | column | placed_on DATE | NULL | NULL"#]],
        );
        check(
            "Shop.big_orders",
            expect![[r#"
            topic | kind | syntax | description | example
            shop | view | shop.big_orders | Orders of more than 100 | FROM shop.big_orders"#]],
        );
        check(
            "broken",
            expect![[r#"
            topic | kind | syntax | description | example
            broken | connection | NULL | there is no adapter 'shp' | HELP broken"#]],
        );
        check(
            "torn",
            expect![[r#"
            topic | kind | syntax | description | example
            torn | adapter | NULL | ~/rest_specs/torn.yaml:2:1: invalid YAML: while parsing a node, did not find expected node content | HELP torn"#]],
        );
    }

    #[test]
    fn without_a_topic_everything_is_listed() {
        let instance = TestInstance::new();
        let all = rows(None, DEFINITIONS, &instance.context()).unwrap();
        let count = |kind: &str| all.iter().filter(|row| row[1] == text(Some(kind))).count();
        // COPY is one of DuckDB's.
        assert_eq!(count("statement"), DEFINITIONS.statements.len() + 1);
        assert_eq!(count("function"), DEFINITIONS.functions.len());
        assert_eq!(count("setting"), SETTINGS.len());
        assert_eq!(count("term"), TERMS.len());
        assert_eq!(count("connection"), 3);
        for row in &all {
            let Value::Text(topic) = &row[0] else { panic!("{row:?}") };
            // A connection stands before the adapter of its name.
            let kinds = [row[1].clone(), if row[1] == text(Some("adapter")) { text(Some("connection")) } else { Value::Null }];
            assert!(rows(Some(topic), DEFINITIONS, &instance.context()).unwrap().iter().any(|found| kinds.contains(&found[1])), "{row:?}");
        }
        for kind in ["statements", "functions", "settings", "terms", "connections", "adapters"] {
            assert!(!rows(Some(kind), DEFINITIONS, &instance.context()).unwrap().is_empty(), "{kind}");
        }
    }

    #[test]
    fn an_unknown_topic_is_an_error() {
        check_error("unify_help", &["refesh table"], expect!["there is no help on 'refesh table'; did you mean 'REFRESH TABLE'?"]);
        check_error("unify_help", &["unify_lod"], expect!["there is no help on 'unify_lod'; did you mean 'unify_load'?"]);
        check_error("unify_help", &["shp"], expect!["there is no help on 'shp'; did you mean 'shop'?"]);
        check_error("unify_help", &["shop.ordrs"], expect!["connection 'shop' has no table 'ordrs'; did you mean 'orders'?"]);
        check_error("unify_help", &["zzzz"], expect!["there is no help on 'zzzz'; HELP without a topic lists all there are"]);
    }
}
