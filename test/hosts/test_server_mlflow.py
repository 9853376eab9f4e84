"""MLflow: POST that reads, tokens in bodies, batches of a parent's ids, lists inside of records, refreshes by a filter."""

import json
import os
import time

import pytest

import servers

pytestmark = pytest.mark.slow_server
N_EXPERIMENTS, N_RUNS = 12, 9


class Mlflow:
    """A server and what it has."""

    def __init__(self, address: str) -> None:
        self.address = address

    def post(self, path: str, **body: object) -> dict:
        return servers.asked(f"{self.address}/api/2.0/mlflow/{path}", body)

    def run(self, experiment: str, number: int, start: int = 1_700_000_000_000) -> None:
        made = self.post("runs/create", experiment_id=experiment, start_time=start + number, run_name=f"run {number}")
        metrics = [{"key": key, "value": number + step / 4, "timestamp": step, "step": step} for key in ("loss", "accuracy") for step in range(number % 27)]
        params = [{"key": "rate", "value": f"0.{number}0"}, {"key": "größe", "value": 'a "b"'}]
        self.post("runs/log-batch", run_id=made["run"]["info"]["run_id"], metrics=metrics, params=params, tags=[{"key": "owner", "value": "me"}])

    def runs(self) -> list[dict]:
        """Returns all runs, by one request."""
        ids = [experiment["experiment_id"] for experiment in self.post("experiments/search", max_results=1000)["experiments"]]
        return sorted(self.post("runs/search", experiment_ids=ids, max_results=10000)["runs"], key=lambda run: run["info"]["run_id"])


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    command = [str(servers.installed("mlflow/bin/mlflow", "mlflow")), "server", "--port", str(port), "--backend-store-uri", "sqlite:///runs.db", "--workers", "1"]
    with servers.running(command, f"{address}/health", folder, seconds=180, PATH=f"{servers.FOLDER / 'mlflow' / 'bin'}:{os.environ['PATH']}"):
        server = Mlflow(address)
        for number in range(N_EXPERIMENTS):
            experiment = server.post("experiments/create", name=f"experiment {number}")["experiment_id"]
            for run in range(N_RUNS):
                server.run(experiment, number * N_RUNS + run)
        yield server


def pairs(runs: list[dict], kind: str) -> list[tuple]:
    return sorted((run["info"]["run_id"], pair["key"], pair["value"]) for run in runs for pair in run["data"].get(kind, []))


def test_rows_are_those_of_the_server(python, around, mlflow):
    servers.connect(around, "mlflow", host=mlflow.address)
    runs = mlflow.runs()
    assert len(runs) >= N_EXPERIMENTS * N_RUNS
    metrics = sorted(
        (run["info"]["run_id"], key, step, int(run["info"]["run_name"].split()[1]) + step / 4)
        for run in runs for key in ("loss", "accuracy") for step in range(int(run["info"]["run_name"].split()[1]) % 27)
    )
    servers.compare(python, around, {
        "SELECT name, lifecycle_stage FROM mlflow.experiments ORDER BY name": sorted(
            (experiment["name"], experiment["lifecycle_stage"]) for experiment in mlflow.post("experiments/search", max_results=1000)["experiments"]
        ),
        "SELECT run_id, experiment_id, run_name, start_time, status FROM mlflow.runs ORDER BY run_id": [
            tuple(run["info"][name] for name in ("run_id", "experiment_id", "run_name", "start_time", "status")) for run in runs
        ],
        "SELECT run_id, key, value FROM mlflow.run_params ORDER BY ALL": pairs(runs, "params"),
        "SELECT run_id, key, value FROM mlflow.parts ORDER BY ALL": pairs(runs, "params"),
        "SELECT run_id, key, value FROM mlflow.tags ORDER BY ALL": pairs(runs, "tags"),
        "SELECT run_id, key, step, value FROM mlflow.metrics ORDER BY ALL": metrics,
        "SELECT bool_and(ok) FROM unify_test_connection('mlflow')": [(True,)],
    })


def test_new_runs_come_with_a_refresh(python, around, mlflow):
    servers.connect(around, "mlflow", host=mlflow.address)
    before = len(mlflow.runs())
    servers.compare(python, around, {"SELECT count(*) FROM mlflow.runs": [(before,)]})
    mlflow.run("1", before, int(time.time() * 1000))
    runs = mlflow.runs()
    run_id = runs[0]["info"]["run_id"]
    servers.compare(python, around, {
        "REFRESH TABLE mlflow.runs": None,
        "SELECT run_id FROM mlflow.runs ORDER BY run_id": [(run["info"]["run_id"],) for run in runs],
        "SELECT run_id, key, value FROM mlflow.parts ORDER BY ALL": pairs(runs, "params"),
        f"COPY (SELECT '{run_id}' AS run_id, 'note ' || range AS key, 'it''s \"' || range AS value FROM range(3)) TO 'mlflow.tags' (FORMAT unify, action upsert)": [(3,)],
        f"COPY (SELECT '{run_id}' AS run_id, 'note 1' AS key) TO 'mlflow.tags' (FORMAT unify, action delete)": [(1,)],
    })
    servers.compare(python, around, {"SELECT run_id, key, value FROM mlflow.tags ORDER BY ALL": pairs(mlflow.runs(), "tags")})


def test_a_filter_that_is_wrong_says_why(python, around, mlflow):
    servers.connect(around, "mlflow", host=mlflow.address)
    [told] = servers.told(python, around, "SELECT * FROM mlflow.wrong")
    assert "returned 400" in told and "Invalid clause(s) in filter string" in told, json.dumps(told)
