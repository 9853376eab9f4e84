//! Values of specs: texts with holes such as `${updated | format('%Y-%m-%d')}`, what fills them, and the JSON they stand in.

mod filled;
mod filter;
mod hole;
mod json;
mod moment;
mod name;
mod quote;
mod source;
mod template;
mod zone;

#[cfg(test)]
mod tests;

pub use filled::{number_of, Filled, Layered, NoSources, Sources};
pub use hole::Hole;
pub use json::{JsonTemplate, NoRows, Rows};
pub use moment::Moment;
pub use quote::Dialect;
pub use source::{
    Builtin, LoadValues, FIELDS_HOLE, JOB_HOLE, KEY_HOLE, OBJECT_HOLE, PAGE_HOLE, SETUP_HOLE, TOKEN_HOLE, WINDOW_END, WINDOW_START,
};
pub use template::{hole_text, Part, Template};
