//! What follows a try of a request.

use super::core::{Kernel, Repeat, Sending};
use crate::http::message::Request;
use crate::http::transport::{Exchange, RawAnswer};
use crate::http::verdict::{Attempt, BudgetsTold, Judge, Judged, Throttles, Verdict, Waits, WriteVerdict};
use crate::spec::{AuthSpec, ErrorRule};
use std::time::Duration;

/// What a request came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was answered; what reads finds its rows in the answer.
    Accepted,
    /// It was answered as [`Outcome::Accepted`], with this warning.
    AcceptedInPart(String),
    /// `is_refused`: the API does not take this request (400, 404, 410, 416, 422). `may_be_done`: nobody knows whether the API did it.
    Failed { message: String, is_refused: bool, may_be_done: bool },
    /// The parameter set is left out, with this warning.
    Skipped(String),
    /// No rows, and no error.
    Empty(String),
    /// There is more than the API gives: less is to be asked for at once.
    Split(String),
}

impl Outcome {
    /// Returns whether the answer is what was asked for.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Outcome::Accepted | Outcome::AcceptedInPart(_))
    }
}

/// What to do next.
pub enum Step {
    Ends(Outcome),
    Again {
        after: Duration,
        reason: String,
        /// Who has to wait.
        waits: Waits,
    },
    /// Once more with other credentials; the reason.
    Login(String),
}

impl From<Verdict> for Step {
    fn from(verdict: Verdict) -> Step {
        Step::Ends(match verdict {
            Verdict::Rows => Outcome::Accepted,
            Verdict::SomeRows(warning) => Outcome::AcceptedInPart(warning),
            Verdict::Retry { after, reason, waits } => return Step::Again { after, reason, waits },
            Verdict::Fail { message, refused } => Outcome::Failed { message, is_refused: refused, may_be_done: false },
            Verdict::Skip(message) => Outcome::Skipped(message),
            Verdict::Empty(message) => Outcome::Empty(message),
            Verdict::Login(reason) => return Step::Login(reason),
            Verdict::Split(message) => Outcome::Split(message),
        })
    }
}

impl From<WriteVerdict> for Step {
    fn from(verdict: WriteVerdict) -> Step {
        match verdict {
            WriteVerdict::Login(reason) => Step::Login(reason),
            WriteVerdict::Done => Step::Ends(Outcome::Accepted),
            WriteVerdict::Retry { after, reason, waits } => Step::Again { after, reason, waits },
            WriteVerdict::Fail { message, may_be_done } => Step::Ends(Outcome::Failed { message, is_refused: false, may_be_done }),
        }
    }
}

impl Exchange {
    /// Returns whether the API may have done what was asked for, though its answer does not say so.
    pub fn may_have_been_done(&self) -> bool {
        matches!(self, Exchange::Lost(_)) || matches!(self, Exchange::Answer(answer) if matches!(answer.status, 500..=599))
    }
}

/// A try of a request.
pub struct Tried<'a> {
    pub request: &'a Request,
    pub attempt: Attempt,
    /// An earlier try of the same request may have taken away what it names.
    pub may_be_gone: bool,
}

/// What a try came to.
pub struct Judgement {
    pub step: Step,
    pub exchange: Exchange,
    pub told: BudgetsTold,
}

impl Kernel {
    /// Returns what to do after a try.
    pub async fn step(&self, exchange: Exchange, how: &Sending<'_>, tried: Tried<'_>) -> Judgement {
        let failed = |text: &str, may_be_done| {
            let may_be_done = may_be_done && !how.repeat.reads();
            Step::Ends(Outcome::Failed { message: self.redactor.text(text), is_refused: false, may_be_done })
        };
        let step = match &exchange {
            Exchange::Unsendable(text) => failed(text, false),
            Exchange::Broken(text) => failed(text, true),
            Exchange::Unreached(text) => self.step_on_loss(text, how.repeat, &tried, false),
            Exchange::Lost(text) => self.step_on_loss(text, how.repeat, &tried, true),
            Exchange::Answer(answer) => {
                how.observer.answered(answer.status, answer.body.len() as u64 + answer.n_taken);
                // An earlier try took it away, and its answer was lost.
                if tried.may_be_gone && matches!(answer.status, 404 | 410) {
                    Step::Ends(Outcome::Accepted)
                } else {
                    return self.judged(exchange, how.repeat, &tried).await;
                }
            }
        };
        Judgement { step, exchange, told: BudgetsTold::default() }
    }

