//! Several tables that are published at once.

use super::bench::Bench;
use super::memory::{Commit, MemoryDatabase, Nature};
use super::writer::Desk;
use crate::load::publish::publication::Publication;
use crate::load::publish::table::{Origin, Placing, PublishedTable, Sets};
use crate::load::records::checkpoints::Checkpoint;
use crate::load::records::marks::Marks;
use crate::load::write::writer::Writer;
use crate::spec::Expect;
use crate::Error;

#[test]
fn several_tables_are_published_at_once_or_not_at_all() {
    let bench = Bench::new();
    let database = MemoryDatabase::new(Nature::default());
    let targets = ["parts", "events"].map(|table| bench.target(table));
    let desks = ["parts", "events"].map(|table| Desk::of(database.clone(), table));
    let mut writers: Vec<Writer<'_>> = desks.iter().map(Desk::writer).collect();
    for (desk, writer) in desks.iter().zip(&mut writers) {
        Desk::feed(writer, vec![desk.page(&["a", "b"], Checkpoint::At("one".to_string()))]).unwrap();
    }
    let nothing = Expect::default();
    let publish = || {
        let tables = desks.iter().zip(&targets).zip(&writers).zip(10..).map(|(((desk, target), writer), create_id)| PublishedTable {
            store: &desk.store,
            subject: &desk.subject,
            table_def: target.table_def().unwrap(),
            written: &writer.tables[0],
            n_rows: 2,
            placing: Placing::Swap(None),
            origin: Origin { spec: "x", started: 5, is_lacking: false },
            sets: Sets { count: 1, may_repeat: true, names: None },
            create_id,
            expect: &nothing,
            keeps_changes: false,
            marks: Marks::default(),
            spans: None,
        });
        let [first, _] = &desks;
        let publication = Publication {
            connection: &targets[0].connection,
            job: &first.job,
            store: &first.store,
            subject: &first.subject,
            end_id: 12,
            end_action: "load_end",
            tables: tables.collect(),
        };
        publication.publish(&database)
    };
    let renames = ["RENAME TO \"parts\"", "RENAME TO \"events\""];
    database.fails(move |transacted| transacted.is_at(renames[1]).then(|| Error::database("the disk is full")));
    assert_eq!(publish().unwrap_err().to_string(), "the disk is full");
    let state = database.state();
    assert!(["parts", "events"].iter().all(|table| state.table("shop", table).is_none()));
    database.works_again();
    assert_eq!(publish().unwrap().n_rows, 2);
    let commits = database.commits();
    let has = |commit: &&Commit, text: &str| commit.transaction.statements.iter().any(|sql| sql.contains(text));
    assert_eq!(commits.iter().filter(|commit| has(commit, renames[0]) && has(commit, renames[1])).count(), 1);
    assert_eq!(commits.iter().filter(|commit| has(commit, renames[0]) || has(commit, renames[1])).count(), 1);
    let records = database.rows("SELECT id, parent_id, table_name, action, numrows, status FROM unify.loading_jobs ORDER BY id");
    assert_eq!(records, ["10|1|parts|create|NULL|success", "11|1|events|create|NULL|success", "12|1|parts|load_end|2|success"]);
}
