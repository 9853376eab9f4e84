use super::*;
use crate::spec::{duration_of, LoadValues, NoSources, Template};
use proptest::prelude::*;

fn window_def(start: &str, end: &str, step: Step) -> WindowDef {
    let value = |text: &str| match Template::parse_value(text).unwrap() {
        template if template.as_literal().is_none() => ParamValue::Template(template),
        _ => ParamValue::Text(text.to_string()),
    };
    WindowDef { start: value(start), end: value(end), step, ends: Ends::Exclusive, unit: None, overlap: 0 }
}

fn time(text: &str) -> Step {
    Step::Time(duration_of(text).unwrap().as_micros() as i64)
}

fn shown(window_def: &WindowDef, written: i64) -> Vec<String> {
    let range = window_def.range(&NoSources, |_| written).unwrap();
    let text = |filled: Filled| filled.to_text(&DateFormat::default()).unwrap().unwrap();
    window_def.windows(range).unwrap().iter().map(|window| window.bounds().map(text).join(" ")).collect()
}

#[test]
fn a_range_is_cut_from_its_start_on() {
    assert_eq!(
        shown(&window_def("2024-01-01", "2024-01-08", time("3d")), 1),
        ["2024-01-01 2024-01-04", "2024-01-04 2024-01-07", "2024-01-07 2024-01-08"]
    );
    assert_eq!(
        shown(&window_def("2024-01-01", "2024-01-01T07:30:00Z", time("6h")), 1),
        ["2024-01-01T00:00:00Z 2024-01-01T06:00:00Z", "2024-01-01T06:00:00Z 2024-01-01T07:30:00Z"]
    );
    assert_eq!(shown(&window_def("0", "25", Step::Number(10)), 1), ["0 10", "10 20", "20 25"]);
    for (start, end) in [("2024-01-08", "2024-01-08"), ("2024-01-09", "2024-01-08")] {
        assert_eq!(shown(&window_def(start, end, time("3d")), 1), [] as [String; 0]);
    }
}

#[test]
fn where_ends_are_inclusive_the_next_window_starts_a_unit_later() {
    let inclusive = |window_def: WindowDef| WindowDef { ends: Ends::Inclusive, ..window_def };
    let days = inclusive(window_def("2024-01-01", "2024-01-05", time("2d")));
    assert_eq!(shown(&days, 1), ["2024-01-01 2024-01-02", "2024-01-03 2024-01-04", "2024-01-05 2024-01-05"]);
    let seconds = inclusive(window_def("2024-01-01T00:00:00Z", "2024-01-01T02:00:00Z", time("1h")));
    assert_eq!(
        shown(&seconds, SECOND),
        [
            "2024-01-01T00:00:00Z 2024-01-01T00:59:59Z",
            "2024-01-01T01:00:00Z 2024-01-01T01:59:59Z",
            "2024-01-01T02:00:00Z 2024-01-01T02:00:00Z"
        ]
    );
    let minutes = WindowDef { unit: Some(60 * SECOND), ..seconds };
    assert_eq!(shown(&minutes, SECOND)[0], "2024-01-01T00:00:00Z 2024-01-01T00:59:00Z");
    assert_eq!(shown(&inclusive(window_def("1", "20", Step::Number(10))), 1), ["1 10", "11 20"]);
    assert_eq!(shown(&inclusive(window_def("2024-01-02", "2024-01-01", time("1d"))), 1), [] as [String; 0]);
}

#[test]
fn months_are_those_of_the_calendar() {
    assert_eq!(
        shown(&window_def("2024-01-31", "2024-05-01", Step::Months(1)), 1),
        ["2024-01-31 2024-02-29", "2024-02-29 2024-03-31", "2024-03-31 2024-04-30", "2024-04-30 2024-05-01"]
    );
    let inclusive = WindowDef { ends: Ends::Inclusive, ..window_def("2023-11-01", "2024-01-31", Step::Months(1)) };
    assert_eq!(shown(&inclusive, 1), ["2023-11-01 2023-11-30", "2023-12-01 2023-12-31", "2024-01-01 2024-01-31"]);
}

