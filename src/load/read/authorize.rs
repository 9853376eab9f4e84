//! Asks a person for consent, on a thread that may block, while a statement waits.

use crate::http::Consent;
use crate::load::read::reader::Reader;
use crate::load::services::clients::http_settings;
use crate::session::Settings;
use crate::spec::{Connection, TokenAnswer};
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Arc;
use std::time::Duration;

/// How often the wait asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(50);

/// What became of asking for consent.
pub enum Authorized {
    Tokens(Arc<TokenAnswer>),
    /// Somebody has to open the address, and to copy the one that the browser is led to.
    ByHand {
        address: String,
    },
}

/// How a person is spoken to.
pub struct ConsentTalk<'a> {
    /// Gets the address to open, and what to type there.
    pub tell: &'a dyn Fn(&str, Option<&str>),
    /// The address that the browser was led to, where somebody copied it: then nobody is asked.
    pub redirected: Option<&'a str>,
}

/// What is told before the wait: the address to open, and what to type there.
type Told = (String, Option<String>);

/// What the thread that asks says.
enum Word {
    Told(Told),
    Ended(Result<Authorized>),
}

impl Reader {
    /// Asks for consent to a connection. Fails when the user interrupts.
    pub fn authorize(
        &self,
        connection: &Arc<Connection>,
        talk: &ConsentTalk<'_>,
        settings: &Settings,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Authorized> {
        let consent = self.services.clients.own(Arc::clone(connection), http_settings(settings))?.consent()?;
        let (sender, receiver) = mpsc::channel();
        let stops = Arc::new(AtomicBool::new(false));
        let (stop, redirected) = (Arc::clone(&stops), talk.redirected.map(str::to_string));
        self.services.workers()?.spawn(async move {
            let work = move || {
                let outcome = ask(&consent, redirected.as_deref(), &stop, &|told| drop(sender.send(Word::Told(told))));
                // Nobody listens any more when the statement was interrupted.
                let _ = sender.send(Word::Ended(outcome));
            };
            let _ = tokio::task::spawn_blocking(work).await;
        });
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(Word::Told((address, code))) => (talk.tell)(&address, code.as_deref()),
                Ok(Word::Ended(outcome)) => return outcome,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::new(ErrorKind::Cancelled, "the database is closing")),
                Err(RecvTimeoutError::Timeout) if interrupted() => {
                    stops.store(true, Ordering::Relaxed);
                    return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
                }
                Err(RecvTimeoutError::Timeout) if self.services.is_closed() => stops.store(true, Ordering::Relaxed),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

fn ask(consent: &Consent, redirected: Option<&str>, stop: &AtomicBool, tell: &dyn Fn(Told)) -> Result<Authorized> {
    if let Some(address) = redirected {
        return consent.take(address).map(Authorized::Tokens);
    }
    let invitation = consent.invite()?;
    if invitation.is_by_hand() {
        return Ok(Authorized::ByHand { address: invitation.address });
    }
    tell((invitation.address.clone(), invitation.code.clone()));
    consent.wait(&invitation, &|| stop.load(Ordering::Relaxed)).map(Authorized::Tokens)
}
