//! Asks for one page, and tells what the answer comes to.

use super::addresses::Addresses;
use super::answered::{Answered, Asked, RequestOutcome};
use super::fetch::Fetch;
use super::parts::Parts;
use super::record::Recording;
use crate::http::{request_of, Answer, PageBody, ParamSet, Request};
use crate::session::LogLevel;
use crate::source::{PageFailure, PagePosition};
use crate::spec::SyncToken;
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::Ordering;

impl Fetch {
    /// Asks for a page. A file whose address has ended is asked for at the one that the API tells then.
    pub(super) async fn request(
        &self,
        set: &ParamSet,
        position: &PagePosition,
        is_resumed: bool,
        addresses: Option<&Addresses>,
    ) -> std::result::Result<RequestOutcome, PageFailure> {
        self.asker.client.ready().await.map_err(PageFailure::Broken)?;
        let request = self.request_at(set, position, addresses).map_err(PageFailure::Broken)?;
        match (self.answer_to(set, Asked { request, position, is_resumed }).await, addresses) {
            (Err(PageFailure::Broken(err)), Some(addresses)) if err.kind() == ErrorKind::TokenExpired => {
                let position = addresses.renewed(position).await.map_err(PageFailure::Broken)?;
                let request = self.request_for(set, &position).map_err(PageFailure::Broken)?;
                self.answer_to(set, Asked { request, position: &position, is_resumed }).await
            }
            (answer, _) => answer,
        }
    }

    /// Asks for a page whose body goes into `parts` while it arrives; a file whose address has ended like [`Fetch::request`].
    pub(super) async fn answer_in_parts(
        &self,
        asked: &Asked<'_>,
        set: &ParamSet,
        addresses: Option<&Addresses>,
        parts: &Parts,
    ) -> Result<Answer> {
        let Asked { request, position, .. } = asked;
        let (client, activity) = (&self.asker.client, self.asker.activity.as_ref());
        match (client.send_into(request, set.from_parent, activity, Some(parts)).await, addresses) {
            (Err(err), Some(addresses)) if err.kind() == ErrorKind::TokenExpired => {
                let request = self.request_for(set, &addresses.renewed(position).await?)?;
                client.send_into(&request, set.from_parent, activity, Some(parts)).await
            }
            (answer, _) => answer,
        }
    }

    async fn answer_to(&self, set: &ParamSet, asked: Asked<'_>) -> std::result::Result<RequestOutcome, PageFailure> {
        let request = &asked.request;
        if request.body.is_some() {
            self.asker.activity.log(LogLevel::Debug, || self.asker.client.text_with_body(request));
        }
        let answer = self.asker.client.send(request, set.from_parent, self.asker.activity.as_ref()).await.map_err(PageFailure::Broken);
        self.pace.page_size.saw(if let Ok(Answer::Page(page)) = &answer { page.body.len() as u64 } else { 0 });
        if let Ok(Answer::Page(page)) = &answer {
            self.record(request, page).await;
        }
        self.received(asked, answer)
    }

    /// Returns the request for a page, whose answer tells where the address of a file has ended.
    pub(super) fn request_at(&self, set: &ParamSet, position: &PagePosition, addresses: Option<&Addresses>) -> Result<Request> {
        let mut request = self.request_for(set, position)?;
        if addresses.is_some() {
            request.expired_when = Some(Addresses::ended());
        }
        Ok(request)
    }

    fn request_for(&self, set: &ParamSet, position: &PagePosition) -> Result<Request> {
        let mut request = request_of(&self.asker.connection, &self.asker.table_def, set, &position.key)?;
        request.may_be_past_end = position.ordinal > 0 && !position.key.is_announced();
        let sync_token = self.asker.table_def.refresh.updates().and_then(|updates| updates.sync_token.as_ref());
        let is_sent = |token: &&SyncToken| {
            let sends = |param: &String| set.values.iter().any(|(name, _)| name == param);
            self.earlier.is_update && token.param.as_ref().map_or(set.link.is_some(), sends)
        };
        request.expired_when = sync_token.filter(is_sent).map(|token| token.expired.clone());
        request.headers.extend(self.earlier.etag.iter().map(|etag| ("If-None-Match".to_string(), etag.clone())));
        Ok(request)
    }

    /// Returns what an answer to the request for a page comes to.
    pub(super) fn received(
        &self,
        asked: Asked<'_>,
        answer: std::result::Result<Answer, PageFailure>,
    ) -> std::result::Result<RequestOutcome, PageFailure> {
        match answer? {
            Answer::Page(page) => Ok(RequestOutcome::Page(Box::new(Answered { request: asked.request, page }))),
            Answer::Refused(err) => Err(PageFailure::Refused(err)),
            Answer::Unchanged(reason) if self.asks_for_changes() || self.earlier.etag.is_some() => {
                self.is_unchanged.fetch_or(self.earlier.etag.is_some(), Ordering::Relaxed);
                self.asker.activity.log(LogLevel::Info, || format!("{reason}: nothing changed since the last load"));
                Ok(RequestOutcome::Empty)
            }
            Answer::Unchanged(reason) => Err(PageFailure::Broken(Error::api(format!(
                "{reason}, but the load asks for everything; send 'If-Modified-Since' or 'If-None-Match' only in refreshes by updates"
            )))),
            Answer::TooMuch(reason) => Err(PageFailure::Broken(Error::new(ErrorKind::TooMuch, reason))),
            Answer::Empty(reason) => {
                self.asker.activity.log(LogLevel::Info, || reason);
                Ok(RequestOutcome::Empty)
            }
            // Rows of the set were already seen: it cannot be left out. Whether the page lies after the end, the pager knows.
            Answer::Skipped(reason) if asked.position.ordinal > 0 || asked.is_resumed => Err(PageFailure::Refused(Error::api(reason))),
            Answer::Skipped(warning) => {
                self.asker.activity.leaves_out(warning);
                Ok(RequestOutcome::Skip)
            }
        }
    }

    /// Returns whether what did not change need not come.
    fn asks_for_changes(&self) -> bool {
        self.earlier.is_update && !self.asker.table_def.overwrites()
    }

    /// Keeps an answer where setting `unify_record` asks for it. The load goes on when that fails, and says so.
    async fn record(&self, request: &Request, page: &PageBody) {
        let Some(folder) = self.record.clone() else { return };
        let (client, request, page) = (self.asker.client.clone(), request.clone(), page.clone());
        let written = self
            .conversion
            .workers
            .compute(move || Recording::of(&client, &request, &page).and_then(|recording| recording.write(&folder)))
            .await;
        if let Err(err) = written {
            if self.asker.activity.log.is_first_to_tell("record") {
                self.asker.activity.log(LogLevel::Warning, || err.message().to_string());
            }
        }
    }
}
