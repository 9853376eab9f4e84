//! Command-line flags of the form `--name value`.

use std::fmt::Display;
use std::str::FromStr;

/// Returns the value of the flag `name`, or `default` when it is not given. Ends the process on a value that is not a `T`.
pub fn value_of<T: FromStr + Display>(name: &str, default: T) -> T {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(position) = arguments.iter().position(|argument| argument == name) else { return default };
    match arguments.get(position + 1).and_then(|text| text.parse().ok()) {
        Some(value) => value,
        None => {
            eprintln!("{name} wants a value such as {default}");
            std::process::exit(2);
        }
    }
}
