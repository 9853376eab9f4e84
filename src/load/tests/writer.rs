//! The writer: how pages become transactions.

use super::bench::checkpoints;
use super::memory::{MemoryDatabase, Nature};
use crate::columns::{Batch, ColumnData, ColumnType, ColumnVector, TableSchema, TextColumn, Validity};
use crate::load::job::handle::{Job, Stop};
use crate::load::pages::budget::{Budget, LoadBudget, PageSize};
use crate::load::pages::fetched::{Fetched, FetchedRows};
use crate::load::records::audit::AuditSubject;
use crate::load::records::checkpoints::{Checkpoint, Checkpoints};
use crate::load::records::staging_table::StagingTable;
use crate::load::records::store::Store;
use crate::load::staging::written::{LoadNote, WrittenTable};
use crate::load::write::writer::{Destination, SharedWithFetch, Writer};
use crate::load::LoadAction;
use crate::session::{CatalogKind, Database, LogLevel, Settings};
use crate::spec::ScalarType;
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{mpsc, Arc, RwLock};

/// Pages of one column that are written to a database where the records are made.
pub(super) struct Desk {
    pub database: MemoryDatabase,
    pub store: Store,
    pub subject: AuditSubject,
    pub job: Job,
    budget: LoadBudget,
    shared_schemas: RwLock<Arc<Vec<TableSchema>>>,
    runtime: tokio::runtime::Runtime,
}

impl Desk {
    fn new(nature: Nature) -> Desk {
        Desk::of(MemoryDatabase::new(nature), "items")
    }

    pub(super) fn of(database: MemoryDatabase, table: &str) -> Desk {
        let store = Store::new("lake", "shop", table, CatalogKind::DuckDb);
        let done = store.transact(&database, &|| Ok(()), |session| {
            store.create_unify_schema(session)?;
            store.claim(session)
        });
        done.unwrap();
        let subject = AuditSubject {
            unify_schema: store.unify_schema.clone(),
            schema: "shop".to_string(),
            table: table.to_string(),
            adapter: "shop".to_string(),
        };
        let job = Job::new(1, LoadAction::Load, format!("shop.{table}"), &Settings::read(|_| None).unwrap());
        Desk {
            database,
            store,
            subject,
            job,
            budget: Budget::new(256 << 20, 256 << 20).for_load("shop"),
            shared_schemas: RwLock::default(),
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
        }
    }

    pub(super) fn writer(&self) -> Writer<'_> {
        Writer {
            to: Destination { store: &self.store, subject: &self.subject, database: &self.database, job: &self.job },
            shared: SharedWithFetch { budget: &self.budget, schemas: &self.shared_schemas },
            note: LoadNote { identity: "1:x;y;z", started: 5 },
            tables: vec![WrittenTable {
                store: &self.store,
                staging: StagingTable::default(),
                key_columns: &[],
                keeps_deleted: false,
                n_rows: 0,
            }],
            checkpoints: Checkpoints::new(vec!["{}".to_string()], &HashMap::new()),
            may_bring_nothing: false,
            n_pages: 0,
            wider: None,
        }
    }

    pub(super) fn page(&self, texts: &[&str], checkpoint: Checkpoint) -> Fetched {
        let mut column = TextColumn::default();
        texts.iter().for_each(|text| column.push(text));
        let validity = Validity { bytes: vec![1; texts.len()], has_nulls: false };
        let schema = TableSchema::of(&[("text".to_string(), ColumnType::Scalar(ScalarType::Varchar))]);
        let batch = Batch { schema, columns: vec![ColumnVector { data: ColumnData::Varchar(column), validity }], n_rows: texts.len() };
        let memory = self.runtime.block_on(self.budget.page(&PageSize::default()));
        Fetched::Rows(Box::new(FetchedRows { batches: batch.into(), memory, set: 0, checkpoint }))
    }

    /// Writes what came, all of it at hand.
    fn write(&self, fetched: Vec<Fetched>) -> Result<()> {
        Desk::feed(&mut self.writer(), fetched)
    }

    /// Lets a writer write what came, all of it at hand.
    pub(super) fn feed(writer: &mut Writer<'_>, fetched: Vec<Fetched>) -> Result<()> {
        let (sender, mut receiver) = mpsc::channel();
        fetched.into_iter().for_each(|fetched| sender.send(fetched).unwrap());
        drop(sender);
        writer.write_all(&mut receiver)
    }

    /// Returns how many rows each transaction appended, by its batches.
    fn appended(&self) -> Vec<Vec<String>> {
        let of_commit = |statements: Vec<String>| statements.into_iter().filter(|sql| sql.starts_with("APPEND")).collect::<Vec<_>>();
        self.database
            .commits()
            .into_iter()
            .map(|commit| of_commit(commit.transaction.statements))
            .filter(|found| !found.is_empty())
            .collect()
    }
}

