//! Fetches the pages of every parameter set, side by side, and hands their rows on in the order of each set.

use super::budget::{LoadBudget, PageRoom, PageSize};
use super::convert::{convert, ConvertedPage};
use super::in_order::InOrder;
use super::job::Job;
use super::places::SetPlace;
use super::plan::copied_values;
use super::pool::Workers;
use crate::columns::{Batch, RowPlan, TableSchema};
use crate::http::{
    request_of, Answer, ApiClient, ApiRequest, PageBody, PageFailure, PagePlace, Pager, ParamSet, RequestObserver, ResumePoint,
};
use crate::session::LogLevel;
use crate::spec::{Connection, ParamValue, TableDef};
use crate::{Error, Result};
use futures_util::future::OptionFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Pages that may wait for an earlier one, for each that may be in flight.
const MOST_EARLY: usize = 4;

/// Everything the fetching of one table needs.
pub struct Fetch {
    pub job: Arc<Job>,
    pub connection: Arc<Connection>,
    pub table_def: Arc<TableDef>,
    /// All parameter sets of the table.
    pub sets: Arc<[ParamSet]>,
    pub row_plan: RowPlan,
    pub client: Arc<ApiClient>,
    pub workers: Arc<Workers>,
    pub budget: LoadBudget,
    pub page_size: PageSize,
    /// The table's columns so far: what the writer has made of the pages it saw.
    pub schema: RwLock<Arc<TableSchema>>,
    /// Pages of one set, and sets, that are under way at once.
    pub window: usize,
    pub max_pages: u64,
}

/// A parameter set that is to be fetched.
pub struct SetWork {
    /// Its number among the sets of the table.
    pub number: usize,
    /// Where an earlier load was with it.
    pub point: Option<ResumePoint>,
}

/// What fetching hands to the writer, in the order of each set.
pub enum Fetched {
    Rows(Box<FetchedRows>),
    /// All rows of the set were handed on.
    Done {
        set: usize,
    },
    /// The set is left out.
    Skipped {
        set: usize,
    },
}

/// Rows of one page, with the room they take in the memory budget.
pub struct FetchedRows {
    pub batch: Batch,
    /// Free again when the rows are written.
    pub room: PageRoom,
    pub set: usize,
    /// Where the set is when the rows are stored.
    pub place: SetPlace,
}

/// What one request for a page came to.
enum RequestOutcome {
    Page(Box<(ApiRequest, PageBody)>),
    /// The answer has no rows, and that is no error.
    Empty,
    /// The parameter set is left out.
    Skip,
}

