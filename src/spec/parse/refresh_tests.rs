//! What `refresh` may say, and its mistakes.

use super::tests::{check_table_mistake, spec_of, table_spec};
use crate::spec::{Cursor, DateFormat, Lookback, ParamOrigin, RefreshStrategy, Updates};
use std::time::Duration;

fn updates_of(lines: &str) -> Updates {
    let spec = table_spec(lines).unwrap_or_else(|err| panic!("{err}")).unwrap();
    spec.table("u").unwrap().refresh.updates().unwrap().clone()
}

#[test]
fn updates_have_params_and_a_lookback() {
    let updates = updates_of("refresh: {strategy: updates, params: {since: '${timestamp}', day: '${timestamp_day}', now: '${today}'}}");
    assert_eq!((updates.params.len(), updates.lookback, &updates.cursor), (3, Duration::from_secs(86_400), &None));
    assert_eq!(updates.format, DateFormat::default());
    let updates = updates_of("refresh: {strategy: Updates, params: {since: '${timestamp}'}, lookback: 10m, format: epoch}");
    assert_eq!(updates.lookback, Duration::from_secs(600));
    assert_eq!(updates.format, DateFormat::parse("epoch").unwrap());
}

#[test]
fn a_sync_token_has_a_place_a_param_and_an_end() {
    let updates = updates_of("refresh: {strategy: updates, sync_token: {path: next.sync, param: token}, full_every: 7d}");
    let token = updates.sync_token.clone().unwrap();
    assert_eq!((token.path.as_text(), token.param.as_deref(), token.expired.statuses), ("next.sync", Some("token"), vec![410]));
    assert_eq!(updates.full_every, Some(Duration::from_secs(7 * 86_400)));
    assert!(updates.replaces("token") && !updates.replaces("next"));
    let updates = updates_of("refresh: {strategy: updates, sync_token: {path: a, param: b, expired: {status: 400, body: {code: OLD}}}}");
    assert_eq!(updates.sync_token.unwrap().expired.body, Some((vec!["code".to_string()], Some("OLD".to_string()))));
    let link = "paging: {strategy: nextLink, pager_link_path: n}\nrefresh: {strategy: updates, sync_token: {path: \"@odata.deltaLink\"}}";
    let token = updates_of(link).sync_token.unwrap();
    assert_eq!((token.path.as_text(), token.param), ("@odata.deltaLink", None));
    check_table_mistake(
        "refresh: {strategy: updates, sync_token: {path: a}}",
        "has no 'param', so that it is a link, which needs 'paging' with 'strategy: nextLink'; name the param that takes the token",
    );
    check_table_mistake("refresh: {strategy: updates, sync_token: {param: b}}", "'sync_token' in 'refresh' of table 'u' has no 'path'");
    check_table_mistake("refresh: {strategy: updates, full_every: 0}", "'full_every' of 'refresh' of table 'u' is 0; expected more");
    check_table_mistake("refresh: {full_every: 1d}", "its strategy is 'reload'; only 'updates' takes it");
    check_table_mistake(
        "refresh: {strategy: updates, sync_token: {path: a, param: b}, cursor: {column: x, param: c}}",
        "has both 'cursor' and 'sync_token'; keep one",
    );
}

#[test]
fn rows_that_are_gone_are_found_by_their_key() {
    check_table_mistake(
        "deleted_when: gone\nrefresh: {strategy: updates, params: {since: '${timestamp}'}}",
        "table 'u' has 'deleted_when', but no key to find the deleted rows by",
    );
    let spec = table_spec("deleted_when: {state: gone}").unwrap().unwrap();
    let condition = spec.table("u").unwrap().answer.deleted_when.clone().unwrap();
    assert_eq!((condition.path, condition.values), (vec!["state".to_string()], vec!["gone".to_string()]));
}

