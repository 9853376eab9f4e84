//! What adapters of a class of their own read: which tables there are, and how their rows come.
//!
//! A spec with a `class` has no requests. `spec/class` adds to it a table that stands for all that are discovered; its base URL and
//! params decide the identity of a load, and nothing is ever sent there. Everything else takes the way of a load: plan, staging table,
//! publication, audit, daemon. Two steps are others. `load/discovery` asks `load/classes` which tables there are, and a job's pass
//! takes its rows from there instead of pages:
//!
//! - `files`: DuckDB's reader finds the columns, and one INSERT fills the staging table in the transaction that stores the checkpoint.
//!   Another thread interrupts it when the job is cancelled (`load/write/watched`). The names, sizes and times of the files stand in
//!   the place of an answer's ETag: a refresh that finds the same ones keeps the table.
//! - `postgres`: one COPY per load hands rows on as pages, in the order of the primary key. The checkpoint is the key of the last row,
//!   so a load that was cut goes on behind it. The catalog of the server tells tables, keys and types. A value that a type does not
//!   have starts the load over with a column of texts, as values that widen a column of an API do.
//!
//! `PEEK` and `unify_fetch` are queries that DuckDB runs (`load/read/look`): the files' reader, or the rows that the server gave, as
//! `VALUES` with casts.
//!
//! Columns of such tables may have types that no field of an API has (`columns/native`). A batch has their values as texts, and DuckDB
//! casts them.

pub(super) mod file_rows;
pub(super) mod files;
pub(super) mod postgres;
