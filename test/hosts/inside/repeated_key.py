"""Asks an API that repeats the key it is sent, in many encodings, and prints where one of them shows; True where none does."""

import base64
import html
import pathlib
import re
from urllib.parse import quote, quote_plus

import duckdb
from own_api import Api

KEY = "Zm9v/YmFy+Ym&F6Lw=="
BASE64 = base64.b64encode(KEY.encode()).decode()
REPEATED = [
    KEY,
    quote(KEY, safe=""),
    re.sub("%..", lambda found: found.group().lower(), quote(KEY, safe="")),
    quote(KEY),
    quote_plus(KEY),
    quote(quote(KEY, safe=""), safe=""),
    html.escape(KEY),
    html.escape(KEY).replace("=", "&#61;"),
    "".join(f"&#x{ord(c):x};" for c in KEY),
    html.escape(quote(KEY)),
    KEY.replace("&", "\\u0026"),
    KEY.replace("&", "\\u0026").replace("/", "\\/"),
    "".join(f"\\u{ord(c):04x}" for c in KEY),
    BASE64,
    BASE64.rstrip("="),
    base64.b64encode(("key:" + KEY).encode()).decode(),
    base64.b64encode(b"x" + BASE64.encode()).decode(),
    quote(BASE64, safe=""),
    KEY.encode().hex(),
    KEY.encode().hex().upper(),
    KEY.upper(),
]
SPEC = "auth: {type: HEADERS, headers: {X-Key: {option: key, description: the key}}}\ntables:\n" + "".join(
    f"  - {{name: page{n}, resource_path: /page/{n}}}\n"
    f"  - {{name: next{n}, resource_path: /next/{n}, result_body_path: rows, supports_paging: true,"
    f" paging: {{strategy: nextLink, pager_link_path: next}}}}\n"
    for n in range(len(REPEATED))
)


def answer(path: str, query: dict, _authorization: str | None):
    kind, number = path.split("/")[1:]
    text = REPEATED[int(number)]
    if kind == "page":
        return 400, f"<b>the key {text} is wrong</b>".encode()
    if kind == "reply":
        return 200, {"sent": f"k {text}"}, {"X-Sent": "k " + text}
    if "n" in query:
        return 403, f"no: {text}".encode()
    return {"rows": [{"id": 1}], "next": f"{api.address}/next/{number}?n=2&k={text}"}


def outcome_of(sql: str) -> str:
    try:
        return str(con.execute(sql).fetchall())
    except duckdb.Error as err:
        return str(err)


api = Api(answer, SPEC, f", key: '{KEY}'")
con = api.connect()
con.execute("SET unify_log_level = 'DEBUG'")
told = []
for idx in range(len(REPEATED)):
    told += [outcome_of(f"SELECT * FROM own.page{idx}"), outcome_of(f"SELECT * FROM own.next{idx}")]
    told += [outcome_of(f"FROM unify_http('own', '/reply/{idx}')"), outcome_of(f"FROM unify_explain('own.next{idx}')")]
n_masked = sum("***" in text for text in told)
for function in ("unify_jobs()", "information_schema.loading_log", "information_schema.loading_jobs", "unify.load_state"):
    told.append(outcome_of(f"FROM {function}"))
con.execute("CHECKPOINT")
con.close()
told += [path.read_bytes().decode("latin-1") for path in pathlib.Path(".").glob("x.duckdb*")]
for repeated in REPEATED:
    for text in told:
        # What Python shows of a text has its backslashes twice.
        at = max(text.find(repeated), text.replace("\\\\", "\\").find(repeated))
        if at >= 0:
            print(repeated, "in", text[max(at - 80, 0) : at + 80])
print(n_masked >= 3 * len(REPEATED) or (n_masked, told))
