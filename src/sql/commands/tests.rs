//! What the tests of the commands share: a database instance with a connection `shop`, and a database that answers from a list.

use crate::catalog::{Catalog, Environment};
use crate::columns::{Batch, ColumnData};
use crate::load::Loader;
use crate::session::{Database, Session, Settings, TableName, Value};
use crate::sql::{
    parse_statement, Arguments, Bound, Instance, ParameterType, ParsedStatement, Seen, StatementContext, UserSession, DEFINITIONS,
};
use crate::{Error, Result};
use expect_test::Expect;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

const SPEC: &str = "
name: shop
description: A shop
base_url: https://{region}.example.com/api
auth:
  type: BASIC
  params: {username: Your name, password: Your password}
options:
  region: {description: Where the shop is, default: eu}
tables:
  - name: orders
    description: What was ordered
    resource_path: /orders
    columns:
      - {name: id, type: bigint, key: true, description: The order's number}
      - {name: placed_on, type: date, source: meta.placed}
  - name: customers
    resource_path: /customers
    write: {path: '/{region}/customers', batch: 2, idempotency_header: Idempotency-Key}
views:
  - name: big_orders
    from: [orders, customers]
    query: SELECT * FROM orders JOIN customers USING (customer_id)
    help: Orders of more than 100
";

const CONNECTIONS: &str = "
- shop:
    adapter: shop
    options: {username: me, password: s3cr3t}
- broken:
    adapter: shp
- away:
    adapter: shop
    options: {username: me, password: $SHOP_PASSWORD}
";

type Answers = Arc<Mutex<Vec<(String, Vec<Vec<Value>>)>>>;

/// A database that knows the answers to queries that contain a text, and answers others with no row.
struct FakeDatabase {
    answers: Answers,
    accepts: Arc<AtomicBool>,
}

struct FakeSession {
    answers: Answers,
    accepts: Arc<AtomicBool>,
}

impl Database for FakeDatabase {
    fn connect(&self) -> Result<Box<dyn Session>> {
        Ok(Box::new(FakeSession { answers: Arc::clone(&self.answers), accepts: Arc::clone(&self.accepts) }))
    }

    fn moves_first_rows(&self) -> bool {
        false
    }

    fn interrupt_all(&self) {}

    fn has_external_access(&self) -> Result<bool> {
        Ok(true)
    }
}

impl Session for FakeSession {
    fn execute(&mut self, sql: &str) -> Result<()> {
        match self.accepts.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(Error::internal(format!("no test expects {sql}"))),
        }
    }

    fn query(&mut self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let answers = self.answers.lock().unwrap();
        Ok(answers.iter().find(|(part, _)| sql.contains(part)).map(|(_, rows)| rows.clone()).unwrap_or_default())
    }

    fn table_names(&mut self, _sql: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn append(&mut self, table: &TableName, _batches: &[Batch]) -> Result<()> {
        Err(Error::internal(format!("no test expects rows for {table}")))
    }

    fn column_comments(&mut self, _table: &TableName) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }
}

/// A session that never set its search path, of which nothing else is known.
struct AnyUser;

impl UserSession for AnyUser {
    fn search_path(&self) -> Vec<(Option<String>, String)> {
        Vec::new()
    }

    fn look_up(&self, _name: &TableName) -> Seen {
        Seen::Unknown
    }
}

/// A database instance with the connections above, their files in a folder of its own.
pub(crate) struct TestInstance {
    folder: tempfile::TempDir,
    answers: Answers,
    accepts: Arc<AtomicBool>,
    instance: Instance,
}

