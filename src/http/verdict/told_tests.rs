//! What answers tell about budgets, in each of the forms that APIs have.

use super::told::*;
use super::{Judged, Moment};
use crate::source::Headers;
use crate::spec::AdapterSpec;
use proptest::prelude::*;
use std::time::Duration;

/// 2026-11-22 00:00:00 UTC.
const NOW: f64 = 1_795_305_600.0;
const MOMENT: Moment = Moment { now: NOW, random: 0.5 };

fn spec_of(throttle: &str) -> AdapterSpec {
    let text = format!("name: a\nbase_url: https://a.test\nthrottle: {throttle}\ntables: [{{name: t}}]\n");
    AdapterSpec::parse("a.yaml", &text).unwrap_or_else(|err| panic!("{err}")).unwrap()
}

fn told(throttle: &str, headers: &[(&str, &str)], body: &str) -> BudgetsTold {
    let headers = Headers::new(headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect());
    let spec = spec_of(throttle);
    Throttles::of(&spec, None).told(Judged { status: 200, headers: &headers, body: body.as_bytes() }, MOMENT)
}

/// Checks how much is left, and how long the next request waits.
fn check(throttle: &str, headers: &[(&str, &str)], body: &str, expected: (Option<f64>, Option<f64>)) {
    let told = told(throttle, headers, body);
    let wait = pause_after(&told.connection).map(|wait| wait.as_secs_f64());
    assert_eq!((told.connection.first().and_then(|budget| budget.left), wait), expected, "{throttle} {headers:?} {body}");
}

#[test]
fn headers_tell_what_is_left_and_when_there_is_more() {
    let pair = |unit: &str| format!("{{remaining_header: X-Left, reset_header: X-Reset, reset_unit: {unit}}}");
    let left =
        |unit: &str, reset: &str, wait: Option<f64>| check(&pair(unit), &[("x-left", "0"), ("x-reset", reset)], "", (Some(0.0), wait));
    left("seconds", "30", Some(30.0));
    left("seconds", "1795305660", None);
    left("minutes", "2", Some(120.0));
    left("ms", "1500", Some(1.5));
    left("epoch", "1795305660.5", Some(60.5));
    left("epoch", "30", None);
    left("epoch_ms", "1795305660000", Some(60.0));
    left("date", "Sun, 22 Nov 2026 00:00:30 GMT", Some(30.0));
    left("date", "2026-11-22T00:01Z", Some(60.0));
    left("date", "2026-11-21T00:01Z", None);
    left("date", "soon", None);
    check(&pair("seconds"), &[("x-left", "3"), ("x-reset", "30")], "", (Some(3.0), None));
    check(&pair("seconds"), &[("content-type", "x")], "", (None, None));
}

#[test]
fn one_header_may_tell_what_is_used_and_of_how_much() {
    let bucket = "{used_header: X-Calls, restore_per_second: 2}";
    check(bucket, &[("x-calls", "32/40")], "", (Some(8.0), None));
    check(bucket, &[("x-calls", "40/40")], "", (Some(0.0), Some(0.5)));
    check(bucket, &[("x-calls", "none/of it, /, 4/")], "", (None, None));
    let window = "{used_header: X-Info, window: 1h}";
    check(window, &[("x-info", "api-usage=18/5000; own-usage=250/250 (app=é/x)")], "", (Some(0.0), Some(3600.0)));
    check(window, &[("x-info", "7")], "", (None, None));
    check("{used_header: X-Info, limit: 10}", &[("x-info", "7")], "", (Some(3.0), None));
    check("{remaining_header: X-Info}", &[("x-info", "7/10")], "", (Some(7.0), None));
}

#[test]
fn the_json_of_a_header_tells_too() {
    let meta = "{used_header: X-Usage, used_path: \"*[*]['call_count', 'total_time']\", limit: 100, reset_header: X-Usage, \
                reset_path: '*[*].regain', reset_unit: minutes}";
    let usage = |calls: u32, time: u32, regain: u32| {
        format!("{{\"12\": [{{\"call_count\": {calls}, \"total_time\": {time}, \"regain\": {regain}}}]}}")
    };
    check(meta, &[("x-usage", &usage(28, 99, 0))], "", (Some(1.0), None));
    check(meta, &[("x-usage", &usage(28, 100, 5))], "", (Some(0.0), Some(300.0)));
    check(meta, &[("x-usage", "{\"12\": ")], "", (None, None));
}

#[test]
fn a_body_tells_of_costs() {
    let cost = "{remaining_path: cost.left, restore_path: cost.rate, cost_path: cost.asked, limit_path: cost.max}";
    let body = |left: u32| format!("{{\"cost\": {{\"left\": {left}, \"rate\": 50, \"asked\": 150, \"max\": 1000}}}}");
    check(cost, &[], &body(150), (Some(150.0), None));
    check(cost, &[], &body(50), (Some(50.0), Some(2.0)));
    check(cost, &[], "<html>", (None, None));
    check("{remaining_path: left, reserve: 10, window: 5}", &[], "{\"left\": \"9\"}", (Some(9.0), Some(5.0)));
}

