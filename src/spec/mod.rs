//! Adapter specs: the YAML file that describes one system's API, parsed into values that are valid by construction.

mod bundled;
mod connection;
mod date_format;
mod duration;
mod model;
mod parse;
mod query;
mod refresh;
mod secret;
mod template;
mod write;
pub mod yaml;

pub use bundled::BUNDLED;
pub use date_format::{DateFormat, DATE_FORMATS};
pub use duration::{duration_of, DURATION_FORMS};
pub use model::*;
pub use refresh::{Cursor, Lookback, ParamOrigin, RefreshStrategy, Updates};
pub use secret::Secret;
pub use template::{Part, Template};
pub use write::{BodyTemplate, WriteBody, WriteDef, WriteMethod};
