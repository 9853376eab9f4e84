//! Writes the lines of an adapter spec from what an API description says.

use super::alternative::Alternative;
use super::document::Description;
use super::each::Each;
use super::names::snake;
use super::paging::PagingKeys;
use super::params::Sent;
use super::server::Server;
use super::tables::{Hole, Source, Table};
use super::text::{comment, one_line, text_of_value};
use crate::document::JsonValue;
use crate::yaml::scalar_of;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// An option that the spec declares besides those that authenticate.
struct ImportedOption {
    description: String,
    default: Option<String>,
    is_required: bool,
    tables: usize,
}

/// The spec of the chosen tables of a description, as text.
pub struct SpecText<'w, 'a> {
    pub description: &'a Description,
    pub tables: &'w [Table<'a>],
    pub chosen: &'w BTreeSet<usize>,
    pub auth: &'w [Alternative],
    pub server: &'w Server,
    /// How many list requests there are, and how many others.
    pub counts: (usize, usize),
}

impl SpecText<'_, '_> {
    /// Returns the spec.
    pub fn spec(&self) -> String {
        let mut lines = self.head();
        lines.extend(self.auth_lines());
        lines.extend(self.option_lines());
        let common = self.common_paging();
        if let Some(paging) = common {
            lines.push(format!("paging: {}", flow(paging)));
        }
        lines.push("tables:".to_string());
        for idx in self.chosen {
            lines.extend(self.table_lines(&self.tables[*idx], common));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    fn head(&self) -> Vec<String> {
        let about = |key: &str| self.description.root()["info"][key].as_str().map(one_line).filter(|text| !text.is_empty());
        let (n_lists, n_others) = self.counts;
        let file: String = self.description.file().rsplit(['/', '\\']).next().unwrap_or("").to_string();
        let mut lines = vec![
            comment(&format!(
                "From {file} ({}) by unify_import_openapi: {} of {n_lists} lists.",
                self.description.version(),
                self.chosen.len()
            )),
            comment(&format!("{n_others} other GET requests do not answer a list by their schema. Check the lines after 'unsure'.")),
            format!("name: {}", scalar_of(&adapter_name(&about("title").unwrap_or_default()))),
        ];
        if let Some(text) = about("description").or_else(|| about("title")) {
            lines.push(format!("description: {}", scalar_of(&text)));
        }
        if let Some(version) = self.description.root()["info"].get("version") {
            lines.push(format!("version: \"{}\"", text_of_value(version).replace(['"', '\\'], "")));
        }
        lines.extend(self.server.doubt.iter().map(|doubt| comment(&format!("unsure: {doubt}"))));
        lines.push(format!("base_url: {}", scalar_of(&self.server.base_url)));
        lines
    }

    fn auth_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let doubts = self.auth.iter().filter_map(|way| way.doubt.as_ref()).map(|doubt| comment(&format!("unsure: {doubt}")));
        lines.extend(doubts);
        match self.auth {
            [] => lines.push(comment("unsure: the description does not say how the API authenticates")),
            [only] => {
                lines.push("auth:".to_string());
                lines.extend(only.lines.iter().map(|line| format!("  {line}")));
            }
            several => {
                lines.push("auth:".to_string());
                for way in several {
                    lines.extend(way.lines.iter().enumerate().map(|(idx, line)| format!("  {} {line}", if idx == 0 { '-' } else { ' ' })));
                }
            }
        }
        lines
    }

    /// Returns the options that paths, params and headers of the tables take.
    fn options(&self) -> BTreeMap<String, ImportedOption> {
        let mut options: BTreeMap<String, ImportedOption> = BTreeMap::new();
        for variable in &self.server.variables {
            let is_required = variable.default.is_none();
            let option =
                ImportedOption { description: variable.description.clone(), default: variable.default.clone(), is_required, tables: 0 };
            options.insert(variable.name.clone(), option);
        }
        let mut add = |name: &str, description: &str, default: Option<String>| {
            let option = options.entry(name.to_string()).or_insert_with(|| ImportedOption {
                description: description.to_string(),
                default: default.clone(),
                is_required: false,
                tables: 0,
            });
            option.tables += 1;
            // What one place needs a default for has one for all.
            option.default = option.default.take().or(default);
        };
        for table in self.chosen.iter().map(|idx| &self.tables[*idx]) {
            for hole in table.holes.iter().filter(|hole| hole.source == Source::Option) {
                add(&hole.name, &hole.description, Some(hole.given.clone().unwrap_or_default()));
            }
            for each in &table.each {
                add(&each.option, &each.description, Some(each.values.join(",")));
            }
            for sent in table.params.iter().filter(|sent| sent.value.is_none()) {
                add(&sent.option, &sent.description, None);
            }
            for sent in self.own_headers(table).filter(|sent| sent.value.is_none()) {
                add(&sent.option, &sent.description, Some(String::new()));
            }
        }
        options
    }

    fn option_lines(&self) -> Vec<String> {
        let options = self.options();
        if options.is_empty() {
            return Vec::new();
        }
        let mut lines = vec!["options:".to_string()];
        for (name, option) in &options {
            let mut keys = Vec::new();
            let tables = match option.tables {
                0 => String::new(),
                1 => " (1 table)".to_string(),
                n => format!(" ({n} tables)"),
            };
            keys.push(format!("description: {}", scalar_of(&format!("{}{tables}", option.description))));
            if option.is_required {
                keys.push("required: true".to_string());
            }
            keys.extend(option.default.as_ref().map(|default| format!("default: {}", scalar_of(default))));
            lines.push(format!("  {}: {{{}}}", scalar_of(name), keys.join(", ")));
        }
        lines
    }

    /// Returns the headers of a table that authentication does not send.
    fn own_headers<'t>(&'t self, table: &'t Table<'_>) -> impl Iterator<Item = &'t Sent> {
        let is_of_auth = |name: &str| self.auth.iter().flat_map(|way| &way.headers).any(|header| header.eq_ignore_ascii_case(name));
        table.headers.iter().filter(move |sent| !is_of_auth(&sent.name))
    }

    /// Returns the paging that most tables have, where several have it.
    fn common_paging(&self) -> Option<&PagingKeys> {
        let mut counts: HashMap<&PagingKeys, usize> = HashMap::new();
        let pagings = || self.chosen.iter().filter_map(|idx| self.tables[*idx].paging.as_ref());
        for paging in pagings() {
            *counts.entry(paging).or_default() += 1;
        }
        let most = counts.values().max().copied().filter(|count| *count > 1)?;
        pagings().find(|paging| counts.get(paging) == Some(&most))
    }

    fn table_lines(&self, table: &Table<'_>, common: Option<&PagingKeys>) -> Vec<String> {
        let mut lines = vec![format!("name: {}", scalar_of(&table.name))];
        lines.extend(table.doubts.iter().map(|doubt| comment(&format!("unsure: {doubt}"))));
        let each =
            |each: &Each| comment(&format!("unsure: the rows are those of each '{}'; option '{}' has its values", each.name, each.option));
        lines.extend(table.each.iter().map(each));
        if !table.description.is_empty() {
            lines.push(format!("description: {}", scalar_of(&table.description)));
        }
        lines.push(format!("resource_path: {}", scalar_of(&path_of(table))));
        let headers: Vec<String> = self.own_headers(table).map(|sent| format!("{}: {}", scalar_of(&sent.name), value_of(sent))).collect();
        if !headers.is_empty() {
            lines.push(format!("headers: {{{}}}", headers.join(", ")));
        }
        let params = self.param_lines(table);
        if !params.is_empty() {
            lines.push("params:".to_string());
            lines.extend(params.into_iter().map(|line| format!("  {line}")));
        }
        match (&table.paging, common) {
            (Some(paging), Some(common)) if paging == common => lines.push("supports_paging: true".to_string()),
            (Some(paging), _) => lines.push(format!("paging: {}", flow(paging))),
            (None, Some(_)) => lines.push("supports_paging: false".to_string()),
            (None, None) => {}
        }
        if !table.records.is_empty() {
            let keys: Vec<String> = table.records.iter().map(|key| scalar_of(key)).collect();
            lines.push(format!("result_body_path: [{}]", keys.join(", ")));
        }
        let of_parent = table.parent.iter().flat_map(|parent| &parent.columns).map(|(hole, _)| scalar_of(hole));
        let each = table.each.iter().filter(|each| each.is_copied).map(|each| scalar_of(&each.name));
        let copied: Vec<String> = of_parent.chain(each).collect();
        if !copied.is_empty() {
            lines.push(format!("copy_params_to_output: [{}]", copied.join(", ")));
        }
        if let Some(key) = table.key {
            // What belongs to several parents has the same id below each.
            let columns: Vec<String> = copied.into_iter().chain([scalar_of(key)]).collect();
            lines.push(match columns.as_slice() {
                [only] => format!("key_column: {only}"),
                several => format!("key_columns: [{}]", several.join(", ")),
            });
        }
        lines.iter().enumerate().map(|(idx, line)| format!("  {} {line}", if idx == 0 { '-' } else { ' ' })).collect()
    }

    fn param_lines(&self, table: &Table<'_>) -> Vec<String> {
        let mut lines: Vec<String> = table.params.iter().map(|sent| format!("{}: {}", scalar_of(&sent.name), value_of(sent))).collect();
        for each in &table.each {
            let sql = format!("sql@(SELECT unnest(string_split(${{{}}}, ',')))", each.option);
            lines.push(format!("{}: {}", scalar_of(&each.name), scalar_of(&sql)));
        }
        if let Some(parent) = &table.parent {
            let names: Vec<&str> = parent.columns.iter().map(|(hole, _)| hole.as_str()).collect();
            let columns: Vec<String> = parent.columns.iter().map(|(_, column)| identifier(column)).collect();
            let sql = format!("sql@(SELECT {} FROM {})", columns.join(", "), identifier(&self.tables[parent.table].name));
            let key = names.join(",");
            let key = if names.len() > 1 { key } else { scalar_of(&key) };
            lines.push(format!("{key}: {}", query_scalar(&sql)));
        }
        lines
    }
}

