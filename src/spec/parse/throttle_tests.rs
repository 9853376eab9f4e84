//! What `throttle`, `throttles`, `retry` and `errors` may say about limits, and their mistakes.

use super::tests::{check_table_mistake, spec_of, table_spec};
use crate::spec::{AdapterSpec, Amount, LeftSign, NamedThrottle, RuleVerdict, RuleWait, Told, WaitUnit};
use std::time::Duration;

fn mistake(lines: &str, expected: &str) {
    let text = format!("name: a\nbase_url: https://a\n{lines}\ntables: [{{name: t}}]\n");
    let err = AdapterSpec::parse("a.yaml", &text).unwrap_err().to_string();
    assert!(err.contains(expected), "{lines} gave: {err}");
}

#[test]
fn limits_are_the_connections_a_groups_or_a_tables() {
    let text = "name: a\nbase_url: https://a\nthrottle: {concurrency: 5, remaining_header: X-Left, reset_header: X-Reset}\nthrottles:\n  \
        search: {requests_per_second: 5, concurrency: 2}\ntables:\n  - {name: t}\n  - {name: u, throttle: search}\n  \
        - {name: v, throttle: {sleep: 2, used_header: X-Used, limit: 9}}\n";
    let spec = spec_of(text);
    let concurrency = |table: &str| spec.concurrency_of(spec.table(table).unwrap());
    assert_eq!((concurrency("t"), concurrency("u"), concurrency("v")), (5, 2, 5));
    let names: Vec<&str> = spec.throttles.iter().map(|named| named.name.as_str()).collect();
    assert_eq!(names, ["search", "table v"]);
    assert_eq!(spec.table("v").unwrap().throttle, Some(NamedThrottle::own_name("v")));
    let own = spec.throttle_named(Some("table v")).unwrap();
    assert_eq!(
        (own.sleep, &own.signs[0].left, &own.signs[0].limit),
        (2.0, &Some(LeftSign::Used(Told::Header("X-Used".into()))), &Some(Amount::Fixed(9.0)))
    );
    let sign = &spec.throttle.signs[0];
    assert_eq!((&sign.left, sign.reserve), (&Some(LeftSign::Remaining(Told::Header("X-Left".into()))), 1.0));
    assert_eq!(sign.reset.as_ref().map(|reset| reset.unit), Some(WaitUnit::BySize));
}

#[test]
fn mistakes_of_limits_are_told() {
    check_table_mistake("throttle: serch", "'throttle' of table 'u' is 'serch', which 'throttles' of the spec does not have");
    check_table_mistake("throttle: [1]", "expected limits, or the name of some in 'throttles'");
    check_table_mistake("throttle: {sleep: long}", "'sleep' of 'throttle' of table 'u' is the text 'long'");
    mistake("throttles: [1]", "'throttles' of the spec is a list; expected a mapping of names");
    mistake("throttles: {'a b': {sleep: 1}}", "the name 'a b' in 'throttles' has a blank");
    mistake("throttles: {a: {slep: 1}}", "unknown key 'slep' in 'a' in 'throttles'");
    mistake("throttle: {limit: 3}", "does not say where answers tell what is left");
    mistake("throttle: {used_header: a, remaining_header: b}", "both what remains and what is used");
    mistake("throttle: {used_header: a, limit: 3, limit_header: b}", "has 'limit', and says where answers tell it");
    mistake("throttle: {remaining_header: a, reset_header: b, reset_unit: hours}", "'reset_unit' of 'throttle' is 'hours'; ");
    mistake("throttle: {remaining_header: a, reserve: 0}", "'reserve' of 'throttle' is the number 0; expected a number above 0");
    mistake("throttle: {remaining_path: 'a['}", "'remaining_path' of 'throttle'");
    mistake("throttle: {budgets: {remaining_header: a}}", "'budgets' of 'throttle' is a mapping; expected a list of mappings");
    mistake("throttle: {budgets: [{sleep: 1}]}", "unknown key 'sleep' in an entry of 'budgets' of 'throttle'");
    mistake("retry: {wait_unit: ms}", "'retry' has 'wait_unit', but neither 'wait_header' nor 'wait_path'");
}

#[test]
fn rules_say_how_long_to_wait() {
    let rule = |rule: &str| {
        let spec = spec_of(&format!("name: a\nbase_url: https://a\nerrors: [{rule}]\ntables: [{{name: t}}]\n"));
        (spec.errors[0].verdict, spec.errors[0].wait.clone())
    };
    assert_eq!(rule("{when: {status: 202}, do: retry, wait: 5s}"), (RuleVerdict::Retry, Some(RuleWait::Fixed(Duration::from_secs(5)))));
    let (verdict, wait) = rule("{when: {status: 400}, do: limit, wait_path: error.after, wait_unit: minutes}");
    let Some(RuleWait::Told(sign)) = wait else { panic!("{wait:?}") };
    assert_eq!((verdict, sign.unit, sign.told.is_in_body()), (RuleVerdict::Limit, WaitUnit::Minutes, true));
    mistake("errors: [{when: {status: 400}, do: fail, wait: 5s}]", "has a wait, which only 'do: retry' and 'do: limit' take");
    mistake("errors: [{when: {status: 400}, do: limit, wait: 5s, wait_path: a}]", "has 'wait', and says where answers tell it");
}

#[test]
fn a_table_without_limits_has_those_of_the_connection() {
    let spec = table_spec("nested: json").unwrap().unwrap();
    assert_eq!(spec.table("u").unwrap().throttle, None);
}

#[test]
fn data_is_used_with_a_warning_only_where_an_answer_has_some() {
    let spec = spec_of(
        "name: a\nbase_url: https://a\nerrors: [{when: {status: [200, 206], body: {partial: true}}, do: warn}]\ntables: [{name: t}]\n",
    );
    assert_eq!(spec.errors[0].verdict, RuleVerdict::Warn);
    let expected = "an answer with status 404 has none; expected a status from 200 to 299";
    mistake("errors: [{when: {status: [200, 404]}, do: warn}]", expected);
    mistake("errors: [{when: {body: partial}, do: warn, wait: 5s}]", "has a wait, which only 'do: retry' and 'do: limit' take");
    mistake("errors: [{when: {status: 200}, do: wran}]", "did you mean 'warn'?");
}
