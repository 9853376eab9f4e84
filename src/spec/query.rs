//! Queries a spec holds: checked to read nothing but the connection's own tables, and qualified for the place those are in.

use super::large_stack::on_large_stack;
use super::query_functions::is_harmless;
use super::query_limits::check_size;
use super::ParentQuery;
use crate::{Error, Result};
use sqlparser::ast::{
    visit_expressions, DataType, Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    TypedString, Value, VisitMut, VisitorMut,
};
use sqlparser::dialect::DuckDbDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Table functions that read nothing but their arguments.
const TABLE_FUNCTIONS: &[&str] = &["unnest", "range", "generate_series"];
/// The words a query may begin with; a bracket may stand before them.
const FIRST_WORDS: &[Keyword] = &[Keyword::SELECT, Keyword::WITH, Keyword::VALUES, Keyword::FROM];
/// Deepest nesting of a query.
const MAX_DEPTH: usize = 40;

impl ParentQuery {
    /// Parses a query: one SELECT over unqualified tables. Fails, saying why, on anything else: qualified names, functions or
    /// literals that read files, several statements, or SQL that cannot be parsed.
    pub fn parse(sql: &str) -> Result<ParentQuery> {
        check_size(sql)?;
        on_large_stack(|| ParentQuery::parse_here(sql))?
    }

    fn parse_here(sql: &str) -> Result<ParentQuery> {
        let mut query = query_of(sql)?;
        let is_ordered = query.order_by.is_some();
        let mut walk = Walk { scopes: Vec::new(), n_scopes: 0, rewrite: None, tables: Vec::new(), options: Vec::new() };
        match query.visit(&mut walk) {
            ControlFlow::Break(err) => return Err(*err),
            ControlFlow::Continue(()) => {}
        }
        // The query that runs is the one written from the tree that was checked, so both must be the same.
        if !query_of(&query.to_string()).is_ok_and(|again| again == query) {
            return Err(Error::config(format!("the query cannot be written again as it is; it reads as '{query}'")));
        }
        Ok(ParentQuery { sql: sql.trim().to_string(), tables: walk.tables, options: walk.options, is_ordered })
    }

    /// Returns the SQL with each table's name qualified and quoted. Every table keeps its name as alias, so that
    /// `repos.name` still means what it did; columns keep their names. An option becomes a text, or null without a value.
    pub fn qualified(&self, catalog: Option<&str>, schema: &str, options: &OptionValues) -> Result<String> {
        on_large_stack(|| self.qualified_here(catalog, schema, options))?
    }

    fn qualified_here(&self, catalog: Option<&str>, schema: &str, options: &OptionValues) -> Result<String> {
        let mut query = query_of(&self.sql)?;
        let prefix: Vec<Ident> = catalog.into_iter().chain([schema]).map(quoted).collect();
        let rewrite = Some(Rewrite { prefix, options });
        let mut walk = Walk { scopes: Vec::new(), n_scopes: 0, rewrite, tables: Vec::new(), options: Vec::new() };
        match query.visit(&mut walk) {
            ControlFlow::Break(err) => Err(*err),
            ControlFlow::Continue(()) => Ok(query.to_string()),
        }
    }

    /// Returns how many columns the query yields, when the select list says so without `*`.
    pub fn n_columns(&self) -> Option<usize> {
        on_large_stack(|| self.n_columns_here()).ok()?
    }

    fn n_columns_here(&self) -> Option<usize> {
        let query = query_of(&self.sql).ok()?;
        let select = first_select(&query.body)?;
        let plain = |item: &SelectItem| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => !spreads(expr),
            _ => false,
        };
        (!select.projection.is_empty() && select.projection.iter().all(plain)).then_some(select.projection.len())
    }
}

fn first_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => first_select(&query.body),
        SetExpr::SetOperation { left, .. } => first_select(left),
        _ => None,
    }
}

