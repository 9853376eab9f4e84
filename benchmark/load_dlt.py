"""Loads the table with dlt: load_dlt.py SERVER FOLDER MODE

MODE `defaults` sets nothing; `tuned` writes parquet, with more workers and files small enough for all of them to have work; `parallel` is tuned
and asks for each parent's page, several at a time.
"""

import json
import os
import sys
import time
from pathlib import Path

TUNING = {
    "DATA_WRITER__BUFFER_MAX_ITEMS": "10000",
    "DATA_WRITER__FILE_MAX_ITEMS": "10000",
    "EXTRACT__WORKERS": "10",
    "LOAD__WORKERS": "4",
    "NORMALIZE__WORKERS": "2",
}


def main() -> None:
    server, folder, mode = sys.argv[1:4]
    # Before the import: dlt reads its configuration from the environment.
    os.environ.update({"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"})
    tuned = mode != "defaults"
    os.environ.update(TUNING if tuned else {})
    import dlt
    from dlt.sources.rest_api import rest_api_source

    start = time.perf_counter()
    Path(folder).mkdir()
    repos = {"name": "repos", "endpoint": {"path": "repos", "params": {"per_page": 100}, "paginator": {"type": "header_link"}}}
    resources = [repos]
    if tuned:
        repos["parallelized"] = True
    if mode == "parallel":
        repos["endpoint"] = {"path": "owners/{resources.owners.id}/repos", "paginator": {"type": "single_page"}}
        resources.append({"name": "owners", "endpoint": {"path": "owners", "paginator": {"type": "single_page"}}})
    source = rest_api_source({"client": {"base_url": f"{server}/"}, "resources": resources})
    destination = dlt.destinations.duckdb(f"{folder}/dlt.duckdb")
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="bench", pipelines_dir=folder)
    pipeline.run(source, **({"loader_file_format": "parquet"} if tuned else {})).raise_on_failed_jobs()
    rows = pipeline.last_trace.last_normalize_info.row_counts["repos"]
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - start}))


# dlt's normalize workers are processes that import this file.
if __name__ == "__main__":
    main()