fn at(checkpoint: &str) -> Checkpoint {
    Checkpoint::At(checkpoint.to_string())
}

#[test]
fn small_pages_are_gathered_into_one_transaction_that_has_their_last_place() {
    let desk = Desk::new(Nature::default());
    let pages = ["one", "two", "three"].map(|checkpoint| desk.page(&["a", "b"], at(checkpoint)));
    desk.write(pages.into()).unwrap();
    assert_eq!(desk.appended(), [["APPEND items__loading 6"]]);
    assert_eq!(desk.database.rows("SELECT place FROM unify.load_state WHERE parameter_set <> ''"), ["three"]);
}

#[test]
fn large_pages_are_a_transaction_each() {
    let desk = Desk::new(Nature::default());
    let large = "x".repeat(9 << 20);
    let pages = ["one", "two"].map(|checkpoint| desk.page(&[&large], at(checkpoint)));
    desk.write(pages.into()).unwrap();
    assert_eq!(desk.appended(), [["APPEND items__loading 1"], ["APPEND items__loading 1"]]);
}

#[test]
fn where_first_rows_are_moved_large_pages_share_one_transaction() {
    let desk = Desk::new(Nature { moves_first_rows: true, ..Nature::default() });
    let large = "x".repeat(9 << 20);
    let pages = ["one", "two"].map(|checkpoint| desk.page(&[&large], at(checkpoint)));
    desk.write(pages.into()).unwrap();
    assert_eq!(desk.appended(), [["APPEND items__loading 1", "APPEND items__loading 1"]]);
    assert_eq!(desk.database.rows("SELECT place FROM unify.load_state WHERE parameter_set <> ''"), ["two"]);
}

#[test]
fn a_load_that_will_have_many_rows_keeps_its_transaction_open() {
    let desk = Desk::new(Nature::default());
    desk.job.counters().expected_pages.store(1_000_000, Ordering::Relaxed);
    let large = "x".repeat(9 << 20);
    let pages = ["one", "two"].map(|checkpoint| desk.page(&[&large], at(checkpoint)));
    desk.write(pages.into()).unwrap();
    assert_eq!(desk.appended().len(), 1);
}

#[test]
fn sets_without_rows_are_stored_without_a_staging_table() {
    let desk = Desk::new(Nature::default());
    desk.write(vec![Fetched::Done { set: 0, checkpoint: Checkpoint::Done }]).unwrap();
    let state = desk.database.state();
    assert!(state.table("shop", "items__loading").is_none());
    assert_eq!(checkpoints(&state, "items").into_keys().collect::<Vec<_>>(), ["{}"]);
    assert_eq!(desk.database.rows("SELECT started FROM unify.load_state WHERE status = 'loading'"), ["Timestamp(5)"]);
}

#[test]
fn updates_without_rows_are_stored_only_where_the_load_fails() {
    let desk = Desk::new(Nature::default());
    let mut writer = desk.writer();
    writer.may_bring_nothing = true;
    Desk::feed(&mut writer, vec![Fetched::Done { set: 0, checkpoint: Checkpoint::Done }]).unwrap();
    assert!(writer.brings_nothing() && checkpoints(&desk.database.state(), "items").is_empty());
    writer.note_passed_over().unwrap();
    assert_eq!(checkpoints(&desk.database.state(), "items").into_keys().collect::<Vec<_>>(), ["{}"]);
}

#[test]
fn updates_with_a_row_among_pages_without_are_all_stored() {
    let desk = Desk::new(Nature::default());
    let mut writer = desk.writer();
    writer.may_bring_nothing = true;
    let pages = vec![desk.page(&[], at("one")), desk.page(&["a"], at("two")), desk.page(&[], Checkpoint::Done)];
    Desk::feed(&mut writer, pages).unwrap();
    assert!(!writer.brings_nothing());
    assert_eq!(desk.appended(), [["APPEND items__loading 1"]]);
}

