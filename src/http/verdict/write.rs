//! What an answer to a request that writes means. What the API may have done already is sent again only where that does no harm.

use super::{Attempt, Judge, Judged, Verdict, Waits};
use std::time::Duration;

/// What to do after a try of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteVerdict {
    Done,
    Retry {
        after: Duration,
        reason: String,
        /// Who has to wait.
        waits: Waits,
    },
    /// `may_be_done`: nobody knows whether the API did it.
    Fail {
        message: String,
        may_be_done: bool,
    },
    /// The API did nothing, because it does not take the credentials.
    Login(String),
}

impl Judge<'_> {
    /// Returns what an answer to a write means. `may_repeat`: the API takes the request twice as if it came once.
    pub fn write_verdict(&self, answer: Judged<'_>, attempt: Attempt, may_repeat: bool) -> WriteVerdict {
        let is_success = (200..300).contains(&answer.status);
        match self.verdict(answer, attempt) {
            Verdict::Rows | Verdict::SomeRows(_) => WriteVerdict::Done,
            Verdict::Login(reason) => WriteVerdict::Login(reason),
            Verdict::Empty(_) | Verdict::Skip(_) if is_success => WriteVerdict::Done,
            Verdict::Empty(message) | Verdict::Skip(message) | Verdict::Split(message) | Verdict::Fail { message, .. } => {
                WriteVerdict::Fail { message, may_be_done: !is_refusal(answer) }
            }
            Verdict::Retry { after, reason, waits } if may_repeat || is_refusal(answer) => WriteVerdict::Retry { after, reason, waits },
            Verdict::Retry { reason, .. } => WriteVerdict::Fail { message: reason, may_be_done: true },
        }
    }

    /// Returns what it means that there was no answer. `was_sent`: the API may have the request.
    pub fn write_verdict_on_loss(&self, reason: &str, attempt: Attempt, was_sent: bool, may_repeat: bool) -> WriteVerdict {
        match self.verdict_on_loss(reason, attempt) {
            Verdict::Retry { after, reason, waits } if may_repeat || !was_sent => WriteVerdict::Retry { after, reason, waits },
            Verdict::Retry { reason: message, .. }
            | Verdict::Fail { message, .. }
            | Verdict::Skip(message)
            | Verdict::Split(message)
            | Verdict::Empty(message) => WriteVerdict::Fail { message, may_be_done: was_sent },
            Verdict::Rows | Verdict::SomeRows(_) | Verdict::Login(_) => {
                WriteVerdict::Fail { message: "no answer".to_string(), may_be_done: was_sent }
            }
        }
    }
}

/// What a reader who must not ask twice is told.
const NOT_AGAIN: &str = "it is not sent again, because the spec says 'safe: false'";

impl Judge<'_> {
    /// Returns what an answer means to a request that reads and is not free: it is sent again only when the API did nothing.
    pub fn once(&self, answer: Judged<'_>, attempt: Attempt) -> Verdict {
        match self.verdict(answer, attempt) {
            Verdict::Retry { reason, .. } if !is_refusal(answer) => {
                Verdict::Fail { message: format!("{reason}; {NOT_AGAIN}"), refused: false }
            }
            verdict => verdict,
        }
    }

    /// Returns what it means to such a request that there was no answer. `was_sent`: the API may have it.
    pub fn once_on_loss(&self, reason: &str, attempt: Attempt, was_sent: bool) -> Verdict {
        match self.verdict_on_loss(reason, attempt) {
            Verdict::Retry { reason, .. } if was_sent => Verdict::Fail { message: format!("{reason}; {NOT_AGAIN}"), refused: false },
            verdict => verdict,
        }
    }
}

/// Returns whether the API says that it did nothing: an error of the caller, or a server that is busy and names the time to come back.
fn is_refusal(answer: Judged<'_>) -> bool {
    matches!(answer.status, 300..=302 | 304..=499) || (answer.status == 503 && answer.headers.get("retry-after").is_some())
}

#[cfg(test)]
mod tests {
    use super::super::{Moment, Throttles};
    use super::*;
    use crate::http::sample::{adapter, basic, connection};
    use crate::http::Redactor;
    use crate::source::Headers;
    use crate::spec::{ErrorCondition, ErrorRule, RuleVerdict};

