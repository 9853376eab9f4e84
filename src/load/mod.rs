//! Loads: what fills a table from its TableDef, on the loader's own threads.

pub mod audit;
mod budget;
mod convert;
mod fetch;
mod identity;
mod in_order;
mod job;
mod loader;
mod peek;
mod places;
mod plan;
mod pool;
mod progress;
mod publish;
mod resume;
mod run;
mod store;
mod views;
mod writer;

pub use audit::LOG_TYPE;
pub use job::{Job, LoadAction, LoadReport};
pub use loader::{Loader, TableTarget};
