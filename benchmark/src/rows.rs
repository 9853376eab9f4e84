//! The rows: repositories in the shape of GitHub's API, each a function of its number alone.

use serde_json::{json, Value};

const WORDS: [&str; 16] = [
    "fast", "data", "stream", "loader", "table", "async", "café", "query", "engine", "cloud", "graph", "naïve", "index", "vector",
    "schema", "lake",
];
const LANGUAGES: [&str; 6] = ["Rust", "Python", "Go", "TypeScript", "C++", "Shell"];
const LICENCES: [(&str, &str, &str); 3] = [
    ("mit", "MIT License", "MIT"),
    ("apache-2.0", "Apache License 2.0", "Apache-2.0"),
    ("bsd-3-clause", "BSD 3-Clause \"New\" License", "BSD-3-Clause"),
];
const FIRST_SECOND: u64 = 1_420_070_400;

/// Numbers that look random and depend on a row's number only (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn words(&mut self, n: u64) -> Vec<&'static str> {
        (0..n).map(|_| self.pick(&WORDS)).collect()
    }
}

/// Returns the id of the row of that number: of seven digits, for all tables of the benchmark.
pub fn id(row_idx: usize) -> usize {
    1_000_000 + row_idx
}

/// Returns the row of that number.
pub fn repo(row_idx: usize) -> Value {
    let mut dice = Dice(row_idx as u64 * 0x1_0001);
    let org_idx = row_idx % 10;
    let org = format!("org-{org_idx}");
    let name = format!("repo-{row_idx}");
    let full_name = format!("{org}/{name}");
    let mut row = json!({
        "id": id(row_idx),
        "node_id": format!("MDEwOlJlcG9zaXRvcnk{row_idx:08}"),
        "name": name,
        "full_name": full_name,
        "private": dice.one_in(2),
        "owner": owner(&org, org_idx),
        "description": (!dice.one_in(10)).then(|| description(&mut dice)),
        "fork": dice.one_in(2),
        "readme_excerpt": dice.words(70).join(" "),
    });
    for part in [urls(&org, &name, &mut dice), times(&mut dice), counts(&mut dice), flags(&mut dice)] {
        if let (Value::Object(row), Value::Object(part)) = (&mut row, part) {
            row.extend(part);
        }
    }
    row
}

/// Returns one of the rows that have every field.
pub fn widest() -> Value {
    let is_wide = |row: &Value| ["license", "mirror_url", "homepage", "description", "language"].iter().all(|name| !row[name].is_null());
    (0..10_000).map(repo).find(is_wide).unwrap_or_else(|| repo(0))
}

fn owner(org: &str, org_idx: usize) -> Value {
    let id = 9000 + org_idx;
    json!({
        "login": org,
        "id": id,
        "node_id": format!("MDEyOk9yZ2FuaXphdGlvbg{id}"),
        "avatar_url": format!("https://avatars.example.com/u/{id}?v=4"),
        "gravatar_id": "",
        "url": format!("https://api.example.com/users/{org}"),
        "html_url": format!("https://example.com/{org}"),
        "repos_url": format!("https://api.example.com/users/{org}/repos"),
        "type": "Organization",
        "site_admin": false,
        "plan": {"name": "team", "seats": 10 + org_idx, "filled": org_idx},
    })
}

fn description(dice: &mut Dice) -> String {
    let n_words = 6 + dice.below(14);
    let mut text = dice.words(n_words).join(" ");
    if dice.one_in(16) {
        text.push_str(" \"quoted\"\n");
    }
    text
}

fn urls(org: &str, name: &str, dice: &mut Dice) -> Value {
    let html = format!("https://example.com/{org}/{name}");
    let api = format!("https://api.example.com/repos/{org}/{name}");
    json!({
        "html_url": html,
        "url": api,
        "archive_url": format!("{api}/{{archive_format}}{{/ref}}"),
        "branches_url": format!("{api}/branches{{/branch}}"),
        "commits_url": format!("{api}/commits{{/sha}}"),
        "contents_url": format!("{api}/contents/{{+path}}"),
        "events_url": format!("{api}/events"),
        "forks_url": format!("{api}/forks"),
        "issues_url": format!("{api}/issues{{/number}}"),
        "pulls_url": format!("{api}/pulls{{/number}}"),
        "releases_url": format!("{api}/releases{{/id}}"),
        "git_url": format!("git://example.com/{org}/{name}.git"),
        "ssh_url": format!("git@example.com:{org}/{name}.git"),
        "clone_url": format!("{html}.git"),
        "mirror_url": dice.one_in(40).then(|| format!("git://mirror.example.com/{org}/{name}")),
        "homepage": dice.one_in(3).then(|| format!("https://{name}.example.org")),
    })
}

