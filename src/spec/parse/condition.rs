//! Reads conditions on fields: a path, or one path and the values expected there.

use crate::spec::FieldCondition;
use crate::yaml::{Fields, Node, NodeKind};

/// Reads a path alone (its value is not null), or a mapping of one path to a value or several, of which one has to be there.
pub(super) fn field_condition(fields: &Fields<'_>, key: &str) -> Option<FieldCondition> {
    let node = fields.get(key)?;
    let found = match (node.text(), node.mapping()) {
        (Some(path), _) => keys_of_path(path).map(|path| FieldCondition { path, values: Vec::new() }),
        (None, Some([(path, values)])) => {
            keys_of_path(&path.name).zip(values_of(values)).map(|(path, values)| FieldCondition { path, values })
        }
        _ => None,
    };
    if found.is_none() {
        let expected = "a path, or a mapping of one path to a value or a list of values; a key with a dot is written as in [\"a.b\"].c";
        fields.wrong(key, fault_in(node), expected);
    }
    found
}

/// Returns what is at fault in a mapping of paths to values or lists of values: a value of another kind, or else the node itself.
pub(super) fn fault_in(node: &Node) -> &Node {
    let values = node.mapping().unwrap_or_default().iter().map(|(_, node)| node);
    let fault = |node: &'_ Node| -> bool { node.mapping().is_some() || !std::ptr::eq(node.first_nested(), node) };
    values.into_iter().find(|node| fault(node)).map_or(node, |node| if node.list().is_some() { node.first_nested() } else { node })
}

fn values_of(node: &Node) -> Option<Vec<String>> {
    match &node.kind {
        NodeKind::Null => Some(Vec::new()),
        NodeKind::List(nodes) if !nodes.is_empty() => nodes.iter().map(|node| node.text().map(str::to_string)).collect(),
        _ => node.text().map(|text| vec![text.to_string()]),
    }
}

/// Returns the keys of a dotted path. A key in quotes and brackets, such as `["a.b"]`, may hold anything but its quote. `None`: it is not one.
pub(super) fn keys_of_path(path: &str) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    let mut rest = path;
    loop {
        let (key, after) = match quoted_key(rest) {
            Some(found) => found,
            None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
        };
        if key.is_empty() {
            return None;
        }
        keys.push(key.to_string());
        rest = match after.strip_prefix('.') {
            Some(rest) => rest,
            None if after.is_empty() => return Some(keys),
            None if after.starts_with('[') => after,
            None => return None,
        };
    }
}

/// Returns the key in quotes and brackets that a path begins with, and what follows.
fn quoted_key(path: &str) -> Option<(&str, &str)> {
    ["[\"", "['"].iter().find_map(|begin| {
        let end = format!("{}]", &begin[1..]);
        path.strip_prefix(begin)?.split_once(end.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_brackets_may_have_a_dot() {
        let check = |path: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|keys| keys.iter().map(|key| key.to_string()).collect::<Vec<_>>());
            assert_eq!(keys_of_path(path), expected, "{path}");
        };
        check("a", Some(&["a"]));
        check("@removed.reason", Some(&["@removed", "reason"]));
        check("[\"@odata.removed\"]", Some(&["@odata.removed"]));
        check("a['b.c'].d[\"e\"]", Some(&["a", "b.c", "d", "e"]));
        for wrong in ["", ".", "a.", ".a", "a..b", "a[b]", "[\"a", "[\"a\"]b", "a[\"\"]"] {
            check(wrong, None);
        }
    }
}
