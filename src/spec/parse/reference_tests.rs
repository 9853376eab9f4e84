//! Keeps `docs/adapter-spec.md` true: each of its blocks parses, and it names every key.

use super::answer::{CSV_KEYS, NAMED_KEYS, TREE_KEYS};
use super::body::GRAPHQL_KEYS;
use super::children::CHILD_KEYS;
use super::discover::{DISCOVER_KEYS, FIELD_KEYS, TYPE_KEYS};
use super::expect::EXPECT_KEYS;
use super::job::{FETCH_KEYS, JOB_KEYS, JOB_WAIT_KEYS, STEP_KEYS};
use super::keys::{TABLE_KEYS, UPDATING_KEYS};
use super::limits::{RETRY_KEYS, RULE_KEYS};
use super::oauth2;
use super::params::LONG_KEYS;
use super::recurse::RECURSE_KEYS;
use super::refresh::{CURSOR_KEYS, REFRESH_KEYS, SYNC_TOKEN_KEYS};
use super::session;
use super::setup::SETUP_KEYS;
use super::signing;
use super::throttle::{BUDGET_KEYS, THROTTLE_KEYS, WAIT_KEYS};
use super::window::{MAX_ROWS_KEYS, WINDOW_KEYS};
use super::write::WRITE_KEYS;
use super::{IGNORED_KEYS, SPEC_KEYS};
use crate::source::Paging;
use crate::spec::AdapterSpec;

/// The keys of the ways to authenticate that have some of their own.
const AUTH_KEYS: [&[&str]; 6] =
    [oauth2::KEYS, oauth2::JWT_KEYS, signing::AWS_KEYS, signing::OAUTH1_KEYS, session::KEYS, session::LOGIN_KEYS];

pub(super) const REFERENCE: &str = include_str!("../../../docs/adapter-spec.md");

pub(super) const AUTHORS_PAGE: &str = include_str!("../../../docs/write-an-adapter.md");

pub(super) const HABITS_PAGE: &str = include_str!("../../../docs/api-habits.md");

const AUTHENTICATION_PAGE: &str = include_str!("../../../docs/authentication.md");

pub(super) fn blocks_of(page: &str) -> Vec<String> {
    page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_string).collect()
}

fn yaml_blocks() -> Vec<String> {
    blocks_of(REFERENCE)
}

/// Makes a whole spec of a block: entries of `tables`, or keys of the spec.
pub(super) fn whole_spec(block: &str) -> String {
    let block = if block.starts_with("- ") { format!("tables:\n{block}") } else { block.to_string() };
    let has = |key: &str| block.lines().any(|line| line.starts_with(key));
    let mut spec = block.clone();
    for (key, line) in
        [("name:", "name: a"), ("base_url:", "base_url: https://a.example.com"), ("tables:", "tables: [{name: t, supports_paging: false}]")]
    {
        if !has(key) {
            spec.push_str(&format!("\n{line}\n"));
        }
    }
    spec
}

#[test]
fn every_block_of_the_reference_parses() {
    let blocks = yaml_blocks();
    assert!(blocks.len() > 10, "found {} blocks", blocks.len());
    for block in blocks {
        let spec = whole_spec(&block);
        if let Err(err) = AdapterSpec::parse("docs/adapter-spec.md", &spec) {
            panic!("{err}\n{spec}");
        }
    }
}

#[test]
fn every_adapter_of_the_page_about_authentication_is_whole_and_warns_of_nothing() {
    let blocks: Vec<String> = blocks_of(AUTHENTICATION_PAGE).into_iter().filter(|block| block.starts_with("name: ")).collect();
    assert_eq!(blocks.len(), 7, "found {} adapters", blocks.len());
    for block in blocks {
        let findings = AdapterSpec::examine("docs/authentication.md", &block).findings;
        assert!(findings.is_empty(), "{findings:?}\n{block}");
    }
}

/// Checks that a page has so many blocks, and that each is a spec without mistakes and warnings.
fn check_blocks(file: &str, page: &str, n_least: usize) {
    let blocks = blocks_of(page);
    assert!(blocks.len() >= n_least, "{file}: found {} blocks", blocks.len());
    for block in blocks {
        let spec = whole_spec(&block);
        let findings = AdapterSpec::examine(file, &spec).findings;
        assert!(findings.is_empty(), "{findings:?}\n{spec}");
    }
}

#[test]
fn every_block_of_the_pages_for_authors_parses_and_warns_of_nothing() {
    check_blocks("docs/write-an-adapter.md", AUTHORS_PAGE, 2);
    check_blocks("docs/api-habits.md", HABITS_PAGE, 100);
}

#[test]
fn the_reference_names_every_key() {
    let limits = [SETUP_KEYS, THROTTLE_KEYS, BUDGET_KEYS, RETRY_KEYS, RULE_KEYS, WAIT_KEYS];
    let keys = [
        SPEC_KEYS,
        TABLE_KEYS,
        REFRESH_KEYS,
        CURSOR_KEYS,
        SYNC_TOKEN_KEYS,
        EXPECT_KEYS,
        WRITE_KEYS,
        LONG_KEYS,
        GRAPHQL_KEYS,
        CSV_KEYS,
        UPDATING_KEYS,
        RECURSE_KEYS,
        TREE_KEYS,
        NAMED_KEYS,
    ];
    let of_jobs = [JOB_KEYS, STEP_KEYS, JOB_WAIT_KEYS, FETCH_KEYS];
    let paging = Paging::keys();
    let discovery = [DISCOVER_KEYS, FIELD_KEYS, TYPE_KEYS];
    let keys = keys
        .into_iter()
        .chain(limits)
        .chain(discovery)
        .chain([WINDOW_KEYS, MAX_ROWS_KEYS, CHILD_KEYS])
        .chain(AUTH_KEYS)
        .chain(of_jobs)
        .flatten()
        .chain(&paging);
    for key in keys.clone().chain(IGNORED_KEYS) {
        assert!(REFERENCE.contains(&format!("`{key}`")), "'{key}' is not in docs/adapter-spec.md");
    }
    for key in keys {
        let is_shown = yaml_blocks().iter().any(|block| block.contains(&format!("{key}:")));
        assert!(is_shown, "'{key}' has no example in docs/adapter-spec.md");
    }
}
