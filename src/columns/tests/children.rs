//! Lists inside records as rows of tables of their own.

use super::{keys, table_def, Batch, ColumnData, RowPlan, TableSchema};
use crate::columns::children::{first_number, pages_numbered, Lists};
use crate::document::parse;
use crate::spec::{ChildDef, FieldCondition, TableDef};

const PAGE: &str = r#"[{"id": 1, "a": {"x": 0, "list": [{"no": 1}, {"no": "2"}]}}, {"id": 2, "gone": true, "a": {"list": [{"no": 9}]}},
    {"id": 3, "a": {"list": {"no": 3}}}, {"id": 4, "a": {"list": {}}}, {"id": 5, "a": {"list": null}}, {"id": "6", "a": {}}, {"id": 7}]"#;

fn child() -> TableDef {
    let copy = vec![("of".to_string(), keys("id"))];
    let child_def = ChildDef { parent: "t".into(), path: keys("a.list"), copy, parent_key: vec!["of".into()], keep: false };
    TableDef { name: "c".into(), result_meta_paths: vec![keys("of")], child: Some(child_def), ..table_def() }
}

/// Returns the batches of the table and of its child, each row as texts, columns by name.
fn convert(marks: bool) -> (String, String) {
    convert_page(marks, PAGE, &child())
}

fn convert_page(marks: bool, page: &str, child: &TableDef) -> (String, String) {
    let mut parent = table_def();
    parent.answer.deleted_when = Some(FieldCondition { path: keys("gone"), values: Vec::new() });
    let row_plan =
        if marks { RowPlan::new(&parent).marking_deleted().replacing_children() } else { RowPlan::new(&parent) }.with_children(&[child]);
    let mut bytes = page.as_bytes().to_vec();
    let document = parse(&mut bytes).unwrap();
    let mut own = row_plan.rows_of(document.root(), &row_plan.initial_schema(&[]), &[]).unwrap().batch;
    own.number_rows(first_number(2));
    let schemas = row_plan.child_schemas(&[]);
    let lists = Lists { schemas: &schemas, first_number: first_number(2), n_rows: own.n_rows };
    let children = row_plan.children_of(document.root(), lists, &[]).unwrap();
    (text_of(&own), text_of(&children[0]))
}

fn text_of(batch: &Batch) -> String {
    let names: Vec<&str> = batch.schema.columns.iter().map(|column| column.name.as_str()).collect();
    let cell = |idx: usize, row: usize| {
        let vector = &batch.columns[idx];
        match (&vector.data, vector.validity.is_valid(row)) {
            (_, false) => "-".to_string(),
            (ColumnData::BigInt(values), true) if names[idx] == "unify_row" => (values[row] - first_number(2)).to_string(),
            (ColumnData::BigInt(values), true) => values[row].to_string(),
            (ColumnData::Boolean(values), true) => values[row].to_string(),
            (ColumnData::Varchar(texts), true) => texts.get(row).to_string(),
            (data, true) => format!("{data:?}"),
        }
    };
    let rows = (0..batch.n_rows).map(|row| (0..names.len()).map(|idx| cell(idx, row)).collect::<Vec<_>>().join(" "));
    std::iter::once(names.join(" ")).chain(rows).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_element_is_a_row_that_knows_its_parent() {
    let (own, lists) = convert(false);
    assert_eq!(own, "unify_row id a_x\n0 1 0\n1 3 -\n2 4 -\n3 5 -\n4 6 -\n5 7 -");
    assert_eq!(lists, "of unify_row no\n1 0 1\n1 0 2\n3 1 3");
}

#[test]
fn in_updates_each_record_says_that_its_children_are_replaced() {
    let (own, lists) = convert(true);
    assert!(own.contains("\n1 2 - true") || own.contains("true"), "{own}");
    assert_eq!(
        lists,
        "of unify_row unify_deleted no\n1 0 true -\n1 0 - 1\n1 0 - 2\n2 1 true -\n3 2 true -\n3 2 - 3\n4 3 true -\n5 4 true -\n6 5 true -\n7 6 true -"
    );
}

#[test]
fn marks_are_no_columns_of_the_table() {
    let row_plan = RowPlan::new(&table_def()).marking_deleted().replacing_children().with_children(&[&child()]);
    assert!(row_plan.initial_schema(&[]).is_blank());
    let schema = row_plan.child_schemas(&[]).remove(0);
    let left = TableSchema::from_text(&schema.to_text()).unwrap().without_marks();
    assert_eq!(left.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["of"]);
    assert_eq!(schema.copied_column("of"), Some("of"));
}

#[test]
fn numbers_go_on_after_those_of_earlier_pages() {
    assert_eq!((pages_numbered(-1), pages_numbered(0), pages_numbered(first_number(7) + 5)), (0, 1, 8));
}

#[test]
fn the_path_goes_through_lists_on_its_way() {
    let page = r#"[{"id": 1, "a": [{"o": 1, "list": [{"no": 1}, {"no": 2}]}, {"list": null}, {"list": {"no": 3}}, {}, 7]}, {"id": 2, "a": []},
        {"id": 3, "a": {"list": [{"no": 4}]}}, {"id": 4, "a": [[{"list": [{"no": 5}]}]]}]"#;
    let (own, lists) = convert_page(false, page, &child());
    assert!(own.starts_with("unify_row id a\n0 1 "), "{own}");
    assert_eq!(lists, "of unify_row no\n1 0 1\n1 0 2\n1 0 3\n3 2 4\n4 3 5");
    let (_, lists) = convert_page(true, page, &child());
    assert_eq!(lists.matches(" true -").count(), 4, "{lists}");
    let mut of_second = child();
    of_second.child.as_mut().unwrap().path = keys("a.1.list");
    let page = r#"[{"id": 1, "a": [{"list": [{"no": 1}]}, {"list": [{"no": 2}]}]}, {"id": 2, "a": [{"1": {"list": {"no": 3}}}]}, {"id": 3, "a": [1]}]"#;
    assert_eq!(convert_page(false, page, &of_second).1, "of unify_row no\n1 0 2\n2 1 3");
}
