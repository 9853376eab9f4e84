//! Fetches the pages of every parameter set, side by side, and hands their rows on in the order of each set.

use crate::columns::{RowPlan, TableSchema};
use crate::http::{ApiClient, ParamSet, Request};
use crate::load::clock::now_micros;
use crate::load::flow::addresses::Addresses;
use crate::load::flow::answered::RequestOutcome;
use crate::load::flow::convert::ConvertedPage;
use crate::load::flow::export::{sleep_until, Asker, Export, Exported, Watch};
use crate::load::flow::in_order::InOrder;
use crate::load::flow::record_shape::RecordShape;
use crate::load::flow::too_much::{too_much, window_text};
use crate::load::flow::trace::decision;
use crate::load::identity::set_mark;
use crate::load::pages::budget::{LoadBudget, PageMemory, PageSize};
use crate::load::pages::fetched::Fetched;
use crate::load::plan::resume::SetWork;
use crate::load::plan::sets::copied_values;
use crate::load::plan::windows::halves_of;
use crate::load::records::checkpoints::half_key;
use crate::load::threads::pool::Workers;
use crate::lock::lock;
use crate::session::LogLevel;
use crate::source::{CreatedJob, Next, PageFailure, PageKey, PagePosition, ResumePoint};
use crate::spec::ParamValue;
use crate::{Error, ErrorKind, Place, Result};
use futures_util::future::OptionFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, RwLock};

/// Pages that may wait for an earlier one, for each that may be in flight.
const MOST_EARLY: usize = 4;

/// Everything the fetching of one table needs.
pub struct Fetch {
    pub asker: Asker,
    /// How many sets there are with the halves of windows that an earlier load asked for.
    pub n_sets: usize,
    pub conversion: Conversion,
    pub pace: Pace,
    pub earlier: Earlier,
    pub waits: JobWaits,
    /// The folder that takes the answers.
    pub record: Option<PathBuf>,
    /// Whether the API said that there are no other rows than those whose ETag it was sent.
    pub is_unchanged: AtomicBool,
}

/// How pages become rows.
pub struct Conversion {
    pub row_plan: RowPlan,
    pub workers: Arc<Workers>,
    /// The columns so far, of the table and then of its children: what the writer has made of the pages it saw.
    pub schemas: RwLock<Arc<Vec<TableSchema>>>,
    /// Pages whose rows were numbered, where a table has children. Earlier loads that this one continues are among them.
    pub numbered_pages: AtomicU64,
    pub record_shape: Arc<RecordShape>,
}

/// How far fetching runs ahead, and in which order.
pub struct Pace {
    /// Pages of one set, and sets, that are under way at once.
    pub in_flight: usize,
    pub reading: Reading,
    pub max_pages: u64,
    pub budget: LoadBudget,
    pub page_size: PageSize,
}

/// What earlier loads leave to be asked for.
#[derive(Default)]
pub struct Earlier {
    /// Whether only updates are asked for.
    pub is_update: bool,
    /// The ETag of the rows that the table has: the API is asked for others.
    pub etag: Option<String>,
    /// Whether an earlier load failed, too, where this one goes on.
    pub has_failed: bool,
    /// Whether the load started over because rows vanished that nothing tells from others: then it is left at what comes.
    pub has_vanished: bool,
}

/// The waits for jobs of the API.
pub struct JobWaits {
    /// Whether fetching ends where there is nothing to do but to wait, for what [`Fetch::take_watch`] gives then.
    pub suspends: bool,
    /// The jobs that are waited for.
    pub watch: Mutex<Option<Watch>>,
}

/// How the pages of one set are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Side by side, whatever happens at the source.
    SideBySide,
    /// Side by side until rows are seen to move, where that can be told: then fetching fails with [`ErrorKind::RowsMoved`].
    Watched,
    OneByOne,
}

/// A window that is asked for in halves, each with its name, where it may be halved again.
struct Halved {
    /// The number of the set.
    set: usize,
    halves: [(ParamSet, Option<String>); 2],
}

/// What the work on a set came to.
enum SetEnd {
    Over,
    /// Its job is asked about at that moment, in microseconds since 1970.
    Waits {
        until: i64,
        work: SetWork,
    },
    /// Its window has more than the API gives.
    Halved(Halved),
}

