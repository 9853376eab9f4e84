"""moto: its Cost Explorer with the bundled adapter (signed requests, windows of days, pages by tokens in bodies, a signature that is wrong), its
Athena, whose rows are the results of jobs, and its CloudWatch, whose values stand in lists side by side."""

import contextlib
import datetime
import json
import pathlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import hosts
import servers

# Makes a user that may look at costs, and prints its key. moto checks signatures after these requests, and the one that finds it ready.
USER = """
import boto3, json, sys
iam = boto3.client("iam", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
iam.create_user(UserName="me")
document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ce:*", "athena:*", "monitoring:*"], "Resource": "*"}]}
iam.put_user_policy(UserName="me", PolicyName="all", PolicyDocument=json.dumps(document))
key = iam.create_access_key(UserName="me")["AccessKey"]
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"""
# Gives the metric of each shop its values, one a minute.
METERED = """
import boto3, datetime, json, sys
client = boto3.client("cloudwatch", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
begin, n_of_put = datetime.datetime.fromtimestamp(int(sys.argv[2]), datetime.UTC), int(sys.argv[3])
for shop, values in json.loads(sys.argv[4]).items():
    about = {"MetricName": "orders", "Dimensions": [{"Name": "shop", "Value": shop}], "Unit": "Count"}
    told = [{**about, "Timestamp": begin + datetime.timedelta(minutes=idx), "Value": value} for idx, value in enumerate(values)]
    for first in range(0, len(told), n_of_put):
        client.put_metric_data(Namespace="shops", MetricData=told[first : first + n_of_put])
"""
# As many values as CloudWatch takes at once.
N_OF_PUT = 1000
TODAY = datetime.datetime.now(datetime.UTC).date()
METRICS = ["UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost", "UsageQuantity"]
# A window of 90 days, whose answer has two pages, and one of 30.
N_DAYS, N_OF_PAGE, N_OF_WINDOW = 120, 60, 90
SERVICES = ["Amazon Simple Storage Service", 'EC2 - "Other"', "Größe"]


def day_of(number: int) -> str:
    return str(TODAY - datetime.timedelta(days=N_DAYS - number))


def amounts(number: int) -> dict:
    return {metric: {"Amount": f"{number}.00000000{idx}1", "Unit": "USD"} for idx, metric in enumerate(METRICS)}


def result(first: int, after: int, *, is_grouped: bool, token: str | None = None) -> dict:
    """Returns the costs of some days, as Cost Explorer gives them."""
    days = []
    for number in range(first, after):
        groups = [{"Keys": [service], "Metrics": amounts(number + idx)} for idx, service in enumerate(SERVICES)] if is_grouped else []
        total = {} if is_grouped else amounts(number)
        period = {"Start": day_of(number), "End": day_of(number + 1)}
        days.append({"TimePeriod": period, "Total": total, "Groups": groups, "Estimated": number > 100})
    return {"ResultsByTime": days, "DimensionValueAttributes": [], **({"NextPageToken": token} if token else {})}


@dataclass
class Moto:
    """A server, the key of a user, and a folder with the bundled adapter for its address: the bundled one knows Amazon's alone."""

    address: str
    key: str
    secret: str
    specs: pathlib.Path


@contextlib.contextmanager
def started(folder: pathlib.Path, n_unchecked: int = 0) -> Iterator[Moto]:
    """Runs a server that does not check the signatures of so many requests from now on."""
    program = servers.installed("moto/bin/moto_server", "moto")
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    spec = (hosts.ROOT / "rest_specs" / "aws_costs.yaml").read_text()
    (folder / "specs").mkdir()
    (folder / "specs" / "aws_costs.yaml").write_text(spec.replace("base_url: https://ce.us-east-1.amazonaws.com", f"base_url: {address}"))
    command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
    with servers.running(command, address, folder, INITIAL_NO_AUTH_ACTION_COUNT=str(4 + n_unchecked)):
        made = subprocess.run([str(program.parent / "python"), "-c", USER, address], check=True, capture_output=True, text=True)
        yield Moto(address, *json.loads(made.stdout), folder / "specs")


@pytest.fixture
def moto(tmp_path):
    with started(tmp_path) as moto:
        yield moto


def connect_costs(around, moto: Moto, secret: str) -> None:
    servers.connect(around, "aws_costs", access_key_id=moto.key, secret_access_key=secret, start_date=day_of(0))


