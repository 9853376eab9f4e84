//! Reads `refresh`, and checks what it says against the rest of the table.

use super::params::params_of;
use crate::spec::yaml::{nearest, Fields, Mistakes, Node};
use crate::spec::{
    duration_of, ColumnSpec, Cursor, DateFormat, DeclaredType, Lookback, Paging, ParamDef, ParamValue, ParamValues, RefreshStrategy,
    ScalarType, TableDef, Updates, DURATION_FORMS,
};
use std::time::Duration;

/// The keys of `refresh`, in the order of the reference.
pub(super) const REFRESH_KEYS: &[&str] = &["strategy", "params", "lookback", "cursor", "format", "max_staleness"];
/// The keys of `cursor`, in the order of the reference.
pub(super) const CURSOR_KEYS: &[&str] = &["column", "param", "lookback"];
/// Keys that only `updates` has.
const UPDATES_KEYS: &[&str] = &["params", "lookback", "cursor", "format"];
/// APIs that take moments without a zone read them in the account's: a day covers all zones, and clocks that differ.
const DEFAULT_LOOKBACK: Duration = Duration::from_secs(86_400);

/// Reads `refresh`; `format` is the spec's. Returns the strategy, and how old the table may become.
pub(super) fn refresh_of(table: &Fields<'_>, format: &DateFormat) -> (RefreshStrategy, Option<Duration>) {
    let Some(node) = table.get("refresh") else { return (RefreshStrategy::Reload, None) };
    let Some(fields) = Fields::of(node, format!("'refresh' of {}", table.place()), REFRESH_KEYS, table.mistakes()) else {
        return (RefreshStrategy::Reload, None);
    };
    let max_staleness = duration(&fields, "max_staleness");
    if let (Some(Duration::ZERO), Some(node)) = (max_staleness, fields.get("max_staleness")) {
        fields.mistakes().at(node, format!("'max_staleness' of {} is 0; expected more", fields.place()));
    }
    (strategy_of(&fields, format), max_staleness)
}

fn strategy_of(fields: &Fields<'_>, format: &DateFormat) -> RefreshStrategy {
    match fields.text("strategy").unwrap_or_else(|| "reload".to_string()).to_ascii_lowercase().as_str() {
        "reload" => {
            for key in UPDATES_KEYS {
                if let Some(node) = fields.get(key) {
                    let message = format!("{} has '{key}', but its strategy is 'reload'; only 'updates' takes it", fields.place());
                    fields.mistakes().at(node, message);
                }
            }
            RefreshStrategy::Reload
        }
        "updates" => RefreshStrategy::Updates(Box::new(updates_of(fields, format))),
        _ => {
            fields.wrong("strategy", fields.get("strategy").unwrap_or(fields.mapping_node()), "reload or updates");
            RefreshStrategy::Reload
        }
    }
}

fn updates_of(fields: &Fields<'_>, format: &DateFormat) -> Updates {
    let params = params_of(fields);
    if params.is_empty() && fields.get("cursor").is_none() {
        let message = format!("{} is 'updates', but has neither 'params' nor 'cursor' to ask for what changed", fields.place());
        fields.mistakes().at(fields.mapping_node(), message);
    }
    Updates {
        params,
        lookback: duration(fields, "lookback").unwrap_or(DEFAULT_LOOKBACK),
        cursor: cursor_of(fields),
        format: date_format(fields, "format").unwrap_or_else(|| format.clone()),
    }
}

fn cursor_of(refresh: &Fields<'_>) -> Option<Cursor> {
    let node = refresh.get("cursor")?;
    let fields = Fields::of(node, format!("'cursor' in {}", refresh.place()), CURSOR_KEYS, refresh.mistakes())?;
    let lookback = match fields.get("lookback").and_then(Node::text).and_then(|text| text.trim().parse().ok()) {
        Some(number) => Some(Lookback::Number(number)),
        None => duration(&fields, "lookback").map(Lookback::Time),
    };
    if let (Some(node), Some(_)) = (refresh.get("lookback"), &lookback) {
        let message = format!("{} has a 'lookback' besides that of its cursor, which is the one used; keep one", refresh.place());
        refresh.mistakes().at(node, message);
    }
    Some(Cursor { column: fields.required_text("column")?, param: fields.text("param"), lookback })
}

fn duration(fields: &Fields<'_>, key: &str) -> Option<Duration> {
    let node = fields.get(key)?;
    let found = node.text().and_then(duration_of);
    if found.is_none() {
        fields.wrong(key, node, DURATION_FORMS);
    }
    found
}

/// Reads a key that holds a date format.
pub(super) fn date_format(fields: &Fields<'_>, key: &str) -> Option<DateFormat> {
    let text = fields.text(key)?;
    match DateFormat::parse(&text) {
        Ok(format) => Some(format),
        Err(err) => {
            fields.mistakes().at(fields.get(key)?, format!("'{key}' of {}: {err}", fields.place()));
            None
        }
    }
}

/// A table's refresh and where it stands in the file.
pub(super) struct RefreshCheck<'a> {
    pub table_def: &'a TableDef,
    /// The table's mapping.
    pub node: &'a Node,
    pub mistakes: &'a Mistakes,
}

