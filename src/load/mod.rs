//! Loads: what fills a table from its TableDef, on the loader's own threads.
//!
//! # Life of a load
//!
//! ```text
//! plan -> requests -> pages -> rows -> typed batches -> one writer -> publish
//! ```
//!
//! - Plan: parents load first, in jobs of their own. Then the table's parameter sets are known.
//! - Fetch: several requests per connection are in flight, within its rate limits. Pages that have a number or an offset are fetched
//!   side by side; pages that have a token or a link, one after the other. When an answer is read as the only page and shows that there
//!   is more, that is told. Rows that come or vanish at the source move others from page to page. Records that two pages share show it,
//!   and totals that fall. What moved is read again.
//! - Convert: each page is parsed once, into typed columns, off the network threads.
//! - Write: one writer appends to a staging table beside the target: an INSERT reads the batches, as rows of a table function
//!   (`ffi/feed`). While pages come fast and fit, one INSERT takes them as they come, on two of DuckDB's threads: one appends a row
//!   group while the other compresses the one before (`session/row_groups`). A large transaction ends with a row group. A page that
//!   does not fit widens a column, and a new field adds one. A schema keeps how the values of each column were written, so that a wider
//!   type gets the texts that came. Where that cannot be told, the load starts over with the wider type. When the writer is behind,
//!   fetching waits, so that only a bounded number of bytes is fetched and not written.
//! - Resume: each commit stores, with its rows, a checkpoint: how far every parameter set is. A load that was killed, cancelled or
//!   failed leaves its staging table. The next load goes on from there when spec, options and parameter sets are the same, and else
//!   starts over. "The same" means a hash of a canonical text of what rows depend on (`load/identity/canonical`), without descriptions
//!   and the like.
//! - Halves: a window with more rows than the API gives is asked for in two halves, which are parameter sets of their own. Rows of such
//!   tables carry a mark of their set while they are staged. The rows of the whole go in the transaction that notes the halves.
//! - Publish: when every parameter set ended well, one transaction puts the staging table in the target's place and writes the audit
//!   record. What a refresh by `updates` brought is merged by key instead. Columns, constraints and the like that users added to the
//!   table are brought over. Constraints need a copy for that, because `ALTER TABLE` cannot add them. In a database of several
//!   processes a table with additions keeps its place and gets new rows. Rows that came again are removed before, in a transaction of
//!   their own: DuckDB 1.5 cannot replay one that deletes rows and renames their table. Rows that are gone at the source and stay
//!   (`deletes: mark`) are added to the staging table in such a one, too. The last one counts what it adds, changes and removes.
//! - Suspend: when the API asks for a long wait, the job gives its thread back. Later it goes on as a killed one would. So it does
//!   while it waits for an API's job, whose id is in the checkpoint. The network threads ask how the job is meanwhile (`flow/export`).
//!
//! Tables and state may be in any attached database. A database that other processes write to has a table `unify.live_jobs`. It gives
//! out ids, and tells loads that live from loads that were killed.
//!
//! `load/records` defines each table of schema `unify` once, and their version, which `unify.meta` holds. The first transaction of a
//! statement that writes makes what is missing, and brings an older version to the newest. When the version is newer, the statement
//! fails before it writes. Rows name their columns. Empty texts and nulls mean the same there, because CSV turns one into the other.
//!
//! # Reading without a load
//!
//! `unify_fetch` streams: it fetches and converts as a load does, and hands pages to the statement instead of a writer. Its columns are
//! fixed when it is bound, so a later page fits them or is an error. It asks for as many pages ahead as were read. It keeps memory of
//! its own, so that a reader who stops does not hold up others.
//!
//! # Modules
//!
//! A file uses files of its own module and of those above it in this table. No files form a circle, and no chain of folders, each of
//! which uses the next, is longer than seven.
//!
//! | Module | What it does |
//! |---|---|
//! | `job` | the handle of a job (id, outcome, who asked it to stop), its progress and its log; reads have the last two without a job |
//! | `threads` | network and converting threads; a mutex whose waiting can be called off |
//! | `identity` | what a stored load is of |
//! | `records` | the tables of schema `unify`: definitions, audit, stored state, checkpoints, live jobs and their signs of life, discoveries |
//! | `target` | which table, of which connection, in which database |
//! | `known` | jobs with the tables they load |
//! | `plan` | parameter sets, cursors, whether an unfinished load goes on |
//! | `pages` | pages between those who fetch them and those who take them: what they are, and the memory they have |
//! | `staging` | staging tables: the columns they get while rows come, and how they become ready to be tables |
//! | `flow` | requests into typed pages, in order, within a bounded memory |
//! | `classes` | what adapters of a class of their own read: which tables there are, and their columns and rows |
//! | `write` | pages into a staging table: transactions, new and wider columns |
//! | `publish` | staging tables take the tables' place, or are merged, all in one transaction; what users added is kept |
//! | `services` | what jobs, reads and writes share: database, clients, threads, memory, record ids, turns; tables that somebody dropped. They know of no job |
//! | `read` | the reader: PEEK, TEST, EXPLAIN, `unify_fetch` and `unify_http`. It does not store anything or start a job |
//! | `run` | one job: it plans, fetches, writes and publishes, and says which parent it needs or how long it waits |
//! | `scheduler` | which jobs run, on which threads; it follows the edges from jobs to their parents |
//! | `loader` | what statements call |
//! | `discovery` | which tables and fields an API has: asks, and keeps the answer |
//! | `write_back` | COPY to an API |
//! | `take_back` | CLEAR, CANCEL, DROP |
//! | `daemon` | refreshes of tables that became too old |
//!
//! A job goes like this. `scheduler/start` notes it and gives it a thread. `run` says after each stretch of work what comes next: it
//! has ended, it needs a parent, or the API does not take requests before a moment. The scheduler starts the parent, or joins the job
//! that loads it. Until the parent has ended, or the moment has come, the job has no thread. `CANCEL JOB` gives it one at once, to end.

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
