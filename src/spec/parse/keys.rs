//! The keys of requests and their answers, each listed once. Tables have them all; updates and discovery have most of them.

use super::body::BODY_KEYS;

/// The keys that say what a request is, besides those of a body.
pub(super) const CALL_KEYS: &[&str] = &["resource_path", "query_resource", "method", "safe"];
/// The keys that say how a resource is cut into pages.
pub(super) const PAGING_KEYS: &[&str] = &["paging", "supports_paging"];
/// The keys that say how an answer is read, and where its records are.
pub(super) const ANSWER_KEYS: &[&str] =
    &["format", "csv", "compression", "files", "tree", "keyed_by", "row_names", "zip", "result_body_path", "missing"];
/// The keys of everything that asks for records.
const COMMON_KEYS: &[&str] = &joined::<{ n_keys(COMMON_LISTS) }>(COMMON_LISTS);
const COMMON_LISTS: &[&[&str]] = &[CALL_KEYS, &["base_url", "headers", "params"], BODY_KEYS, ANSWER_KEYS, &["skip_when"], PAGING_KEYS];

/// The keys of a request that discovers: how an answer is asked for, and what its records are.
pub(super) const DISCOVERY_KEYS: &[&str] = &joined::<{ n_keys(DISCOVERY_LISTS) }>(DISCOVERY_LISTS);
const DISCOVERY_LISTS: &[&[&str]] = &[COMMON_KEYS, &["throttle"]];

/// The keys of a table that requests for updates may have for themselves: those of request, answer and next page.
pub(super) const UPDATING_KEYS: &[&str] = &joined::<{ n_keys(UPDATING_LISTS) }>(UPDATING_LISTS);
const UPDATING_LISTS: &[&[&str]] = &[COMMON_KEYS, &["deleted_when", "result_object_path", "result_meta_paths"]];

/// The keys of a table.
pub(super) const TABLE_KEYS: &[&str] = &joined::<{ n_keys(TABLE_LISTS) }>(TABLE_LISTS);
const TABLE_LISTS: &[&[&str]] = &[
    &["name", "discover", "description"],
    UPDATING_KEYS,
    &["copy_params_to_output", "select", "strip_prefixes", "columns", "only_columns", "key_column", "key_columns"],
    &["refresh", "etag", "nested", "throttle", "expect", "write", "window", "max_rows", "job", "recurse", "children", "deletes"],
];

const fn n_keys(lists: &[&[&str]]) -> usize {
    let mut n_keys = 0;
    let mut idx = 0;
    while idx < lists.len() {
        n_keys += lists[idx].len();
        idx += 1;
    }
    n_keys
}

/// Returns the keys of these lists, one list after the other.
const fn joined<const N: usize>(lists: &[&[&'static str]]) -> [&'static str; N] {
    let mut keys = [""; N];
    let (mut at, mut list_idx) = (0, 0);
    while list_idx < lists.len() {
        let mut idx = 0;
        while idx < lists[list_idx].len() {
            keys[at] = lists[list_idx][idx];
            (at, idx) = (at + 1, idx + 1);
        }
        list_idx += 1;
    }
    keys
}
