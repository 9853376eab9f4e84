//! The rows of a table of files: DuckDB reads them straight into the staging table, where they are others than those of the table.

use super::{JobRun, Plan};
use crate::load::classes::file_rows::{fingerprint, rows_of, Sniffing};
use crate::load::classes::files::FilePlace;
use crate::load::clock::now_micros;
use crate::load::flow::fetch::Fetch;
use crate::load::plan::resume::SetWork;
use crate::load::records::checkpoints::Checkpoint;
use crate::load::write::watched::watched;
use crate::load::write::writer::Writer;
use crate::session::LogLevel;
use crate::Result;
use std::sync::atomic::Ordering;

impl JobRun {
    /// Writes the rows of the files, of which none is staged yet. Where the files are as they were when the table got its rows, the load brings
    /// nothing new: what stands for the ETag of an answer are the names, sizes and times of the files.
    pub(super) fn insert_files(&self, plan: &Plan<'_>, fetch: &Fetch, work: &[SetWork], writer: &mut Writer<'_>) -> Result<()> {
        let Some(set) = work.first() else { return Ok(()) };
        let connection = &self.target.connection;
        let database = self.services.database.as_ref();
        let mut session = database.connect()?;
        let pattern = plan.table_def.discovered_text("pattern")?;
        let (files, format, etag) = watched(session.as_mut(), &self.job, database, |session| {
            let (files, format) = FilePlace::of(connection)?.files_of(session, pattern)?;
            let etag = fingerprint(session, &files, now_micros())?;
            Ok((files, format, etag))
        })?;
        if fetch.earlier.etag.as_ref() == Some(&etag) {
            self.job.log(LogLevel::Info, || format!("the files are as they were, files: {}", files.len()));
            fetch.is_unchanged.store(true, Ordering::Relaxed);
            return Ok(());
        }
        self.job.log(LogLevel::Info, || format!("reading as {}, files: {}", format.name(), files.len()));
        let rows =
            watched(session.as_mut(), &self.job, database, |session| rows_of(session, connection, &files, format, Sniffing::AllRows))?;
        drop(session);
        writer.insert(&rows.schema, &rows.query, set.number, Checkpoint::Synced(etag))
    }
}