impl TestInstance {
    pub(crate) fn new() -> TestInstance {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("rest_specs")).unwrap();
        std::fs::write(folder.path().join("rest_specs/shop.yaml"), SPEC).unwrap();
        std::fs::write(folder.path().join("rest_specs/torn.yaml"), "name: [").unwrap();
        std::fs::write(folder.path().join("connections.yaml"), CONNECTIONS).unwrap();
        let environment = Environment::of_test(&[("UNIFY_HOME", folder.path().to_str().unwrap())], None);
        let current = ("SELECT system.main.current_database()".to_string(), vec![vec![Value::Text("memory".to_string())]]);
        let answers = Answers::new(Mutex::new(vec![current]));
        let accepts = Arc::<AtomicBool>::default();
        let database: Arc<dyn Database> = Arc::new(FakeDatabase { answers: Arc::clone(&answers), accepts: Arc::clone(&accepts) });
        let instance =
            Instance { catalog: Arc::new(Catalog::with_environment(environment)), loader: Loader::new(database.clone()), database };
        TestInstance { folder, answers, accepts, instance }
    }

    /// Lets every statement succeed.
    pub(crate) fn accept_statements(self) -> TestInstance {
        self.accepts.store(true, Ordering::Relaxed);
        self
    }

    /// Returns the text of the connections file.
    pub(crate) fn connections_file(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("connections.yaml")).unwrap()
    }

    /// Answers queries that contain `part` with `rows`.
    pub(crate) fn answer(self, part: &str, rows: Vec<Vec<Value>>) -> TestInstance {
        self.answers.lock().unwrap().push((part.to_string(), rows));
        self
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::read(|_| None).unwrap()
    }

    pub(crate) fn context(&self) -> StatementContext<'_> {
        StatementContext {
            instance: &self.instance,
            settings: self.settings(),
            catalog: Ok("memory".to_string()),
            user: &AnyUser,
            session: 1,
            interrupted: &|| false,
            has_progress_bar: false,
        }
    }

    pub(crate) fn bind(&self, function: &str, arguments: &[&str]) -> Result<Bound> {
        let positional = arguments.iter().map(|text| Value::Text(text.to_string())).collect();
        let function = DEFINITIONS.functions.iter().find(|known| known.name == function).unwrap();
        (function.bind)(&Arguments { positional, named: Vec::new() }, &self.context())
    }

    /// Replaces the folder's path, so that messages are the same in each run.
    pub(crate) fn without_paths(&self, text: &str) -> String {
        text.replace(self.folder.path().to_str().unwrap(), "~")
    }

    /// Returns all rows of a call, a line each under a line of column names.
    pub(crate) fn rows(&self, function: &str, arguments: &[&str]) -> Result<Vec<String>> {
        let Bound::Rows(call) = self.bind(function, arguments)? else { panic!("{function} is a scan") };
        let mut lines = vec![call.schema().columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(" | ")];
        for batch in call.run(&self.context())? {
            assert_eq!(&batch.schema, call.schema());
            lines.extend((0..batch.n_rows).map(|row_idx| shown_row(&batch, row_idx)));
        }
        Ok(lines)
    }

    /// Checks all rows of a call, a line each under a line of column names.
    pub(crate) fn check_rows(&self, function: &str, arguments: &[&str], expected: Expect) {
        let mut lines = self.rows(function, arguments).unwrap();
        // The adapters of the binary are not the subject of any expectation.
        lines.retain(|line| !line.contains("(bundled)"));
        expected.assert_eq(&self.without_paths(&lines.join("\n")));
    }
}

/// Checks the rows of a call in a database that is empty.
pub(crate) fn check_rows(function: &str, arguments: &[&str], expected: Expect) {
    TestInstance::new().check_rows(function, arguments, expected);
}

/// Checks the error of a call in a database that is empty.
pub(crate) fn check_error(function: &str, arguments: &[&str], expected: Expect) {
    let instance = TestInstance::new();
    let err = instance.rows(function, arguments).err().unwrap_or_else(|| panic!("{function} succeeds"));
    expected.assert_eq(&instance.without_paths(err.message()));
}

/// Checks what a statement calls.
pub(crate) fn check_statement(text: &str, expected: Expect) {
    match parse_statement(text) {
        ParsedStatement::Call(sql) => expected.assert_eq(&sql),
        other => panic!("{text} is {other:?}"),
    }
}

pub(crate) fn shown_row(batch: &Batch, row_idx: usize) -> String {
    let mut cells = Vec::new();
    for column in &batch.columns {
        cells.push(match &column.data {
            _ if !column.validity.is_valid(row_idx) => "NULL".to_string(),
            ColumnData::Boolean(values) => values[row_idx].to_string(),
            ColumnData::BigInt(values) | ColumnData::Timestamp(values) => values[row_idx].to_string(),
            ColumnData::Double(values) => values[row_idx].to_string(),
            ColumnData::Varchar(texts) => texts.get(row_idx).to_string(),
            other => panic!("{other:?}"),
        });
    }
    cells.join(" | ")
}

#[test]
fn every_function_is_described_and_its_example_calls_it() {
    for def in DEFINITIONS.functions {
        assert!(def.name.starts_with("unify_") && !def.description.is_empty(), "{}", def.name);
        assert!(def.example.contains(&format!("{}(", def.name)), "{}", def.example);
        assert!(!def.has_optional || !def.positional.is_empty(), "{}", def.name);
    }
}

