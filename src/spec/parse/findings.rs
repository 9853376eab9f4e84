//! What the author of a spec wants to know of its file: each mistake and warning, where it is, and what to write.

use super::{is_strict, spec_of, Mistakes, Node};
use crate::spec::AdapterSpec;
use crate::yaml::{parse_into, Mistake};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingLevel {
    /// The spec, or the table, cannot be used.
    Error,
    /// It is likely to be a mistake.
    Warning,
    /// Something that the API has, and the spec does not.
    Note,
}

impl FindingLevel {
    /// Returns the name that rows show.
    pub fn name(self) -> &'static str {
        match self {
            FindingLevel::Error => "error",
            FindingLevel::Warning => "warning",
            FindingLevel::Note => "note",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line and column; `None` when it is about nothing that the file has.
    pub place: Option<(usize, usize)>,
    pub level: FindingLevel,
    /// The way to the key: `tables.orders.paging`. Empty for the file as a whole.
    pub key: String,
    pub message: String,
    /// What to do about it.
    pub suggestion: Option<String>,
}

/// A spec file that was looked through.
pub struct Examined {
    /// What the file says, where that can be told; not fit for use when there are mistakes.
    pub spec: Option<AdapterSpec>,
    pub root: Option<Node>,
    pub findings: Vec<Finding>,
}

impl AdapterSpec {
    /// Looks through a spec, also one that says `enabled: false`, for its author.
    pub fn examine(file: &str, text: &str) -> Examined {
        let mistakes = Mistakes::new(file);
        let root = parse_into(text, &mistakes);
        let spec = root.as_ref().and_then(|root| spec_of(file, root, &mistakes));
        let (errors, warnings) = mistakes.into_lists();
        let level_of_warnings = if root.as_ref().is_some_and(is_strict) { FindingLevel::Error } else { FindingLevel::Warning };
        let finding = |mistake: Mistake, level: FindingLevel| {
            let (message, suggestion) = match mistake.message.split_once("; ") {
                Some((message, suggestion)) => (message.to_string(), Some(suggestion.to_string())),
                None => (mistake.message, None),
            };
            let place = (mistake.line, mistake.column);
            let key = root.as_ref().and_then(|root| way_to(root, place)).unwrap_or_default().join(".");
            Finding { place: Some(place), level, key, message, suggestion }
        };
        let errors = errors.into_iter().map(|mistake| finding(mistake, FindingLevel::Error));
        let findings = errors.chain(warnings.into_iter().map(|mistake| finding(mistake, level_of_warnings))).collect();
        Examined { spec, root, findings }
    }
}

/// Returns the keys that lead to a place: those of mappings, and the names or positions of what is in lists.
fn way_to(node: &Node, place: (usize, usize)) -> Option<Vec<String>> {
    let below = |name: String, node: &Node| -> Option<Vec<String>> {
        let mut way = way_to(node, place)?;
        way.insert(0, name);
        Some(way)
    };
    for (key, value) in node.mapping().unwrap_or_default() {
        // A mapping and its first key stand at one place, and the key says more.
        if (key.line, key.column) == place {
            return Some(vec![key.name.clone()]);
        }
        if let Some(way) = below(key.name.clone(), value) {
            return Some(way);
        }
    }
    for (idx, element) in node.list().unwrap_or_default().iter().enumerate() {
        let name = element.get("name").and_then(Node::text).map_or_else(|| idx.to_string(), str::to_string);
        if (element.line, element.column) == place {
            return Some(vec![name]);
        }
        if let Some(way) = below(name, element) {
            return Some(way);
        }
    }
    ((node.line, node.column) == place).then(Vec::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{expect, Expect};

    fn check(text: &str, expected: Expect) {
        let found = AdapterSpec::examine("a.yaml", text).findings;
        let line = |finding: &Finding| {
            let (line, column) = finding.place.unwrap_or_default();
            let suggestion = finding.suggestion.as_deref().unwrap_or("");
            format!("{line}:{column} {} [{}] {} | {suggestion}\n", finding.level.name(), finding.key, finding.message)
        };
        expected.assert_eq(&found.iter().map(line).collect::<String>());
    }

    #[test]
    fn each_mistake_has_its_place_and_what_to_write() {
        check(
            "name: a\nbase_url: https://a\npaging: {strategy: linkHeader, per_page: 3}\ntables:\n  - name: orders\n    resource_pth: /x\n    \
             supports_paging: maybe\n  - name: stores\n    params: {a: {b: c}}\n",
            expect![[r#"
                3:32 error [paging.per_page] unknown key 'per_page' in 'paging' of the spec | expected one of: strategy, link_attribute, rebase, count_param, page_size, has_more_path, end_path, stop_on_empty, first
                6:5 error [tables.orders.resource_pth] unknown key 'resource_pth' in table 'orders' | did you mean 'resource_path'?
                7:22 error [tables.orders.supports_paging] 'supports_paging' of table 'orders' is the text 'maybe' | expected true or false
                9:17 error [tables.stores.params.a] param 'a' of table 'stores' needs 'values' or 'query', one of them | 
                9:18 error [tables.stores.params.a.b] unknown key 'b' in param 'a' of table 'stores' | expected one of: values, query, batch, as
                8:11 warning [tables.stores.name] table 'stores' loads one page: the spec has 'paging', and the table does not say whether it has pages | write 'supports_paging: true' or 'false'
            "#]],
        );
    }

    #[test]
    fn warnings_are_told_and_are_mistakes_of_a_strict_spec() {
        let spec = "name: a\nbase_url: https://a\npaging: {strategy: linkHeader}\ntables: [{name: t, resource_path: /t}]\n";
        check(
            spec,
            expect![[r#"
            4:17 warning [tables.t.name] table 't' loads one page: the spec has 'paging', and the table does not say whether it has pages | write 'supports_paging: true' or 'false'
        "#]],
        );
        check(
            &format!("{spec}strict: true\n"),
            expect![[r#"
            4:17 error [tables.t.name] table 't' loads one page: the spec has 'paging', and the table does not say whether it has pages | write 'supports_paging: true' or 'false'
        "#]],
        );
    }

    #[test]
    fn a_file_that_is_not_yaml_has_one_mistake() {
        check(
            "a: [",
            expect![[r#"
            2:1 error [] invalid YAML: while parsing a node, did not find expected node content | 
        "#]],
        );
        assert!(AdapterSpec::examine("a.yaml", "name: a\nbase_url: https://a\ntables: [{name: t}]").findings.is_empty());
    }
}
