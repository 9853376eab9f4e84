//! Each row of the verdict table, and the waits APIs ask for.

use super::*;
use crate::http::sample::{adapter, basic, connection};
use crate::source::Headers;
use crate::spec::{AdapterSpec, BudgetSign, Connection, LeftSign, Told, WaitSign, WaitUnit};

/// 2026-11-22 00:00:00 UTC.
const NOW: f64 = 1_795_305_600.0;

fn attempt(number: u32, from_parent: bool) -> Attempt {
    Attempt { number, from_parent, may_be_past_end: false, moment: Moment { now: NOW, random: 0.5 } }
}

fn verdict_with(connection: &Connection, answer: (u16, &[(&str, &str)], &str), attempt: Attempt) -> Verdict {
    let (status, headers, body) = answer;
    let headers = Headers::new(headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect());
    let redactor = Redactor::new(connection);
    let spec = &connection.adapter;
    let judge = Judge { spec, auth: &spec.auth[0], redactor: &redactor, throttles: Throttles::of(spec, None) };
    judge.verdict(Judged { status, headers: &headers, body: body.as_bytes() }, attempt)
}

fn sample() -> Connection {
    connection(adapter(basic()), &[("username", "me"), ("password", "s3cr3t")])
}

fn verdict(status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
    verdict_with(&sample(), (status, headers, body), attempt(1, false))
}

fn sign(remaining: Option<&str>, reset: Option<&str>) -> BudgetSign {
    let header = |name: &str| Told::Header(name.to_string());
    BudgetSign {
        left: remaining.map(|name| LeftSign::Remaining(header(name))),
        limit: None,
        cost: None,
        reserve: 1.0,
        reset: reset.map(|name| WaitSign { told: header(name), unit: WaitUnit::BySize }),
        restore: None,
        window: None,
    }
}

fn failure(message: &str, refused: bool) -> Verdict {
    Verdict::Fail { message: message.to_string(), refused }
}

#[test]
fn success_is_rows() {
    assert_eq!(verdict(200, &[], "[]"), Verdict::Rows);
    assert_eq!(verdict(204, &[], ""), Verdict::Empty("returned 204 (No Content)".to_string()));
}

#[test]
fn passing_trouble_is_tried_again() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        assert!(matches!(verdict(status, &[], ""), Verdict::Retry { .. }), "{status}");
    }
}

#[test]
fn backoff_doubles_up_to_its_longest() {
    let check = |number: u32, expected: f64| {
        let mut spec = adapter(basic());
        spec.retry.attempts = 100;
        let found = verdict_with(&connection(spec, &[]), (503, &[], ""), attempt(number, false));
        let Verdict::Retry { after, waits, .. } = found else { panic!("{found:?}") };
        assert_eq!((after.as_secs_f64(), waits), (expected, Waits::One), "attempt {number}");
    };
    check(1, 0.5);
    check(2, 1.0);
    check(4, 4.0);
    check(20, 30.0);
    check(99, 30.0);
}

#[test]
fn the_last_attempt_fails() {
    let found = verdict_with(&sample(), (503, &[], "down"), attempt(5, false));
    assert_eq!(found, failure("returned 503 (Service Unavailable): down; tried 5 times", false));
    let found = verdict_with(&sample(), (429, &[("Retry-After", "1")], ""), attempt(5, false));
    assert!(matches!(found, Verdict::Retry { .. }), "an API that says when to come back is asked more often: {found:?}");
}

#[test]
fn retry_after_is_kept_where_it_makes_sense() {
    let check = |headers: &[(&str, &str)], expected: f64, told: bool| {
        let found = verdict(503, headers, "");
        let Verdict::Retry { after, waits, .. } = found else { panic!("{found:?}") };
        let waits_told = if told { Waits::All } else { Waits::One };
        assert_eq!((after.as_secs_f64(), waits), (expected, waits_told), "{headers:?}");
    };
    check(&[("Retry-After", "7")], 7.0, true);
    check(&[("retry-after", " 2.5 ")], 2.5, true);
    check(&[("Retry-After", "Sun, 22 Nov 2026 00:01:40 GMT")], 100.0, true);
    for text in [
        "0",
        "-5",
        "Sat, 21 Nov 2026 00:01:40 GMT",
        "Mon, 22 Nov 2027 00:01:40 GMT",
        "90000",
        "soon",
        "",
        "NaN",
        "inf",
        "99999999999999999999",
    ] {
        check(&[("Retry-After", text)], 0.5, false);
    }
}

