//! The pages of one parameter set, put back into the order of the API.

use crate::http::ApiClient;
use crate::load::flow::convert::ConvertedPage;
use crate::load::flow::shifts::Shifts;
use crate::load::pages::budget::PageMemory;
use crate::load::pages::fetched::{Fetched, FetchedRows, PageBatches};
use crate::load::records::checkpoints::Checkpoint;
use crate::source::{CreatedJob, Next, PageFacts, PageFailure, PagePosition, PageVerdict, ResumePoint, Signs, Source};
use crate::spec::MaxRows;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::{mpsc, Arc};

/// How the pages of a set are read.
pub struct Manner {
    pub source: Box<dyn Source>,
    /// The job that made what is read.
    pub job: Option<CreatedJob>,
    pub client: Arc<ApiClient>,
    /// What the API gives at most.
    pub max_rows: Option<MaxRows>,
    /// Whether pages beside each other are compared, to see whether rows moved.
    pub watches_moves: bool,
    /// Whether the load starts over when rows have moved that nothing tells from others.
    pub starts_over: bool,
}

/// What a page with which the pages may end shows of others.
struct LastSigns {
    ordinal: u64,
    /// Whether it repeats another one.
    repeats: bool,
    signs: Signs,
}

/// The pages of one set, which arrive in any order and are handed on in that of the API.
pub struct InOrder {
    pub source: Box<dyn Source>,
    /// The set's number.
    set: usize,
    job: Option<CreatedJob>,
    client: Arc<ApiClient>,
    /// Pages that arrived before one that comes earlier, and how many records they have; `None` has no rows that are new.
    early: BTreeMap<u64, (u64, Option<(PageBatches, PageMemory)>)>,
    /// What the API gives at most, and the records that it gave.
    max_rows: Option<MaxRows>,
    n_rows: u64,
    /// Ordinal of the page that is handed on next; the first one given out.
    next: Option<u64>,
    /// Where an earlier load was with the set.
    point: Option<ResumePoint>,
    /// `None`: pages come one after the other, or nothing tells a row that moved from another one that is like it.
    shifts: Option<Shifts>,
    /// Whether the load starts over when rows have moved that nothing tells from others.
    starts_over: bool,
    /// What the API gave to ask for later changes with.
    sync_token: Option<String>,
    /// What the latest page with which the pages may end shows of others.
    signs: Option<LastSigns>,
    /// Pages the API said there are.
    pub expected: u64,
    rows: mpsc::Sender<Fetched>,
}

impl InOrder {
    /// Starts at the set's first page, or at `point`.
    pub fn new(manner: Manner, set: usize, point: Option<ResumePoint>, rows: mpsc::Sender<Fetched>) -> InOrder {
        let Manner { source, job, client, max_rows, watches_moves, starts_over } = manner;
        let n_rows = point.as_ref().map_or(0, |point| point.n_rows);
        let shifts = watches_moves.then(Shifts::default);
        InOrder {
            source,
            set,
            job,
            client,
            early: BTreeMap::new(),
            max_rows,
            n_rows,
            next: None,
            point,
            shifts,
            starts_over,
            sync_token: None,
            signs: None,
            expected: 0,
            rows,
        }
    }

    /// Returns what to do now.
    pub fn next(&mut self) -> Next {
        let next = self.source.next();
        if let Next::Ask(position) = &next {
            self.next.get_or_insert(position.ordinal);
            if let Some(shifts) = self.shifts.as_mut().filter(|_| !self.source.is_again(position.ordinal)) {
                shifts.asked(position);
            }
        }
        next
    }

    /// Returns how many pages wait for one that comes earlier.
    pub fn n_early(&self) -> usize {
        self.early.len()
    }

