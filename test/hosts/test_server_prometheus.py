"""Prometheus: samples as positional rows below the labels of their series, repeated params, POST by form, a map of flags; and the bundled adapter."""

import contextlib
import datetime
import pathlib
import subprocess
import time
import urllib.parse
from collections.abc import Callable, Iterator

import pytest

import servers

BEGIN = 1_700_000_040
N_MINUTES = 300
END = BEGIN + 60 * (N_MINUTES - 1)
# It scrapes itself and a target that is not there, and drops a third one.
CONFIG = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - {job_name: itself, static_configs: [{targets: [ADDRESS], labels: {team: "größe"}}]}
  - {job_name: absent, static_configs: [{targets: ["127.0.0.1:1"]}]}
  - {job_name: dropped, static_configs: [{targets: ["127.0.0.1:2"]}], relabel_configs: [{action: drop, source_labels: [job], regex: dropped}]}
"""
RULES = """
groups:
  - name: states
    interval: 1s
    rules:
      - {record: "job:up:sum", expr: sum by (job) (up)}
      - {alert: Down, expr: up == 0, labels: {severity: page}, annotations: {text: "{{ $labels.job }} is down"}}
      - {alert: Never, expr: up > 5}
"""
STATES = ("flags", "buildinfo", "runtimeinfo", "tsdb")
SERIES = [("north", "eu"), ("north", "us"), ('so"uth', "eu"), ("e\\ast", "")]


def samples() -> list[tuple[str, str, int, float]]:
    return [(shop, region, minute, number * 1000 + minute * 1.5) for number, (shop, region) in enumerate(SERIES) for minute in range(N_MINUTES)]


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@contextlib.contextmanager
def started(folder: pathlib.Path, config: str) -> Iterator[str]:
    """Runs a server, and gives its address."""
    address = f"127.0.0.1:{servers.free_port()}"
    (folder / "prometheus.yml").write_text(config.replace("ADDRESS", address))
    command = [
        servers.debian("prometheus", "prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={address}",
    ]
    with servers.running(command, f"http://{address}/-/ready", folder):
        yield f"http://{address}"


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory):
    """A server with samples that were made before, which scrapes nothing."""
    folder = tmp_path_factory.mktemp("prometheus")
    lines = ["# HELP orders_total Orders.", "# TYPE orders_total gauge"]
    for shop, region, minute, value in samples():
        lines.append(f'orders_total{{shop="{escaped(shop)}",region="{region}"}} {value} {BEGIN + 60 * minute}')
    lines += ["# TYPE stock gauge", f'stock{{shop="north"}} 1 {BEGIN}', f'stock{{shop="west"}} 2 {BEGIN}', "# EOF", ""]
    (folder / "samples.txt").write_text("\n".join(lines))
    promtool = servers.debian("promtool", "prometheus")
    subprocess.run([promtool, "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"], cwd=folder, check=True, capture_output=True)
    with started(folder, "{}\n") as address:
        yield address


def test_rows_are_those_of_the_server(python, around, prometheus):
    servers.connect(around, "prometheus", host=prometheus, begin=str(BEGIN), end=str(END))
    flags = servers.asked(f"{prometheus}/api/v1/status/flags")["data"]
    totals = {}
    for shop, _, minute, value in samples():
        if minute == N_MINUTES - 1:
            totals[shop] = totals.get(shop, 0) + value
    regions = sorted({region for _, region in SERIES if region})
    shops = sorted({shop for shop, _ in SERIES} | {"west"})
    names = [("__name__", "orders_total"), ("__name__", "stock"), *(("region", region) for region in regions), *(("shop", shop) for shop in shops)]
    servers.compare(python, around, {
        "SELECT shop, coalesce(region, ''), epoch(time)::BIGINT, value FROM prometheus.samples ORDER BY ALL": sorted(
            (shop, region, BEGIN + 60 * minute, value) for shop, region, minute, value in samples()
        ),
        "SELECT shop, epoch(time)::BIGINT, total FROM prometheus.latest ORDER BY shop": [(shop, END, total) for shop, total in sorted(totals.items())],
        "SELECT __name__, shop, coalesce(region, '') FROM prometheus.series ORDER BY ALL": sorted(
            [("orders_total", shop, region) for shop, region in SERIES] + [("stock", "north", "")]
        ),
        "SELECT value FROM prometheus.labels ORDER BY ALL": [("__name__",), ("region",), ("shop",)],
        "SELECT name, value FROM prometheus.label_values ORDER BY ALL": names,
        "SELECT flag, value FROM prometheus.flags ORDER BY flag": sorted(flags.items()),
    })


def test_a_query_that_is_wrong_says_why(python, around, prometheus):
    servers.connect(around, "prometheus", host=prometheus, begin=str(BEGIN), end=str(END))
    [told] = servers.told(python, around, "SELECT * FROM prometheus.wrong")
    assert "returned 400" in told and "unclosed left parenthesis" in told, told


def asked(prometheus: str, path: str) -> object:
    return servers.asked(f"{prometheus}/api/v1/{urllib.parse.quote(path, safe='/?=&')}")["data"]


def until(is_so: Callable[[], object], else_told: str) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, else_told


def pairs(prometheus: str, name: str) -> list[tuple[str, int]]:
    return sorted((pair["name"], pair["value"]) for pair in asked(prometheus, "status/tsdb")[name])


@pytest.fixture(scope="session")
def scraped(tmp_path_factory):
    """A server that has scraped its targets, whose alert fires."""
    folder = tmp_path_factory.mktemp("scraped")
    (folder / "rules.yml").write_text(RULES)
    with started(folder, CONFIG) as address:
        until(lambda: asked(address, "alerts")["alerts"] and asked(address, "targets?state=any")["droppedTargets"], "no alert fires")
        # It counts its own requests by their paths: what a test asks for makes no series that were not there before.
        for path in ("labels", "label/job/values", "metadata", "rules", "alertmanagers", *(f"status/{name}" for name in STATES)):
            asked(address, path)
        counted = 'query?query=prometheus_http_requests_total{handler="/api/v1/status/tsdb"}'
        until(lambda: asked(address, counted)["result"], "its own requests are not counted")
        until(lambda: "prometheus_target_interval_length_seconds" in asked(address, "metadata"), "it was scraped once")
        yield address


def test_the_bundled_adapter_has_the_rows_of_the_server(python, around, scraped):
    servers.connect(around, "prometheus", host=scraped, queries="up; absent(up)", step="1h")
    targets = asked(scraped, "targets")["activeTargets"]
    rules = [(group["name"], rule["name"], rule["type"], rule["query"]) for group in asked(scraped, "rules")["groups"] for rule in group["rules"]]
    alerts = [(alert["labels"]["alertname"], alert["state"], alert["labels"]["severity"], alert["annotations"]["text"]) for alert in asked(scraped, "alerts")["alerts"]]
    metadata = [(name, one["type"], one["help"]) for name, kinds in asked(scraped, "metadata").items() for one in kinds]
    names = asked(scraped, "label/__name__/values")
    values = [(label, value) for label in asked(scraped, "labels") for value in asked(scraped, f"label/{label}/values")]
    assert len(targets) == 2 and len(rules) == 3 and len(alerts) == 1 and len(metadata) > 100 and len(names) > 100
    servers.compare(python, around, {
        "SELECT metric, type, help FROM prometheus.metadata ORDER BY encode(metric), type, help": sorted(metadata, key=lambda row: row[0].encode()),
        "SELECT value FROM prometheus.labels ORDER BY encode(value)": sorted((label,) for label in asked(scraped, "labels")),
        "SELECT label, value FROM prometheus.label_values ORDER BY encode(label), encode(value)": sorted(
            values, key=lambda row: (row[0].encode(), row[1].encode())
        ),
        "SELECT value FROM prometheus.metrics ORDER BY encode(value)": sorted((name,) for name in names),
        "SELECT job, instance, health, scrape_url, labels->>'team' FROM prometheus.targets ORDER BY job": sorted(
            (one["labels"]["job"], one["labels"]["instance"], one["health"], one["scrapeUrl"], one["labels"].get("team")) for one in targets
        ),
        "SELECT discovered_labels->>'__address__' FROM prometheus.dropped_targets": [("127.0.0.1:2",)],
        "SELECT groups_name, name, type, query FROM prometheus.rules ORDER BY ALL": sorted(rules),
        "SELECT name, interval, json_array_length(rules) FROM prometheus.rule_groups": [("states", 1.0, 3)],
        "SELECT name, state, severity, annotations->>'text' FROM prometheus.alerts": alerts,
        "SELECT count(*) FROM prometheus.alertmanagers": [(0,)],
        "SELECT flag, value FROM prometheus.flags ORDER BY flag": sorted(asked(scraped, "status/flags").items()),
        "SELECT version, revision, go_version FROM prometheus.build": [
            tuple(asked(scraped, "status/buildinfo")[name] for name in ("version", "revision", "goVersion"))
        ],
        "SELECT storage_retention, reload_config_success FROM prometheus.runtime": [("100y", True)],
        "SELECT query, metric->>'job', value FROM prometheus.samples_now ORDER BY ALL": [("up", "absent", "0"), ("up", "itself", "1")],
        "SELECT job, targets, up FROM prometheus.target_health ORDER BY job": [("absent", 1, 0), ("itself", 1, 1)],
        "SELECT name, value FROM prometheus.series_by_metric ORDER BY encode(name)": pairs(scraped, "seriesCountByMetricName"),
        "SELECT name, value FROM prometheus.series_by_label ORDER BY encode(name)": pairs(scraped, "seriesCountByLabelValuePair"),
        "SELECT bool_and(ok) FROM unify_test_connection('prometheus')": [(True,)],
    }, specs=servers.BUNDLED)


def test_the_bundled_adapter_has_the_samples_day_by_day(python, around, prometheus):
    """The samples are years old, and the days since then are asked for one after the other."""
    since = datetime.datetime.fromtimestamp(BEGIN, datetime.UTC).date()
    servers.connect(around, "prometheus", host=prometheus, queries='orders_total{region="eu"}', since=str(since), step="1m")
    wanted = sorted((shop, BEGIN + 60 * minute, value) for shop, region, minute, value in samples() if region == "eu")
    servers.compare(python, around, {
        "SELECT metric->>'shop', epoch(time)::BIGINT, value FROM prometheus.samples "
        f"WHERE time BETWEEN to_timestamp({BEGIN})::TIMESTAMP AND to_timestamp({END})::TIMESTAMP ORDER BY ALL": wanted,
    }, specs=servers.BUNDLED)
