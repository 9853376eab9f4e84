"""The pages `docs/adapters/*.md` say what the specs say. UPDATE_EXPECT=1 rewrites them.

With ADAPTERS only the pages of those are compared, and the index is left alone.
"""

import datetime
import json
import os
import re

import hosts
from test_adapters import CLASSES, FIXTURES, NAMES, SPECS, prepared

PAGES = hosts.ROOT / "docs" / "adapters"
# The index, by field of work. It may name adapters that are not there yet.
FIELDS = {
    "CRM and sales": "bamboohr close dynamics_365 gong greenhouse hubspot lever pipedrive salesforce servicenow zoho_crm",
    "Support": "freshdesk front intercom zendesk",
    "Development": (
        "azure_devops bitbucket buildkite circleci clickup figma github gitlab jenkins jira launchdarkly linear monday netlify npm sentry trello vercel"
    ),
    "Documents, mail and chat": (
        "airtable asana calendly coda confluence discord google_calendar google_drive gmail google_sheets harvest microsoft_graph notion papertrail "
        "slack typeform zoom"
    ),
    "Finance and commerce": (
        "adyen bigcommerce chargebee netsuite paypal quickbooks recurly shopify square stripe woocommerce xero"
    ),
    "Marketing and analytics": (
        "amplitude google_ads google_analytics google_search_console klaviyo linkedin_ads mailchimp meta_ads mixpanel posthog reddit sendgrid "
        "tiktok_ads twilio youtube"
    ),
    "Operations and infrastructure": (
        "anthropic auth0 aws_costs cloudflare datadog digitalocean elasticsearch grafana kubernetes new_relic okta openai pagerduty prometheus"
    ),
    "Files, databases and public data": "files hackernews openweather polygon postgres wikimedia",
}


def cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def spec_of_table(text: str, table: str) -> str:
    """Returns the lines of a spec that describe a table."""
    found = re.search(rf"^  - name: \"?{re.escape(table)}\"?\n(.*?)(?=^  - name: |^views:|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def parents_of(text: str, table: str, tables: list[str]) -> list[str]:
    queries = " ".join(re.findall(r"(?:sql@\(|query: \"?)SELECT (.*?)(?:\n    \w|\Z)", spec_of_table(text, table), re.DOTALL))
    named = re.findall(r"(?:FROM|JOIN)\s+\"?(\w+)", queries)
    return [name for name in tables if name in named and name != table]


def discovered_of(text: str) -> list[tuple[str, str]]:
    """Returns the names and descriptions of tables for whatever objects the API has, as the spec writes them."""
    return re.findall(r"^  - name: \"?(\S*\$\{object\.[^\n\"]*)\"?\n    description: \"?([^\n\"]*)", text, re.MULTILINE)


def help_of(text: str) -> str:
    """Returns the help of a spec, as it is written there."""
    lines = re.search(r"^help: \|\n((?:  .*\n|\n)+)", text, re.MULTILINE)
    return "\n".join(line.removeprefix("  ") for line in lines[1].rstrip("\n").split("\n")) if lines else ""


def known_column(name: str, kind: str | None, is_key: bool, description: str | None) -> str:
    said = f" ({cell(description)})" if description else ""
    return f"`{name}`{'*' if is_key else ''}{' ' + kind if kind else ''}{said}"


def tables_of(text: str, said: dict) -> list[str]:
    """Returns the part of a page that says which tables there are. It leaves out those that the fixture's objects make."""
    tables = [row for row in said["tables"] if row[1] == "table" and spec_of_table(text, row[0])]
    names = [table for table, *_ in tables]
    lines = ["## Tables", "", "| Table | Rows | Loaded after | A refresh asks for |", "|---|---|---|---|"]
    for table, _, strategy, description in tables:
        parents = ", ".join(f"`{parent}`" for parent in parents_of(text, table, names))
        lines.append(f"| `{table}` | {cell(description)} | {parents} | {'what changed' if strategy == 'updates' else 'all'} |")
    for table, description in discovered_of(text):
        strategy = "what changed" if "strategy: updates" in spec_of_table(text, table) else "all"
        lines.append(f"| `{cell(table)}`, for each object | {cell(description)} | | {strategy} |")
    views = [(name, description) for name, kind, _, description in said["tables"] if kind == "view"]
    if views:
        lines += ["", "## Views", "", "| View | Rows |", "|---|---|", *(f"| `{name}` | {cell(description)} |" for name, description in views)]
    lines += ["", "## Columns", "", "Those that are known before a load; the answers of the API may bring others. Those of the key are marked with `*`.", ""]
    for table in names:
        spec, columns = spec_of_table(text, table), said["columns"][table]
        is_discovered = re.search(r"^    discover:", spec, re.MULTILINE)
        # The fields that a fixture has are not those of the API.
        known = [known_column(*column) for column in columns if not is_discovered or re.search(rf"\b{re.escape(column[0])}\b", spec)]
        lines.append(f"- `{table}`: {', '.join(known + ['the fields that the API tells of'] * bool(is_discovered)) or 'all come from the answers'}")
    return lines


def page_of(name: str, said: dict) -> str:
    text = (SPECS / f"{name}.yaml").read_text()
    lines = [f"# {name}", "", cell(said["description"]), ""]
    lines += ["This page is made from the spec [{0}.yaml](../../rest_specs/{0}.yaml). `HELP {0}` shows it in SQL.".format(name), ""]
    lines += [*(("    " + line).rstrip() for line in help_of(text).split("\n")), "", "## Options", "", f"Ways to authenticate: {said['auth']}.", ""]
    if said["options"]:
        lines += ["| Option | Meaning |", "|---|---|", *(f"| `{option}` | {cell(description)} |" for option, description in said["options"]), ""]
    return "\n".join(lines + (tables_of(text, said) if said["tables"] else [])).rstrip("\n") + "\n"


def said_by_class(name: str) -> dict:
    """Returns what an adapter of a class of its own says of itself: its tables are those of each connection."""
    text = (SPECS / f"{name}.yaml").read_text()
    options = re.findall(r"^  (\w+):\n((?:    .*\n)+)", re.search(r"^options:\n((?:  .*\n)+)", text, re.MULTILINE)[1], re.MULTILINE)
    value_of = lambda keys, key: (re.search(rf'^    {key}: "?(.*?)"?$', keys, re.MULTILINE) or [None, ""])[1]
    meaning = lambda keys: value_of(keys, "description") + (f"; default: {value_of(keys, 'default')}" if value_of(keys, "default") else "")
    description = re.search(r'^description: "?(.*?)"?$', text, re.MULTILINE)[1]
    return {"description": description, "auth": "NONE", "options": [(option, meaning(keys)) for option, keys in options], "tables": [], "error": None}


def index_of(pages: dict[str, dict]) -> str:
    lines = ["# The bundled adapters", "", "By field of work. `SHOW ALL ADAPTERS` lists them in SQL.", ""]
    for field, names in FIELDS.items():
        present = [name for name in names.split() if name in pages]
        if not present:
            continue
        lines += [f"## {field}", "", "| Adapter | Tables | What it has |", "|---|---|---|"]
        for name in present:
            text = (SPECS / f"{name}.yaml").read_text()
            n_tables = sum(kind == "table" and bool(spec_of_table(text, table)) for table, kind, *_ in pages[name]["tables"])
            count = " and ".join(filter(None, [str(n_tables) if n_tables else "", "every object" if discovered_of(text) else ""]))
            lines.append(f"| [{name}]({name}.md) | {count} | {cell(pages[name]['description'])} |")
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def test_the_pages_of_adapters_say_what_their_specs_say(python, around):
    listed = {name for names in FIELDS.values() for name in names.split()}
    assert not set(NAMES + CLASSES) - listed, "adapters that FIELDS does not name"
    script = f"import sys; sys.argv = {['', str(SPECS), prepared(around, NAMES, datetime.date(2027, 1, 15)), str(FIXTURES), *NAMES]!r}; import adapter_pages"
    said = json.loads(python.run(around, script).check().stdout)
    said |= {name: said_by_class(name) for name in CLASSES}
    assert {name: page["error"] for name, page in said.items() if page["error"]} == {}
    texts = {f"{name}.md": page_of(name, said[name]) for name in (NAMES if os.environ.get("ADAPTERS") else NAMES + CLASSES)}
    if not os.environ.get("ADAPTERS"):
        texts["README.md"] = index_of(said)
    if os.environ.get("UPDATE_EXPECT"):
        PAGES.mkdir(exist_ok=True)
        for name, text in texts.items():
            (PAGES / name).write_text(text)
    found = {path.name: path.read_text() for path in PAGES.glob("*.md") if path.name in texts or not os.environ.get("ADAPTERS")}
    wrong = sorted(name for name in texts.keys() | found.keys() if texts.get(name) != found.get(name))
    assert not wrong, f"pages that are missing, too many or old: {', '.join(wrong)}; set UPDATE_EXPECT=1 to rewrite them"


def test_the_first_page_counts_the_adapters():
    n_specs = len(list(SPECS.glob("*.yaml")))
    assert f"**{n_specs} [adapters](docs/adapters/README.md) come with it**" in (hosts.ROOT / "README.md").read_text(), f"there are {n_specs} adapters"
