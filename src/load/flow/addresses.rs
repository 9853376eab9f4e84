//! The addresses of the files that a job made: they may end before all files are fetched.

use crate::http::ParamSet;
use crate::load::flow::export::Asker;
use crate::session::LogLevel;
use crate::source::{CreatedJob, PageKey, PagePosition};
use crate::spec::{ErrorCondition, JobDef};
use crate::Result;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The statuses by which hosts of files say that an address has ended, or that they never knew it.
const ENDED: [u16; 5] = [400, 401, 403, 404, 410];

/// The addresses of the files of one set.
pub struct Addresses {
    asker: Asker,
    def: Box<JobDef>,
    job: CreatedJob,
    set: Arc<ParamSet>,
    /// As they are by now. Held by the one that asks for others: the others wait for it.
    urls: Mutex<Vec<String>>,
}

impl Addresses {
    /// Returns the addresses of a job's files; `None` where no step tells them: then nobody can be asked for others.
    pub fn new(asker: Asker, set: Arc<ParamSet>, job: CreatedJob, files: Vec<String>) -> Option<Addresses> {
        let def = asker.table_def.job.clone().filter(|def| !def.wait.step.capture.is_empty())?;
        Some(Addresses { asker, def, job, set, urls: Mutex::new(files) })
    }

    /// Returns what the answer is like that says that an address has ended.
    pub fn ended() -> ErrorCondition {
        ErrorCondition { statuses: ENDED.to_vec(), header: None, body: None }
    }

    /// Returns where a file is by now whose address has ended; the same position where the API tells no other address.
    pub async fn renewed(&self, position: &PagePosition) -> Result<PagePosition> {
        let idx = usize::try_from(position.ordinal).unwrap_or(usize::MAX);
        let at = |urls: &[String]| urls.get(idx).map(|url| PageKey::Link(url.clone())).filter(|key| *key != position.key);
        let mut urls = self.urls.lock().await;
        if at(&urls).is_none() {
            let told = self.asker.files_again(&self.def, &self.job, &self.set).await?;
            // Another number of files is another export.
            if let Some(told) = told.filter(|told| told.len() == urls.len()) {
                self.asker
                    .activity
                    .log(LogLevel::Info, || "the addresses of the files have ended; the API was asked for others".to_string());
                *urls = told;
            }
        }
        Ok(PagePosition { ordinal: position.ordinal, key: at(&urls).unwrap_or_else(|| position.key.clone()) })
    }
}
