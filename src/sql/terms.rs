//! The field's words for what Unify does, such as "incremental": HELP explains each, and lists the statements, functions and settings it is about.

/// A word of the field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub name: &'static str,
    /// Other words for the same.
    pub synonyms: &'static [&'static str],
    pub description: &'static str,
    /// Topics of HELP that are about it.
    pub related: &'static [&'static str],
}

impl Term {
    /// Returns whether `topic` is the term, or another word for it.
    pub(super) fn is_called(&self, topic: &str) -> bool {
        self.names().any(|name| name.eq_ignore_ascii_case(topic))
    }

    /// Returns the term and the other words for it.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.synonyms.iter().copied())
    }
}

pub(super) static TERMS: &[Term] = &[
    Term {
        name: "authentication",
        synonyms: &["auth", "credentials", "secret", "secrets", "token", "password", "api key"],
        description: "A connection holds the credentials of an account. Write env('NAME') in CREATE CONNECTION, or $NAME in the connections \
                      file: the value is read from the environment when the connection is used. 'auth' in the adapter spec says what is sent.",
        related: &["CREATE CONNECTION", "TEST CONNECTION", "unify_connections_file", "unify_allow_http"],
    },
    Term {
        name: "cache",
        synonyms: &["caching"],
        description: "A loaded table is an ordinary table of the database. SELECT reads it and asks the API nothing. REFRESH TABLE brings it up to date.",
        related: &["REFRESH TABLE", "SHOW TABLES IN", "CLEAR TABLE", "unify_max_staleness"],
    },
    Term {
        name: "certificate",
        synonyms: &["tls", "ssl", "ca"],
        description: "A server's certificate must be signed by an authority that this machine trusts. SSL_CERT_FILE in the environment names a file \
                      of authorities in PEM format, for an authority of your own.",
        related: &["TEST CONNECTION", "unify_allow_http"],
    },
    Term {
        name: "checkpoint",
        synonyms: &["resume", "restart"],
        description: "The place that a load has reached. It is stored with the rows, in one transaction. After a failure, a cancel or the end of \
                      the process the next load goes on from there. The statement CHECKPOINT is DuckDB's own.",
        related: &["LOAD TABLE", "CANCEL JOB", "CLEAR TABLE"],
    },
    Term {
        name: "concurrency",
        synonyms: &["parallel", "threads"],
        description: "Requests of one connection run side by side. 'throttle' in the adapter spec can allow fewer: concurrency, requests_per_second.",
        related: &["unify_loader_threads", "unify_memory_limit"],
    },
    Term {
        name: "cursor",
        synonyms: &["watermark", "bookmark", "high watermark"],
        description: "The greatest value of a column that says how far a table is. With 'cursor' below 'refresh' in the adapter spec, REFRESH TABLE \
                      asks for what comes after it; ${cursor} in a param stands for the value.",
        related: &["REFRESH TABLE", "EXPLAIN REFRESH TABLE"],
    },
    Term {
        name: "discovery",
        synonyms: &["discover", "custom objects", "custom fields"],
        description: "Some APIs say which objects and fields they have. 'discover' in the adapter spec makes tables of them. What an API said is kept in \
                      unify.discovered; DISCOVER CONNECTION asks again.",
        related: &["DISCOVER CONNECTION", "SHOW TABLES IN", "SHOW COLUMNS FROM"],
    },
    Term {
        name: "export",
        synonyms: &["parquet", "csv"],
        description: "A loaded table is an ordinary table: COPY conn.table TO 'file.parquet' writes it. COPY with FORMAT unify writes rows to an API.",
        related: &["COPY"],
    },
    Term {
        name: "history",
        synonyms: &["snapshot", "snapshots", "versions"],
        description: "A refresh keeps the newest form of each row. To keep older forms, INSERT INTO a table of your own SELECT now(), * FROM conn.table.",
        related: &["REFRESH TABLE", "unify_loading_jobs"],
    },
    Term {
        name: "incremental",
        synonyms: &["incremental load", "delta", "changes", "upsert", "merge"],
        description: "Loading only what is new or changed. The adapter spec says so with refresh: {strategy: updates}. REFRESH TABLE then asks the API \
                      for the changes and merges them by key. RELOAD TABLE loads everything.",
        related: &["REFRESH TABLE", "RELOAD TABLE", "EXPLAIN REFRESH TABLE"],
    },
    Term {
        name: "log",
        synonyms: &["logs", "logging", "audit", "audit trail"],
        description: "information_schema.loading_jobs has the start and the end of each load with its error; information_schema.loading_log has the messages.",
        related: &["unify_loading_jobs", "unify_loading_log", "unify_log_level", "unify_log_retention"],
    },
    Term {
        name: "paging",
        synonyms: &["pagination", "page", "pages", "page size", "offset", "limit"],
        description: "APIs give long lists in pages. 'paging' in the adapter spec says how the next page is asked for, and page_size how many rows it has.",
        related: &["PEEK", "unify_max_pages"],
    },
    Term {
        name: "placeholder",
        synonyms: &["placeholders", "template", "variable", "variables", "hole"],
        description: "A place in an adapter spec that a value fills: {param} and {option} in a path, ${option}, ${timestamp}, ${cursor} and ${today} in \
                      params. In the connections file $NAME is a variable of the environment.",
        related: &["CREATE CONNECTION", "unify_fetch"],
    },
    Term {
        name: "proxy",
        synonyms: &["http_proxy", "https_proxy", "no_proxy"],
        description: "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY in the environment are obeyed. No proxy is asked for addresses of this machine.",
        related: &["TEST CONNECTION", "unify_http_timeout"],
    },
    Term {
        name: "rate limit",
        synonyms: &["rate limits", "throttle", "throttling", "quota"],
        description: "A request that an API refuses for its rate limit is sent again later, as Retry-After or the API's headers say. 'throttle' in the \
                      adapter spec keeps below a limit. SHOW ALL JOBS says what a job waits for.",
        related: &["SHOW ALL JOBS", "EXPLAIN REFRESH TABLE", "unify_loader_threads"],
    },
    Term {
        name: "retry",
        synonyms: &["retries", "timeout", "timeouts", "backoff"],
        description: "A request that failed for a reason that may pass is sent again, five tries in all unless 'retry' in the adapter spec says otherwise.",
        related: &["unify_http_timeout", "unify_load_timeout", "unify_loading_log"],
    },
    Term {
        name: "schedule",
        synonyms: &["scheduling", "scheduler", "cron", "systemd", "freshness", "staleness"],
        description: "Loads at fixed times. The daemon refreshes each loaded table when it is older than its max_staleness. cron and systemd can run \
                      REFRESH SCHEMA or CALL unify_daemon().",
        related: &["START DAEMON", "STOP DAEMON", "SYSTEM STATUS", "REFRESH SCHEMA", "unify_max_staleness", "unify_daemon_max_load"],
    },
    Term {
        name: "schema evolution",
        synonyms: &["schema change", "schema changes", "schema drift"],
        description: "A new field becomes a column, and a value that does not fit widens its column. unify.schema_changes lists what changed.",
        related: &["RELOAD TABLE", "SHOW COLUMNS FROM"],
    },
    Term {
        name: "timestamp",
        synonyms: &["timestamps", "time zone", "timezone", "utc"],
        description: "Moments are TIMESTAMP columns in UTC. ${timestamp} in the adapter spec's refresh params is the start of the last load less \
                      'lookback', so that a refresh asks for what changed since; 'format' says how it is written.",
        related: &["REFRESH TABLE", "SHOW TABLES IN", "unify_loading_jobs"],
    },
];