impl Fetch {
    /// Fetches all sets and sends their rows. Ends at the first error; rows already sent stay with the writer.
    pub async fn run(self: Arc<Self>, sets: Vec<SetWork>, rows: mpsc::Sender<Fetched>) -> Result<()> {
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
            self.job.counters.sets_done.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn fetch_set(self: Arc<Self>, work: SetWork, rows: mpsc::Sender<Fetched>) -> Result<()> {
        let SetWork { number, point } = work;
        let sets = self.sets.clone();
        let set = &sets[number];
        let is_resumed = point.is_some();
        let copied: Arc<[ParamValue]> = copied_values(&self.table_def, set).into();
        let mut order = InOrder::new(&self, number, point, rows)?;
        let mut requests = FuturesUnordered::new();
        let mut conversions = FuturesUnordered::new();
        // The page that is asked for as soon as there is room for it.
        let mut wanted = None;
        loop {
            if wanted.is_none() && requests.len() < self.window && order.n_early() < self.window * MOST_EARLY {
                let place = order.next_place();
                wanted = place.map(|place| Box::pin(async { (place, self.budget.page(&self.page_size).await) }));
            }
            // While one page waits for room, those under way go on: it may be theirs.
            tokio::select! {
                Some((place, room)) = OptionFuture::from(wanted.as_mut()), if wanted.is_some() => {
                    wanted = None;
                    requests.push(async { (self.request(set, &place, is_resumed).await, place, room) });
                }
                Some((answer, place, mut room)) = requests.next(), if !requests.is_empty() => match answer {
                    Ok(RequestOutcome::Page(answer)) => {
                        room.fit(answer.1.body.len() as u64);
                        let copied = copied.clone();
                        conversions.push(async { (self.converted(*answer, copied).await, place, room) });
                    }
                    Ok(RequestOutcome::Skip) => return order.skipped(),
                    Ok(RequestOutcome::Empty) => order.empty(&place)?,
                    Err(failure) => order.failed(&place, failure)?,
                },
                Some((converted, place, room)) = conversions.next(), if !conversions.is_empty() => match converted {
                    Ok(page) => {
                        order.page(&place, page, room)?;
                        self.expect_pages(&mut order.expected, order.pager.total_pages());
                    }
                    Err(err) => order.failed(&place, PageFailure::Broken(err))?,
                },
                else => {
                    self.warn_of_shortfall(set, &order.pager);
                    return order.done();
                }
            }
        }
    }

    /// Notes that the API gave less than it told: that is no error, since a total may be an estimate.
    fn warn_of_shortfall(&self, set: &ParamSet, pager: &Pager) {
        let Some(shortfall) = pager.shortfall() else { return };
        let first = Pager::new(&self.table_def.paging, self.max_pages).next_place();
        let request = first.and_then(|place| request_of(&self.connection, &self.table_def, set, &place.key).ok());
        let target = request.map(|request| format!("{}: ", self.client.text_of(&request))).unwrap_or_default();
        self.job.log(LogLevel::Warning, || format!("{target}{shortfall}; check the table's 'paging' if rows are missing"));
    }

    fn expect_pages(&self, known: &mut u64, total: Option<u64>) {
        if let Some(total) = total.filter(|total| total > known) {
            self.job.counters.expected_pages.fetch_add(total - *known, Ordering::Relaxed);
            *known = total;
        }
    }

    async fn request(&self, set: &ParamSet, place: &PagePlace, is_resumed: bool) -> std::result::Result<RequestOutcome, PageFailure> {
        let request = request_of(&self.connection, &self.table_def, set, &place.key).map_err(PageFailure::Broken)?;
        let answer = self.client.send(&request, set.from_parent, self.job.as_ref()).await.map_err(PageFailure::Broken)?;
        self.page_size.saw(if let Answer::Page(page) = &answer { page.body.len() as u64 } else { 0 });
        match answer {
            Answer::Page(page) => Ok(RequestOutcome::Page(Box::new((request, page)))),
            Answer::Refused(err) => Err(PageFailure::Refused(err)),
            Answer::Empty(reason) => {
                self.job.log(LogLevel::Info, || reason);
                Ok(RequestOutcome::Empty)
            }
            // Rows of the set were already seen: it cannot be left out. Whether the page lies after the end, the pager knows.
            Answer::Skipped(reason) if place.ordinal > 0 || is_resumed => Err(PageFailure::Refused(Error::api(reason))),
            Answer::Skipped(warning) => {
                self.job.log(LogLevel::Warning, || warning);
                Ok(RequestOutcome::Skip)
            }
        }
    }

    async fn converted(&self, (request, page): (ApiRequest, PageBody), copied: Arc<[ParamValue]>) -> Result<ConvertedPage> {
        let schema = self.schema.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (table_def, row_plan) = (self.table_def.clone(), self.row_plan.clone());
        let converted = self.workers.compute(move || convert(&table_def, &row_plan, page, &schema, &copied)).await;
        let converted = converted.map_err(|err| described(err, &self.client, &request))?;
        self.job.counters.pages.fetch_add(1, Ordering::Relaxed);
        Ok(converted)
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
        self.pauses(&format!("another try after: {reason}"), wait);
        self.log(LogLevel::Warning, || format!("{reason}; trying again in {:.1} s", wait.as_secs_f64()));
    }

    fn waiting(&self, wait: Duration) {
        self.pauses("the connection's request budget", wait);
        self.log(LogLevel::Debug, || format!("waiting {:.1} s for the connection's budget", wait.as_secs_f64()));
    }
}
