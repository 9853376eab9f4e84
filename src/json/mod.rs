//! JSON as it arrives from APIs: parsed once, walked without copying.

mod node;
mod parse;
mod path;
mod repair;
mod write;

#[cfg(test)]
pub(crate) mod tests;

pub use node::{ArrayIter, BigNumber, Node, ObjectIter, View};
pub use parse::{parse, Document, JsonFault, Parser, MAX_DEPTH};
pub use path::JsonPath;
pub use serde_json::{Map as JsonMap, Number as JsonNumber, Value as JsonValue};
pub use write::{write_double, write_text};
