//! What holes say, and what fills them.

use super::name::is_name;
use super::*;
use crate::document::JsonValue;
use crate::spec::DateFormat;
use expect_test::{expect, Expect};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

/// Names with their values. `now` is 2024-05-01 22:30:15 UTC.
struct Known(BTreeMap<&'static str, JsonValue>);

impl Known {
    fn new() -> Known {
        let values = [
            ("site", json!("Main Street")),
            ("zone", json!("America/New_York")),
            ("n", json!(7)),
            ("yes", json!(true)),
            ("none", JsonValue::Null),
            ("ids", json!([1, "a'b", 3])),
            ("day", json!("2024-02-29")),
            ("moment", json!("2024-02-29 10:20:30+02:00")),
            ("object", json!({ "a": 1 })),
        ];
        Known(values.into_iter().collect())
    }
}

impl Sources for Known {
    fn value_of(&self, name: &str) -> Option<Filled> {
        let load = LoadValues { now: Some(1_714_602_615_000_000), ..LoadValues::default() };
        load.value_of(name).or_else(|| self.0.get(name).cloned().map(Filled::Json))
    }
}

fn value(text: &str) -> Option<JsonValue> {
    let value = Template::parse_value(text).unwrap().value(&Known::new()).unwrap_or_else(|err| panic!("{text}: {err}"));
    value.map(|value| value.into_json(&DateFormat::default()))
}

fn check(text: &str, expected: impl Into<JsonValue>) {
    assert_eq!(value(text), Some(expected.into()), "{text}");
}

fn check_mistake(text: &str, expected: Expect) {
    expected.assert_eq(Template::parse_value(text).err().unwrap_or_else(|| panic!("{text} parses")).message());
}

fn check_failure(text: &str, expected: Expect) {
    let failure = Template::parse_value(text).unwrap().value(&Known::new());
    expected.assert_eq(failure.err().unwrap_or_else(|| panic!("{text} has a value")).message());
}

#[test]
fn a_hole_alone_keeps_its_type_and_inside_a_text_it_is_written() {
    check("${n}", 7);
    check("${yes}", true);
    check("${ids}", json!([1, "a'b", 3]));
    check("${none}", JsonValue::Null);
    check("n=${n}, ${yes}", "n=7, true");
    check("{n} $n ${site}$", "{n} $n Main Street$");
    assert_eq!(value("${gone}"), None);
    assert_eq!(value("${gone | upper}"), None);
    check_failure("x${gone}", expect!["no value for 'gone'"]);
    check_failure("x${none}", expect!["no value for 'none'"]);
    check_failure("x${ids}", expect!["the value of 'ids' is a list or an object, which cannot be part of a text; write it with '| json', or a list with '| join(',')'"]);
}

#[test]
fn moments_are_moved_and_written() {
    check("${now}", "2024-05-01T22:30:15Z");
    check("${today}", "2024-05-01");
    check("${now-5m}", "2024-05-01T22:25:15Z");
    check("${now - 1h 30m}", "2024-05-01T21:00:15Z");
    check("${today+1d}", "2024-05-02");
    check("${now-1d+30}", "2024-04-30T22:30:45Z");
    check("${now | epoch}", 1_714_602_615);
    check("${now | epoch_ms}", 1_714_602_615_000_i64);
    check("${today | epoch}", 1_714_521_600);
    check("${today-1d | iso8601}", "2024-04-30T00:00:00Z");
    check("${now|format('%d.%m.%Y | %H:%M')}", "01.05.2024 | 22:30");
    check("from ${today-30d | format(\"%Y%m%d\")}", "from 20240401");
    check("${day | format('%d/%m/%y')}", "29/02/24");
    check("${moment | iso8601}", "2024-02-29T08:20:30Z");
    check_failure(
        "${site | epoch}",
        expect!["the value of 'site' is not a moment; expected one such as '2024-05-01' or '2024-05-01T10:20:30Z'"],
    );
}

#[test]
fn clocks_of_a_zone_are_read() {
    check("${now | tz('Europe/Berlin') | format('%Y-%m-%d %H:%M')}", "2024-05-02 00:30");
    check("${now | tz('europe/berlin')}", "2024-05-02T00:30:15+02:00");
    check("${now | tz(zone) | format('%Y-%m-%d %H:%M')}", "2024-05-01 18:30");
    check("${today | tz('Europe/Berlin')}", "2024-05-02");
    check("${today | tz('Europe/Berlin') | epoch}", 1_714_600_800);
    check("${now | tz('Asia/Kolkata') | iso8601}", "2024-05-02T04:00:15+05:30");
    // A day that begins with an hour of daylight saving less is a day all the same.
    check("${today-32d | tz('Europe/Berlin') | iso8601}", "2024-03-31T00:00:00+01:00");
    check("${today-31d | tz('Europe/Berlin') | iso8601}", "2024-04-01T00:00:00+02:00");
    check_failure(
        "${now | tz(site)}",
        expect!["the value of 'now' 'Main Street' is not a time zone; expected one such as 'Europe/Berlin' or 'UTC'"],
    );
}

#[test]
fn filters_work_from_left_to_right() {
    check("${site | lower}", "main street");
    check("${site | upper | base64}", "TUFJTiBTVFJFRVQ=");
    check("${site | snake}", "main_street");
    check("${ids | join(', ')}", "1, a'b, 3");
    check("(${ids | quote(sql) | join(',')})", "(1,'a''b',3)");
    check("${site | quote(jql)}", "\"Main Street\"");
    check("${object | json}", "{\"a\":1}");
    check("${site | json}", "\"Main Street\"");
    check("${gone | default('x') | upper}", "X");
    check("${gone | default(7)}", 7);
    check("${gone | default(null)}", JsonValue::Null);
    check("${gone | default(site)}", "Main Street");
    check("${n | default(0)}", 7);
    check("${site | default('}')}", "Main Street");
}

#[test]
fn names_become_words_with_lines_below() {
    for (text, expected) in
        [("LineItem", "line_item"), ("HTTPServer", "http_server"), ("Account__c", "account_c"), ("a b-C2d", "a_b_c2d"), ("id", "id")]
    {
        let template = Template::parse_value(&format!("${{gone | default('{text}') | snake}}")).unwrap();
        assert_eq!(template.render(&Known::new()).unwrap(), expected);
    }
}

#[test]
fn what_is_no_value_is_a_mistake() {
    check_mistake("a ${site", expect!["'${site' has no '}' at its end"]);
    check_mistake(
        "${}",
        expect![[
            r#"'${}': '' is not a name; expected that of a param or an option, or a moment such as 'now-5m', then filters such as '| lower'"#
        ]],
    );
    check_mistake(
        "${a b}",
        expect![[
            r#"'${a b}': 'a b' is not a name; expected that of a param or an option, or a moment such as 'now-5m', then filters such as '| lower'"#
        ]],
    );
    check_mistake("${now-5x}", expect!["'${now-5x}': '-5x' is not a length of time; expected one such as '-5m', '+1d' or '-1h 30m'"]);
    check_mistake("${now | fromat('%Y')}", expect!["'${now | fromat('%Y')}': there is no filter 'fromat'; did you mean 'format'?"]);
    check_mistake("${now | format}", expect!["'${now | format}': filter 'format' needs a format in quotes: format('%Y-%m-%d')"]);
    check_mistake("${now | format('YYYY')}", expect!["'${now | format('YYYY')}': 'YYYY' has no date in it; expected a strftime format such as '%Y-%m-%d %H:%M', or one of: iso8601, epoch, epoch_ms, http"]);
    check_mistake(
        "${now | tz('Europe/Berln')}",
        expect!["'${now | tz('Europe/Berln')}': 'Europe/Berln' is not a time zone; did you mean 'Europe/Berlin'?"],
    );
    check_mistake(
        "${a | quote}",
        expect!["'${a | quote}': filter 'quote' needs a query language: sql, mysql, soql, jql, gaql, odata, hogql, graphql, kql, lucene"],
    );
    check_mistake(
        "${a | quote(sqll)}",
        expect!["'${a | quote(sqll)}': filter 'quote' does not know the query language 'sqll'; did you mean 'sql'?"],
    );
    check_mistake("${a | raw | lower}", expect!["'${a | raw | lower}' has a filter behind 'raw'; put 'raw' last"]);
    check_mistake("${a | lower(1)}", expect!["'${a | lower(1)}': filter 'lower' takes nothing in brackets"]);
    check_mistake("${a | join(','}", expect!["'${a | join(','}': 'join(','' has no ')'"]);
}

#[test]
fn paths_have_short_holes_too() {
    let template = Template::parse_path("/{owner}/${day | format('%Y')}/{x y}/{").unwrap();
    assert_eq!(template.names().collect::<Vec<_>>(), ["owner", "day"]);
    assert_eq!(template.to_string(), "/${owner}/${day | format('%Y')}/{x y}/{");
    for text in ["", "{", "a{b", "{}", "{+x}", "$", "}{", "{{a b}}"] {
        assert_eq!(Template::parse_path(text).unwrap().as_literal(), Some(text), "{text}");
    }
    assert_eq!(Template::parse_value("{a}").unwrap().as_literal(), Some("{a}"));
}

#[test]
fn json_keeps_types_and_leaves_out_what_has_no_value() {
    let text = |text: &str| JsonTemplate::Text(Template::parse_value(text).unwrap());
    let entries = [
        ("n", text("${n}")),
        ("gone", text("${gone}")),
        ("none", text("${none}")),
        ("list", JsonTemplate::List(vec![text("${gone}"), text("a ${site}")])),
    ];
    let template = JsonTemplate::Object(entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect());
    let filled = template.fill(&Known::new(), &NoRows).unwrap().unwrap();
    assert_eq!(filled, json!({ "n": 7, "none": null, "list": [null, "a Main Street"] }));
    let template = JsonTemplate::Object(vec![("since".to_string(), text("${now}"))]);
    let load = LoadValues { now: Some(1_714_602_615_000_000), format: DateFormat::parse("epoch").unwrap(), ..LoadValues::default() };
    assert_eq!(template.fill(&load, &NoRows).unwrap().unwrap(), json!({ "since": 1_714_602_615 }));
}

#[test]
fn names_that_a_load_fills_are_known() {
    for name in Builtin::NAMES {
        assert!(is_name(name) && Builtin::named(name).is_some(), "{name}");
    }
    assert_eq!(Builtin::named("job.id"), Some(Builtin::Job));
    assert_eq!([Builtin::named("object.name"), Builtin::named("fields")], [Some(Builtin::Discovered); 2]);
    assert_eq!((Builtin::named("window"), Builtin::named("token.instance_url")), (None, Some(Builtin::Token)));
}

#[test]
fn a_name_that_only_a_path_can_hold_is_written_as_it_stands_there() {
    for text in ["/a/{T--}", "/a/{today-7d}/b", "/a/{id}", "/a/${today-7d}"] {
        let template = Template::parse_path(text).unwrap();
        assert_eq!(Template::parse_path(&template.to_string()).unwrap(), template, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_template_or_an_error(text in "([ -~]|\\$\\{|[|'}]){0,24}") {
        for parse in [Template::parse_path, Template::parse_value] {
            if let Ok(template) = parse(&text) {
                // What is written back means the same.
                prop_assert_eq!(&parse(&template.to_string()).unwrap(), &template);
                let _ = template.value(&Known::new());
            }
        }
    }

    #[test]
    fn a_written_template_is_itself(name in "[a-z][a-z0-9_.]{0,5}", days in 0_u16..400, text in "[ a-zA-Z.:]{0,6}") {
        let text = format!("{text}${{today-{days}d | tz('UTC') | format('%Y{text}')}}${{{name} | default('{text}') | lower}}");
        let template = Template::parse_value(&text).unwrap();
        prop_assert_eq!(template.to_string(), text);
    }
}