#[test]
fn large_transactions_end_with_a_row_group_and_the_last_one_takes_what_is_left() {
    for (n_pages, expected) in [(12, vec![1, 4, 4, 3]), (11, vec![1, 4, 6]), (5, vec![1, 4])] {
        let desk = Desk::new(Nature::default());
        desk.job.counters().expected_pages.store(n_pages, Ordering::Relaxed);
        let rows = vec!["x"; 50_000];
        let places: Vec<String> = (1..=n_pages).map(|page| page.to_string()).collect();
        let mut pages: Vec<Fetched> = places.iter().map(|place| desk.page(&rows, at(place))).collect();
        let later = pages.split_off(1);
        let mut writer = desk.writer();
        Desk::feed(&mut writer, pages).unwrap();
        Desk::feed(&mut writer, later).unwrap();
        let n_rows =
            |batches: &Vec<String>| batches.iter().map(|sql| sql["APPEND items__loading ".len()..].parse::<u64>().unwrap()).sum::<u64>();
        let of_each: Vec<u64> = desk.appended().iter().map(n_rows).collect();
        assert_eq!(of_each, expected.into_iter().map(|n_pages| n_pages * 50_000).collect::<Vec<u64>>(), "{n_pages}");
        assert_eq!(desk.database.rows("SELECT place FROM unify.load_state WHERE parameter_set <> ''"), [n_pages.to_string()]);
    }
}

/// Returns a desk whose database takes rows on several threads, for a load of so many pages.
fn threaded_desk(n_pages: u64) -> Desk {
    let desk = Desk::new(Nature { appends_on_threads: true, ..Nature::default() });
    desk.job.counters().expected_pages.store(n_pages, Ordering::Relaxed);
    desk
}

#[test]
fn rows_that_come_fast_are_appended_in_one_transaction_for_as_long_as_they_come() {
    let desk = threaded_desk(10);
    let text = "x".repeat(80);
    let pages = (1..=10).map(|page| desk.page(&vec![text.as_str(); 60_000], at(&page.to_string())));
    desk.write(pages.chain([Fetched::Done { set: 0, checkpoint: at("all") }]).collect()).unwrap();
    assert_eq!(desk.appended(), [vec!["APPEND items__loading 60000"; 10]]);
    assert_eq!(desk.database.rows("SELECT place FROM unify.load_state WHERE parameter_set <> ''"), ["all"]);
    assert_eq!(desk.job.counters().rows.load(Ordering::Relaxed), 600_000);
}

#[test]
fn a_page_with_a_new_field_among_rows_that_come_fast_keeps_its_place() {
    let desk = threaded_desk(8);
    let text = "x".repeat(80);
    let new_field = |page: Fetched| match page {
        Fetched::Rows(mut rows) => {
            let name = |name: &str| (name.to_string(), ColumnType::Scalar(ScalarType::Varchar));
            let own = &mut rows.batches.own;
            own.schema = TableSchema::of(&[name("text"), name("more")]);
            own.columns.push(own.columns[0].clone());
            Fetched::Rows(rows)
        }
        other => other,
    };
    let page = |number: usize| desk.page(&vec![text.as_str(); 60_000 + number], at(&number.to_string()));
    desk.write((1..=8).map(|number| if number == 4 { new_field(page(number)) } else { page(number) }).collect()).unwrap();
    let of_each = [vec![60_001, 60_002, 60_003], vec![(4..=8).map(|number| 60_000 + number).sum()]];
    assert_eq!(
        desk.appended(),
        of_each.map(|rows: Vec<u64>| rows.iter().map(|n| format!("APPEND items__loading {n}")).collect::<Vec<_>>())
    );
    assert_eq!(desk.database.rows("SELECT count(*) FROM shop.items__loading WHERE more IS NOT NULL"), ["60004"]);
}