#[test]
fn a_cursor_has_a_column_and_somewhere_to_go() {
    let cursor = |lines: &str| updates_of(lines).cursor.unwrap();
    let plain = Cursor { column: "x".into(), param: Some("since".into()), lookback: None };
    assert_eq!(cursor("refresh: {strategy: updates, cursor: {column: x, param: since}}"), plain);
    let with = |lookback| Cursor { lookback: Some(lookback), ..plain.clone() };
    assert_eq!(cursor("refresh: {strategy: updates, cursor: {column: x, param: since, lookback: 5}}"), with(Lookback::Number(5)));
    let time = Lookback::Time(Duration::from_secs(3600));
    assert_eq!(cursor("refresh: {strategy: updates, cursor: {column: x, param: since, lookback: 1h}}"), with(time));
    let hole = cursor("refresh: {strategy: updates, cursor: {column: x}, params: {q: 'updated >= \"${cursor}\"'}}");
    assert_eq!(hole.param, None);
    // What no spec says may still come with the data.
    cursor("select: id, x\nrefresh: {strategy: updates, cursor: {column: x, param: since}}");
    cursor("select: id, a.*\nstrip_prefixes: a_\nrefresh: {strategy: updates, cursor: {column: x, param: since}}");
}

#[test]
fn a_table_may_become_stale_under_any_strategy() {
    let staleness = |lines: &str| table_spec(lines).unwrap().unwrap().table("u").unwrap().max_staleness;
    assert_eq!(staleness("refresh: {max_staleness: 4h}"), Some(Duration::from_secs(14_400)));
    assert_eq!(staleness("refresh: {strategy: reload, max_staleness: 90}"), Some(Duration::from_secs(90)));
    assert_eq!(staleness("refresh: {strategy: reload}"), None);
    assert_eq!(staleness("nested: json"), None);
}

#[test]
fn the_specs_date_format_is_the_tables() {
    let text = "name: a\nbase_url: https://a\nqueryDateFormat: '%Y-%m-%d %H:%M'\ntables:\n  - {name: t, refresh: {strategy: updates, params: {q: '${timestamp}'}}}\n  - {name: u, refresh: {strategy: updates, params: {q: '${timestamp}'}, format: epoch}}\n";
    let spec = spec_of(text);
    let format = |table: &str| spec.table(table).unwrap().refresh.updates().unwrap().format.write(0);
    assert_eq!((format("t"), format("u")), ("1970-01-01 00:00".to_string(), "0".to_string()));
}

#[test]
fn refresh_params_are_laid_over() {
    let spec = table_spec("params: {a: 1, 'b,c': [[1, 2]], d: 2, since: 3}\ncopy_params_to_output: [b, c]\nrefresh: {strategy: updates, params: {d: 3, e: 4}, cursor: {column: x, param: since}}");
    let spec = spec.unwrap().unwrap();
    let table_def = spec.table("u").unwrap();
    let RefreshStrategy::Updates(updates) = &table_def.refresh else { panic!("{:?}", table_def.refresh) };
    let laid_over = updates.laid_over(&table_def.params);
    let names: Vec<(String, ParamOrigin)> = laid_over.iter().map(|(param_def, origin)| (param_def.names.join(","), *origin)).collect();
    let expected = [("a", ParamOrigin::Table), ("b,c", ParamOrigin::Table), ("d", ParamOrigin::Refresh), ("e", ParamOrigin::Refresh)];
    assert_eq!(names, expected.map(|(name, origin)| (name.to_string(), origin)));
}

