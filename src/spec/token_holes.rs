//! The holes that the answer of a token endpoint fills, and the answer itself, of a connection.

use super::{AdapterSpec, AuthSpec, Connection, PendingConsent, SetupStep, TableDef, Template, TokenAnswer, TOKEN_HOLE};
use std::collections::BTreeMap;
use std::sync::Arc;

impl AdapterSpec {
    /// Returns whether a hole is one that the answer of a token endpoint fills.
    pub fn is_token_hole(&self, hole: &str) -> bool {
        hole.starts_with(TOKEN_HOLE) && self.auth.iter().any(AuthSpec::has_tokens)
    }

    /// Returns whether requests cannot be made before there is a token: a `token.X` stands in their URL, headers or params.
    pub fn needs_token_first(&self) -> bool {
        let has_token = |template: &Template| template.names().any(|name| self.is_token_hole(name));
        let in_headers = |headers: &[(String, Template)]| headers.iter().any(|(_, value)| has_token(value));
        has_token(&self.base_url)
            || in_headers(&self.headers)
            || self.setup.iter().flat_map(SetupStep::templates).any(has_token)
            || self.tables.iter().flat_map(TableDef::variants).any(|table_def| {
                let refresh_params = table_def.refresh.updates().map_or(&[][..], |updates| &updates.params);
                has_token(&table_def.path)
                    || in_headers(&table_def.headers)
                    || table_def.params.iter().chain(refresh_params).flat_map(|param_def| param_def.values.templates()).any(has_token)
            })
    }
}

impl Connection {
    /// Returns the last answer of the connection's token endpoint in this process.
    pub fn token(&self) -> Option<Arc<TokenAnswer>> {
        self.tokens.of(&self.name, &self.options.values)
    }

    /// Notes an answer of the connection's token endpoint.
    pub fn hold_token(&self, answer: Arc<TokenAnswer>) {
        self.tokens.hold(&self.name, &self.options.values, answer);
    }

    /// Forgets what look-ups found: another account has other ones.
    pub fn forget_setup(&self) {
        self.tokens.hold_setup(&self.name, &self.options.values, BTreeMap::new());
    }

    /// Forgets the answer of the connection's token endpoint.
    pub fn forget_token(&self) {
        self.tokens.forget(&self.name, &self.options.values);
    }

    /// Returns what was asked for in a browser for this connection.
    pub fn pending_consent(&self) -> Option<PendingConsent> {
        self.tokens.pending(&self.name)
    }

    /// Notes what was asked for in a browser; `None` when it was answered.
    pub fn set_pending_consent(&self, consent: Option<PendingConsent>) {
        self.tokens.set_pending(&self.name, consent);
    }

    /// Returns the text that fills a hole: an option's value, one of the token answer, or what a look-up found.
    pub fn text_of_hole(&self, name: &str) -> Option<String> {
        let from_token = || self.token()?.value(name.strip_prefix(TOKEN_HOLE)?).map(|value| value.expose().to_string());
        self.option(name).map(|value| value.expose().to_string()).or_else(from_token).or_else(|| self.setup_value(name))
    }
}