/// A set whose pages can be asked for.
pub(super) struct WorkedSet {
    pub number: usize,
    /// Its name, where it may be halved.
    pub key: Option<String>,
    /// With what the steps of its job captured.
    pub set: Arc<ParamSet>,
    /// Its job, and the addresses of the files that it made.
    pub export: Option<(CreatedJob, Option<Vec<String>>)>,
    /// Where an earlier load was with it.
    pub point: Option<ResumePoint>,
}

impl Fetch {
    /// Fetches all sets and sends their rows. Ends at the first error; rows already sent stay with the writer.
    pub async fn run(self: Arc<Self>, mut sets: Vec<SetWork>, rows: mpsc::Sender<Fetched>) -> Result<()> {
        let most = self.asker.table_def.job.as_ref().map_or(self.pace.in_flight, |job| job.concurrency);
        // Jobs that were created count among those that the API has at once.
        sets.sort_by_key(|work| work.point.as_ref().is_none_or(|point| point.job.is_none()));
        let mut sets = VecDeque::from(sets);
        let mut n_sets = self.n_sets;
        let mut running = FuturesUnordered::new();
        let mut waiting: Vec<(i64, SetWork)> = Vec::new();
        loop {
            while running.len() + waiting.len() < most {
                let Some(set) = sets.pop_front() else { break };
                running.push(self.clone().fetch_set(set, rows.clone()));
            }
            let soonest = waiting.iter().map(|(until, _)| *until).min();
            match soonest {
                None if running.is_empty() => return Ok(()),
                Some(until) if running.is_empty() && self.waits.suspends => return Err(self.suspended(until, &waiting)),
                _ => {}
            }
            tokio::select! {
                Some(outcome) = running.next(), if !running.is_empty() => match outcome? {
                    SetEnd::Over => {
                        self.asker.activity.counters().sets_done.fetch_add(1, Ordering::Relaxed);
                    }
                    SetEnd::Waits { until, work } => waiting.push((until, work)),
                    SetEnd::Halved(Halved { set, halves }) => {
                        rows.send(Fetched::Split { set }).map_err(|_| stopped())?;
                        for (idx, (half, key)) in halves.into_iter().enumerate().rev() {
                            sets.push_front(SetWork { number: n_sets + idx, half: Some(Arc::new(half)), key, point: None, is_noted: false });
                        }
                        n_sets += 2;
                        self.asker.activity.counters().sets.fetch_add(1, Ordering::Relaxed);
                    }
                },
                () = sleep_until(soonest.unwrap_or(i64::MAX), &|| false), if soonest.is_some() => {
                    let now = now_micros();
                    let (due, rest) = waiting.into_iter().partition(|(until, _)| *until <= now);
                    waiting = rest;
                    let due: Vec<(i64, SetWork)> = due;
                    running.extend(due.into_iter().map(|(_, work)| self.clone().fetch_set(work, rows.clone())));
                }
            }
        }
    }

    /// Says that there is nothing to do but to wait for jobs of the API.
    fn suspended(&self, until: i64, waiting: &[(i64, SetWork)]) -> Error {
        *lock(&self.waits.watch) = Some(Watch::new(self.asker.clone(), waiting));
        Error::new(ErrorKind::NotBefore(until), "the API's job is not done")
    }

    /// Returns the jobs that are waited for, where fetching ended because of them.
    pub fn take_watch(&self) -> Option<Watch> {
        lock(&self.waits.watch).take()
    }

    /// Fetches a set. Where the API fails a second time at the position of an earlier load, but gives the first page, the position is stale: then
    /// the load cannot be continued. The results of a job are given from the first page on by another job. A window that has more than the API
    /// gives is halved.
    async fn fetch_set(self: Arc<Self>, work: SetWork, rows: mpsc::Sender<Fetched>) -> Result<SetEnd> {
        let (number, half, key) = (work.number, work.half.clone(), work.key.clone());
        let set = || half.as_deref().unwrap_or_else(|| &self.asker.sets[number]);
        let begins_again = || async { self.asker.table_def.job.is_some() || self.gives_first_page(set(), key.as_deref()).await };
        match self.clone().fetch_work(work, rows).await {
            Err(err) if err.kind() == ErrorKind::AtOldPlace && self.earlier.has_failed && begins_again().await => {
                Err(Error::new(ErrorKind::CannotResume, err.message()))
            }
            Err(err) if err.kind() == ErrorKind::TooMuch => {
                let [first, second] = halves_of(&self.asker.connection, set())?.ok_or_else(|| too_much(set(), &err))?;
                self.asker.activity.log(LogLevel::Info, || format!("{}; {} is asked for in halves", err.message(), window_text(set())));
                let key_of = |idx: usize| key.as_deref().map(|key| half_key(key, idx));
                Ok(SetEnd::Halved(Halved { set: number, halves: [(first, key_of(0)), (second, key_of(1))] }))
            }
            outcome => outcome,
        }
    }