#[test]
fn mistakes_are_found() {
    check_table_mistake("refresh: {strategy: sometimes}", "expected reload or updates");
    check_table_mistake("refresh: {strategi: updates}", "unknown key 'strategi' in 'refresh' of table 'u'; did you mean 'strategy'?");
    check_table_mistake("refresh: updates", "'refresh' of table 'u' is the text 'updates'; expected a mapping");
    check_table_mistake("refresh: {strategy: updates}", "has none of 'params', 'cursor', 'sync_token' and 'request'");
    check_table_mistake("refresh: {params: {a: 1}}", "has 'params', but its strategy is 'reload'");
    check_table_mistake("refresh: {strategy: reload, cursor: {column: x, param: y}}", "has 'cursor', but its strategy is 'reload'");
    check_table_mistake(
        "refresh: {max_staleness: soon}",
        "'max_staleness' of 'refresh' of table 'u' is the text 'soon'; expected seconds, or",
    );
    check_table_mistake("refresh: {max_staleness: 0}", "is 0; expected more");
    check_table_mistake(
        "refresh: {strategy: updates, params: {a: '${timestmp}'}}",
        "has a hole 'timestmp' that no param or option fills; did you mean 'timestamp'?",
    );
    check_table_mistake("refresh: {strategy: updates, params: {a: '${cursor}'}}", "has a hole 'cursor', but no 'cursor'");
    check_table_mistake("refresh: {strategy: updates, params: {a: 1}, lookback: -1h}", "expected seconds, or");
    check_table_mistake("refresh: {strategy: updates, params: {a: 1}, format: YYYY}", "'YYYY' has no date in it");
    let since = "refresh: {strategy: updates, params: {since: '${timestamp}'}}";
    for texts in
        ["params: {q: 'a>${since}'}", "resource_path: '/x/${since}'", "headers: {X-Since: 'a ${since}'}", "body: {q: 'a>${since}'}"]
    {
        let expected = "has a hole 'since', a param that only 'refresh' has: it has no value at the first load; write \
                        '${since | default(...)}', or give the table a param 'since'";
        check_table_mistake(&format!("{texts}\n{since}"), expected);
        assert!(table_spec(&format!("{}\n{since}", texts.replace("{since}", "{since | default(7)}"))).is_ok(), "{texts}");
    }
    assert!(table_spec(&format!("params: {{q: '${{since}}'}}\n{since}")).is_ok());
    check_table_mistake("params: {'a,b': [[1, 2]]}\nrefresh: {strategy: updates, params: {a: 1}}", "replaces part of param 'a,b'");
}

#[test]
fn mistakes_of_cursors_are_found() {
    let check = |cursor: &str, more: &str, expected: &str| {
        check_table_mistake(&format!("refresh: {{strategy: updates, cursor: {cursor}}}\n{more}"), expected);
    };
    check("{param: since}", "nested: json", "has no 'column'");
    check("{column: x, parm: y}", "nested: json", "unknown key 'parm' in 'cursor' in 'refresh' of table 'u'; did you mean 'param'?");
    check("{column: x}", "nested: json", "is sent nowhere; give it 'param'");
    check("{column: x, param: p, lookback: often}", "nested: json", "'lookback' of 'cursor' in 'refresh' of table 'u' is the text 'often'");
    check("{column: x, param: page}", "paging: {strategy: pageAndCount, page_param: page, page_size: 5}", "which the paging uses");
    check("{column: x, param: p}", "columns: {x: VARCHAR}", "declared as neither a moment nor a number");
    check("{column: x, param: p, lookback: 1h}", "columns: {x: BIGINT}", "looks back a length of time, but its column is a number");
    check("{column: updated, param: p}", "columns: {updated_at: TIMESTAMP}\nonly_columns: true", "did you mean 'updated_at'?");
    check("{column: updated, param: p}", "select: id, name", "is not among the columns table 'u' keeps");
    check("{column: x, param: p}", "params: {store: [1, 2]}", "add 'store' to 'copy_params_to_output'");
    check_table_mistake(
        "refresh: {strategy: updates, cursor: {column: x, param: p}, params: {p: 1}}",
        "param 'p' is both in the params and in the cursor",
    );
    check_table_mistake(
        "refresh: {strategy: updates, cursor: {column: x, param: p, lookback: 1}, lookback: 1h}",
        "has a 'lookback' besides that of its cursor",
    );
}

