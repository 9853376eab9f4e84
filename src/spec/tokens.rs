//! What the token endpoint of a connection said last, shared by all who open that connection.

use super::Secret;
use crate::lock::lock;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Most time, in seconds, that a token is renewed before it ends: clocks differ, and requests take their time.
const MOST_MARGIN: i64 = 60;
/// How far ahead of this clock, in seconds, a token can have been obtained by that of another machine.
const MOST_AHEAD: i64 = 300;
/// The most answers that are held for a connection: one for each of its credentials, and those of options that it had before.
const MOST_HELD: usize = 200;

/// An answer of a token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAnswer {
    /// The answer's values by name; what stands in objects has their names before its own, with dots between them.
    pub values: BTreeMap<String, Secret>,
    /// When it was asked for, in seconds since 1970.
    pub obtained: i64,
    /// When the access token ends, if that was told.
    pub expires: Option<i64>,
}

impl TokenAnswer {
    /// Returns whether the access token can still be sent: it does not end within a moment.
    pub fn is_fresh(&self, now: i64) -> bool {
        let lasts = |expires: i64| {
            let margin = ((expires - self.obtained) / 10).clamp(0, MOST_MARGIN);
            now < expires - margin
        };
        self.obtained <= now + MOST_AHEAD && self.expires.is_none_or(lasts)
    }

    /// Returns one of the values.
    pub fn value(&self, name: &str) -> Option<&Secret> {
        self.values.get(name)
    }
}

/// The last token answers of a database's connections, and the folder where those of all processes are.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    folder: Option<PathBuf>,
    /// By connection: the answer of each of its credentials, the last one last.
    held: Arc<Mutex<HashMap<String, Vec<Held>>>>,
    /// By connection: the options, and what look-ups before the first request found with them.
    setup: Arc<Mutex<HashMap<String, LookedUp>>>,
    /// By connection: consents that nobody gave yet.
    pending: Arc<Mutex<HashMap<String, PendingConsent>>>,
}

/// What was asked for in a browser, and what its answer is to be checked with.
#[derive(Debug, Clone)]
pub struct PendingConsent {
    /// What the answer repeats.
    pub state: Secret,
    /// What shows the token endpoint that the same one asks (RFC 7636).
    pub verifier: Secret,
    /// Where the browser is led.
    pub redirect_uri: String,
}

type LookedUp = (BTreeMap<String, Secret>, BTreeMap<String, String>);

/// The answer of one credential.
#[derive(Debug)]
struct Held {
    /// What it was obtained with.
    options: BTreeMap<String, Secret>,
    answer: Arc<TokenAnswer>,
}

impl Tokens {
    /// Returns the same tokens, kept in this folder.
    #[must_use]
    pub fn in_folder(&self, folder: Option<PathBuf>) -> Tokens {
        Tokens { folder, ..self.clone() }
    }

    /// Returns where tokens are kept; `None` where there is no place for files.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}

impl Tokens {
    /// Returns the last answer that a connection with these options got in this process.
    pub fn of(&self, connection: &str, options: &BTreeMap<String, Secret>) -> Option<Arc<TokenAnswer>> {
        let held = lock(&self.held);
        let own = held.get(&connection.to_lowercase())?.iter().find(|held| held.options == *options);
        own.map(|held| Arc::clone(&held.answer))
    }

    /// Notes the answer that a connection with these options got.
    pub fn hold(&self, connection: &str, options: &BTreeMap<String, Secret>, answer: Arc<TokenAnswer>) {
        let mut held = lock(&self.held);
        let all = held.entry(connection.to_lowercase()).or_default();
        all.retain(|held| held.options != *options);
        all.drain(..all.len().saturating_sub(MOST_HELD - 1));
        all.push(Held { options: options.clone(), answer });
    }

    /// Returns what was looked up for a connection with these options.
    pub fn setup_of(&self, connection: &str, options: &BTreeMap<String, Secret>) -> BTreeMap<String, String> {
        let setup = lock(&self.setup);
        let known = setup.get(&connection.to_lowercase()).filter(|(own, _)| own == options);
        known.map(|(_, values)| values.clone()).unwrap_or_default()
    }

    /// Notes what was looked up for a connection with these options.
    pub fn hold_setup(&self, connection: &str, options: &BTreeMap<String, Secret>, values: BTreeMap<String, String>) {
        lock(&self.setup).insert(connection.to_lowercase(), (options.clone(), values));
    }

    /// Forgets the answer that a connection with these options got.
    pub fn forget(&self, connection: &str, options: &BTreeMap<String, Secret>) {
        if let Some(all) = lock(&self.held).get_mut(&connection.to_lowercase()) {
            all.retain(|held| held.options != *options);
        }
    }

    /// Returns what was asked for in a browser for a connection.
    pub fn pending(&self, connection: &str) -> Option<PendingConsent> {
        lock(&self.pending).get(&connection.to_lowercase()).cloned()
    }

    /// Notes what was asked for in a browser; `None` when it was answered.
    pub fn set_pending(&self, connection: &str, consent: Option<PendingConsent>) {
        let mut pending = lock(&self.pending);
        match consent {
            Some(consent) => pending.insert(connection.to_lowercase(), consent),
            None => pending.remove(&connection.to_lowercase()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_credential_of_a_connection_has_an_answer() {
        let tokens = Tokens::default();
        let options = |value: usize| BTreeMap::from([("client_secret".to_string(), Secret::new(value.to_string()))]);
        let answer = |obtained: usize| TokenAnswer { values: BTreeMap::new(), obtained: obtained as i64, expires: None };
        let known = |value: usize| tokens.of("Shop", &options(value)).map(|answer| answer.obtained);
        for (value, obtained) in [(1, 10), (2, 20), (1, 11)] {
            tokens.hold("shop", &options(value), Arc::new(answer(obtained)));
        }
        assert_eq!((known(1), known(2), known(3)), (Some(11), Some(20), None));
        tokens.forget("SHOP", &options(1));
        assert_eq!((known(1), known(2)), (None, Some(20)));
        for value in 3..3 + MOST_HELD {
            tokens.hold("shop", &options(value), Arc::new(answer(value)));
        }
        assert_eq!((known(2), known(3)), (None, Some(3)));
    }

    #[test]
    fn a_token_is_renewed_a_little_before_it_ends() {
        let check = |expires: Option<i64>, now: i64, expected: bool| {
            let answer = TokenAnswer { values: BTreeMap::new(), obtained: 1000, expires };
            assert_eq!(answer.is_fresh(now), expected, "{expires:?} {now}");
        };
        check(None, 1_000_000, true);
        check(Some(4600), 4539, true);
        check(Some(4600), 4540, false);
        check(Some(1010), 1008, true);
        check(Some(1010), 1009, false);
        check(Some(1000), 1000, false);
        check(Some(900), 1000, false);
        // The clock was set back: nothing is known about how long the token lasts.
        check(Some(4600), 600, false);
        check(Some(4600), 800, true);
    }
}
