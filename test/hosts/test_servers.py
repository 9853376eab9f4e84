"""Real servers and real answers: json-server, localstripe, and what GitHub once said."""

import json
import subprocess
import urllib.parse
import urllib.request

import pytest

import hosts
import servers

KEY = "sk_test_secret-token"
N_CUSTOMERS = 230


def connection(around, name: str, text: str) -> None:
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text(f"- {name}:\n    adapter: {name}\n    options: {text}\n")


def rows_of(python, around, *statements: str) -> list:
    script = f"""
        import json
        con = connect("x.duckdb")
        for sql in {list(statements)!r}:
            print(json.dumps(con.execute(sql).fetchall(), default=str))
    """
    outcome = python.run(around, script).check()
    return [json.loads(line) for line in outcome.stdout.splitlines()]


@pytest.fixture(scope="session")
def json_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("json-server")
    posts = [{"id": str(idx), "title": f"Post {idx}", "views": idx, "author": {"name": f"Author {idx % 3}"}} for idx in range(130)]
    comments = [{"id": str(idx), "postId": idx % 130, "text": "well said"} for idx in range(260)]
    database = {"posts": posts, "comments": comments, "profile": {"name": "typicode", "since": "2024-01-31"}}
    (folder / "db.json").write_text(json.dumps(database))
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    program = servers.installed("node/node_modules/json-server/lib/bin.js", "node_servers")
    (folder / "public").mkdir()
    # In production it does not read its file again after each of its own writes, which loses those that came meanwhile.
    command = ["node", str(program), "db.json", "--port", str(port), "--host", "127.0.0.1"]
    with servers.running(command, address, folder, NODE_ENV="production"):
        yield address


def test_json_server(python, around, json_server):
    connection(around, "jsonserver", f"{{host: '{json_server}'}}")
    # A page after the last one repeats the last one: only the total says where the end is.
    assert rows_of(
        python,
        around,
        "SELECT count(*), count(DISTINCT id), min(title), max(views), count(DISTINCT author_name) FROM jsonserver.posts",
        "SELECT postId, count(*) FROM jsonserver.comments GROUP BY ALL ORDER BY ALL",
        "SELECT name, since FROM jsonserver.profile",
        "SELECT column_type FROM (DESCRIBE jsonserver.profile)",
    ) == [[[130, 130, "Post 0", 129, 3]], [[0, 2], [1, 2], [2, 2]], [["typicode", "2024-01-31"]], [["VARCHAR"], ["DATE"]]]


@pytest.fixture(scope="session")
def localstripe(tmp_path_factory):
    """A localstripe with customers, a product and plans, all made through its API."""
    program = servers.installed("localstripe/bin/localstripe", "localstripe")
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    command = [str(program), "--port", str(port), "--from-scratch"]

    def make(path: str, **values: object) -> dict:
        request = urllib.request.Request(address + path, urllib.parse.urlencode(values).encode(), {"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    with servers.running(command, address, tmp_path_factory.mktemp("localstripe")):
        for idx in range(N_CUSTOMERS):
            make("/v1/customers", email=f"customer{idx}@example.com", name=f"Customer {idx}", description="made by a test", **{"metadata[number]": idx})
        product = make("/v1/products", name="Membership", type="service")
        for idx in range(3):
            make("/v1/plans", amount=1000 * (idx + 1), currency="eur", interval="month", product=product["id"], nickname=f"Plan {idx}")
        yield address


def test_localstripe(python, around, localstripe):
    connection(around, "stripe", f"{{host: '{localstripe}', username: {KEY}}}")
    assert rows_of(
        python,
        around,
        "SELECT count(*), count(DISTINCT id), count(DISTINCT email), min(object) FROM stripe.customers",
        "SELECT nickname, amount, currency FROM stripe.plans ORDER BY nickname",
        "SELECT name FROM stripe.products",
        "SELECT count(*) FROM stripe.charges",
        "SELECT numrows FROM information_schema.loading_jobs WHERE action = 'load_end' AND table_name = 'customers'",
    ) == [
        [[N_CUSTOMERS, N_CUSTOMERS, N_CUSTOMERS, "customer"]],
        [["Plan 0", 1000, "eur"], ["Plan 1", 2000, "eur"], ["Plan 2", 3000, "eur"]],
        [["Membership"]],
        [[0]],
        [[N_CUSTOMERS]],
    ]


def listed(address: str, name: str) -> list[dict]:
    """Returns what localstripe has, page after page."""
    found, after = [], ""
    while True:
        page = servers.asked(f"{address}/v1/{name}?limit=100{after}", Authorization=f"Bearer {KEY}")
        found += page["data"]
        if not page["has_more"]:
            return found
        after = f"&starting_after={found[-1]['id']}"


def test_localstripe_row_by_row(python, around, localstripe):
    connection(around, "stripe", f"{{host: '{localstripe}', username: {KEY}}}")
    customers, plans = listed(localstripe, "customers"), listed(localstripe, "plans")
    assert (len(customers), len(plans)) == (N_CUSTOMERS, 3)
    servers.compare(python, around, {
        "SELECT id, email, name, description, epoch(created)::BIGINT, metadata_number::VARCHAR FROM stripe.customers ORDER BY id": sorted(
            (one["id"], one["email"], one["name"], one["description"], one["created"], one["metadata"]["number"]) for one in customers
        ),
        "SELECT id, nickname, amount, currency, \"interval\", product FROM stripe.plans ORDER BY id": sorted(
            tuple(one[name] for name in ("id", "nickname", "amount", "currency", "interval", "product")) for one in plans
        ),
    }, specs=servers.BUNDLED)


@pytest.fixture(scope="session")
def octokit():
    package = servers.installed("node/node_modules/@octokit/fixtures", "node_servers")
    process = subprocess.Popen(["node", str(hosts.TEST / "hosts" / "octokit_server.mjs"), str(package)], stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().split()[1]
    process.kill()
    process.wait()


def test_recorded_github(python, around, octokit):
    connection(around, "github", f"{{host: '{octokit}', username: me, password: $UNIFY_TEST_TOKEN}}")
    # GitHub cuts these issues into pages of 3, whatever was asked, and its links lead to another path.
    answers = rows_of(
        python,
        around,
        "SELECT name, owner_login, full_name FROM github.repos ORDER BY name",
        "SELECT count(*), count(DISTINCT id), count(DISTINCT number), min(state) FROM github.issues WHERE repo = 'paginate-issues'",
        "SELECT column_type FROM (DESCRIBE github.issues) WHERE column_name IN ('id', 'created_at', 'title', 'user_login') ORDER BY column_name",
        "SELECT login FROM github.orgs",
    )
    # Whoever recorded the repositories gave both one id, the key: the last stays.
    assert answers == [
        [
            ["paginate-issues", "octokit-fixture-org", "octokit-fixture-org/paginate-issues"],
        ],
        [[13, 13, 13, "open"]],
        [["TIMESTAMP"], ["BIGINT"], ["VARCHAR"], ["VARCHAR"]],
        [["octokit-fixture-org"]],
    ]