def test_the_bundled_adapter_has_the_costs_of_the_server(python, around, moto):
    # In the order of the requests: the costs of days, then those of days and services.
    results = []
    for is_grouped in (False, True):
        results.append(result(0, N_OF_PAGE, is_grouped=is_grouped, token=f"more {is_grouped}"))
        results.append(result(N_OF_PAGE, N_OF_WINDOW, is_grouped=is_grouped))
        results.append(result(N_OF_WINDOW, N_DAYS, is_grouped=is_grouped))
    servers.asked(f"{moto.address}/moto-api/static/ce/cost-and-usage-results", {"results": results})
    connect_costs(around, moto, moto.secret)
    columns = ["unblended_cost", "amortized_cost", "net_unblended_cost", "net_amortized_cost", "usage_quantity"]
    texts = [[amounts(number)[metric]["Amount"] for metric in METRICS] for number in range(N_DAYS + len(SERVICES))]
    servers.compare(python, around, {
        f"SELECT start::VARCHAR, estimated, {', '.join(columns)}, currency FROM aws_costs.daily ORDER BY start": [
            (day_of(number), number > 100, *texts[number], "USD") for number in range(N_DAYS)
        ],
        f"SELECT \"Start\"::VARCHAR, \"Estimated\", service, {', '.join(columns)} FROM aws_costs.daily_by_service ORDER BY \"Start\", unblended_cost": sorted(
            ((day_of(number), number > 100, service, *texts[number + idx]) for number in range(N_DAYS) for idx, service in enumerate(SERVICES)),
            key=lambda row: (row[0], row[3]),
        ),
    }, specs=moto.specs)


def test_a_key_that_is_wrong_is_told(python, around, moto):
    connect_costs(around, moto, moto.secret[::-1])
    [told] = servers.told(python, around, "SELECT * FROM aws_costs.daily", specs=moto.specs)
    assert "returned 403" in told and "secret_access_key" in told and moto.secret[::-1] not in told, told


def test_rows_are_the_results_of_jobs(python, around, moto):
    regions = ["eu", "it's \"us\"", "größe"]
    header = {"Data": [{"VarCharValue": "id"}, {"VarCharValue": "note"}]}
    results = [
        {"rows": [header, *({"Data": [{"VarCharValue": str(idx)}, {"VarCharValue": f"{region} {idx}"}]} for idx in range(40))]} for region in regions
    ]
    servers.asked(f"{moto.address}/moto-api/static/athena/query-results", {"results": results})
    # A query is queued and then runs for a while.
    transition = {"model_name": "athena::execution", "transition": {"progression": "manual", "times": 2}}
    servers.asked(f"{moto.address}/moto-api/state-manager/set-transition", transition)
    servers.connect(around, "athena", host=moto.address, access_key_id=moto.key, secret_access_key=moto.secret, regions=";".join(regions))
    servers.compare(python, around, {
        "SELECT region, id, note FROM athena.orders ORDER BY region, id": sorted(
            (region, idx, f"{region} {idx}") for region in regions for idx in range(40)
        ),
    })


# When the metrics begin, and the values that each shop has, one a minute. No shop has the third day, and one of them the second.
BEGIN = datetime.datetime.combine(TODAY, datetime.time(), datetime.UTC) - datetime.timedelta(days=3)
ORDERS = {"north": [idx + 0.5 for idx in range(2000)], "größe": [idx * 2.0 for idx in range(100)]}


@pytest.fixture
def metered(tmp_path):
    """A server with metrics. It does not know the signature of the client that brings them."""
    n_requests = sum(-(-len(values) // N_OF_PUT) for values in ORDERS.values())
    with started(tmp_path, n_requests) as moto:
        program = servers.installed("moto/bin/python", "moto")
        subprocess.run([str(program), "-c", METERED, moto.address, str(int(BEGIN.timestamp())), str(N_OF_PUT), json.dumps(ORDERS)], check=True)
        yield moto


def test_lists_side_by_side_are_rows_below_what_they_are_of(python, around, metered):
    options = {"since": str(BEGIN.date()), "until": str(TODAY), "access_key_id": metered.key, "secret_access_key": metered.secret}
    servers.connect(around, "cloudwatch", host=metered.address, **options)
    servers.compare(python, around, {
        "SELECT id, epoch(time)::BIGINT, orders FROM cloudwatch.orders ORDER BY ALL": [
            (name, int(BEGIN.timestamp()) + 60 * idx, value) for name, shop in (("a", "north"), ("b", "größe")) for idx, value in enumerate(ORDERS[shop])
        ],
        "SELECT DISTINCT label FROM cloudwatch.orders": [("orders Sum",)],
        "SELECT namespace, name, shop FROM cloudwatch.metrics ORDER BY ALL": [("shops", "orders", "größe"), ("shops", "orders", "north")],
    })
