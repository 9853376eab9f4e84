//! Tests of the conversion of pages into typed columns.

mod children;
mod digits;
mod kept;
mod laws;
mod named;
mod plans;
mod positions;
mod schemas;
mod shapes;
mod typing;

use super::{date_text, timestamp_text, Batch, ColumnData, ColumnType, ColumnVector, RowPlan, TableSchema};
use crate::document::parse;
use crate::spec::{ColumnPattern, ColumnSpec, DeclaredType, Nested, ParamValue, TableDef};
use crate::Result;

/// A table that does nothing special.
pub(super) fn table_def() -> TableDef {
    crate::spec::tests::table("resource_path: /t")
}

/// A table that is changed so.
pub(super) fn with(change: impl FnOnce(&mut TableDef)) -> TableDef {
    let mut table_def = table_def();
    change(&mut table_def);
    table_def
}

pub(super) fn keys(path: &str) -> Vec<String> {
    path.split('.').map(str::to_string).collect()
}

pub(super) fn column(name: &str, data_type: Option<DeclaredType>, source: Option<&str>) -> ColumnSpec {
    ColumnSpec { name: name.into(), data_type, source: source.map(keys), is_meta: false, reading: None, key: false, description: None }
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
    load_as_job(table_def, pages, false)
}

/// Loads pages as a job does: what is stored is widened, and where that would not keep it, everything is loaded again, wider from the
/// beginning. Pages start from the columns of those before, or, `side_by_side`, from those of the beginning.
pub(super) fn load_as_job(table_def: &TableDef, pages: &[&str], side_by_side: bool) -> Result<Batch> {
    let mut initial = RowPlan::new(table_def).initial_schema(&[]);
    'again: for _ in 0..20 {
        let mut schema = initial.clone();
        let mut stored: Vec<Batch> = Vec::new();
        for page in pages {
            let batch = convert_with(table_def, page, if side_by_side { &initial } else { &schema }, &[])?;
            let merged = schema.merged(&batch.schema);
            if batch.schema.stuck(&merged).is_some() || (!stored.is_empty() && schema.stuck(&merged).is_some()) {
                initial = merged.without_rows();
                continue 'again;
            }
            stored.push(batch);
            stored = stored.into_iter().map(|batch| batch.conform(&merged)).collect::<Result<_>>()?;
            schema = TableSchema::from_text(&merged.to_text())?;
        }
        return Ok(joined(stored));
    }
    panic!("the load does not end: {pages:?}");
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
        (ColumnData::BigInt(a), ColumnData::BigInt(b))
        | (ColumnData::Timestamp(a), ColumnData::Timestamp(b))
        | (ColumnData::TimestampNs(a), ColumnData::TimestampNs(b)) => a.extend(b),
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
        ColumnData::BigInt(values) | ColumnData::Timestamp(values) | ColumnData::TimestampNs(values) => values.len(),
        ColumnData::HugeInt(values) | ColumnData::Decimal { values, .. } => values.len(),
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

/// Returns the moment as DuckDB writes it.
fn nanos_text(nanos: i64) -> String {
    let second = timestamp_text(nanos.div_euclid(1_000_000_000) * 1_000_000);
    format!("{second}.{:09}", nanos.rem_euclid(1_000_000_000)).trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Returns a cell as people read it; `None` for null.
pub(super) fn cell(vector: &ColumnVector, idx: usize) -> Option<String> {
    vector.validity.is_valid(idx).then(|| match &vector.data {
        ColumnData::Undecided => "?".into(),
        ColumnData::Boolean(values) => values[idx].to_string(),
        ColumnData::BigInt(values) => values[idx].to_string(),
        ColumnData::HugeInt(values) => values[idx].to_string(),
        ColumnData::Decimal { values, scale, .. } => format!("{} / 10^{scale}", values[idx]),
        ColumnData::Double(values) => format!("{:?}", values[idx]),
        ColumnData::Date(values) => date_text(values[idx]),
        ColumnData::Timestamp(values) => timestamp_text(values[idx]),
        ColumnData::TimestampNs(values) => nanos_text(values[idx]),
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
        let type_name = if column.column_type == ColumnType::Undecided { "undecided".into() } else { column.column_type.sql_name() };
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