#[test]
fn of_several_budgets_the_longest_wait_counts() {
    let both =
        "{budgets: [{remaining_header: X-Minute, window: 60}, {remaining_header: X-Day, reset_header: X-Day-Reset, reset_unit: seconds}]}";
    let wait = |minute: &str, day: &str| {
        let told = told(both, &[("x-minute", minute), ("x-day", day), ("x-day-reset", "600")], "");
        pause_after(&told.connection).map(|wait| wait.as_secs())
    };
    assert_eq!((wait("1", "1"), wait("0", "1"), wait("1", "0"), wait("0", "0")), (None, Some(60), Some(600), Some(600)));
}

#[test]
fn what_a_table_looks_at_counts_for_it_alone() {
    let text = "name: a\nbase_url: https://a.test\nthrottle: {remaining_header: X-Left, window: 9}\nthrottles:\n  \
                search: {remaining_header: X-Left, window: 7}\n  slow: {sleep: 1}\ntables: [{name: t}]\n";
    let spec = AdapterSpec::parse("a.yaml", text).unwrap_or_else(|err| panic!("{err}")).unwrap();
    let headers = Headers::new(vec![("x-left".to_string(), "0".to_string())]);
    let waits = |own: Option<&str>| {
        let told = Throttles::of(&spec, own).told(Judged { status: 200, headers: &headers, body: b"" }, MOMENT);
        (pause_after(&told.own).map(|wait| wait.as_secs()), pause_after(&told.connection).map(|wait| wait.as_secs()))
    };
    assert_eq!((waits(None), waits(Some("search")), waits(Some("slow"))), ((None, Some(9)), (Some(7), None), (None, Some(9))));
}

#[test]
fn headers_that_no_spec_names_are_read_and_do_not_pause() {
    let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "20"), ("x-ratelimit-limit", "50")];
    let told = told("{concurrency: 3}", &headers, "");
    assert_eq!(
        told.connection.iter().map(|budget| (budget.left, budget.limit, budget.wait)).collect::<Vec<_>>(),
        [(Some(0.0), Some(50.0), Some(20.0))]
    );
    assert_eq!(pause_after(&told.connection), None);
}

proptest! {
    #[test]
    fn no_text_makes_a_wait_of_more_than_a_day(text in "[0-9/.=,; eE+a-z-]{0,24}") {
        for unit in ["seconds", "minutes", "ms", "epoch", "epoch_ms", "date"] {
            let throttle = format!("{{used_header: X-U, limit: 1, reset_header: X-U, reset_unit: {unit}, reserve: 1e12}}");
            let told = told(&throttle, &[("x-u", &text)], &text);
            let wait = pause_after(&told.connection).unwrap_or_default();
            prop_assert!(wait <= Duration::from_secs(86_400));
        }
    }

    #[test]
    fn a_pair_is_read_wherever_it_stands(used in 0_u32..100_000, limit in 1_u32..100_000, before in "[a-z=; é]{0,6}", after in "[a-z; (é]{0,6}") {
        let told = told("{used_header: X-U}", &[("x-u", &format!("{before}{used}/{limit}{after}"))], "");
        prop_assert_eq!(told.connection.first().and_then(|budget| budget.left), Some(f64::from(limit) - f64::from(used)));
    }
}

#[test]
fn two_headers_may_have_lists_side_by_side() {
    let lists = "{used_header: X-Usage, limit_header: X-Limit, window: 15m}";
    check(lists, &[("x-usage", "31,275"), ("x-limit", "600,30000")], "", (Some(569.0), None));
    check(lists, &[("x-usage", "31, 30000"), ("x-limit", "600, 30000")], "", (Some(0.0), Some(900.0)));
    check(lists, &[("x-usage", "600,5"), ("x-limit", "600,30000")], "", (Some(0.0), Some(900.0)));
    check("{remaining_header: X-Left, window: 1m}", &[("x-left", "7, 0;w=60")], "", (Some(0.0), Some(60.0)));
    check("{remaining_header: X-Left, window: 1m}", &[("x-left", "7, some")], "", (None, None));
}

#[test]
fn a_reset_may_be_a_length_of_time() {
    let by_size = |reset: &str, wait: Option<f64>| {
        check("{remaining_header: X-Left, reset_header: X-Reset}", &[("x-left", "0"), ("x-reset", reset)], "", (Some(0.0), wait));
    };
    by_size("6m1s", Some(361.0));
    by_size("1.5s", Some(1.5));
    by_size("500ms", Some(0.5));
    by_size("1h", Some(3600.0));
    by_size("2d", None);
    by_size("6x", None);
    by_size("s", None);
    by_size("", None);
    let body = "{remaining_header: X-Left, reset_path: 'error.details[*].retryDelay'}";
    check(body, &[("x-left", "0")], r#"{"error": {"details": [{"a": 1}, {"retryDelay": "34s"}]}}"#, (Some(0.0), Some(34.0)));
}

#[test]
fn the_one_header_of_the_standard_tells_the_tightest_budget() {
    let left = |text: &str| {
        let told = told("{}", &[("ratelimit", text)], "");
        told.connection.first().map(|budget| (budget.left, budget.resets_in, budget.is_used_up))
    };
    assert_eq!(left(r#""burst";r=0;t=12, "day";r=500;t=3600"#), Some((Some(0.0), Some(12.0), true)));
    assert_eq!(left("limit=100, remaining=50, reset=5"), Some((Some(50.0), Some(5.0), false)));
    assert_eq!(left(r#""day";q=100"#), None);
}
