//! Rows that DuckDB itself reads, into a staging table.

use super::watched::watched;
use super::writer::{Destination, Writer};
use crate::columns::TableSchema;
use crate::load::records::checkpoints::Checkpoint;
use crate::load::records::live_jobs;
use crate::load::records::staging_table::StagingTable;
use crate::{Error, Result};

impl Writer<'_> {
    /// Makes the staging table of these columns, with the rows of a query, in one transaction with the checkpoint that its set reaches.
    pub fn insert(&mut self, schema: &TableSchema, query: &str, set: usize, checkpoint: Checkpoint) -> Result<()> {
        self.checkpoints.reached(set, checkpoint);
        let (Destination { store, subject, database, job }, note) = (self.to, self.note);
        let Some(table) = self.tables.first_mut() else { return Err(Error::internal("a load writes no table")) };
        table.staging = StagingTable::Absent(schema.clone());
        let lines = job.take_log();
        let written = store.transact(database, &|| job.check_cancelled(), |session| {
            if store.kind.is_shared() {
                live_jobs::check(session, &store.unify_schema, job.id())?;
            }
            table.prepare(session, schema, note)?;
            watched(session, job, database, |session| session.execute(&format!("INSERT INTO {} {query}", store.staging)))?;
            self.checkpoints.store(session, store)?;
            subject.write_log(session, job.id(), &lines)?;
            session.count(&format!("SELECT count(*) FROM {}", store.staging))
        });
        let n_rows = match written {
            Ok(n_rows) => n_rows,
            Err(err) => {
                job.put_back_log(lines);
                return Err(err);
            }
        };
        table.staging = StagingTable::prepared(schema.clone());
        table.n_rows = n_rows;
        self.checkpoints.committed();
        job.counters().writes(usize::try_from(n_rows).unwrap_or(usize::MAX));
        job.counters().commits();
        Ok(())
    }
}
