//! Loads: what fills a table from its TableDef, on the loader's own threads.

mod classes;
mod clock;
mod daemon;
mod discovery;
mod flow;
mod identity;
mod job;
mod known;
mod loader;
mod pages;
mod plan;
mod publish;
mod read;
mod records;
mod run;
mod scheduler;
mod services;
mod staging;
mod take_back;
mod target;
mod threads;
mod write;
mod write_back;

pub use daemon::{ConnectionOf, Connections, DaemonRun, DaemonStatus, LoadedTable, MachineLoad, NextRefresh, Say, Why};
pub use job::awaited::Awaited;
pub use job::handle::Job;
pub use job::progress_line::{print_line, ProgressLine};
pub use job::report::{JobState, LoadAction, LoadReport};
pub use job::started::Started;
pub use known::KnownJob;
pub use loader::Loader;
pub use read::ask::Ask;
pub use read::authorize::{Authorized, ConsentTalk};
pub use read::explain::PlannedStep;
pub use read::probe::Probe;
pub use read::stream::{StreamRun, Streamed, TableStream};
pub use records::audit::LOG_TYPE;
pub use records::changed::{ChangedRow, StoredChanges};
pub use records::discovery::{discovery_spec, Discovery};
pub use records::{RecordTable, LOADING_JOBS, LOADING_LOG};
pub use services::dry_runs::PlannedWrite;
pub use take_back::connection_schema::{ConnectionSchema, DroppedObject, SchemaOutcome};
pub use target::TableTarget;
pub use write_back::statement::{WriteBack, WriteMode};

#[cfg(test)]
mod tests;
