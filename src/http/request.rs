//! Requests that read: URL, headers and body, without credentials.

mod page;
mod path;
mod query;
mod set;
mod step;
mod table;
#[cfg(test)]
mod tests;
mod urls;
mod values;

pub use path::request_of_path;
pub use set::{ParamSet, Windowed};
pub use step::{files_of, request_of_step, Step};
pub use table::{request_of, unusable_value};
pub(super) use urls::url_of;
pub(super) use values::Values;
