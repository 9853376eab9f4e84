//! The GitHub-shaped part: lists under the paths of GitHub's REST API, in pages with Link headers.

use crate::control::Control;
use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Value};

/// The organisations and their numbers of repositories: one with two pages of a hundred, one with a short page, one with none.
const ORGS: [(&str, usize); 3] = [("acme", 137), ("globex", 12), ("initech", 0)];

/// A moment that every timestamp counts from: 2024-01-01.
const DAYS_IN_MONTH: [usize; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Answers a request below the API's root.
pub fn answer(asked: &Asked, parts: &[&str]) -> Response {
    if !asked.is_authorized() {
        return answer::error(401, "Bad credentials");
    }
    match parts {
        ["user"] => answer::json(&user("me", 1)),
        // A user without organisations.
        ["alone", "user", "orgs"] => answer::linked_page(asked, 0, org),
        ["user", "orgs"] | ["organizations"] => answer::linked_page(asked, ORGS.len(), org),
        ["user", "repos"] => answer::linked_page(asked, ORGS[0].1 + ORGS[1].1, |idx| {
            let (owner, number) = if idx < ORGS[0].1 { (0, idx) } else { (1, idx - ORGS[0].1) };
            repo(owner, number)
        }),
        ["user", ..] => answer::linked_page(asked, 0, |_| Value::Null),
        ["users", login] => answer::json(&user(login, number_in(login))),
        ["users", login, "repos"] | ["orgs", login, "repos"] => match org_idx(login) {
            Some(owner) => answer::linked_page(asked, ORGS[owner].1, |idx| repo(owner, idx)),
            None => answer::error(404, "Not Found"),
        },
        ["orgs", login] => org_idx(login).map_or_else(|| answer::error(404, "Not Found"), |idx| answer::json(&org(idx))),
        ["orgs", login, "members"] if org_idx(login).is_some() => {
            answer::linked_page(asked, 5, |idx| user(&format!("{login}-dev{idx}"), idx + 10))
        }
        ["orgs", login, _] if org_idx(login).is_some() => answer::linked_page(
            asked,
            3,
            |idx| json!({ "id": idx + 1, "name": format!("{login} {idx}"), "slug": format!("{login}-{idx}") }),
        ),
        ["repos", owner, name, rest @ ..] => match repo_idx(owner, name) {
            Some((org, idx)) => below_repo(asked, org, idx, rest),
            None => answer::error(404, "Not Found"),
        },
        ["search", "repositories"] => answer::json(&json!({ "total_count": 1, "incomplete_results": false, "items": [repo(0, 0)] })),
        ["rate_limit"] => answer::json(&json!({ "rate": { "limit": 5000, "remaining": 4999, "reset": 1_900_000_000 } })),
        _ => answer::error(404, "Not Found"),
    }
}

/// Answers a POST: a new issue is taken, as GitHub takes it, and shows up at `/__written` alone.
pub fn written(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    if !asked.is_authorized() {
        return answer::error(401, "Bad credentials");
    }
    let issue = serde_json::from_str::<Value>(&asked.body).unwrap_or(Value::Null);
    match parts {
        ["repos", owner, name, "issues"] if repo_idx(owner, name).is_some() => {
            if !issue["title"].is_string() {
                return answer::body(
                    422,
                    "application/json",
                    json!({ "message": "Validation Failed", "errors": [{ "field": "title" }] }).to_string(),
                );
            }
            control.desk.take(asked);
            answer::body(201, "application/json", json!({ "number": 1, "title": issue["title"] }).to_string())
        }
        _ => answer::error(404, "Not Found"),
    }
}

/// Answers below `/repos/{owner}/{repo}`. The first repository has 130 pulls, the others 0 to 3.
fn below_repo(asked: &Asked, org: usize, idx: usize, rest: &[&str]) -> Response {
    let n_items = if org == 0 && idx == 0 { 130 } else { idx % 4 };
    match rest {
        [] => answer::json(&repo(org, idx)),
        ["pulls"] => answer::linked_page(asked, n_items, |item| pull(org, idx, item)),
        ["issues"] => answer::linked_page(asked, n_items, |item| issue(org, idx, item)),
        ["commits"] => answer::linked_page(asked, n_items, |item| commit(org, idx, item)),
        ["pulls", number, "reviews"] => {
            let number: usize = number.parse().unwrap_or(0);
            answer::linked_page(asked, number % 3, |item| review(org, idx, number, item))
        }
        ["actions", "runs"] => answer::json(&json!({ "total_count": 1, "workflow_runs": [thing(org, idx, "run", 0)] })),
        ["actions", kind] => answer::json(&json!({ "total_count": 1, *kind: [thing(org, idx, kind, 0)] })),
        ["languages"] => answer::json(&json!({ "Rust": 1000 + idx, "SQL": 10 })),
        [.., kind] => answer::linked_page(asked, idx % 3, |item| thing(org, idx, kind, item)),
    }
}

fn org_idx(login: &str) -> Option<usize> {
    ORGS.iter().position(|(name, _)| name.eq_ignore_ascii_case(login))
}

fn repo_idx(owner: &str, name: &str) -> Option<(usize, usize)> {
    let org = org_idx(owner)?;
    let idx: usize = name.strip_prefix("repo")?.parse().ok()?;
    (idx < ORGS[org].1).then_some((org, idx))
}

fn number_in(text: &str) -> usize {
    text.bytes().map(usize::from).sum()
}

fn moment(seed: usize) -> String {
    let mut day = seed * 7 % 366;
    let mut month = 0;
    while day >= DAYS_IN_MONTH[month] {
        day -= DAYS_IN_MONTH[month];
        month += 1;
    }
    format!("2024-{:02}-{:02}T{:02}:{:02}:{:02}Z", month + 1, day + 1, seed % 24, seed % 60, seed * 7 % 60)
}

fn user(login: &str, id: usize) -> Value {
    json!({
        "login": login,
        "id": id,
        "node_id": format!("U_{id}"),
        "type": "User",
        "site_admin": false,
        "name": format!("The {login}"),
        "company": null,
        "public_repos": id % 9,
        "created_at": moment(id),
    })
}

fn org(idx: usize) -> Value {
    json!({
        "login": ORGS[idx].0,
        "id": 100 + idx,
        "node_id": format!("O_{idx}"),
        "description": format!("Organisation {idx}"),
        "public_repos": ORGS[idx].1,
    })
}

fn owner_of(org: usize) -> Value {
    json!({ "login": ORGS[org].0, "id": 100 + org, "type": "Organization", "site_admin": false })
}

fn repo(org: usize, idx: usize) -> Value {
    let name = format!("repo{idx}");
    let license = if idx.is_multiple_of(3) { Value::Null } else { json!({ "key": "mit", "name": "MIT License", "spdx_id": "MIT" }) };
    json!({
        "id": (org + 1) * 1000 + idx,
        "node_id": format!("R_{org}_{idx}"),
        "name": name,
        "full_name": format!("{}/{name}", ORGS[org].0),
        "private": idx.is_multiple_of(5),
        "owner": owner_of(org),
        "description": if idx.is_multiple_of(4) { Value::Null } else { json!(format!("Repository number {idx}")) },
        "html_url": format!("https://github.com/{}/{name}", ORGS[org].0),
        "fork": false,
        "homepage": null,
        "language": (["Rust", "SQL", "Python"][idx % 3]),
        "size": idx * 17,
        "stargazers_count": idx * 3,
        "watchers_count": idx * 3,
        "forks_count": idx % 7,
        "open_issues_count": idx % 4,
        "has_issues": true,
        "default_branch": "main",
        "topics": (0..idx % 3).map(|topic| format!("topic{topic}")).collect::<Vec<_>>(),
        "archived": idx % 10 == 9,
        "visibility": if idx.is_multiple_of(5) { "private" } else { "public" },
        "license": license,
        "permissions": { "admin": false, "push": idx.is_multiple_of(2), "pull": true },
        "created_at": moment(idx),
        "updated_at": moment(idx + 1),
        "pushed_at": moment(idx + 2),
    })
}

fn pull(org: usize, idx: usize, item: usize) -> Value {
    let number = item + 1;
    json!({
        "id": (org + 1) * 1_000_000 + idx * 1000 + number,
        "node_id": format!("PR_{org}_{idx}_{number}"),
        "url": format!("https://api.github.com/repos/{}/repo{idx}/pulls/{number}", ORGS[org].0),
        "html_url": format!("https://github.com/{}/repo{idx}/pull/{number}", ORGS[org].0),
        "number": number,
        "state": if item.is_multiple_of(3) { "open" } else { "closed" },
        "locked": false,
        "draft": false,
        "title": format!("Change {number} of repo{idx}"),
        "body": null,
        "user": { "login": format!("dev{}", item % 5), "id": 10 + item % 5, "type": "User" },
        "labels": [{ "id": 1, "name": "bug", "color": "f29513" }],
        "milestone": null,
        "assignees": [],
        "requested_reviewers": [],
        "head": { "label": format!("dev:{number}"), "ref": format!("change-{number}"), "sha": format!("{number:040x}"), "repo": { "name": format!("repo{idx}"), "full_name": format!("{}/repo{idx}", ORGS[org].0), "id": (org + 1) * 1000 + idx } },
        "base": { "label": "main", "ref": "main", "sha": format!("{:040x}", 7), "repo": { "name": format!("repo{idx}"), "full_name": format!("{}/repo{idx}", ORGS[org].0), "id": (org + 1) * 1000 + idx, "owner": owner_of(org) } },
        "author_association": "MEMBER",
        "auto_merge": null,
        "created_at": moment(number),
        "updated_at": moment(number + 1),
        "closed_at": if item.is_multiple_of(3) { Value::Null } else { json!(moment(number + 2)) },
        "merged_at": null,
    })
}

fn issue(org: usize, idx: usize, item: usize) -> Value {
    let number = item + 1;
    json!({
        "id": (org + 1) * 2_000_000 + idx * 1000 + number,
        "html_url": format!("https://github.com/{}/repo{idx}/issues/{number}", ORGS[org].0),
        "number": number,
        "title": format!("Issue {number} of repo{idx}"),
        "state": if item.is_multiple_of(2) { "open" } else { "closed" },
        "user": { "login": format!("dev{}", item % 5), "id": 10 + item % 5, "type": "User" },
        "labels": [{ "id": 1, "name": "bug", "color": "f29513" }],
        "assignee": null,
        "assignees": [],
        "comments": item % 6,
        "body": "It does not work.",
        "repository_url": format!("https://api.github.com/repos/{}/repo{idx}", ORGS[org].0),
        "created_at": moment(number),
        "updated_at": moment(number + 1),
        "closed_at": null,
    })
}

fn commit(org: usize, idx: usize, item: usize) -> Value {
    let person = json!({ "name": "Dev", "email": "dev@example.com", "date": moment(item) });
    json!({
        "sha": format!("{:020x}{:020x}", org * 1000 + idx, item),
        "commit": { "author": person, "committer": person, "message": format!("Change {item}"), "comment_count": 0 },
        "author": { "login": "dev0", "id": 10 },
        "committer": { "login": "dev0", "id": 10 },
        "parents": [],
    })
}

fn review(org: usize, idx: usize, number: usize, item: usize) -> Value {
    json!({
        "id": (org + 1) * 10_000_000 + idx * 10_000 + number * 10 + item,
        "user": { "login": format!("dev{item}"), "id": 10 + item },
        "body": "Looks good.",
        "state": "APPROVED",
        "submitted_at": moment(number + item),
        "commit_id": format!("{number:040x}"),
    })
}

/// A row of any other list below a repository.
fn thing(org: usize, idx: usize, kind: &str, item: usize) -> Value {
    json!({
        "id": (org + 1) * 100_000 + idx * 100 + item,
        "name": format!("{kind} {item}"),
        "url": format!("https://api.github.com/repos/{}/repo{idx}/{kind}/{item}", ORGS[org].0),
        "environment": "production",
        "creator": { "login": "dev0", "id": 10 },
        "created_at": moment(item),
        "updated_at": moment(item + 1),
    })
}
