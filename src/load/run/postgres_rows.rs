//! The rows of a table of PostgreSQL's: its columns as they are now, then a pass of COPY in the place of pages.

use super::{JobRun, Plan};
use crate::columns::TableSchema;
use crate::document::JsonValue;
use crate::load::classes::postgres::rows::{Page, Reading};
use crate::load::classes::postgres::tables::table_of;
use crate::load::classes::postgres::{waited, Server};
use crate::load::flow::fetch::Fetch;
use crate::load::pages::fetched::{Fetched, FetchedRows};
use crate::load::plan::resume::SetWork;
use crate::load::records::checkpoints::Checkpoint;
use crate::load::records::staging_table::StagingTable;
use crate::load::write::writer::Writer;
use crate::source::{PageKey, ResumePoint, Token};
use crate::{Error, ErrorKind, Result};
use futures_util::StreamExt;
use std::sync::atomic::Ordering;
use std::sync::{mpsc, Arc, OnceLock};

impl JobRun {
    /// Writes the rows that are left to read.
    pub(super) fn copy_table(&self, plan: &Plan<'_>, fetch: &Arc<Fetch>, work: Vec<SetWork>, writer: &mut Writer<'_>) -> Result<()> {
        let Some(set) = work.into_iter().next() else { return Ok(()) };
        if !self.services.database.has_external_access()? {
            return Err(Error::config("nothing is read because setting 'enable_external_access' is false"));
        }
        let (schema, name) = (plan.table_def.discovered_text("schema")?.to_string(), plan.table_def.discovered_text("table")?.to_string());
        let connection = Arc::clone(&self.target.connection);
        let (server, mut table) = waited(&self.workers, &|| self.job.check_cancelled(), async move {
            let server = Server::connect(&connection).await?;
            let table = table_of(&server, &schema, &name).await?;
            Ok((server, table))
        })?;
        if table.key != plan.table_def.key_columns {
            return Err(Error::config("the primary key of the table changed; DISCOVER CONNECTION asks again which tables there are"));
        }
        for column in &mut table.columns {
            known_columns(plan, writer).for_each(|known| column.become_text_as_in(known));
        }
        begin_with(plan, writer, table.table_schema())?;
        let cursor = plan.table_def.refresh.updates().and_then(|updates| updates.cursor.as_ref());
        let since = plan.sets.get(set.number).and_then(|params| params.values.iter().find(|(name, _)| name == SINCE));
        let since = since.and_then(|(_, value)| value.to_text()).filter(|_| plan.is_update);
        let is_number = |name: &str| table.columns.iter().any(|column| column.name == name && column.is_number());
        let resumes = !cursor.is_some_and(|cursor| is_number(&cursor.column));
        let mut with_texts = table.clone();
        let reading = Reading { table, resumes, since: cursor.map(|cursor| cursor.column.clone()).zip(since) };
        let lacking = Arc::new(OnceLock::new());
        let (sent, pass) = (fetch.clone(), Pass { fetch: fetch.clone(), set, lacking: lacking.clone() });
        let moved = self.move_rows(&sent, writer, move |rows| read(reading, server, pass, rows));
        let (Err(err), Some(column)) = (&moved, lacking.get().and_then(|idx: &usize| with_texts.columns.get_mut(*idx))) else {
            return moved;
        };
        column.become_text();
        writer.wider = Some(vec![with_texts.table_schema()]);
        match plan.is_update {
            true => Err(Error::new(ErrorKind::TokenExpired, err.message())),
            false => moved,
        }
    }
}

/// What a pass works with besides the server.
struct Pass {
    fetch: Arc<Fetch>,
    set: SetWork,
    /// Gets the position of a column with a value that its type does not have.
    lacking: Arc<OnceLock<usize>>,
}

/// Returns the columns that were found to need other types than the server's: by the pass before this one, in rows that are staged, and in the
/// table that takes the updates.
fn known_columns<'a>(plan: &'a Plan<'_>, writer: &'a Writer<'_>) -> impl Iterator<Item = &'a TableSchema> {
    let staged = writer.tables.first().and_then(|table| match &table.staging {
        StagingTable::Noted(staged) | StagingTable::Made(staged) => Some(staged),
        StagingTable::Absent(_) => None,
    });
    let loaded = plan.loaded.as_ref().filter(|_| plan.is_update).map(|loaded| &loaded.columns);
    writer.wider.iter().flatten().take(1).chain(staged).chain(loaded)
}

/// The param that says from which value of the cursor on rows are asked for.
const SINCE: &str = "since";

/// Makes the columns of the staging table those that the server has now. Fails where rows that are staged, or the table that takes the updates,
/// have others.
fn begin_with(plan: &Plan<'_>, writer: &mut Writer<'_>, schema: TableSchema) -> Result<()> {
    let has_others = |known: &TableSchema| {
        known
            .columns
            .iter()
            .any(|column| schema.columns.iter().any(|own| own.source == column.source && own.column_type != column.column_type))
    };
    if plan.is_update && plan.loaded.as_ref().is_some_and(|loaded| has_others(&loaded.columns)) {
        return Err(Error::new(ErrorKind::TokenExpired, "columns of the table have other types now"));
    }
    let Some(table) = writer.tables.first_mut() else { return Err(Error::internal("a load writes no table")) };
    match &table.staging {
        StagingTable::Absent(_) => table.staging = StagingTable::Absent(schema),
        StagingTable::Noted(staged) | StagingTable::Made(staged) if *staged == schema => {}
        StagingTable::Noted(_) | StagingTable::Made(_) => {
            return Err(Error::new(ErrorKind::CannotResume, "the columns of the table changed"));
        }
    }
    Ok(())
}

