//! JSON as it arrives from APIs.

mod digits;
mod lines;
mod look;
mod parse;
mod repair;

pub use digits::{gives_back, has_digits};
pub use lines::{read_lines, Lines};
pub use look::{read_json, tree_of, value_at};
pub use parse::{parse, Document, Parser, MAX_DEPTH};
