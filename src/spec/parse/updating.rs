//! Reads `request` of `refresh`: how requests for updates differ from those of a load.

use super::answer::FORM_KEYS;
use super::body::BODY_KEYS;
use super::keys::{PAGING_KEYS, UPDATING_KEYS};
use super::{Fields, Mistakes, Node};
use crate::spec::TableDef;

/// Keys that say the same thing in several ways: one that is given replaces the others.
const ALTERNATIVES: [&[&str]; 4] = [&["resource_path", "query_resource"], BODY_KEYS, &FORM_KEYS, PAGING_KEYS];

/// Returns the table's mapping as requests for updates have it; `None` where they are those of a load.
pub(super) fn overlaid(table: &Node) -> Option<Node> {
    let request = table.get("refresh")?.get("request").filter(|node| node.mapping().is_some())?;
    let replaces = |given: &str, own: &str| ALTERNATIVES.iter().any(|keys| keys.contains(&given) && keys.contains(&own));
    Some(table.overlaid(request, replaces))
}

/// Adds the mistakes in the keys of `request`.
pub(super) fn check_keys(refresh: &Fields<'_>) {
    if let Some(node) = refresh.get("request") {
        Fields::of(node, format!("'request' of {}", refresh.place()), UPDATING_KEYS, refresh.mistakes());
    }
}

/// Adds a mistake where updates would be asked for by other calls than those that a load makes: what a call goes on from is known by its params.
pub(super) fn check_calls(table_def: &TableDef, node: &Node, mistakes: &Mistakes) {
    let Some((updating, updates)) = table_def.updating.as_ref().zip(table_def.refresh.updates()) else { return };
    let varying = |table_def: &TableDef| {
        let mut names: Vec<String> = table_def.params.iter().filter(|param| param.varies()).flat_map(|param| param.names.clone()).collect();
        names.retain(|name| !updates.replaces(name));
        names.sort();
        names
    };
    let (own, others) = (varying(table_def), varying(updating));
    let may_be_one = others.is_empty() && updates.sync_token.is_none();
    if own != others && !may_be_one {
        let expected = if updates.sync_token.is_some() { "the same" } else { "the same, or no" };
        let message = format!(
            "'request' in the refresh of table '{}' makes several calls by the params '{}', and the table by '{}'; expected {expected} params",
            table_def.name,
            others.join("', '"),
            own.join("', '")
        );
        mistakes.at(node.get("refresh").and_then(|refresh| refresh.get("request")).unwrap_or(node), message);
    }
}