/// Reads the rows, and hands them on as they come.
async fn read(reading: Reading, server: Server, pass: Pass, rows: mpsc::Sender<Fetched>) -> Result<()> {
    let Pass { fetch, set: work, lacking } = pass;
    let position = |name: &String| reading.table.columns.iter().position(|column| column.name == *name);
    let key = if reading.resumes { reading.table.key.iter().filter_map(position).collect() } else { Vec::new() };
    let point = work.point.as_ref().filter(|point| point.ordinal > 0);
    let after = point.and_then(|point| key_of_point(&point.key));
    let schema = reading.table.table_schema();
    let copied = server.copy(&reading.sql(after.as_deref())).await?;
    let mut copied = std::pin::pin!(copied);
    let mut sending = Sending {
        fetch: &fetch,
        rows: &rows,
        set: work.number,
        n_pages: point.map_or(0, |point| point.ordinal),
        n_rows: point.map_or(0, |point| point.n_rows),
        key,
    };
    let mut page = Page::new(&schema, &reading.table.columns);
    let mut pending: Vec<u8> = Vec::new();
    while let Some(piece) = copied.next().await {
        pending.extend_from_slice(&piece?);
        let mut begin = 0;
        while let Some(len) = pending[begin..].iter().position(|byte| *byte == b'\n') {
            let line = std::str::from_utf8(&pending[begin..begin + len]).map_err(|_| Error::data("a row is not UTF-8"))?;
            page.add(line)?;
            if let Some((idx, column)) = page.lacking.and_then(|idx| Some((idx, reading.table.columns.get(idx)?))) {
                let _ = lacking.set(idx);
                let (name, sql_type) = (&column.name, column.column_type.sql_name());
                let message = format!("column '{name}' has NaN or infinity, which {sql_type} does not have: it is loaded as text");
                return Err(Error::new(ErrorKind::CannotWiden, message));
            }
            begin += len + 1;
            if page.is_full() {
                sending.send(std::mem::replace(&mut page, Page::new(&schema, &reading.table.columns))).await?;
            }
        }
        pending.drain(..begin);
    }
    server.is_done();
    if page.n_rows > 0 {
        sending.send(page).await?;
    }
    rows.send(Fetched::Done { set: work.number, checkpoint: Checkpoint::Done }).map_err(|_| stopped())?;
    fetch.asker.activity.counters().sets_done.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Hands pages to the writer.
struct Sending<'a> {
    fetch: &'a Fetch,
    rows: &'a mpsc::Sender<Fetched>,
    set: usize,
    n_pages: u64,
    n_rows: u64,
    /// Positions of the key's columns.
    key: Vec<usize>,
}

impl Sending<'_> {
    async fn send(&mut self, page: Page<'_>) -> Result<()> {
        let (budget, size) = (&self.fetch.pace.budget, &self.fetch.pace.page_size);
        let n_bytes = page.n_bytes as u64;
        let mut memory = budget.page(size).await;
        memory.fit(n_bytes);
        size.saw(n_bytes);
        self.n_pages += 1;
        self.n_rows += page.n_rows as u64;
        let last: Vec<String> = self.key.iter().filter_map(|idx| page.last.get(*idx).cloned().flatten()).collect();
        let checkpoint = match self.key.is_empty() || last.len() < self.key.len() {
            // Without a key the rows have no order to go on in.
            true => Checkpoint::Unspoken,
            false => Checkpoint::after(Some(&self.point(last)), self.fetch.asker.client.redactor()),
        };
        let counters = self.fetch.asker.activity.counters();
        counters.pages.fetch_add(1, Ordering::Relaxed);
        counters.bytes.fetch_add(n_bytes, Ordering::Relaxed);
        let page = FetchedRows { batches: page.into_batch().into(), memory, set: self.set, checkpoint };
        self.rows.send(Fetched::Rows(Box::new(page))).map_err(|_| stopped())
    }

    fn point(&self, last: Vec<String>) -> ResumePoint {
        let last = JsonValue::Array(last.into_iter().map(JsonValue::String).collect());
        ResumePoint::after(self.n_pages, PageKey::Token(Some(Token::of_json(last.to_string()))), self.n_rows, None)
    }
}

/// Returns the values of the key that a load goes on behind.
fn key_of_point(key: &PageKey) -> Option<Vec<String>> {
    let PageKey::Token(Some(token)) = key else { return None };
    let JsonValue::Array(values) = token.to_json() else { return None };
    values.into_iter().map(|value| value.as_str().map(str::to_string)).collect()
}

fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "the load was stopped")
}
