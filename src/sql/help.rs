//! What HELP says: one entry for each statement, function and setting, from their definitions, for each word of the field, and for each
//! connection and adapter, from their specs.

use crate::catalog::{hint, CatalogSnapshot};
use crate::columns::ColumnType;
use crate::session::{quote_literal, SettingDef, SettingType, SETTINGS};
use crate::spec::{AdapterSpec, OptionSpec, TableDef};
use crate::sql::grammar::any_argument;
use crate::sql::name::{shown, TablePath};
use crate::sql::terms::{Term, TERMS};
use crate::sql::{Definitions, FunctionDef, StatementDef, COPY_STATEMENT};
use crate::yaml::nearest;
use crate::{Error, Result};
use std::sync::Arc;

/// A row of HELP.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    /// What to give HELP for this entry and those that belong to it.
    pub topic: String,
    pub kind: &'static str,
    pub syntax: Option<String>,
    pub description: Option<String>,
    pub example: Option<String>,
}

impl Entry {
    /// Returns whether each word of the topic is a word of the entry's texts.
    fn mentions(&self, topic: &str) -> bool {
        let texts = [Some(&self.topic), self.syntax.as_ref(), self.description.as_ref()];
        let is_inside = |letter: char| letter.is_alphanumeric() || letter == '_';
        let words: Vec<&str> = texts.into_iter().flatten().flat_map(|text| text.split(|letter| !is_inside(letter))).collect();
        topic.split(' ').all(|wanted| words.iter().any(|word| word.eq_ignore_ascii_case(wanted)))
    }
}

/// Returns an entry for everything there is.
pub(super) fn index(snapshot: &CatalogSnapshot, all: Definitions) -> Vec<Entry> {
    let mut entries: Vec<Entry> = all.statements.iter().map(|statement| of_statement(statement)).collect();
    entries.push(of_copy());
    entries.extend(all.functions.iter().map(|function| of_function(function)));
    entries.extend(SETTINGS.iter().map(of_setting));
    entries.extend(TERMS.iter().map(of_term));
    entries.extend(snapshot.connections().iter().map(|entry| summary(&entry.name, "connection", spec_of(&entry.adapter, snapshot))));
    entries.extend(snapshot.adapters().iter().map(|entry| summary(&entry.name, "adapter", entry.spec().map(Arc::as_ref))));
    entries
}

/// Returns what there is to say on a topic: a kind of entry, what statements are about, the first words of a statement, a function or
/// setting (with or without `unify_`), a word of the field, a connection, a table of one, or an adapter; else the statements, functions,
/// settings and terms that have its words in their text. Fails with the nearest topic when there is nothing.
pub(super) fn on(topic: &str, snapshot: &CatalogSnapshot, all: Definitions) -> Result<Vec<Entry>> {
    let name = any_argument(topic).ok();
    let topic = topic.split_whitespace().collect::<Vec<_>>().join(" ");
    let everything = index(snapshot, all);
    let kind = |entry: &&Entry| format!("{}s", entry.kind).eq_ignore_ascii_case(&topic);
    let mut entries: Vec<Entry> = everything.iter().filter(kind).cloned().collect();
    for term in TERMS.iter().filter(|term| term.is_called(&topic)) {
        entries.push(of_term(term));
        entries.extend(term.related.iter().flat_map(|related| defined_as(related, all)));
    }
    for entry in defined_as(&topic, all) {
        if !entries.iter().any(|known| known.topic == entry.topic) {
            entries.push(entry);
        }
    }
    if let Some(name) = &name {
        entries.extend(of_name(name, snapshot)?);
    }
    if entries.is_empty() {
        let is_of_ours = |entry: &Entry| !["connection", "adapter"].contains(&entry.kind);
        entries.extend(everything.into_iter().filter(|entry| is_of_ours(entry) && entry.mentions(&topic)));
    }
    if entries.is_empty() {
        let topics: Vec<String> = topics(snapshot, all);
        let near = nearest(&topic, topics.iter().map(String::as_str));
        let hint = near.map_or("HELP without a topic lists all there are".to_string(), |near| format!("did you mean '{near}'?"));
        return Err(Error::config(format!("there is no help on '{topic}'; {hint}")));
    }
    Ok(entries)
}

