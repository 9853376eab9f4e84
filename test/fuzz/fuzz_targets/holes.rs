//! A text with holes reads the same once it is written, and is filled or fails.

#![no_main]

use libfuzzer_sys::fuzz_target;
use unify::spec::{Filled, LoadValues, Sources, Template};

/// A value for each name.
struct Any<'a>(&'a str);

impl Sources for Any<'_> {
    fn value_of(&self, name: &str) -> Option<Filled> {
        let load = LoadValues { now: Some(1_700_000_000_000_000), timestamp: Some(-1), ..LoadValues::default() };
        load.value_of(name).or_else(|| (!name.len().is_multiple_of(3)).then(|| Filled::text(self.0.to_string())))
    }
}

fuzz_target!(|input: (&str, &str)| {
    let (text, value) = input;
    for parse in [Template::parse_value, Template::parse_path] {
        let Ok(template) = parse(text) else { continue };
        assert!(parse(&template.to_string()).is_ok_and(|again| again == template), "{template} is read as something else");
        let _ = template.render(&Any(value));
        let _ = template.text(&Any(value));
    }
});