#[test]
fn rows_of_windows_are_overwritten_where_it_is_known_which_they_are() {
    let table = |columns: &str, more: &str, window: &str| {
        format!(
            "columns: {columns}\nparams: {{from: '${{window.start}}', to: '${{window.end}}'}}\nwindow: {window}\n{more}\n\
             refresh: {{strategy: updates, overwrite: day}}"
        )
    };
    let days = "{start: 2024-01-01, step: 1d}";
    let numbers = "{start: 1, end: 9, step: 2}";
    for (columns, window) in [("{day: DATE}", days), ("{Day: TIMESTAMP}", days), ("{day: BIGINT}", numbers), ("{day: DOUBLE}", numbers)] {
        assert_eq!(updates_of(&table(columns, "key_column: id", window)).overwrite.as_deref(), Some("day"));
        updates_of(&table(columns, "nested: json", window));
    }
    let mistake = |columns: &str, more: &str, expected: &str| check_table_mistake(&table(columns, more, days), expected);
    mistake("{id: DATE}", "", "'overwrite' of table 'u' names 'day', which 'columns' does not declare; expected DATE or TIMESTAMP");
    mistake("{day: VARCHAR}", "", "'overwrite' of table 'u' names 'day', which is not declared as DATE or TIMESTAMP");
    check_table_mistake(&table("{day: DATE}", "", numbers), "which is not declared as BIGINT, HUGEINT or DOUBLE");
    mistake(
        "{day: DATE}",
        "key_column: id\nchildren: [{name: c, path: cs, copy: {u: id}}]",
        "table 'u' has 'overwrite', and other rows that depend on its own ('children' or 'recurse'); leave 'overwrite' out",
    );
    check_table_mistake("refresh: {overwrite: day}", "has 'overwrite', but its strategy is 'reload'; only 'updates' takes it");
    check_table_mistake(
        "columns: {day: DATE}\nrefresh: {strategy: updates, params: {since: '${timestamp}'}, overwrite: day}",
        "table 'u' has 'overwrite', which replaces the rows of the windows that a refresh asks for, and has no 'window'; give it one",
    );
    check_table_mistake(
        &format!(
            "columns: {{day: DATE}}\nparams: {{q: '${{window.start}}-${{window.end}}'}}\nwindow: {days}\n\
             refresh: {{strategy: updates, params: {{q: all}}, overwrite: day}}"
        ),
        "the refresh of table 'u' does not ask for windows, whose rows 'overwrite' replaces",
    );
}

#[test]
fn calls_whose_rows_are_overwritten_are_told_apart() {
    let lines = |org: &str, more: &str| {
        format!(
            "columns: {{day: DATE}}\nparams: {{q: '${{window.start}}-${{window.end}}', org: {org}}}\nwindow: {{start: 2024-01-01, step: 1d}}\n{more}\n\
             refresh: {{strategy: updates, overwrite: day}}"
        )
    };
    updates_of(&lines("[a, b]", "copy_params_to_output: [org]"));
    updates_of(&lines("a", ""));
    check_table_mistake(&lines("[a, b]", ""), "each of which replaces its own rows; add 'org' to 'copy_params_to_output'");
    check_table_mistake(
        &lines("{values: [a, b], as: comma, batch: 2}", "copy_params_to_output: [org]"),
        "asks for several values of 'org' in one request, so that rows do not say which call they came from",
    );
    let warns = "name: a\nbase_url: https://a\nerrors: [{when: {status: 200, body: partial}, do: warn}]\ntables:\n  - {name: u, columns: {day: DATE}, \
                 params: {q: '${window.start}-${window.end}'}, window: {start: 2024-01-01, step: 1d}, refresh: {strategy: updates, overwrite: day}}\n";
    let err = crate::spec::AdapterSpec::parse("a.yaml", warns).map(drop).unwrap_err();
    assert!(err.message().contains("a rule of 'errors' uses answers that are not complete ('do: warn')"), "{err}");
}
