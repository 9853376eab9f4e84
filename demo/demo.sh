#!/usr/bin/env bash
# Starts the small API server that comes with the project, loads tables from it in the DuckDB CLI, and stops the server.
set -euo pipefail
cd "$(dirname "$0")/.."
clis=(build/hosts/cli*/bin/duckdb)

exec 3< <(exec "${CARGO_TARGET_DIR:-target}/debug/testapi" --port 0)
server=$!
trap 'kill "$server"' EXIT
if ! read -r word UNIFY_DEMO_API <&3 || [[ $word != ready ]]; then
    echo "the API server did not start" >&2
    exit 1
fi
export UNIFY_DEMO_API
echo "The API server listens at $UNIFY_DEMO_API; demo/demo.sql in the DuckDB CLI:"
"${clis[-1]}" -unsigned -bail -echo -init /dev/null -f demo/demo.sql