/// Returns the statements, functions and settings that a topic names.
fn defined_as(topic: &str, all: Definitions) -> Vec<Entry> {
    let is_named = |name: &str| name.eq_ignore_ascii_case(topic);
    let is_named_briefly = |name: &str| is_named(name) || name.strip_prefix("unify_").is_some_and(is_named);
    let mut entries = Vec::new();
    for statement in all.statements {
        if begins_with(&statement.keywords(), topic) || is_named(statement.topic.name()) || is_named(statement.function.name) {
            entries.push(of_statement(statement));
        }
    }
    if begins_with(&COPY_STATEMENT.keywords(), topic) || is_named(COPY_STATEMENT.topic.name()) {
        entries.push(of_copy());
    }
    let is_about = |name: &str| all.statements.iter().any(|statement| statement.function.name == name && is_named(statement.topic.name()));
    let functions = all.functions.iter().filter(|function| is_named_briefly(function.name) || is_about(function.name));
    entries.extend(functions.map(|function| of_function(function)));
    entries.extend(SETTINGS.iter().filter(|setting| is_named_briefly(setting.name)).map(of_setting));
    entries
}

/// Returns everything HELP takes, names of tables left out.
fn topics(snapshot: &CatalogSnapshot, all: Definitions) -> Vec<String> {
    let mut topics: Vec<String> = ["statements", "functions", "settings", "terms", "connections", "adapters"].map(str::to_string).to_vec();
    topics.extend(all.statements.iter().map(|statement| statement.topic.name().to_string()));
    topics.extend(TERMS.iter().flat_map(|term| term.names()).map(str::to_string));
    for entry in index(snapshot, all) {
        if !topics.contains(&entry.topic) {
            topics.push(entry.topic);
        }
    }
    topics
}

fn begins_with(keywords: &[&str], topic: &str) -> bool {
    let begin: Vec<&str> = topic.split(' ').collect();
    keywords.len() >= begin.len() && keywords.iter().zip(&begin).all(|(keyword, word)| keyword.eq_ignore_ascii_case(word))
}

fn of_statement(statement: &StatementDef) -> Entry {
    defined(statement.keywords().join(" "), "statement", statement.syntax, statement.description, statement.example)
}

fn of_copy() -> Entry {
    let copy = &COPY_STATEMENT;
    defined(copy.keywords().join(" "), "statement", copy.syntax, copy.description, copy.example)
}

fn of_function(function: &FunctionDef) -> Entry {
    defined(function.name.to_string(), "function", &function.usage(), function.description, function.example)
}

fn defined(topic: String, kind: &'static str, syntax: &str, description: &str, example: &str) -> Entry {
    Entry { topic, kind, syntax: Some(syntax.to_string()), description: Some(description.to_string()), example: Some(example.to_string()) }
}

fn of_setting(setting: &SettingDef) -> Entry {
    let default = match setting.setting_type {
        SettingType::Varchar => quote_literal(setting.default),
        _ => setting.default.to_string(),
    };
    Entry {
        topic: setting.name.to_string(),
        kind: "setting",
        syntax: Some(format!("SET {} = {}", setting.name, setting.setting_type.sql_name())),
        description: Some(setting.description.to_string()),
        example: Some(format!("SET {} = {default}", setting.name)),
    }
}

fn of_term(term: &Term) -> Entry {
    Entry {
        topic: term.name.to_string(),
        kind: "term",
        description: Some(term.description.to_string()),
        example: Some(format!("HELP {}", term.name)),
        ..Entry::default()
    }
}

/// Returns the entries of a connection, an adapter, or a table of a connection. Fails when a connection does not have the table.
fn of_name(name: &TablePath, snapshot: &CatalogSnapshot) -> Result<Vec<Entry>> {
    let Some(schema) = &name.schema else {
        let mut entries = Vec::new();
        if let Some(entry) = snapshot.connection(&name.table) {
            entries.extend(of_spec(&entry.name, "connection", spec_of(&entry.adapter, snapshot)));
        } else if let Some(entry) = snapshot.adapters().iter().find(|entry| entry.name.eq_ignore_ascii_case(&name.table)) {
            entries.extend(of_spec(&entry.name, "adapter", entry.spec().map(Arc::as_ref)));
        }
        return Ok(entries);
    };
    let Some(entry) = snapshot.connection(schema) else { return Ok(Vec::new()) };
    let spec = spec_of(&entry.adapter, snapshot)?;
    let relation = |entry: &Entry| entry.syntax.clone();
    if let Some(table_def) = spec.table(&name.table) {
        return Ok(std::iter::once(of_table(&entry.name, table_def)).chain(columns_of(&entry.name, table_def)).collect());
    }
    let all = of_spec(&entry.name, "connection", Ok(spec));
    let wanted = format!("{}.{}", shown(&entry.name), shown(&name.table));
    if let Some(view) = all.iter().find(|entry| relation(entry).is_some_and(|found| found.eq_ignore_ascii_case(&wanted))) {
        return Ok(vec![view.clone()]);
    }
    let names = spec.tables.iter().map(|table_def| table_def.name.as_str()).chain(spec.views.iter().map(|view_def| view_def.name.as_str()));
    let hint = hint(&name.table, names, "its adapter has none");
    Err(Error::config(format!("connection '{}' has no table '{}'; {hint}", entry.name, name.table)))
}

