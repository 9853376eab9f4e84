//! Sessions that a login begins.

use super::ask::{token_place, TokenAsk};
use super::carried::{Carried, Lack};
use super::post::TokenPost;
use super::renewed::{Renewal, TokenSource};
use super::seconds_now;
use super::store::TokenFile;
use crate::document::{tree_of, Node};
use crate::http::body::body_of;
use crate::http::request::{url_of, ParamSet, Values};
use crate::http::transport::RawAnswer;
use crate::source::{Capture, PageValues};
use crate::spec::{Connection, NoRows, Secret, SessionSpec, SessionStep, Template, TokenAnswer};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Most characters of a body in a message.
const MOST_TOLD: usize = 200;
/// Most time that a logout takes: the process, or a statement, waits for it.
const MOST_LOGOUT: Duration = Duration::from_secs(3);

/// The login of a connection.
pub struct SessionSource {
    pub connection: Arc<Connection>,
    pub session: Arc<SessionSpec>,
    pub post: TokenPost,
}

/// Returns what logs a connection in. Fails when an option is missing, or makes an address that must not be used.
pub fn session_renewal(source: SessionSource) -> Result<Renewal> {
    let ask = source.ask(&source.session.login)?;
    let mut identity = vec![ask.method.name().to_string(), ask.url.to_string(), ask.body.unwrap_or_default()];
    identity.extend(ask.headers.into_iter().map(|(name, value)| format!("{name}: {value}")));
    Ok(Renewal {
        connection: Arc::clone(&source.connection),
        redactor: Arc::clone(&source.post.redactor),
        timeout: source.post.timeout,
        file: TokenFile::of(&source.connection, &identity),
        unsaved: Mutex::default(),
        source: Arc::new(source),
    })
}

impl TokenSource for SessionSource {
    fn headers(&self) -> &[(String, Template)] {
        &self.session.headers
    }

    fn may_spend(&self) -> bool {
        false
    }

    /// All that a login gives is a secret.
    fn secrets_of(&self, answer: &TokenAnswer) -> Vec<String> {
        answer.values.values().map(|value| value.expose().to_string()).collect()
    }

    /// A session that is ended must not be one that others use.
    fn is_own(&self) -> bool {
        self.session.logout.is_some()
    }

    fn end(&self) {
        let Some(logout) = &self.session.logout else { return };
        // What has to agree to requests is a matter of those who call.
        let post = TokenPost { may_send: Arc::default(), timeout: self.post.timeout.min(MOST_LOGOUT), attempts: 1, ..self.post.clone() };
        let ask = self.ask(logout).and_then(|mut ask| {
            let headers = self.filled(&self.session.headers, "headers")?;
            ask.headers.retain(|(name, _)| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
            ask.headers.extend(headers);
            Ok(ask)
        });
        self.connection.forget_token();
        // Nobody can do anything about a session that does not end: it ends by itself.
        let _ = ask.and_then(|ask| post.send(&ask));
    }

    /// Logs in. Blocks.
    fn fetch(&self, _: Option<&TokenAnswer>) -> Result<TokenAnswer> {
        let ask = self.ask(&self.session.login)?;
        let place = format!("the login, {} {}", ask.method, self.post.redactor.url(&ask.url));
        let now = seconds_now();
        let answer = self.post.send(&ask).map_err(|err| err.within(&place))?;
        let values = self.captured(&answer);
        self.post.redactor.learn(values.values().map(|value| value.expose().to_string()).collect());
        let told = match self.post.redactor.told(&answer.body, MOST_TOLD).as_str() {
            "" => format!("returned {}", answer.status),
            words => format!("returned {}: {words}", answer.status),
        };
        if answer.status >= 400 && !self.session.statuses.contains(&answer.status) {
            let names: Vec<String> = self.session.options.iter().map(|option| format!("'{}'", option.name)).collect();
            return Err(Error::api(format!("{place} {told}; check the options {}", names.join(" and "))));
        }
        if let Some((name, _)) = self.session.capture.iter().find(|(name, _)| !values.contains_key(name)) {
            let names: Vec<String> = self.session.options.iter().map(|option| format!("'{}'", option.name)).collect();
            return Err(Error::api(format!(
                "{place} {told}; it has no '{name}' as 'capture' in the adapter spec says: check that, and the options {}",
                names.join(" and ")
            )));
        }
        if let Some(Lack::Worthless(what)) = self.carried().lack(&values) {
            return Err(Error::api(format!("{place} {told}; it has {what}: check 'capture' in the adapter spec")));
        }
        let expires = self.session.life.map(|life| now.saturating_add(i64::try_from(life.as_secs()).unwrap_or(i64::MAX)));
        Ok(TokenAnswer { values, obtained: now, expires })
    }
}

impl SessionSource {
    fn carried(&self) -> Carried<'_> {
        Carried { headers: &self.session.headers, connection: &self.connection }
    }

    /// Returns the request of a step.
    fn ask(&self, step: &SessionStep) -> Result<TokenAsk> {
        let (none, page) = (ParamSet::default(), PageValues::default());
        let values = Values { connection: &self.connection, param_set: &none, page: &page };
        let base = values.base_text(&self.connection.adapter.base_url)?;
        let url = url_of(&base, &values.path_text(&step.path, &values)?)?;
        token_place(url.as_str(), "base_url")?;
        let mut headers = vec![("Accept".to_string(), "application/json".to_string())];
        let own = self.filled(&step.headers, "headers")?;
        headers.retain(|(name, _)| !own.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
        headers.extend(own);
        let body = body_of(&step.body, &values, &NoRows).map_err(|err| err.within("the body in 'auth'"))?;
        let body = body.map(|body| body.told_in(&mut headers));
        Ok(TokenAsk { method: step.method, url, headers, body, signed: Vec::new() })
    }

    fn filled(&self, pairs: &[(String, Template)], key: &str) -> Result<Vec<(String, String)>> {
        let filled = |(name, value): &(String, Template)| {
            let value = self.connection.fill(value).map_err(|err| err.within(format!("'{name}' in '{key}' of 'auth'")))?;
            Ok((name.clone(), value))
        };
        pairs.iter().map(filled).collect()
    }

    fn captured(&self, answer: &RawAnswer) -> BTreeMap<String, Secret> {
        let document = tree_of(&answer.body);
        let text = |capture: &Capture| capture.read_text(document.as_ref().map(Node::of_tree), &answer.headers);
        let captured = self.session.capture.iter().filter_map(|(name, capture)| Some((name.clone(), text(capture)?)));
        captured.map(|(name, value)| (name, Secret::new(value))).collect()
    }
}
