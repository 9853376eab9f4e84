//! Several credentials of one connection: each request has the one that was chosen for it.

use crate::http::authorizer::{Authorizer, Authorizing, Ending, SentWith};
use crate::http::message::Request;
use crate::http::pool::Pool;
use crate::{Error, Result};

/// The credentials, and what chooses among them.
pub struct Several {
    all: Vec<Box<dyn Authorizer>>,
    pool: Pool,
}

impl Several {
    /// Makes them of the authorizer of each, the first first.
    pub fn new(all: Vec<Box<dyn Authorizer>>) -> Several {
        let names = (1..=all.len()).map(|number| format!("credential {number}")).collect();
        Several { all, pool: Pool::new(names) }
    }
}

impl Authorizer for Several {
    fn authorize<'a>(&'a self, hop: &'a mut Request) -> Authorizing<'a, Result<SentWith>> {
        let credential = hop.credential;
        match self.all.get(credential) {
            Some(authorizer) => {
                Box::pin(async move { authorizer.authorize(hop).await.map(|sent_with| sent_with.of_credential(credential)) })
            }
            None => Box::pin(std::future::ready(Err(unknown()))),
        }
    }

    /// Says whether the same one has others, such as a new token.
    fn rejected(&self, sent_with: SentWith) -> Authorizing<'_, Result<bool>> {
        match self.all.get(sent_with.credential()) {
            Some(authorizer) => authorizer.rejected(sent_with.of_credential(0)),
            None => Box::pin(std::future::ready(Err(unknown()))),
        }
    }

    fn has_secrets(&self) -> bool {
        self.all.iter().any(|authorizer| authorizer.has_secrets())
    }

    fn pool(&self) -> Option<&Pool> {
        Some(&self.pool)
    }

    fn endings(&self) -> Vec<Ending> {
        self.all.iter().flat_map(|authorizer| authorizer.endings()).collect()
    }
}

fn unknown() -> Error {
    Error::internal("a request has credentials that there are not")
}