    async fn fetch_work(self: Arc<Self>, work: SetWork, rows: mpsc::Sender<Fetched>) -> Result<SetEnd> {
        let (number, key) = (work.number, work.key.clone());
        let Some(def) = self.asker.table_def.job.clone() else {
            let set = work.half.unwrap_or_else(|| Arc::new(self.asker.sets[number].clone()));
            return self.fetch_pages(WorkedSet { number, key, set, export: None, point: work.point }, rows).await.map(|()| SetEnd::Over);
        };
        let export = match self.asker.export(&def, &work, &rows).await? {
            Exported::Ready(export) => export,
            Exported::Waits { until, job } => {
                let point = Some(ResumePoint::of_job(job)).filter(|_| work.point.as_ref().is_none_or(|point| point.ordinal == 0));
                let work = SetWork { point: point.or(work.point.clone()), is_noted: true, ..work };
                return Ok(SetEnd::Waits { until, work });
            }
            Exported::Skipped => {
                let skipped = rows.send(Fetched::Skipped { set: number });
                return skipped.map(|()| SetEnd::Over).map_err(|_| Error::new(ErrorKind::Cancelled, "the load was stopped"));
            }
        };
        let Export { set, job, files, point } = *export;
        let point = point.or_else(|| work.point.is_some().then(|| ResumePoint::of_job(job.clone())));
        let point = point.map(|point| self.with_key(point, files.as_deref()));
        let set = WorkedSet { number, key, set: Arc::new(set), export: Some((job, files)), point };
        self.fetch_pages(set, rows).await.map(|()| SetEnd::Over)
    }

    /// Returns a position in what a job made with the key of the page that is asked for first, where the position does not tell it.
    fn with_key(&self, point: ResumePoint, files: Option<&[String]>) -> ResumePoint {
        let key = match files {
            Some(files) => usize::try_from(point.ordinal).ok().and_then(|idx| files.get(idx)).cloned().map(PageKey::Link),
            None if point.ordinal > 0 => None,
            None => self.asker.table_def.paging.source(self.pace.max_pages).next_position().map(|position| position.key),
        };
        ResumePoint { key: key.unwrap_or_else(|| point.key.clone()), ..point }
    }

    /// Returns whether the API gives the first page of a set.
    async fn gives_first_page(&self, set: &ParamSet, key: Option<&str>) -> bool {
        let Some(position) = self.asker.table_def.paging.source(self.pace.max_pages).next_position() else { return false };
        match self.request(set, &position, false, None).await {
            Ok(RequestOutcome::Page(answer)) => self.converted(*answer, self.copied(set, key)).await.is_ok(),
            Ok(RequestOutcome::Empty) => true,
            Ok(RequestOutcome::Skip) | Err(_) => false,
        }
    }

    /// Returns the values of a set that all of its rows get.
    pub(super) fn copied(&self, set: &ParamSet, key: Option<&str>) -> Arc<[ParamValue]> {
        copied_values(&self.asker.table_def, set).into_iter().chain(key.map(|key| ParamValue::Text(set_mark(key)))).collect()
    }

    /// Returns the addresses of the files that the job of a set made.
    pub(super) fn addresses(&self, work: &WorkedSet) -> Option<Addresses> {
        let (job, files) = work.export.clone()?;
        Addresses::new(self.asker.clone(), work.set.clone(), job, files?)
    }

