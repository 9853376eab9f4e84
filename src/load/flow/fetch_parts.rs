//! Fetches the only answer of a set, which is converted in parts while it arrives.

use super::answered::{Answered, Asked, RequestOutcome};
use super::convert::ConvertedPage;
use super::fetch::{Fetch, WorkedSet};
use super::in_order::InOrder;
use super::parts::Parts;
use crate::load::pages::budget::PageMemory;
use crate::load::pages::fetched::Fetched;
use crate::source::{Next, PageFailure, Paging};
use crate::spec::ParamValue;
use crate::{Error, Result};
use futures_util::future::OptionFuture;
use futures_util::stream::{FuturesOrdered, StreamExt};
use std::sync::mpsc;
use std::sync::Arc;

/// Parts that may wait for an earlier one.
const MOST_EARLY: usize = 4;
/// A part of a body may have this part of the memory that a page may take.
const MOST_PART: u64 = 4;

impl Fetch {
    /// Returns whether answers are read in parts while they arrive.
    pub(super) fn reads_in_parts(&self, work: &WorkedSet) -> bool {
        let is_one = work.export.as_ref().is_none_or(|(_, files)| files.as_ref().is_none_or(|files| files.len() == 1));
        is_one
            && self.asker.table_def.paging == Paging::None
            && self.asker.table_def.answer.body.has_parts()
            && !self.asker.client.judges_good_answers()
    }

    /// Fetches the only answer of a set, whose body is converted in parts while it arrives. The last part stands for the page.
    pub(super) async fn fetch_parts(self: Arc<Self>, work: WorkedSet, rows: mpsc::Sender<Fetched>) -> Result<()> {
        let set = &work.set;
        let copied = self.copied(set, work.key.as_deref());
        let mut order = InOrder::new(self.manner(&work)?, work.number, work.point.clone(), rows);
        let Next::Ask(position) = order.next() else { return order.done() };
        let addresses = self.addresses(&work);
        let asked = Asked { request: self.request_at(set, &position, addresses.as_ref())?, position: &position, is_resumed: false };
        let (sender, mut arriving) = tokio::sync::mpsc::channel(1);
        let most = usize::try_from(self.conversion.row_plan.most_bytes() / MOST_PART).unwrap_or(usize::MAX);
        let parts = Parts::new(&self.asker.table_def.answer.body, most, sender);
        let mut sending = Some(Box::pin(self.answer_in_parts(&asked, set, addresses.as_ref(), &parts)));
        let mut outcome = None;
        let mut wanted = None;
        let mut conversions = FuturesOrdered::new();
        loop {
            let may_arrive = wanted.is_none() && conversions.len() < MOST_EARLY && (sending.is_some() || !arriving.is_empty());
            tokio::select! {
                Some(answer) = OptionFuture::from(sending.as_mut()), if sending.is_some() => {
                    sending = None;
                    outcome = Some(answer);
                }
                Some(arrived) = arriving.recv(), if may_arrive => {
                    self.pace.page_size.saw(arrived.part.bytes.len() as u64);
                    let (budget, size) = (&self.pace.budget, &self.pace.page_size);
                    wanted = Some(Box::pin(async move { (arrived, budget.page(size).await) }));
                }
                Some((arrived, memory)) = OptionFuture::from(wanted.as_mut()), if wanted.is_some() => {
                    wanted = None;
                    let page = arrived.into_page(&self.asker.client, &asked.request);
                    conversions.push_back(self.converted_in(memory, Answered { request: asked.request.clone(), page }, copied.clone()));
                }
                Some(converted) = conversions.next(), if !conversions.is_empty() => {
                    let (page, memory): (ConvertedPage, PageMemory) = converted?;
                    order.part(page.batches, memory)?;
                }
                else => break,
            }
        }
        drop(sending);
        let answer = outcome.unwrap_or_else(|| Err(Error::internal("a request ended without an answer")));
        match self.received(asked, answer.map_err(PageFailure::Broken)) {
            Ok(RequestOutcome::Page(answer)) => {
                let Answered { request, mut page } = *answer;
                if let Some(last) = parts.last()? {
                    (page.body, page.line_base) = (last.bytes, last.line_base);
                }
                self.pace.page_size.saw(page.body.len() as u64);
                let memory = self.pace.budget.page(&self.pace.page_size).await;
                let (page, memory) = self.converted_in(memory, Answered { request, page }, copied).await?;
                order.page(&position, page, memory)?;
            }
            Ok(RequestOutcome::Skip) => return order.skipped(),
            Ok(RequestOutcome::Empty) => order.empty(&position)?,
            Err(failure) => order.failed(&position, failure)?,
        }
        order.done()
    }

    /// Converts a page that has memory.
    async fn converted_in(
        &self,
        mut memory: PageMemory,
        answer: Answered,
        copied: Arc<[ParamValue]>,
    ) -> Result<(ConvertedPage, PageMemory)> {
        memory.fit(answer.page.body.len() as u64);
        let page = self.converted(answer, copied).await?;
        let n_bytes = page.batches.approximate_bytes() as u64;
        self.pace.page_size.held(n_bytes);
        memory.hold(n_bytes);
        Ok((page, memory))
    }
}
