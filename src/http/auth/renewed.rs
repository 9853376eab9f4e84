//! Credentials that a server gives and that end: fetched when they are needed, shared by all who use them, renewed before they end.

use super::answer::secrets_of;
use super::carried::Carried;
use super::store::TokenFile;
use super::{put_headers, seconds_now};
use crate::http::authorizer::{Authorizer, Authorizing, Ending, SentWith};
use crate::http::known::Holder;
use crate::http::message::Request;
use crate::http::Redactor;
use crate::lock::lock;
use crate::spec::{Connection, Secret, Template, TokenAnswer};
use crate::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long another process may take to renew the credential, besides the time for its requests.
const MOST_WAIT: Duration = Duration::from_secs(10);
/// The value of an answer that gives the next one.
pub const REFRESH_TOKEN: &str = "refresh_token";

/// Where tokens come from.
pub trait TokenSource: Send + Sync {
    /// Returns the headers that carry them.
    fn headers(&self) -> &[(String, Template)];

    /// Returns whether to get tokens can make others worthless.
    fn may_spend(&self) -> bool;

    /// Gets tokens; `kept` are the last ones. Blocks.
    fn fetch(&self, kept: Option<&TokenAnswer>) -> Result<TokenAnswer>;

    /// Returns whether tokens are for this process alone: it keeps them in memory, and says when it needs them no more.
    fn is_own(&self) -> bool {
        false
    }

    /// Says that the tokens of the connection are not needed any more, and forgets them. Blocks for seconds at most.
    fn end(&self) {}

    /// Returns the values of an answer that nobody may see, besides those that headers carry.
    fn secrets_of(&self, answer: &TokenAnswer) -> Vec<String> {
        secrets_of(&answer.values)
    }
}

/// The access tokens of a connection.
pub struct Renewed {
    renewal: Arc<Renewal>,
    /// Held by the one that renews: the others of this client wait for it.
    turn: tokio::sync::Mutex<()>,
    /// The last failure, for those who waited meanwhile: they do not try the same again.
    failure: Mutex<Option<(Instant, Error)>>,
}

impl Renewed {
    /// Takes over what is known from before. Sends nothing.
    pub fn new(renewal: Renewal) -> Renewed {
        // What is known from before fills holes at once, and is never shown. A file that cannot be read is told when it is needed.
        let file = renewal.file.as_ref().filter(|_| !renewal.source.is_own());
        if let Some(answer) = file.and_then(|file| file.read().ok().flatten()) {
            renewal.hold(answer);
        }
        if let Some(answer) = renewal.connection.token() {
            renewal.learn(&answer);
        }
        Renewed { renewal: Arc::new(renewal), turn: tokio::sync::Mutex::default(), failure: Mutex::default() }
    }

    /// Returns tokens that can be sent, and are not those that were rejected.
    async fn token(&self, rejected: Option<SentWith>) -> Result<Arc<TokenAnswer>> {
        if let Some(answer) = self.renewal.usable(rejected) {
            return Ok(answer);
        }
        let began = Instant::now();
        let _turn = self.turn.lock().await;
        if let Some(answer) = self.renewal.usable(rejected) {
            return Ok(answer);
        }
        if let Some((_, err)) = lock(&self.failure).as_ref().filter(|(failed, _)| *failed >= began) {
            return Err(err.clone());
        }
        let renewal = Arc::clone(&self.renewal);
        // Not a future that ends when nobody waits for it: a token that was spent is gone unless the new one is stored.
        let renewed = tokio::task::spawn_blocking(move || renewal.renew(rejected)).await;
        let renewed = renewed.unwrap_or_else(|_| Err(Error::new(ErrorKind::Cancelled, "the database is closing")));
        if let Err(err) = &renewed {
            *lock(&self.failure) = Some((Instant::now(), err.clone()));
        }
        renewed
    }

    async fn put_on(&self, hop: &mut Request) -> Result<SentWith> {
        let answer = self.token(None).await?;
        put_headers(self.renewal.source.headers(), &self.renewal.connection, hop)?;
        Ok(sent_with(&answer))
    }
}

impl Authorizer for Renewed {
    fn ready(&self) -> Authorizing<'_, Result<()>> {
        Box::pin(async { self.token(None).await.map(|_| ()) })
    }

    fn authorize<'a>(&'a self, hop: &'a mut Request) -> Authorizing<'a, Result<SentWith>> {
        Box::pin(self.put_on(hop))
    }

    fn rejected(&self, sent_with: SentWith) -> Authorizing<'_, Result<bool>> {
        Box::pin(async move { self.token(Some(sent_with)).await.map(|_| true) })
    }

    fn has_secrets(&self) -> bool {
        true
    }

    fn endings(&self) -> Vec<Ending> {
        let renewal = Arc::clone(&self.renewal);
        let end = move || {
            if renewal.connection.token().is_some() {
                renewal.source.end();
            }
        };
        self.renewal.source.is_own().then(|| Box::new(end) as Ending).into_iter().collect()
    }
}

