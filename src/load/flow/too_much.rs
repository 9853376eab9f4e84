//! What is said of a set that has more rows than the API gives.

use crate::http::ParamSet;
use crate::Error;

/// Returns the error of a set that has more than the API gives, and cannot be asked for in halves.
pub fn too_much(set: &ParamSet, err: &Error) -> Error {
    let remedy = match &set.window {
        None => "the table has no 'window' to be asked for in halves; give it one in the spec",
        Some(_) => "nothing smaller can be asked for; narrow the params, or give the window a smaller 'unit' if the API takes one",
    };
    Error::api(format!("{}: of {}; {remedy}", err.message(), window_text(set)))
}

/// Returns what a set asks for, for people.
pub fn window_text(set: &ParamSet) -> String {
    match set.window.as_ref().map(|windowed| windowed.window.names()) {
        Some([start, end]) => format!("the window from {start} to {end}"),
        None => "the whole table".to_string(),
    }
}
