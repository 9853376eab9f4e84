//! The jobs that an API does before it gives the rows of a set: they are created, and asked how they are, until their results can be fetched.

use crate::http::{files_of, request_of_step, ApiClient, ParamSet, Redactor, RequestObserver, Step, StepAnswer, Told};
use crate::load::clock::now_micros;
use crate::load::job::activity::Activity;
use crate::load::pages::fetched::Fetched;
use crate::load::plan::resume::SetWork;
use crate::load::records::checkpoints::Checkpoint;
use crate::session::LogLevel;
use crate::source::{Captured, CreatedJob, PageKey, ResumePoint};
use crate::spec::{Connection, JobDef, TableDef};
use crate::{Error, ErrorKind, Place, Result};
use std::sync::{mpsc, Arc};
use std::time::Duration;
use tokio::time::sleep;

/// How long a wait sleeps before it looks at the clock again, which somebody may set meanwhile.
const POLL: Duration = Duration::from_millis(200);
/// How long jobs are watched before their checkpoints are stored anew, in microseconds: one that is old counts as forgotten.
const MOST_WATCHED: i64 = 60 * 60 * 1_000_000;

/// What a job of the API came to.
pub enum Exported {
    /// The results can be fetched.
    Ready(Box<Export>),
    /// It is asked again at that moment, in microseconds since 1970.
    Waits { until: i64, job: CreatedJob },
    /// The set is left out.
    Skipped,
}

/// A job whose results can be fetched.
pub struct Export {
    /// The parameter set, with what the job's steps captured.
    pub set: ParamSet,
    pub job: CreatedJob,
    /// The addresses of the files, where the results are files.
    pub files: Option<Vec<String>>,
    /// Where an earlier load was with the results.
    pub point: Option<ResumePoint>,
}

/// What the API says of a job, or why it does not.
enum Heard {
    Told(Told),
    Refused(Error),
}

/// What an API is asked for, by whom, and for which sets.
#[derive(Clone)]
pub struct Asker {
    pub activity: Arc<Activity>,
    pub connection: Arc<Connection>,
    pub table_def: Arc<TableDef>,
    pub sets: Arc<[ParamSet]>,
    pub client: Arc<ApiClient>,
}

impl Asker {
    /// Creates the job of a set, unless an earlier load did, and asks how it is.
    pub async fn export(&self, def: &JobDef, work: &SetWork, rows: &mpsc::Sender<Fetched>) -> Result<Exported> {
        let known = work.point.as_ref().and_then(|point| point.job.clone());
        let is_known = known.is_some();
        let job = match known {
            Some(job) => job,
            None => match self.create(def, work, rows).await? {
                Some(job) => job,
                None => return Ok(Exported::Skipped),
            },
        };
        self.client.learn_captured(&job.created);
        let begun = work.point.clone().filter(|point| point.ordinal > 0);
        let set = self.set_of(work)?.with_job(job.created.clone());
        if begun.is_some() && def.wait.step.capture.is_empty() {
            // Its results were there, and nothing else is needed to fetch the rest.
            return self.ready(def, set, job, begun);
        }
        if job.is_over_time(now_micros(), def.wait.timeout) {
            self.give_up(def, &set, work.number, rows).await;
            return Err(self.timed_out(def));
        }
        match self.ask(def, &set).await? {
            Heard::Told(Told::Done(captured)) => {
                let all: Captured = job.created.clone().into_iter().chain(captured).collect();
                self.ready(def, self.set_of(work)?.with_job(all), job, begun)
            }
            Heard::Told(Told::Running(wait)) => {
                self.tell_waiting(def, &set, is_known);
                if is_known && !work.is_noted {
                    self.note(work.number, Some(&job), rows)?;
                }
                Ok(Exported::Waits { until: job.asked_at(now_micros(), def.wait.every, wait), job })
            }
            Heard::Told(Told::Failed(reason)) if begun.is_some() => Err(stale(&reason)),
            Heard::Told(Told::Failed(reason)) => {
                self.note(work.number, None, rows)?;
                Err(self.at_step(def, &set, Step::Wait, Error::api(format!("the API's job failed: {reason}"))))
            }
            Heard::Refused(err) if is_known => Err(stale(err.message())),
            Heard::Refused(err) => Err(err),
        }
    }

