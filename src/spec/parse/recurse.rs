//! Reads `recurse`: that a table goes on below its own rows.

use super::params::params_of;
use super::{Fields, Node};
use crate::spec::{ParamDef, ParamValues, ParentQuery, RecurseDef, RefreshStrategy, TableDef};
use crate::yaml::Mistakes;

/// The keys of `recurse`, in the order of the reference.
pub(super) const RECURSE_KEYS: &[&str] = &["params", "max_depth"];
/// How many levels there may be below the first one, where the spec does not say it.
const MAX_DEPTH: u64 = 100;

/// Reads `recurse`.
pub(super) fn recurse_of(table: &Fields<'_>) -> Option<Box<RecurseDef>> {
    let node = table.get("recurse")?;
    let fields = Fields::of(node, format!("'recurse' of {}", table.place()), RECURSE_KEYS, table.mistakes())?;
    let max_depth = fields.count("max_depth", 1).unwrap_or(MAX_DEPTH);
    let params = params_of(&fields);
    match (params.as_slice(), fields.get("params")) {
        ([ParamDef { names, values: ParamValues::Query(query), many: None }], _) => {
            Some(Box::new(RecurseDef { names: names.clone(), query: query.clone(), max_depth }))
        }
        // What is wrong with it is said already.
        ([], Some(node)) if node.mapping().is_some_and(|entries| !entries.is_empty()) => None,
        (_, params) => {
            let name = table.get("name").and_then(Node::text).unwrap_or("folders");
            let expected =
                format!("expected one param and a query over the table's own rows, such as 'folder: sql@(SELECT id FROM {name})'");
            let value = params.and_then(Node::mapping).filter(|entries| entries.len() == 1).map(|entries| &entries[0].1);
            table.mistakes().at(value.or(params).unwrap_or(node), format!("'params' of {}: {expected}", fields.place()));
            None
        }
    }
}

/// The check of a table that goes on below its own rows.
pub(super) struct RecurseCheck<'a> {
    pub table_def: &'a TableDef,
    /// The node of the table.
    pub node: &'a Node,
    pub mistakes: &'a Mistakes,
}

impl RecurseCheck<'_> {
    /// Adds what is wrong with `recurse`. `in_query` says where its query stands.
    pub fn run(&self, in_query: &dyn Fn(&ParentQuery, &Node, &str)) {
        let (Some(recurse), Some(node)) = (&self.table_def.recurse, self.node.get("recurse")) else { return };
        let place = format!("'recurse' of table '{}'", self.table_def.name);
        let params = node.get("params").unwrap_or(node);
        in_query(&recurse.query, params.scalars().first().copied().unwrap_or(params), &place);
        for fault in [self.fault_of_query(recurse), self.fault_of_params(recurse), self.fault_of_table()].into_iter().flatten() {
            self.mistakes.at(node, format!("{place} {fault}"));
        }
    }

    fn fault_of_query(&self, recurse: &RecurseDef) -> Option<String> {
        let own = &self.table_def.name;
        match recurse.query.tables.iter().find(|table| !table.eq_ignore_ascii_case(own)) {
            Some(other) => Some(format!("reads table '{other}'; expected only '{own}', whose rows lead down")),
            None if recurse.query.tables.is_empty() => Some(format!("does not read '{own}', whose rows lead down")),
            None => None,
        }
    }

    /// The param that leads down takes all that varies with it, so that a set of the next level is one of the first with other values.
    fn fault_of_params(&self, recurse: &RecurseDef) -> Option<String> {
        let is_meant = |param_def: &ParamDef| {
            param_def.names.len() == recurse.names.len() && param_def.names.iter().all(|name| recurse.names.contains(name))
        };
        let names = recurse.names.join(",");
        let Some(meant) = self.table_def.params.iter().find(|param_def| is_meant(param_def)) else {
            return Some(format!(
                "gives values to '{names}', which is not a param of the table; write the param's name, and its first values in 'params'"
            ));
        };
        if meant.many.is_some() {
            return Some(format!("gives values to '{names}', of which a request has many; expected a param with one value in a request"));
        }
        let other = self.table_def.params.iter().find(|param_def| !is_meant(param_def) && param_def.varies())?;
        Some(format!(
            "gives values to '{names}', and param '{}' has several values, too; make them one param, as in '{},{names}'",
            other.names.join(","),
            other.names.join(",")
        ))
    }

    fn fault_of_table(&self) -> Option<String> {
        let has = |key: &str| self.node.get(key).is_some_and(|node| !node.is_null());
        if self.table_def.key_columns.is_empty() {
            return Some("needs a key, which tells a row that is reached again: write 'key_column'".to_string());
        }
        if self.table_def.refresh != RefreshStrategy::Reload {
            return Some("needs a refresh by reload: what changed does not lead to all rows below it".to_string());
        }
        let other = ["discover", "window", "job"].into_iter().find(|key| has(key))?;
        Some(format!("and '{other}' do not go together; leave one out"))
    }
}