/// What a renewal needs, on whatever thread it runs.
pub struct Renewal {
    pub connection: Arc<Connection>,
    pub source: Arc<dyn TokenSource>,
    pub redactor: Arc<Redactor>,
    /// Most time that one request for tokens takes.
    pub timeout: Duration,
    /// `None` where there is no place for files.
    pub file: Option<TokenFile>,
    /// Tokens that could not be stored: they are before anything else is asked for.
    pub unsaved: Mutex<Option<TokenAnswer>>,
}

impl Renewal {
    /// Stores tokens that a consent gave. Blocks.
    pub fn keep(&self, answer: TokenAnswer) -> Result<Arc<TokenAnswer>> {
        let file = self.file.as_ref().ok_or_else(no_folder)?;
        let _lock = file.lock(self.most_wait())?;
        file.write(&answer)?;
        self.connection.forget_setup();
        Ok(self.hold(answer))
    }

    fn most_wait(&self) -> Duration {
        MOST_WAIT + self.timeout * 2
    }

    /// Returns whether tokens can be sent. Those of a file may be ones that the headers of this spec cannot carry.
    fn is_usable(&self, answer: &TokenAnswer, rejected: Option<SentWith>) -> bool {
        answer.is_fresh(seconds_now()) && rejected != Some(sent_with(answer)) && self.carried().lack(&answer.values).is_none()
    }

    fn carried(&self) -> Carried<'_> {
        Carried { headers: self.source.headers(), connection: &self.connection }
    }

    /// Makes secrets of what an answer gives.
    fn learn(&self, answer: &TokenAnswer) {
        let secrets = self.source.secrets_of(answer).into_iter().chain(self.carried().secrets(&answer.values)).collect();
        self.redactor.learn_of(Holder::Credential(self.connection.options.values.clone()), secrets);
    }

    /// Returns the tokens of this process, if they can be sent.
    fn usable(&self, rejected: Option<SentWith>) -> Option<Arc<TokenAnswer>> {
        self.connection.token().filter(|answer| self.is_usable(answer, rejected))
    }

    /// Makes tokens those of this process. They are secrets from here on.
    fn hold(&self, answer: TokenAnswer) -> Arc<TokenAnswer> {
        self.learn(&answer);
        let answer = Arc::new(answer);
        self.connection.hold_token(Arc::clone(&answer));
        answer
    }

    /// Gets tokens: those that another process stored meanwhile, or new ones, which are stored before anybody uses them. Blocks.
    fn renew(&self, rejected: Option<SentWith>) -> Result<Arc<TokenAnswer>> {
        if self.source.is_own() {
            // Several clients of this process may log in for one connection.
            let _lock = self.file.as_ref().and_then(|file| file.lock(self.most_wait()).ok());
            return match self.usable(rejected) {
                Some(answer) => Ok(answer),
                None => self.source.fetch(None).map(|answer| self.hold(answer)),
            };
        }
        let Some(file) = &self.file else {
            if self.source.may_spend() {
                return Err(no_folder());
            }
            let kept = self.connection.token();
            return self.source.fetch(kept.as_deref()).map(|answer| self.hold(answer));
        };
        let kept = file.read()?;
        if let Some(kept) = kept.filter(|kept| self.is_usable(kept, rejected)) {
            return Ok(self.hold(kept));
        }
        let _lock = match file.lock(self.most_wait()) {
            Ok(lock) => lock,
            Err(err) if self.source.may_spend() => {
                return Err(err.within("tokens cannot be stored, and a refresh token that is spent and not stored is lost"))
            }
            Err(_) => return self.source.fetch(None).map(|answer| self.hold(answer)),
        };
        if let Some(unsaved) = lock(&self.unsaved).take() {
            self.save(file, &unsaved)?;
        }
        let kept = file.read()?;
        if let Some(kept) = kept.as_ref().filter(|kept| self.is_usable(kept, rejected)) {
            return Ok(self.hold(kept.clone()));
        }
        let answer = self.source.fetch(kept.as_ref())?;
        self.save(file, &answer)?;
        Ok(self.hold(answer))
    }

    /// Stores tokens. Where that fails they are kept in memory until it succeeds: the old ones may be spent.
    fn save(&self, file: &TokenFile, answer: &TokenAnswer) -> Result<()> {
        file.write(answer).inspect_err(|_| {
            self.learn(answer);
            *lock(&self.unsaved) = Some(answer.clone());
        })
    }
}

fn no_folder() -> Error {
    let remedy = "SET unify_connections_file to a file in a folder that can be written to";
    Error::config(format!("there is no home directory, and no other folder, to keep tokens in; {remedy}"))
}

/// Returns what tells these tokens from others.
fn sent_with(answer: &TokenAnswer) -> SentWith {
    SentWith::of(answer.values.iter().filter(|(name, _)| *name != REFRESH_TOKEN).map(|(_, value): (_, &Secret)| value.expose()))
}

#[cfg(test)]
#[path = "renewed_tests.rs"]
mod tests;