#[test]
fn null_and_missing_arguments_are_errors() {
    for function in DEFINITIONS.functions.iter().filter(|function| function.positional.len() > usize::from(function.has_optional)) {
        let instance = TestInstance::new();
        let wrong = match function.positional[0].parameter_type {
            ParameterType::BigInt => Value::Text("x".into()),
            _ => Value::Integer(1),
        };
        for positional in [vec![], vec![Value::Null, Value::Null], vec![wrong.clone(), wrong]] {
            let bound = (function.bind)(&Arguments { positional, named: Vec::new() }, &instance.context());
            assert!(bound.is_err(), "{}", function.name);
        }
    }
}

#[test]
fn each_statement_of_the_grammar_is_defined_and_each_definition_is_in_the_grammar() {
    let grammar = include_str!("../grammar/grammar.pest");
    let alternatives = |rule: &str| -> BTreeSet<String> {
        let rule = grammar.split(&format!("\n{rule} = {{")).nth(1).and_then(|rest| rest.split('}').next()).unwrap();
        let list = rule.split('(').nth(1).and_then(|rest| rest.split(')').next()).unwrap();
        list.split('|').map(|name| name.trim().to_string()).collect()
    };
    let defined: BTreeSet<String> = DEFINITIONS.statements.iter().map(|statement| format!("{:?}", statement.rule)).collect();
    assert_eq!(alternatives("statement"), defined);
    assert_eq!(DEFINITIONS.statements.len(), defined.len());
    // What claims a text is the head of a statement, and each statement has one.
    let heads: BTreeSet<String> = alternatives("head").iter().map(|head| head.trim_end_matches("_head").to_string()).collect();
    assert_eq!(heads, defined);
}

#[test]
fn each_statement_calls_its_function() {
    for statement in DEFINITIONS.statements {
        let ParsedStatement::Call(sql) = parse_statement(statement.example) else { panic!("{} is not a call", statement.example) };
        assert!(sql.starts_with(&format!("SELECT * FROM {}(", statement.function.name)), "{sql}");
        assert!(DEFINITIONS.functions.iter().any(|function| function.name == statement.function.name), "{sql}");
        let first_word = statement.syntax.split(' ').next().unwrap();
        assert!(statement.example.starts_with(first_word) && !statement.description.is_empty(), "{}", statement.syntax);
    }
}

#[test]
fn the_reference_has_every_function_and_every_column() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md")).unwrap();
    let examples: Vec<&str> = text.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let instance = TestInstance::new();
    for function in DEFINITIONS.functions {
        let name = function.name;
        // One that runs until it is interrupted, or waits for a person, cannot stand in a block, which a test runs.
        let is_shown = [format!("`CALL {name}()`"), format!("`FROM {name}(")].iter().any(|call| text.contains(call));
        assert!(is_shown || examples.iter().any(|example| example.contains(&format!("{name}("))), "no example calls {name}");
    }
    let calls = [
        ("unify_adapters", vec![]),
        ("unify_connections", vec![]),
        ("unify_tables", vec![]),
        ("unify_columns", vec!["shop.orders"]),
        ("unify_load", vec!["shop.orders"]),
        ("unify_clear", vec!["shop.orders"]),
        ("unify_jobs", vec![]),
        ("unify_cancel_all", vec![]),
        ("unify_spec", vec!["github"]),
        ("unify_check_adapter", vec!["shop.yaml"]),
        ("unify_import_openapi", vec!["shop.json"]),
        ("unify_help", vec![]),
        ("unify_create_connection", vec!["a", "shop"]),
        ("unify_drop_connection", vec!["a"]),
        ("unify_test_connection", vec!["shop"]),
        ("unify_authorize", vec!["shop"]),
        ("unify_discover", vec!["shop"]),
        ("unify_http", vec!["shop", "/orders"]),
        ("unify_explain", vec!["shop.orders"]),
        ("unify_changes", vec!["shop.orders"]),
    ];
    for (name, arguments) in calls {
        let schema = match instance.bind(name, &arguments) {
            Ok(Bound::Rows(call)) => call.schema().clone(),
            Ok(Bound::Waiting(call)) => call.schema().clone(),
            _ => panic!("{name} makes no rows"),
        };
        for column in &schema.columns {
            let row = format!("| `{}` | {} |", column.name, column.column_type.sql_name());
            assert!(text.contains(&row), "no line '{row}' for {name}");
        }
    }
}

#[test]
fn the_statements_of_the_reference_parse() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md")).unwrap();
    let mut n_calls = 0;
    for example in text.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        match parse_statement(example) {
            ParsedStatement::Call(_) => n_calls += 1,
            ParsedStatement::NotOurs => assert!(["SELECT", "FROM", "COPY"].iter().any(|word| example.starts_with(word)), "{example}"),
            ParsedStatement::Wrong { message, .. } => panic!("{example}: {message}"),
        }
    }
    assert!(n_calls >= 8, "{n_calls}");
}