/// Returns whether one expression can become several columns: `COLUMNS(...)`, `unnest(struct)`.
fn spreads(expr: &Expr) -> bool {
    let found = visit_expressions(expr, |inner| match inner {
        Expr::Function(function) if matches!(last_name(&function.name).as_str(), "columns" | "unnest") => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// Parses one SELECT. What else the parser can read is not asked for, so that its code is not in the binary.
pub(super) fn query_of(sql: &str) -> Result<Box<Query>> {
    let unreadable = |err: ParserError| {
        // What was found may be a line break.
        let reason = err.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        Error::config(format!("the query cannot be parsed: {}", reason.trim_start_matches("sql parser error: ")))
    };
    let mut parser = Parser::new(&DuckDbDialect {}).with_recursion_limit(MAX_DEPTH).try_with_sql(sql).map_err(unreadable)?;
    while parser.consume_token(&Token::SemiColon) {}
    match &parser.peek_token_ref().token {
        Token::EOF => return Err(Error::config("the query is empty; expected a SELECT")),
        Token::Word(word) if !FIRST_WORDS.contains(&word.keyword) => return Err(Error::config("the query is not a SELECT")),
        _ => {}
    }
    let query = parser.parse_query().map_err(unreadable)?;
    let is_ended = parser.consume_token(&Token::SemiColon);
    while parser.consume_token(&Token::SemiColon) {}
    match parser.expect_token(&Token::EOF) {
        Ok(_) => Ok(query),
        Err(_) if is_ended => Err(Error::config("the query has several statements; expected one SELECT")),
        Err(err) => Err(unreadable(err)),
    }
}

/// The common table expressions of one query that is being walked.
struct Scope {
    names: Vec<String>,
    /// What tells its names from those of the query's other scopes.
    idx: usize,
    is_recursive: bool,
    /// How many of them were walked: they come before anything else, in order, each as a query of its own.
    n_walked: usize,
}

impl Scope {
    /// Returns which of them the name means here, if any: inside one, only those before it (and itself, when recursive) are seen.
    fn position(&self, name: &str) -> Option<usize> {
        let n_visible = (self.n_walked + usize::from(self.is_recursive)).min(self.names.len());
        self.names[..n_visible].iter().position(|cte| cte.eq_ignore_ascii_case(name))
    }

    /// Returns the name that stands for one of them in what runs: no table, view or file has it, so that where DuckDB does not see the
    /// expression, it finds nothing else in its place.
    fn own_name(&self, position: usize) -> Ident {
        quoted(&format!("unify_with_{}_{position}", self.idx))
    }
}

/// What options a query may hold have for values.
pub type OptionValues = BTreeMap<String, String>;

/// What is put into a query that runs.
struct Rewrite<'a> {
    /// The names before a table's own.
    prefix: Vec<Ident>,
    options: &'a OptionValues,
}

/// Checks a query and collects its tables and options; with `rewrite`, puts what it has in their places.
struct Walk<'a> {
    scopes: Vec<Scope>,
    n_scopes: usize,
    rewrite: Option<Rewrite<'a>>,
    tables: Vec<String>,
    options: Vec<String>,
}

fn refuse<T>(message: impl Into<String>) -> ControlFlow<Box<Error>, T> {
    ControlFlow::Break(Box::new(Error::config(message)))
}

fn last_name(name: &ObjectName) -> String {
    name.0.last().and_then(ObjectNamePart::as_ident).map_or_else(String::new, |ident| ident.value.to_ascii_lowercase())
}

impl Walk<'_> {
    fn check_table_function(&self, name: &ObjectName) -> ControlFlow<Box<Error>> {
        if name.0.len() == 1 && TABLE_FUNCTIONS.contains(&last_name(name).as_str()) {
            return ControlFlow::Continue(());
        }
        refuse(format!("the query reads from '{name}(...)'; expected tables of the same connection"))
    }

    /// Notes an option, or writes its value: sqlparser writes a placeholder as it is, but not every text.
    fn option(&mut self, value: &mut Value) -> ControlFlow<Box<Error>> {
        let Value::Placeholder(placeholder) = value else { return ControlFlow::Continue(()) };
        let Some(name) = placeholder.strip_prefix('$').filter(|name| is_option_name(name)) else {
            return refuse(format!("the query has {placeholder}; expected the name of an option, such as ${{since}}"));
        };
        match &self.rewrite {
            Some(rewrite) => {
                let literal = rewrite.options.get(name).map(|value| format!("'{}'", value.replace('\'', "''")));
                *placeholder = literal.unwrap_or_else(|| "CAST(NULL AS VARCHAR)".to_string());
            }
            None => self.options.push(name.to_string()),
        }
        ControlFlow::Continue(())
    }

    fn table(&mut self, name: &mut ObjectName, alias: &mut Option<TableAlias>) -> ControlFlow<Box<Error>> {
        let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else {
            return refuse(format!("the query names '{name}'; expected a table of the same connection, without schema"));
        };
        if ident.quote_style.is_some_and(|quote| quote != '"') {
            return refuse(format!("the query reads from {name}; expected a table of the same connection, not a file"));
        }
        let cte = self.scopes.iter().rev().find_map(|scope| Some(scope.own_name(scope.position(&ident.value)?)));
        if let Some(cte) = cte {
            if self.rewrite.is_some() {
                let own = quoted(&ident.value);
                rename(name, alias, own, vec![cte]);
            }
            return ControlFlow::Continue(());
        }
        let ident = ident.clone();
        if !self.tables.iter().any(|table| table.eq_ignore_ascii_case(&ident.value)) {
            self.tables.push(ident.value.clone());
        }
        if let Some(rewrite) = &self.rewrite {
            let own = quoted(&ident.value);
            let full = rewrite.prefix.iter().cloned().chain([own.clone()]).collect();
            rename(name, alias, own, full);
        }
        ControlFlow::Continue(())
    }
}

/// Returns a query in which each hole of an option, such as `${name}`, is a placeholder of SQL, `$name`. Fails when a hole is anything else.
pub fn with_placeholders(sql: &str) -> Result<String> {
    let mut parts = sql.split("${");
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or(("", part));
        if !is_option_name(name) {
            let name = part.split_once('}').map_or(part, |(name, _)| name);
            return Err(Error::config(format!(
                "the query has the hole '${{{name}}}'; expected the name of an option alone, such as ${{since}}"
            )));
        }
        text.push_str(&format!("${name} {rest}"));
    }
    Ok(text)
}

