//! Fetches the pages of every parameter set, side by side, and hands their rows on in the order of each set.

use super::budget::{Budget, PageSize};
use super::convert::{convert, ConvertedPage};
use super::job::Job;
use super::plan::copied_values;
use super::pool::Workers;
use crate::columns::{Batch, RowPlan, TableSchema};
use crate::http::{request_of, Answer, ApiClient, ApiRequest, PageFailure, PagePlace, PageVerdict, Pager, ParamSet, RequestObserver};
use crate::session::LogLevel;
use crate::spec::{Connection, ParamValue, TableDef};
use crate::{Error, Result};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// Everything the fetching of one table needs.
pub struct Fetch {
    pub job: Arc<Job>,
    pub connection: Arc<Connection>,
    pub table_def: Arc<TableDef>,
    pub row_plan: RowPlan,
    pub client: Arc<ApiClient>,
    pub workers: Arc<Workers>,
    pub budget: Arc<Budget>,
    pub page_size: PageSize,
    /// The table's columns so far: what the writer has made of the pages it saw.
    pub schema: RwLock<Arc<TableSchema>>,
    /// Pages of one set, and sets, that are under way at once.
    pub window: usize,
    pub max_pages: u64,
}

/// Rows of one page, with the room they take in the memory budget.
pub struct FetchedRows {
    pub batch: Batch,
    pub permit: Option<OwnedSemaphorePermit>,
}

/// What one request for a page came to.
enum PageOutcome {
    Rows(Box<ConvertedPage>),
    /// The answer has no rows, and that is no error.
    Empty,
    /// The parameter set is left out.
    Skip,
}

impl Fetch {
    /// Fetches all sets and sends their rows. Ends at the first error; rows already sent stay with the writer, who drops them.
    pub async fn run(self: Arc<Self>, sets: Vec<ParamSet>, rows: mpsc::Sender<FetchedRows>) -> Result<()> {
        let mut sets = sets.into_iter();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < self.window {
                let Some(set) = sets.next() else { break };
                running.push(self.clone().fetch_set(set, rows.clone()));
            }
            match running.next().await {
                Some(outcome) => outcome?,
                None => return Ok(()),
            }
        }
    }

    async fn fetch_set(self: Arc<Self>, set: ParamSet, rows: mpsc::Sender<FetchedRows>) -> Result<()> {
        let copied: Arc<[ParamValue]> = copied_values(&self.table_def, &set).into();
        let mut pager = Pager::new(&self.table_def.paging, self.max_pages);
        let mut in_flight = FuturesUnordered::new();
        // Pages that arrived before one that comes earlier.
        let mut early: BTreeMap<u64, Option<FetchedRows>> = BTreeMap::new();
        let mut next_ordinal = 0;
        let mut expected_pages = 0;
        loop {
            while in_flight.len() + early.len() < self.window {
                let Some(place) = pager.next_place() else { break };
                let permit = self.budget.page(&self.page_size).await;
                in_flight.push(self.fetch_page(&set, place, copied.clone(), permit));
            }
            let Some((place, outcome, permit)) = in_flight.next().await else {
                return Ok(());
            };
            let kept = match outcome {
                Err(failure) => {
                    pager.failed(&place, failure)?;
                    None
                }
                Ok(PageOutcome::Skip) => return Ok(()),
                Ok(PageOutcome::Empty) => {
                    pager.answered(&place, &Default::default())?;
                    None
                }
                Ok(PageOutcome::Rows(page)) => {
                    let verdict = pager.answered(&place, &page.facts)?;
                    (verdict == PageVerdict::Keep).then_some(FetchedRows { batch: page.batch, permit })
                }
            };
            self.expect_pages(&mut expected_pages, pager.total_pages());
            early.insert(place.ordinal, kept);
            while let Some(page) = early.remove(&next_ordinal) {
                next_ordinal += 1;
                if let Some(page) = page {
                    rows.send(page).map_err(|_| Error::new(crate::ErrorKind::Cancelled, "the load was stopped"))?;
                }
            }
        }
    }

    fn expect_pages(&self, known: &mut u64, total: Option<u64>) {
        if let Some(total) = total.filter(|total| total > known) {
            self.job.counters.expected_pages.fetch_add(total - *known, Ordering::Relaxed);
            *known = total;
        }
    }

    async fn fetch_page(
        &self,
        set: &ParamSet,
        place: PagePlace,
        copied: Arc<[ParamValue]>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> (PagePlace, std::result::Result<PageOutcome, PageFailure>, Option<OwnedSemaphorePermit>) {
        let outcome = self.answer_to(set, &place, copied).await;
        (place, outcome, permit)
    }

    async fn answer_to(
        &self,
        set: &ParamSet,
        place: &PagePlace,
        copied: Arc<[ParamValue]>,
    ) -> std::result::Result<PageOutcome, PageFailure> {
        let request = request_of(&self.connection, &self.table_def, set, &place.key).map_err(PageFailure::Broken)?;
        let answer = self.client.send(&request, set.from_parent, self.job.as_ref()).await.map_err(PageFailure::Broken)?;
        let page = match answer {
            Answer::Page(page) => page,
            Answer::Refused(err) => return Err(PageFailure::Refused(err)),
            Answer::Empty(reason) => {
                self.job.log(LogLevel::Info, || reason);
                return Ok(PageOutcome::Empty);
            }
            Answer::Skipped(warning) => {
                self.job.log(LogLevel::Warning, || warning);
                return Ok(PageOutcome::Skip);
            }
        };
        self.page_size.saw(page.body.len() as u64);
        let schema = self.schema.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (table_def, row_plan) = (self.table_def.clone(), self.row_plan.clone());
        let converted = self.workers.compute(move || convert(&table_def, &row_plan, page, &schema, &copied)).await;
        let converted = converted.map_err(|err| PageFailure::Broken(described(err, &self.client, &request)))?;
        self.job.counters.pages.fetch_add(1, Ordering::Relaxed);
        Ok(PageOutcome::Rows(Box::new(converted)))
    }
}

/// Says which request a body that is no good came from, and takes secrets out of what it shows of the body.
pub fn described(err: Error, client: &ApiClient, request: &ApiRequest) -> Error {
    Error::new(err.kind(), client.redactor().text(err.message())).within(client.text_of(request))
}

impl RequestObserver for Job {
    fn started(&self, url: &str) {
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        self.log(LogLevel::Debug, || format!("GET {url}"));
    }

    fn answered(&self, status: u16, n_bytes: u64) {
        self.counters.bytes.fetch_add(n_bytes, Ordering::Relaxed);
        self.log(LogLevel::Debug, || format!("status {status}, {n_bytes} bytes"));
    }

    fn retried(&self, reason: &str, wait: Duration) {
        self.counters.retries.fetch_add(1, Ordering::Relaxed);
        self.log(LogLevel::Warning, || format!("{reason}; trying again in {:.1} s", wait.as_secs_f64()));
    }

    fn waiting(&self, wait: Duration) {
        self.log(LogLevel::Debug, || format!("waiting {:.1} s for the connection's budget", wait.as_secs_f64()));
    }
}
