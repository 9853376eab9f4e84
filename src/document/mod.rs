//! The bodies of answers as documents: parsed once, walked without copying, whatever the format.

mod body;
mod charset;
mod csv;
mod cut;
mod fault;
mod format;
mod json;
mod names;
mod node;
mod path;
mod path_limits;
mod scalar;
mod unpack;
mod weight;
mod write;
mod xml;

#[cfg(test)]
pub(crate) mod tests;

pub use body::{Body, BodyWeight};
pub use charset::{is_charset, misread};
pub use cut::{BodyPart, Cutter};
pub use fault::Fault;
pub use format::{BodyStyle, CsvStyle, Format, Header};
pub use glob::Pattern;
pub use json::{has_digits, parse, read_json, tree_of, value_at, Document, Parser, MAX_DEPTH};
pub use names::{column_name, distinct_names, stripped};
pub use node::{ArrayIter, BigNumber, Node, ObjectIter, View};
pub use path::JsonPath;
pub use serde_json::{json, Map as JsonMap, Number as JsonNumber, Value as JsonValue};
pub use weight::{check_free, short_of_memory, too_much, Weight};
pub use write::{quoted, write_double, write_text};
