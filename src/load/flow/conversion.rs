//! Converts a page that was fetched, on a thread for that.

use super::answered::Answered;
use super::convert::{convert, ConvertedPage, SoFar, WeighedPage};
use super::fetch::{described, Fetch};
use crate::columns::first_number;
use crate::session::LogLevel;
use crate::spec::ParamValue;
use crate::Result;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

impl Fetch {
    /// Converts a page. Notes what its answer shows that the spec does not let expect.
    pub(super) async fn converted(&self, answer: Answered, copied: Arc<[ParamValue]>) -> Result<ConvertedPage> {
        let Answered { request, page } = answer;
        let schemas = self.conversion.schemas.read().unwrap_or_else(PoisonError::into_inner).clone();
        let first_number = if self.conversion.row_plan.has_children() {
            first_number(self.conversion.numbered_pages.fetch_add(1, Ordering::Relaxed))
        } else {
            0
        };
        let (table_def, row_plan) = (self.asker.table_def.clone(), self.conversion.row_plan.clone());
        let page = WeighedPage::new(page, &table_def, &row_plan);
        let record_shape = self.conversion.record_shape.clone();
        let memory = self.pace.budget.conversion(page.n_bytes()).await;
        let converted = self
            .conversion
            .workers
            .compute(move || {
                let so_far = SoFar { schemas: &schemas, first_number, record_shape: &record_shape };
                let converted = convert(&table_def, &row_plan, page, so_far, &copied);
                drop(memory);
                converted
            })
            .await;
        let converted = converted.map_err(|err| described(err, &self.asker.client, &request))?;
        if let Some(sign) = converted.more.as_ref().filter(|_| self.asker.activity.log.is_first_to_tell("more")) {
            self.asker.activity.log(LogLevel::Warning, || format!("{}: {sign}", self.asker.client.text_of(&request)));
        }
        if let Some(lacking) = converted.lacking.as_ref().filter(|_| self.asker.activity.log.is_first_to_tell("lacking")) {
            self.asker.activity.log(LogLevel::Warning, || {
                format!("{}: {}", self.asker.client.text_of(&request), self.asker.client.redactor().text(lacking))
            });
        }
        self.asker.activity.counters().pages.fetch_add(1, Ordering::Relaxed);
        Ok(converted)
    }
}