    /// Returns the parameter set, or the half of one.
    fn set_of<'a>(&'a self, work: &'a SetWork) -> Result<&'a ParamSet> {
        let set = work.half.as_deref().or_else(|| self.sets.get(work.number));
        set.ok_or_else(|| Error::internal("a parameter set is missing"))
    }

    async fn create(&self, def: &JobDef, work: &SetWork, rows: &mpsc::Sender<Fetched>) -> Result<Option<CreatedJob>> {
        self.client.ready().await?;
        let set = self.set_of(work)?;
        let request = request_of_step(&self.connection, &self.table_def, set, Step::Create, def)?;
        self.activity.log(LogLevel::Debug, || self.client.text_with_body(&request));
        let since = now_micros();
        let created = match self.client.create_job(&request, &def.create, set.from_parent, self.activity.as_ref()).await? {
            StepAnswer::Told(created) => created,
            StepAnswer::Refused(err) => return Err(err),
            StepAnswer::Skipped(warning) => {
                self.activity.leaves_out(warning);
                return Ok(None);
            }
        };
        let job = CreatedJob { created, since };
        self.note(work.number, Some(&job), rows)?;
        Ok(Some(job))
    }

    /// Lets the writer store the job of a set, or that it has none any more.
    fn note(&self, set: usize, job: Option<&CreatedJob>, rows: &mpsc::Sender<Fetched>) -> Result<()> {
        let checkpoint = checkpoint_of(job, self.client.redactor())?;
        rows.send(Fetched::Reached { set, checkpoint }).map_err(|_| Error::new(ErrorKind::Cancelled, "the load was stopped"))
    }

    async fn ask(&self, def: &JobDef, set: &ParamSet) -> Result<Heard> {
        self.client.ready().await?;
        let request = request_of_step(&self.connection, &self.table_def, set, Step::Wait, def)?;
        Ok(match self.client.ask_job(&request, &def.wait, self.activity.as_ref()).await? {
            StepAnswer::Told(told) => Heard::Told(told),
            StepAnswer::Refused(err) => Heard::Refused(err),
            StepAnswer::Skipped(reason) => Heard::Refused(Error::api(reason)),
        })
    }

    /// Asks once more where the files of a job are, whose `set` has what its steps captured; `None` where the API does not tell.
    pub async fn files_again(&self, def: &JobDef, job: &CreatedJob, set: &ParamSet) -> Result<Option<Vec<String>>> {
        let (Some(urls), Heard::Told(Told::Done(captured))) = (&def.urls, self.ask(def, set).await?) else { return Ok(None) };
        let all: Captured = job.created.clone().into_iter().chain(captured).collect();
        files_of(&self.connection, &set.with_job(all), urls).map(Some)
    }

    fn ready(&self, def: &JobDef, set: ParamSet, job: CreatedJob, point: Option<ResumePoint>) -> Result<Exported> {
        let files = match &def.urls {
            Some(urls) => Some(files_of(&self.connection, &set, urls).map_err(|err| self.at_step(def, &set, Step::Wait, err))?),
            None => None,
        };
        Ok(Exported::Ready(Box::new(Export { set, job, files, point })))
    }

    fn timed_out(&self, def: &JobDef) -> Error {
        let seconds = def.wait.timeout.as_secs_f64();
        Error::api(format!("the API's job was not done after {seconds} seconds, the 'timeout' of 'wait' in the adapter spec"))
    }

    /// Cancels a job that nobody waits for any more, where the spec says how, and forgets it.
    async fn give_up(&self, def: &JobDef, set: &ParamSet, number: usize, rows: &mpsc::Sender<Fetched>) {
        if def.cancel.is_some() {
            if let Err(err) = cancel_job(&self.client, &self.table_def, set, def, self.activity.as_ref()).await {
                self.activity.log(LogLevel::Warning, || format!("the API's job could not be cancelled: {}", err.message()));
            }
        }
        // Where nobody hears it, the load was stopped.
        let _ = self.note(number, None, rows);
    }

