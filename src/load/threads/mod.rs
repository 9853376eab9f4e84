//! The threads of one database, and whose turn it is.
//!
//! # Threads of a database instance
//!
//! Threads belong to the state of one database instance: network threads, converting threads, one writer per load, the daemon. That
//! state holds the database weakly, and opens a session only for a piece of work. All threads block SIGPIPE, because it would end a
//! process whose host left it at its default. Requests are sent on network threads only, also those of a `COPY`. Before each request
//! DuckDB is asked whether `enable_external_access` still holds: the bridge reads it, and where one alone keeps the database open, a
//! session does, on a thread that may block. When the database is closed or the process ends, its jobs are cancelled and its threads
//! are joined. A writer may find itself the last to keep the database open. Then it takes its rows back and leaves at once, without
//! DuckDB's checkpoint: what was committed is in the WAL.
//!
//! | Thread | How many | What it does |
//! |---|---|---|
//! | DuckDB's own | | statements: they start jobs and wait for them, read from an API, write rows to one, and append those that a load brings fast |
//! | `unify-load` | one for each job that works | plans, writes, publishes; or waits for a job of another process |
//! | `unify-net` | 1, from eight cores on 2 | sockets; more while one has to block |
//! | `unify-conv` | one for each core | parse and convert pages |
//! | `unify-daemon` | at most 1 | looks at the age of tables |
//! | `unify-heartbeat` | at most 1 | gives signs of life in databases of several processes |
//!
//! Whoever discovers what an API has holds the turn of that connection (`catalog/discoveries`) over the requests, and takes it before
//! any other lock. Whoever waits for it looks every few milliseconds whether the user interrupted.
//!
//! A thread takes the locks of one database in this order, and skips those it does not need:
//!
//! 1. The turn of an attached database, to start a job there or to change what no job may load meanwhile; or the turn to publish. No
//!    thread takes both. They are held over statements. Whoever waits for one looks every few milliseconds whether the database closes
//!    or the job was cancelled.
//! 2. The state of the daemon.
//! 3. What the scheduler knows: jobs that run, that are remembered, or that have no thread, and threads. It is held over memory and the
//!    start of threads: never over a statement, a request, a file, or a wait. So closing gets it at once.
//! 4. The parts of `services`, each with a lock of its own.
//! 5. What belongs to one job: outcome, pause, log.
//!
//! The memory of a page is asked for in the order load, connection, all loads.

pub(super) mod cancellable_mutex;
pub(super) mod pool;
