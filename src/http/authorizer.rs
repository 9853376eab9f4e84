//! What puts credentials on requests.

use super::message::Request;
use super::pool::Pool;
use crate::Result;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;

/// Work that may wait for the network.
pub type Authorizing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Says to a server that a session is not needed any more. Blocks for seconds at most, and does nothing where there is none.
pub type Ending = Box<dyn Fn() + Send + Sync>;

/// Tells the credentials that a request was sent with from those that came later. Nothing can be learned from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentWith {
    hash: u64,
    credential: usize,
}

impl SentWith {
    /// Returns the same for the same texts.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> SentWith {
        let mut hasher = DefaultHasher::new();
        texts.for_each(|text| text.hash(&mut hasher));
        SentWith { hash: hasher.finish(), credential: 0 }
    }

    /// Returns the same, as that of one of several credentials.
    #[must_use]
    pub fn of_credential(self, credential: usize) -> SentWith {
        SentWith { credential, ..self }
    }

    /// Returns which of the connection's credentials it is.
    pub fn credential(self) -> usize {
        self.credential
    }
}

/// Puts credentials on each request of a connection, and on each hop of its redirects that may have them.
pub trait Authorizer: Send + Sync {
    /// Gets credentials if there are none yet, so that values that come with them can stand in requests.
    fn ready(&self) -> Authorizing<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Adds the credentials to what is sent next: its method, final URL, headers and body are all there. Fails when there are none to be had.
    fn authorize<'a>(&'a self, hop: &'a mut Request) -> Authorizing<'a, Result<SentWith>>;

    /// Is told that the API takes these credentials no more (401). Returns whether there are others now: the request is sent once more.
    /// Fails when there were others before, and no more.
    fn rejected(&self, sent_with: SentWith) -> Authorizing<'_, Result<bool>>;

    /// Returns whether requests carry anything that others must not read.
    fn has_secrets(&self) -> bool;

    /// Returns what chooses the credentials of each request; `None` where there are no others.
    fn pool(&self) -> Option<&Pool> {
        None
    }

    /// Returns what to do when the credentials are not needed any more.
    fn endings(&self) -> Vec<Ending> {
        Vec::new()
    }
}

/// Credentials that stay what they are: the options of a connection, added to a request or signing it.
pub trait Lasting: Send + Sync {
    /// Puts them on what is sent next.
    fn put_on(&self, hop: &mut Request) -> Result<()>;

    /// Returns whether requests carry anything that others must not read.
    fn has_secrets(&self) -> bool {
        true
    }
}

impl<T: Lasting> Authorizer for T {
    fn authorize<'a>(&'a self, hop: &'a mut Request) -> Authorizing<'a, Result<SentWith>> {
        let outcome = self.put_on(hop).map(|()| SentWith::of(std::iter::empty()));
        Box::pin(std::future::ready(outcome))
    }

    /// There are no others.
    fn rejected(&self, _: SentWith) -> Authorizing<'_, Result<bool>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn has_secrets(&self) -> bool {
        Lasting::has_secrets(self)
    }
}