    fn tell_waiting(&self, def: &JobDef, set: &ParamSet, is_known: bool) {
        let text = |step| request_of_step(&self.connection, &self.table_def, set, step, def).map(|request| self.client.text_of(&request));
        if self.activity.log.is_first_to_tell("job") {
            let begins = if is_known { "still waiting" } else { "waiting" };
            self.activity.log(LogLevel::Info, || format!("{begins} for the API's job: {}", text(Step::Wait).unwrap_or_default()));
        }
    }

    fn at_step(&self, def: &JobDef, set: &ParamSet, step: Step, err: Error) -> Error {
        match request_of_step(&self.connection, &self.table_def, set, step, def) {
            Ok(request) => err.at(Place::request(self.client.text_of(&request))),
            Err(_) => err,
        }
    }
}

/// Sends the request that cancels a job; `set` has what its creation captured.
pub async fn cancel_job(
    client: &ApiClient,
    table_def: &TableDef,
    set: &ParamSet,
    def: &JobDef,
    observer: &dyn RequestObserver,
) -> Result<()> {
    client.ready().await?;
    let request = request_of_step(client.connection(), table_def, set, Step::Cancel, def)?;
    client.cancel_job(&request, observer).await
}

/// Returns the checkpoint of a set whose job is waited for; without a job it begins anew. Fails where the checkpoint cannot be stored.
fn checkpoint_of(job: Option<&CreatedJob>, redactor: &Redactor) -> Result<Checkpoint> {
    let point = match job {
        Some(job) => ResumePoint::of_job(job.clone()),
        None => ResumePoint::after(0, PageKey::Only, 0, None),
    };
    match Checkpoint::after(Some(&point), redactor) {
        Checkpoint::Unspoken => Err(Error::config(
            "what 'create' captures holds a secret, which is not stored, and a load that is killed could not go on with its job; capture \
             what names the job, and addresses with credentials in 'wait'",
        )),
        checkpoint => Ok(checkpoint),
    }
}

/// Returns the error of a job that the API does not know any more.
fn stale(reason: &str) -> Error {
    Error::new(ErrorKind::CannotResume, format!("the API's job is gone: {reason}"))
}

/// A job that is waited for.
struct Awaited {
    set: ParamSet,
    job: CreatedJob,
    until: i64,
}

/// The jobs of the API that a load waits for while it has no thread.
pub struct Watch {
    asker: Asker,
    awaited: Vec<Awaited>,
    since: i64,
}

impl Watch {
    /// Watches the jobs of these sets, each asked about at a moment in microseconds since 1970.
    pub fn new(asker: Asker, sets: &[(i64, SetWork)]) -> Watch {
        let awaited = |(until, work): &(i64, SetWork)| {
            let job = work.point.as_ref()?.job.clone()?;
            let set = asker.set_of(work).ok()?.with_job(job.created.clone());
            Some(Awaited { set, job, until: *until })
        };
        let awaited = sets.iter().filter_map(awaited).collect();
        Watch { asker, awaited, since: now_micros() }
    }

    /// Returns how many jobs are waited for.
    pub fn n_jobs(&self) -> usize {
        self.awaited.len()
    }

    /// Asks how the jobs are, until one of them is not under way any more, or may be. Holds no thread. Ends early when `is_over`.
    pub async fn until_due(mut self, is_over: impl Fn() -> bool) {
        let Some(def) = self.asker.table_def.job.clone() else { return };
        while let Some(next) = self.awaited.iter_mut().min_by_key(|awaited| awaited.until) {
            sleep_until(next.until, &is_over).await;
            let now = now_micros();
            if is_over() || next.job.is_over_time(now, def.wait.timeout) || now - self.since > MOST_WATCHED {
                return;
            }
            match self.asker.ask(&def, &next.set).await {
                Ok(Heard::Told(Told::Running(wait))) => next.until = next.job.asked_at(now_micros(), def.wait.every, wait),
                _ => return,
            }
        }
    }
}

/// Sleeps until a moment, in microseconds since 1970, or until `is_over`.
pub async fn sleep_until(moment: i64, is_over: &impl Fn() -> bool) {
    while now_micros() < moment && !is_over() {
        let left = u64::try_from(moment.saturating_sub(now_micros())).unwrap_or_default();
        sleep(Duration::from_micros(left).min(POLL)).await;
    }
}
