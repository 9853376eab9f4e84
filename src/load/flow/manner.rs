//! How the pages of one set are read.

use super::fetch::{Fetch, Reading, WorkedSet};
use super::in_order::Manner;
use super::shifts::may_shift;
use crate::source::{Files, Source, Vanishing};
use crate::Result;

impl Fetch {
    /// Returns whether rows that move are to be told.
    pub fn watches_moves(&self) -> bool {
        self.pace.reading == Reading::Watched && may_shift(&self.asker.table_def)
    }

    /// Returns how the pages of a set are read, from its first page or from its point on. Fails when the table's paging does not know the position.
    pub(super) fn manner(&self, work: &WorkedSet) -> Result<Manner> {
        let paging = &self.asker.table_def.paging;
        let point = work.point.as_ref().filter(|point| point.ordinal > 0);
        let mut source = match (point, work.export.as_ref().and_then(|(_, files)| files.clone())) {
            (Some(point), None) => paging.source_at(self.pace.max_pages, point)?,
            (None, None) => paging.source_from(self.pace.max_pages, work.set.link.as_deref()),
            (point, Some(files)) => {
                let mut source: Box<dyn Source> = Box::new(Files::new(files));
                point.map_or(Ok(()), |point| source.resume(point))?;
                source
            }
        };
        source.set_vanishing(self.vanishing());
        Ok(Manner {
            source,
            job: work.export.as_ref().map(|(job, _)| job.clone()),
            client: self.asker.client.clone(),
            max_rows: self.asker.table_def.max_rows,
            watches_moves: self.watches_moves(),
            starts_over: self.vanishing() == Vanishing::Told && !self.earlier.has_vanished,
        })
    }

    /// Returns what is done about rows that vanish at the source. The rows of a stream are handed on as they come.
    pub fn vanishing(&self) -> Vanishing {
        match self.pace.reading {
            Reading::SideBySide => Vanishing::Ignored,
            Reading::Watched | Reading::OneByOne if self.asker.table_def.key_columns.is_empty() => Vanishing::Told,
            Reading::Watched | Reading::OneByOne => Vanishing::ReadAgain,
        }
    }
}
