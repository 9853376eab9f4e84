// Serves GitHub's answers as @octokit/fixtures recorded them, Link headers included, with GitHub's address replaced by this one's.
// node octokit_server.mjs FOLDER-OF-THE-PACKAGE; prints `ready http://127.0.0.1:PORT`.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const scenarios = join(process.argv[2], "scenarios", "api.github.com");

function recorded(scenario) {
  return JSON.parse(readFileSync(join(scenarios, scenario, "normalized-fixture.json"), "utf8"));
}

const issues = recorded("paginate-issues");
const repository = recorded("get-repository")[0].response;
const organization = recorded("get-organization")[0].response;

// Repositories of the recorded organisation: the recorded one, and the one the issues were recorded from.
const repositories = [repository, { ...repository, id: 1000, name: "paginate-issues", full_name: `${organization.login}/paginate-issues` }];

const answers = new Map([
  ["/user", { ...organization, login: "octokit-fixture-user", type: "User" }],
  ["/user/orgs", [organization]],
  [`/orgs/${organization.login}`, organization],
  [`/orgs/${organization.login}/repos`, repositories],
  ["/user/repos", repositories],
  [`/users/${organization.login}/repos`, repositories],
  [`/repos/${repository.full_name}`, repository],
  [`/repos/${organization.login}/labels/labels`, recorded("labels")[0].response],
]);

function answerTo(url) {
  const page = Number(url.searchParams.get("page") ?? 1);
  if (url.pathname.endsWith("/paginate-issues/issues") || url.pathname === "/repositories/1000/issues") {
    const { status, response, headers } = issues[page - 1] ?? { status: 200, response: [], headers: {} };
    return { status, body: response, sent: headers };
  }
  if (url.pathname.startsWith("/repos/") && !answers.has(url.pathname)) {
    return { status: 200, body: [] };
  }
  const body = answers.get(url.pathname);
  if (body === undefined) {
    return { status: 404, body: { message: "Not Found" } };
  }
  return { status: 200, body: Array.isArray(body) && page > 1 ? [] : body };
}

const server = createServer((request, response) => {
  const here = `http://${request.headers.host}`;
  const known = ["Basic bWU6c2VjcmV0LXRva2Vu", "Bearer secret-token", "token secret-token"].includes(request.headers.authorization);
  const { status, body, sent = {} } = known ? answerTo(new URL(request.url, here)) : { status: 401, body: { message: "Bad credentials" } };
  const replaced = (text) => text.replaceAll("https://api.github.com", here);
  const kept = Object.entries(sent).filter(([name]) => name === "link" || name === "etag" || name.startsWith("x-"));
  const headers = Object.fromEntries(kept.map(([name, value]) => [name, replaced(String(value))]));
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(replaced(JSON.stringify(body)));
});

server.listen(0, "127.0.0.1", () => console.log(`ready http://127.0.0.1:${server.address().port}`));
