//! Adapter specs: the YAML file that describes one system's API, parsed into values that are valid by construction.

mod bundled;
mod connection;
mod model;
mod parse;
mod query;
mod secret;
mod template;
pub mod yaml;

pub use bundled::BUNDLED;
pub use model::*;
pub use secret::Secret;
pub use template::{Part, Template};
