//! Tests of `window` and `max_rows`.

use crate::spec::{AdapterSpec, Ends, MaxRows, ParamValue, Step, TableDef};

fn spec_of(keys: &str) -> String {
    format!("name: a\nbase_url: https://a.example.com\noptions: {{start_date: {{default: 2024-01-01}}}}\ntables:\n  - name: t\n    resource_path: /t\n{keys}")
}

fn table(keys: &str) -> TableDef {
    AdapterSpec::parse("a.yaml", &spec_of(keys)).unwrap().unwrap().tables.remove(0)
}

fn check_mistake(keys: &str, expected: &str) {
    let err = AdapterSpec::parse("a.yaml", &spec_of(keys)).unwrap_err();
    assert!(err.message().contains(expected), "{err}\n{keys}");
    assert!(err.message().starts_with("a.yaml:"), "{err}");
}

const PARAMS: &str = "    params: {from: '${window.start}', to: '${window.end}'}\n";

#[test]
fn a_window_is_read() {
    let table_def = table(&format!("    window: {{start: '${{start_date}}', step: 30d}}\n    max_rows: 100\n{PARAMS}"));
    let window_def = table_def.window.unwrap();
    assert_eq!((window_def.step, window_def.ends, window_def.unit), (Step::Time(30 * 86_400_000_000), Ends::Exclusive, None));
    assert_eq!(window_def.end.to_text().unwrap(), "${now}");
    assert_eq!(table_def.max_rows, Some(MaxRows { rows: 100, splits: false }));
    let window = |text: &str| table(&format!("    window: {{start: {text}}}\n    key_column: id\n{PARAMS}")).window.unwrap();
    assert_eq!(window("2024-01-01, step: 3mo, ends: inclusive, unit: 1d").ends, Ends::Inclusive);
    assert_eq!(window("2024-01-01, step: 1y").step, Step::Months(12));
    let numbers = window("1, end: 1000, step: 100, unit: 5, overlap: 10");
    assert_eq!((numbers.start, numbers.step, numbers.unit, numbers.overlap), (ParamValue::Integer(1), Step::Number(100), Some(5), 10));
    let splits = table(&format!("    window: {{start: 2024-01-01, step: 30d}}\n    max_rows: {{rows: 5, do: split}}\n{PARAMS}"));
    assert_eq!(splits.max_rows, Some(MaxRows { rows: 5, splits: true }));
}

#[test]
fn mistakes_of_a_window_say_what_to_write() {
    let check = |window: &str, expected: &str| check_mistake(&format!("    window: {{{window}}}\n{PARAMS}"), expected);
    check("step: 30d", "'window' of table 't' has no 'start'");
    check("start: 2024-01-01", "'window' of table 't' has no 'step'");
    for step in ["0", "0d", "-1d", "30 fortnights", "0mo", "[1]"] {
        check(&format!("start: 2024-01-01, step: {step}"), "'step' of 'window' of table 't'");
    }
    check("start: 2024-01-01, step: 30d, unit: 0s", "'unit' of 'window' of table 't'");
    check("start: 2024-01-01, step: 30d, unit: parsec", "'unit' of 'window' of table 't'");
    check("start: 1, end: 5, step: 2, unit: 1d", "a whole number of 1 or more, as the step is a number");
    check("start: 2024-01-01, step: 30d, ends: open", "'ends' of 'window' of table 't' is the text 'open'");
    check("start: 2024-01-01, step: 30d, strat: 1", "unknown key 'strat'");
    check("start: 1, step: 10", "has no 'end', which a range of numbers needs");
    check("start: 2024-01-01, end: 9, step: 10", "'start' is \"2024-01-01\"; the step is a number");
    check("start: 20240101, step: 1d", "'start' is 20240101; expected a moment");
    check("start: '${begin}', step: 1d", "the window of table 't' has a hole 'begin'");
    check("start: '${window.end}', step: 1d", "has a hole 'window.end', which has no value there");
    check("start: 2024-01-01, step: 1d, overlap: 1h", "the table has no key to find the rows by that come twice");
    check("start: 2024-01-01, step: 1d, overlap: 1d", "'overlap' of 'window' of table 't' is not shorter than its 'step'");
}

#[test]
fn mistakes_of_a_window_and_the_rest_of_a_table_are_told() {
    let window = "    window: {start: 2024-01-01, step: 1h, unit: 1s}\n";
    check_mistake(window, "the window of table 't' is sent nowhere");
    check_mistake(PARAMS, "has a hole 'window.start', but the table has no 'window'");
    check_mistake(
        &format!("{window}    params: {{day: \"${{window.start | format('%Y-%m-%d')}}\"}}\n"),
        "'step' of the window of table 't' is shorter than what the hole",
    );
    check_mistake(
        &format!("{window}    params: {{at: \"${{window.start | format('%Y-%m-%dT%H:%M')}}\"}}\n"),
        "'unit' of the window of table 't' is shorter",
    );
    check_mistake(&format!("{window}    params: {{at: \"${{window.start | format('%%')}}\"}}\n"), "is the same for all windows");
    check_mistake("    window: {start: 1, end: 9, step: 1}\n    params: {at: \"${window.start | iso8601}\"}\n", "is not a moment");
    check_mistake("    max_rows: {rows: 5, do: split}\n", "splits the window, and the table has none");
    check_mistake("    max_rows: {do: fail}\n", "'max_rows' of table 't' has no 'rows'");
    check_mistake("    max_rows: 0\n", "'max_rows' of table 't'");
    check_mistake("    max_rows: {rows: 5, do: shrug}\n", "fail, or split");
    let cursor = "    key_column: id\n    refresh: {strategy: updates, cursor: {column: at, param: since}}\n";
    check_mistake(&format!("{window}{PARAMS}{cursor}"), "and a 'cursor', which says another place; keep one");
    let rule = AdapterSpec::parse("a.yaml", &format!("errors: [{{when: {{status: 400}}, do: split}}]\n{}", spec_of(""))).unwrap_err();
    assert!(rule.message().contains("says 'do: split', and no table has a 'window' to split"), "{rule}");
}

#[test]
fn a_refresh_needs_nothing_besides_a_window() {
    let table_def =
        table(&format!("    window: {{start: 2024-01-01, step: 30d}}\n    key_column: id\n    refresh: {{strategy: updates}}\n{PARAMS}"));
    assert!(table_def.refresh.updates().unwrap().params.is_empty());
}
