//! Tests of the conversion of pages into typed columns.

mod laws;
mod plans;
mod schemas;
mod typing;

use super::{date_text, timestamp_text, Batch, ColumnData, ColumnType, ColumnVector, RowPlan, TableSchema};
use crate::json::parse;
use crate::spec::{ColumnPattern, ColumnSpec, DeclaredType, Nested, Paging, ParamValue, RefreshStrategy, TableDef, Template};
use crate::Result;

/// A table that does nothing special.
pub(super) fn table_def() -> TableDef {
    TableDef {
        name: "t".into(),
        description: None,
        path: Template::parse_path("/t"),
        headers: Vec::new(),
        params: Vec::new(),
        paging: Paging::None,
        result_body_path: Vec::new(),
        result_object_path: None,
        result_meta_paths: Vec::new(),
        copy_params_to_output: Vec::new(),
        select: Vec::new(),
        strip_prefixes: Vec::new(),
        columns: Vec::new(),
        only_columns: false,
        key_columns: Vec::new(),
        refresh: RefreshStrategy::Reload,
        max_staleness: None,
        nested: Nested::Flatten,
        write: None,
    }
}

pub(super) fn keys(path: &str) -> Vec<String> {
    path.split('.').map(str::to_string).collect()
}

pub(super) fn column(name: &str, data_type: Option<DeclaredType>, source: Option<&str>) -> ColumnSpec {
    ColumnSpec { name: name.into(), data_type, source: source.map(keys), key: false, description: None }
}

pub(super) fn names_pattern(name: &str) -> ColumnPattern {
    ColumnPattern::Name(name.into())
}

pub(super) fn convert_with(table_def: &TableDef, body: &str, schema: &TableSchema, params: &[ParamValue]) -> Result<Batch> {
    let mut bytes = body.as_bytes().to_vec();
    let document = parse(&mut bytes)?;
    let batch = RowPlan::new(table_def).rows_of(document.root(), schema, params)?.batch;
    check_shape(&batch);
    Ok(batch)
}

/// Returns the fingerprint of a page.
pub(super) fn fingerprint(table_def: &TableDef, body: &str) -> u64 {
    let mut bytes = body.as_bytes().to_vec();
    let document = parse(&mut bytes).unwrap();
    let row_plan = RowPlan::new(table_def);
    row_plan.rows_of(document.root(), &row_plan.initial_schema(&[]), &[]).unwrap().fingerprint
}

/// Converts the pages one after another, each starting from the columns so far, and fits all to the last columns.
pub(super) fn load(table_def: &TableDef, pages: &[&str]) -> Result<Batch> {
    let mut schema = RowPlan::new(table_def).initial_schema(&[]);
    let mut batches = Vec::new();
    for page in pages {
        let batch = convert_with(table_def, page, &schema, &[])?;
        schema = batch.schema.clone();
        batches.push(batch);
    }
    let mut all = Vec::new();
    for batch in batches {
        all.push(batch.conform(&schema)?);
    }
    Ok(joined(all))
}

/// Appends batches of one schema, by the texts of their cells: only for comparison.
fn joined(batches: Vec<Batch>) -> Batch {
    let mut batches = batches.into_iter();
    let mut first = batches.next().unwrap();
    for batch in batches {
        assert_eq!(first.schema, batch.schema);
        for (column, more) in first.columns.iter_mut().zip(&batch.columns) {
            append(column, more);
        }
        first.n_rows += batch.n_rows;
    }
    check_shape(&first);
    first
}

fn append(column: &mut ColumnVector, more: &ColumnVector) {
    column.validity.bytes.extend(&more.validity.bytes);
    column.validity.has_nulls |= more.validity.has_nulls;
    match (&mut column.data, &more.data) {
        (ColumnData::Undecided, ColumnData::Undecided) => {}
        (ColumnData::Boolean(a), ColumnData::Boolean(b)) => a.extend(b),
        (ColumnData::BigInt(a), ColumnData::BigInt(b)) | (ColumnData::Timestamp(a), ColumnData::Timestamp(b)) => a.extend(b),
        (ColumnData::HugeInt(a), ColumnData::HugeInt(b)) => a.extend(b),
        (ColumnData::Double(a), ColumnData::Double(b)) => a.extend(b),
        (ColumnData::Date(a), ColumnData::Date(b)) => a.extend(b),
        (ColumnData::Varchar(a), ColumnData::Varchar(b)) | (ColumnData::Json(a), ColumnData::Json(b)) => {
            (0..b.ends.len()).for_each(|idx| a.push(b.get(idx)));
        }
        (ColumnData::List { ends, child }, ColumnData::List { ends: more_ends, child: more_child }) => {
            let start = child.validity.bytes.len() as u32;
            ends.extend(more_ends.iter().map(|end| end + start));
            append(child, more_child);
        }
        (a, b) => panic!("{a:?} and {b:?}"),
    }
}

