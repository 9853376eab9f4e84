//! Loads: what fills a table from its TableDef, on the loader's own threads.

pub mod audit;
mod budget;
mod changes;
mod clear;
mod comments;
mod convert;
mod fetch;
mod identity;
mod in_order;
mod job;
mod loader;
mod merge;
mod merge_sql;
mod park;
mod peek;
mod places;
mod plan;
mod pool;
mod progress;
mod publish;
mod registry;
mod resume;
mod run;
mod scope;
mod store;
mod updates;
mod views;
mod writer;

pub use audit::LOG_TYPE;
pub use job::{Job, JobState, LoadAction, LoadReport};
pub use loader::{Loader, TableTarget};
pub use progress::ProgressLine;
pub use registry::KnownJob;
