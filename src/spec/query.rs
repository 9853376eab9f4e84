//! Queries a spec holds: checked to read nothing but the connection's own tables, and qualified for the place those are in.

use super::ParentQuery;
use crate::{Error, Result};
use sqlparser::ast::{
    visit_expressions, Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr, Statement, TableAlias, TableFactor,
    Value, VisitMut, VisitorMut,
};
use sqlparser::dialect::DuckDbDialect;
use sqlparser::parser::Parser;
use std::ops::ControlFlow;

/// Table functions that read nothing but their arguments.
const TABLE_FUNCTIONS: &[&str] = &["unnest", "range", "generate_series"];
/// Functions that read files, the environment, settings or other tables.
const FORBIDDEN: &[&str] = &[
    "glob",
    "getenv",
    "getvariable",
    "current_setting",
    "query",
    "query_table",
    "nextval",
    "currval",
    "write_log",
    "which_secret",
    "st_read",
    "seq_scan",
];
/// How the names of further such functions start.
const FORBIDDEN_PREFIXES: &[&str] = &[
    "read_",
    "sniff_",
    "parquet_",
    "duckdb_",
    "pragma_",
    "unify_",
    "sqlite_",
    "postgres_",
    "mysql_",
    "iceberg_",
    "delta_",
    "ducklake_",
    "http_",
    "shell",
];
/// Deepest nesting of a query.
const MAX_DEPTH: usize = 40;

impl ParentQuery {
    /// Parses a query: one SELECT over unqualified tables. Fails, saying why, on anything else: qualified names, functions or
    /// literals that read files, several statements, or SQL that cannot be parsed.
    pub fn parse(sql: &str) -> Result<ParentQuery> {
        let mut query = query_of(sql)?;
        let mut walk = Walk { scopes: Vec::new(), rewrite: None, tables: Vec::new() };
        match query.visit(&mut walk) {
            ControlFlow::Break(err) => return Err(*err),
            ControlFlow::Continue(()) => {}
        }
        // The query that runs is the one written from the tree that was checked, so both must be the same.
        if !query_of(&query.to_string()).is_ok_and(|again| again == query) {
            return Err(Error::config(format!("the query cannot be written again as it is; it reads as '{query}'")));
        }
        Ok(ParentQuery { sql: sql.trim().to_string(), tables: walk.tables })
    }

    /// Returns the SQL with each table's name qualified and quoted. Every table keeps its name as alias, so that
    /// `repos.name` still means what it did; columns keep their names.
    pub fn qualified(&self, catalog: Option<&str>, schema: &str) -> String {
        let Ok(mut query) = query_of(&self.sql) else { return self.sql.clone() };
        let prefix: Vec<Ident> = catalog.into_iter().chain([schema]).map(quoted).collect();
        let mut walk = Walk { scopes: Vec::new(), rewrite: Some(prefix), tables: Vec::new() };
        match query.visit(&mut walk) {
            ControlFlow::Break(_) => self.sql.clone(),
            ControlFlow::Continue(()) => query.to_string(),
        }
    }