/// Checks what every batch promises.
fn check_shape(batch: &Batch) {
    assert_eq!(batch.schema.columns.len(), batch.columns.len());
    let mut folded: Vec<String> = batch.schema.columns.iter().map(|column| column.name.to_lowercase()).collect();
    folded.sort();
    folded.dedup();
    assert_eq!(folded.len(), batch.columns.len(), "names are not unique");
    for (column, vector) in batch.schema.columns.iter().zip(&batch.columns) {
        assert_eq!(column.column_type, vector.data.column_type(), "{}", column.name);
        check_vector(vector, batch.n_rows);
    }
}

fn check_vector(vector: &ColumnVector, n_rows: usize) {
    assert_eq!(vector.validity.bytes.len(), n_rows);
    assert_eq!(vector.validity.has_nulls, vector.validity.bytes.contains(&0));
    let len = match &vector.data {
        ColumnData::Undecided => n_rows,
        ColumnData::Boolean(values) => values.len(),
        ColumnData::BigInt(values) | ColumnData::Timestamp(values) => values.len(),
        ColumnData::HugeInt(values) => values.len(),
        ColumnData::Double(values) => values.len(),
        ColumnData::Date(values) => values.len(),
        ColumnData::Varchar(texts) | ColumnData::Json(texts) => {
            assert_eq!(texts.ends.last().copied().unwrap_or(0) as usize, texts.bytes.len());
            texts.ends.len()
        }
        ColumnData::List { ends, child } => {
            check_vector(child, ends.last().copied().unwrap_or(0) as usize);
            ends.len()
        }
    };
    assert_eq!(len, n_rows);
}

/// Returns a cell as people read it; `None` for null.
pub(super) fn cell(vector: &ColumnVector, idx: usize) -> Option<String> {
    vector.validity.is_valid(idx).then(|| match &vector.data {
        ColumnData::Undecided => "?".into(),
        ColumnData::Boolean(values) => values[idx].to_string(),
        ColumnData::BigInt(values) => values[idx].to_string(),
        ColumnData::HugeInt(values) => values[idx].to_string(),
        ColumnData::Double(values) => format!("{:?}", values[idx]),
        ColumnData::Date(values) => date_text(values[idx]),
        ColumnData::Timestamp(values) => timestamp_text(values[idx]),
        ColumnData::Varchar(texts) | ColumnData::Json(texts) => texts.get(idx).to_string(),
        ColumnData::List { ends, child } => {
            let start = if idx == 0 { 0 } else { ends[idx - 1] };
            let elements: Vec<String> =
                (start..ends[idx]).map(|element_idx| cell(child, element_idx as usize).unwrap_or("NULL".into())).collect();
            format!("[{}]", elements.join(", "))
        }
    })
}

/// Returns one line a column: name, type and cells.
pub(super) fn show(batch: &Batch) -> String {
    let mut out = String::new();
    for (column, vector) in batch.schema.columns.iter().zip(&batch.columns) {
        let cells: Vec<String> = (0..batch.n_rows).map(|idx| cell(vector, idx).unwrap_or("NULL".into())).collect();
        let type_name = if column.column_type == ColumnType::Undecided { "undecided" } else { column.column_type.sql_name() };
        out += &format!("{} {type_name}: {}\n", column.name, cells.join(" | "));
    }
    out
}

/// Checks what the pages become.
#[track_caller]
pub(super) fn check(table_def: &TableDef, pages: &[&str], expected: &str) {
    let trimmed = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(&show(&load(table_def, pages).unwrap())), trimmed(expected));
}

#[track_caller]
pub(super) fn check_error(table_def: &TableDef, page: &str, expected: &str) {
    assert_eq!(load(table_def, &[page]).unwrap_err().message(), expected);
}
