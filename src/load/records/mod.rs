//! What Unify keeps in the user's databases: the tables of schema `unify`, and how they are read and written.

pub(super) mod audit;
pub(super) mod changed;
pub(super) mod checkpoints;
mod claim;
pub(super) mod discovered;
pub(super) mod discovery;
pub(super) mod exists;
pub(super) mod fingerprint;
pub(super) mod heartbeat;
pub(super) mod live_jobs;
pub(super) mod marks;
pub(super) mod owner;
pub(super) mod retry;
pub(super) mod staging_table;
pub(super) mod store;
mod tables;
mod version;

pub use tables::{RecordTable, LIVE_JOBS, LOADING_JOBS, LOADING_LOG, LOAD_STATE, SCHEMA_CHANGES};
pub use version::{check_version, prepare};
