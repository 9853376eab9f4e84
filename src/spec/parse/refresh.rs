//! Reads `refresh`, and checks what it says against the rest of the table.

use super::limits::condition_of;
use super::params::params_of;
use super::text::duration;
use super::updating;
use crate::source::Paging;
use crate::spec::{
    Builtin, ColumnSpec, Cursor, DateFormat, DeclaredType, ErrorCondition, Lookback, ParamDef, ParamValue, ParamValues, RefreshStrategy,
    ScalarType, SyncToken, TableDef, Template, Updates,
};
use crate::yaml::{Fields, Mistakes, Node};
use std::time::Duration;

/// The keys of `refresh`, in the order of the reference.
pub(super) const REFRESH_KEYS: &[&str] =
    &["strategy", "params", "request", "lookback", "cursor", "overwrite", "format", "sync_token", "full_every", "max_staleness"];
/// The keys of `sync_token`, in the order of the reference.
pub(super) const SYNC_TOKEN_KEYS: &[&str] = &["path", "param", "expired"];
/// The keys of `cursor`, in the order of the reference.
pub(super) const CURSOR_KEYS: &[&str] = &["column", "param", "lookback"];
/// Keys that only `updates` has.
const UPDATES_KEYS: &[&str] = &["params", "request", "lookback", "cursor", "overwrite", "format", "sync_token", "full_every"];
/// APIs that take moments without a zone read them in the account's: a day covers all zones, and clocks that differ.
const DEFAULT_LOOKBACK: Duration = Duration::from_secs(86_400);

/// Reads `refresh`; `format` is the spec's. Returns the strategy, and how old the table may become.
pub(super) fn refresh_of(table: &Fields<'_>, format: &DateFormat) -> (RefreshStrategy, Option<Duration>) {
    let Some(node) = table.get("refresh") else { return (RefreshStrategy::Reload, None) };
    let Some(fields) = Fields::of(node, format!("'refresh' of {}", table.place()), REFRESH_KEYS, table.mistakes()) else {
        return (RefreshStrategy::Reload, None);
    };
    let max_staleness = positive_duration(&fields, "max_staleness");
    (strategy_of(&fields, table.get("window"), format), max_staleness)
}

fn strategy_of(fields: &Fields<'_>, window: Option<&Node>, format: &DateFormat) -> RefreshStrategy {
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
        "updates" => RefreshStrategy::Updates(Box::new(updates_of(fields, window, format))),
        _ => {
            fields.wrong("strategy", fields.get("strategy").unwrap_or(fields.mapping_node()), "reload or updates");
            RefreshStrategy::Reload
        }
    }
}

fn updates_of(fields: &Fields<'_>, window: Option<&Node>, format: &DateFormat) -> Updates {
    let params = params_of(fields);
    updating::check_keys(fields);
    let step = window.and_then(|window| window.get("step")?.text());
    let is_of_numbers = step.is_some_and(|step| step.trim().parse::<i64>().is_ok());
    Updates {
        params,
        lookback: duration(fields, "lookback").unwrap_or(if is_of_numbers { Duration::ZERO } else { DEFAULT_LOOKBACK }),
        cursor: cursor_of(fields),
        overwrite: fields.get("overwrite").and_then(|_| fields.required_text("overwrite")),
        format: date_format(fields, "format").unwrap_or_else(|| format.clone()),
        full_every: positive_duration(fields, "full_every"),
        sync_token: sync_token_of(fields),
    }
}

fn sync_token_of(refresh: &Fields<'_>) -> Option<SyncToken> {
    let node = refresh.get("sync_token")?;
    let fields = Fields::of(node, format!("'sync_token' in {}", refresh.place()), SYNC_TOKEN_KEYS, refresh.mistakes())?;
    if let (Some(node), Some(_)) = (refresh.get("cursor"), refresh.get("sync_token")) {
        refresh.mistakes().at(node, format!("{} has both 'cursor' and 'sync_token'; keep one", refresh.place()));
    }
    let expired = fields.get("expired").and_then(|node| condition_of(node, &format!("'expired' of {}", fields.place()), &fields));
    Some(SyncToken {
        path: fields.required_json_path("path")?,
        param: fields.text("param"),
        expired: expired.unwrap_or_else(|| ErrorCondition { statuses: vec![410], ..ErrorCondition::default() }),
    })
}