fn spec_of<'a>(adapter: &str, snapshot: &'a CatalogSnapshot) -> Result<&'a AdapterSpec> {
    match snapshot.adapters().iter().find(|entry| entry.name.eq_ignore_ascii_case(adapter)) {
        Some(entry) => entry.spec().map(Arc::as_ref),
        None => Err(Error::config(format!("there is no adapter '{adapter}'"))),
    }
}

/// Returns one line for a connection or adapter; what is wrong with its spec stands for its description.
fn summary(name: &str, kind: &'static str, spec: Result<&AdapterSpec>) -> Entry {
    let description = match spec {
        Ok(spec) => spec.description.clone(),
        Err(err) => Some(err.message().to_string()),
    };
    let example = Some(format!("HELP {}", shown(name)));
    Entry { topic: shown(name), kind, syntax: None, description, example }
}

/// Returns all there is to say on a connection or adapter: its help, its options, its tables and views.
fn of_spec(name: &str, kind: &'static str, spec: Result<&AdapterSpec>) -> Vec<Entry> {
    let Ok(spec) = spec else { return vec![summary(name, kind, spec)] };
    let texts: Vec<&str> = [&spec.description, &spec.help].into_iter().flatten().map(|text| text.trim_end()).collect();
    let description = Some(texts.join("\n\n")).filter(|text| !text.is_empty());
    let mut entries = vec![Entry { topic: shown(name), kind, description, ..Entry::default() }];
    entries.extend(spec.all_options().into_iter().map(|option| of_option(name, option)));
    entries.extend(spec.tables.iter().map(|table_def| Entry { topic: shown(name), ..of_table(name, table_def) }));
    entries.extend(spec.views.iter().map(|view_def| Entry {
        topic: shown(name),
        kind: "view",
        syntax: Some(format!("{}.{}", shown(name), shown(&view_def.name))),
        description: view_def.help.clone(),
        example: Some(format!("FROM {}.{}", shown(name), shown(&view_def.name))),
    }));
    entries
}

fn of_option(name: &str, option: &OptionSpec) -> Entry {
    let mut description = option.description.clone().unwrap_or_default();
    if let Some(default) = option.default.as_ref().filter(|_| !option.secret) {
        description = format!("{description}{}default: {default}", if description.is_empty() { "" } else { "; " });
    }
    let description = Some(description).filter(|text| !text.is_empty());
    Entry { topic: shown(name), kind: "option", syntax: Some(option.name.clone()), description, example: None }
}

fn of_table(connection: &str, table_def: &TableDef) -> Entry {
    let table = format!("{}.{}", shown(connection), shown(&table_def.name));
    Entry {
        topic: table.clone(),
        kind: "table",
        example: Some(format!("FROM {table}")),
        syntax: Some(table),
        description: table_def.description.clone(),
    }
}

/// Returns the columns that the spec declares.
fn columns_of(connection: &str, table_def: &TableDef) -> Vec<Entry> {
    let topic = format!("{}.{}", shown(connection), shown(&table_def.name));
    let column = |column: &crate::spec::ColumnSpec| {
        let data_type = column.data_type.map(|declared| format!(" {}", ColumnType::from(declared).sql_name())).unwrap_or_default();
        Entry {
            topic: topic.clone(),
            kind: "column",
            syntax: Some(format!("{}{data_type}", shown(&column.name))),
            description: column.description.clone(),
            example: None,
        }
    };
    table_def.columns.iter().map(column).collect()
}
