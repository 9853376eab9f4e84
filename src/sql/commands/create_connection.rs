//! `CREATE CONNECTION` and `unify_create_connection`: an adapter bound to an account, for this database or in the connections file.

use crate::catalog::{is_variable_name, Catalog, ConnectionEntry, Definition, FileChange, Origin};
use crate::load::{ConnectionSchema, SchemaOutcome};
use crate::session::{quote_literal, Value};
use crate::spec::{header_option, option_of_credential, ScalarType, Secret};
use crate::sql::grammar::{self, Pair, Rule};
use crate::sql::literal;
use crate::sql::relation::attached_name;
use crate::sql::rows::{bound_rows, text};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, Topic};
use crate::{Error, Place, Result};

const COLUMNS: &[(&str, ScalarType)] = &[("name", ScalarType::Varchar), ("adapter", ScalarType::Varchar), ("status", ScalarType::Varchar)];

/// The connection's name, of this function and the others that take one.
pub(super) const NAME: ParameterDef = ParameterDef { name: "name", parameter_type: ParameterType::Varchar };
const ADAPTER: ParameterDef = ParameterDef { name: "adapter", parameter_type: ParameterType::Varchar };
/// Values as the connections file has them: `$NAME` is an environment variable, `$$` a dollar sign.
const OPTIONS: ParameterDef = ParameterDef { name: "options", parameter_type: ParameterType::Map };
const PERSISTENT: ParameterDef = ParameterDef { name: "persistent", parameter_type: ParameterType::Boolean };
const OR_REPLACE: ParameterDef = ParameterDef { name: "or_replace", parameter_type: ParameterType::Boolean };
const IF_NOT_EXISTS: ParameterDef = ParameterDef { name: "if_not_exists", parameter_type: ParameterType::Boolean };

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::create_connection,
    syntax: "CREATE [OR REPLACE] [PERSISTENT] CONNECTION [IF NOT EXISTS] name (ADAPTER adapter, option value, ...)",
    description:
        "Makes a connection, for this database or, PERSISTENT, in the connections file; a value may be env('NAME') or file('/path')",
    example: "CREATE CONNECTION mine (ADAPTER github, username 'me', password env('GITHUB_TOKEN'))",
    function: &FUNCTION,
    topic: Topic::Connections,
    arguments: arguments_of,
};

fn arguments_of(pair: Pair<'_>) -> Result<Vec<String>> {
    let (mut name, mut adapter, mut options, mut flags) = (None, None, Vec::new(), Vec::new());
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::bare | Rule::quoted => name = Some(grammar::name_of(part)),
            Rule::replace => flags.push(OR_REPLACE.set()),
            Rule::k_persistent => flags.push(PERSISTENT.set()),
            Rule::if_not_exists => flags.push(IF_NOT_EXISTS.set()),
            Rule::adapter if adapter.is_some() => return Err(Error::config("ADAPTER is given twice; expected one adapter")),
            Rule::adapter => adapter = part.into_inner().last().map(adapter_of).transpose()?,
            Rule::option => options.extend(options_of(part)?),
            _ => {}
        }
    }
    let name = name.ok_or_else(|| Error::internal("the grammar gave a connection without its name"))?;
    let adapter = adapter.ok_or_else(|| Error::config("no ADAPTER is given; expected (ADAPTER name, option value, ...)"))?;
    for (idx, (option, _)) in options.iter().enumerate() {
        if options[..idx].iter().any(|(earlier, _): &(String, String)| earlier.eq_ignore_ascii_case(option)) {
            return Err(Error::config(format!("option '{option}' is given twice")));
        }
    }
    let mut arguments = vec![quote_literal(&name), quote_literal(&adapter)];
    if !options.is_empty() {
        let entry = |(name, value): &(String, String)| format!("{}: {}", quote_literal(name), quote_literal(value));
        arguments.push(format!("{} := MAP {{{}}}", OPTIONS.name, options.iter().map(entry).collect::<Vec<_>>().join(", ")));
    }
    Ok([arguments, flags].concat())
}

fn adapter_of(pair: Pair<'_>) -> Result<String> {
    match pair.as_rule() {
        Rule::string => string_of(pair, "ADAPTER"),
        _ => Ok(grammar::name_of(pair)),
    }
}

/// Returns an option's name, and its value as the connections file would have it; of a list, those of each credential.
fn options_of(pair: Pair<'_>) -> Result<Vec<(String, String)>> {
    let missing = || Error::internal("the grammar gave an option without its name or value");
    let mut parts = pair.into_inner();
    let name = parts.next().and_then(option_name_of).ok_or_else(missing)?;
    let value = parts.next().and_then(|value| value.into_inner().next()).ok_or_else(missing)?;
    let place = format!("option '{name}'");
    let values: Vec<Pair<'_>> = match value.as_rule() {
        Rule::values => value.into_inner().filter(|part| part.as_rule() != Rule::comma).collect(),
        _ => vec![value],
    };
    let option = |(idx, value): (usize, Pair<'_>)| Ok((option_of_credential(&name, idx + 1), value_of(value, &place)?));
    values.into_iter().enumerate().map(option).collect()
}

