//! Any text is a spec, or has mistakes that each say where they are. What parses does so whether its tables may be broken or not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use unify::spec::AdapterSpec;

fuzz_target!(|text: &str| {
    let strict = AdapterSpec::parse("a.yaml", text);
    let usable = AdapterSpec::parse_usable("a.yaml", text);
    match strict {
        Ok(Some(spec)) => assert_eq!(usable.unwrap().map(|usable| usable.tables.len()), Some(spec.tables.len())),
        Ok(None) => assert!(usable.unwrap().is_none()),
        Err(err) => {
            for line in err.message().lines() {
                assert!(line.starts_with("a.yaml:"), "{line}");
            }
        }
    }
});