    const ONCE: bool = false;
    const REPEATABLE: bool = true;

    fn attempt(number: u32) -> Attempt {
        Attempt { number, from_parent: false, may_be_past_end: false, moment: Moment { now: 1_795_305_600.0, random: 0.5 } }
    }

    fn with_judge<T>(rules: &[ErrorRule], work: impl FnOnce(Judge<'_>) -> T) -> T {
        let mut spec = adapter(basic());
        spec.errors = rules.to_vec();
        let connection = connection(spec, &[("username", "me"), ("password", "s3cr3t")]);
        let redactor = Redactor::new(&connection);
        let spec = &connection.adapter;
        work(Judge { spec, auth: &spec.auth[0], redactor: &redactor, throttles: Throttles::of(spec, None) })
    }

    fn verdict(status: u16, headers: &[(&str, &str)], number: u32, may_repeat: bool) -> WriteVerdict {
        let headers = Headers::new(headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect());
        with_judge(&[], |judge| judge.write_verdict(Judged { status, headers: &headers, body: b"{}" }, attempt(number), may_repeat))
    }

    fn is_retry(verdict: &WriteVerdict) -> bool {
        matches!(verdict, WriteVerdict::Retry { .. })
    }

    fn may_be_done(verdict: &WriteVerdict) -> bool {
        let WriteVerdict::Fail { may_be_done, .. } = verdict else { panic!("{verdict:?}") };
        *may_be_done
    }

    #[test]
    fn success_is_done() {
        for status in [200, 201, 202, 204] {
            assert_eq!(verdict(status, &[], 1, ONCE), WriteVerdict::Done, "{status}");
        }
    }

    #[test]
    fn what_was_refused_is_sent_again() {
        for (status, headers) in [(429, vec![]), (408, vec![]), (425, vec![]), (503, vec![("retry-after", "0")])] {
            assert!(is_retry(&verdict(status, &headers, 1, ONCE)), "{status}");
        }
    }

    #[test]
    fn what_may_be_done_is_sent_again_only_where_that_does_no_harm() {
        for status in [500, 502, 503, 504] {
            assert!(may_be_done(&verdict(status, &[], 1, ONCE)), "{status}");
            assert!(is_retry(&verdict(status, &[], 1, REPEATABLE)), "{status}");
            assert!(may_be_done(&verdict(status, &[], 5, REPEATABLE)), "{status}, the last try");
        }
        with_judge(&[], |judge| {
            assert!(is_retry(&judge.write_verdict_on_loss("lost", attempt(1), true, REPEATABLE)));
            assert!(may_be_done(&judge.write_verdict_on_loss("lost", attempt(1), true, ONCE)));
            assert!(is_retry(&judge.write_verdict_on_loss("refused", attempt(1), false, ONCE)));
            assert!(!may_be_done(&judge.write_verdict_on_loss("refused", attempt(5), false, ONCE)));
        });
    }

    #[test]
    fn a_refusal_for_good_did_nothing() {
        for status in [400, 401, 403, 404, 409, 422] {
            assert!(!may_be_done(&verdict(status, &[], 1, REPEATABLE)), "{status}");
        }
        assert!(!may_be_done(&verdict(429, &[], 5, ONCE)));
        assert!(may_be_done(&verdict(303, &[], 1, ONCE)));
    }

    #[test]
    fn rules_of_the_spec_decide() {
        let rule = |verdict| ErrorRule {
            when: ErrorCondition { statuses: vec![200, 403], ..ErrorCondition::default() },
            verdict,
            message: None,
            wait: None,
        };
        let check = |status: u16, rule_verdict: RuleVerdict| {
            let headers = Headers::new(Vec::new());
            with_judge(&[rule(rule_verdict)], |judge| {
                judge.write_verdict(Judged { status, headers: &headers, body: b"" }, attempt(1), ONCE)
            })
        };
        assert!(is_retry(&check(403, RuleVerdict::Retry)));
        assert!(may_be_done(&check(200, RuleVerdict::Retry)));
        assert!(may_be_done(&check(200, RuleVerdict::Fail)));
        assert!(!may_be_done(&check(403, RuleVerdict::Skip)));
        assert_eq!(check(200, RuleVerdict::Empty), WriteVerdict::Done);
    }
}