#[test]
fn reset_headers_tell_when_a_limit_ends() {
    let wait = |headers: &[(&str, &str)]| match verdict(429, headers, "") {
        Verdict::Retry { after, waits: Waits::Limited, .. } => after.as_secs_f64(),
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(&[("X-RateLimit-Reset", "1795305660")]), 60.0);
    assert_eq!(wait(&[("X-RateLimit-Reset", "1795305660000")]), 60.0);
    assert_eq!(wait(&[("RateLimit-Reset", "30")]), 30.0);
    assert_eq!(wait(&[("X-RateLimit-Reset", "1795305600")]), 0.5);
    let mut spec = adapter(basic());
    spec.throttle.signs = vec![sign(None, Some("X-Back"))];
    let found = verdict_with(&connection(spec, &[]), (429, &[("x-back", "9"), ("X-RateLimit-Reset", "30")], ""), attempt(1, false));
    assert!(matches!(found, Verdict::Retry { after, .. } if after == Duration::from_secs(9)), "{found:?}");
}

#[test]
fn missing_children_are_skipped() {
    let found = verdict_with(&sample(), (404, &[], "gone"), attempt(1, true));
    assert_eq!(found, Verdict::Skip("returned 404 (Not Found): gone".to_string()));
    let expected = "returned 404 (Not Found): gone; check the path in the adapter spec, and the options and params in it";
    assert_eq!(verdict(404, &[], "gone"), failure(expected, true));
}

#[test]
fn refusals_say_what_the_api_said_and_what_to_check() {
    assert_eq!(verdict(401, &[], ""), failure("returned 401 (Unauthorized); check the options 'username' and 'password'", false));
    assert_eq!(
        verdict(403, &[], "\n  {\"message\": \"bad s3cr3t\"}\nmore"),
        failure("returned 403 (Forbidden): {\"message\": \"bad ***\"}; check the options 'username' and 'password'", false)
    );
    assert_eq!(verdict(418, &[], ""), failure("returned 418", false));
    let Verdict::Fail { message, .. } = verdict(400, &[], &"é".repeat(1000)) else { panic!() };
    assert_eq!(message, format!("returned 400 (Bad Request): {}...", "é".repeat(200)));
}

#[test]
fn rules_of_the_spec_come_first() {
    let rule = |when: ErrorCondition, verdict: RuleVerdict, message: Option<&str>| ErrorRule {
        when,
        verdict,
        message: message.map(str::to_string),
        wait: None,
    };
    let mut spec = adapter(basic());
    let limited =
        ErrorCondition { statuses: vec![403], header: Some(("X-Remaining".into(), Some("0".into()))), ..ErrorCondition::default() };
    let failed = ErrorCondition { body: Some((vec!["ok".into()], Some("false".into()))), ..ErrorCondition::default() };
    let none = ErrorCondition { statuses: vec![409], ..ErrorCondition::default() };
    let odd = ErrorCondition { statuses: vec![200], body: Some((vec!["errors".into(), "0".into(), "code".into()], None)), header: None };
    let partial = ErrorCondition { body: Some((vec!["partial".into()], Some("true".into()))), ..ErrorCondition::default() };
    let late = ErrorCondition { header: Some(("X-Late".into(), None)), ..ErrorCondition::default() };
    spec.errors = vec![
        rule(limited, RuleVerdict::Retry, None),
        rule(failed, RuleVerdict::Fail, Some("the API said no")),
        rule(none, RuleVerdict::Empty, None),
        rule(odd, RuleVerdict::Skip, None),
        rule(partial, RuleVerdict::Warn, Some("a shard did not answer")),
        rule(late, RuleVerdict::Warn, None),
    ];
    let connection = connection(spec, &[]);
    let check = |status: u16, headers: &[(&str, &str)], body: &str| verdict_with(&connection, (status, headers, body), attempt(1, false));
    assert!(matches!(check(403, &[("x-remaining", "0"), ("Retry-After", "3")], ""), Verdict::Retry { waits: Waits::Limited, .. }));
    assert!(matches!(check(403, &[("x-remaining", "1")], ""), Verdict::Fail { .. }));
    assert_eq!(check(200, &[], "{\"ok\": false}"), failure("returned 200: the API said no", false));
    assert_eq!(check(200, &[], "{\"ok\": true}"), Verdict::Rows);
    assert!(matches!(check(409, &[], ""), Verdict::Empty(_)));
    assert!(matches!(check(200, &[], "{\"errors\": [{\"code\": 1}]}"), Verdict::Skip(_)));
    assert_eq!(check(200, &[], "{\"errors\": [{\"code\": null}]}"), Verdict::Rows);
    assert_eq!(check(200, &[], "not json"), Verdict::Rows);
    let some_rows = |text: &str| Verdict::SomeRows(text.to_string());
    assert_eq!(check(200, &[], "{\"partial\": true}"), some_rows("returned 200: a shard did not answer"));
    assert_eq!(check(206, &[("X-Late", "1")], "[]"), some_rows("returned 206: the answer may not be complete, and its data is used"));
    // An error stays one, and an answer without a body has no data.
    assert!(matches!(check(400, &[], "{\"partial\": true}"), Verdict::Fail { .. }));
    assert!(matches!(check(204, &[("X-Late", "1")], ""), Verdict::Empty(_)));
}