#[test]
fn windows_reach_back_into_the_one_before_but_not_before_the_start() {
    let overlapping = WindowDef { overlap: WindowDef::DAY, ..window_def("2024-01-01", "2024-01-07", time("3d")) };
    assert_eq!(shown(&overlapping, 1), ["2024-01-01 2024-01-04", "2024-01-03 2024-01-07"]);
}

#[test]
fn bounds_come_from_holes_and_go_with_the_step() {
    let now = 1_714_602_615_000_000;
    let load = LoadValues { now: Some(now), ..LoadValues::default() };
    let range = |window_def: &WindowDef| window_def.range(&load, |_| 1);
    let of_days = range(&window_def("${today-2d}", "${today}", time("1d"))).unwrap();
    assert_eq!((of_days.scale, of_days.end - of_days.start), (Scale::Days, 2 * WindowDef::DAY));
    let of_moments = range(&window_def("${today-2d}", "${now-5m}", time("1d"))).unwrap();
    assert_eq!((of_moments.scale, of_moments.end), (Scale::Moments, now - 300 * SECOND));
    let hours = range(&window_def("${today-2d}", "${today}", time("1h"))).unwrap();
    assert_eq!(hours.scale, Scale::Moments);
    for (start, end, step, found) in [
        ("soon", "${now}", time("1d"), "'start' of the window is \"soon\"; expected a moment"),
        ("5", "x", Step::Number(1), "'end' of the window is \"x\"; the step is a number"),
        ("5", "${now}", Step::Number(1), "the step is a number"),
        ("${since}", "${now}", time("1d"), "'start' of the window has no value"),
        ("0", "9223372036854775807", Step::Number(1), "'end' of the window is"),
    ] {
        let err = range(&window_def(start, end, step)).unwrap_err();
        assert!(err.message().contains(found), "{err}");
    }
    let many = window_def("0", "10000000", Step::Number(1));
    let err = many.windows(range(&many).unwrap()).unwrap_err();
    assert!(err.message().contains("more than 100000 windows"), "{err}");
}

#[test]
fn a_day_is_the_same_in_all_zones() {
    let text = |text: &str| {
        let load = LoadValues {
            window: Some([Filled::Moment(Moment::of_date(1_704_067_200 * SECOND)), Filled::integer(0)]),
            ..LoadValues::default()
        };
        Template::parse_value(text).unwrap().text(&load).unwrap().unwrap()
    };
    for (zone, expected) in [("America/New_York", "2024-01-01T00:00:00-05:00"), ("Asia/Tokyo", "2024-01-01T00:00:00+09:00")] {
        assert_eq!(text(&format!("${{window.start | tz('{zone}')}}")), "2024-01-01");
        assert_eq!(text(&format!("${{window.start | tz('{zone}') | iso8601}}")), expected);
    }
    assert_eq!(text("${window.start | format('%d.%m.%Y')} ${window.start | epoch} ${window.start+1d}"), "01.01.2024 1704067200 2024-01-02");
}

