import type { DuckDBConnection } from "@duckdb/node-api";

/** Loads Unify into the connection's database. Fails where DuckDB would refuse it, and says what to do. */
export function load(connection: DuckDBConnection): Promise<void>;