    /// Returns how many columns the query yields, when the select list says so without `*`.
    pub fn n_columns(&self) -> Option<usize> {
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

fn query_of(sql: &str) -> Result<Box<Query>> {
    let parsed =
        Parser::new(&DuckDbDialect {}).with_recursion_limit(MAX_DEPTH).try_with_sql(sql).and_then(|mut parser| parser.parse_statements());
    let mut statements = parsed.map_err(|err| {
        // What was found may be a line break.
        let reason = err.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        Error::config(format!("the query cannot be parsed: {}", reason.trim_start_matches("sql parser error: ")))
    })?;
    match (statements.pop(), statements.is_empty()) {
        (Some(Statement::Query(query)), true) => Ok(query),
        (Some(_), true) => Err(Error::config("the query is not a SELECT")),
        (None, _) => Err(Error::config("the query is empty; expected a SELECT")),
        (Some(_), false) => Err(Error::config("the query has several statements; expected one SELECT")),
    }
}

/// The common table expressions of one query that is being walked.
struct Scope {
    names: Vec<String>,
    is_recursive: bool,
    /// How many of them were walked: they come before anything else, in order, each as a query of its own.
    n_walked: usize,
}

impl Scope {
    /// Returns whether the name means one of them here: inside one, only those before it (and itself, when recursive) do.
    fn has(&self, name: &str) -> bool {
        let n_visible = (self.n_walked + usize::from(self.is_recursive)).min(self.names.len());
        self.names[..n_visible].iter().any(|cte| cte.eq_ignore_ascii_case(name))
    }
}

/// Checks a query and collects its tables; with `rewrite`, puts those names before the tables' own.
struct Walk {
    scopes: Vec<Scope>,
    rewrite: Option<Vec<Ident>>,
    tables: Vec<String>,
}

fn refuse<T>(message: impl Into<String>) -> ControlFlow<Box<Error>, T> {
    ControlFlow::Break(Box::new(Error::config(message)))
}

fn last_name(name: &ObjectName) -> String {
    name.0.last().and_then(ObjectNamePart::as_ident).map_or_else(String::new, |ident| ident.value.to_ascii_lowercase())
}

impl Walk {
    fn check_table_function(&self, name: &ObjectName) -> ControlFlow<Box<Error>> {
        if name.0.len() == 1 && TABLE_FUNCTIONS.contains(&last_name(name).as_str()) {
            return ControlFlow::Continue(());
        }
        refuse(format!("the query reads from '{name}(...)'; expected tables of the same connection"))
    }

    fn table(&mut self, name: &mut ObjectName, alias: &mut Option<TableAlias>) -> ControlFlow<Box<Error>> {
        let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else {
            return refuse(format!("the query names '{name}'; expected a table of the same connection, without schema"));
        };
        if ident.quote_style.is_some_and(|quote| quote != '"') {
            return refuse(format!("the query reads from {name}; expected a table of the same connection, not a file"));
        }
        if self.scopes.iter().any(|scope| scope.has(&ident.value)) {
            return ControlFlow::Continue(());
        }
        let ident = ident.clone();
        if !self.tables.iter().any(|table| table.eq_ignore_ascii_case(&ident.value)) {
            self.tables.push(ident.value.clone());
        }
        if let Some(prefix) = &self.rewrite {
            let own = quoted(&ident.value);
            if alias.is_none() {
                *alias = Some(TableAlias { explicit: true, name: own.clone(), columns: Vec::new(), at: None });
            }
            *name = ObjectName(prefix.iter().cloned().chain([own]).map(ObjectNamePart::Identifier).collect());
        }
        ControlFlow::Continue(())
    }
}

/// Returns a quoted identifier as it is written: sqlparser's own quoting takes a backslash before a quote for an escape, which
/// DuckDB does not know.
fn quoted(name: &str) -> Ident {
    Ident::new(format!("\"{}\"", name.replace('"', "\"\"")))
}

impl VisitorMut for Walk {
    type Break = Box<Error>;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Box<Error>> {
        if let Some(word) = not_a_select(&query.body) {
            return refuse(format!("the query has {word}; expected one SELECT"));
        }
        let (names, is_recursive) = match &query.with {
            Some(with) => (with.cte_tables.iter().map(|cte| cte.alias.name.value.clone()).collect(), with.recursive),
            None => (Vec::new(), false),
        };
        self.scopes.push(Scope { names, is_recursive, n_walked: 0 });
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
            _ => return ControlFlow::Continue(()),
        };
        let name = last_name(&function.name);
        if FORBIDDEN.contains(&name.as_str()) || FORBIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            return refuse(format!("the query calls '{name}'; a spec's query may read nothing but tables of the same connection"));
        }
        ControlFlow::Continue(())
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
