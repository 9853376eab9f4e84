//! Looks for holes of other tools in what a spec says of its requests.

use super::body::BODY_KEYS;
use super::foreign::{found_in, Known, Stands};
use crate::yaml::{Mistakes, Node};

/// Adds the mistakes of what a table, or the spec itself, says of its requests. `place` is such as `table 'orders'`.
pub(super) fn check_texts(node: &Node, place: &str, known: &Known<'_>, mistakes: &Mistakes) {
    let check = |node: &Node, name: String, stands: Stands| {
        each_text(node, &mut |text_node, text| {
            if let Some(found) = found_in(text, stands, known) {
                mistakes.at(text_node, format!("{name} of {place} {found}"));
            }
        })
    };
    for key in ["resource_path", "query_resource"] {
        node.get(key).into_iter().for_each(|node| check(node, "the path".to_string(), Stands::Path));
    }
    node.get("base_url").into_iter().for_each(|node| check(node, "'base_url'".to_string(), Stands::Path));
    for (key, word, stands) in [("headers", "header", Stands::Header), ("params", "param", Stands::Param)] {
        for (name, node) in node.get(key).and_then(Node::mapping).unwrap_or_default() {
            check(node, format!("{word} '{}'", name.name), stands);
        }
    }
    for key in BODY_KEYS {
        node.get(key).into_iter().for_each(|node| check(node, format!("'{key}'"), Stands::Body));
    }
    for (outer, steps) in [("paging", &["first"][..]), ("job", &["create", "wait", "fetch", "cancel"]), ("refresh", &["request"])] {
        let Some(outer_node) = node.get(outer) else { continue };
        for step in steps {
            if let Some(node) = outer_node.get(step) {
                check_texts(node, &format!("'{step}' in '{outer}' of {place}"), known, mistakes);
            }
        }
    }
    for (name, node) in node.get("refresh").and_then(|node| node.get("params")).and_then(Node::mapping).unwrap_or_default() {
        check(node, format!("param '{}' of the refresh", name.name), Stands::Param);
    }
}

fn each_text(node: &Node, work: &mut dyn FnMut(&Node, &str)) {
    for (_, below) in node.mapping().unwrap_or_default() {
        each_text(below, work);
    }
    for below in node.list().unwrap_or_default() {
        each_text(below, work);
    }
    // A query is SQL, where braces make structs.
    if let Some(text) = node.text().filter(|text| !text.starts_with("sql@")) {
        work(node, text);
    }
}
