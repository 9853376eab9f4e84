//! Checks `overwrite` of `refresh` against the rest of the table: rows are only removed where it is known that the API was asked for them.

use super::Node;
use crate::spec::{AdapterSpec, Builtin, DeclaredType, ParamDef, RuleVerdict, ScalarType, Step, TableDef, Template, Updates};
use crate::yaml::Mistakes;

/// A table's `overwrite` and where it stands in the file.
pub(super) struct OverwriteCheck<'a> {
    pub spec: &'a AdapterSpec,
    pub table_def: &'a TableDef,
    /// The table's mapping.
    pub node: &'a Node,
    pub mistakes: &'a Mistakes,
}

impl OverwriteCheck<'_> {
    /// Adds the mistakes that windows, columns, params, children and rules make of it.
    pub fn run(&self) {
        let Some(updates) = self.table_def.refresh.updates() else { return };
        let Some(column) = &updates.overwrite else { return };
        let place = format!("table '{}'", self.table_def.name);
        let Some(window_def) = &self.table_def.window else {
            if self.node.get("window").is_none() {
                self.add(format!(
                    "{place} has 'overwrite', which replaces the rows of the windows that a refresh asks for, and has no 'window'; give it one"
                ));
            }
            return;
        };
        self.check_column(column, window_def.step, &place);
        self.check_params(updates, &place);
        if !self.asks_for_windows(updates) {
            self.add(format!(
                "the refresh of {place} does not ask for windows, whose rows 'overwrite' replaces; leave the params with '${{window.start}}' and \
                 '${{window.end}}' as they are"
            ));
        }
        if self.node.get("children").is_some() || self.table_def.recurse.is_some() {
            self.add(format!(
                "{place} has 'overwrite', and other rows that depend on its own ('children' or 'recurse'); leave 'overwrite' out"
            ));
        }
        if self.spec.errors.iter().any(|rule| rule.verdict == RuleVerdict::Warn) {
            self.add(format!(
                "{place} has 'overwrite', and a rule of 'errors' uses answers that are not complete ('do: warn'): rows that they lack would be \
                 removed; leave one of them out"
            ));
        }
    }

    fn add(&self, message: String) {
        let refresh = self.node.get("refresh");
        self.mistakes.at(refresh.and_then(|node| node.get("overwrite")).or(refresh).unwrap_or(self.node), message);
    }

    /// The column has values that windows have, in every row.
    fn check_column(&self, column: &str, step: Step, place: &str) {
        use ScalarType::{BigInt, Date, Double, HugeInt, Timestamp};
        let declared = self.table_def.columns.iter().find(|declared| declared.name.eq_ignore_ascii_case(column));
        let (fits, expected): (fn(ScalarType) -> bool, &str) = match step {
            Step::Number(_) => (|scalar| matches!(scalar, BigInt | HugeInt | Double), "BIGINT, HUGEINT or DOUBLE"),
            Step::Time(_) | Step::Months(_) => (|scalar| matches!(scalar, Date | Timestamp), "DATE or TIMESTAMP"),
        };
        match declared.map(|declared| declared.data_type) {
            Some(Some(DeclaredType::Scalar(scalar))) if fits(scalar) => {}
            // The API tells what columns there are.
            None if self.node.get("discover").is_some() => {}
            None => {
                let names = self.table_def.columns.iter().map(|declared| declared.name.as_str());
                let hint = self.mistakes.suggestions().hint("; ", column, names);
                self.add(format!("'overwrite' of {place} names '{column}', which 'columns' does not declare; expected {expected}{hint}"));
            }
            Some(_) => self.add(format!("'overwrite' of {place} names '{column}', which is not declared as {expected}")),
        }
    }

    /// Rows say which call they came from.
    fn check_params(&self, updates: &Updates, place: &str) {
        let varying = || self.table_def.params.iter().filter(|param_def| param_def.varies());
        let is_kept = |name: &&String| !updates.replaces(name);
        let missing: Vec<&str> = varying()
            .flat_map(|param_def| &param_def.names)
            .filter(is_kept)
            .filter(|name| !self.table_def.copy_params_to_output.contains(name))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            self.add(format!(
                "{place} has 'overwrite' and is loaded by several calls, each of which replaces its own rows; add '{}' to \
                 'copy_params_to_output' so that rows say which call they came from",
                missing.join("', '")
            ));
        }
        if let Some(many) = varying().find(|param_def| param_def.many.is_some()) {
            self.add(format!(
                "{place} has 'overwrite', and asks for several values of '{}' in one request, so that rows do not say which call they came \
                 from; leave one of them out",
                many.names.join(",")
            ));
        }
    }

    /// Returns whether requests for updates have bounds of windows.
    fn asks_for_windows(&self, updates: &Updates) -> bool {
        let is_bound = |template: &Template| template.names().any(|name| Builtin::named(name) == Some(Builtin::Window));
        let table_def = self.table_def.for_updates();
        let has_bound = |param_def: &ParamDef| param_def.values.templates().into_iter().any(is_bound);
        updates.laid_over(&table_def.params).into_iter().any(|(param_def, _)| has_bound(param_def))
            || table_def.request_templates().into_iter().any(is_bound)
    }
}