    async fn fetch_pages(self: Arc<Self>, work: WorkedSet, rows: mpsc::Sender<Fetched>) -> Result<()> {
        let has_rows = work.point.as_ref().is_some_and(|point| point.ordinal > 0);
        if !has_rows && self.reads_in_parts(&work) {
            return self.fetch_parts(work, rows).await;
        }
        let set = &work.set;
        let is_resumed = has_rows;
        let copied = self.copied(set, work.key.as_deref());
        let in_flight = if self.pace.reading == Reading::OneByOne { 1 } else { self.pace.in_flight };
        let addresses = self.addresses(&work);
        let mut order = InOrder::new(self.manner(&work)?, work.number, work.point.clone(), rows);
        let mut requests = FuturesUnordered::new();
        let mut conversions = FuturesUnordered::new();
        // The page that is asked for as soon as there is memory for it.
        let mut wanted = None;
        loop {
            if wanted.is_none() && requests.len() < in_flight && order.n_early() < self.pace.in_flight * MOST_EARLY {
                match order.next() {
                    Next::Ask(position) => wanted = Some(Box::pin(async { (position, self.pace.budget.page(&self.pace.page_size).await) })),
                    // Nothing is held while time passes: the load is suspended, and goes on from what is stored.
                    Next::WaitUntil(moment) if requests.is_empty() && conversions.is_empty() => {
                        return Err(Error::new(ErrorKind::NotBefore(moment), "the API has nothing new before then"));
                    }
                    Next::Await | Next::WaitUntil(_) | Next::Done => {}
                }
            }
            // While one page waits for memory, those under way go on: it may be theirs.
            tokio::select! {
                Some((position, memory)) = OptionFuture::from(wanted.as_mut()), if wanted.is_some() => {
                    wanted = None;
                    requests.push(async { (self.request(set, &position, is_resumed, addresses.as_ref()).await, position, memory) });
                }
                Some((answer, position, mut memory)) = requests.next(), if !requests.is_empty() => match answer {
                    Ok(RequestOutcome::Page(answer)) => {
                        memory.fit(answer.page.body.len() as u64);
                        let copied = copied.clone();
                        conversions.push(async { (self.converted(*answer, copied).await, position, memory) });
                    }
                    Ok(RequestOutcome::Skip) => return order.skipped(),
                    Ok(RequestOutcome::Empty) => order.empty(&position)?,
                    Err(failure) => order.failed(&position, failure)?,
                },
                Some((converted, position, memory)) = conversions.next(), if !conversions.is_empty() => match converted {
                    Ok(page) => {
                        self.warn_of_missing_total(set, &position, &page.facts);
                        self.hand_on(&mut order, &position, page, memory)?;
                    }
                    Err(err) => order.failed(&position, PageFailure::Broken(err))?,
                },
                else => {
                    if !order.source.is_done() {
                        return Err(Error::internal("nothing was left to ask for before the last page came"));
                    }
                    self.warn_of_shortfall(set, &order);
                    self.tell_vanished(set, order.source.as_ref());
                    return order.done();
                }
            }
        }
    }

    /// Hands a page on, and notes what it says about those after it.
    fn hand_on(&self, order: &mut InOrder, position: &PagePosition, page: ConvertedPage, mut memory: PageMemory) -> Result<()> {
        let n_bytes = page.batches.approximate_bytes() as u64;
        self.pace.page_size.held(n_bytes);
        memory.hold(n_bytes);
        let facts = self.asker.activity.log.keeps(LogLevel::Debug).then(|| page.facts.clone());
        order.page(position, page, memory)?;
        if let Some(facts) = facts {
            self.asker.activity.log(LogLevel::Debug, || decision(position, &facts, order.source.is_done()));
        }
        self.expect_pages(&mut order.expected, order.source.total_pages());
        Ok(())
    }

    fn expect_pages(&self, known: &mut u64, total: Option<u64>) {
        if let Some(total) = total.filter(|total| total > known) {
            self.asker.activity.counters().expected_pages.fetch_add(total - *known, Ordering::Relaxed);
            *known = total;
        }
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "the load was stopped")
}

/// Says which request a bad body came from, and takes secrets out of what it shows of the body.
pub fn described(err: Error, client: &ApiClient, request: &Request) -> Error {
    err.in_words(|words| client.redactor().text(words)).at(Place::request(client.text_of(request)))
}