fn is_option_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
}

/// Puts the parts in the place of a table's name, which stays as its alias.
fn rename(name: &mut ObjectName, alias: &mut Option<TableAlias>, own: Ident, parts: Vec<Ident>) {
    if alias.is_none() {
        *alias = Some(TableAlias { explicit: true, name: own, columns: Vec::new(), at: None });
    }
    *name = ObjectName(parts.into_iter().map(ObjectNamePart::Identifier).collect());
}

/// Returns a quoted identifier as it is written: sqlparser's own quoting takes a backslash before a quote for an escape, which
/// DuckDB does not know.
fn quoted(name: &str) -> Ident {
    Ident::new(format!("\"{}\"", name.replace('"', "\"\"")))
}

impl VisitorMut for Walk<'_> {
    type Break = Box<Error>;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Box<Error>> {
        if let Some(word) = not_a_select(&query.body) {
            return refuse(format!("the query has {word}; expected one SELECT"));
        }
        let (names, is_recursive) = match &query.with {
            Some(with) => (with.cte_tables.iter().map(|cte| cte.alias.name.value.clone()).collect(), with.recursive),
            None => (Vec::new(), false),
        };
        let scope = Scope { names, idx: self.n_scopes, is_recursive, n_walked: 0 };
        self.n_scopes += 1;
        if let (Some(with), true) = (&mut query.with, self.rewrite.is_some()) {
            for (position, cte) in with.cte_tables.iter_mut().enumerate() {
                cte.alias.name = scope.own_name(position);
            }
        }
        self.scopes.push(scope);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Box<Error>> {
        self.scopes.pop();
        if let Some(parent) = self.scopes.last_mut() {
            parent.n_walked = (parent.n_walked + 1).min(parent.names.len());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Box<Error>> {
        match factor {
            TableFactor::Table { name, args: Some(_), .. } => self.check_table_function(name),
            TableFactor::Table { name, alias, .. } => self.table(name, alias),
            TableFactor::Function { name, .. } => self.check_table_function(name),
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } | TableFactor::UNNEST { .. } => ControlFlow::Continue(()),
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => ControlFlow::Continue(()),
            other => refuse(format!("the query reads from '{other}'; expected tables of the same connection")),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Box<Error>> {
        for item in &select.projection {
            let SelectItem::ExprWithAlias { alias, .. } = item else { continue };
            // DuckDB reads `E'x'` as a text and `a ISNULL` as a condition, where the parser here sees an alias.
            if alias.quote_style == Some('\'') {
                return refuse(format!(
                    "the query has {alias} after a name; write names in double quotes, and texts without a letter before them"
                ));
            }
            if alias.quote_style.is_none() && matches!(alias.value.to_ascii_lowercase().as_str(), "isnull" | "notnull") {
                return refuse("the query has ISNULL or NOTNULL; write IS NULL or IS NOT NULL");
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Box<Error>> {
        let function = match expr {
            Expr::Function(function) => function,
            Expr::Value(value) if matches!(value.value, Value::HexStringLiteral(_)) => {
                return refuse(format!("the query has the hexadecimal {value}; write a number"))
            }
            Expr::Value(value) => return self.option(&mut value.value),
            Expr::Cast { data_type, .. } | Expr::TypedString(TypedString { data_type, .. }) => return own_type(data_type),
            Expr::Convert { .. } => return refuse("the query has CONVERT; write CAST"),
            _ => return ControlFlow::Continue(()),
        };
        if let [first, .., last] = function.name.0.as_slice() {
            return refuse(format!("the query calls '{}'; write {last}({first}, ...), without a name and a dot before it", function.name));
        }
        let name = last_name(&function.name);
        if !is_harmless(&name) {
            return refuse(format!(
                "the query calls '{name}', which is not among the functions that a spec's query may call: those that read nothing but their \
                 arguments; a spec's query reads tables of the same connection only"
            ));
        }
        ControlFlow::Continue(())
    }
}

/// A type of the user's is named with its schema: names without one are DuckDB's own.
fn own_type(data_type: &DataType) -> ControlFlow<Box<Error>> {
    let text = data_type.to_string();
    match text.contains('.') {
        true => refuse(format!("the query names the type {text}; expected one of DuckDB's own, without schema")),
        false => ControlFlow::Continue(()),
    }
}

fn not_a_select(body: &SetExpr) -> Option<&'static str> {
    match body {
        SetExpr::Select(select) if select.into.is_some() => Some("INTO"),
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => None,
        SetExpr::SetOperation { left, right, .. } => not_a_select(left).or_else(|| not_a_select(right)),
        SetExpr::Insert(_) => Some("INSERT"),
        SetExpr::Update(_) => Some("UPDATE"),
        SetExpr::Delete(_) => Some("DELETE"),
        SetExpr::Merge(_) => Some("MERGE"),
        SetExpr::Table(_) => Some("TABLE"),
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