/// Returns a value as the connections file would have it.
fn value_of(value: Pair<'_>, place: &str) -> Result<String> {
    let missing = || Error::internal("the grammar gave a reference without its text");
    Ok(match value.as_rule() {
        Rule::env => {
            let variable = value.into_inner().find(|part| part.as_rule() == Rule::string).ok_or_else(missing)?;
            let variable = string_of(variable, place)?;
            if !is_variable_name(&variable) {
                return Err(Error::config(format!(
                    "{place}: env(...) does not name an environment variable; expected a name such as env('TOKEN')"
                )));
            }
            format!("${{{variable}}}")
        }
        Rule::file => {
            let path = value.into_inner().find(|part| part.as_rule() == Rule::string).ok_or_else(missing)?;
            match string_of(path, place)?.as_str() {
                "" => {
                    return Err(Error::config(format!(
                        "{place}: file(...) names no file; expected a path such as file('/run/secrets/token')"
                    )))
                }
                path => format!("${{file('{}')}}", path.replace('\'', "''")),
            }
        }
        Rule::string => string_of(value, place)?.replace('$', "$$"),
        _ => value.as_str().split_whitespace().collect::<String>().to_ascii_lowercase(),
    })
}

/// Returns the name of an option as the connections file has it.
fn option_name_of(pair: Pair<'_>) -> Option<String> {
    let is_header = pair.as_rule() == Rule::header_name;
    let name = pair.into_inner().last().map(grammar::name_of)?;
    Some(if is_header { header_option(&name) } else { name })
}

fn string_of(pair: Pair<'_>, place: &str) -> Result<String> {
    literal::text_of(pair.as_str().trim())
        .ok_or_else(|| Error::config(format!("the escapes in the text of {place} are not valid; expected those of DuckDB, such as E'\\n'")))
}

/// Returns the message for a `CREATE CONNECTION` that goes on wrongly; `None` when the text is not one. It says where without showing the
/// text, of which any part may be a secret.
pub(crate) fn mistake(text: &str, expected: &str) -> Option<String> {
    let begin = grammar::connection_begin(text)?;
    let mut names = Vec::new();
    let mut has_adapter = false;
    let mut place = "before the connection's name".to_string();
    for part in begin {
        match part.as_rule() {
            Rule::bare | Rule::quoted => place = "after the connection's name".to_string(),
            Rule::adapter => {
                has_adapter = true;
                place = "after ADAPTER".to_string();
            }
            Rule::option | Rule::option_name | Rule::header_name => {
                let name = if part.as_rule() == Rule::option { part.into_inner().next() } else { Some(part) };
                names.extend(name.and_then(option_name_of));
                place = format!("after option '{}'", names.last().map_or("", String::as_str));
            }
            _ => {}
        }
    }
    let expected = if expected.is_empty() { String::new() } else { format!("; expected {expected}") };
    let adapter = if has_adapter || names.is_empty() { "" } else { "; ADAPTER name is missing, as in (ADAPTER github, option 'value')" };
    Some(format!("syntax error in CREATE CONNECTION {place}{expected}{adapter}"))
}

/// `unify_create_connection(name, adapter, options := MAP {}, persistent := false, or_replace := false, if_not_exists := false)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_create_connection",
    description: "Makes a connection: an adapter with options, for as long as the database is open or, persistent, in the connections file",
    example: "FROM unify_create_connection('mine', 'shop', options := MAP {'bearer_token': '$SHOP_TOKEN'})",
    positional: &[NAME, ADAPTER],
    named: &[OPTIONS, PERSISTENT, OR_REPLACE, IF_NOT_EXISTS],
    hides_its_text: true,
    ..FunctionDef::calling(bind)
};

