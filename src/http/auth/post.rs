//! Sends requests to token endpoints, on a thread that may block: what an endpoint answered is stored even when nobody waits for it any more.

use super::ask::TokenAsk;
use crate::http::kernel::MaySend;
use crate::http::network::Network;
use crate::http::notes::Notes;
use crate::http::transport::{Exchange, Outgoing, RawAnswer, Transport};
use crate::http::Redactor;
use crate::{Error, ErrorKind, Result};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Most bytes of an answer.
const MAX_BODY_LEN: usize = 1 << 20;
/// Most tries of one request.
const MOST_TRIES: u32 = 3;
/// The first wait between two tries, and the longest that a server can ask for.
const FIRST_WAIT: Duration = Duration::from_millis(300);
const MOST_WAIT: Duration = Duration::from_secs(20);

/// What requests to token endpoints share with a connection's others.
#[derive(Clone)]
pub struct TokenPost {
    pub redactor: Arc<Redactor>,
    /// Set once: what has to agree to each request.
    pub may_send: Arc<OnceLock<Arc<dyn MaySend>>>,
    pub timeout: Duration,
    pub network: Arc<Network>,
    /// Tries of one request, the first included.
    pub attempts: u32,
    /// What is told of the requests, for the log of those whose requests need the tokens.
    pub notes: Arc<Notes>,
}

impl TokenPost {
    /// Sends a request until there is an answer that another try would not change. Blocks.
    pub(super) fn send(&self, ask: &TokenAsk) -> Result<RawAnswer> {
        self.redactor.learn(ask.signed.iter().map(|token| token.expose().to_string()).collect());
        let failed = |err: &dyn std::fmt::Display| Error::internal(format!("could not start a thread: {err}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|err| failed(&err))?;
        let transport = Transport::new(self.timeout, MAX_BODY_LEN, &self.network)?;
        let mut number = 0;
        loop {
            number += 1;
            if let Some(may_send) = self.may_send.get() {
                may_send.check()?;
            }
            let outgoing = Outgoing { method: ask.method.name(), url: &ask.url, headers: &ask.headers, body: ask.body.clone(), sink: None };
            self.notes.add(format!("{} {} for a token", ask.method, self.redactor.url(&ask.url)));
            let exchange = runtime.block_on(transport.send(outgoing));
            self.notes.add(match &exchange {
                Exchange::Answer(answer) => format!("status {}, {} bytes, for a token", answer.status, answer.body.len()),
                _ => "no answer to the request for a token".to_string(),
            });
            let is_last = number >= self.attempts.clamp(1, MOST_TRIES);
            let wait = match &exchange {
                Exchange::Answer(answer) if matches!(answer.status, 408 | 425 | 429 | 500..=599) && !is_last => wait_of(answer, number),
                Exchange::Lost(_) | Exchange::Unreached(_) if !is_last => backoff(number),
                _ => return self.answer_of(exchange),
            };
            std::thread::park_timeout(wait);
        }
    }

    fn answer_of(&self, exchange: Exchange) -> Result<RawAnswer> {
        let text = match exchange {
            Exchange::Answer(answer) => return Ok(answer),
            Exchange::Lost(text) | Exchange::Unreached(text) | Exchange::Unsendable(text) | Exchange::Broken(text) => text,
        };
        Err(Error::new(ErrorKind::Api, self.redactor.text(&text)))
    }
}

/// Returns how long to wait after a try, as the server says or more each time.
fn wait_of(answer: &RawAnswer, number: u32) -> Duration {
    let told = answer.headers.get("retry-after").and_then(|text| text.trim().parse::<u64>().ok());
    told.map_or(backoff(number), Duration::from_secs).min(MOST_WAIT)
}

fn backoff(number: u32) -> Duration {
    FIRST_WAIT * number
}
