//! JSON as it arrives from APIs: parsed once, walked without copying.

mod path;

pub use path::JsonPath;
