// Unify, the DuckDB extension that turns REST APIs into SQL tables: `load` loads it into a connection of @duckdb/node-api.

"use strict";

const path = require("node:path");
const { lines, tested } = require("./releases.json");

/** Loads Unify into the connection's database. Fails where DuckDB would refuse it, and says what to do. */
async function load(connection) {
  const reader = await connection.runAndReadAll("SELECT version(), current_setting('allow_unsigned_extensions')");
  const [release, unsigned] = reader.getRows()[0];
  const supported = lines.flatMap((line) => line.releases);
  if (!supported.includes(release)) {
    throw new Error(
      `this duckdb-unify does not serve DuckDB ${release}, but ${supported.join(", ")}; ` +
        `install one of them with 'npm install @duckdb/node-api@${tested.node.at(-1)}'`,
    );
  }
  if (!unsigned) {
    throw new Error(
      "the connection does not allow unsigned extensions; " +
        "create the instance with DuckDBInstance.create(path, { allow_unsigned_extensions: \"true\" })",
    );
  }
  const extension = path.join(__dirname, "unify.duckdb_extension");
  await connection.run(`LOAD '${extension.replaceAll("'", "''")}'`);
}

exports.load = load;
