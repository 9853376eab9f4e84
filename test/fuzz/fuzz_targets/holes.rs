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
    for template in [Template::parse_value(text), Template::parse_path(text)].into_iter().flatten() {
        let again = Template::parse_value(&template.to_string());
        assert!(again.is_ok(), "{template} does not parse");
        let _ = template.render(&Any(value));
        let _ = template.text(&Any(value));
    }
});
