"""Loads the table with dlt: load_dlt.py SERVER FOLDER MODE

MODE `defaults` sets nothing; `tuned` writes parquet, with more workers and files small enough for all of them to have work.
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
    os.environ.update(TUNING if mode == "tuned" else {})
    import dlt
    from dlt.sources.rest_api import rest_api_source

    start = time.perf_counter()
    Path(folder).mkdir()
    repos = {"name": "repos", "endpoint": {"path": "repos", "params": {"per_page": 100}, "paginator": {"type": "header_link"}}}
    if mode == "tuned":
        repos["parallelized"] = True
    source = rest_api_source({"client": {"base_url": f"{server}/"}, "resources": [repos]})
    destination = dlt.destinations.duckdb(f"{folder}/dlt.duckdb")
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="bench", pipelines_dir=folder)
    pipeline.run(source, **({"loader_file_format": "parquet"} if mode == "tuned" else {})).raise_on_failed_jobs()
    rows = pipeline.last_trace.last_normalize_info.row_counts["repos"]
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - start}))


# dlt's normalize workers are processes that import this file.
if __name__ == "__main__":
    main()
