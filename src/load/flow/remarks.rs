//! What the log says of answers that are not what the spec, or an earlier answer, lets expect.

use super::fetch::Fetch;
use super::in_order::InOrder;
use crate::http::{request_of, ParamSet};
use crate::session::LogLevel;
use crate::source::{PageFacts, PagePosition, Source};

impl Fetch {
    /// Notes that rows vanished, and what became of those that moved.
    pub(super) fn tell_vanished(&self, set: &ParamSet, source: &dyn Source) {
        let Some(vanished) = source.vanished() else { return };
        let target = self.target_of(set);
        let n_rows = vanished.n_rows;
        if vanished.is_lacking {
            let message = format!(
                "{target}{n_rows} rows vanished at the source while pages were read; up to {n_rows} of their neighbours may be missing; the \
                 next refresh reads the table in full"
            );
            self.asker.activity.log(LogLevel::Warning, || message);
        } else {
            let message = format!("{target}{n_rows} rows vanished at the source while pages were read");
            self.asker
                .activity
                .log(LogLevel::Info, || format!("{message}; pages whose rows had moved were read again: {}", vanished.n_moved));
        }
    }

    /// Returns the first request of a set, for the beginning of a message.
    fn target_of(&self, set: &ParamSet) -> String {
        let first = self.asker.table_def.paging.source_from(self.pace.max_pages, set.link.as_deref()).next_position();
        let request = first.and_then(|position| request_of(&self.asker.connection, &self.asker.table_def, set, &position.key).ok());
        request.map(|request| format!("{}: ", self.asker.client.text_of(&request))).unwrap_or_default()
    }

    /// Notes that the API gave less than it told: that is not an error, since a total may be an estimate. A total that the spec does not name is
    /// noted once.
    pub(super) fn warn_of_shortfall(&self, set: &ParamSet, order: &InOrder) {
        let unnamed = || order.shortfall().filter(|_| self.asker.activity.log.is_first_to_tell("shortfall"));
        let Some(shortfall) = order.source.shortfall().or_else(unnamed) else { return };
        let target = self.target_of(set);
        self.asker.activity.log(LogLevel::Warning, || format!("{target}{shortfall}; check the table's 'paging' if rows are missing"));
    }

    /// Notes that the first page does not say how much there is where the spec says that it does.
    pub(super) fn warn_of_missing_total(&self, set: &ParamSet, position: &PagePosition, facts: &PageFacts) {
        let Some(place_of_total) = self.asker.table_def.paging.missing_total(facts).filter(|_| position.ordinal == 0) else { return };
        if self.asker.activity.log.is_first_to_tell("total") {
            let request = request_of(&self.asker.connection, &self.asker.table_def, set, &position.key).ok();
            let target = request.map(|request| format!("{}: ", self.asker.client.text_of(&request))).unwrap_or_default();
            self.asker
                .activity
                .log(LogLevel::Warning, || format!("{target}the answer has no number at {place_of_total}; the end is found without it"));
        }
    }
}
