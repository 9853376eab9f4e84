LOAD 'build/release/unify.duckdb_extension';
SET unify_connections_file = 'demo/connections.yaml';

-- What there is to select from.
SELECT "table", kind, loaded, description FROM unify_tables() WHERE connection = 'github';

-- The first SELECT downloads the table's pages, then answers; the next one is an ordinary table scan.
SELECT owner_login, count(*) AS repos, sum(stargazers_count) AS stars FROM github.repos GROUP BY ALL ORDER BY ALL;
SELECT name, "language", stargazers_count, pushed_at FROM github.repos ORDER BY stargazers_count DESC LIMIT 5;

-- What was loaded, when, and how it ended.
SELECT id, parent_id, timestamp, table_schema, table_name, action, numrows, status FROM information_schema.loading_jobs ORDER BY id;
SELECT timestamp, table_name, level, message FROM information_schema.loading_log ORDER BY timestamp;