    /// Takes a page that arrived.
    pub fn page(&mut self, position: &PagePosition, page: ConvertedPage, memory: PageMemory) -> Result<()> {
        let stored = self.point.as_ref().and_then(|point| point.stored);
        if self.is_stored(position) && !stored.is_some_and(|print| print.is_same(page.facts.print())) {
            return Err(cannot_resume("the last page that is stored has other rows at the API by now"));
        }
        self.check_total(position, &page.facts)?;
        let n_records = page.facts.n_rows;
        let verdict = self.source.answered(position, &page.facts)?;
        // One that holds a secret is not stored: then the next refresh asks for everything.
        let token = page.facts.sync_token.clone().filter(|token| !self.client.redactor().is_in(token) && !token.contains('\0'));
        self.sync_token = token.or(self.sync_token.take());
        if let Some(signs) = page.signs.filter(|_| self.signs.as_ref().is_none_or(|last| last.ordinal < position.ordinal)) {
            let repeats = n_records > 0 && !verdict.keeps_rows();
            self.signs = Some(LastSigns { ordinal: position.ordinal, repeats, signs });
        }
        if self.starts_over && self.source.vanished().is_some() {
            let message = "rows vanished at the source and others moved while pages were read; without a key the two cannot be told apart";
            return Err(Error::new(ErrorKind::RowsVanished, message));
        }
        if let Some(shifts) = self.shifts.as_mut().filter(|_| verdict == PageVerdict::Keep) {
            shifts.answered(position, page.facts.records)?;
        }
        let is_new = verdict.keeps_rows() && !self.is_stored(position);
        let n_records = if verdict.keeps_rows() && !self.source.is_again(position.ordinal) { n_records } else { 0 };
        self.arrived(position, n_records, is_new.then_some((page.batches, memory)))
    }

    /// Fails where the first answer tells that there is more than the API gives, and the window can be asked for in halves.
    fn check_total(&self, position: &PagePosition, facts: &PageFacts) -> Result<()> {
        let most = self.max_rows.filter(|max_rows| max_rows.splits && position.ordinal == 0);
        match (most, facts.total_rows) {
            (Some(most), Some(total)) if total >= most.rows => {
                let message = format!("the API tells of {total} rows, and gives at most {} ('max_rows')", most.rows);
                Err(Error::new(ErrorKind::TooMuch, message))
            }
            _ => Ok(()),
        }
    }

    /// Counts records that the API gave. Fails when they are as many as it gives: it may hide others.
    fn count(&mut self, n_records: u64) -> Result<()> {
        self.n_rows += n_records;
        let Some(MaxRows { rows, splits }) = self.max_rows.filter(|max_rows| self.n_rows >= max_rows.rows) else { return Ok(()) };
        let given = format!("the API gave {} rows; it gives at most {rows} ('max_rows') and does not say when there are more", self.n_rows);
        match splits {
            true => Err(Error::new(ErrorKind::TooMuch, given)),
            false => Err(Error::api(format!(
                "{given}: rows may be missing; narrow the params, or give the table a 'window' and write 'max_rows: {{rows: {rows}, do: split}}'"
            ))),
        }
    }

    /// Hands on rows of a page that is not over: where the load stops before it is, it cannot be continued.
    pub fn part(&mut self, batches: PageBatches, memory: PageMemory) -> Result<()> {
        self.count(batches.own.n_rows as u64)?;
        self.send(Fetched::Rows(Box::new(FetchedRows { batches, memory, set: self.set, checkpoint: Checkpoint::Unspoken })))
    }

    /// Takes an answer that has no rows by status or rule. Where a token or a link led there, rows were announced.
    pub fn empty(&mut self, position: &PagePosition) -> Result<()> {
        // What an API's job made may be nothing.
        let has_rows = self.point.as_ref().is_some_and(|point| point.ordinal > 0);
        if has_rows && self.is_first_again(position) {
            return Err(cannot_resume("the API has no rows where the load stopped"));
        }
        if position.ordinal > 0 && position.key.is_announced() {
            let message = format!(
                "page {} is missing: the page before it said that there is one, but the API answered without rows",
                position.ordinal + 1
            );
            return self.failed(position, PageFailure::Broken(Error::api(message)));
        }
        self.source.answered(position, &PageFacts::default())?;
        self.arrived(position, 0, None)
    }