#[test]
fn what_a_hole_tells_apart_is_known() {
    let grain = |text: &str, scale| grain_of(&Hole::parse(text).unwrap(), scale, &DateFormat::default()).unwrap();
    for (text, expected) in [
        ("window.start", SECOND),
        ("window.start | epoch_ms", 1000),
        ("window.start | format('%Y-%m-%dT%H:%M:%S.%f')", 1),
        ("window.start | format('%Y-%m-%d %H:%M')", 60 * SECOND),
        ("window.end | tz(zone) | format('%Y-%m-%d')", WindowDef::DAY),
        ("window.start | format('%Y-%m')", 31 * WindowDef::DAY),
        ("window.start | format('%Y')", 366 * WindowDef::DAY),
    ] {
        assert_eq!(grain(text, Scale::Moments), Some(expected), "{text}");
    }
    assert_eq!(grain("window.start", Scale::Days), Some(WindowDef::DAY));
    assert_eq!(grain("window.start | quote(sql)", Scale::Numbers), Some(1));
    assert_eq!(grain("window.start | format('%%')", Scale::Moments), None);
    assert!(grain_of(&Hole::parse("window.start | iso8601").unwrap(), Scale::Numbers, &DateFormat::default()).is_err());
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..400_i64).prop_map(|days| Step::Time(days * WindowDef::DAY)),
        (1..100_000_i64).prop_map(|seconds| Step::Time(seconds * SECOND)),
        (1..30_i64).prop_map(Step::Months),
    ]
}

proptest! {
    /// The law: windows cover the range, each part of it once, and the halves of a window cover the window, down to what is told apart.
    #[test]
    fn windows_cover_a_range_exactly_once(
        start in 0..4_000_000_000_i64, length in 0..3_000_000_i64, step in steps(), inclusive: bool, unit in prop::option::of(1..5_000_i64),
        is_days: bool,
    ) {
        // A range that has more windows than there may be is a mistake.
        let length = if let Step::Time(micros) = step { length.min(micros / SECOND * (MOST_WINDOWS - 2)) } else { length };
        let (start, end) = (start * SECOND, (start + length) * SECOND);
        let shown = |at: i64| if is_days { Moment::day_of(at).text(&DateFormat::default()) } else { Moment::at(at).text(&DateFormat::default()) };
        let ends = if inclusive { Ends::Inclusive } else { Ends::Exclusive };
        let unit = unit.filter(|_| !is_days).map(|seconds| seconds * SECOND);
        let window_def = WindowDef { ends, unit, ..window_def(&shown(start), &shown(end), step) };
        let range = window_def.range(&NoSources, |_| SECOND).unwrap();
        let windows = window_def.windows(range).unwrap();
        let at = |filled: &Filled| match filled { Filled::Moment(moment) => moment.micros(), other => panic!("{other:?}") };
        let gap = if inclusive { range.unit } else { 0 };
        let mut next = range.start;
        let mut open: Vec<Window> = windows.iter().rev().copied().collect();
        let mut n_split = 0;
        while let Some(window) = open.pop() {
            let [first, last] = window.bounds();
            prop_assert_eq!(at(&first), next);
            prop_assert!(at(&last) + gap > next);
            if let Some(halves) = window.halves().filter(|_| n_split < 40) {
                n_split += 1;
                open.extend(halves.into_iter().rev());
                continue;
            }
            next = at(&last) + gap;
        }
        prop_assert_eq!(next, range.end.max(range.start));
        let last = if is_days { end.div_euclid(WindowDef::DAY) * WindowDef::DAY } else { end };
        prop_assert_eq!(range.end - gap, last);
        let complete = window_def.complete_until(range);
        prop_assert!(complete == range.start || windows.iter().any(|window| window.end == complete));
        prop_assert!(windows.iter().filter(|window| window.end > complete).count() <= 1);
    }

    /// The law: no window is halved for ever.
    #[test]
    fn halving_ends_at_what_is_told_apart(length in 1..1_000_000_i64, grain in 1..1000_i64) {
        let window_def = WindowDef { unit: Some(grain), ..window_def("0", &length.to_string(), Step::Number(length)) };
        let range = window_def.range(&NoSources, |_| 1).unwrap();
        let mut window = window_def.windows(range).unwrap()[0];
        let mut n_halved = 0;
        while let Some([first, second]) = window.halves() {
            prop_assert!(first.start < first.end && first.end == second.start && second.start < second.end);
            window = if n_halved % 2 == 0 { second } else { first };
            n_halved += 1;
        }
        prop_assert!(window.end - window.start <= grain && n_halved <= 21);
    }
}
