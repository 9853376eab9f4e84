"""graphql-yoga: relay pages, variables, errors beside data, mutations."""

import json

import pytest

import hosts
import servers

HOSTILE = 'a "quote", a back\\slash and a\nline'
N_ISSUES = 205


def made() -> list[dict]:
    return [
        {
            "id": f"I{idx:03}", "number": idx, "title": HOSTILE if idx == 7 else f"Issue {idx}", "state": "CLOSED" if idx % 3 == 0 else "OPEN",
            "updated": f"2024-01-{idx % 28 + 1:02}T00:00:00Z", "author": None if idx % 5 == 0 else {"login": f"user{idx % 4}"},
            "labels": [{"name": f"label {number}", "weight": number * idx} for number in range(idx % 3)],
        }
        for idx in range(1, N_ISSUES + 1)
    ]


@pytest.fixture
def yoga(around, tmp_path):
    """A server of the test's own, because the test writes."""
    (tmp_path / "issues.json").write_text(json.dumps(made()))
    folder = servers.installed("yoga/node_modules/graphql-yoga", "yoga").parents[1]
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    command = ["node", str(hosts.TEST / "hosts" / "yoga_server.mjs"), str(folder), "issues.json", str(port)]
    with servers.running(command, address, tmp_path):
        servers.connect(around, "yoga", host=address, bearer_token=servers.KEY, wanted=HOSTILE)
        yield address


def test_rows_are_those_of_the_server(python, around, yoga):
    issues = made()
    logins = [(issue["author"] or {}).get("login") for issue in issues]
    servers.compare(python, around, {
        "SELECT id, number, title, state, author_login, labels::VARCHAR, strftime(updated, '%Y-%m-%dT%H:%M:%SZ') FROM yoga.issues ORDER BY id": [
            (issue["id"], issue["number"], issue["title"], issue["state"], login, json.dumps(issue["labels"], separators=(",", ":")), issue["updated"])
            for issue, login in zip(issues, logins, strict=True)
        ],
        "SELECT id, title FROM yoga.details ORDER BY id": [(issue["id"], issue["title"]) for issue in issues],
        "SELECT data_issues_nodes_id, name, weight FROM yoga.labels ORDER BY ALL": [
            (issue["id"], label["name"], label["weight"]) for issue in issues for label in issue["labels"]
        ],
        "SELECT id, estimate FROM yoga.estimates ORDER BY id": [
            (issue["id"], None if issue["number"] % 10 == 0 else issue["number"] / 4) for issue in issues
        ],
        "SELECT id FROM yoga.named": [("I007",)],
    })


def test_errors_of_an_answer_fail_the_load(python, around, yoga):
    found = servers.told(
        python, around, "SELECT * FROM yoga.closed", "SELECT * FROM yoga.all_estimates",
        "SELECT count(*) FROM information_schema.loading_log WHERE message LIKE '%issue 10 has no estimate%'",
    )
    assert "closed issues are in the archive" in found[0], found
    assert "issue 10 has no estimate" in found[1] and "issues.nodes.9.estimate" in found[1], found


def test_mutations_write_and_a_refresh_brings_what_changed(python, around, yoga):
    new = [(f"N{idx}", 1000 + idx, f'new "{idx}"') for idx in range(120)]
    servers.compare(python, around, {
        "SELECT count(*) FROM yoga.issues": [(N_ISSUES,)],
        "COPY (SELECT 'N' || range AS id, 1000 + range AS number, 'new \"' || range || '\"' AS title FROM range(120)) TO 'yoga.issues' "
        "(FORMAT unify, action insert)": [(120,)],
        f"COPY (SELECT 'I001' AS id, {HOSTILE!r} AS title) TO 'yoga.issues' (FORMAT unify, action update)".replace("\\n", "\n").replace("\\\\", "\\"): [(1,)],
        "COPY (SELECT 'I002' AS id) TO 'yoga.issues' (FORMAT unify, action delete)": [(1,)],
        "REFRESH TABLE yoga.issues": None,
        "SELECT id, number, title FROM yoga.issues WHERE id LIKE 'N%' ORDER BY number": new,
        "SELECT id, title FROM yoga.issues WHERE id IN ('I001', 'I002') ORDER BY id": [("I001", HOSTILE), ("I002", "Issue 2")],
        "RELOAD TABLE yoga.issues": None,
        "SELECT count(*), count(DISTINCT id), count(*) FILTER (id = 'I002') FROM yoga.issues": [(N_ISSUES + 119, N_ISSUES + 119, 0)],
    })