    fn step_on_loss(&self, text: &str, repeat: Repeat, tried: &Tried<'_>, was_sent: bool) -> Step {
        let spec = &self.connection.adapter;
        let throttles = Throttles::of(spec, tried.request.throttle.as_deref());
        let judge = Judge { spec, auth: &self.auth, redactor: &self.redactor, throttles };
        match repeat {
            Repeat::Freely { .. } | Repeat::AtHome => judge.verdict_on_loss(text, tried.attempt).into(),
            Repeat::Once { .. } => judge.once_on_loss(text, tried.attempt, was_sent).into(),
            _ => judge.write_verdict_on_loss(text, tried.attempt, was_sent, repeat == Repeat::Idempotent).into(),
        }
    }

    /// Judges an answer. Where its body decides, or is quoted, it is read on a thread that may block: it can be large.
    async fn judged(&self, exchange: Exchange, repeat: Repeat, tried: &Tried<'_>) -> Judgement {
        let Exchange::Answer(answer) = exchange else {
            return Judgement { step: Step::Ends(Outcome::Accepted), exchange, told: BudgetsTold::default() };
        };
        let spec = &self.connection.adapter;
        let throttles = Throttles::of(spec, tried.request.throttle.as_deref());
        let reads_body = spec.errors.iter().any(ErrorRule::reads_body) || throttles.read_body();
        let auth = if tried.request.is_anonymous { &AuthSpec::None } else { &self.auth };
        let attempt = tried.attempt;
        if !reads_body && (200..300).contains(&answer.status) {
            let judge = Judge { spec, auth, redactor: &self.redactor, throttles };
            let (step, told) = judge_answer(&judge, &answer, repeat, attempt);
            return Judgement { step, exchange: Exchange::Answer(answer), told };
        }
        let (auth, own) = (auth.clone(), tried.request.throttle.clone());
        let (connection, redactor) = (self.connection.clone(), self.redactor.clone());
        let judge = move |answer: &RawAnswer| {
            let spec = &connection.adapter;
            let throttles = Throttles::of(spec, own.as_deref());
            let judge = Judge { spec, auth: &auth, redactor: &redactor, throttles };
            judge_answer(&judge, answer, repeat, attempt)
        };
        let judged = tokio::task::spawn_blocking(move || (judge(&answer), answer));
        match judged.await {
            Ok(((step, told), answer)) => Judgement { step, exchange: Exchange::Answer(answer), told },
            Err(_) => {
                let text = "the request was stopped because the database or the process ends".to_string();
                let outcome = Outcome::Failed { message: text.clone(), is_refused: false, may_be_done: !repeat.reads() };
                Judgement { step: Step::Ends(outcome), exchange: Exchange::Broken(text), told: BudgetsTold::default() }
            }
        }
    }
}

fn judge_answer(judge: &Judge<'_>, answer: &RawAnswer, repeat: Repeat, attempt: Attempt) -> (Step, BudgetsTold) {
    let judged = Judged { status: answer.status, headers: &answer.headers, body: &answer.body };
    (step_of(judge, judged, repeat, attempt), judge.throttles.told(judged, attempt.moment))
}

fn step_of(judge: &Judge<'_>, answer: Judged<'_>, repeat: Repeat, attempt: Attempt) -> Step {
    match repeat {
        Repeat::Freely { .. } | Repeat::AtHome => judge.verdict(answer, attempt).into(),
        Repeat::Once { .. } => judge.once(answer, attempt).into(),
        _ => judge.write_verdict(answer, attempt, repeat == Repeat::Idempotent).into(),
    }
}