/// Binds a call whose first argument is [`NAME`]: `rows` makes its rows of that connection as it is at each execution.
pub(super) fn rows_of_connection(
    columns: &[(&str, ScalarType)],
    arguments: &Arguments,
    ctx: &StatementContext<'_>,
    rows: fn(&ConnectionEntry, &StatementContext<'_>) -> Result<Vec<Vec<Value>>>,
) -> Result<Bound> {
    let name = arguments.text(0, NAME.name)?.to_string();
    ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(&name)?;
    Ok(bound_rows(columns, move |ctx| rows(ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(&name)?, ctx)))
}

fn bind(arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    let request = Request {
        name: arguments.text(0, NAME.name)?.to_string(),
        adapter: arguments.text(1, ADAPTER.name)?.to_string(),
        options: arguments.named_map(OPTIONS.name)?.iter().filter_map(secret).collect(),
        persistent: arguments.named_flag(PERSISTENT.name)?,
        or_replace: arguments.named_flag(OR_REPLACE.name)?,
        if_not_exists: arguments.named_flag(IF_NOT_EXISTS.name)?,
    };
    Ok(bound_rows(COLUMNS, move |ctx| request.run(ctx).map(|row| vec![row])))
}

/// Returns an option that is not null.
fn secret((name, value): &(String, Option<String>)) -> Option<(String, Secret)> {
    value.as_deref().map(|value| (name.clone(), Secret::new(value)))
}

/// What a call asks for.
struct Request {
    name: String,
    adapter: String,
    options: Vec<(String, Secret)>,
    persistent: bool,
    or_replace: bool,
    if_not_exists: bool,
}

impl Request {
    fn run(&self, ctx: &StatementContext<'_>) -> Result<Vec<Value>> {
        if self.or_replace && self.if_not_exists {
            return Err(Error::config("OR REPLACE and IF NOT EXISTS exclude each other; leave one out"));
        }
        Catalog::check_changeable(&ctx.settings)?;
        let catalog = &ctx.instance.catalog;
        let _one_at_a_time = catalog.changing(ctx.interrupted)?;
        let definition = Definition::new(&self.name, &self.adapter, &self.options)?;
        // Under its lock the file stays as it is looked at here.
        let change = if self.persistent { Some(catalog.change_file(&ctx.settings, ctx.interrupted)?) } else { None };
        let snapshot = catalog.snapshot(&ctx.settings);
        let existing = snapshot.connection(&self.name);
        if let (Some(existing), true) = (existing, self.if_not_exists) {
            return Ok(vec![text(Some(&existing.name)), text(Some(&existing.adapter)), text(Some("exists already"))]);
        }
        if let Some(existing) = existing {
            self.check_replaceable(existing)?;
        }
        let entry = catalog.entry_of(&definition, &ctx.settings);
        entry.check()?;
        self.check_no_database(ctx)?;
        let place = |err: Error| err.at(Place::connection(&self.name));
        let (definition, adapter) = (named_as_the_spec(definition, &entry)?, entry.spec()?.name.clone());
        let mut status = if existing.is_some() { "replaced" } else { "created" }.to_string();
        let change = change.map(|change| with(change, &definition)).transpose().map_err(place)?;
        let schema = ConnectionSchema { connection: &self.name, adapter: &adapter, catalog: ctx.catalog()? };
        let outcome = ctx.instance.loader.create_schema(schema).map_err(place)?;
        match change {
            Some(change) => {
                status.push_str(&format!(" in {}", change.path()));
                change.commit()?;
                catalog.forget(&self.name);
            }
            None => catalog.define(definition),
        }
        if outcome == SchemaOutcome::ReadOnly {
            status.push_str(&format!("; without its schema, since database '{}' is read-only", ctx.catalog()?));
        }
        let missing = entry.missing_variables();
        if !missing.is_empty() {
            status.push_str(&format!("; not set in the environment: {}", missing.join(", ")));
        }
        Ok(vec![text(Some(&self.name)), text(Some(&adapter)), text(Some(&status))])
    }

    fn check_replaceable(&self, existing: &ConnectionEntry) -> Result<()> {
        let name = &existing.name;
        match &existing.origin {
            _ if !self.or_replace => Err(Error::config(format!(
                "connection '{name}' exists already; choose another name, drop it first, or use OR REPLACE or IF NOT EXISTS"
            ))),
            Origin::File { path, .. } if !self.persistent => Err(Error::config(format!(
                "connection '{name}' is kept in '{path}', where only CREATE OR REPLACE PERSISTENT CONNECTION replaces it"
            ))),
            _ => Ok(()),
        }
    }

    /// Fails when an attached database has the name: DuckDB would take `name.table` for a table of that.
    fn check_no_database(&self, ctx: &StatementContext<'_>) -> Result<()> {
        match attached_name(&self.name, ctx.instance)? {
            None => Ok(()),
            Some(name) => {
                Err(Error::config(format!("connection '{}': an attached database is named '{name}'; choose another name", self.name)))
            }
        }
    }
}

fn with(mut change: FileChange, definition: &Definition) -> Result<FileChange> {
    change.put(definition)?;
    Ok(change)
}

/// Returns the definition with the names of adapter and options as the spec has them.
fn named_as_the_spec(definition: Definition, entry: &ConnectionEntry) -> Result<Definition> {
    let spec = entry.spec()?;
    let own_name = |name: String| spec.option(&name).map_or(name, |option| option.name.clone());
    let options = definition.options.into_iter().map(|(name, text)| (own_name(name), text)).collect();
    Ok(Definition { adapter: spec.name.clone(), options, ..definition })
}

#[cfg(test)]
#[path = "create_connection_tests.rs"]
mod tests;
