//! A key tells rows apart: of rows with one key the last stays, wherever they came, and what changed is told by it.

use super::bench::Bench;
use crate::load::LoadAction;

/// Returns how many rows the last load of a table added, changed and removed.
fn counted(bench: &Bench, table: &str) -> [u64; 3] {
    let changes = bench.loader.reader().changes(&bench.target(table)).unwrap().changes;
    [changes.added, changes.changed, changes.removed]
}

#[test]
fn rows_without_a_value_in_their_key_change_as_rows_without_a_key_do() {
    let bench = Bench::new();
    let load = |records: &str| {
        bench.api.has("/items", &[records]);
        bench.run("items", LoadAction::Reload).unwrap();
        counted(&bench, "items")
    };
    load(r#"{"id": null, "name": "a"}, {"id": null, "name": "b"}, {"id": 1, "name": "c"}"#);
    assert_eq!(load(r#"{"id": 1, "name": "c"}, {"id": null, "name": "b"}, {"id": null, "name": "a"}"#), [0, 0, 0]);
    assert_eq!(load(r#"{"id": 1, "name": "d"}, {"id": null, "name": "e"}, {"id": null, "name": "a"}"#), [1, 1, 1]);
    assert_eq!(load(r#"{"id": 1, "name": "d"}, {"id": null, "name": "a"}, {"id": null, "name": "a"}"#), [1, 0, 1]);
}
