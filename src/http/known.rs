//! The secrets that are looked for: a connection's own, those that servers gave, and what steps captured.

use super::disguise::Finder;
use crate::spec::Secret;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most secrets that are kept of those that nothing uses any more, and most of what steps captured.
pub(super) const MOST_PAST: usize = 64;

/// What uses secrets that a server gave, until it gets others.
#[derive(Debug, PartialEq, Eq)]
pub enum Holder {
    /// One of the connection's credentials, by its options.
    Credential(BTreeMap<String, Secret>),
    /// The look-ups before the first request.
    Setup,
}

/// The secrets, and what finds them in every form they may appear in.
pub(super) struct Known {
    own: Vec<String>,
    /// What is in use, by who uses it.
    current: Vec<(Holder, Vec<String>)>,
    /// What was learned besides, and what was in use before, oldest first.
    past: Vec<String>,
    /// What steps captured, oldest first.
    captured: Vec<String>,
    /// Finds the secrets, and what was captured.
    pub finder: Arc<Finder>,
    /// Finds the secrets alone.
    pub of_secrets: Arc<Finder>,
}

impl Known {
    /// Knows a connection's own secrets.
    pub fn new(own: Vec<String>) -> Known {
        let finder = Arc::new(Finder::new(&own));
        Known { own, current: Vec::new(), past: Vec::new(), captured: Vec::new(), of_secrets: Arc::clone(&finder), finder }
    }

    /// Makes secrets of these texts. Of those that nothing uses the last ones are kept.
    pub fn learn(&mut self, secrets: Vec<String>) {
        let n_past = self.past.len();
        for secret in secrets {
            if !secret.is_empty() && !self.has(&secret) {
                self.past.push(secret);
            }
        }
        if self.past.len() > n_past {
            self.renew();
        }
    }

    /// Makes secrets of these texts for as long as the holder does not have others.
    pub fn hold(&mut self, holder: Holder, secrets: Vec<String>) {
        let secrets: Vec<String> = secrets.into_iter().filter(|secret| !secret.is_empty() && !self.own.contains(secret)).collect();
        match self.current.iter_mut().find(|(other, _)| *other == holder) {
            Some((_, held)) if *held == secrets => return,
            Some((_, held)) => self.past.extend(std::mem::replace(held, secrets)),
            None => self.current.push((holder, secrets)),
        }
        let current = &self.current;
        self.past.retain(|secret| !current.iter().any(|(_, held)| held.contains(secret)));
        self.renew();
    }

    /// Takes these texts for secrets, too. The last ones are kept.
    pub fn learn_captured(&mut self, texts: Vec<String>) {
        let n_known = self.captured.len();
        for text in texts {
            if !self.captured.contains(&text) && !self.has(&text) {
                self.captured.push(text);
            }
        }
        if self.captured.len() > n_known {
            self.renew();
        }
    }

    fn secrets(&self) -> impl Iterator<Item = &String> {
        self.own.iter().chain(self.current.iter().flat_map(|(_, held)| held)).chain(&self.past)
    }

    fn has(&self, text: &str) -> bool {
        self.secrets().any(|secret| secret == text)
    }

    fn renew(&mut self) {
        keep_last(&mut self.past);
        keep_last(&mut self.captured);
        let mut secrets: Vec<String> = self.secrets().cloned().collect();
        self.of_secrets = Arc::new(Finder::new(&secrets));
        self.finder = match self.captured.is_empty() {
            true => Arc::clone(&self.of_secrets),
            false => {
                secrets.extend_from_slice(&self.captured);
                Arc::new(Finder::new(&secrets))
            }
        };
    }
}

fn keep_last(texts: &mut Vec<String>) {
    texts.drain(..texts.len().saturating_sub(MOST_PAST));
}
