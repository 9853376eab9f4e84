//! Tokens that the connection signs itself, each used until it is about to end.

use super::jwt::sign;
use super::{put_headers, seconds_now};
use crate::http::authorizer::{Authorizer, Authorizing, SentWith};
use crate::http::known::Holder;
use crate::http::message::Request;
use crate::http::Redactor;
use crate::lock::lock;
use crate::spec::{Connection, SignedSpec, TokenAnswer};
use crate::Result;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The signed tokens of a connection.
pub struct Signed {
    connection: Arc<Connection>,
    spec: Arc<SignedSpec>,
    redactor: Arc<Redactor>,
    /// The last one.
    token: Mutex<Option<Arc<TokenAnswer>>>,
}

impl Signed {
    /// Prepares. Fails when the key cannot sign.
    pub fn new(connection: Arc<Connection>, spec: Arc<SignedSpec>, redactor: Arc<Redactor>) -> Result<Signed> {
        let signed = Signed { connection, spec, redactor, token: Mutex::default() };
        signed.token(None)?;
        Ok(signed)
    }

    /// Returns a token that was not rejected.
    fn token(&self, rejected: Option<SentWith>) -> Result<Arc<TokenAnswer>> {
        let now = seconds_now();
        let mut last = lock(&self.token);
        if let Some(token) = last.as_ref().filter(|token| token.is_fresh(now) && rejected != Some(sent_with(token))) {
            return Ok(Arc::clone(token));
        }
        let signed = sign(&self.spec.jwt, &self.connection, &[], now)?;
        let holder = Holder::Credential(self.connection.options.values.clone());
        self.redactor.learn_of(holder, vec![signed.text.expose().to_string()]);
        let values = BTreeMap::from([("access_token".to_string(), signed.text)]);
        let token = Arc::new(TokenAnswer { values, obtained: now, expires: Some(signed.expires) });
        self.connection.hold_token(Arc::clone(&token));
        Ok(Arc::clone(last.insert(token)))
    }

    fn put_on(&self, hop: &mut Request) -> Result<SentWith> {
        let token = self.token(None)?;
        put_headers(&self.spec.headers, &self.connection, hop)?;
        Ok(sent_with(&token))
    }
}

fn sent_with(token: &TokenAnswer) -> SentWith {
    SentWith::of(token.values.values().map(|value| value.expose()))
}

impl Authorizer for Signed {
    fn authorize<'a>(&'a self, hop: &'a mut Request) -> Authorizing<'a, Result<SentWith>> {
        Box::pin(std::future::ready(self.put_on(hop)))
    }

    fn rejected(&self, sent_with: SentWith) -> Authorizing<'_, Result<bool>> {
        Box::pin(std::future::ready(self.token(Some(sent_with)).map(|_| true)))
    }

    fn has_secrets(&self) -> bool {
        true
    }
}
