//! Times the conversion of pages in memory: `cargo run --release --no-default-features --example convert [pages]`.

use std::fmt::Write as _;
use std::time::{Duration, Instant};
use unify::columns::RowPlan;
use unify::document::{Parser, Weight};
use unify::spec::{AdapterSpec, TableDef};

const ROWS_PER_PAGE: usize = 100;

fn main() -> unify::Result<()> {
    let n_pages: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1000);
    let samples: Vec<String> = (0..16).map(page).collect();
    let plan = RowPlan::new(&table_def()?);
    let mut schema = plan.initial_schema(&[]);
    let mut parser = Parser::default();
    let (mut parsing, mut converting) = (Duration::ZERO, Duration::ZERO);
    let (mut n_rows, mut n_bytes, mut n_text_bytes) = (0, 0, 0);
    for page_idx in 0..n_pages {
        let body = &samples[page_idx % samples.len()];
        n_bytes += body.len();
        let start = Instant::now();
        let weight = Weight::of(body.as_bytes(), plan.most_bytes());
        let page = parser.read(body.as_bytes(), weight, plan.most_bytes(), |root| {
            let parsed = Instant::now();
            parsing += parsed - start;
            let page = plan.rows_of(root, &schema, &[]);
            converting += parsed.elapsed();
            page
        })??;
        let batch = page.batch;
        n_rows += batch.n_rows;
        n_text_bytes += batch.text_bytes();
        schema = batch.schema;
    }
    println!(
        "{n_pages} pages, {n_rows} rows, {} columns, {} MB of JSON, {} MB of text",
        schema.columns.len(),
        n_bytes >> 20,
        n_text_bytes >> 20
    );
    println!("parse {parsing:.3?}, convert {converting:.3?}, together {:.3?}", parsing + converting);
    Ok(())
}

/// Returns the table, as a spec that says no more than its path has it.
fn table_def() -> unify::Result<TableDef> {
    let text = "name: a
base_url: https://a.example.com
tables: [{name: repos, resource_path: /repos, supports_paging: false}]
";
    let spec = AdapterSpec::parse("a.yaml", text)?;
    spec.and_then(|spec| spec.tables.into_iter().next()).ok_or_else(|| unify::Error::internal("the spec has no table"))
}

fn page(page_idx: usize) -> String {
    let mut body = String::from("[");
    for row_idx in 0..ROWS_PER_PAGE {
        if row_idx > 0 {
            body.push(',');
        }
        write_repo(&mut body, page_idx * ROWS_PER_PAGE + row_idx);
    }
    body.push(']');
    body
}

/// Writes one object: objects three deep, lists of texts, timestamps, nulls, texts short and long.
fn write_repo(out: &mut String, idx: usize) {
    let mut state = idx as u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let name = format!("repo-{idx}");
    let api = format!("https://api.example.com/repos/org-{}/{name}", idx % 10);
    let _ = write!(out, r#"{{"id":{},"node_id":"MDEwOlJlcG9zaXRvcnk{idx}","name":"{name}""#, 1_000_000 + idx);
    write_owner(out, idx % 10);
    for field in ["url", "archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents"] {
        let _ = write!(out, r#","{field}_url":"{api}/{field}{{/part}}""#);
    }
    for field in ["contributors", "deployments", "downloads", "events", "forks", "hooks", "issues", "keys", "labels", "languages"] {
        let _ = write!(out, r#","{field}_url":"{api}/{field}""#);
    }
    for field in ["created_at", "updated_at", "pushed_at"] {
        let (month, day, hour, second) = (random(12) + 1, random(28) + 1, random(24), random(60));
        let _ = write!(out, r#","{field}":"20{:02}-{month:02}-{day:02}T{hour:02}:17:{second:02}Z""#, random(20) + 10);
    }
    for field in ["size", "stargazers_count", "watchers_count", "forks_count", "open_issues_count", "subscribers_count"] {
        let _ = write!(out, r#","{field}":{}"#, random(100_000));
    }
    for field in ["private", "fork", "has_issues", "has_projects", "has_wiki", "has_pages", "archived", "disabled", "is_template"] {
        let _ = write!(out, r#","{field}":{}"#, random(2) == 1);
    }
    let _ = write!(out, r#","score":{}.{:02},"mirror_url":null"#, random(100), random(90) + 10);
    out.push_str(if random(3) == 0 { r#","homepage":null"# } else { r#","homepage":"https://example.org/caf\u00e9""# });
    out.push_str(match random(5) {
        0 => r#","license":null"#,
        _ => r#","license":{"key":"mit","name":"MIT \"License\"","spdx_id":"MIT","url":"https://api.example.com/licenses/mit"}"#,
    });
    let topics: Vec<&str> = ["\"data\"", "\"loader\"", "\"sql\"", "\"rest\"", "\"api\""].into_iter().take(random(6) as usize).collect();
    let _ = write!(out, r#","topics":[{}],"readme":"{}""#, topics.join(","), "fast loader of tables ".repeat(20 + random(8) as usize));
    let _ = write!(out, r#","permissions":{{"admin":{},"push":{},"pull":true}}"#, random(2) == 1, random(2) == 1);
    out.push_str(r#","security":{"advanced":{"status":"enabled"},"scanning":{"status":"disabled"}}}"#);
}

fn write_owner(out: &mut String, org: usize) {
    let _ = write!(
        out,
        concat!(
            r#","owner":{{"login":"org-{org}","id":{id},"avatar_url":"https://avatars.example.com/u/{id}?v=4","gravatar_id":"","#,
            r#""html_url":"https://example.com/org-{org}","type":"Organization","site_admin":false,"#,
            r#""plan":{{"name":"team","seats":{org},"limits":{{"storage":{id},"users":null}}}}}}"#
        ),
        org = org,
        id = 9000 + org
    );
}