fn positive_duration(fields: &Fields<'_>, key: &str) -> Option<Duration> {
    let found = duration(fields, key);
    if let (Some(Duration::ZERO), Some(node)) = (found, fields.get(key)) {
        fields.mistakes().at(node, format!("'{key}' of {} is 0; expected more", fields.place()));
    }
    found
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
        self.check_deleted();
        self.check_sync_link(updates);
        self.check_asks(updates);
        for param_def in &self.table_def.params {
            let n_replaced = param_def.names.iter().filter(|name| updates.replaces(name)).count();
            if n_replaced > 0 && n_replaced < param_def.names.len() {
                let message =
                    format!("the refresh of {} replaces part of param '{}'; name all of it", self.place(), param_def.names.join(","));
                self.mistakes.at(self.node_of(&["refresh"]), message);
            }
        }
        let own_params = self.table_def.variants().flat_map(|table_def| &table_def.params);
        let has_hole = updates.params.iter().chain(own_params).any(has_cursor_hole) || self.has_cursor_in_request();
        let Some(cursor) = &updates.cursor else {
            if has_hole {
                let message = format!("the refresh of {} has a hole 'cursor', but no 'cursor'", self.place());
                self.mistakes.at(self.node_of(&["refresh", "params"]), message);
            }
            return;
        };
        self.check_param(updates, cursor, has_hole);
        self.check_column(updates, cursor);
        self.check_sets(updates);
    }

    /// Returns whether the cursor stands in what is not a param.
    fn has_cursor_in_request(&self) -> bool {
        let templates = self.table_def.variants().flat_map(TableDef::request_templates);
        templates.flat_map(Template::names).any(|name| name == "cursor")
    }

    /// Something has to say what changed: a param, a cursor, a token, or a hole of the request.
    fn check_asks(&self, updates: &Updates) {
        let is_since = |name: &str| Builtin::named(name) == Some(Builtin::Since);
        let in_request = || self.table_def.request_templates().into_iter().flat_map(Template::names).any(is_since);
        let refresh = self.node_of(&["refresh"]);
        let has_window = self.node.get("window").is_some();
        let says_nothing = updates.params.is_empty() && ["cursor", "sync_token", "request"].iter().all(|key| refresh.get(key).is_none());
        if says_nothing && !has_window && !in_request() {
            let message = format!(
                "'refresh' of {} is 'updates', but has none of 'params', 'cursor', 'sync_token' and 'request' to ask for what changed",
                self.place()
            );
            self.mistakes.at(refresh, message);
        }
    }

    /// An address of what changed is the first link of a chain of them.
    fn check_sync_link(&self, updates: &Updates) {
        let is_link = updates.sync_token.as_ref().is_some_and(|token| token.param.is_none());
        if is_link && !matches!(self.table_def.paging, Paging::NextLink(_)) {
            let message = format!(
                "'sync_token' in the refresh of {} has no 'param', so that it is a link, which needs 'paging' with 'strategy: nextLink'; name the \
                 param that takes the token",
                self.place()
            );
            self.mistakes.at(self.node_of(&["refresh", "sync_token"]), message);
        }
    }

    /// A row that is gone is found by its key.
    fn check_deleted(&self) {
        if self.table_def.answer.deleted_when.is_some() && self.table_def.key_columns.is_empty() {
            let message = format!("{} has 'deleted_when', but no key to find the deleted rows by; name its 'key_columns'", self.place());
            self.mistakes.at(self.node_of(&["deleted_when"]), message);
        }
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
        // The first page is asked for without a token: the cursor may be sent in its place.
        if self.table_def.paging.always_sets(param) {
            self.mistakes.at(node, format!("the cursor of {} is sent as '{param}', which the paging uses", self.place()));
        }
    }

    fn check_column(&self, updates: &Updates, cursor: &Cursor) {
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
        } else if let (true, Some(Lookback::Time(_)), None) = (is_number, cursor.lookback, updates.format.number_unit()) {
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
        let hint = self.mistakes.suggestions().hint("; ", &cursor.column, names);
        let message = format!("the cursor column '{}' is not among the columns {} keeps{hint}", cursor.column, self.place());
        self.mistakes.at(node, message);
    }

    /// Calls that differ in a param reach different places: the rows must say which call they came from.
    fn check_sets(&self, updates: &Updates) {
        let own = self.table_def.params.iter().filter(|param_def| param_def.varies()).flat_map(|param_def| &param_def.names);
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
    let has_hole = |value: &ParamValue| matches!(value, ParamValue::Template(template) if template.names().any(|name| name == "cursor"));
    match &param_def.values {
        ParamValues::One(value) => has_hole(value),
        ParamValues::Each(elements) => elements.iter().flatten().any(has_hole),
        ParamValues::Query(_) => false,
    }
}