impl RefreshCheck<'_> {
    /// Adds the mistakes that params, columns and paging make of a refresh.
    pub fn run(&self) {
        let Some(updates) = self.table_def.refresh.updates() else { return };
        for param_def in &self.table_def.params {
            let n_replaced = param_def.names.iter().filter(|name| updates.replaces(name)).count();
            if n_replaced > 0 && n_replaced < param_def.names.len() {
                let message =
                    format!("the refresh of {} replaces part of param '{}'; name all of it", self.place(), param_def.names.join(","));
                self.mistakes.at(self.node_of(&["refresh"]), message);
            }
        }
        let has_hole = updates.params.iter().any(has_cursor_hole);
        let Some(cursor) = &updates.cursor else {
            if has_hole {
                let message = format!("the refresh of {} has a hole 'cursor', but no 'cursor'", self.place());
                self.mistakes.at(self.node_of(&["refresh", "params"]), message);
            }
            return;
        };
        self.check_param(updates, cursor, has_hole);
        self.check_column(cursor);
        self.check_sets(updates);
    }

    fn place(&self) -> String {
        format!("table '{}'", self.table_def.name)
    }

    /// Returns the value below these keys, or the nearest there is above it.
    fn node_of(&self, keys: &[&str]) -> &Node {
        let mut node = self.node;
        for key in keys {
            let Some(below) = node.get(key) else { return node };
            node = below;
        }
        node
    }

    fn check_param(&self, updates: &Updates, cursor: &Cursor, has_hole: bool) {
        let node = self.node_of(&["refresh", "cursor", "param"]);
        let Some(param) = &cursor.param else {
            if !has_hole {
                let message = format!(
                    "the cursor of {} is sent nowhere; give it 'param', or write ${{cursor}} in the refresh's params",
                    self.place()
                );
                self.mistakes.at(node, message);
            }
            return;
        };
        if updates.params.iter().any(|param_def| param_def.names.contains(param)) {
            self.mistakes.at(node, format!("param '{param}' is both in the params and in the cursor of the refresh of {}", self.place()));
        }
        if pager_params(&self.table_def.paging).contains(&param.as_str()) {
            self.mistakes.at(node, format!("the cursor of {} is sent as '{param}', which the paging uses", self.place()));
        }
    }

    fn check_column(&self, cursor: &Cursor) {
        let node = self.node_of(&["refresh", "cursor", "column"]);
        let declared = |column: &&ColumnSpec| column.name.eq_ignore_ascii_case(&cursor.column);
        let data_type = match self.table_def.columns.iter().find(declared) {
            Some(column) => column.data_type,
            None => {
                self.check_is_selected(cursor, node);
                None
            }
        };
        let Some(data_type) = data_type else { return };
        let is_moment = matches!(data_type, DeclaredType::Scalar(ScalarType::Date | ScalarType::Timestamp));
        let is_number = matches!(data_type, DeclaredType::Scalar(ScalarType::BigInt | ScalarType::HugeInt | ScalarType::Double));
        if !is_moment && !is_number {
            let message = format!(
                "the cursor column '{}' of {} is declared as neither a moment nor a number; expected BIGINT, HUGEINT, DOUBLE, DATE or TIMESTAMP",
                cursor.column,
                self.place()
            );
            self.mistakes.at(node, message);
        } else if let (true, Some(Lookback::Time(_))) = (is_number, cursor.lookback) {
            let message =
                format!("the cursor of {} looks back a length of time, but its column is a number; expected a number", self.place());
            self.mistakes.at(self.node_of(&["refresh", "cursor", "lookback"]), message);
        }
    }

    /// A column that is not declared may still come with the data, unless the table keeps only others.
    fn check_is_selected(&self, cursor: &Cursor, node: &Node) {
        let table_def = self.table_def;
        let is_copied = table_def.copy_params_to_output.iter().any(|name| name.eq_ignore_ascii_case(&cursor.column));
        let names_it = |name: &str| table_def.strip_prefixes.is_empty() && table_def.select.iter().any(|pattern| pattern.matches(name));
        let may_come =
            !table_def.only_columns && (table_def.select.is_empty() || !table_def.strip_prefixes.is_empty() || names_it(&cursor.column));
        if is_copied || may_come {
            return;
        }
        let names = table_def.columns.iter().map(|column| column.name.as_str());
        let hint = nearest(&cursor.column, names).map_or(String::new(), |name| format!("; did you mean '{name}'?"));
        let message = format!("the cursor column '{}' is not among the columns {} keeps{hint}", cursor.column, self.place());
        self.mistakes.at(node, message);
    }

    /// Calls that differ in a param reach different places: the rows must say which call they came from.
    fn check_sets(&self, updates: &Updates) {
        let varies = |param_def: &&ParamDef| !matches!(param_def.values, ParamValues::One(_));
        let own = self.table_def.params.iter().filter(varies).flat_map(|param_def| &param_def.names);
        let missing: Vec<&str> = own
            .filter(|name| !updates.replaces(name) && !self.table_def.copy_params_to_output.contains(name))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "{} has a cursor and is loaded by several calls, each of which continues from its own rows; add '{}' to \
                 'copy_params_to_output' so that rows say which call they came from",
                self.place(),
                missing.join("', '")
            );
            self.mistakes.at(self.node_of(&["refresh", "cursor"]), message);
        }
    }
}

fn has_cursor_hole(param_def: &ParamDef) -> bool {
    let has_hole = |value: &ParamValue| matches!(value, ParamValue::Template(template) if template.holes().any(|hole| hole == "cursor"));
    match &param_def.values {
        ParamValues::One(value) => has_hole(value),
        ParamValues::Each(elements) => elements.iter().flatten().any(has_hole),
        ParamValues::Query(_) => false,
    }
}

fn pager_params(paging: &Paging) -> Vec<&str> {
    match paging {
        Paging::None | Paging::NextLink { .. } => Vec::new(),
        Paging::PageAndCount { page_param: param, count_param, .. }
        | Paging::OffsetAndCount { offset_param: param, count_param, .. }
        | Paging::PagerToken { token_param: param, count_param, .. } => {
            std::iter::once(param.as_str()).chain(count_param.as_deref()).collect()
        }
        Paging::LinkHeader { count_param, .. } => count_param.as_deref().into_iter().collect(),
    }
}
