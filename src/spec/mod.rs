//! Adapter specs: the YAML file that describes one system's API, parsed into values that are valid by construction.

mod model;
mod query;
mod secret;
mod template;
pub mod yaml;

pub use model::*;
pub use secret::Secret;
pub use template::{Part, Template};