/// A wrong path answers 404 on the first page, which no rule about the end makes an empty table.
#[test]
fn a_rule_about_the_end_speaks_of_pages_after_the_first() {
    let mut spec = adapter(basic());
    let when = ErrorCondition { statuses: vec![404], ..ErrorCondition::default() };
    spec.errors = vec![ErrorRule { when, verdict: RuleVerdict::End, message: None, wait: None }];
    let connection = connection(spec, &[]);
    let check = |may_be_past_end: bool, from_parent: bool| {
        verdict_with(&connection, (404, &[], ""), Attempt { may_be_past_end, ..attempt(1, from_parent) })
    };
    assert!(matches!(check(true, false), Verdict::Empty(_)) && matches!(check(true, true), Verdict::Empty(_)));
    assert!(matches!(check(false, false), Verdict::Fail { refused: true, .. }) && matches!(check(false, true), Verdict::Skip(_)));
}

#[test]
fn the_error_of_a_later_page_names_the_rule_about_the_end() {
    let message = |status: u16, may_be_past_end: bool| {
        let found = verdict_with(&sample(), (status, &[], ""), Attempt { may_be_past_end, ..attempt(1, false) });
        let Verdict::Fail { message, .. } = found else { panic!("{found:?}") };
        message
    };
    for status in [400, 404, 410, 416, 422] {
        let rule = format!("errors: [{{when: {{status: {status}}}, do: end}}]");
        assert!(message(status, true).ends_with(&rule) && !message(status, false).contains("do: end"), "{status}");
    }
    assert!(!message(403, true).contains("do: end"));
}

#[test]
fn a_limit_is_what_the_spec_says() {
    let text = "name: a\nbase_url: https://a.test\nretry: {wait_path: retry_after}\nthrottle: {remaining_path: cost.left, restore_path: cost.rate}\n\
        errors:\n  - {when: {body: {code: THROTTLED}}, do: limit}\n  - {when: {body: {code: LATER}}, do: retry, wait: 5s}\n  \
        - {when: {status: 400, body: {code: SLOW}}, do: limit, wait_header: X-Wait, wait_unit: ms}\ntables: [{name: t}]\n";
    let spec = AdapterSpec::parse("a.yaml", text).unwrap_or_else(|err| panic!("{err}")).unwrap();
    let connection = connection(spec, &[]);
    let wait =
        |status: u16, headers: &[(&str, &str)], body: &str| match verdict_with(&connection, (status, headers, body), attempt(1, false)) {
            Verdict::Retry { after, waits, .. } => (after.as_secs_f64(), waits != Waits::One),
            other => panic!("{other:?}"),
        };
    assert_eq!(wait(200, &[], r#"{"code": "THROTTLED", "cost": {"left": -9, "rate": 5}}"#), (2.0, true));
    assert_eq!(wait(200, &[], r#"{"code": "THROTTLED"}"#), (0.5, true));
    assert_eq!(wait(200, &[("Retry-After", "9")], r#"{"code": "LATER"}"#), (5.0, false));
    assert_eq!(wait(400, &[("x-wait", "1500")], r#"{"code": "SLOW"}"#), (1.5, true));
    assert_eq!(wait(429, &[], r#"{"retry_after": 0.25}"#), (0.25, true));
    assert_eq!(wait(429, &[("Retry-After", "3")], r#"{"retry_after": 0.25}"#), (3.0, true));
    assert_eq!(wait(503, &[], "{}"), (0.5, false));
}