#[test]
fn pages_that_lack_very_many_cells_are_fitted_to_the_columns_some_rows_at_a_time() {
    let desk = threaded_desk(8);
    let narrow = desk.page(&vec!["x".repeat(80).as_str(); 60_000], at("1"));
    let Fetched::Rows(mut wide) = desk.page(&["y".repeat(60_000).as_str()], at("2")) else { panic!("a page has rows") };
    let name = |idx: usize| (if idx == 0 { "text".to_string() } else { format!("text_{idx}") }, ColumnType::Scalar(ScalarType::Varchar));
    let own = &mut wide.batches.own;
    own.schema = TableSchema::of(&(0..80).map(name).collect::<Vec<_>>());
    own.columns = vec![own.columns[0].clone(); 80];
    let (sender, mut receiver) = mpsc::channel();
    [narrow, Fetched::Rows(wide), desk.page(&["z"], at("3"))].into_iter().for_each(|page| sender.send(page).unwrap());
    let mut writer = desk.writer();
    std::thread::scope(|scope| {
        let written = scope.spawn(|| writer.write_all(&mut receiver));
        // Not when nothing more can come, but while pages come.
        while desk.job.counters().rows.load(Ordering::Relaxed) < 60_002 {
            std::thread::yield_now();
        }
        drop(sender);
        written.join().unwrap().unwrap();
    });
    assert_eq!(desk.database.rows("SELECT count(*) FROM shop.items__loading"), ["60002"]);
    assert_eq!(desk.database.rows("SELECT place FROM unify.load_state WHERE parameter_set <> ''"), ["3"]);
}

#[test]
fn rows_without_a_field_do_not_go_into_one_statement() {
    let desk = threaded_desk(4);
    let pages = (1..=2).map(|number| {
        let Fetched::Rows(mut page) = desk.page(&vec!["x"; 100_000], at(&number.to_string())) else { panic!("a page has rows") };
        page.batches.own.schema = TableSchema::default();
        page.batches.own.columns.clear();
        Fetched::Rows(page)
    });
    let gathered: Vec<Fetched> = pages.collect();
    let mut writer = desk.writer();
    assert!(!writer.fills_row_groups(&mut None, &gathered).unwrap());
    Desk::feed(&mut writer, gathered).unwrap();
    assert_eq!(desk.database.rows("SELECT place FROM unify.load_state WHERE parameter_set <> ''"), ["2"]);
}

#[test]
fn rows_that_came_fast_before_a_cancellation_are_stored_up_to_their_place() {
    let desk = threaded_desk(8);
    let text = "x".repeat(80);
    let page = |number: usize| desk.page(&vec![text.as_str(); 60_000 + number], at(&number.to_string()));
    let (sender, mut receiver) = mpsc::channel();
    (1..=3).for_each(|number| sender.send(page(number)).unwrap());
    let mut writer = desk.writer();
    let outcome = std::thread::scope(|scope| {
        let written = scope.spawn(|| {
            let outcome = writer.write_all(&mut receiver);
            (outcome, desk.database.rows("SELECT place FROM unify.load_state WHERE parameter_set <> ''"))
        });
        while desk.job.counters().rows.load(Ordering::Relaxed) < 180_006 {
            std::thread::yield_now();
        }
        desk.job.cancel(Stop::User);
        written.join().unwrap()
    });
    drop(sender);
    assert_eq!(outcome.0.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(outcome.1, ["3"]);
    assert_eq!(desk.appended().concat().len(), 3);
}

#[test]
fn a_failed_commit_stores_neither_rows_nor_their_place_and_keeps_what_there_is_to_log() {
    let desk = Desk::new(Nature::default());
    desk.database.fails(|transacted| transacted.is_at("COMMIT").then(|| Error::database("IO Error: no space left")));
    desk.job.log(LogLevel::Info, || "worth knowing".to_string());
    desk.write(vec![desk.page(&["a"], at("one"))]).unwrap_err();
    let state = desk.database.state();
    assert!(state.table("shop", "items__loading").is_none() && checkpoints(&state, "items").is_empty());
    assert_eq!(desk.job.take_log()[0].message, "worth knowing");
}

#[test]
fn a_writer_leaves_when_it_is_all_that_keeps_the_database_open() {
    let desk = Desk::new(Nature { is_alone: true, ..Nature::default() });
    let large = "x".repeat(9 << 20);
    let pages = ["one", "two"].map(|checkpoint| desk.page(&[&large], at(checkpoint)));
    assert_eq!(desk.write(pages.into()).unwrap_err().kind(), ErrorKind::DatabaseGone);
    assert_eq!(desk.appended().len(), 1);
    assert!(desk.database.connect().is_ok());
}

#[test]
fn rows_that_are_committed_are_counted_with_their_pages() {
    let desk = Desk::new(Nature::default());
    desk.write(vec![desk.page(&["a", "b"], at("one")), desk.page(&["c"], Checkpoint::Done)]).unwrap();
    assert_eq!(desk.job.report().rows, 3);
}
