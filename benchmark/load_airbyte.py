"""Loads the table with Airbyte: load_airbyte.py SERVER FOLDER MODE

MODE `read` reads the records with the low-code CDK and keeps none; `duckdb` writes them with PyAirbyte into its DuckDB cache.
"""

import json
import logging
import os
import sys
import time
import urllib.request
from pathlib import Path

PAGE_SIZE = 100
# What is not declared PyAirbyte does not write.
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def main() -> None:
    server, folder, mode = sys.argv[1:4]
    os.environ |= {"DO_NOT_TRACK": "1", "AIRBYTE_LOCAL_REGISTRY": "0", "AIRBYTE_LOGGING_ROOT": folder, "AIRBYTE_PROJECT_DIR": folder}
    Path(folder).mkdir()
    os.chdir(folder)
    start = time.perf_counter()
    rows = {"read": read, "duckdb": into_duckdb}[mode](manifest(server), folder)
    print("\n" + json.dumps({"rows": rows, "seconds": time.perf_counter() - start}))


def manifest(server: str) -> dict:
    """The declarative source: one stream whose pages are asked for by number."""
    requester = {"type": "HttpRequester", "url_base": server, "path": "/repos", "http_method": "GET"}
    size = {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "per_page"}
    number = {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"}
    strategy = {"type": "PageIncrement", "page_size": PAGE_SIZE, "start_from_page": 1}
    paginator = {"type": "DefaultPaginator", "page_size_option": size, "page_token_option": number, "pagination_strategy": strategy}
    selector = {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}}
    retriever = {"type": "SimpleRetriever", "requester": requester, "paginator": paginator, "record_selector": selector}
    loader = {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": columns(server)}}
    stream = {"type": "DeclarativeStream", "name": "repos", "primary_key": "id", "retriever": retriever, "schema_loader": loader}
    specification = {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}}
    check = {"type": "CheckStream", "stream_names": ["repos"]}
    return {"version": "6.0.0", "type": "DeclarativeSource", "check": check, "streams": [stream], "spec": specification}


def columns(server: str) -> dict:
    """Returns the schema of the fields that a page has."""
    with urllib.request.urlopen(f"{server}/repos?page=1&per_page={PAGE_SIZE}") as answer:
        rows = json.load(answer)
    values = {name: value for row in rows for name, value in row.items() if value is not None}
    return {name: {"type": ["null", TYPES[type(values.get(name, ""))]]} for row in rows for name in row}


def read(source: dict, _folder: str) -> int:
    """Reads all records."""
    from airbyte_cdk.models import AirbyteStream, ConfiguredAirbyteCatalog, ConfiguredAirbyteStream, DestinationSyncMode, SyncMode, Type
    from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

    stream = AirbyteStream(name="repos", json_schema={}, supported_sync_modes=[SyncMode.full_refresh])
    chosen = ConfiguredAirbyteStream(stream=stream, sync_mode=SyncMode.full_refresh, destination_sync_mode=DestinationSyncMode.overwrite)
    catalog = ConfiguredAirbyteCatalog(streams=[chosen])
    declared = ConcurrentDeclarativeSource(catalog=catalog, config={}, state=[], source_config=source)
    logging.disable(logging.CRITICAL)
    return sum(message.type == Type.RECORD for message in declared.read(logging.getLogger("bench"), {}, catalog, []))


def into_duckdb(source: dict, folder: str) -> int:
    """Reads all records and writes them to a DuckDB file."""
    import airbyte

    cache = airbyte.caches.DuckDBCache(db_path=f"{folder}/airbyte.duckdb", cache_dir=f"{folder}/cache")
    stream = airbyte.get_source("source-bench", config={}, source_manifest=source, streams="*")
    return stream.read(cache=cache, force_full_refresh=True).processed_records


if __name__ == "__main__":
    main()