fn times(dice: &mut Dice) -> Value {
    let created = FIRST_SECOND + dice.below(250_000_000);
    json!({
        "created_at": timestamp(created),
        "updated_at": timestamp(created + dice.below(60_000_000)),
        "pushed_at": timestamp(created + dice.below(60_000_000)),
    })
}

fn counts(dice: &mut Dice) -> Value {
    let (stars, forks) = (dice.below(50_000), dice.below(9_000));
    json!({
        "size": dice.below(900_000),
        "stargazers_count": stars,
        "watchers_count": stars,
        "forks_count": forks,
        "open_issues_count": dice.below(250),
        "network_count": forks,
        "subscribers_count": dice.below(700),
        "score": dice.below(10_000) as f64 / 100.0,
    })
}

fn flags(dice: &mut Dice) -> Value {
    let n_topics = dice.below(6);
    let (key, title, spdx_id) = dice.pick(&LICENCES);
    let licence = json!({"key": key, "name": title, "spdx_id": spdx_id, "url": format!("https://api.example.com/licenses/{key}"), "node_id": "MDc6TGljZW5zZTEz"});
    json!({
        "language": (!dice.one_in(12)).then(|| dice.pick(&LANGUAGES)),
        "has_issues": dice.one_in(2),
        "has_projects": dice.one_in(2),
        "has_downloads": dice.one_in(2),
        "has_wiki": dice.one_in(2),
        "has_pages": dice.one_in(2),
        "archived": dice.one_in(2),
        "disabled": false,
        "allow_forking": true,
        "is_template": dice.one_in(2),
        "license": (!dice.one_in(5)).then_some(licence),
        "topics": dice.words(n_topics),
        "visibility": dice.pick(&["private", "public"]),
        "default_branch": dice.pick(&["main", "main", "main", "master"]),
        "permissions": {"admin": dice.one_in(2), "maintain": dice.one_in(2), "push": dice.one_in(2), "triage": dice.one_in(2), "pull": true},
        "security_and_analysis": {
            "advanced_security": {"status": dice.pick(&["enabled", "disabled"])},
            "secret_scanning": {"status": dice.pick(&["enabled", "disabled"])},
        },
    })
}

/// Returns a time in seconds since 1970 as ISO 8601 text in UTC.
fn timestamp(seconds: u64) -> String {
    let (mut year, mut days) = (1970, seconds / 86_400);
    let is_leap = |year: u64| (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let second = seconds % 86_400;
    format!("{year}-{:02}-{:02}T{:02}:{:02}:{:02}Z", month + 1, days + 1, second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_leaves(value: &Value) -> usize {
        match value {
            Value::Object(fields) => fields.values().map(n_leaves).sum(),
            _ => 1,
        }
    }

    #[test]
    fn a_row_depends_on_its_number_only() {
        assert_eq!(repo(7), repo(7));
        assert_ne!(repo(7), repo(8));
    }

    #[test]
    fn rows_have_the_size_and_width_the_benchmark_states() {
        let rows: Vec<Value> = (0..1000).map(repo).collect();
        let n_bytes = serde_json::to_vec(&rows).unwrap().len();
        assert!((2_700_000..3_300_000).contains(&n_bytes), "{n_bytes} bytes in 1,000 rows");
        let widest = rows.iter().map(n_leaves).max().unwrap();
        assert!((60..90).contains(&widest), "{widest} fields");
    }

    #[test]
    fn times_are_calendar_times() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(timestamp(951_868_799), "2000-02-29T23:59:59Z");
        assert_eq!(timestamp(1_735_689_599), "2024-12-31T23:59:59Z");
    }
}