    /// Takes the failure of a page. Where the load goes on, a refusal says that the API does not know the position; any other error of its may
    /// mean that, too.
    pub fn failed(&mut self, position: &PagePosition, failure: PageFailure) -> Result<()> {
        if self.is_first_again(position) {
            match &failure {
                PageFailure::Refused(err) => return Err(cannot_resume(err.message())),
                PageFailure::Broken(err) if matches!(err.kind(), ErrorKind::Api | ErrorKind::Data) => {
                    return Err(Error::new(ErrorKind::AtOldPlace, err.message()));
                }
                PageFailure::Broken(_) => {}
            }
        }
        self.source.failed(position, failure)?;
        self.arrived(position, 0, None)
    }

    /// Returns whether the page's rows are stored already.
    fn is_stored(&self, position: &PagePosition) -> bool {
        self.point.as_ref().is_some_and(|point| position.ordinal < point.ordinal)
    }

    /// Returns whether the page is the first that a resumed load asks for: the API knew it before.
    fn is_first_again(&self, position: &PagePosition) -> bool {
        self.point.as_ref().is_some_and(|point| position.ordinal <= point.ordinal && position.key == point.key)
    }

    fn arrived(&mut self, position: &PagePosition, n_records: u64, page: Option<(PageBatches, PageMemory)>) -> Result<()> {
        self.early.insert(position.ordinal, (n_records, page));
        while let Some((ordinal, (n_records, page))) = self.next.and_then(|next| self.early.remove_entry(&next)) {
            self.next = Some(ordinal + 1);
            if let Some(shifts) = &mut self.shifts {
                shifts.handed_on(ordinal + 1);
            }
            if !self.source.is_beyond(ordinal) {
                self.count(n_records)?;
            }
            if let Some((batches, memory)) = page.filter(|_| !self.source.is_beyond(ordinal)) {
                let point = self.source.resume_point(ordinal).map(|point| ResumePoint { job: self.job.clone(), ..point });
                let checkpoint = match Checkpoint::after(point.as_ref(), self.client.redactor()) {
                    Checkpoint::Done => self.end(),
                    checkpoint => checkpoint,
                };
                self.send(Fetched::Rows(Box::new(FetchedRows { batches, memory, set: self.set, checkpoint })))?;
            }
        }
        Ok(())
    }

    /// Returns what the API told where the spec does not look, and did not give, once all pages were handed on.
    pub fn shortfall(&self) -> Option<String> {
        let LastSigns { ordinal, repeats, signs } = self.signs.as_ref()?;
        let shortfall = signs.shortfall(self.n_rows, ordinal + 1);
        shortfall.or_else(|| signs.beyond_repeat().filter(|_| *repeats))
    }

    /// Says that all rows of the set were handed on.
    pub fn done(&self) -> Result<()> {
        let is_lacking = self.source.vanished().is_some_and(|vanished| vanished.is_lacking);
        let checkpoint = if is_lacking { Checkpoint::Lacking } else { self.end() };
        self.send(Fetched::Done { set: self.set, checkpoint })
    }

    fn end(&self) -> Checkpoint {
        self.sync_token.clone().map_or(Checkpoint::Done, Checkpoint::Synced)
    }

    /// Says that the set is left out.
    pub fn skipped(&self) -> Result<()> {
        self.send(Fetched::Skipped { set: self.set })
    }

    fn send(&self, fetched: Fetched) -> Result<()> {
        self.rows.send(fetched).map_err(|_| Error::new(ErrorKind::Cancelled, "the load was stopped"))
    }
}

fn cannot_resume(reason: &str) -> Error {
    Error::new(ErrorKind::CannotResume, reason)
}
