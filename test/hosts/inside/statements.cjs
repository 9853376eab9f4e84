// Runs statements of standard input in one database of Node's DuckDB: JSON in, JSON out, one line each.
// A request is {"sql": text}; an answer {"rows": [[text]]} or {"error": text}. {"away": URL} closes the connection, not the database, until the URL
// has answered; {"exit": "now"} ends the process.

const { DuckDBInstance } = require("@duckdb/node-api");
const readline = require("node:readline");

async function main() {
  const instance = await DuckDBInstance.create(process.argv[2] ?? ":memory:", { allow_unsigned_extensions: "true" });
  let session = await instance.connect();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { sql, exit, away } = JSON.parse(line);
    if (exit === "now") {
      process.exit(0);
    }
    if (away) {
      session.closeSync();
      await fetch(away);
      session = await instance.connect();
      continue;
    }
    let answer;
    try {
      const reader = await session.runAndReadAll(sql);
      const rows = reader.getRows().map((row) => row.map((value) => (value === null ? null : String(value))));
      answer = { rows };
    } catch (err) {
      answer = { error: String(err.message ?? err) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
  session.closeSync();
}

main().catch((err) => {
  process.stderr.write(`${err.stack}\n`);
  process.exitCode = 1;
});