/// Returns a short name for an adapter from the title of a description: `GitHub v3 REST API` is `github`.
fn adapter_name(title: &str) -> String {
    const NOISE: &[&str] = &[
        "api",
        "apis",
        "rest",
        "the",
        "official",
        "openapi",
        "swagger",
        "spec",
        "specification",
        "public",
        "documentation",
        "reference",
        "web",
        "v1",
        "v2",
        "v3",
        "v4",
    ];
    let title = title.replace("'s ", " ").replace("\u{2019}s ", " ").to_lowercase();
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty() && !NOISE.contains(word));
    let name: Vec<&str> = words.take(3).collect();
    if name.is_empty() {
        "api".to_string()
    } else {
        snake(&name.join("_"))
    }
}

/// Writes a query without quotes where YAML allows that, so that it can be read.
fn query_scalar(sql: &str) -> String {
    // A comma ends nothing in a block.
    match sql.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '@' | '(' | ')' | ' ' | '_' | '"' | ',')) {
        true => sql.to_string(),
        false => scalar_of(sql),
    }
}

/// Quotes a name for SQL unless it needs none.
fn identifier(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_word = sqlparser::keywords::ALL_KEYWORDS.binary_search(&name.to_ascii_uppercase().as_str()).is_ok();
    // These are keywords that every dialect takes for names.
    let is_harmless = matches!(name, "id" | "key" | "name" | "uid");
    match is_plain && (!is_word || is_harmless) {
        true => name.to_string(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

fn value_of(sent: &Sent) -> String {
    match &sent.value {
        None => format!("\"${{{}}}\"", sent.option),
        // A dollar sign before a brace would be a placeholder.
        Some(JsonValue::String(text)) => {
            scalar_of(&text.replace("${", "$ {").chars().filter(|c| !c.is_control()).take(200).collect::<String>())
        }
        Some(value) => text_of_value(value),
    }
}

/// Writes the path with the names that its placeholders have.
fn path_of(table: &Table<'_>) -> String {
    let mut path = String::new();
    let mut rest = table.path;
    let mut holes = table.holes.iter();
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else { break };
        let name = holes.next().map_or("x", |hole: &Hole| hole.name.as_str());
        path.push_str(&format!("{before}{{{name}}}"));
        rest = after;
    }
    path.push_str(rest);
    spoken(&path)
}

/// Writes what begins as a placeholder of another tool does, such as `/:id`, so that it is none: for the API both are the same.
fn spoken(path: &str) -> String {
    let mut spoken = String::with_capacity(path.len());
    for sign in path.chars() {
        match sign {
            ':' | '<' if spoken.is_empty() || spoken.ends_with(['/', ' ']) => spoken.push_str(if sign == ':' { "%3A" } else { "%3C" }),
            sign => spoken.push(sign),
        }
    }
    spoken
}

/// Returns a path of a spec as a description has it.
pub fn as_described(path: &str) -> String {
    path.replace("%3A", ":").replace("%3C", "<")
}

fn flow(paging: &PagingKeys) -> String {
    let is_number = |key: &str| matches!(key, "page_size" | "first_page");
    let keys = paging.keys.iter().map(|(key, value)| format!("{key}: {}", if is_number(key) { value.clone() } else { scalar_of(value) }));
    let keys: Vec<String> = std::iter::once(format!("strategy: {}", paging.strategy)).chain(keys).collect();
    format!("{{{}}}", keys.join(", "))
}
